"""Readings of a question over a table: in words, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from rag.answer.tables.chance import has_hard_terms
from rag.answer.tables.choice import Choice, choose_plan, ranked_answers
from rag.answer.tables.features import PlanFeatures
from rag.answer.tables.plans import Plan, make_plans
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table
from rag.answer.tables.wording import reading_in_words

CITIES = Table(
    "Cities",
    ("City", "Country", "People"),
    (
        ("Aber", "Norland", "1,200"),
        ("Brock", "Sudland", "3,400"),
        ("Corve", "Norland", "800"),
    ),
)


def _plan(
    question: str, operation: str, chosen: str = "", derived: str = "", column: int = 0
) -> Plan:
    plans = make_plans(TableQuestion(question), CITIES)
    return next(
        plan
        for plan in plans
        if plan.operation == operation
        and plan.chosen.derived == derived
        and plan.chosen.chosen == (chosen or "all")
        and plan.column == column
    )


@pytest.mark.parametrize(
    ("question", "plan", "text"),
    [
        (
            "Which city has most people?",
            ("cell", "all", "max"),
            "City: Brock, if People is highest (3,400). City: Brock; Country: Sudland; People: 3,400",
        ),
        (
            "Which city comes after Aber?",
            ("cell", "c", "next"),
            "City: Brock, if City is Aber, the row after. City: Brock; Country: Sudland; People: 3,400",
        ),
        (
            "How many cities are in Norland?",
            ("count", "c", "", -1),
            "number of rows: 2, if Country is Norland. 2 of 3 rows",
        ),
        (
            "How many people live in Norland in total?",
            ("sum", "c", "", 2),
            "sum of People: 2000, if Country is Norland. 2 of 3 rows",
        ),
        (
            "Which cities have more than 1000 people?",
            ("cell", "limit", ""),
            "City: Aber; Brock (2 values), if People is within the limit. 2 of 3 rows",
        ),
    ],
)
def test_a_reading_says_what_is_read_and_how_its_rows_are_chosen(
    question: str, plan: tuple[str, str, str], text: str
) -> None:
    assert reading_in_words(_plan(question, *plan), CITIES) == text


def test_every_reading_has_words() -> None:
    questions = (
        "Which city has the second most people, and which is the last but one?",
        "How many more people live in Brock than in Corve?",
        "Which cities are not in Norland?",
        "Which country occurs most often between Aber and Corve?",
        "What is listed in the same country as Aber?",
        "What are the first two cities, or Brock and Corve, above 900 people?",
    )
    for question in questions:
        plans = make_plans(TableQuestion(question), CITIES)
        assert plans
        for plan in plans:
            text = reading_in_words(plan, CITIES)
            assert ", if " in text and text == " ".join(text.split())


def test_the_part_reader_may_choose_another_reading_than_the_weights() -> None:
    asked = TableQuestion("Which city has most people?")
    first, second = (one.plan for one in ranked_answers(asked, CITIES, {})[:2])

    def prefers_second(question: str, texts: Sequence[str]) -> list[float]:
        assert question == asked.question and texts[0].startswith("Cities\n")
        return [float(number == 1) * 4 - 2 for number in range(len(texts))]

    trusted = choose_plan(asked, CITIES, {}, prefers_second, trust=1.0)
    ignored = choose_plan(asked, CITIES, {}, prefers_second, trust=0.0)
    assert trusted and ignored
    assert (trusted.plan, trusted.read, trusted.second_read) == (second, 2.0, -2.0)
    assert (ignored.plan, ignored.read, ignored.second_read) == (first, -2.0, 2.0)


class _About(NamedTuple):
    table: Table
    about: str


@pytest.mark.parametrize(
    ("question", "whole", "answers"),
    [
        ("How many are in a box of screws 4x50?", True, True),
        ("How many are in a box of screws 4x50?", False, False),
        ("How many are in a box of screws?", False, True),
    ],
)
def test_a_reading_uses_each_number_of_the_question_that_stands_in_the_table(
    question: str, whole: bool, answers: bool
) -> None:
    rows = (("screws", "4x40", "100"), ("screws", "4x50", "200"))
    table = Table("Boxes", ("Item", "Size", "Box"), rows)
    asked = TableQuestion(question)

    plans = make_plans(asked, table)
    wanted = "Box: 200, if Size is 4x50" if whole else "Box: 100; 200 (2 values), if all rows"
    plan = next(plan for plan in plans if reading_in_words(plan, table).startswith(wanted))
    unused = asked.content - PlanFeatures(asked, table, plans).used(plan)
    choice = Choice(plan, 1.0, 0.0, 0.0, 0.0, 0.0, unused, (True, True), len(plans))
    assert has_hard_terms(asked, _About(table, table.title), choice, frozenset()) is answers
