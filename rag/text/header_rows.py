"""Which rows at the top of a table are headers, and how several of them are joined."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: rows at the top that may be headers
_MAX_HEADER_ROWS = 3
_NUMBER = re.compile(
    r"[-+(±~<>]?\s?(?:[$€£¥]|[A-Z]{3}\s)?\s?\d[\d.,'’  ]*\s?(?:%|‰|[^\W\d_]{1,4}\.?|[€$£¥])?\)?"
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*")
_YEAR = re.compile(r"(?:19|20)\d\d")


def is_value(cell: str) -> bool:
    """Is the cell a number or a date, as values are and headers are not?"""
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def count_header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows are headers: 0, 1 or 2.

    A header row has no values, but for years over columns of numbers. A second header row lies
    under a first one that has gaps or repeats a name (a merged cell).
    """
    if len(rows) < 2 or not _may_be_header(rows, 0):
        return 0
    first = [cell for cell in rows[0] if cell]
    has_spans = len(first) < len(rows[1]) or len(set(first)) < len(first)
    if (
        len(rows) > 2
        and has_spans
        and _may_be_header(rows, 1)
        and any(is_value(cell) for row in rows[2:12] for cell in row)
        and len(set(filled(rows[1]))) > 1
    ):
        return 2
    return 1


def filled(row: Sequence[str]) -> list[str]:
    """Return the cells that are not empty."""
    return [cell for cell in row if cell]


def _may_be_header(rows: Sequence[Sequence[str]], number: int) -> bool:
    """Can this row name the columns of the rows below it?"""
    row = rows[number]
    names = filled(row)
    if not names or (number == 0 and len(names) < 2):
        return False
    values = [column for column, cell in enumerate(row) if cell and is_value(cell)]
    if not values:
        return True
    years = all(_YEAR.fullmatch(row[column]) for column in values)
    below = rows[number + 1 : number + 6]
    return (
        years
        and len({row[column] for column in values}) == len(values)
        and any(
            len(other) > column and other[column] and not _YEAR.fullmatch(other[column])
            for other in below
            for column in values
        )
    )


def join_headers(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the name of each column; levels are joined with " / ".

    A gap in a row above the last one belongs to the merged cell on its left.
    """
    width = max(map(len, rows))
    names = [""] * width
    for level, row in enumerate(rows):
        before = ""
        for column in range(width):
            cell = row[column] if column < len(row) else ""
            if not cell and level < len(rows) - 1:
                cell = before
            before = cell
            if cell and cell not in names[column].split(" / "):
                names[column] = f"{names[column]} / {cell}" if names[column] else cell
    return names
