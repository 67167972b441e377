"""Tables of every format: rows of values become lines, each a unit of named cells.

    City | Population          the header rows, a line each
    Bergen | 285,601           a row: a unit with the cells City and Population

The values are verbatim, but for white space and line breaks in a cell, which become one blank. Rows
of a single value before the header are its title. The names of the columns are no part of a row's
text; they stand in its unit, which is what is looked up and read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from rag.domain import Cell, Span, Unit, UnitKind
from rag.errors import Unreadable
from rag.ingest.formats.common import DIVIDER, LineBuilder
from rag.text.header_rows import count_header_rows, filled, join_headers

#: columns of a table; as many as Excel allows
MAX_COLUMNS = 16_384
#: columns whose values are cells with a name
_MAX_NAMED_COLUMNS = 1000
#: characters of a column's name
_MAX_NAME_CHARS = 80
#: rows that are looked at to find the header rows
_ROWS_LOOKED_AT = 16


def add_table(
    lines: LineBuilder,
    rows: Iterable[Sequence[str]],
    context: str = "",
    header_rows: int | None = None,
) -> None:
    """Add a line for each row. An empty row is an empty line.

    `context` is a caption or the like that a row does not say itself; else it is the title above
    the header. `header_rows` is how many of the first rows the file itself calls headers; None if
    it does not say.
    """
    remaining = (_cleaned(row) for row in rows)
    first = list(islice(remaining, _ROWS_LOOKED_AT))
    begin = next((n for n, row in enumerate(first) if len(filled(row)) > 1), len(first))
    if header_rows and header_rows <= begin:  # what the file calls headers are titles
        header_rows = None
    title = [cell for row in first[:begin] for cell in filled(row)]
    for row in first[:begin]:
        lines.add("".join(filled(row)))
    headers = _header_rows(first[begin:], header_rows and header_rows - begin)
    for row in headers:
        lines.add(" | ".join(filled(row)))
    names = [name[:_MAX_NAME_CHARS] for name in join_headers(headers)] if headers else []
    context = context or " ".join(title)[:_MAX_NAME_CHARS]
    for row in chain(first[begin + len(headers) :], remaining):
        if row in headers:  # repeated on the next page
            lines.add(" | ".join(filled(row)))
        else:
            lines.row(names[:_MAX_NAMED_COLUMNS], row, context)


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
    return [" ".join(cell.split()) for cell in row[:MAX_COLUMNS]]
