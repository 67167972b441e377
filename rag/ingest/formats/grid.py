"""Tables of every format: rows of values become lines, each a unit of named cells.

    City | Population          the header rows, a line each
    Bergen | 285,601           a row: a unit with the cells City and Population

The values are verbatim, but for white space and line breaks in a cell, which become one blank. Rows
of a single value before the header are its title; a cell merged over the columns between other rows
is the label of those below it, and so may be a text alone in its row (`row_groups`). The names of
the columns are no part of a row's text; they stand in its unit, which is what
is looked up and read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.errors import Unreadable
from rag.ingest.formats.common import DIVIDER, LineBuilder
from rag.ingest.formats.row_groups import with_groups
from rag.text.header_rows import count_header_rows, filled, join_headers

#: columns of a table; as many as Excel allows
MAX_COLUMNS = 16_384
#: columns whose values are cells with a name
_MAX_NAMED_COLUMNS = 1000
#: characters of a column's name
_MAX_NAME_CHARS = 80
#: rows that are looked at to find the header rows
_ROWS_LOOKED_AT = 16


class Filled(str):
    """A value repeated from the merged cell on its left."""

    __slots__ = ()


class NumberedRow(list[str]):
    """A row of a sheet with its number there."""

    __slots__ = ("number",)

    def __init__(self, number: int, values: Iterable[str] = ()) -> None:
        super().__init__(values)
        self.number = number


class Header(NamedTuple):
    """What the rows of a table belong to."""

    rows: list[list[str]]
    names: list[str]
    context: str


def add_table(
    lines: LineBuilder,
    rows: Iterable[Sequence[str]],
    context: str = "",
    header_rows: int | None = None,
    header: Header | None = None,
) -> Header:
    """Add a line for each row. An empty row is an empty line. Returns the header of the rows.

    `context` is a caption or the like that a row does not say itself; else it is the title above
    the header. `header_rows` is how many of the first rows the file itself calls headers; None if
    it does not say. `header` is that of the table which these rows go on with; they may repeat it.
    """
    remaining: Iterator[list[str]] = (_cleaned(row) for row in rows)
    if header is None:
        first = list(islice(remaining, _ROWS_LOOKED_AT))
        header, rest = _begin(lines, first, context, header_rows)
        remaining = chain(rest, remaining)
    label = ""
    for row, group in with_groups(remaining):
        if row in header.rows:  # repeated on the next page
            lines.add(_shown(row))
        elif group is None or _is_label(row):
            label = filled(row)[0] if group is not None else ""
            lines.add(filled(row)[0])
        else:
            around = [part for part in (header.context, label[:_MAX_NAME_CHARS], group) if part]
            _add_row(lines, header.names, row, " / ".join(around))
    return header


def _begin(
    lines: LineBuilder, first: Sequence[list[str]], context: str, header_rows: int | None
) -> tuple[Header, Sequence[list[str]]]:
    """Add title and header rows. Returns the header and the rows of `first` below it."""
    begin = next((n for n, row in enumerate(first) if len(set(filled(row))) > 1), len(first))
    if header_rows and header_rows <= begin:  # what the file calls headers are titles
        header_rows = None
    title = [filled(row)[0] for row in first[:begin] if filled(row)]
    for row in first[:begin]:
        lines.add("".join(filled(row)[:1]))
    headers = _header_rows(first[begin:], header_rows and header_rows - begin)
    for row in headers:
        lines.add(_shown(row))
    names = [name[:_MAX_NAME_CHARS].rstrip(" :") for name in join_headers(headers or [[]])]
    context = context or " ".join(title)[:_MAX_NAME_CHARS]
    return Header(headers, names[:_MAX_NAMED_COLUMNS], context), first[begin + len(headers) :]


def _shown(row: Sequence[str]) -> str:
    """Return a header row as a line, merged cells once."""
    return DIVIDER.join(cell for cell in row if cell and not isinstance(cell, Filled))


def _is_label(row: Sequence[str]) -> bool:
    """Is the row one text merged over columns, or the same text in three columns or more?"""
    cells = filled(row)
    if len(cells) < 2 or len(set(cells)) > 1 or not any(map(str.isalpha, cells[0])):
        return False
    merged = all(isinstance(cell, Filled) for cell in cells[1:])
    return merged or (len(cells) == len(row) > 2 and len(cells[0]) > 3)


def _add_row(lines: LineBuilder, names: Sequence[str], row: Sequence[str], context: str) -> None:
    """Add a row of values. A merged cell is given once, under the names of its columns.

    One that begins in the first column names the row: it is under the name of that column.
    """
    if any(isinstance(cell, Filled) for cell in row):
        names, values, last = list(names), list(row), 0
        for column, cell in enumerate(row):
            if not isinstance(cell, Filled):
                last = column
                continue
            values[column] = ""
            if last and column < len(names) and names[column] not in ("", names[last]):
                both = ", ".join(filter(None, (names[last], names[column])))
                names[last] = both[: 3 * _MAX_NAME_CHARS]
        row = values if not isinstance(row, NumberedRow) else NumberedRow(row.number, values)
    lines.row(names, row, context, row.number if isinstance(row, NumberedRow) else 0)


def add_form(lines: LineBuilder, rows: Iterable[Sequence[str]], context: str = "") -> None:
    """Add a table in which a name stands on the left of each value: one record.

    A row may have several names and values, in turn.
    """
    cells, start = list[Cell](), lines.length
    end = start
    for row in map(_cleaned, rows):
        spans, at = list[Span](), lines.length
        for value in row:
            spans.append(Span(at, at + len(value)))
            at += len(value) + len(DIVIDER) * bool(value)
        for column in range(0, len(row) - 1, 2):
            name, value = row[column].rstrip(" :"), row[column + 1]
            if name and value:
                name_at = spans[column].start
                names = Span(name_at, name_at + len(name))
                cells.append(Cell(name[:_MAX_NAME_CHARS], spans[column + 1], names))
        lines.add(DIVIDER.join(filled(row)))
        end = max(end, *(span.end for span in spans if span.start < span.end), end)
    if cells:
        lines.unit(Unit(UnitKind.RECORD, Span(start, end), context, tuple(cells)))


def _header_rows(rows: Sequence[list[str]], stated: int | None = None) -> list[list[str]]:
    """Return the header rows that `rows` begin with, and the empty ones between them.

    `stated` is their number as the file states it.
    """
    full = [row for row in rows if filled(row)]
    depth = count_header_rows(full) if stated is None else min(stated, len(full) - 1)
    headers = list[list[str]]()
    for row in rows:
        if depth <= 0:
            break
        headers.append(row)
        depth -= bool(filled(row))
    return headers


def _cleaned(row: Sequence[str]) -> list[str]:
    """Return the row with one blank for white space, without what lies beyond the last column."""
    if len(row) > MAX_COLUMNS and any(row[MAX_COLUMNS:]):
        raise Unreadable(
            f"has a row of more than {MAX_COLUMNS:,} columns",
            "give each thing a row and not a column",
        )
    cells = [
        Filled(text) if type(cell) is Filled else text
        for cell, text in ((cell, " ".join(cell.split())) for cell in row[:MAX_COLUMNS])
    ]
    return NumberedRow(row.number, cells) if isinstance(row, NumberedRow) else cells
