"""The part of a document that the source pane shows: the passage, some lines around it, and what to light in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.domain import Document, Evidence, Passage, Span
from rag.text.sanitize import sanitize

AROUND = 6  #: lines of context on each side
MOST = 1600  #: characters of context on each side, for texts whose lines are long
_TRIED = 50  # places of a short answer that are looked at for one that is a word of its own
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of text as stored; the spans are offsets into the piece."""

    text: str
    passage: Span
    lit: tuple[Span, ...]
    short: Span | None  #: the short answer inside what is lit
    masked: tuple[Span, ...]
    more_before: bool
    more_after: bool
    replaced: int  #: characters that are shown as a sign because a terminal would obey or hide them


def make_excerpt(
    passage: Passage, evidence: tuple[Evidence, ...], document: Document | None, short: str = ""
) -> Excerpt:
    """From the document, or from the passage alone as long as the document is not here."""
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

    seen = [e for e in evidence if e.document == chunk.document and e.span.overlaps(window)]
    places = ((e, find_short_answer(short, e.text)) for e in seen)
    shorts = [
        Span(e.span.start + at.start, e.span.start + at.end) for e, at in places if at is not None
    ]
    return Excerpt(
        text=text,
        passage=local(chunk.span),
        lit=tuple(local(e.span) for e in seen),
        short=next((local(s) for s in shorts if s.within(window)), None),
        masked=tuple(local(m) for m in masks if m.overlaps(window)),
        more_before=document is not None and window.start > 0,
        more_after=document is not None and window.end < len(document.text),
        replaced=count_replaced(text),
    )


def find_short_answer(short: str, text: str) -> Span | None:
    """The first place of the short answer in its sentence, as a word of its own if there is one.

    Runs of white space are compared as one blank. At most `_TRIED` places are looked at.
    """
    sought, _ = _folded(short)
    folded, starts = _folded(text)
    starts.append(len(text))
    first = place = folded.find(sought) if sought else -1
    for _ in range(_TRIED):
        if place < 0:
            break
        end = place + len(sought)
        if not (_WORD.match(folded[place - 1 : place]) or _WORD.match(folded[end : end + 1])):
            return Span(starts[place], starts[end])
        place = folded.find(sought, place + 1)
    return Span(starts[first], starts[first + len(sought)]) if first >= 0 else None


def _folded(text: str) -> tuple[str, list[int]]:
    """The text with each run of white space as one blank, and where each character stood."""
    characters, starts = list[str](), list[int]()
    for at, char in enumerate(text):
        blank = char.isspace()
        if not blank or not characters or characters[-1] != " ":
            characters.append(" " if blank else char)
            starts.append(at)
    return "".join(characters), starts


def count_replaced(text: str) -> int:
    """How many characters of `text` are not shown as they are; carriage returns of line ends do not count."""
    shown = sanitize(text)
    if shown == text:
        return 0
    return sum(a != b for a, b in zip(text, shown, strict=True) if a != "\r" or b != " ")


def _window(text: str, span: Span) -> Span:
    start = span.start
    for _ in range(AROUND + 1):
        start = text.rfind("\n", 0, max(0, start))
        if start < 0:
            break
    end = span.end
    for _ in range(AROUND + 1):
        end = text.find("\n", end + 1) if end >= 0 else end
    start, end = start + 1, len(text) if end < 0 else end
    return Span(max(start, span.start - MOST, 0), min(end, span.end + MOST, len(text)))
