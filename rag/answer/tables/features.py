"""Computes the features by which one of the possible computations for a table question is chosen.

They say what operation a reading has, which words of the question stand beside which operation,
whether the names of the columns that it uses are in the question, how much of the question it
leaves unused, and whether the answer is of the kind that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.answer.field_words import asked_fields
from rag.answer.tables.place_features import PlaceFeatures
from rag.answer.tables.plans import Plan
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import BESIDE, RowSet
from rag.answer.tables.rows import Table, is_empty

#: words of the question that are looked at one by one
_MAX_WORDS = 30
#: stop words and others that are looked at beside the name of the column that is ordered by
_ORDER_WORDS = frozenset(
    "most least more less fewer first last next before after many much long top bottom".split()
)


class PlanFeatures:
    """The features of the readings of one question over one table."""

    def __init__(self, asked: TableQuestion, table: Table, plans: Sequence[Plan]) -> None:
        self._asked, self._table = asked, table
        self._sets = dict[int, tuple[str, ...]]()  # by the id of a `RowSet`, which the plans keep
        self._columns = dict[tuple[int, frozenset[int]], tuple[str, ...]]()
        self._words = dict[str, tuple[str, ...]]()
        fields = asked_fields(asked.question)
        # for each column: does its name answer the wording of the question?
        self._by_wording = [
            any(column.stems & names for _, names in fields) for column in table.columns
        ]
        # for each column: the positions of the content words of the question in its name
        self._in_header = [
            frozenset(at for at in asked.content if asked.stems[at] in column.stems)
            for column in table.columns
        ]
        conditions = {c for plan in plans for c in plan.chosen.conditions}
        # positions of the words that are a whole cell, or of which a cell has several
        self._named = frozenset[int]().union(
            *(c.places for c in conditions if c.whole or len(c.places) > 1)
        )
        self._question_stems = set(asked.stems)
        self._beside = PlaceFeatures(asked, table, self._in_header)

    def of(self, plan: Plan) -> list[str]:
        """Return the features of a reading."""
        chosen = plan.chosen
        key = id(chosen)
        if key not in self._sets:
            self._sets[key] = (*self._set_features(chosen), *self._beside.of_rows(chosen))
        shape = f"{plan.operation}:{chosen.derived or chosen.chosen}"
        features = [f"shape {plan.operation}:{chosen.chosen}:{chosen.derived}"]
        features += self._sets[key]
        if plan.operation != "cell":
            features += [f"{plan.operation} {feature}" for feature in self._sets[key][:4]]
        features += self._word_features(shape)
        if plan.column >= 0:
            of_column = self._column_features(plan.column, chosen.places)
            features += [f"{plan.operation != 'cell'} {feature}" for feature in of_column]
            features += self._pair_features(plan)
            features += self._beside.of_column(plan)
        features += self._answer_features(plan)
        features += self._coverage_features(plan, shape)
        return features

    def used(self, plan: Plan) -> frozenset[int]:
        """Return the places of the question's words that stand in what a reading uses."""
        used = plan.chosen.places
        for column in (plan.column, plan.chosen.column):
            if column >= 0:
                used |= self._in_header[column]
        return used

    def is_named(self, column: int) -> bool:
        """Tell whether the question has words for a column."""
        return column >= 0 and bool(self._in_header[column] or self._by_wording[column])

    # -- rows

    def _set_features(self, chosen: RowSet) -> Iterable[str]:
        asked, table = self._asked, self._table
        places = chosen.places
        yield f"asks {asked.asking}:{chosen.derived or chosen.chosen}"
        if chosen.column >= 0:
            yield from self._order_features(chosen)
        count = len(chosen.rows)
        yield f"rows {'1' if count == 1 else '2+' if count < 6 else 'many'}:{bool(chosen.derived)}"
        for condition in chosen.conditions:
            column = table.columns[condition.column]
            whole = "whole" if condition.whole else "part"
            words = min(4, len(condition.places & asked.content))
            yield f"condition {whole} {words} {column.kind}"
            if all(asked.words[at].isdigit() for at in condition.places):
                yield f"condition number {whole} {column.kind}"
            if condition.places & frozenset(asked.head):
                yield f"condition in head {whole}"
            if any(places_of & condition.places for places_of in self._in_header):
                yield f"condition is header {whole}"
            if self._in_header[condition.column] - condition.places:
                yield "condition header named"
        left = self._named - places
        yield f"named left {min(3, len(left))}:{chosen.derived != ''}"
        if chosen.derived and chosen.derived not in BESIDE:
            yield f"extreme of {chosen.chosen}:{min(3, len(left))}"

    def _order_features(self, chosen: RowSet) -> Iterable[str]:
        """Features of the column by which an extreme or a limit was taken."""
        asked, column = self._asked, self._table.columns[chosen.column]
        name = chosen.derived or "limit"
        named = self._in_header[chosen.column] - chosen.places
        yield f"order {name}:{column.kind}:{bool(named)}"
        is_last = chosen.column == len(self._table.headers) - 1
        yield f"order at {name}:{min(chosen.column, 3)}:{is_last}"
        yield f"order named {min(2, len(named))}:{bool(named & frozenset(asked.head))}"
        if self._by_wording[chosen.column]:
            yield "order by wording"
        for at in range(min(len(asked.words), _MAX_WORDS)):
            if at in asked.content or asked.words[at] in _ORDER_WORDS:
                yield f"order word {asked.words[at]}:{name}"
                yield f"order word {asked.words[at]}:{column.kind}:{name}"
                for stem in column.stems:
                    yield f"order pair {asked.stems[at]}:{stem}"
                    if asked.words[at] in _ORDER_WORDS or asked.words[at].endswith("est"):
                        yield f"order trio {asked.stems[at]}:{stem}:{name}"

    # -- words

    def _word_features(self, shape: str) -> tuple[str, ...]:
        if shape not in self._words:
            words = ["^", *self._asked.words[:_MAX_WORDS], "$"]
            features = [f"word {word}:{shape}" for word in dict.fromkeys(words[1:-1])]
            features += [f"words {one} {other}:{shape}" for one, other in pairwise(words)]
            self._words[shape] = tuple(features)
        return self._words[shape]

    # -- columns

    def _column_features(self, at: int, taken: frozenset[int]) -> tuple[str, ...]:
        """The features of the column `at` that is read; conditions use the words at `taken`."""
        key = at, taken
        if key not in self._columns:
            self._columns[key] = self._read_column(at, taken)
        return self._columns[key]

    def _read_column(self, at: int, taken: frozenset[int]) -> tuple[str, ...]:
        asked, column = self._asked, self._table.columns[at]
        named = self._in_header[at] - taken
        head = frozenset(asked.head)
        features = [
            f"column {asked.asking}:{column.kind}",
            f"column at {min(at, 3)}:{at == len(self._table.headers) - 1}",
            f"column named {min(2, len(named))}:{min(2, len(named & head))}",
            f"column whole {bool(named) and len(named) >= len(column.stems)}",
        ]
        others = any(
            self._in_header[other] - taken
            for other in range(len(self._table.headers))
            if other != at
        )
        features.append(f"column alone {bool(named)}:{others}")
        if self._by_wording[at]:
            features.append(f"column by wording {bool(named)}")
        first_text = next((n for n, c in enumerate(self._table.columns) if c.kind == "text"), 0)
        features.append(f"column first text {at == first_text}:{asked.asking}:{others}")
        for stem in column.stems:
            features.append(f"column asks {asked.asking}:{stem}")
            features += [
                f"column pair {asked.stems[place]}:{stem}" for place in asked.content - taken
            ]
            features += [f"column head {asked.stems[place]}:{stem}" for place in head - taken]
            for one, other in zip(asked.words[:3], asked.words[1:4], strict=False):
                features.append(f"column begins {one} {other}:{stem}")
        return tuple(features)

    def _pair_features(self, plan: Plan) -> Iterable[str]:
        chosen, name = plan.chosen, plan.chosen.derived or "limit"
        if chosen.column >= 0:
            yield f"same column {plan.operation}:{name}:{chosen.column == plan.column}"
        for condition in chosen.conditions:
            if condition.column == plan.column:
                yield f"condition column {name}:{condition.whole}:{chosen.chosen}"

    # -- the answer

    def _answer_features(self, plan: Plan) -> Iterable[str]:
        asked = self._asked
        if plan.operation not in ("cell", "groups"):
            zero = plan.value == 0
            yield f"result {plan.operation}:{asked.asking}:{zero}"
            if plan.operation == "count" and plan.value == 1:
                yield "result count one"
            return
        yield self._beside.of_answer(plan)
        count = len(plan.cells)
        many = "1" if count == 1 else "2" if count == 2 else "3+"
        yield f"cells {many}:{asked.asking}"
        yield f"cells {many}:{plan.chosen.derived or plan.chosen.chosen}"
        cell = self._table.rows[plan.cells[0]][plan.column]
        if is_empty(cell):
            yield "cell empty"
        stems = self._table.stems[plan.cells[0]][plan.column]
        within = sum(stem in self._question_stems for stem in stems)
        if stems:
            yield f"cell in question {3 * within // len(stems)}:{plan.chosen.chosen == 'or'}"
        yield f"cell form {_form(cell)}:{asked.asking}"
        yield f"cell words {min(6, len(stems))}"
        for place in asked.head[:2]:
            yield f"cell form {_form(cell)}:{asked.stems[place]}"

    def _coverage_features(self, plan: Plan, shape: str) -> Iterable[str]:
        content = self._asked.content
        if not content:
            return
        used = self.used(plan) & content
        share = len(used) / len(content)
        yield f"used {int(5 * share)}"
        yield f"used {int(3 * share)}:{shape}"
        yield f"conditions {len(plan.chosen.places & content)}"
        if self._asked.limits and not plan.chosen.chosen.startswith(("limit", "top")):
            yield f"limit left {plan.chosen.derived}"
        if self._asked.compares:
            yield f"compares {plan.operation}"
        if self._asked.adds_named:
            yield f"adds named {plan.operation}:{plan.chosen.chosen}"


def _form(cell: str) -> str:
    """The rough form of a cell: "year", "digits", "mixed" (with letters), "capital" or "words"."""
    text = cell.strip()
    letters, digits = any(c.isalpha() for c in text), any(c.isdigit() for c in text)
    if digits and not letters:
        return (
            "year"
            if len(text) == 4 and text.isdigit() and text[:2] in ("18", "19", "20")
            else "digits"
        )
    if digits:
        return "mixed"
    return "capital" if text[:1].isupper() else "words"
