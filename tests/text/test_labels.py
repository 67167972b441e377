"""Labels in words: days and months that are abbreviated, names written as one word, ordinals."""

from __future__ import annotations

import pytest

from rag.text.labels import ordinal_number, spelled_header, spelled_out


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("Sat", "Saturday"),
        ("Sat, Sun", "Saturday Sunday"),
        ("Thu\u2013Sat", "Thursday Friday Saturday"),
        ("Sat-Mon", "Saturday Sunday Monday"),
        ("Nov to Feb", "November December January February"),
        ("Tues.", "Tuesday"),
    ],
)
def test_a_label_of_days_or_months_is_spelled_out(label: str, names: str) -> None:
    assert spelled_out(label) == f"{label} {names}"


@pytest.mark.parametrize("label", ["Sunlight", "Sat down", "", "Price", "3 May", "Sat" * 40])
def test_other_labels_stay(label: str) -> None:
    assert spelled_out(label) == label


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("dueDate", "due Date"),
        ("score2", "score 2"),
        ("OD600", "OD 600"),
        ("day21result", "day 21 result"),
    ],
)
def test_the_words_of_a_name_written_as_one(header: str, words: str) -> None:
    assert spelled_header(header) == f"{header} {words}"


@pytest.mark.parametrize("header", ["Price", "due date", "A4", "Sat"])
def test_other_names_stay(header: str) -> None:
    assert spelled_header(header) == spelled_out(header)


def test_ordinals() -> None:
    assert [ordinal_number(word) for word in ("Third", "3rd", "22nd")] == [3, 3, 22]
