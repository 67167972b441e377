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
from typing import NamedTuple

from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.text.header_rows import count_header_rows, filled, join_headers

#: columns of a table; as many as Excel allows
MAX_COLUMNS = 16_384
#: columns whose values are cells with a name
_MAX_NAMED_COLUMNS = 1000
#: characters of a column's name
_MAX_NAME_CHARS = 80
#: rows that are looked at to find the header rows
_ROWS_LOOKED_AT = 16


class Header(NamedTuple):
    """What the rows of a table belong to."""

    rows: list[list[str]]
    names: list[str]
    context: str


def add_table(
    lines: LineBuilder,
    rows: Iterable[Sequence[str]],
    context: str = "",
    header: Header | None = None,
) -> Header:
    """Add a line for each row. An empty row is an empty line. Returns the header of the rows.

    `context` is a caption or the like that a row does not say itself; else it is the title above
    the header. `header` is that of the table which these rows go on with; they may repeat it.
    """
    remaining = (_cleaned(row) for row in rows)
    if header is None:
        first = list(islice(remaining, _ROWS_LOOKED_AT))
        begin = next((n for n, row in enumerate(first) if len(filled(row)) > 1), len(first))
        title = [cell for row in first[:begin] for cell in filled(row)]
        for row in first[:begin]:
            lines.add("".join(filled(row)))
        headers = _header_rows(first[begin:])
        for row in headers:
            lines.add(" | ".join(filled(row)))
        names = [name[:_MAX_NAME_CHARS] for name in join_headers(headers)] if headers else []
        context = context or " ".join(title)[:_MAX_NAME_CHARS]
        header = Header(headers, names[:_MAX_NAMED_COLUMNS], context)
        remaining = chain(first[begin + len(headers) :], remaining)
    for row in remaining:
        if row in header.rows:  # repeated on the next page
            lines.add(" | ".join(filled(row)))
        else:
            lines.row(header.names, row, header.context)
    return header


def _header_rows(rows: Sequence[list[str]]) -> list[list[str]]:
    """Return the header rows that `rows` begin with, and the empty ones between them."""
    depth = count_header_rows([row for row in rows if filled(row)])
    headers = list[list[str]]()
    for row in rows:
        if not depth:
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
