"""Units as JSON: the same units come back, and nothing else is taken for units."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Cell, Span, Unit, UnitKind
from rag.text.units import units_from_json, units_to_json

LENGTH = 60
SPANS = st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).map(
    lambda pair: Span(min(pair), max(pair))
)
CELLS = st.builds(Cell, st.sampled_from(["", "a", "Town / 2019"]), SPANS, st.none() | SPANS)
UNITS = st.builds(
    Unit,
    st.sampled_from(UnitKind),
    SPANS,
    st.sampled_from(["", "Prices"]),
    st.lists(CELLS, max_size=4).map(tuple),
    st.integers(0, 2**20),
)


@given(st.lists(UNITS, max_size=5))
def test_units_come_back(units: list[Unit]) -> None:
    stored = json.loads(json.dumps(units_to_json(units)))
    assert units_from_json(stored, LENGTH) == tuple(units)
    ends = [s.end for u in units for s in (u.span, *(c.span for c in u.cells))]
    last = max(ends, default=0)
    if last:
        with pytest.raises(ValueError, match="outside"):
            units_from_json(stored, last - 1)


@pytest.mark.parametrize(
    "value",
    [
        5,
        [[], [[0, 0, 5, 0, 0]]],
        [["a"], [[99, 0, 5, 0, 0]]],
        [["a"], [[-1, 0, 5, 0, 0]]],
        [["a"], [[0, -1, 5, 0, 0]]],
        [["a"], [[0, 0, -5, 0, 0]]],
        [["a"], [[0, 0, 5, 0, -1]]],
        [["a"], [[0, 0, 5, -1, 0]]],
        [["a"], [[0, 0, 5, 0]]],
        [["a"], [[0, 0, 5, 0, 0, 0, 0]]],
        [["a"], [[0, 0, 5.5, 0, 0]]],
        [["a"], [[0, 0, "5", 0, 0]]],
        [[7], [[0, 0, 5, 0, 0]]],
        [["a"], [[0, 0, 5, 0, 0, 0, 0, 500]]],
        [["a"], 7],
    ],
)
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        units_from_json(value, 10)
