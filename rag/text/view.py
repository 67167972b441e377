"""The text of a chunk as it is read: each value of a row stands after the name of its column.

A word that a hyphen divides at the end of a line is read as one.
The view is longer than the chunk; `View.span` maps a place in it back to the text of the document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from rag.domain import Chunk, Span, Unit, UnitKind
from rag.text.hyphens import divisions

#: characters at the beginning of a text in which its own heading is looked for
_MAX_HEADING_CHARS = 200


class _Part(NamedTuple):
    """A part of the view that is a part of the document."""

    start: int  #: in the view
    span: Span  #: in the document


class View(NamedTuple):
    """A text for reading, and where its parts come from."""

    text: str
    parts: tuple[_Part, ...]

    def span(self, place: Span) -> Span | None:
        """Return the place in the document of a place in the view.

        None if the place has words that are not in the document, such as the name of a column.
        """
        number = bisect_right(self.parts, place.start, key=lambda part: part.start) - 1
        if number < 0:
            return None
        start, span = self.parts[number]
        begin = place.start + span.start - start
        while place.end > start + span.end - span.start:  # over the parts of a divided word
            end = start + span.end - span.start
            number += 1
            if number == len(self.parts) or self.parts[number].start != end:
                return None
            start, span = self.parts[number]
        return Span(begin, place.end + span.start - start)

    def after(self, words: str) -> View:
        """Return the view with `words` before it, which are no part of the document."""
        parts = (_Part(start + len(words), span) for start, span in self.parts)
        return View(words + self.text, tuple(parts))


def view_of(chunk: Chunk) -> View:
    """Return the view of a chunk. Without rows of tables it is the text itself."""
    builder, at = _Builder(chunk.text, chunk.span.start), chunk.span.start
    for unit in chunk.units:
        if unit.kind is UnitKind.ROW and at <= unit.span.start and unit.span.end <= chunk.span.end:
            builder.copy(Span(at, unit.span.start))
            builder.row(unit)
            at = unit.span.end
    builder.copy(Span(at, chunk.span.end))
    return View("".join(builder.texts), tuple(builder.parts))


def context_of(
    chunk: Chunk, span: Span, names: bool = False, units: Sequence[Unit] | None = None
) -> list[str]:
    """Return headings, introduction or caption of a place, without what its text begins with.

    With `names`, those of the columns of a row are the last part. `units` are those that overlap
    the place, if the caller knows them.
    """
    around = [unit for unit in (chunk.units if units is None else units) if span.within(unit.span)]
    section = next((u.context for u in around[::-1] if u.kind is UnitKind.SECTION), chunk.heading)
    parts = section.split(" › ")
    parts += [unit.context for unit in around if unit.kind is not UnitKind.SECTION]
    begin = span.start - chunk.span.start
    text = chunk.text[begin : begin + _MAX_HEADING_CHARS].lstrip("#*_ ")
    parts = [
        part
        for part in dict.fromkeys(parts)
        if part and part != chunk.title and not text.startswith(part)
    ]
    headers = [c.header for u in around if names and u.kind is UnitKind.ROW for c in u.cells]
    if any(headers):
        parts.append(" | ".join(filter(None, headers)))
    return parts


def row_text(unit: Unit, text: str) -> str:
    """Return a row of the document `text` as it is read."""
    builder = _Builder(text, 0)
    builder.row(unit)
    return "".join(builder.texts)


class _Builder:
    """Collects the texts of a view and their places."""

    def __init__(self, text: str, begin: int) -> None:
        """`text` begins at offset `begin` of its document."""
        self._text, self._begin = text, begin
        self.texts: list[str] = []
        self.parts: list[_Part] = []
        self._length = 0

    def copy(self, span: Span) -> None:
        """Add a part of the document, without the hyphens that divide words at line ends."""
        start = span.start - self._begin
        for divided in divisions(self._text, start, span.end - self._begin):
            self._copy(Span(start + self._begin, divided.start + self._begin))
            start = divided.end
        self._copy(Span(start + self._begin, span.end))

    def _copy(self, span: Span) -> None:
        if span.start < span.end:
            self.parts.append(_Part(self._length, span))
            self._add(self._text[span.start - self._begin : span.end - self._begin])

    def row(self, unit: Unit) -> None:
        """Add a row: names and values, divided by semicolons."""
        at = unit.span.start
        for number, cell in enumerate(unit.cells):
            if cell.span.start < at:
                continue
            self._add("; " if number else "")
            self._add(f"{cell.header}: " if cell.header else "")
            self.copy(cell.span)
            at = cell.span.end

    def _add(self, text: str) -> None:
        if text:
            self.texts.append(text)
            self._length += len(text)
