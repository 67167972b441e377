"""The excerpt of a document in the source pane: a passage, lines around it, spans to highlight."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.domain import Document, Evidence, Passage, Span
from rag.text.sanitize import sanitize

#: How many lines of context there are on each side.
CONTEXT_LINES = 6
#: The most characters of context on each side, for texts with long lines.
MAX_CONTEXT_CHARS = 1600
#: How many places of a short answer are tried.
MAX_PLACES = 50
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a document. The spans are offsets into `text`."""

    text: str
    passage: Span
    lit: tuple[Span, ...]  #: the evidence
    short: Span | None  #: the short answer inside the evidence
    masked: tuple[Span, ...]
    more_before: bool
    more_after: bool
    replaced: int  #: how many characters are not shown as they are


def make_excerpt(
    passage: Passage, evidence: tuple[Evidence, ...], document: Document | None, short: str = ""
) -> Excerpt:
    """Return the excerpt around `passage`; only the passage as long as `document` is None.

    `short` is the short answer, or "".
    """
    chunk = passage.chunk
    text, window = chunk.text, chunk.span
    masks: tuple[Span, ...] = ()
    if document is not None and document.id == chunk.document:
        window = _window(document.text, chunk.span)
        text, masks = window.of(document.text), document.mask

    def local(span: Span) -> Span:
        return Span(
            max(0, span.start - window.start), max(0, min(span.end, window.end) - window.start)
        )

    visible = [e for e in evidence if e.document == chunk.document and e.span.overlaps(window)]
    places = ((e.span.start, find_short_answer(short, e.text)) for e in visible)
    short_answers = [
        Span(start + place.start, start + place.end) for start, place in places if place is not None
    ]
    return Excerpt(
        text=text,
        passage=local(chunk.span),
        lit=tuple(local(e.span) for e in visible),
        short=next((local(s) for s in short_answers if s.within(window)), None),
        masked=tuple(local(m) for m in masks if m.overlaps(window)),
        more_before=document is not None and window.start > 0,
        more_after=document is not None and window.end < len(document.text),
        replaced=count_replaced(text),
    )


def find_short_answer(short: str, text: str) -> Span | None:
    """Return the first place of the short answer in `text`, if possible between word boundaries.

    Returns None if it does not occur. Runs of white space are compared as one blank. At most
    `MAX_PLACES` places are tried.
    """
    folded_short, _ = _fold_space(short)
    folded, starts = _fold_space(text)
    starts.append(len(text))
    first = place = folded.find(folded_short) if folded_short else -1
    for _ in range(MAX_PLACES):
        if place < 0:
            break
        end = place + len(folded_short)
        if not (_WORD.match(folded[place - 1 : place]) or _WORD.match(folded[end : end + 1])):
            return Span(starts[place], starts[end])
        place = folded.find(folded_short, place + 1)
    return Span(starts[first], starts[first + len(folded_short)]) if first >= 0 else None


def _fold_space(text: str) -> tuple[str, list[int]]:
    """Return `text` with each run of white space as one blank, and the offset of each character."""
    characters, starts = list[str](), list[int]()
    for offset, char in enumerate(text):
        is_blank = char.isspace()
        if not is_blank or not characters or characters[-1] != " ":
            characters.append(" " if is_blank else char)
            starts.append(offset)
    return "".join(characters), starts


def count_replaced(text: str) -> int:
    """Return how many characters of `text` are not shown as they are.

    A terminal would obey or hide them. Carriage returns of line ends do not count.
    """
    shown = sanitize(text)
    if shown == text:
        return 0
    return sum(a != b for a, b in zip(text, shown, strict=True) if a != "\r" or b != " ")


def _window(text: str, span: Span) -> Span:
    """Return the span of `text` to show: whole lines around `span`, up to the limits."""
    start = span.start
    for _ in range(CONTEXT_LINES + 1):
        start = text.rfind("\n", 0, max(0, start))
        if start < 0:
            break
    end = span.end
    for _ in range(CONTEXT_LINES + 1):
        end = text.find("\n", end + 1) if end >= 0 else end
    start, end = start + 1, len(text) if end < 0 else end
    return Span(
        max(start, span.start - MAX_CONTEXT_CHARS, 0),
        min(end, span.end + MAX_CONTEXT_CHARS, len(text)),
    )
