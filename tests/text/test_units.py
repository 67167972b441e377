"""Units as JSON, the view of a chunk with rows, and the rows that are headers."""

from __future__ import annotations

import json

import pytest

from rag.domain import Span
from rag.text.header_rows import count_header_rows, join_headers
from rag.text.units import (
    UnitsInOrder,
    context_of,
    units_from_json,
    units_to_json,
    units_within,
    view_of,
)
from tests.support.structured import passage_of, table_passage

NOTES = passage_of(
    "# Fees\n\n| Group | Fee |\n|---|---|\n| adults | 9 |\n| children | 4 |\n\nEnd.\n"
)


def test_units_survive_json() -> None:
    units = NOTES.chunk.units
    saved = json.loads(json.dumps(units_to_json(units)))
    assert units_from_json(saved, len(NOTES.chunk.text)) == units
    assert units_from_json([], 0) == ()


@pytest.mark.parametrize(
    "value",
    [
        3,
        [["a"]],
        [["a"], [[0, 5, 2, 0]]],
        [["a"], [[99, 0, 1, 0]]],
        [["a"], [[0, 0, 1, 7]]],
        [["a"], [[0, 0, 999, 0]]],
        [["a"], [["x", 0, 1, 0]]],
    ],
)
def test_what_is_no_unit_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        units_from_json(value, 10)


def test_a_row_is_read_with_the_names_of_its_columns_and_maps_back() -> None:
    chunk = NOTES.chunk
    view = view_of(chunk)
    assert "Group: children; Fee: 4" in view.text
    at = view.text.index("4")
    place = view.span(Span(at, at + 1))
    assert place is not None
    assert place.of(chunk.text) == "4"
    name = view.text.index("Group: children")
    assert view.span(Span(name, name + 5)) is None, "the name of a column is no text of the row"


def test_a_chunk_without_rows_is_read_as_it_is() -> None:
    chunk = passage_of("One sentence. And another.\n").chunk
    assert view_of(chunk).text == chunk.text


def test_the_context_of_a_row_has_headings_and_columns() -> None:
    chunk = table_passage("Group,Fee\nadults,9\n").chunk
    row = next(unit for unit in chunk.units if unit.cells)
    assert context_of(chunk, row.span, names=True) == ["Group | Fee"]


def test_units_of_spans_in_order_are_those_that_overlap() -> None:
    units = NOTES.chunk.units
    in_order = UnitsInOrder(units)
    for start in range(0, len(NOTES.chunk.text), 7):
        span = Span(start, start + 7)
        assert in_order.within(span) == units_within(units, span)


@pytest.mark.parametrize(
    ("rows", "count", "names"),
    [
        ([["Town", "People"], ["Moss", "9"]], 1, ["Town", "People"]),
        ([["Moss", "9"], ["Vik", "7"]], 0, []),
        ([["Town", "2021", "2022"], ["Moss", "9", "8"]], 1, ["Town", "2021", "2022"]),
        (
            [
                ["", "2021", "", "2022", ""],
                ["Town", "in", "out", "in", "out"],
                ["Moss", "1", "2", "3", "4"],
            ],
            2,
            ["Town", "2021 / in", "2021 / out", "2022 / in", "2022 / out"],
        ),
    ],
)
def test_header_rows(rows: list[list[str]], count: int, names: list[str]) -> None:
    assert count_header_rows(rows) == count
    assert (join_headers(rows[:count]) if count else []) == names
