"""Tables in files of their own: .csv and .tsv, Excel workbooks.

Line 12 of the text of a .csv file is record 12 of the file.
"""

from __future__ import annotations

import csv as comma
import datetime
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode
from rag.ingest.formats.grid import add_table
from rag.ingest.formats.zip_guard import office_properties


def read_csv(content: bytes) -> Iterator[RawDocument]:
    """Yield a table of values divided by commas, semicolons, tabs or bars."""
    text = decode(content)
    check_length(len(text))
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    lines = LineBuilder()
    records = _records(text, _guess_divider(text))
    try:
        add_table(lines, records)
    except comma.Error as error:
        raise Unreadable(
            f"line {records.line_num}: {error}",
            "check its quotation marks, or save it again as .csv",
        ) from error
    yield lines.raw(lines=True)


class _Records(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def _records(text: str, divider: str) -> _Records:
    return comma.reader(io.StringIO(text, newline=""), delimiter=divider)


def _guess_divider(text: str) -> str:
    """Return the character that gives most columns of the same number in nearly all first rows."""
    most_columns, best_divider = 1, ","
    beginning = text[:100_000]
    for divider in ",;\t|":
        try:
            widths = [len(row) for row in islice(_records(beginning, divider), 30) if row][:-1]
            widths = widths or [len(next(_records(beginning, divider)))]
        except (comma.Error, StopIteration):
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        if common > most_columns and 10 * widths.count(common) >= 8 * len(widths):
            most_columns, best_divider = common, divider
    return best_divider


def read_xlsx(content: bytes) -> Iterator[RawDocument]:
    """Yield a workbook, each sheet under its name, formulas by the values that were last saved."""
    import openpyxl

    title, date = office_properties(content)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    lines = LineBuilder()
    for sheet in book.worksheets:
        lines.add(sheet.title, 1)
        sheet.reset_dimensions()  # the size that a sheet states may be wrong
        add_table(lines, ([cell_text(cell) for cell in cells] for cells in sheet.iter_rows()))
        lines.add()
    yield lines.raw(title, date, lines=True)


class _Cell(Protocol):
    """The part of an openpyxl cell that is used."""

    @property
    def value(self) -> object: ...

    @property
    def number_format(self) -> str | None: ...


def cell_text(cell: _Cell) -> str:
    """Return a cell as Excel shows it: days without midnight, percentages, whole numbers."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return str(value.date() if midnight else value.replace(microsecond=0))
    if isinstance(value, (int, float)):
        percent = re.fullmatch(r"0(?:\.(0+))?%", cell.number_format or "")
        if percent:
            return f"{100 * value:.{len(percent[1] or '')}f}%"
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else str(value)
    return str(value)
