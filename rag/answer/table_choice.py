"""Chooses among the readings of a question over a table by a linear model of their features.

The weights were fitted on questions over tables of Wikipedia (`rag.training.table_questions`):
the softmax over all readings, so that those with the right answer get most of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rag.answer.table_features import PlanFeatures
from rag.answer.table_plans import Plan, make_plans
from rag.answer.table_question import TableQuestion
from rag.answer.table_rows import Table


@dataclass(frozen=True, slots=True)
class Choice:
    """The reading that was chosen, and how much of the softmax its answer has, 0..1."""

    plan: Plan
    chance: float
    score: float  #: of the reading, by the weights
    second: float  #: as `chance`, of the second likeliest answer; 0 if there is none
    unused: frozenset[int]  #: positions of the content words of the question that it leaves unused
    #: does the question name the column that is read, and that of an order?
    named: tuple[bool, bool]
    readings: int  #: how many readings there are


def answer_of(plan: Plan, table: Table) -> tuple[str, ...]:
    """Return the answer of a reading, for comparison with those of others."""
    if plan.operation in ("cell", "groups"):
        return tuple(table.rows[row][plan.column].strip().lower() for row in plan.cells)
    return (f"{plan.value:.10g}",)


def choose_plan(asked: TableQuestion, table: Table, weights: Mapping[str, float]) -> Choice | None:
    """Return the reading whose answer the model finds likeliest; None if there is no reading."""
    plans = make_plans(asked, table)
    if not plans:
        return None
    features = PlanFeatures(asked, table, plans)
    weight_of = weights.get
    scores = [sum(weight_of(name, 0.0) for name in features.of(plan)) for plan in plans]
    top = max(scores)
    by_answer = dict[tuple[str, ...], float]()
    best = dict[tuple[str, ...], int]()
    for number, (plan, score) in enumerate(zip(plans, scores, strict=True)):
        answer = answer_of(plan, table)
        by_answer[answer] = by_answer.get(answer, 0.0) + math.exp(score - top)
        if answer not in best or score > scores[best[answer]]:
            best[answer] = number
    ranked = sorted(by_answer, key=lambda answer: -by_answer[answer])
    total = sum(by_answer.values())
    plan = plans[best[ranked[0]]]
    return Choice(
        plan,
        by_answer[ranked[0]] / total,
        scores[best[ranked[0]]],
        by_answer[ranked[1]] / total if len(ranked) > 1 else 0.0,
        asked.content - features.used(plan),
        (features.is_named(plan.column), features.is_named(plan.chosen.column)),
        len(plans),
    )
