"""Months that a text names."""

from __future__ import annotations

import pytest

from rag.text.months import find_months


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
    ],
)
def test_months_are_found_by_name_and_in_dates(text: str, months: set[int]) -> None:
    assert find_months(text) == months
