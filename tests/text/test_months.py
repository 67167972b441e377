"""Months that a text names."""

from __future__ import annotations

import pytest

from rag.text.months import asked_months, find_months


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("the readings for May", {5}),
        ("Readings | May | 12", {5}),
        ("May 2024: the roof", {5}),
        ("You may come in March, or in Sept.", {3, 9}),
        ("May we come in? They march on.", set()),
        ("2023-07-21", {7}),
        ("on 3 August", {8}),
        ("the Marches and Junes", set()),
        ("may sales", {5}),
        ("TOTAL APRIL", {4}),
        ("march rent", {3}),
        ("You may sail in june.", {6}),
    ],
)
def test_months_are_found_by_name_and_in_dates(text: str, months: set[int]) -> None:
    assert find_months(text) == months


@pytest.mark.parametrize(
    ("question", "months"),
    [
        ("What is the rent for May?", {"may": 5}),
        ("What were the april sales?", {"april": 4}),
        ("What is June's phone number?", {}),
        ("What does Mar Lopez pay?", {}),
        ("May I come in?", {}),
    ],
)
def test_months_of_a_question_are_no_names_of_people(question: str, months: dict[str, int]) -> None:
    assert asked_months(question) == months
