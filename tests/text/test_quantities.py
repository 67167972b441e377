"""Numbers with units, and clock times, compared in one unit."""

from __future__ import annotations

import pytest

from rag.text.quantities import find_numbers


def _agree(one: str, other: str) -> bool:
    return any(a.agrees(b) for a in find_numbers(one) for b in find_numbers(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12.4 km", "12,400 m"),
        ("2,000 g", "2 kg"),
        ("14:30", "2:30 pm"),
        ("at 12 am", "0:00"),
        ("90 minutes", "1.5 hours"),
        ("five thousand metres", "5 km"),
        ("12,000", "12,000 euros"),
    ],
)
def test_one_quantity_in_two_writings(one: str, other: str) -> None:
    assert _agree(one, other) and _agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12.4 km", "12,400 km"),
        ("2 kg", "2 km"),
        ("14:30", "2:30 am"),
        ("30 minutes", "30 hours"),
        ("75 kg", "7.5 kg"),
    ],
)
def test_two_quantities(one: str, other: str) -> None:
    assert not _agree(one, other)
