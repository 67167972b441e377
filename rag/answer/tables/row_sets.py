"""Selects rows of a table: largest or smallest, next or previous, of the same or of two values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rag.answer.tables.conditions import Condition
from rag.answer.tables.rows import Table

#: places in an order, by their words
ORDINALS = {w: n for n, w in enumerate("second third fourth fifth sixth seventh eighth".split(), 2)}
ORDINALS |= {"2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
#: values of `RowSet.derived` of rows that need not have the values which the question names
BESIDE = frozenset("next previous up down same".split()) | {"all after", "all before", "between"}


@dataclass(frozen=True, slots=True)
class RowSet:
    """Rows, as indices into `Table.rows`, and how they were chosen."""

    rows: tuple[int, ...]
    #: the rows before `derived`: "all", "top", a letter for each condition ("c" for a whole cell,
    #: "p" for part of one; "ccc" for any three), "limit", "not …", "or" (two values), "or c",
    #: "two", "within", "above", "below"
    chosen: str
    conditions: tuple[Condition, ...] = ()
    #: what was taken of them: "max", "min", "first", "last" (also "nth …"), one of `BESIDE`,
    #: "most" or "fewest" (of a group); "" for all
    derived: str = ""
    column: int = -1  #: that of the extreme, the common value or the limit; -1 if there is none

    @property
    def places(self) -> frozenset[int]:
        """The positions of the question's words that the conditions use."""
        return frozenset[int]().union(*(c.places for c in self.conditions))


def unions(conditions: Sequence[Condition]) -> Iterator[RowSet]:
    """Yield the rows of two values of one column that are offered for a choice."""
    for one, other in combinations(conditions, 2):
        if one.column == other.column and not one.places & other.places:
            rows = tuple(sorted({*one.rows, *other.rows}))
            yield RowSet(rows, "or", (one, other))
            for third in conditions:
                inside = set(third.rows)
                if third.column != one.column and not third.places & (one.places | other.places):
                    kept = tuple(row for row in rows if row in inside)
                    if kept:
                        yield RowSet(kept, "or c", (one, other, third))


def extremes(table: Table, base: RowSet, order: int) -> Iterator[RowSet]:
    """Yield the first, last, highest and lowest rows, and those of place `order` if it is not 0."""
    yield replace(base, rows=base.rows[:1], derived="first")
    yield replace(base, rows=base.rows[-1:], derived="last")
    if order and len(base.rows) >= order:
        yield replace(base, rows=(base.rows[order - 1],), derived="nth first")
        yield replace(base, rows=(base.rows[-order],), derived="nth last")
    for at, column in enumerate(table.columns):
        if column.kind == "text":
            continue
        there = [(column.values[row], row) for row in base.rows if column.values[row] is not None]
        values = sorted({value for value, _ in there if value is not None})
        if len(values) < 2:
            continue
        ends = [("max", values[-1]), ("min", values[0])]
        if order and len(values) >= order:
            ends += [("nth max", values[-order]), ("nth min", values[order - 1])]
        for name, end in ends:
            rows = tuple(row for value, row in there if value == end)
            yield replace(base, rows=rows, derived=name, column=at)


def neighbours(table: Table, base: RowSet) -> Iterator[RowSet]:
    """Yield the row after and before others, and all rows after and before them."""
    first, last, end = base.rows[0], base.rows[-1], len(table.rows)
    if last + 1 < end:
        yield replace(base, rows=(last + 1,), derived="next")
        yield replace(base, rows=tuple(range(last + 1, end)), derived="all after")
    if first:
        yield replace(base, rows=(first - 1,), derived="previous")
        yield replace(base, rows=tuple(range(first)), derived="all before")


def with_same_value(table: Table, base: RowSet) -> Iterator[RowSet]:
    """Yield the other rows that share a value with one row."""
    (row,) = base.rows
    for column in range(len(table.headers)):
        value = table.stems[row][column]
        if not value or column == base.conditions[0].column:
            continue
        rows = tuple(
            r for r, cells in enumerate(table.stems) if cells[column] == value and r != row
        )
        if rows and len(rows) < 20:
            yield replace(base, rows=rows, derived="same", column=column)


def neighbours_by_value(table: Table, base: RowSet) -> Iterator[RowSet]:
    """Yield the rows with the next higher and the next lower number or date of a column."""
    for at, column in enumerate(table.columns[: len(table.headers)]):
        own = [v for row in base.rows if (v := column.values[row]) is not None]
        if column.kind not in ("number", "date") or not own:
            continue
        for name, sign, end in (("up", 1, max(own)), ("down", -1, -min(own))):
            beyond = [
                (sign * value, row)
                for row, value in enumerate(column.values)
                if value is not None and sign * value > end and row not in table.totals
            ]
            if beyond:
                nearest = min(beyond)[0]
                rows = tuple(row for value, row in beyond if value == nearest)
                yield replace(base, rows=rows, derived=name, column=at)


def neighbours_within(one: Condition, other: Condition) -> Iterator[RowSet]:
    """Yield the next and the previous row that has one value, seen from the rows of another."""
    for start, wanted in ((one, other), (other, one)):
        after = [row for row in wanted.rows if row > start.rows[-1]]
        before = [row for row in wanted.rows if row < start.rows[0]]
        for name, rows in (("next", after[:1]), ("previous", before[-1:])):
            if rows:
                yield RowSet(tuple(rows), "within", (start, wanted), name)


def rows_between(one: Condition, other: Condition) -> Iterator[RowSet]:
    """Yield the rows between two that are named, without these."""
    if len(one.rows) == len(other.rows) == 1 and not one.places & other.places:
        first, last = sorted((one.rows[0], other.rows[0]))
        if last > first + 1:
            yield RowSet(tuple(range(first + 1, last)), "within", (one, other), "between")
