"""Ways to read a question over one table: which rows, which operation, which column.

Rows are chosen by what the question names (a value of a cell, a limit on a number), then by an
extreme, a neighbour or a common value. Of the chosen rows a column is read, or they are counted,
added, averaged or compared. `make_plans` lists the readings that the words of the question allow;
which of them is meant is decided by `rag.answer.tables.choice`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rag.answer.tables.conditions import Condition, find_conditions
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import (
    BESIDE,
    ORDINALS,
    RowSet,
    extremes,
    neighbours,
    neighbours_by_value,
    neighbours_within,
    rows_between,
    unions,
    with_same_value,
)
from rag.answer.tables.rows import Table, is_empty

#: readings of cells from which no more sets of rows are read
_MAX_PLANS = 4000
#: distinct values of a column whose rows are counted value by value
_MAX_GROUPS = 2000
#: how rows are derived that may be counted
_COUNTED = ("", "same", "all after", "all before", "between")
#: limits whose other rows are looked at
_MAX_NEGATED = 6
#: cells (rows times columns) of the sets of one kind that are looked at for one question
_MAX_LOOKED_AT = 2_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One reading of the question: the rows, the operation and the column."""

    #: "cell" and "groups" read cells; "count", "distinct" (values), "sum", "average", "difference"
    #: (of two rows), "range" (largest less smallest) and "count difference" compute a number
    operation: str
    chosen: RowSet
    column: int = -1  #: that is read or computed with; -1 if rows are counted
    value: float | None = None  #: the number of a computed answer; None for cells
    cells: tuple[int, ...] = ()  #: rows whose cell in `column` is the answer


def make_plans(asked: TableQuestion, table: Table) -> list[Plan]:
    """Return the readings of the question, at most `_MAX_PLANS` + 1000; [] without rows.

    Readings of cells come first, then those that compute a number, then those of groups.
    """
    if not table.rows or not table.headers:
        return []
    if len(table.totals) == len(table.rows):
        return []
    conditions = find_conditions(asked, table)
    base = _affordable(_base_sets(asked, table, conditions), table)
    sets = [*base, *_affordable(_derived_sets(asked, table, base, conditions), table)]
    plans = list[Plan]()
    for row_set in sets:
        plans += _cell_plans(table, row_set)
        if len(plans) > _MAX_PLANS:
            break
    sums = [s for s in unions(conditions) if s.chosen == "or"] if asked.adds_named else []
    plans += _computed_plans(asked, table, [*sets, *_affordable(sums, table)])
    plans += _compared_plans(asked, table, base, conditions)
    plans += _group_plans(asked, table, base)
    return plans[: _MAX_PLANS + 1000]


# -- sets of rows


def _affordable(sets: Iterable[RowSet], table: Table) -> list[RowSet]:
    """Return the sets in order, without those that would be too much to look at."""
    kept, left = list[RowSet](), _MAX_LOOKED_AT
    for row_set in sets:
        cells = len(row_set.rows) * len(table.columns)
        if cells <= left:
            kept.append(row_set)
            left -= cells
    return kept


def _base_sets(
    asked: TableQuestion, table: Table, conditions: Sequence[Condition]
) -> Iterator[RowSet]:
    every = tuple(row for row in range(len(table.rows)) if row not in table.totals)
    yield RowSet(every, "all")
    single = [RowSet(c.rows, "c" if c.whole else "p", (c,)) for c in conditions]
    yield from single
    pairs = list(_pairs(conditions))
    yield from pairs[:12]
    yield from _triples(pairs, conditions)
    limited = list(_limited(asked, table, RowSet(every, "all")))
    yield from limited
    for row_set in single[:4]:
        yield from _limited(asked, table, row_set)
    if 1 < asked.top < len(every):
        yield RowSet(every[: asked.top], "top")
    if "than" in asked.words:
        for row_set in single[:4]:
            yield from _beyond(table, row_set)
    if asked.excludes:
        for row_set in single[:5]:
            inside = set(row_set.rows)
            rows = tuple(row for row in every if row not in inside)
            yield replace(row_set, rows=rows, chosen="not " + row_set.chosen)
        for row_set in limited[:_MAX_NEGATED]:
            inside = set(row_set.rows)
            rows = tuple(row for row in every if row not in inside)
            yield replace(row_set, rows=rows, chosen="not limit")
        for one, other in combinations(single[:5], 2):
            rows = tuple(sorted(set(one.rows) - set(other.rows)))
            if rows and len(rows) < len(one.rows):
                both = one.conditions + other.conditions
                yield RowSet(rows, one.chosen + " not " + other.chosen, both)


