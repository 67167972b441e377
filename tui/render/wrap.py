"""Wrapping by offsets: every line on the screen is a span of the text. Widths are in cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from rag.domain import Span

_WORD = re.compile(r"\S+\s*|\s+")


def wrap_text(text: str, width: int) -> list[Span]:
    """Return `text` as lines of at most `width` cells.

    Lines end at newlines and between words; the white space there belongs to no line.
    """
    lines: list[Span] = []
    start = 0
    for part in text.split("\n"):
        if part.isascii() and len(part) <= width:
            lines.append(Span(start, start + len(part)))
        else:
            lines.extend(_wrapped(part, start, max(1, width)))
        start += len(part) + 1
    return lines


def truncate(text: str, width: int, more: str = "…") -> str:
    """Return `text` in at most `width` cells; `more` stands at the end of a text that was cut."""
    if cell_len(text) <= width:
        return text
    first = wrap_text(text.replace("\n", " "), max(1, width - cell_len(more)))[0]
    return first.of(text).rstrip() + more


def _wrapped(part: str, base: int, width: int) -> Iterator[Span]:
    """Yield the lines of a part without newlines that begins at offset `base` of the text."""
    start, used = 0, 0
    for match in _WORD.finditer(part):
        word = match.group()
        cells = cell_len(word.rstrip())
        if used and cells and used + cells > width:
            yield _trimmed(part, start, match.start(), base)
            start, used = match.start(), 0
        if cells > width:
            *whole, last = _pieces(match.start(), word.rstrip(), width)
            for piece in whole:
                yield Span(base + piece.start, base + piece.end)
            start = last.start
            used = cell_len(part[start : match.end()])
        else:
            used += cell_len(word)
    yield _trimmed(part, start, len(part), base)


def _trimmed(part: str, start: int, end: int, base: int) -> Span:
    """Return the span of a line without the white space at its end."""
    length = len(part[start:end].rstrip())
    return Span(base + start, base + start + length)


def _pieces(base: int, word: str, width: int) -> list[Span]:
    """Return the pieces of a word that is wider than a line. It begins at offset `base`."""
    pieces, start, used = [], 0, 0
    for offset, char in enumerate(word):
        cells = cell_len(char)
        if used + cells > width and offset > start:
            pieces.append(Span(base + start, base + offset))
            start, used = offset, 0
        used += cells
    pieces.append(Span(base + start, base + len(word)))
    return pieces
