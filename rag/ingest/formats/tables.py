"""Tables: a row is a line and a sentence, each value behind the header of its column.

    City | Population                      the header, as it stands
    City: Bergen; Population: 285,601      a row: it can be quoted alone, and says what its numbers are

The values are verbatim (white space and line breaks in a cell are one blank), so another reader of the file finds them; a
row without its headers would answer no question. In a .csv line 12 of the text is record 12 of the file. A table whose first
row is not a header (numbers stand in it) keeps its values, divided by bars.
"""

from __future__ import annotations

import csv as comma
import datetime
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode
from rag.ingest.formats.zip_guard import office_properties

MAX_COLUMNS = 16_384  #: of a table; as many as Excel has
_MAX_HEADED_COLUMNS = 1000  # columns up to which their headers are said again in each row
_MAX_HEADER_CHARS = 80  # characters of a header that are said again in each row
_NUMBER = re.compile(r"[-+(]?[$€£]?\s?\d[\d.,  ]*\s?[%)]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


def read_csv(content: bytes) -> Iterator[RawDocument]:
    """Values divided by commas, semicolons, tabs or bars, whichever divides the first rows best."""
    text = decode(content)
    check_length(len(text))
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    lines = LineBuilder()
    at = 0
    try:
        for row in table_lines(_records(text, _guess_divider(text))):
            at += 1
            lines.add(row)
    except comma.Error as error:
        raise Unreadable(
            f"record {at + 1}: {error}", "check its quotation marks, or save it again as .csv"
        ) from error
    yield lines.raw(lines=True)


def _records(text: str, divider: str) -> Iterator[list[str]]:
    return comma.reader(io.StringIO(text, newline=""), delimiter=divider)


def _guess_divider(text: str) -> str:
    """The character that gives most columns, where nearly all of the first rows have as many of them."""
    best, found = 1, ","
    for divider in ",;\t|":
        try:
            widths = [len(row) for row in islice(_records(text[:100_000], divider), 30) if row][
                :-1
            ] or [len(next(_records(text[:100_000], divider)))]
        except (comma.Error, StopIteration):
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        if common > best and 10 * widths.count(common) >= 8 * len(widths):
            best, found = common, divider
    return found


def read_xlsx(content: bytes) -> Iterator[RawDocument]:
    """A workbook: each sheet under its name. What a formula gave when the file was last saved is its value."""
    import openpyxl

    title, date = office_properties(content)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    lines = LineBuilder()
    for sheet in book.worksheets:
        lines.add(sheet.title, 1)
        sheet.reset_dimensions()  # what a sheet says of its size need not be true
        for row in table_lines([cell_text(cell) for cell in cells] for cells in sheet.iter_rows()):
            if row:
                lines.add(row)
        lines.add()
    yield lines.raw(title, date, lines=True)


def cell_text(cell: Any) -> str:
    """A cell as a person sees it: days without midnight, shares as per cent, whole numbers whole."""
    said = cell.value
    if said is None:
        return ""
    if isinstance(said, bool):
        return str(said).upper()
    if isinstance(said, datetime.datetime):
        return str(said.date() if said.time() == datetime.time() else said.replace(microsecond=0))
    if isinstance(said, (int, float)):
        share = re.fullmatch(r"0(?:\.(0+))?%", cell.number_format or "")
        if share:
            return f"{100 * said:.{len(share[1] or '')}f}%"
        return (
            str(int(said))
            if isinstance(said, float) and said.is_integer() and abs(said) < 1e15
            else str(said)
        )
    return str(said)


def _check_columns(row: Sequence[str]) -> Sequence[str]:
    if len(row) > MAX_COLUMNS and any(row[MAX_COLUMNS:]):
        raise Unreadable(
            f"has a row of more than {MAX_COLUMNS:,} columns",
            "give each thing a row and not a column",
        )
    return row[:MAX_COLUMNS]


def table_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A line for each row. Rows of a single value before the header stand as they are."""
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
