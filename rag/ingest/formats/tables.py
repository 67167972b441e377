"""Tables: a row is a line and a sentence, each value after the header of its column.

    City | Population                      the header, unchanged
    City: Bergen; Population: 285,601      a row, which can be quoted alone and names its numbers

The values are verbatim, but for white space and line breaks in a cell, which become one blank.
A row without its headers would answer no question. Line 12 of the text of a .csv file is record 12
of the file. A table whose first row is not a header (it has numbers) keeps its values, divided by
bars.
"""

from __future__ import annotations

import csv as comma
import datetime
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode
from rag.ingest.formats.zip_guard import office_properties

#: columns of a table; as many as Excel allows
MAX_COLUMNS = 16_384
#: columns up to which the headers are repeated in each row
_MAX_HEADED_COLUMNS = 1000
#: characters of a header that are repeated in each row
_MAX_HEADER_CHARS = 80
_NUMBER = re.compile(r"[-+(]?[$€£]?\s?\d[\d.,  ]*\s?[%)]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


def read_csv(content: bytes) -> Iterator[RawDocument]:
    """Yield a table of values divided by commas, semicolons, tabs or bars."""
    text = decode(content)
    check_length(len(text))
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    lines = LineBuilder()
    read = 0
    try:
        for row in table_lines(_records(text, _guess_divider(text))):
            read += 1
            lines.add(row)
    except comma.Error as error:
        raise Unreadable(
            f"record {read + 1}: {error}", "check its quotation marks, or save it again as .csv"
        ) from error
    yield lines.raw(lines=True)


def _records(text: str, divider: str) -> Iterator[list[str]]:
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
        for row in table_lines([cell_text(cell) for cell in cells] for cells in sheet.iter_rows()):
            if row:
                lines.add(row)
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


def _check_columns(row: Sequence[str]) -> Sequence[str]:
    """Return the row without empty cells beyond the last column that is read."""
    if len(row) > MAX_COLUMNS and any(row[MAX_COLUMNS:]):
        raise Unreadable(
            f"has a row of more than {MAX_COLUMNS:,} columns",
            "give each thing a row and not a column",
        )
    return row[:MAX_COLUMNS]


def table_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row. Rows of a single value before the header are left unchanged."""
    cleaned = ([" ".join(cell.split()) for cell in _check_columns(row)] for row in rows)
    header: list[str] = []
    for row in cleaned:
        filled = [cell for cell in row if cell]
        if len(filled) < 2:
            yield "".join(filled)
            continue
        named = len(set(filled)) == len(filled) <= _MAX_HEADED_COLUMNS
        if named and not any(_NUMBER.fullmatch(cell) for cell in filled):
            header = [cell[:_MAX_HEADER_CHARS] for cell in row]
        yield " | ".join(filled)
        break
    for row in cleaned:
        if header:
            heads = chain(header, iter(lambda: "", None))
            yield "; ".join(
                f"{head}: {cell}" if head else cell for head, cell in zip(heads, row) if cell
            )
        else:
            yield " | ".join(cell for cell in row if cell)
