"""Excel workbooks by `openpyxl`: each sheet under its name, values as the sheet shows them.

Formulas are read by the values that were last saved. Merged cells are filled. Hidden sheets, rows
and columns are left out, as a person does not see them, and the report says so.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import Filled, NumberedRow
from rag.ingest.formats.not_taken import NotTaken, Tally
from rag.ingest.formats.number_format import format_value
from rag.ingest.formats.sheet_blocks import add_sheet
from rag.ingest.formats.sheet_hidden import HiddenParts
from rag.ingest.formats.sheet_outline import Merged, Outline, outlines_of
from rag.ingest.formats.zip_guard import office_properties, open_package

#: parts of a workbook that are counted, by their names
_PARTS = {
    NotTaken.CHARTS: re.compile(r"xl/charts/chart[^/]{1,40}\.xml"),
    NotTaken.PICTURES: re.compile(r"xl/media/[^/]{1,200}"),
    NotTaken.OBJECTS: re.compile(r"xl/embeddings/[^/]{1,200}"),
}
_COMMENTS = re.compile(r"xl/(?:comments/)?comments?\d{0,9}\.xml")
_COMMENT = re.compile(rb"<(?:\w{1,9}:)?comment[\s>]")


def read_xlsx(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a workbook, then a refused part for each kind of content that was left out."""
    import openpyxl

    title, date = office_properties(content)
    with open_package(content) as archive:
        outlines = outlines_of(archive)
        tally = _beside_the_cells(archive)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    lines, hidden = LineBuilder(), HiddenParts()
    for sheet in book.worksheets:
        outline = outlines.get(sheet.title, Outline())
        if sheet.sheet_state != "visible":
            hidden.sheet(sheet.title)
            continue
        lines.add(sheet.title, 1)
        sheet.reset_dimensions()  # the size that a sheet states may be wrong
        add_sheet(lines, _rows(sheet, outline, hidden))
        hidden.unsaved += outline.unsaved
    yield lines.raw(title, date, lines=True)
    yield from hidden.parts()
    yield from tally.parts()


def _beside_the_cells(archive: zipfile.ZipFile) -> Tally:
    """Count what a workbook holds beside its cells: charts, pictures, comments, embedded files."""
    tally = Tally()
    for name in archive.namelist():
        if match := _COMMENTS.fullmatch(name):
            # a conversation stands also as a comment, which says that it is one
            tally.add(NotTaken.COMMENTS, len(_COMMENT.findall(archive.read(match[0]))))
        for kind, pattern in _PARTS.items():
            tally.add(kind, bool(pattern.fullmatch(name)))
    return tally


def _rows(sheet: Any, outline: Outline, hidden: HiddenParts) -> Iterator[NumberedRow]:
    """Yield the rows that are shown and not empty, with their numbers; merged cells are filled."""
    merges = _Merges(outline.merged)
    columns = outline.hidden_columns
    for number, cells in enumerate(sheet.iter_rows(), 1):
        values = [
            "" if cell.value is None else format_value(cell.value, cell.number_format)
            for cell in cells
        ]
        if not any(values):
            continue
        values = merges.filled(number, values)
        if number in outline.hidden_rows:
            hidden.row(sheet.title, number)
            continue
        if columns:
            hidden.columns(sheet.title, [n for n, v in enumerate(values, 1) if v and n in columns])
            values = [value for n, value in enumerate(values, 1) if n not in columns]
        yield NumberedRow(number, values)


class _Merges:
    """Fills merged cells row by row."""

    def __init__(self, merged: Sequence[Merged]) -> None:
        self._waiting = list(merged[::-1])
        self._open: list[tuple[Merged, str]] = []

    def filled(self, number: int, values: list[str]) -> list[str]:
        """Return the values of row `number`, in which each part of a merged cell has its value."""
        self._open = [(merged, text) for merged, text in self._open if merged.bottom >= number]
        while self._waiting and self._waiting[-1].top <= number:
            merged = self._waiting.pop()
            if merged.top == number and merged.left <= len(values):
                text = values[merged.left - 1]
                if text:
                    self._open.append((merged, text))
        for merged, text in self._open:
            values += [""] * (merged.right - len(values))
            for column in range(merged.left, merged.right + 1):
                values[column - 1] = text if column == merged.left else Filled(text)
        return values
