"""Computes features of the question's words that name the columns and cells of a computation.

They say which words stand before and behind the value of a condition, the name of the column that
is read, and that of the column that is ordered by ("*after* the open", "the most *gold*"). They
also say what order the values of a column have: the first row and the highest rank often differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.answer.tables.plans import Plan
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import RowSet
from rag.answer.tables.rows import Table

_MAX_CONDITIONS = 3
_MIN_BEGINNING = 3  #: letters of a word that another one begins with
_FAR = 4  #: words between two places; a larger distance counts as this one


class PlaceFeatures:
    """The features of one question over one table that places and orders of columns give."""

    def __init__(
        self, asked: TableQuestion, table: Table, in_header: Sequence[frozenset[int]]
    ) -> None:
        """`in_header` has for each column the places of the words of its name."""
        self._asked, self._table, self._in_header = asked, table, in_header
        self._near = [_near_places(asked, column.stems) for column in table.columns]
        self._words = ("^", "^", *asked.words, "$", "$")
        self._roles = [column_role(table, at) for at in range(len(table.columns))]
        self._orders = [at for at in range(len(asked.words)) if asked.is_superlative(at)]
        self._plural = bool(asked.head) and asked.words[asked.head[-1]].endswith("s")
        self._columns = dict[tuple[object, ...], tuple[str, ...]]()

    def of_rows(self, chosen: RowSet) -> Iterator[str]:
        """Yield the features of how rows were chosen."""
        name = chosen.derived or chosen.chosen
        for condition in chosen.conditions[:_MAX_CONDITIONS]:
            yield from self._beside("condition", condition.places, name)
        if chosen.column < 0:
            return
        role = self._roles[chosen.column]
        yield f"order role {name}:{role}"
        for at in self._orders[:_MAX_CONDITIONS]:
            yield f"order role {self._asked.words[at]}:{name}:{role}"
        named = self._in_header[chosen.column] - chosen.places
        yield from self._rivals("order", chosen.column, chosen.places, name)
        if named:
            yield from self._beside("order", named, name)
            yield f"order gap {name}:{self._gap(named)}"

    def of_column(self, plan: Plan) -> tuple[str, ...]:
        """Return the features of the column that is read, beside how its rows were chosen."""
        chosen = plan.chosen
        key = plan.column, chosen.places, chosen.derived, plan.operation
        if key not in self._columns:
            self._columns[key] = tuple(self._read_column(plan))
        return self._columns[key]

    def of_answer(self, plan: Plan) -> str:
        """Return how the number of cells fits the noun that is asked for."""
        return f"cells {min(2, len(plan.cells))}:plural {self._plural}:{self._asked.asking}"

    def _read_column(self, plan: Plan) -> Iterator[str]:
        chosen, role = plan.chosen, self._roles[plan.column]
        yield f"column role {self._asked.asking}:{role}"
        yield f"column role {plan.operation}:{chosen.derived}:{role}"
        yield from self._rivals("column", plan.column, chosen.places, plan.operation)
        named = self._in_header[plan.column] - chosen.places
        if not named:
            return
        yield from self._beside("column", named, plan.operation)
        yield f"column place {min(5, min(named))}:{plan.operation}:{chosen.derived}"
        yield f"column gap {chosen.derived}:{self._gap(named)}"
        if chosen.places:
            yield f"column first {chosen.derived}:{min(named) < min(chosen.places)}"

    def _rivals(self, what: str, at: int, taken: frozenset[int], name: str) -> Iterator[str]:
        """How many words of its name the question has, beside those of the other columns."""
        own = len(self._in_header[at] - taken)
        most = max(len(places - taken) for places in self._in_header)
        stems = len(self._table.columns[at].stems)
        yield f"{what} named as {min(2, own)}:{min(2, most - own)}"
        yield f"{what} named as {min(2, own)}:{min(2, most - own)}:{name}"
        yield f"{what} has more words {bool(own) and min(2, stems - own)}"
        if near := self._near[at] - taken - self._in_header[at]:
            yield f"{what} near {bool(own)}:{min(2, len(near))}:{most > 0}"

    def _beside(self, what: str, places: frozenset[int], name: str) -> Iterator[str]:
        """The words beside places of the question."""
        words, start, end = self._words, min(places) + 2, max(places) + 2
        yield f"before {what} {words[start - 1]}:{name}"
        yield f"before {what} {words[start - 2]} {words[start - 1]}:{name}"
        yield f"behind {what} {words[end + 1]}:{name}"

    def _gap(self, places: frozenset[int]) -> int:
        """By how many words a place is behind the nearest word that orders; negative if before it.

        At most `_FAR` either way; `_FAR` + 1 if no word orders.
        """
        gaps = [place - at for place in places for at in self._orders]
        return max(-_FAR, min(_FAR, min(gaps, key=abs))) if gaps else _FAR + 1


def _near_places(asked: TableQuestion, names: frozenset[str]) -> frozenset[int]:
    """Places of words that begin as a word of a name does, or the other way round."""
    return frozenset(
        at
        for at in asked.content
        for name in names
        if len(own := asked.stems[at]) >= _MIN_BEGINNING <= len(name)
        and (own.startswith(name) or name.startswith(own))
    )


def column_role(table: Table, at: int) -> str:
    """Return the order of the values of a column, and whether any of them is repeated."""
    column, rows = table.columns[at], [r for r in range(len(table.rows)) if r not in table.totals]
    if column.kind == "text":
        cells = [table.rows[row][at].strip() for row in rows]
        return "text once" if len(set(cells)) == len(cells) else "text again"
    values = [value for row in rows if (value := column.values[row]) is not None]
    return f"{column.kind} {_order_of(values)}"


def _order_of(values: Sequence[float]) -> str:
    if values == [float(n) for n in range(1, len(values) + 1)]:
        return "counts"
    once = "once" if len(set(values)) == len(values) else "again"
    if values == sorted(values):
        return f"rises {once}"
    return f"falls {once}" if values == sorted(values, reverse=True) else once
