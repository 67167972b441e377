"""Puts a reading of a question over a table into words, for a model that reads text.

    Nation: Kenya, if Gold is highest (12). Rank: 1; Nation: Kenya; Gold: 12
    number of rows: 4, if Country is France. 4 of 20 rows

First comes what is read or computed, with its value, then how the rows were chosen, then a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.answer.tables.conditions import Condition
from rag.answer.tables.plans import Plan
from rag.answer.tables.row_sets import RowSet
from rag.answer.tables.rows import Table

#: characters of a cell, of the values of an answer and of a row
_MAX_CELL, _MAX_VALUES, _MAX_ROW = 60, 120, 240
_MAX_SHOWN = 5  #: values of an answer
_COMPUTED = {
    "count": "number of rows",
    "count difference": "difference of the numbers of rows",
    "distinct": "number of different values of {name}",
    "sum": "sum of {name}",
    "average": "average {name}",
    "difference": "difference of {name}",
    "range": "largest less smallest {name}",
}
_OF_COLUMN = {  #: values of `RowSet.derived` that are about a column
    "max": "{name} is highest",
    "min": "{name} is lowest",
    "nth max": "{name} is the next highest",
    "nth min": "{name} is the next lowest",
    "up": "{name} is next higher",
    "down": "{name} is next lower",
    "same": "{name} is the same",
    "most": "{name} has most rows",
    "fewest": "{name} has fewest rows",
}
_OF_PLACE = {
    "first": "first row",
    "last": "last row",
    "nth first": "row of that place",
    "nth last": "row of that place from the end",
    "next": "the row after",
    "previous": "the row before",
    "all after": "all rows after",
    "all before": "all rows before",
    "between": "rows between",
}
_KINDS = {"length": "length of time", "items": "number of items", "margin": "margin"}


def reading_in_words(plan: Plan, table: Table) -> str:
    """Return the text of a reading, at most some 600 characters."""
    name = _name(table, plan.column)
    if plan.operation in ("cell", "groups"):
        values = dict.fromkeys(_short(table.rows[row][plan.column]) for row in plan.cells)
        shown = "; ".join(list(values)[:_MAX_SHOWN])[:_MAX_VALUES]
        answer = f"{name}: {shown}" + (f" ({len(values)} values)" if len(values) > 1 else "")
    else:
        answer = f"{_COMPUTED[plan.operation].format(name=name)}: {plan.value:.10g}"
    how = ", ".join(_how(plan.chosen, table)) or "all rows"
    rows = plan.cells or plan.chosen.rows
    row = _row(table, rows[0]) if len(rows) == 1 else f"{len(rows)} of {len(table.rows)} rows"
    return f"{answer}, if {how}. {row}"


def _how(chosen: RowSet, table: Table) -> Iterator[str]:
    """How rows were chosen, each step in words."""
    negated = chosen.chosen.startswith("not")
    for number, condition in enumerate(chosen.conditions):
        joined = "or " if number and chosen.chosen.startswith("or") else ""
        yield joined + _condition(condition, table, negated)
    name = _name(table, chosen.column)
    if chosen.chosen == "top":
        yield f"the first {len(chosen.rows)} rows"
    if "limit" in chosen.chosen:
        yield f"{name} is {'not ' if negated else ''}within the limit"
    elif chosen.chosen in ("above", "below"):
        yield f"{name} is {chosen.chosen} that"
    if chosen.derived in _OF_COLUMN:
        value = ""
        if chosen.rows and 0 <= chosen.column < len(table.headers):
            value = f" ({_short(table.rows[chosen.rows[0]][chosen.column])})"
        yield _OF_COLUMN[chosen.derived].format(name=name) + value
    elif chosen.derived:
        yield _OF_PLACE[chosen.derived]


def _condition(condition: Condition, table: Table, negated: bool) -> str:
    verb = ("is" if condition.whole else "has") + (" not" if negated else "")
    value = _short(table.rows[condition.rows[0]][condition.column])
    return f"{_name(table, condition.column)} {verb} {value}"


def _name(table: Table, column: int) -> str:
    """The name of a column; what is computed of columns is named by its kind."""
    if column < 0:
        return ""
    if column < len(table.headers):
        return _short(table.headers[column]) or f"column {column + 1}"
    return _KINDS[table.columns[column].kind]


def _row(table: Table, row: int) -> str:
    cells = zip(table.headers, table.rows[row], strict=True)
    return "; ".join(f"{_short(name)}: {_short(cell)}" for name, cell in cells if cell)[:_MAX_ROW]


def _short(text: str) -> str:
    """A cell on one line, cut."""
    return " ".join(text[: 2 * _MAX_CELL].split())[:_MAX_CELL]
