"""Chooses among the readings of a question over a table.

A linear model of their features ranks them; its weights were fitted on questions over tables of
Wikipedia (`rag.training.table_questions`): the softmax over all readings, so that those with the
right answer get most of it. The part reader then reads the likeliest in words, each with another
answer, and both together choose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answer.tables.features import PlanFeatures
from rag.answer.tables.plans import Plan, make_plans
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table
from rag.answer.tables.wording import reading_in_words
from rag.protocols import AnswerLogits

#: answers that are read in words
_MAX_READ = 6
_MAX_TITLE = 100  #: characters of the title of a table that are read
_LOWEST = -8.0  #: logit of an answer that does not exist
LITTLE = 1e-6  #: added to shares before their logarithm


@dataclass(frozen=True, slots=True)
class Choice:
    """The reading that was chosen, and how much of the softmax its answer has, 0..1."""

    plan: Plan
    chance: float
    score: float  #: of the reading, by the weights
    second: float  #: as `chance`, of the likeliest other answer; 0 if there is none
    read: float  #: logit of the reading in words
    second_read: float  #: as `read`, of the best other answer; `_LOWEST` if there is none
    unused: frozenset[int]  #: positions of the content words of the question that it leaves unused
    #: does the question name the column that is read, and that of an order?
    named: tuple[bool, bool]
    readings: int  #: how many readings there are


def answer_of(plan: Plan, table: Table) -> tuple[str, ...]:
    """Return the answer of a reading, for comparison with those of others."""
    if plan.operation in ("cell", "groups"):
        return tuple(table.rows[row][plan.column].strip().lower() for row in plan.cells)
    return (f"{plan.value:.10g}",)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer that readings have, and the best of these readings."""

    plan: Plan
    chance: float  #: how much of the softmax over all readings the answer has, 0..1
    score: float  #: of the reading, by the weights


def _ranked(
    features: PlanFeatures, plans: Sequence[Plan], weights: Mapping[str, float], table: Table
) -> list[Ranked]:
    """The different answers of the readings, likeliest first."""
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
    total = sum(by_answer.values())
    ranked = [
        Ranked(plans[best[answer]], share / total, scores[best[answer]])
        for answer, share in by_answer.items()
    ]
    return sorted(ranked, key=lambda one: -one.chance)


def ranked_answers(
    asked: TableQuestion, table: Table, weights: Mapping[str, float], most: int = _MAX_READ
) -> list[Ranked]:
    """Return the `most` likeliest answers by the weights alone, likeliest first."""
    plans = make_plans(asked, table)
    return _ranked(PlanFeatures(asked, table, plans), plans, weights, table)[:most] if plans else []


def choose_plan(
    asked: TableQuestion,
    table: Table,
    weights: Mapping[str, float],
    logits: AnswerLogits,
    trust: float,
) -> Choice | None:
    """Return the likeliest reading; None if there is none.

    `trust` is the weight of a logit; that of the logarithm of the share is 1.
    """
    plans = make_plans(asked, table)
    if not plans:
        return None
    features = PlanFeatures(asked, table, plans)
    ranked = _ranked(features, plans, weights, table)[:_MAX_READ]
    read = logits(asked.question, [in_words(one.plan, table) for one in ranked])
    totals = [
        math.log(one.chance + LITTLE) + trust * logit
        for one, logit in zip(ranked, read, strict=True)
    ]
    best = totals.index(max(totals))
    chosen, others = ranked[best], [at for at in range(len(ranked)) if at != best]
    return Choice(
        chosen.plan,
        chosen.chance,
        chosen.score,
        max((ranked[at].chance for at in others), default=0.0),
        read[best],
        max((read[at] for at in others), default=_LOWEST),
        asked.content - features.used(chosen.plan),
        (features.is_named(chosen.plan.column), features.is_named(chosen.plan.chosen.column)),
        len(plans),
    )


def in_words(plan: Plan, table: Table) -> str:
    """Return what the part reader reads: the reading in words after the title of the table."""
    title = table.title[:_MAX_TITLE]
    return "\n".join(filter(None, (title, reading_in_words(plan, table))))