def _pairs(conditions: Sequence[Condition]) -> Iterator[RowSet]:
    for one, other in combinations(conditions, 2):
        if one.column == other.column or one.places & other.places:
            continue
        inside = set(other.rows)
        rows = tuple(row for row in one.rows if row in inside)
        if rows:
            chosen = "".join(sorted("c" if c.whole else "p" for c in (one, other)))
            yield RowSet(rows, chosen, (one, other))


def _triples(pairs: Sequence[RowSet], conditions: Sequence[Condition]) -> Iterator[RowSet]:
    seen = set[frozenset[int]]()
    for pair in pairs[:6]:
        used = pair.places
        for third in conditions:
            if third.places & used or third.column in {c.column for c in pair.conditions}:
                continue
            inside = set(third.rows)
            rows = tuple(row for row in pair.rows if row in inside)
            key = used | third.places
            if rows and key not in seen:
                seen.add(key)
                yield RowSet(rows, "ccc", (*pair.conditions, third))


def _limited(asked: TableQuestion, table: Table, base: RowSet) -> Iterator[RowSet]:
    for limit in asked.limits:
        for at, column in enumerate(table.columns):
            if column.kind == "text":
                continue
            rows = tuple(
                row
                for row in base.rows
                if (value := column.values[row]) is not None and limit.holds(value)
            )
            if rows and len(rows) < len(base.rows):
                chosen = "limit" if base.chosen == "all" else "limit " + base.chosen
                yield replace(base, rows=rows, chosen=chosen, column=at)


def _beyond(table: Table, base: RowSet) -> Iterator[RowSet]:
    """The rows whose value in a column is above or below that of a row that is named."""
    if len(base.rows) != 1:
        return
    for at, column in enumerate(table.columns):
        own = column.values[base.rows[0]]
        if own is None or at == base.conditions[0].column:
            continue
        there = [
            (value, row)
            for row, value in enumerate(column.values)
            if value is not None and row not in table.totals
        ]
        above = tuple(row for value, row in there if value > own)
        below = tuple(row for value, row in there if value < own)
        for name, rows in (("above", above), ("below", below)):
            if rows:
                yield replace(base, rows=rows, chosen=name, column=at)


def _derived_sets(
    asked: TableQuestion,
    table: Table,
    base: Sequence[RowSet],
    conditions: Sequence[Condition],
) -> Iterator[RowSet]:
    offered = _affordable(unions(conditions), table) if asked.offers else []
    yield from (row_set for row_set in offered if row_set.chosen == "or c")
    order = 2 if asked.before_last else next((ORDINALS[w] for w in asked.words if w in ORDINALS), 0)
    for row_set in [*base, *offered]:
        beyond = asked.neighbour and row_set.chosen.startswith("limit")
        if len(row_set.rows) > 1 and (asked.superlative or beyond):
            yield from extremes(table, row_set, order)
    if asked.neighbour:
        yield from _neighbours(table, base, conditions)
    if "between" in asked.words:
        for one, other in combinations(conditions[:6], 2):
            yield from rows_between(one, other)
    if asked.wants_same:
        for row_set in base:
            if row_set.chosen in ("c", "p") and len(row_set.rows) == 1:
                yield from with_same_value(table, row_set)


def _neighbours(
    table: Table, base: Sequence[RowSet], conditions: Sequence[Condition]
) -> Iterator[RowSet]:
    for row_set in base:
        if row_set.chosen in ("c", "p", "cc", "cp", "pp"):
            yield from neighbours(table, row_set)
            yield from neighbours_by_value(table, row_set)
    for one, other in combinations(conditions[:6], 2):
        if not one.places & other.places:
            yield from neighbours_within(one, other)


# -- what is read of the rows


def _cell_plans(table: Table, chosen: RowSet) -> Iterator[Plan]:
    if len(chosen.rows) > 40:
        return
    lacks_values = (  # the rows need not have the values of the conditions
        chosen.chosen.startswith(("or", "not"))
        or chosen.chosen in ("above", "below")
        or chosen.derived in BESIDE
    )
    given = set[int]() if lacks_values else {c.column for c in chosen.conditions if c.whole}
    for column in range(len(table.headers)):
        if column in given:
            continue
        seen, cells = set[str](), list[int]()
        for row in chosen.rows:
            cell = table.rows[row][column].strip()
            if cell and cell not in seen:
                seen.add(cell)
                cells.append(row)
        if cells and len(cells) <= 12:
            yield Plan("cell", chosen, column, None, tuple(cells))


