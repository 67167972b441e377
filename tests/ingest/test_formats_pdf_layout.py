"""The layout of PDF pages: columns, tables, running heads, divided words, contents, rotation."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pypdf
import pytest

from rag.domain import Document, RawDocument, Unit, UnitKind
from rag.ingest.clean import clean_document
from rag.ingest.formats.pdf import read_pdf
from rag.text.sentences import split_sentences
from tests.support.pdf_files import (
    LAYOUTS,
    columns_page,
    drawn_pdf,
    layout_page,
    made_up_text,
    pdf,
    rule,
    same_order,
    show,
    table,
)


def read(content: bytes) -> Document:
    raw = next(iter(read_pdf(content)))
    assert isinstance(raw, RawDocument)
    return clean_document(raw, "a.pdf")


def rows(document: Document) -> list[dict[str, str]]:
    """The rows of all tables: header and value of each cell."""
    return [
        {cell.header: cell.span.of(document.text) for cell in unit.cells}
        for unit in document.units
        if unit.kind is UnitKind.ROW
    ]


def row_units(document: Document) -> list[Unit]:
    return [unit for unit in document.units if unit.kind is UnitKind.ROW]


def open_text(document: Document) -> str:
    """The text without what is masked."""
    text = document.text
    for span in reversed(document.mask):
        text = text[: span.start] + text[span.end :]
    return text


# -- columns


@pytest.mark.parametrize("number", range(len(LAYOUTS)))
def test_columns_are_read_one_after_the_other(number: int) -> None:
    content, text = layout_page(number)
    assert same_order(read(content).text, text) >= 0.98


@pytest.mark.parametrize(
    ("box", "matrix"),
    [
        ("/Rotate 90", "0 1 -1 0 612 0"),
        ("/Rotate 180", "-1 0 0 -1 612 792"),
        ("/Rotate 270", "0 -1 1 0 0 792"),
        ("", "0 1 -1 0 612 0"),
    ],
)
def test_a_page_on_its_side_is_read_like_another(box: str, matrix: str) -> None:
    operators, text = columns_page(LAYOUTS[3], made_up_text(20, 7))
    turned = [b"q 0.75 0 0 0.75 0 0 cm", f"{matrix} cm".encode(), *operators, b"Q"]
    assert same_order(read(drawn_pdf([turned], box=box)).text, text) >= 0.98


def test_a_table_between_columns_is_not_cut() -> None:
    header, *values = ["Kiln", "Weight", "Power", "Price"], ["K1", "31", "750", "890"], [
        "K2",
        "48",
        "1,100",
        "1,250",
    ], ["K3", "77", "2,400", "1,990"]  # fmt: skip
    above, first = columns_page(LAYOUTS[0], made_up_text(4, 1))
    below, last = columns_page(LAYOUTS[0], made_up_text(4, 2))
    lowered = [b"q 0.4 0 0 0.4 100 20 cm", *below, b"Q"]
    raised = [b"q 0.4 0 0 0.4 100 440 cm", *above, b"Q"]
    document = read(drawn_pdf([[*raised, *table(100, 400, [80] * 4, [header, *values]), *lowered]]))
    assert rows(document) == [dict(zip(header, row, strict=True)) for row in values]
    assert document.text.index(first.split()[0]) < document.text.index("Kiln")
    assert document.text.index("K3") < document.text.rindex(last.split()[-1])


# -- tables

PRICES = [
    ["Model", "Weight (kg)", "Price"],
    ["K-100", "31", "890"],
    ["K-200", "48", "1,250"],
    ["K-300", "77", "1,990"],
    ["K-400", "102", "2,740"],
]


@pytest.mark.parametrize("ruled", [False, True])
def test_a_row_of_a_table_is_a_unit_of_named_cells(ruled: bool) -> None:
    content = drawn_pdf(
        [
            [
                show(60, 720, "Table 1: Kilns of the K series"),
                *table(60, 700, [100, 90, 90], PRICES, ruled=ruled),
                show(60, 560, "All kilns come with a guarantee of 3 years."),
            ]
        ]
    )
    document = read(content)
    header, *values = PRICES
    assert rows(document) == [dict(zip(header, row, strict=True)) for row in values]
    assert {unit.context for unit in row_units(document)} == {"Table 1: Kilns of the K series"}
    assert document.text.endswith("All kilns come with a guarantee of 3 years.\n")
    second = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert all(value in second for row in rows(document) for value in row.values())


def test_lines_in_one_cell_are_one_value() -> None:
    operators = table(60, 700, [100, 200], [["Term", "Meaning"], ["Kiln", ""], ["Flux", ""]])
    operators += [show(163, 672, "An oven for pots"), show(163, 661, "and for tiles")]
    operators += [show(163, 640, "What lets glazes"), show(163, 629, "melt earlier")]
    operators += [rule(60, y, 360, y) for y in (700, 684, 656, 620)]
    operators += [rule(x, 620, x, 700) for x in (60, 160, 360)]
    found = rows(
        read(drawn_pdf([[*operators[:2], *operators[2:3], *operators[4:], show(63, 640, "Flux")]]))
    )
    assert {"Term": "Kiln", "Meaning": "An oven for pots and for tiles"} in found
    assert {"Term": "Flux", "Meaning": "What lets glazes melt earlier"} in found


@pytest.mark.parametrize("repeated", [False, True])
def test_a_table_goes_on_on_the_next_page(repeated: bool) -> None:
    header = PRICES[0]
    later = [["K-500", "110", "3,000"], ["K-600", "121", "3,400"], ["K-700", "140", "4,100"]]
    pages = [
        table(60, 700, [100, 90, 90], PRICES),
        table(60, 700, [100, 90, 90], [header, *later] if repeated else later),
    ]
    document = read(drawn_pdf(pages))
    assert rows(document) == [dict(zip(header, row, strict=True)) for row in PRICES[1:] + later]
    second = document.pages[1]
    assert all(unit.span.within(second) for unit in row_units(document)[4:])


def test_a_cell_over_several_columns_or_rows_is_filled_in() -> None:
    head = [["Region", "Sales", ""], ["", "2023", "2024"], ["North", "10", "12"], ["", "20", "22"]]
    operators = table(60, 700, [80, 80, 80], head)
    operators += [rule(60, y, 300, y) for y in (700, 668, 636)]
    operators += [rule(140, 684, 300, 684), rule(140, 652, 300, 652)]
    operators += [rule(x, 636, x, 700) for x in (60, 140, 300)] + [rule(220, 636, 220, 684)]
    found = rows(read(drawn_pdf([operators])))
    assert [list(row.values()) for row in found] == [["North", "10", "12"], ["North", "20", "22"]]
    assert any("Sales" in name and "2024" in name for name in found[0])


# -- furniture


def _minutes(pages: int) -> bytes:
    found = []
    for n in range(1, pages + 1):
        found.append(
            [
                show(60, 760, "Harbour board, minutes of 2024", 8),
                show(60, 700, f"Item {'abcdefgh'[n % 8]} was heard and agreed to."),
                show(60, 688, "The clerk then wrote to all owners that they must"),
                show(290, 30, f"Page {n} of {pages}", 8),
            ]
        )
        if n > 1:
            found[-1].insert(1, show(60, 712, "pay their fees by the end of the month."))
    return drawn_pdf(found)


def test_running_heads_are_said_once_and_page_numbers_are_masked() -> None:
    document = read(_minutes(6))
    shown = open_text(document)
    assert shown.count("Harbour board") == 1 and "of 6" not in shown
    assert document.text.count("Harbour board") == 6 and "Page 4 of 6" in document.text


def test_a_sentence_over_a_page_break_is_one() -> None:
    document = read(_minutes(6))
    whole = (
        "The clerk then wrote to all owners that they must pay their fees by the end of the month."
    )
    found = [span.of(document.text) for span in split_sentences(document.text)]
    assert found.count(whole) == 5
    starts = [page.start for page in document.pages]
    assert [document.text[start:].startswith("pay their fees") for start in starts[1:]] == [
        True
    ] * 5


def test_a_line_that_states_other_numbers_is_no_running_head() -> None:
    pages = [
        [
            show(60, 700, "Invoice"),
            show(60, 740, f"Total: {70 + 13 * n} euros"),
            show(60, 650, "Paid."),
        ]
        for n in range(4)
    ]
    shown = open_text(read(drawn_pdf(pages)))
    assert all(f"Total: {70 + 13 * n} euros" in shown for n in range(4))


def test_numbers_of_lines_are_masked() -> None:
    lines = [show(90, 700 - 24 * n, f"Then witness {chr(65 + n)} was heard.") for n in range(12)]
    numbers = [show(60, 700 - 24 * n, str(n + 1)) for n in range(12)]
    document = read(drawn_pdf([[*lines, *numbers]]))
    assert "Then witness C was heard." in document.text and not rows(document)


def test_a_table_of_contents_names_chapter_and_page() -> None:
    chapters = [("Foreword", 2), ("Kitchen", 8), ("Cloakroom", 9), ("Safety", 11)]
    lines = [f"{name} {'.' * (60 - len(name))} {page}" for name, page in chapters]
    document = read(pdf([("Contents", *lines), ("Foreword", "The hall is let to clubs.")]))
    assert rows(document) == [{"Chapter": name, "Page": str(page)} for name, page in chapters]
    assert "...." not in document.text


# -- words


def test_a_divided_word_is_whole_and_a_compound_keeps_its_hyphen() -> None:
    document = read(
        pdf(
            [
                (
                    "The mainte-",
                    "nance contract is for the lift. The chair was re-",
                    "elected. It has a state-of-",
                    "the-art brake and a well-",
                    "known maker, as of 2019-",
                    "2024.",
                )
            ]
        )
    )
    for words in ("maintenance", "re-elected", "state-of-the-art", "well-known"):
        assert words in document.text


def test_the_text_itself_decides_about_a_hyphen() -> None:
    lines = (
        "A cross-",
        "ing of the road. The crossing is wide. The long-",
        "term plan, a long-term one.",
    )
    text = read(pdf([lines])).text
    assert "A crossing of" in text and text.count("long-term") == 2


def test_ligatures_are_letters() -> None:
    content = drawn_pdf([[b"BT /F1 12 Tf 72 700 Td (The \001ne o\002ce) Tj ET"]]).replace(
        b"/Encoding /WinAnsiEncoding",
        b"/Encoding << /BaseEncoding /WinAnsiEncoding /Differences [1 /fi /ffi] >>",
    )
    assert "The fine office" in read(content).text


def test_higher_lines_are_headings_without_a_table_of_contents() -> None:
    body = [show(60, 690 - 12 * n, "The boats are kept in the shed in winter.") for n in range(4)]
    document = read(
        drawn_pdf([[show(60, 720, "Winter storage", 16), *body, show(60, 600, "Fees", 13), *[
            show(60, 580 - 12 * n, "A place in the shed costs 90 euros a month.") for n in range(3)
        ]]])
    )  # fmt: skip
    assert [path for _, path in document.headings] == ["Winter storage", "Winter storage › Fees"]


# -- limits


def _seconds(content: bytes) -> float:
    started = time.process_time()
    list(read_pdf(content))
    return time.process_time() - started


@pytest.mark.slow
def test_time_grows_with_the_pages() -> None:
    operators, _ = columns_page(LAYOUTS[3], made_up_text(40, 3))
    few, many = drawn_pdf([operators] * 5), drawn_pdf([operators] * 40)
    assert _seconds(many) < 16 * _seconds(few) + 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "operators",
    [
        [show(100, 400, "word")] * 20_000,
        [show(n % 500, n // 50, "a b") for n in range(20_000)],
        [rule(0, n / 10, 600, n / 10) for n in range(4000)]
        + [rule(n / 10, 0, n / 10, 700) for n in range(4000)]
        + [show(100, 400, f"word {n}") for n in range(9)],
        [show(10, 700, "- " * 9000), show(10, 600, ". " * 9000)],
        [show(0, 790 - n / 3, f"{n} {'.' * 50} {n}", 0.5) for n in range(2000)],
    ],
    ids=["one place", "dust", "rules", "dots", "leaders"],
)
def test_a_hostile_page_is_read_in_seconds(operators: list[bytes]) -> None:
    assert _seconds(drawn_pdf([operators])) < 5


@pytest.mark.slow
def test_five_hundred_pages_are_within_the_limits(tmp_path: Path) -> None:
    from rag.ingest.load import File, load_file

    operators, _ = columns_page(LAYOUTS[7], made_up_text(40, 3))
    content = drawn_pdf([operators] * 500)
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    (raw,) = load_file(File(str(path), path.name, len(content), 0))
    assert isinstance(raw, RawDocument) and len(raw.pages) == 500
