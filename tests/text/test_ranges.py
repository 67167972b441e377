"""Ranges in texts, and the ages and ranges that questions ask about."""

from __future__ import annotations

import pytest

from rag.text.ranges import asked_range, find_ranges, is_in_other_range, is_in_range, without_range


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Adults and children over 12: 10 ml", 13, 12),
        ("Children from 6 to 12: 5 ml", 12, 5),
        ("Child 4–15, 37 kr", 4, 16),
        ("Children under 4 travel free.", 3, 4),
        ("Members must be at least 14 years old.", 14, 13),
        ("Seniors (65+) pay half", 65, 64),
        ("People aged 65 and over pay half", 80, 64),
        ("children up to 6 years", 6, 7),
        ("pupils of 16 or under", 16, 17),
    ],
)
def test_an_age_is_in_the_range_of_a_line(text: str, inside: int, outside: int) -> None:
    assert is_in_range(f"What does a {inside}-year-old pay?", text)
    assert not is_in_range(f"What does a {outside}-year-old pay?", text)
    assert is_in_other_range(f"What does a {outside}-year-old pay?", text)
    assert not is_in_other_range(f"What does a {inside}-year-old pay?", text)


@pytest.mark.parametrize(
    "question",
    [
        "What does an eight-year-old get?",
        "What is the dose for a child of eight?",
        "What do children aged 8 pay?",
        "I am 8, what do I pay?",
    ],
)
def test_ages_are_asked_in_several_ways(question: str) -> None:
    asked = asked_range(question)
    assert asked is not None and (asked.low, asked.high, asked.dimension) == (8, 8, "age")
    assert "8" not in without_range(question) and "eight" not in without_range(question)


def test_a_range_is_asked_about_too() -> None:
    question = "What is the dose for children under four?"
    assert is_in_range(question, "Children under 4: nothing")
    assert is_in_other_range(question, "Children from 4 to 6: 5 ml")
    assert not is_in_other_range(question, "Shake the bottle 4 to 6 times")


def test_weights_and_lengths_are_compared_in_one_unit() -> None:
    question = "What does a parcel over 2 kg cost?"
    assert is_in_other_range(question, "500-900 g: 3.20")
    assert not is_in_range(question, "1-3 kg: 6.90")
    assert is_in_range(question, "over 2 kg: 9.90")


@pytest.mark.parametrize("text", ["open 9 to 17", "room 4-15", "from 3 April to 5 May", "1.2-1.4"])
def test_what_is_no_range_of_a_known_dimension_is_none(text: str) -> None:
    assert find_ranges(text) == ()


def test_a_question_without_a_range_has_none() -> None:
    assert asked_range("Where is room 12?") is None
    assert without_range("Where is room 12?") == "Where is room 12?"
    assert not is_in_other_range("Where is room 12?", "Children from 4 to 6")