def counts_rows(asked: TableQuestion, table: Table) -> bool:
    """Tell whether counted rows may answer: not if the numbers of a column are asked for.

    "How many beds are there" over a column Beds of numbers asks for their sum, and "how much" asks
    for no count. A column that numbers the rows, or gives their years, is not added up.
    """
    numbers = [
        column
        for column in table.columns[: len(table.headers)]
        if column.kind == "number" and _are_amounts(column.values)
    ]
    if asked.asking == "how much":
        return not numbers
    return not any(asked.counted in column.stems for column in numbers)


def _are_amounts(values: Sequence[float | None]) -> bool:
    there = [value for value in values if value is not None]
    numbered = there == [there[0] + n for n in range(len(there))] if there else True
    years = all(1000 <= value < 2200 and value == int(value) for value in there)
    return not numbered and not years


def _computed_plans(asked: TableQuestion, table: Table, sets: Sequence[RowSet]) -> Iterator[Plan]:
    counts = asked.counts and counts_rows(asked, table)
    for chosen in sets:
        if counts and chosen.derived in _COUNTED:
            yield Plan("count", chosen, -1, float(len(chosen.rows)))
            if len(chosen.rows) <= 2000:
                yield from _distinct(table, chosen)
        if chosen.derived:
            continue
        for name, wanted in (("sum", asked.adds), ("average", asked.averages)):
            if not wanted or len(chosen.rows) < 2:
                continue
            for at, column in enumerate(table.columns[: len(table.headers)]):
                values = [v for row in chosen.rows if (v := column.values[row]) is not None]
                if column.kind == "number" and len(values) > 1:
                    value = sum(values) / (len(values) if name == "average" else 1)
                    yield Plan(name, chosen, at, value)


def _distinct(table: Table, chosen: RowSet) -> Iterator[Plan]:
    for column in range(len(table.headers)):
        values = {table.stems[row][column] for row in chosen.rows}
        if 1 < len(values) < len(chosen.rows):
            yield Plan("distinct", chosen, column, float(len(values)))


def _compared_plans(
    asked: TableQuestion,
    table: Table,
    base: Sequence[RowSet],
    conditions: Sequence[Condition],
) -> Iterator[Plan]:
    if not asked.subtracts:
        return
    for one, other in combinations(conditions, 2):
        if one.places & other.places:
            continue
        rows = tuple(sorted({one.rows[0], other.rows[0]}))
        both = RowSet(rows, "two", (one, other))
        if len(one.rows) == len(other.rows) == 1 and len(rows) == 2:
            yield from _differences(table, both)
        elif one.column == other.column:
            value = float(abs(len(one.rows) - len(other.rows)))
            every = tuple(sorted({*one.rows, *other.rows}))
            yield Plan("count difference", replace(both, rows=every), -1, value)
    for row_set in base:
        if row_set.chosen in ("all", "c", "p") and len(row_set.rows) > 1 and asked.superlative:
            for at, column in enumerate(table.columns[: len(table.headers)]):
                there = [v for row in row_set.rows if (v := column.values[row]) is not None]
                if column.kind == "number" and len(there) > 1:
                    yield Plan("range", row_set, at, max(there) - min(there))


def _differences(table: Table, both: RowSet) -> Iterator[Plan]:
    for at, column in enumerate(table.columns[: len(table.headers)]):
        one, other = (column.values[row] for row in both.rows)
        if column.kind == "number" and one is not None and other is not None:
            yield Plan("difference", both, at, abs(one - other))


def _group_plans(asked: TableQuestion, table: Table, base: Sequence[RowSet]) -> Iterator[Plan]:
    """The values that most or fewest rows have."""
    if not asked.superlative:
        return
    every = list(base)
    if asked.offers:
        every += [RowSet(s.rows, "or", s.conditions) for s in unions(_conditions(base))]
    for chosen in _affordable(every, table):
        if chosen.chosen not in ("all", "c", "p", "or", "limit"):
            continue
        for column in range(len(table.headers)):
            groups = defaultdict[tuple[str, ...], list[int]](list)
            for row in chosen.rows:
                if not is_empty(table.rows[row][column]):
                    groups[table.stems[row][column]].append(row)
            counts = Counter({value: len(rows) for value, rows in groups.items()})
            if not 1 < len(counts) <= _MAX_GROUPS or max(counts.values()) == 1:
                continue
            for name, end in (("most", max(counts.values())), ("fewest", min(counts.values()))):
                rows = tuple(groups[value][0] for value, count in counts.items() if count == end)
                if len(rows) <= 3:
                    row_set = replace(chosen, derived=name, column=column)
                    yield Plan("groups", row_set, column, None, rows)


def _conditions(base: Sequence[RowSet]) -> list[Condition]:
    return [s.conditions[0] for s in base if s.chosen in ("c", "p")]
