"""Days and months that a table abbreviates."""

from __future__ import annotations

import pytest

from rag.text.calendar_names import spelled_out


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("Sat", "saturday"),
        ("Sat, Sun", "saturday sunday"),
        ("Thu\u2013Sat", "thursday friday saturday"),
        ("Sat-Mon", "saturday sunday monday"),
        ("Nov to Feb", "november december january february"),
        ("Tues.", "tuesday"),
    ],
)
def test_a_label_of_days_or_months_is_spelled_out(label: str, names: str) -> None:
    assert spelled_out(label) == f"{label} {names}"


@pytest.mark.parametrize("label", ["Sunlight", "Sat down", "", "Price", "3 May", "Sat" * 40])
def test_other_labels_stay(label: str) -> None:
    assert spelled_out(label) == label
