"""Answers a question from the rows of a retrieved table: a cell, a list, a count, a sum …

The best reading of the question over each table is found (`rag.answer.table_choice`). It answers if
it is likely enough, uses most of the question, and every name, number and date of the question is
in the table or in what it is about. The rows are quoted. A count, sum, average or difference is a
sentence of our own, which says that it was computed and cites the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.answer.check_computed import combine
from rag.answer.evidence import text_at
from rag.answer.field_words import asked_fields
from rag.answer.lookup import look_up
from rag.answer.question_terms import read_question
from rag.answer.table_choice import Choice, choose_plan
from rag.answer.table_load import PlacedTable, tables_of
from rag.answer.table_model import TableModel, load_model
from rag.answer.table_plans import Plan
from rag.answer.table_question import TableQuestion
from rag.answer.table_rows import Table
from rag.domain import (
    Computed,
    ComputedRow,
    Draft,
    Passage,
    Piece,
    Quote,
    Receipt,
    UnitKind,
)
from rag.text import facts

if TYPE_CHECKING:
    from rag.library.library import Library

#: rows that are quoted, and rows that are computed with
_MAX_QUOTED, _MAX_COMPUTED = 12, 500
#: values that a computed sentence shows
_MAX_ADDENDS = 8


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """The pieces of an answer, and the passages of its rows that were not retrieved."""

    passages: tuple[Passage, ...]
    pieces: tuple[Draft | Piece, ...]


class TableAbout(Protocol):
    """A table and the words of what it is about: title, headings, caption, name of the file."""

    @property
    def table(self) -> Table: ...

    @property
    def about(self) -> str: ...


def answer_from_tables(
    question: str, passages: Sequence[Passage], library: Library
) -> TableAnswer | None:
    """Return the answer from the rows of one table; None if no reading is likely enough."""
    has_rows = any(u.kind is UnitKind.ROW for p in passages for u in p.chunk.units)
    if not has_rows or read_question(question).asks_yes_or_no or _is_looked_up(question, passages):
        return None
    asked, model = TableQuestion(question), load_model()
    best: tuple[float, PlacedTable, Choice] | None = None
    for placed in tables_of(passages, library):
        choice = choose_plan(asked, placed.table, model.weights)
        if choice is None or not has_hard_terms(asked, placed, choice, model):
            continue
        if not keeps_operators(asked, choice.plan, placed.table):
            continue
        chance = answer_chance(asked, placed, choice, model)
        if best is None or chance > best[0]:
            best = chance, placed, choice
    if best is None or best[0] < model.least:
        return None
    return _Writer(passages, best[1], best[2].plan).write(best[0])


def _is_looked_up(question: str, passages: Sequence[Passage]) -> bool:
    """Is the answer looked up in one row? "How many" is not answered by a name."""
    found = look_up(question, passages)
    if not found or not read_question(question).counts:
        return bool(found)
    shorts = [text_at(place.passage, place.short) for place in found]
    return all(any(char.isdigit() for char in short) for short in shorts)


def answer_chance(
    asked: TableQuestion, placed: TableAbout, choice: Choice, model: TableModel
) -> float:
    """Return the probability that a reading answers what was asked, 0..1."""
    logit = sum(
        weight * value
        for weight, value in zip(
            model.fit, answer_signals(asked, placed, choice, model), strict=True
        )
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def answer_signals(
    asked: TableQuestion, placed: TableAbout, choice: Choice, model: TableModel
) -> tuple[float, ...]:
    """Return the inputs of `answer_chance`; the first is constant."""
    stems = set(facts.content_stems(placed.about))
    missing = [at for at in choice.unused if asked.stems[at] not in stems]
    unexplained = [at for at in missing if not asked.only_asks(at)]
    rare = _rare_words(asked, placed, model)
    count = max(1, len(asked.content))
    plan = choice.plan
    chance = min(0.999, max(0.001, choice.chance))
    return (
        1.0,
        math.log(chance / (1 - chance)),
        choice.score / 10,
        len(unexplained) / count,
        float(min(3, len(unexplained))),
        len([at for at in choice.unused if asked.stems[at] in stems]) / count,
        float(any(c.whole for c in plan.chosen.conditions)),
        float(plan.operation != "cell"),
        float(not plan.chosen.conditions),
        float(len(rare) == 1),
        float(len(rare) > 1),
    )


def _rare_words(asked: TableQuestion, placed: TableAbout, model: TableModel) -> list[int]:
    """Places of words that name a thing, as few questions have them, and that the table lacks."""
    words = placed.table.vocabulary.union(facts.content_stems(placed.about))
    for asking, names in asked_fields(asked.question):
        if any(column.stems & names for column in placed.table.columns):
            words |= asking
    return [
        at
        for at in asked.content
        if asked.stems[at] not in words
        and asked.words[at] not in model.common
        and not asked.only_asks(at)
    ]


def has_hard_terms(
    asked: TableQuestion, placed: TableAbout, choice: Choice, model: TableModel
) -> bool:
    """Tell whether each name, number and date of the question is in the table or its title.

    A number may also be a limit. If a value is only looked up, rare words must be there too.
    """
    only_looked_up = not choice.plan.chosen.derived and choice.plan.operation != "difference"
    if only_looked_up and _rare_words(asked, placed, model):
        return False
    words = placed.table.vocabulary.union(facts.content_stems(placed.about))
    after = asked.question.split(maxsplit=1)[1] if len(asked.question.split()) > 1 else ""
    names = facts.find_names("x " + after)
    if any(stem not in words for name in names for stem in facts.content_stems(name)):
        return False
    limits = {value for limit in asked.limits for value in (limit.low, limit.high)}
    return all(
        word in words or (word.replace(".", "").isdigit() and float(word) in limits)
        for word in asked.stems
        if word[0].isdigit()
    )


def keeps_operators(asked: TableQuestion, plan: Plan, table: Table) -> bool:
    """Tell whether a reading has the negation, the limits and the average of the question.

    A whole column answers only if a list is asked for.
    """
    chosen = plan.chosen
    whole_column = plan.operation == "cell" and chosen.chosen == "all" and not chosen.derived
    if whole_column and len(plan.cells) > 1 and not {"list", "all"}.intersection(asked.words):
        return False
    named = {asked.words[at] for at in chosen.places}
    negated = [w for w in asked.negations if w not in named and w not in table.vocabulary]
    left_out = chosen.derived in ("next", "previous", "same")
    if negated and "not" not in chosen.chosen and not left_out:
        return False
    figures = {float(w) for w in named if w.replace(".", "").isdigit()}
    missing = any(limit.low not in figures for limit in asked.limits)
    if missing and not chosen.chosen.startswith(("limit", "top")) and not chosen.derived:
        return False
    return not asked.averages or plan.operation == "average" or "averag" in table.vocabulary


class _Writer:
    """Writes the answer of one reading with the quotations of its rows."""

    def __init__(self, passages: Sequence[Passage], placed: PlacedTable, plan: Plan) -> None:
        self._passages, self._placed, self._plan = list(passages), placed, plan
        self._retrieved = len(passages)

    def write(self, chance: float) -> TableAnswer | None:
        """Return the answer; None if it has no rows or too many of them."""
        plan, receipt = self._plan, Receipt()
        if plan.operation in ("cell", "groups"):
            return self._quoted(receipt, chance)
        computed = self._computed()
        if computed is None:
            return None
        draft = Draft(receipt, short=shown(computed.result), chance=chance)
        return self._answer((draft, computed))

    def _answer(self, pieces: tuple[Draft | Piece, ...]) -> TableAnswer:
        return TableAnswer(tuple(self._passages[self._retrieved :]), pieces)

    def _quoted(self, receipt: Receipt, chance: float) -> TableAnswer | None:
        plan, placed = self._plan, self._placed
        rows = [row for row in plan.cells if placed.cells[row][plan.column]]
        if not rows:
            return None
        texts = [placed.table.rows[row][plan.column] for row in rows]
        pieces: list[Draft | Piece] = [
            Draft(receipt, short="; ".join(dict.fromkeys(texts)), chance=min(0.99, chance))
        ]
        shown_rows = rows[:_MAX_QUOTED]
        if plan.chosen.chosen.startswith("or"):  # a comparison has both sides
            others = [c.rows[0] for c in plan.chosen.conditions[:2]]
            shown_rows = list(dict.fromkeys((*shown_rows, *others)))
        for index, row in enumerate(shown_rows):
            if index:
                pieces.append(" ")
            span = placed.rows[row].unit.span
            pieces.append(Quote(span.of(placed.document.text), self._number(row), span))
        return self._answer(tuple(pieces))

    def _computed(self) -> Computed | None:
        plan, column = self._plan, self._plan.column
        operation = {"range": "difference", "count difference": "count"}.get(
            plan.operation, plan.operation
        )
        rows = list(plan.chosen.rows)
        weights = [1] * len(rows)
        if operation == "distinct" or len(rows) > _MAX_COMPUTED or plan.value is None:
            return None
        if plan.operation == "count difference":
            first = set(plan.chosen.conditions[0].rows)
            weights = [1 if row in first else -1 for row in rows]
        if operation in ("sum", "average", "difference"):
            values = self._placed.table.columns[column].values
            rows = [row for row in rows if values[row] is not None]
            if operation == "difference":
                rows = sorted(rows, key=lambda row: -(values[row] or 0.0))
                rows, weights = [rows[0], rows[-1]], [1, -1]
            weights = weights[: len(rows)]
            result = combine(operation, [values[row] or 0.0 for row in rows], weights)
        else:
            result = float(abs(sum(weights)))
        if not rows:
            return None
        text = self._sentence(operation, rows, result)
        return Computed(text, operation, tuple(self._computed_rows(rows, weights)), result)

    def _computed_rows(self, rows: Sequence[int], weights: Sequence[int]) -> Iterable[ComputedRow]:
        for row, weight in zip(rows, weights, strict=True):
            column = self._plan.column
            value = self._placed.cells[row][column] if column >= 0 else None
            yield ComputedRow(self._number(row), self._placed.rows[row].unit.span, value, weight)

    def _sentence(self, operation: str, rows: Sequence[int], result: float) -> str:
        count = f"{len(rows):,} row{'s' if len(rows) != 1 else ''}"
        if operation == "count":
            return f"Counted in {count} of the table: {shown(result)}."
        values = self._placed.table.columns[self._plan.column].values
        figures = [shown(values[row] or 0.0) for row in rows]
        sign = " - " if operation == "difference" else " + "
        if len(figures) > _MAX_ADDENDS:
            figures = [*figures[:3], "…", figures[-1]]
        formula = sign.join(figures)
        if operation == "average":
            formula = f"({formula}) / {len(rows)}"
        return f"Computed from {count} of the table: {formula} = {shown(result)}."

    def _number(self, row: int) -> int:
        """The number of the passage that has a row; one is added if it was not retrieved."""
        placed = self._placed.rows[row]
        for passage in self._passages:
            same = passage.chunk.document == self._placed.document.id
            if same and placed.unit.span.within(passage.chunk.span):
                return passage.number
        number = len(self._passages) + 1
        chunk = placed.chunk.chunk(self._placed.document)
        self._passages.append(Passage(number, chunk, 0.0))
        return number


def shown(value: float) -> str:
    """Return a number as it is shown: grouped, with at most two decimals."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"
