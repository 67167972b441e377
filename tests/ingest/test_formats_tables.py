"""Workbooks and tables in text files: merged and hidden cells, several tables, rows and sheets."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter

from rag.domain import Document, RawDocument, RefusedPart, Unit, UnitKind
from rag.ingest.clean import clean_document
from rag.text.units import row_text, sheet_rows
from tests.ingest.test_formats_office import saved
from tests.ingest.test_formats_plain import cut, one, read, refusal
from tests.support.bombs import ods


def rows_of(document: Document) -> list[str]:
    """Return the rows as they are read, each after its context."""
    return [
        f"[{unit.context}] {row_text(unit, document.text)}" if unit.context
        else row_text(unit, document.text)
        for unit in _rows(document)
    ]  # fmt: skip


def _rows(document: Document) -> list[Unit]:
    return [unit for unit in document.units if unit.kind is UnitKind.ROW]


def workbook(fill: Callable[[Any], object]) -> bytes:
    made = openpyxl.Workbook()
    fill(made.active)
    return saved(made)


# -- Excel --


def test_merged_cells_belong_to_all_that_they_cover(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        sheet.title = "Branches"
        for row in (
            ["Results of the branches"],
            ["Region", "Branch", 2023, None, 2024, None],
            [None, None, "Income", "Costs", "Income", "Costs"],
            ["North", "Main", 580, 410, 640, 455],
            [None, "Harbour", 310, 205, 335, 215],
            ["All regions", None, 890, 615, 975, 670],
        ):
            sheet.append(row)
        for cells in ("A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "A4:A5", "A6:B6"):
            sheet.merge_cells(cells)

    document = one(tmp_path, "a.xlsx", workbook(fill))
    assert rows_of(document)[1:] == [
        "[Results of the branches] Region: North; Branch: Harbour; 2023 / Income: 310; "
        "2023 / Costs: 205; 2024 / Income: 335; 2024 / Costs: 215",
        "[Results of the branches] Region: All regions; 2023 / Income: 890; 2023 / Costs: 615; "
        "2024 / Income: 975; 2024 / Costs: 670",
    ]
    assert [unit.row for unit in _rows(document)] == [4, 5, 6]
    assert "Results of the branches\n" in document.text


def test_a_merged_row_labels_the_rows_below_it(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        for row in (
            ["Item", "Size", "Price"],
            ["Drinks"],
            ["Tea", "small", 2],
            ["Food"],
            ["Bread", "large", 3],
        ):
            sheet.append(row)
        sheet.merge_cells("A2:C2")
        sheet.merge_cells("A4:C4")

    assert rows_of(one(tmp_path, "a.xlsx", workbook(fill))) == [
        "[Drinks] Item: Tea; Size: small; Price: 2",
        "[Food] Item: Bread; Size: large; Price: 3",
    ]


def test_several_tables_on_a_sheet(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        left: list[list[object]] = [["Staff"], ["Name", "Age"], ["Ann", 30], ["Bo", 41]]
        right: list[list[object]] = [["Rooms"], ["Room", "Seats"], ["Hall", 200], ["Attic", 12]]
        for number, (a, b) in enumerate(zip(left, right, strict=True), 2):
            for column, value in enumerate(a, 1):
                sheet.cell(number, column, value)
            for column, value in enumerate(b, 5):
                sheet.cell(number, column, value)
        for row in (["Town", "People"], ["Oslo", 709_037], [], ["Total", 709_037]):
            sheet.append(row)
        sheet.move_range("A6:B9", rows=3)

    document = one(tmp_path, "a.xlsx", workbook(fill))
    assert rows_of(document) == [
        "[Staff] Name: Ann; Age: 30",
        "[Staff] Name: Bo; Age: 41",
        "[Rooms] Room: Hall; Seats: 200",
        "[Rooms] Room: Attic; Seats: 12",
        "Town: Oslo; People: 709037",
        "Town: Total; People: 709037",
    ]
    assert [unit.row for unit in _rows(document)] == [4, 5, 4, 5, 10, 12]


def test_hidden_parts_are_left_out_and_said(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Prices"
    for row in (["Item", "Cost", "Price"], ["Tea", 1, 2], ["Gin", 5, 9], ["Rum", 6, 8]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    made.create_sheet("Old").append(["secret", 1])
    made["Old"].sheet_state = "hidden"
    raw, *refused = read(tmp_path, "a.xlsx", saved(made))
    assert isinstance(raw, RawDocument)
    assert rows_of(clean_document(raw, "a.xlsx")) == ["Item: Tea; Price: 2", "Item: Rum; Price: 8"]
    said = {part.name: part.reason for part in refused if isinstance(part, RefusedPart)}
    assert set(said) == {"/hidden sheets", "/hidden rows", "/hidden columns"}
    assert "“Old”" in said["/hidden sheets"]
    assert "row 3 of “Prices”" in said["/hidden rows"]
    assert "column B of “Prices”" in said["/hidden columns"]


@pytest.mark.parametrize("filtered", [True, False])
def test_rows_out_of_view_are_read(tmp_path: Path, filtered: bool) -> None:
    def fill(sheet: Any) -> None:
        for row in (["Item", "Price"], ["Tea", 2], ["Gin", 9]):
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True
        if filtered:
            sheet.auto_filter.ref = "A1:B3"
            sheet.auto_filter.add_filter_column(0, ["Tea"])
        else:
            sheet.row_dimensions[3].outlineLevel = 1

    document = one(tmp_path, "a.xlsx", workbook(fill))
    assert rows_of(document)[1] == "Item: Gin; Price: 9"


def test_formulas_without_a_saved_value_are_said(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Item", "Price"])
        sheet.append(["Tea", "=1+1"])

    raw, part = read(tmp_path, "a.xlsx", workbook(fill))
    assert isinstance(raw, RawDocument) and isinstance(part, RefusedPart)
    assert part.name == "/formulas" and part.reason.startswith("1 cells not taken in")


def test_values_are_shown_by_their_formats(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Item", "Value"])
        for value, code in (
            (42, "0000"),
            (0.075, "0.0%"),
            (1234.5, '"$"#,##0.00'),
            (datetime.datetime(2026, 3, 15), "dd/mm/yyyy"),
        ):
            sheet.append(["x", value])
            sheet.cell(sheet.max_row, 2).number_format = code

    document = one(tmp_path, "a.xlsx", workbook(fill))
    shown = [unit.cells[1].span.of(document.text) for unit in _rows(document)]
    assert shown == ["0042", "7.5%", "$1,234.50", "15/03/2026"]


def test_a_passage_of_a_workbook_knows_sheet_and_rows(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "First"
    made.active.append(["a", "b"])
    second = made.create_sheet("Second")
    for number in range(40):
        second.append([f"name {number}", number] if number else ["Name", "Number"])
    chunks = cut(one(tmp_path, "a.xlsx", saved(made)))
    last = chunks[-1]
    assert sheet_rows(last)[0] == "Second" and sheet_rows(last)[2] == 40
    row = next(unit for unit in last.units if unit.row == 40)
    assert sheet_rows(last, row.span) == ("Second", 40, 40)
    assert "name 39" in row.span.of("x" * last.span.start + last.text)


# -- OpenDocument --

CELL = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>"


def cells(*texts: str, more: str = "") -> str:
    inner = "".join(CELL.format("", text) for text in texts)
    return f"<table:table-row {more}>{inner}</table:table-row>"


def test_an_opendocument_sheet(tmp_path: Path) -> None:
    raw, note = read(
        tmp_path,
        "a.ods",
        ods(
            "<table:table-row>"
            + CELL.format('table:number-columns-spanned="2"', "Offers")
            + "</table:table-row>"
            + cells("Item", "Price")
            + "<table:table-row>"
            + CELL.format('table:number-rows-spanned="2"', "Tea")
            + CELL.format("", "1.50 <text:s/><text:span>€</text:span>")
            + "</table:table-row><table:table-row><table:covered-table-cell/>"
            + CELL.format("", "2.50 €")
            + "</table:table-row>"
            + cells("Gin", "9.00 €", more='table:visibility="filter"')
            + '<table:table-row table:number-rows-repeated="1000"><table:table-cell/></table:table-row>'
            + cells("Rum<office:annotation><text:p>note</text:p></office:annotation>", "8 €")
            + '<table:table-row table:number-rows-repeated="1047000">'
            '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        ),
    )
    assert isinstance(raw, RawDocument) and isinstance(note, RefusedPart)
    assert note.name == "/comments on cells"
    document = clean_document(raw, "a.ods")
    assert rows_of(document) == [
        "[Offers] Item: Tea; Price: 1.50 €",
        "[Offers] Item: Tea; Price: 2.50 €",
        "[Offers] Item: Gin; Price: 9.00 €",
        "[Offers] Item: Rum; Price: 8 €",
    ]
    assert [unit.row for unit in _rows(document)] == [3, 4, 5, 1006]
    assert [name for _, name in document.headings] == ["Sheet"]


def test_hidden_parts_of_an_opendocument_sheet(tmp_path: Path) -> None:
    content = ods(
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        + cells("Item", "Cost", "Price")
        + cells("Tea", "1", "2")
        + cells("Gin", "5", "9", more='table:visibility="collapse"')
        + '</table:table><table:table table:name="Old" table:style-name="off">'
        + cells("secret", "7"),
        '<style:style style:name="off"><style:table-properties table:display="false"/></style:style>',
    )
    raw, *refused = read(tmp_path, "a.ods", content)
    assert isinstance(raw, RawDocument) and "secret" not in raw.text
    assert rows_of(clean_document(raw, "a.ods")) == ["Item: Tea; Price: 2"]
    said = {part.name: part.reason for part in refused if isinstance(part, RefusedPart)}
    assert set(said) == {"/hidden sheets", "/hidden rows", "/hidden columns"}


def test_rows_that_repeat_are_read_as_often(tmp_path: Path) -> None:
    content = ods(cells("Item", "Price") + cells("Tea", "2", more='table:number-rows-repeated="3"'))
    document = one(tmp_path, "a.ods", content)
    assert [unit.row for unit in _rows(document)] == [2, 3, 4]


def test_damaged_opendocument_files(tmp_path: Path) -> None:
    assert "plain text by its content" in refusal(tmp_path, "a.ods", b"no zip")
    content = ods("")
    refusal(tmp_path, "b.ods", content[: len(content) // 2])
    assert "not a .ods file" in refusal(tmp_path, "c.ods", ods("<broken"))


# -- text --


@pytest.mark.parametrize(
    "text",
    [
        "name;price\nbread;1,50\nmilk;0,99\n",
        "sep=;\nname;price\nbread;1,50\nmilk;0,99\n",
        "\ufeffname\tprice\nbread\t1,50\nmilk\t0,99\n",
        "Prices of the shop\nname;price\nbread;1,50\nmilk;0,99\n",
        "name|price\nbread|1,50\nmilk|0,99\n",
    ],
)
def test_what_divides_the_values(tmp_path: Path, text: str) -> None:
    found = [row.rpartition("] ")[2] for row in rows_of(one(tmp_path, "a.csv", text.encode()))]
    assert found == ["name: bread; price: 1,50", "name: milk; price: 0,99"]


def test_lines_of_a_text_file_are_its_records(tmp_path: Path) -> None:
    text = 'Sales\n\nYear,Sum\n2023,7\n2022,"8\n9"\n\n\nNotes\nname,phone\n"Ann, B",555\n'
    document = one(tmp_path, "a.csv", text.encode())
    assert document.text.split("\n") == [
        *("Sales", "", "Year | Sum", "2023 | 7", "2022 | 8 9", "", ""),
        *("Notes", "name | phone", "Ann, B | 555", ""),
    ]
    assert rows_of(document) == [
        "[Sales] Year: 2023; Sum: 7",
        "[Sales] Year: 2022; Sum: 8 9",
        "[Notes] name: Ann, B; phone: 555",
    ]


def test_a_header_on_each_page_is_no_row(tmp_path: Path) -> None:
    text = "name,sum\nann,1\nbo,2\nname,sum\ncy,3\nTotal,6\n"
    assert rows_of(one(tmp_path, "a.csv", text.encode())) == [
        "name: ann; sum: 1",
        "name: bo; sum: 2",
        "name: cy; sum: 3",
        "name: Total; sum: 6",
    ]


def test_a_workbook_and_a_text_file_say_the_same(tmp_path: Path) -> None:
    rows = [["Town", "2019", "2020"], ["Bergen", "12", "15"], ["Oslo", "7", "9"]]
    text = "\n".join(",".join(row) for row in rows).encode()
    book = workbook(lambda sheet: [sheet.append(row) for row in rows] and None)
    sheet = ods("".join(cells(*row) for row in rows))
    found = [
        rows_of(one(tmp_path, name, content))
        for name, content in (("a.csv", text), ("a.xlsx", book), ("a.ods", sheet))
    ]
    assert found[0] == found[1] == found[2] == ["Town: Bergen; 2019: 12; 2020: 15",
                                                "Town: Oslo; 2019: 7; 2020: 9"]  # fmt: skip


def test_letters_of_columns() -> None:
    from rag.ingest.formats.sheet_hidden import column_letters

    for number in (1, 26, 27, 702, 703, 16_384):
        assert column_letters(number) == get_column_letter(number)


def test_what_lies_beside_the_cells_is_said(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        for row in (["Month", "Sum"], ["May", 7], ["June", 9]):
            sheet.append(row)
        sheet["B2"].comment = Comment("Is this net?", "Olga Stein")
        sheet["B3"].comment = Comment("And this?", "Olga Stein")
        chart = BarChart()
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        sheet.add_chart(chart, "D2")

    _, *parts = read(tmp_path, "a.xlsx", workbook(fill))
    said = {part.name: part.reason for part in parts if isinstance(part, RefusedPart)}
    assert set(said) == {"/charts", "/comments on cells"}
    assert said["/charts"].startswith("1 chart not taken in")
    assert said["/comments on cells"].startswith("2 comments on cells not taken in")


def test_what_lies_beside_the_cells_of_an_opendocument_sheet_is_said(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>Is this net?</text:p></office:annotation>"
    chart = '<draw:object/><draw:image draw:name="./ObjectReplacements/Object 1"/>'
    _, *parts = read(
        tmp_path, "a.ods", ods(cells("Month", "Sum") + cells("May" + note, "7" + chart))
    )
    assert {part.name for part in parts if isinstance(part, RefusedPart)} == {
        "/comments on cells",
        "/embedded objects",
    }


# -- groups and headers of several rows --


def test_a_text_alone_in_its_row_names_the_rows_below_it(tmp_path: Path) -> None:
    rows = (
        "Group,2023,2024,2025\nAdults,,,\nSwimming,,,\nWomen,12,14,15\nMen,10,9,11\n"
        "Rowing,,,\nWomen,4,5,6\nMen,7,7,8\nChildren,,,\nSwimming,,,\nWomen,31,29,30\nMen,28,30,27\n"
    )
    document = one(tmp_path, "a.csv", rows.encode())
    assert [(unit.context, unit.cells[0].span.of(document.text)) for unit in _rows(document)] == [
        ("Adults / Swimming", "Women"),
        ("Adults / Swimming", "Men"),
        ("Adults / Rowing", "Women"),
        ("Adults / Rowing", "Men"),
        ("Children / Swimming", "Women"),
        ("Children / Swimming", "Men"),
    ]
    assert document.text.count("Rowing") == 1


def test_a_row_whose_values_are_missing_names_no_group(tmp_path: Path) -> None:
    rows = "Town,2023,2024\nBergen,12,14\nGuam,,\nHawaii,4,\nIdaho,,\nKansas,9,8\n"
    document = one(tmp_path, "a.csv", rows.encode())
    assert [unit.context for unit in _rows(document)] == [""] * 5


def test_units_below_merged_names_are_headers(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        for row in (
            ["Product", "Country", "Amount", "Value", "Amount", "Value"],
            [None, None, "kg", "euros", "kg", "euros"],
            ["Pears", "Japan", 106, 5023, 107, 4836],
            ["Plums", "Chile", 49, 1479, 63, 2191],
        ):
            sheet.append(row)
        for cells in ("A1:A2", "B1:B2"):
            sheet.merge_cells(cells)

    document = one(tmp_path, "a.xlsx", workbook(fill))
    (pears, _) = _rows(document)
    assert [cell.header for cell in pears.cells] == [
        "Product",
        "Country",
        "Amount / kg",
        "Value / euros",
        "Amount / kg",
        "Value / euros",
    ]
