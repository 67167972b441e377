"""Answers a question from the rows of a retrieved table: a cell, a list, a count, a sum …

The best reading of the question over each table is found (`rag.answer.tables.choice`). It answers
if it is likely enough, uses most of the question, and every name, number and date of the question
is in the table or in what it is about. The rows are quoted. A count, sum, average or difference is
a sentence of our own, which says that it was computed and cites the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rag.answer.check_computed import combine
from rag.answer.lookup import likely_places
from rag.answer.question_terms import read_question
from rag.answer.spans import has_rows
from rag.answer.tables.chance import choose_answer
from rag.answer.tables.choice import Choice
from rag.answer.tables.gaps import find_gap, outside
from rag.answer.tables.load import PlacedTable, TooLarge, tables_of
from rag.answer.tables.model import load_model
from rag.answer.tables.plans import Plan
from rag.answer.tables.question import TableQuestion
from rag.domain import (
    Computed,
    ComputedRow,
    Draft,
    FoundAnswer,
    Passage,
    Piece,
    Quote,
    Receipt,
)
from rag.protocols import AnswerLogits
from rag.text import facts
from rag.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from rag.library.library import Library

#: rows that are quoted, and rows that are computed with
_MAX_QUOTED, _MAX_COMPUTED = 12, 500
#: values that a computed sentence shows
_MAX_ADDENDS = 8
_MAX_NAME = 100  #: characters of the name of a file
#: for the quotation marks inside of a quoted name
_INNER_MARKS = dict.fromkeys(map(ord, '“”„‟"«»'), "'")


def answer_from_tables(
    question: str, passages: Sequence[Passage], library: Library, logits: AnswerLogits
) -> FoundAnswer | None:
    """Return the answer from the rows of one table; None if no reading is likely enough."""
    asked, model = TableQuestion(question), load_model()
    if not has_rows(passages) or read_question(question).asks_yes_or_no:
        return None
    gap = find_gap(question, passages)
    if not asked.offers and outside(gap, likely_places(question, passages, logits)):
        return None
    best: tuple[float, PlacedTable, Choice] | None = None
    refused = ""
    for placed in tables_of(passages, library):
        if isinstance(placed, TooLarge):
            refused = refused or _refusal(asked, placed)
            continue
        if gap and any(gap.has(placed.document.id, row.unit.span) for row in placed.rows):
            continue
        found = choose_answer(asked, placed, model, logits)
        if found and (best is None or found[0] > best[0]):
            best = found[0], placed, found[1]
    if best is not None and best[0] >= model.least:
        return _Writer(passages, best[1], best[2].plan).write(best[0])
    return FoundAnswer.abstention(refused) if refused else None


def _refusal(asked: TableQuestion, table: TooLarge) -> str:
    """Why a large table is not compared; "" if the question does not ask to compare its rows."""
    about = set(facts.content_stems(table.about))
    meant = table.number == 1 and any(asked.stems[at] in about for at in asked.content)
    return table.reason if meant and asked.operates else ""


class _Writer:
    """Writes the answer of one reading with the quotations of its rows."""

    def __init__(self, passages: Sequence[Passage], placed: PlacedTable, plan: Plan) -> None:
        self._passages, self._placed, self._plan = list(passages), placed, plan
        self._retrieved = len(passages)

    def write(self, chance: float) -> FoundAnswer | None:
        """Return the answer; None if it has no rows or too many of them."""
        plan = self._plan
        if plan.operation in ("cell", "groups"):
            return self._quoted(chance)
        if len(plan.chosen.rows) > _MAX_COMPUTED:
            count = len(plan.chosen.rows)
            return FoundAnswer.abstention(
                f"{count:,} rows answer; computing is done up to {_MAX_COMPUTED}"
            )
        computed = self._computed()
        if computed is None:
            return None
        draft = Draft(Receipt(), short=shown(computed.result), chance=chance)
        return self._answer((draft, computed))

    def _answer(self, pieces: tuple[Draft | Piece, ...]) -> FoundAnswer:
        return FoundAnswer(tuple(self._passages[self._retrieved :]), pieces)

    def _quoted(self, chance: float) -> FoundAnswer | None:
        """The answer that quotes the rows of the cells that are read; None if all are empty."""
        plan, placed = self._plan, self._placed
        rows = [row for row in plan.cells if placed.cells[row][plan.column]]
        if not rows:
            return None
        texts = [placed.table.rows[row][plan.column] for row in rows]
        pieces: list[Draft | Piece] = [
            Draft(Receipt(), short="; ".join(dict.fromkeys(texts)), chance=min(0.99, chance))
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
        """The computed sentence; None if distinct values are counted or no row has a number."""
        plan, column = self._plan, self._plan.column
        operation = {"range": "difference", "count difference": "count"}.get(
            plan.operation, plan.operation
        )
        rows = list(plan.chosen.rows)
        weights = [1] * len(rows)
        if operation == "distinct" or plan.value is None:
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
        name = _quoted_name(self._placed.source.rpartition("/")[2])
        if operation == "count":
            return f"Counted in {count} of {name}: {shown(result)}."
        values = self._placed.table.columns[self._plan.column].values
        figures = [shown(values[row] or 0.0) for row in rows]
        sign = " - " if operation == "difference" else " + "
        if len(figures) > _MAX_ADDENDS:
            figures = [*figures[:3], "…", figures[-1]]
        formula = sign.join(figures)
        if operation == "average":
            formula = f"({formula}) / {len(rows)}"
        return f"Computed from {count} of {name}: {formula} = {shown(result)}."

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


def _quoted_name(name: str) -> str:
    """Return the name of a file in quotation marks: it may have words that look like ours."""
    return f"“{sanitize_line(name)[:_MAX_NAME].translate(_INNER_MARKS)}”"


def shown(value: float) -> str:
    """Return a number as it is shown: grouped, with at most two decimals."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"
