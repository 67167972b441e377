"""Answers from the rows of a table: values, conditions, readings, and the check of a computation."""

from __future__ import annotations

import pytest

from rag.answer.check_computed import check_computed
from rag.answer.cite import parse_citations, piece_text
from rag.answer.tables.conditions import find_conditions
from rag.answer.tables.load import column_names, columns_of, places_of
from rag.answer.tables.place_features import column_role
from rag.answer.tables.plans import Plan, make_plans
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table, date_of, number_of, typed_column
from rag.domain import (
    Cell,
    Chunk,
    Computed,
    ComputedRow,
    Passage,
    Span,
    Unit,
    UnitKind,
    Verdict,
)

CITIES = Table(
    "Cities",
    ("City", "Country", "People", "Founded"),
    (
        ("Aber", "Norland", "1,200", "3 May 1850"),
        ("Brock", "Sudland", "3,400", "12 June 1790"),
        ("Corve", "Norland", "800", "1 January 1901"),
        ("Dunst", "Westland", "2,050", "9 March 1820"),
        ("Total", "", "7,450", ""),
    ),
)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234.50 kg", 1234.5),
        ("$12", 12.0),
        ("-3", -3.0),
        ("1st", 1.0),
        ("2:03", 123.0),
        ("1:02:03.5", 3723.5),
        ("6 ft 2 in", 74.0),
        ("1.5 million", 1.5e6),
        ("12-15", 12.0),
        ("none of them", None),
    ],
)
def test_the_number_of_a_cell(cell: str, value: float | None) -> None:
    assert number_of(cell) == value


def test_a_column_with_decimal_commas() -> None:
    assert typed_column("Price", ["0,75", "1.200,50", "3"]).values == (0.75, 1200.5, 3.0)


def test_dates_are_ordered() -> None:
    days = ["31 December 1999", "1 January 2000", "2000-02-01"]
    values = [date_of(day) for day in days]
    assert None not in values
    assert values == sorted(values, key=lambda value: value or 0.0)


def test_columns_have_kinds() -> None:
    assert [column.kind for column in CITIES.columns[:4]] == ["text", "text", "number", "date"]


def _plans(question: str, operation: str = "cell") -> list[Plan]:
    plans = make_plans(TableQuestion(question), CITIES)
    return [plan for plan in plans if plan.operation == operation]


def _has_cell(question: str, column: int, rows: tuple[int, ...], derived: str = "") -> bool:
    return any(
        (plan.column, plan.cells, plan.chosen.derived) == (column, rows, derived)
        for plan in _plans(question)
    )


def test_a_value_that_the_question_names_is_a_condition() -> None:
    (condition,) = find_conditions(TableQuestion("Which city is in Sudland?"), CITIES)
    assert (condition.column, condition.rows, condition.whole) == (1, (1,), True)


def test_readings_with_an_extreme() -> None:
    assert _has_cell("Which city has the most people?", 0, (1,), "max")
    assert _has_cell("Which city in Norland has the fewest people?", 0, (2,), "min")
    assert _has_cell("Which is the oldest city?", 0, (1,), "min")
    assert _has_cell("Which city is second largest?", 0, (3,), "nth max")


def test_readings_with_a_neighbour() -> None:
    assert _has_cell("Which city comes after Brock?", 0, (2,), "next")
    assert _has_cell("Which city comes before Brock?", 0, (0,), "previous")


def test_readings_with_a_limit() -> None:
    assert _has_cell("Which cities have more than 1,500 people?", 0, (1, 3))
    assert _has_cell("Which cities have more people than Aber?", 0, (1, 3))
    assert _has_cell("Which cities were founded before 1820?", 0, (1,))


def test_readings_with_an_exclusion() -> None:
    assert _has_cell("Which city other than Aber is in Norland?", 0, (2,))
    assert _has_cell("Which city is in the same country as Aber?", 0, (2,), "same")


def test_a_row_of_totals_is_neither_counted_nor_added() -> None:
    assert 4.0 in [plan.value for plan in _plans("How many cities are there?", "count")]
    assert 7450.0 in [plan.value for plan in _plans("How many people in total?", "sum")]
    assert not _has_cell("Which city has the most people?", 0, (4,), "max")


def test_the_next_value_is_not_the_next_row() -> None:
    plans = _plans("Which city was founded next after Dunst?")
    rows = {plan.chosen.derived: plan.cells for plan in plans if plan.chosen.conditions}
    assert (rows["up"], rows["down"]) == ((0,), (1,))
    assert _has_cell("Which city was founded next after Dunst?", 0, (0,), "up")


GAMES = Table(
    "Games of the club",
    ("Day", "Opponent", "Result", "Score", "Scorers"),
    (
        ("1", "Aber", "W", "3\u20131", "Ann, Ben"),
        ("2", "Brock", "L", "0\u20134", ""),
        ("3", "Corve", "D", "2\u20132", "Ann"),
        ("4", "Dunst", "W", "2\u20131", "Ben, Cid, Dan"),
        ("Total (4)", "", "", "7\u20138", ""),
    ),
)


def _answers(question: str) -> set[str]:
    return {
        GAMES.rows[row][plan.column]
        for plan in make_plans(TableQuestion(question), GAMES)
        for row in plan.cells
        if plan.column == 1 and len(plan.cells) == 1 and plan.chosen.derived
    }


