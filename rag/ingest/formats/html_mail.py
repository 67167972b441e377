"""The HTML of a mail: read as any page, with the quotations in it told by their marks.

A mail program wraps what it quotes in a `blockquote` or a block of its own, and a signature in
another. Lines that no page has stand around them while the page is read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from rag.domain import Cell, Span, Unit
from rag.errors import Unreadable
from rag.ingest.formats.web import read_html

#: lines around a quotation; private characters, so that no mail has them
_OPEN, _CLOSE = "\ue0f1\ue0f2", "\ue0f2\ue0f1"
_MAX_MARKS = 200
_MAX_QUOTE_DEPTH = 20


@dataclass(frozen=True, slots=True)
class HtmlBody:
    """The text of an HTML body. `lines` have their depth of quotation."""

    text: str
    lines: tuple[tuple[Span, int], ...]
    headings: tuple[tuple[int, int, str], ...]
    units: tuple[Unit, ...] | None  #: None: those by the syntax of the text


def html_body(html: str) -> HtmlBody | None:
    """Read an HTML body; None if it shows no text."""
    try:
        # the mark of UTF-8 at its beginning: the encoding is known, whatever the page says
        (page,) = read_html(_with_marks(html).encode("utf-8-sig", "replace"))
    except Unreadable:
        return None
    cuts, lines, texts = list[Span](), list[tuple[Span, int]](), list[str]()
    depth = begin = removed = 0
    for line in page.text.rstrip("\n").split("\n"):
        opened, closed = line.count(_OPEN), line.count(_CLOSE)
        if (opened or closed) and not line.replace(_OPEN, "").replace(_CLOSE, "").strip():
            depth = max(0, depth + opened - closed)
            cuts.append(Span(begin, begin + len(line) + 1))
            removed += len(line) + 1
        else:
            start = begin - removed
            lines.append((Span(start, start + len(line)), min(depth, _MAX_QUOTE_DEPTH)))
            texts.append(line)
        begin += len(line) + 1
    moved = _Moved(cuts)
    units = None if page.units is None else tuple(map(moved.unit, page.units))
    headings = tuple((moved.place(at), level, title) for at, level, title in page.headings or ())
    text = "\n".join(texts) + "\n"
    return HtmlBody(text, tuple(lines), headings, units) if text.strip() else None


def _with_marks(html: str) -> str:
    """Return the page with a line before and after each quotation."""
    from bs4 import BeautifulSoup

    if "blockquote" not in html.lower() and "gmail_quote" not in html:
        return html
    soup = BeautifulSoup(html.replace(_OPEN, "").replace(_CLOSE, ""), "lxml")
    for quotation in list(_quotations(soup)):
        for mark, put in ((_OPEN, quotation.insert_before), (_CLOSE, quotation.insert_after)):
            line = soup.new_tag("p")
            line.string = mark
            put(line)
    return str(soup)


def _quotations(soup: Any) -> Iterator[Any]:
    """Yield the quotations, but for those in a table, whose cells they are."""
    for found in soup.find_all("blockquote", limit=_MAX_MARKS):
        if found.find_parent("table") is None:
            yield found


class _Moved:
    """Places in a text of which lines were cut."""

    def __init__(self, cuts: Sequence[Span]) -> None:
        self._cuts = cuts
        self._starts = [cut.start for cut in cuts]
        self._removed = list(accumulate((cut.end - cut.start for cut in cuts), initial=0))

    def place(self, at: int) -> int:
        before = bisect_left(self._starts, at)
        inside = max(0, self._cuts[before - 1].end - at) if before else 0
        return at - self._removed[before] + inside

    def span(self, span: Span) -> Span:
        return Span(self.place(span.start), self.place(span.end))

    def unit(self, unit: Unit) -> Unit:
        cells = tuple(
            Cell(cell.header, self.span(cell.span), self.span(cell.name) if cell.name else None)
            for cell in unit.cells
        )
        return Unit(unit.kind, self.span(unit.span), unit.context, cells)
