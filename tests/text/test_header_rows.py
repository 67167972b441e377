"""Which rows are headers, and what the columns are called."""

from __future__ import annotations

import pytest

from rag.text.header_rows import count_header_rows, join_headers

ONE = [
    [["Town", "People"], ["Bergen", "285,601"], ["Oslo", "709,037"]],
    [["Region", "2019", "2020", "2021"], ["North", "12", "15", "17"], ["South", "8", "9", "8"]],
    [["Denomination", "1870", "1941"], ["A", "72.3%", "63.1%"], ["B", "4.8%", "13.6%"]],
    [["Player", "1", "2", "3", "Sum"], ["Ann", "5", "3", "6", "14"], ["Bo", "4", "4", "1", "9"]],
    [["Player", "100s", "50s"], ["Ann", "1", "2"], ["Bo", "0", "4"]],
    [["Coin", "€0.01", "€0.02"], ["2002", "6,000", "6,000"], ["2003", "5,000", "7,000"]],
    [
        ["Item", "Value"],
        ["Rate", "7.5%"],
        ["Sum", "$1,234.50"],
        ["Code", "0042"],
        ["End", "3/15/26"],
    ],
    [["Round", "Date", "Home", ""], ["First", "", "", ""], ["Second", "13-Apr-75", "Ann", "1"]],
    [["Group", "Day", "Ten"], ["Adults", "9 euros", "80 euros"], ["Pupils", "6 euros", "52 euros"]],
    [["Name", "City"], ["Ann", "Bergen"], ["Bo", "Oslo"]],
]
NONE = [
    [["1", "2", "3"], ["4", "", "6"]],
    [["Ann", "30", "Bergen"], ["Bo", "47", "Oslo"], ["Cy", "52", "Rome"]],
    [["Monday", "6:30 to 21"], ["Saturday", "8 to 20"], ["Sunday", "9 to 18"]],
    [["Name:", "Ann"], ["City:", "Bergen"], ["Phone:", "555"]],
    [
        ["Loan", "Car"],
        ["Rate", "7.5%"],
        ["Start", "2024-05-01"],
        ["Sum", "$9"],
        ["Who", "Ann"],
        ["Bank", "Nord"],
    ],
    [
        ["1962", "The Trial", "Hilda"],
        ["1949", "In Summer", "Baby"],
        ["1954", "The Trailer", "Guest"],
    ],
    [["only", "one"]],
    [],
]


@pytest.mark.parametrize("rows", ONE)
def test_one_header_row(rows: list[list[str]]) -> None:
    assert count_header_rows(rows) == 1


@pytest.mark.parametrize("rows", NONE)
def test_no_header_row(rows: list[list[str]]) -> None:
    assert count_header_rows(rows) == 0


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize(
    "lower",
    [["Income", "Costs", "Income", "Costs"], ["2023", "2024", "2023", "2024"]],
)
def test_two_header_rows(filled: bool, lower: list[str]) -> None:
    first = ["Branch", "Main", "Main", "Other", "Other"]
    second = ["Branch", *lower]
    if not filled:
        first, second = ["Branch", "Main", "", "Other", ""], ["", *lower]
    rows = [first, second, ["A", "5", "6", "7", "8"], ["B", "1", "2", "3", "4"]]
    assert count_header_rows(rows) == 2
    assert join_headers(rows[:2]) == [
        "Branch",
        f"Main / {lower[0]}",
        f"Main / {lower[1]}",
        f"Other / {lower[2]}",
        f"Other / {lower[3]}",
    ]


def test_three_header_rows() -> None:
    rows = [
        ["Kind", "2023", "2023", "2023", "2023"],
        ["Kind", "North", "North", "South", "South"],
        ["Kind", "men", "women", "men", "women"],
        ["Wine", "1", "2", "3", "4"],
        ["Beer", "5", "6", "7", "8"],
    ]
    assert count_header_rows(rows) == 3
    assert join_headers(rows[:3])[3] == "2023 / South / men"


def test_a_name_twice_apart_is_no_merged_cell() -> None:
    rows = [
        ["Code", "Year", "Code", "Year"],
        ["A", "1927", "A1", "1955"],
        ["B", "1928", "B1", "1956"],
    ]
    assert count_header_rows(rows) == 1