def test_the_next_row_that_has_a_value() -> None:
    plans = make_plans(TableQuestion("Who was beaten after Brock, when did they win next?"), GAMES)
    within = [plan for plan in plans if plan.chosen.chosen == "within" and plan.column == 1]
    assert (3,) in [plan.cells for plan in within if plan.chosen.derived == "next"]
    assert (0,) in [plan.cells for plan in within if plan.chosen.derived == "previous"]


def test_words_for_results_name_the_letters_of_a_column() -> None:
    (condition,) = find_conditions(TableQuestion("Which games did they win?"), GAMES)
    assert (condition.column, condition.rows) == (2, (0, 3))


def test_margins_and_numbers_of_items_are_columns() -> None:
    computed = {column.kind: column.values for column in GAMES.columns[5:]}
    assert computed["margin"] == (2.0, 4.0, 0.0, 1.0, 1.0)
    assert computed["items"] == (2.0, None, 1.0, 3.0, None)
    assert "Brock" in _answers("Against whom was the largest margin?")
    assert "Dunst" in _answers("Against whom were the most scorers?")


def test_a_row_of_totals_with_more_words_is_the_last_one() -> None:
    assert GAMES.totals == {4}
    assert Table("", ("Show",), (("Total Wipeout",), ("Quiz",), ("News",))).totals == frozenset()


def test_the_order_of_a_column_is_known() -> None:
    assert column_role(GAMES, 0).startswith("number counts")
    assert column_role(CITIES, 0) == "text once"
    assert column_role(CITIES, 1) == "text again"
    assert column_role(CITIES, 2) == "number once"


def test_a_row_without_a_value_keeps_the_columns_of_its_others() -> None:
    def row(*names: str) -> Unit:
        cells = tuple(Cell(name, Span(at, at + 1)) for at, name in enumerate(names))
        return Unit(UnitKind.ROW, Span(0, len(names)), cells=cells)

    rows = [row("Year", "Name", "Rank"), row("Year", "Rank", "Name", "Rank"), row("Year", "Note")]
    names = column_names(rows)
    assert names == ["Year", "Note", "Rank", "Name", "Rank"]
    found = [[names[at] for at in columns_of(one, places_of(names))] for one in rows]
    assert found == [[cell.header for cell in one.cells] for one in rows]
    assert columns_of(rows[0], places_of(names)) == [0, 3, 4]


def test_readings_that_compute() -> None:
    question = "How many more people does Brock have than Corve?"
    assert 2600.0 in [plan.value for plan in _plans(question, "difference")]
    average = _plans("What is the average number of people?", "average")
    assert 1862.5 in [plan.value for plan in average]


# -- the check of a computed sentence

TEXT = "lamp | 12\nrug | 8.5\n"
PASSAGE = Passage(1, Chunk("c", "d", "prices.csv", "", None, "", Span(0, 20), TEXT, 1), 1.0)
ROWS = (ComputedRow(1, Span(0, 9), Span(7, 9)), ComputedRow(1, Span(10, 19), Span(16, 19)))


def _claim_of(computed: Computed) -> tuple[Verdict, tuple[str, ...]]:
    _, (sentence,) = parse_citations([computed])
    claim = check_computed(sentence, computed, {1: PASSAGE})
    return claim.verdict, tuple(place.text for place in claim.evidence)


def test_a_computation_is_made_again() -> None:
    computed = Computed("Computed from 2 rows: 12 + 8.5 = 20.5.", "sum", ROWS, 20.5)
    assert _claim_of(computed) == (Verdict.COMPUTED, ("lamp | 12", "rug | 8.5"))
    assert piece_text(computed).endswith("= 20.5. [1]")


@pytest.mark.parametrize(
    "computed",
    [
        Computed("Computed from 2 rows: 12 + 8.5 = 21.5.", "sum", ROWS, 21.5),
        Computed("Computed from 2 rows: 12 + 8.5 = 99.", "sum", ROWS, 20.5),
        Computed("Counted in 2 rows: 3.", "count", ROWS, 3.0),
        Computed("It is 12.", "sum", (ComputedRow(2, Span(0, 9), Span(7, 9)),), 12.0),
        Computed("It is 12.", "sum", (ComputedRow(1, Span(0, 30), Span(7, 9)),), 12.0),
        Computed("It is 12.", "sum", (ComputedRow(1, Span(0, 9), Span(0, 4)),), 12.0),
    ],
)
def test_a_false_computation_is_not_supported(computed: Computed) -> None:
    assert _claim_of(computed)[0] in (Verdict.UNSUPPORTED, Verdict.DANGLING)


def test_a_difference_and_a_count() -> None:
    less = (ROWS[0], ComputedRow(1, Span(10, 19), Span(16, 19), -1))
    difference = Computed("Computed: 12 - 8.5 = 3.5.", "difference", less, 3.5)
    assert _claim_of(difference)[0] is Verdict.COMPUTED
    counted = Computed("Counted in 2 rows of the table: 2.", "count", ROWS, 2.0)
    assert _claim_of(counted)[0] is Verdict.COMPUTED
