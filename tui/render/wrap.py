"""Text to screen lines, by offsets: every line is a span of the text, so what is lit or selected can be found again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from rag.domain import Span

_WORD = re.compile(r"\S+\s*|\s+")


def wrap_text(text: str, width: int) -> list[Span]:
    """`text` as lines of at most `width` cells, broken at newlines and between words, without the white space there."""
    out: list[Span] = []
    start = 0
    for part in text.split("\n"):
        if part.isascii() and len(part) <= width:
            out.append(Span(start, start + len(part)))
        else:
            out.extend(_wrapped(part, start, max(1, width)))
        start += len(part) + 1
    return out


def truncate(text: str, width: int, more: str = "…") -> str:
    """`text` in at most `width` cells, with `more` at the end where something is missing."""
    if cell_len(text) <= width:
        return text
    first = wrap_text(text.replace("\n", " "), max(1, width - cell_len(more)))[0]
    return first.of(text).rstrip() + more


def _wrapped(part: str, base: int, width: int) -> Iterator[Span]:
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
    kept = len(part[start:end].rstrip())
    return Span(base + start, base + start + kept)


def _pieces(at: int, word: str, width: int) -> list[Span]:
    """A word wider than a line, cut by cells."""
    out, start, used = [], 0, 0
    for place, char in enumerate(word):
        cells = cell_len(char)
        if used + cells > width and place > start:
            out.append(Span(at + start, at + place))
            start, used = place, 0
        used += cells
    out.append(Span(at + start, at + len(word)))
    return out
