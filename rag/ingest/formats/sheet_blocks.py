"""Divides a sheet into its tables: by blank rows, and by blank columns between tables side by side.

A sheet of a person holds more than one table: titles, two tables below or beside each other, notes.
Rows after a blank row go on with the table above if they fit its columns and have no header of
their own; a single cell right before them is their label, such as "Drinks" in a price list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import Filled, NumberedRow, add_table
from rag.text.header_rows import count_header_rows, filled, is_value

#: characters of a line that may be the title of the table below it
_MAX_TITLE_CHARS = 200
#: filled columns from which the part of a block beside a blank column is a table of its own
_MIN_COLUMNS = 2

Block = list[NumberedRow]
_NO_ROW = NumberedRow(0)


def add_sheet(lines: LineBuilder, rows: Iterable[NumberedRow]) -> None:
    """Add the tables of a sheet. `rows` are in order; those left out or empty divide blocks."""
    parts = (part for block in _blocks(rows) for part in _side_by_side(block))
    table = Block()
    for table in _joined(parts):
        add_table(lines, _released(table))
        lines.add()
    if not table:
        lines.add()


def add_records(lines: LineBuilder, records: Iterable[Sequence[str]]) -> None:
    """Add the tables of a text file, a line for each of its records, empty ones too."""
    numbered = (NumberedRow(number, record) for number, record in enumerate(records, 1))
    written = 0
    for table in _joined(_blocks(numbered), keep_gaps=True):
        for _ in range(written + 1, table[0].number):
            lines.add()
        written = max(row.number for row in table[-1:])
        add_table(lines, (list(row) for row in _released(table)))


def _released(table: Block) -> Iterator[NumberedRow]:
    """Yield the rows of a table and free each: a large one is not held twice."""
    for number, row in enumerate(table):
        table[number] = _NO_ROW
        yield row


def _blocks(rows: Iterable[NumberedRow]) -> Iterator[Block]:
    """Yield the runs of rows that are not empty."""
    block, last = Block(), 0
    for row in rows:
        if not any(row):
            continue
        if block and row.number > last + 1:
            yield block
            block = Block()
        block.append(row)
        last = row.number
    if block:
        yield block


def _side_by_side(block: Block) -> Iterator[Block]:
    """Yield the tables of a block that stand beside each other, without the columns around them."""
    width = max(map(len, block))
    used = bytearray(width)
    for row in block:
        for column, cell in enumerate(row):
            if cell and not isinstance(cell, Filled):
                used[column] = 1
    runs = list[tuple[int, int]]()
    start = 0
    for is_used, group in groupby(used):
        end = start + len(list(group))
        if is_used:
            runs.append((start, end))
        start = end
    if len(runs) > 1 and all(end - start >= _MIN_COLUMNS for start, end in runs):
        for start, end in runs:
            yield [NumberedRow(row.number, part) for row in block if any(part := row[start:end])]
    else:
        begin, end = runs[0][0], runs[-1][1]
        yield [NumberedRow(row.number, row[begin:end]) for row in block]


def _joined(parts: Iterable[Block], keep_gaps: bool = False) -> Iterator[Block]:
    """Yield the tables, each with the titles before it and the parts that go on with it.

    The blank rows between the parts of a table are one, or all of them with `keep_gaps`.
    """
    table, titles = Block(), Block()
    for part in parts:
        lead = _count_titles(part)
        if lead == len(part) and all(len(filled(row)[0]) <= _MAX_TITLE_CHARS for row in part):
            titles = _with_gap(titles, part, keep_gaps)
            continue
        rest = part[lead:]
        part, titles = _with_gap(titles, part, keep_gaps), Block()
        if table and _goes_on(table, rest):
            labels = [_as_label(row) for row in part[: len(part) - len(rest)]]
            table = _with_gap(table, [*labels, *rest], keep_gaps)
        else:
            if table:
                yield table
            table = part
    if table:
        yield table
    if titles:
        yield titles


def _with_gap(table: Block, rows: Block, keep_gaps: bool) -> Block:
    """Add `rows` to `table`, after as many empty rows as lie between them, or one."""
    if table:
        last = next(row.number for row in reversed(table) if row.number)
        gap = rows[0].number - last - 1 if keep_gaps else 1
        table += [NumberedRow(0)] * gap
    table += rows
    return table


def _count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows with a single text lie before the first other row."""
    return next((n for n, row in enumerate(rows) if len(set(filled(row))) > 1), len(rows))


def _as_label(row: NumberedRow) -> NumberedRow:
    if not row:
        return row
    text = filled(row)[0]
    return NumberedRow(row.number, [text, Filled(text)])


def _goes_on(table: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> bool:
    """Are `rows` further rows of `table`: as wide, and without other headers of their own?"""
    begin = _count_titles(table)
    first = table[begin : begin + 16]
    depth = count_header_rows(first)
    if not rows or not depth or len(rows[0]) != len(first[0]):
        return False
    return rows[0] in first[:depth] or not _has_own_header(rows[:16])


def _has_own_header(rows: Sequence[Sequence[str]]) -> bool:
    """Has the first row names over columns of values?"""
    depth = count_header_rows(rows)
    names, below = rows[max(0, depth - 1)], rows[depth:]
    for column, name in enumerate(names if depth else ()):
        cells = [row[column] for row in below if column < len(row) and row[column]]
        if name and not is_value(name) and 2 * sum(map(is_value, cells)) > len(cells):
            return True
    return False
