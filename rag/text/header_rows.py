"""Which rows at the top of a table are headers, and how several of them are joined.

A header row names its columns. It may have numbers, if they are no values of their columns: years
over sums, the rounds 1 to 6 over points, "100s" over counts. A second header row lies under merged
cells of the first one: under the same name twice side by side, or under a name and gaps. It may
also repeat a name above it, a cell merged over both rows, and have other names over values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

#: rows at the top that may be headers
_MAX_HEADER_ROWS = 5
#: rows below a header that its cells are compared with
_COMPARED_ROWS = 10
#: kinds of value from which the second column of a table tells that the first one names its rows
_MIN_KINDS = 3
_NUMBER = re.compile(
    r"[-+(±~<>]?\s?(?:[$€£¥]|[A-Z]{3}\s)?\s?\d[\d.,'’  ]*\s?(?:%|‰|[^\W\d_]{1,4}\.?|[€$£¥])?\)?"
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*")
_DIGITS = re.compile(r"\d[\d.,:'’ ]*")
_LETTERS = re.compile(r"[^\W\d_]+")


def is_value(cell: str) -> bool:
    """Is the cell a number or a date, as values are and headers are not?"""
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def count_header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows are headers: 0 to 5."""
    if len(rows) < 2 or _is_form(rows) or not _may_be_header(rows):
        return 0
    depth = 1
    while depth < min(_MAX_HEADER_ROWS, len(rows) - 1) and _is_lower_header(rows, depth):
        depth += 1
    return depth


def filled(row: Sequence[str]) -> list[str]:
    """Return the cells that are not empty."""
    return [cell for cell in row if cell]


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


def _is_form(rows: Sequence[Sequence[str]]) -> bool:
    """Do the cells of the first column name the values beside them, row by row?"""
    full = [row for row in rows if filled(row)]
    names = [row[0] for row in full if row[0]]
    if 2 * sum(name.endswith(":") for name in names) > len(full):
        return True
    if any(len(filled(row)) > 2 for row in full) or len(full) <= _MIN_KINDS:
        return False
    cells = [cell for row in full for cell in row[1:2] if cell]
    kinds = Counter(map(_shape, cells))
    values = sum(map(is_value, cells))
    if cells and not is_value(cells[0]) and 3 * values >= 2 * (len(cells) - 1):
        return False  # a name over values
    return (
        len(kinds) >= _MIN_KINDS
        and 2 * kinds.most_common(1)[0][1] <= len(full)
        and 3 * values >= len(full)
        and len(set(names)) == len(full)
        and not any(map(is_value, names))
    )


def _may_be_header(rows: Sequence[Sequence[str]]) -> bool:
    """Can the first row name the columns of the rows below it?"""
    row, below = rows[0], rows[1 : 1 + _COMPARED_ROWS]
    if len(filled(row)) < 2:
        return False
    numbers = [
        column
        for column, cell in enumerate(row)
        if cell and is_value(cell) and (not column or row[column - 1] != cell)  # merged once
    ]
    if any(_is_like(cell, column, below) for column, cell in enumerate(row)):
        return False
    if not numbers:
        return True
    if len({row[column] for column in numbers}) < len(numbers):
        return False
    if not any(cell and not is_value(cell) for cell in row) and row[0]:
        return False
    return _is_sequence([row[column] for column in numbers]) or all(
        _differs(row[column], column, below) for column in numbers
    )


def _is_lower_header(rows: Sequence[Sequence[str]], number: int) -> bool:
    """Does row `number` name the parts of merged cells in the header row above it?"""
    above, row, below = rows[number - 1], rows[number], rows[number + 1 :][:_COMPARED_ROWS]
    spans = list(_spans(above, row))
    inside = {column for start, end in spans for column in range(start, end)}
    divided = False
    for start, end in spans:
        parts = [name for name, _ in groupby(filled(row[start:end]))]
        divided = divided or len(parts) == len(set(parts)) > 1
        numbers = [column for column in range(start, end) if is_value(_cell(row, column))]
        if numbers and not (
            _is_sequence([row[column] for column in numbers])
            or all(_differs(row[column], column, below) for column in numbers)
        ):
            return False
    same = differing = 0
    for column, cell in enumerate(row):
        if cell and column not in inside:
            if is_value(cell) and not _differs(cell, column, below):
                return False
            same += cell == _cell(above, column)
            differing += bool(_cell(above, column)) and cell != _cell(above, column)
    if divided and (same > 0 or not differing):
        return True
    return same > 0 and bool(row[0]) and row[0] == above[0] and _is_over_values(above, row, below)


def _is_over_values(
    above: Sequence[str], row: Sequence[str], below: Sequence[Sequence[str]]
) -> bool:
    """Has the row no value, and another text than the row above it over a column of values?"""
    if any(map(is_value, row)):
        return False
    for column, cell in enumerate(row):
        if cell and cell != _cell(above, column):
            values = [is_value(r[column]) for r in below if _cell(r, column)]
            if values and 2 * sum(values) > len(values):
                return True
    return False


def _spans(above: Sequence[str], row: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the columns, start and end, of each merged cell of a row of headers.

    A merged cell is the same name in neighbouring columns, or a name and the gaps on its right
    under which the next row has a cell.
    """
    start = 0
    while start < len(above):
        end = start + 1
        if above[start]:
            while end < len(row) and (
                _cell(above, end) == above[start] or (not _cell(above, end) and row[end])
            ):
                end += 1
            if end > start + 1:
                yield start, end
        start = end


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _shape(cell: str) -> str:
    """Return the kind of a cell: its words, or its form with 9 for digits and a for letters."""
    if not is_value(cell) and not any(character.isdigit() for character in cell):
        return "words"
    return _LETTERS.sub("a", _DIGITS.sub("9", cell))


def _differs(cell: str, column: int, below: Sequence[Sequence[str]]) -> bool:
    """Is a number in a header of another kind than most cells below it, which are of one kind?"""
    kinds = Counter(_form(row[column]) for row in below if _cell(row, column))
    if not kinds:
        return bool(below)
    kind, count = kinds.most_common(1)[0]
    return _form(cell) not in kinds and count > 1 and 2 * count >= kinds.total() and bool(kind)


def _is_like(cell: str, column: int, below: Sequence[Sequence[str]]) -> bool:
    """Is a text with digits of the same form as most cells below it, such as "8 to 20"?"""
    if is_value(cell) or not any(map(str.isdigit, cell)):
        return False
    kinds = Counter(_shape(row[column]) for row in below if _cell(row, column))
    return 2 * kinds[_shape(cell)] > kinds.total()


def _form(cell: str) -> str:
    """Return the shape of a cell, in which a year and a decimal differ from other numbers."""
    if re.fullmatch(r"(?:1[5-9]|20)\d\d", cell):
        return "year"
    shape = _shape(cell)
    return f"{shape}." if shape == "9" and re.search(r"[.,]", cell) else shape


def _is_sequence(cells: Sequence[str]) -> bool:
    """Are they at least three whole numbers in even steps, or two neighbouring years?"""
    if not all(re.fullmatch(r"\d{1,4}", cell) for cell in cells) or len(cells) < 2:
        return False
    steps = {int(after) - int(before) for before, after in pairwise(cells)}
    if len(steps) != 1 or 0 in steps:
        return False
    return len(cells) > 2 or (_form(cells[0]) == _form(cells[1]) == "year" and steps <= {-1, 1})
