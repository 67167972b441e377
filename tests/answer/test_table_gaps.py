"""Cells that are empty, values that no row has together, columns under one header, rates, sums."""

from __future__ import annotations

import pytest

from rag.answer.field_words import is_other_kind
from rag.answer.lookup import look_up
from rag.answer.tables.chance import keeps_operators
from rag.answer.tables.gaps import find_gap, outside
from rag.answer.tables.plans import Plan, make_plans
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import RowSet
from rag.answer.tables.rows import Table
from rag.domain import Passage
from tests.support.structured import passage_of, table_passage

PEOPLE = table_passage(
    "Name,Group,Landline,Mobile,Birthday\nAnn Vale,choir,441 12,,2 May\nBo Stern,band,,600 77,-\n"
    "Cy Holt,band,441 19,600 78,TBA\n",
    "people.csv",
)
TRIPS = table_passage(
    "Walk,Time,,Price,\n,from,to,adults,children\nCliff path,9:30,12:00,8,4\nDunes,14:00,15:45,6,-\n",
    "walks.csv",
)


@pytest.mark.parametrize(
    ("question", "passage", "reason"),
    [
        ("What is Bo Stern's landline?", PEOPLE, "“Bo Stern”, the cell under “Landline” is empty"),
        ("What is the mobile of Ann Vale?", PEOPLE, "under “Mobile” is empty"),
        ("When is the birthday of Bo Stern?", PEOPLE, "under “Birthday” has only “-”"),
        ("What is the price of the dunes for children?", TRIPS, "“Price / children” has only “-”"),
        ("What is Ann Vale's landline in the band?", PEOPLE, "has both “Ann Vale” and “band”"),
    ],
)
def test_a_value_that_is_not_there_is_said_and_no_other_one_given(
    question: str, passage: Passage, reason: str
) -> None:
    gap = find_gap(question, [passage])
    assert gap is not None
    assert reason in gap.reason
    assert outside(gap, look_up(question, [passage])) == []


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("What is Cy Holt's landline?", PEOPLE),
        ("When is the birthday of Cy Holt?", PEOPLE),
        ("Who has the earliest birthday?", PEOPLE),
        ("Which group does Bo Stern sing with?", PEOPLE),
        ("Who comes after Ann Vale in the band?", PEOPLE),
        ("What is the price of the dunes for adults?", TRIPS),
        ("What is the price of the dunes?", TRIPS),
    ],
)
def test_a_value_that_is_there_or_a_question_about_other_rows_is_no_gap(
    question: str, passage: Passage
) -> None:
    assert find_gap(question, [passage]) is None


def test_a_merged_cell_fills_all_of_its_columns() -> None:
    table = "| Hut | Open | |\n|---|---|---|\n| | from | to |\n| Alm | May | June |\n| Kar | | |\n"
    passage = passage_of(table)
    assert find_gap("Until when is Alm open?", [passage]) is None
    assert find_gap("Until when is Kar open?", [passage]) is not None


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("From when does the cliff path walk run?", ["9:30"]),
        ("Until when does the cliff path walk run?", ["12:00"]),
        ("When does the walk on the cliff path end?", ["12:00"]),
        ("What is the price of the cliff path for children?", ["4"]),
        ("What is the price of the cliff path for seniors?", []),
    ],
)
def test_one_of_the_columns_under_a_header_is_asked_for(question: str, answers: list[str]) -> None:
    found = look_up(question, [TRIPS])
    start = TRIPS.chunk.span.start
    assert [TRIPS.chunk.text[p.short.start - start : p.short.end - start] for p in found] == answers


@pytest.mark.parametrize(
    ("question", "short", "other"),
    [
        ("What does the hut cost per week?", "80 Price per night", True),
        ("How much is the rent each month?", "900 Annual rent", True),
        ("What is the hourly rate?", "25 / h", False),
        ("What does the hut cost per night?", "80 Price per night", False),
        ("What does the hut cost per week?", "80 Price", False),
        ("When is the weekly meeting?", "Monday, two hours a day", False),
    ],
)
def test_an_amount_for_another_time_is_no_answer(question: str, short: str, other: bool) -> None:
    assert is_other_kind(question, short, short, in_row=True) is other


CABINS = Table(
    "Cabins", ("Cabin", "Beds", "Year"), (("Alm", "4", "1999"), ("Kar", "2", "2004"), ("Tal", "9", "2001"))
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "counts"),
    [
        ("How many beds are there in total?", False),
        ("How much do the cabins cost in total?", False),
        ("How many cabins are there?", True),
        ("How many years are listed?", True),
    ],
)
def test_numbers_of_a_column_are_added_and_not_counted(question: str, counts: bool) -> None:
    plans = make_plans(TableQuestion(question), CABINS)
    assert any(plan.operation == "count" for plan in plans) is counts
    assert counts or 15.0 in [plan.value for plan in plans if plan.operation == "sum"]


@pytest.mark.parametrize(
    ("question", "kept"),
    [("How many beds are there in total?", False), ("How many beds has the largest cabin?", True)],
)
def test_a_sum_over_all_rows_is_not_one_of_them(question: str, kept: bool) -> None:
    asked = TableQuestion(question)
    largest = Plan("cell", RowSet((2,), "all", derived="max", column=1), 1, None, (2,))
    assert keeps_operators(asked, largest, CABINS) is kept
