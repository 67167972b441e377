"""Text -> blocks -> sentences, as spans. One splitter for documents and for answers.

A block is what a reader sees as one paragraph, heading or list item. A blank line always ends a block. A single line
break ends one too, unless the text is hard-wrapped (as e-mail, RFCs and PEPs are): then lines that fill the column
belong together. A block of thousands of characters is cut first. Inside a block the boundaries are those of `sentencex` (the rule-based segmenter of the Wikimedia
Foundation), which knows abbreviations and keeps a quotation in one piece.

Nothing is split and joined: every function gives spans into the text it was given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from rag.domain import Span

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ITEM = re.compile(r"\s*(?:[-*+•–>#|]|\d{1,3}[.)]|\(?[a-zA-Z][.)])\s|\s*(?:```|~~~|===|---)")
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)\]]{1,2}")
_LABEL = re.compile(r"[^\s:;|][^:;|\n]{0,79}: ")  # the header of a row's first cell
_WIDE = re.compile(r"[^\S\x00-\x7f]")  # white space of more than one byte
_HALF = re.compile(r"[\ud800-\udfff]")  # half a surrogate pair
_LONGEST = 5_000  # characters handed to the segmenter at once, whose time grows with their square where quotation marks abound
_ENDS = re.compile(r"[.!?\n]")  # where the segmenter may part ASCII
_STOP = re.compile(r"[.!?。！？]['\"”’»)\]]{0,3}\s")


def split_blocks(text: str) -> Iterator[Span]:
    """Spans of the paragraphs, headings and list items of `text`, without the white space around them."""
    lines = [Span(m.start(), m.end()) for m in _LINE.finditer(text)]
    width = wrap_width(text, lines)
    start = end = -1
    for at, span in enumerate(lines):
        stripped = _trim(text, span)
        if stripped.start >= stripped.end:
            if start >= 0:
                yield Span(start, end)
            start = -1
            continue
        if start >= 0 and not (width and _continues(text, lines[at - 1], span, width)):
            yield Span(start, end)
            start = -1
        if start < 0:
            start = stripped.start
        end = stripped.end
    if start >= 0:
        yield Span(start, end)


def wrap_width(text: str, lines: list[Span]) -> int:
    """The column at which `text` was wrapped, or 0 where a line is a paragraph.

    Wrapped is: at least 4 lines that another line follows, 9 of 10 of all lines at most 100 characters, and at
    least half of the lines that go on fill 6 tenths of the widest of them.
    """
    lengths = [s.end - s.start for s in lines if text[s.start : s.end].strip()]
    followed = [
        a.end - a.start
        for a, b in pairwise(lines)
        if text[a.start : a.end].strip() and text[b.start : b.end].strip()
    ]
    if len(followed) < 4:
        return 0
    width = sorted(lengths)[int(0.9 * (len(lengths) - 1))]
    if width > 100 or width < 40 or _rows(text, lines):
        return 0
    full = sum(length >= 0.6 * width for length in followed)
    return width if 2 * full >= len(followed) else 0


def _rows(text: str, lines: list[Span]) -> bool:
    """Are the lines rows of a table: three of four hold " | ", or begin with the same "Word: "?"""
    held = [text[s.start : s.end] for s in lines if text[s.start : s.end].strip()]
    labels = [m[0] if (m := _LABEL.match(line)) else "" for line in held]
    most = Counter(filter(None, labels)).most_common(1)
    same = most[0][0] if most else None
    return 4 * sum(
        label == same or " | " in line for label, line in zip(labels, held, strict=True)
    ) >= 3 * len(held)


def _continues(text: str, before: Span, after: Span, width: int) -> bool:
    """Does the line `after` go on with the sentence of the line `before`? True where `before` was full."""
    line = text[after.start : after.end]
    if _ITEM.match(line):
        return False
    first = line.split(maxsplit=1)[0]
    room = width - len(text[before.start : before.end].rstrip())
    return room < max(len(first) + 1, 0.4 * width) or first[:1].islower()


def split_sentences(text: str, within: Span | None = None) -> Iterator[Span]:
    """Spans of the sentences of `text` (or of the part `within`), in order, without the white space around them."""
    offset = within.start if within else 0
    part = within.of(text) if within else text
    for block in split_blocks(part):
        yield from sentences_of_block(text, Span(offset + block.start, offset + block.end))


def sentences_of_block(text: str, block: Span) -> Iterator[Span]:
    """Spans of the sentences of one block."""
    held = -1  # start of a bare "1." that belongs to what follows it
    for span in _segmented(text, block):
        start = span.start if held < 0 else held
        if _ENUMERATOR.fullmatch(text, span.start, span.end) and span.end < block.end:
            held = start
        else:
            held = -1
            yield Span(start, span.end)


def _segmented(text: str, block: Span) -> Iterator[Span]:
    from sentencex import segment

    for piece in bounded(text, block, _LONGEST):
        plain, at = _plain(piece.of(text)), 0
        whole = plain.isascii() and not _ENDS.search(
            plain
        )  # it would come back whole: most lines of code, lists and tables do
        for sentence in () if whole else segment("en", plain):
            if not plain.startswith(
                sentence, at
            ):  # the segmenter altered characters: what is left is one sentence
                break
            span = _trim(text, Span(piece.start + at, piece.start + at + len(sentence)))
            at += len(sentence)
            if span.start < span.end:
                yield span
        rest = _trim(text, Span(piece.start + at, piece.end))
        if rest.start < rest.end:
            yield rest


def _plain(text: str) -> str:
    """`text`, character for character, without what the segmenter panics at: "B\\u00a0." and half a surrogate pair."""
    return text if text.isascii() else _HALF.sub("\ufffd", _WIDE.sub(" ", text))


def line_number(text: str, offset: int) -> int:
    r"""1-based number of the line that holds `offset`; lines end with "\n" only, as editors count them."""
    return text.count("\n", 0, offset) + 1


def bounded(text: str, span: Span, most: int) -> Iterator[Span]:
    """`span` in parts of at most `most` characters, cut in their second half: where a sentence seems to end, else at white space,
    else anywhere."""
    start = span.start
    while span.end - start > most:
        low, high = start + most // 2, start + most
        stops = [match.end() for match in _STOP.finditer(text, low, high)]
        cut = stops[-1] if stops else text.rfind(" ", low, high) + 1 or high
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def _trim(text: str, span: Span) -> Span:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
