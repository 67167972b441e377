"""Word: tables, lists, notes, comments, headers, tracked changes, what is not taken in."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from rag.domain import RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from tests.ingest.test_formats_office import changed, saved
from tests.ingest.test_formats_plain import one, read
from tests.support.structure import entries, items, lists, of_kind, rows

W = nsdecls("w")


def fill(grid: Any, *values: str) -> None:
    for cell, words in zip((cell for row in grid.rows for cell in row.cells), values, strict=True):
        cell.text = words


def picture() -> BytesIO:
    """A picture of one point."""

    def part(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
        )

    head = struct.pack(">2L5B", 1, 1, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0\0")
    return BytesIO(
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")
    )


# -- tables --


def test_rows_have_their_names_and_the_caption_above(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Table 1: Tolls of the bridge", style="Caption")
    fill(made.add_table(3, 2), "Vehicle", "Toll", "Car", "$4.50", "Lorry", "$12.00")
    made.add_paragraph("Prices hold for the whole year.")
    document = one(tmp_path, "a.docx", saved(made))
    assert rows(document) == [
        ("Table 1: Tolls of the bridge", {"Vehicle": "Car", "Toll": "$4.50"}),
        ("Table 1: Tolls of the bridge", {"Vehicle": "Lorry", "Toll": "$12.00"}),
    ]
    assert "Lorry | $12.00\n" in document.text


def test_a_caption_may_stand_below(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("We counted for a week and found the following numbers in the end.")
    fill(made.add_table(2, 2), "Bird", "Seen", "Heron", "7")
    made.add_paragraph("Table 4. Birds at the pond", style="Caption")
    fill(made.add_table(2, 2), "Fish", "Seen", "Carp", "9")
    made.add_paragraph("Table 5. Fish in the pond", style="Caption")
    assert [context for context, _ in rows(one(tmp_path, "a.docx", saved(made)))] == [
        "Table 4. Birds at the pond",
        "Table 5. Fish in the pond",
    ]


def test_merged_cells_are_filled(tmp_path: Path) -> None:
    made = docx.Document()
    grid = made.add_table(5, 3)
    fill(grid, "Region", "Sales", "", "", "2023", "2024", "North", "1", "2", "", "3", "4", *"   ")
    grid.cell(0, 1).merge(grid.cell(0, 2))
    grid.cell(0, 0).merge(grid.cell(1, 0))
    grid.cell(2, 0).merge(grid.cell(3, 0))
    grid.cell(4, 0).merge(grid.cell(4, 2)).text = "All figures in thousands"
    assert rows(one(tmp_path, "a.docx", saved(made))) == [
        ("", {"Region": "North", "Sales / 2023": "1", "Sales / 2024": "2"}),
        ("", {"Region": "North", "Sales / 2023": "3", "Sales / 2024": "4"}),
        ("", {"Region": "All figures in thousands"}),
    ]


def test_the_file_says_which_rows_are_headers(tmp_path: Path) -> None:
    made = docx.Document()
    grid = made.add_table(3, 2)
    fill(grid, "7", "8", "a", "b", "c", "d")
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    assert rows(one(tmp_path, "a.docx", saved(made)))[0] == ("", {"7": "a", "8": "b"})


@pytest.mark.slow
def test_a_form_is_a_record(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Member data:")
    fill(made.add_table(3, 2), "Name:", "Ada Lin", "Born:", "4 May 1990", "Remarks:", "")
    bold = made.add_table(2, 2)
    fill(bold, "Client", "Acme", "Due", "June")
    for row in bold.rows:
        row.cells[0].paragraphs[0].runs[0].bold = True
    document = one(tmp_path, "a.docx", saved(made))
    records = of_kind(document, UnitKind.RECORD)
    assert [
        {cell.header: cell.span.of(document.text) for cell in record.cells} for record in records
    ] == [{"Name": "Ada Lin", "Born": "4 May 1990"}, {"Client": "Acme", "Due": "June"}]
    assert records[0].context == "Member data"
    assert [cell.name.of(document.text) for cell in records[0].cells if cell.name] == [
        "Name",
        "Born",
    ]


def test_a_table_of_one_column_is_text(tmp_path: Path) -> None:
    made = docx.Document()
    cell = made.add_table(1, 1).cell(0, 0)
    cell.text = "The lease ends in May."
    cell.add_paragraph("Bring a key.", style="List Bullet")
    cell.add_paragraph("Bring a lamp.", style="List Bullet")
    fill(cell.add_table(2, 2), "Room", "Rent", "Attic", "300")
    document = one(tmp_path, "a.docx", saved(made))
    assert items(document) == [
        ("The lease ends in May.", "Bring a key."),
        ("The lease ends in May.", "Bring a lamp."),
    ]
    assert rows(document) == [("", {"Room": "Attic", "Rent": "300"})]


def test_a_table_in_a_cell_is_text_of_the_cell(tmp_path: Path) -> None:
    made = docx.Document()
    grid = made.add_table(2, 2)
    fill(grid, "Part", "Sizes", "Bolt", "")
    fill(grid.cell(1, 1).add_table(1, 2), "M6", "M8")
    assert rows(one(tmp_path, "a.docx", saved(made))) == [("", {"Part": "Bolt", "Sizes": "M6 M8"})]


# -- lists --


def test_lists_have_their_introduction_and_are_nested(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Before you leave:")
    for words, style in (
        ("Close the windows.", "List Number"),
        ("Turn off:", "List Number"),
        ("the lights", "List Bullet"),
        ("the stove", "List Bullet"),
        ("Lock the door.", "List Number"),
    ):
        made.add_paragraph(words, style=style)
    for paragraph in made.paragraphs:
        if paragraph.style is not None and paragraph.style.name == "List Bullet":
            level = parse_xml(f'<w:numPr {W}><w:ilvl w:val="1"/></w:numPr>')
            paragraph._p.get_or_add_pPr().append(level)
    made.add_paragraph("That is all there is to do in the house before a journey begins.")
    document = one(tmp_path, "a.docx", saved(made))
    assert lists(document) == [
        (
            "Before you leave",
            "Close the windows.\nTurn off:\nthe lights\nthe stove\nLock the door.",
        )
    ]
    assert items(document) == [
        ("Before you leave", "Close the windows."),
        ("Before you leave", "Turn off:"),
        ("Before you leave / Turn off", "the lights"),
        ("Before you leave / Turn off", "the stove"),
        ("Before you leave", "Lock the door."),
    ]


def test_a_paragraph_between_steps_belongs_to_the_step_before_it(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("To change the filter:")
    made.add_paragraph("Open the lid.", style="List Number")
    made.add_paragraph("It sticks a little.")
    made.add_paragraph("Pull the filter.", style="List Number")
    made.add_paragraph("Note for the winter:")
    made.add_paragraph("Drain the pipe.", style="List Number")
    made.add_paragraph("Heat the room.", style="List Number")
    assert lists(one(tmp_path, "a.docx", saved(made))) == [
        ("To change the filter", "Open the lid.\nIt sticks a little.\nPull the filter."),
        ("Note for the winter", "Drain the pipe.\nHeat the room."),
    ]


def test_what_is_typed_as_a_list_or_a_field_is_found_too(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Phone: 555 0101")
    made.add_paragraph("Room: 12")
    made.add_paragraph("")
    made.add_paragraph("- apples")
    made.add_paragraph("- pears")
    fill(made.add_table(2, 2), "Key: x", "Value", "a", "b")
    document = one(tmp_path, "a.docx", saved(made))
    (record,) = of_kind(document, UnitKind.RECORD)
    assert [cell.header for cell in record.cells] == ["Phone", "Room"]
    assert [text for _, text in items(document)] == ["- apples", "- pears"]
    assert rows(document) == [("", {"Key: x": "a", "Value": "b"})]


# -- headings --


def test_headings_by_style_outline_and_bold_type(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_heading("Manual", 0)
    style = made.styles.add_style("My head", 1)
    style.base_style = made.styles["Heading 1"]
    made.add_paragraph("Care", style="My head")
    made.add_paragraph("Oil", style=None)._p.get_or_add_pPr().append(
        parse_xml(f'<w:outlineLvl {W} w:val="2"/>')
    )
    made.add_paragraph("Use little of it.")
    made.add_paragraph().add_run("Where to buy").bold = True
    made.add_paragraph("In any shop.")
    document = one(tmp_path, "a.docx", saved(made))
    assert [path for _, path in document.headings] == [
        "Manual",
        "Manual › Care",
        "Manual › Care › Oil",
        "Manual › Care › Oil › Where to buy",
    ]


def test_a_table_of_contents_is_masked(tmp_path: Path) -> None:
    made = docx.Document()
    made.styles.add_style("toc 1", 1)
    made.add_paragraph("Care\t7", style="toc 1")
    made.add_heading("Care", 1)
    made.add_paragraph("Use little oil.")
    (raw,) = read(tmp_path, "a.docx", saved(made))
    assert isinstance(raw, RawDocument)
    assert [span.of(raw.text) for span in raw.masked] == ["Care\t7"]


# -- what stands beside the text --


def test_headers_and_footers_stand_at_the_end_and_repeats_are_masked(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Rules of the club")
    made.add_paragraph("Members meet on Mondays.")
    section = made.sections[0]
    section.header.paragraphs[0].text = "Rules of the club"
    section.footer.paragraphs[0].text = "Reference KL-204, approved by the board"
    section.footer.add_paragraph("Page 3 of 9")
    (raw,) = read(tmp_path, "a.docx", saved(made))
    assert isinstance(raw, RawDocument)
    assert raw.text.endswith(
        "Headers and footers\nRules of the club\nReference KL-204, approved by the board\nPage 3 of 9\n"
    )
    assert [span.of(raw.text) for span in raw.masked] == ["Rules of the club", "Page 3 of 9"]


def test_comments_have_their_author_and_place(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("The rent is ")
    run = paragraph.add_run("900 euros")
    paragraph.add_run(" a month.")
    made.add_comment(run, text="Is this with heating?", author="Mira Holt", initials="MH")
    document = one(tmp_path, "a.docx", saved(made))
    assert document.text == (
        "The rent is 900 euros a month.\nComments\nMira Holt: Is this with heating?\n"
    )
    ((context, name, text),) = entries(document)
    assert context.startswith("comment of 20") and context.endswith(" on: 900 euros")
    assert (name, text) == ("Mira Holt", "Mira Holt: Is this with heating?")


def test_a_footnote_knows_its_sentence(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("It is old. The tower is 61 metres high")
    reference = parse_xml(f'<w:r {W}><w:footnoteReference w:id="2"/></w:r>')
    paragraph._p.append(reference)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    notes = (
        f'<w:footnotes {W}><w:footnote w:id="2"><w:p><w:r><w:t>Without the mast.</w:t></w:r></w:p>'
        "</w:footnote></w:footnotes>"
    ).encode()

    def add(name: str, part: bytes) -> bytes:
        if name == "word/_rels/document.xml.rels":
            link = (
                f'<Relationship Id="rId77" Type="{kind}" Target="footnotes.xml"/></Relationships>'
            )
            return part.replace(b"</Relationships>", link.encode())
        return part

    content = changed(saved(made), add, **{"word/footnotes.xml": notes})
    assert entries(one(tmp_path, "a.docx", content)) == [
        ("The tower is 61 metres high", "", "Without the mast.")
    ]


def test_text_boxes_follow_their_paragraph(tmp_path: Path) -> None:
    made = docx.Document()
    made.element.body.insert(
        0,
        parse_xml(
            f"<w:p {W}><w:r><w:t>The shop is </w:t></w:r><w:r><w:pict><w:txbxContent><w:p><w:r>"
            "<w:t>Closed on Sundays</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
            "<w:r><w:t>near the river.</w:t></w:r></w:p>"
        ),
    )
    assert (
        one(tmp_path, "a.docx", saved(made)).text
        == "The shop is near the river.\nClosed on Sundays\n"
    )


def test_tracked_changes_are_accepted(tmp_path: Path) -> None:
    made = docx.Document()
    grid = made.add_table(3, 2)
    fill(grid, "Day", "Sum", "Monday", "4", "Tuesday", "5")
    deleted = parse_xml(f'<w:del {W} w:id="1" w:author="x"/>')
    grid.rows[1]._tr.get_or_add_trPr().append(deleted)
    first, second = made.add_paragraph("The sum is "), made.add_paragraph("nine.")
    mark = parse_xml(f'<w:rPr {W}><w:del w:id="2" w:author="x"/></w:rPr>')
    first._p.get_or_add_pPr().append(mark)
    moved = parse_xml(f'<w:moveFrom {W} w:id="3"><w:r><w:t>Once here. </w:t></w:r></w:moveFrom>')
    second._p.append(moved)
    document = one(tmp_path, "a.docx", saved(made))
    assert document.text == "Day | Sum\nTuesday | 5\n\nThe sum is nine.\n"


# -- what is not taken in --


def test_what_is_not_taken_in_is_said_once_a_kind(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Some words that are long enough to be a sentence.")
    for _ in range(3):
        made.add_picture(picture())
    made.add_picture(picture())
    named = list(made.element.body.iter(qn("wp:docPr")))[-1]
    named.set("descr", "Map of the valley with the three bridges")
    made.add_paragraph().add_run("secret").font.hidden = True
    made.element.body.insert(
        0, parse_xml(f"<w:p {W}><w:r><w:object><w:OLEObject/></w:object></w:r></w:p>")
    )
    raw, *parts = read(tmp_path, "a.docx", saved(made))
    assert isinstance(raw, RawDocument) and "secret" not in raw.text
    assert "Map of the valley with the three bridges\n" in raw.text
    assert all(isinstance(part, RefusedPart) and part.cure for part in parts)
    assert [
        (part.name, part.reason.partition(":")[0])
        for part in parts
        if isinstance(part, RefusedPart)
    ] == [
        ("/pictures", "3 pictures not taken in"),
        ("/embedded objects", "1 embedded object not taken in"),
        ("/hidden texts", "1 hidden text not taken in"),
    ]


# -- hostile files --

SPAN = '<w:tc><w:tcPr><w:gridSpan w:val="{}"/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>'
CELL = "<w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>"
TEXT = "<w:p><w:r><w:t>x</w:t></w:r></w:p>"
HOSTILE = {
    "spans": "<w:tbl>" + ("<w:tr>" + SPAN.format("99999999") * 20 + "</w:tr>") * 2000 + "</w:tbl>",
    "no numbers": f"<w:tbl><w:tr>{SPAN.format('-3') + SPAN.format('²') + CELL}</w:tr></w:tbl>",
    "far cell": '<w:tbl><w:tr><w:trPr><w:gridBefore w:val="99999"/></w:trPr>'
    + CELL * 2
    + "</w:tr></w:tbl>",
    "deep tables": "<w:tbl><w:tr><w:tc>" * 75 + TEXT * 20_000 + "</w:tc></w:tr></w:tbl>" * 75,
    "deep and wide": f"<w:tbl><w:tr>{CELL}<w:tc>" * 75
    + TEXT * 20_000
    + "</w:tc></w:tr></w:tbl>" * 75,
    "boxes": "<w:p><w:r><w:pict><w:txbxContent>" * 55
    + TEXT
    + "</w:txbxContent></w:pict></w:r></w:p>" * 55,
    "comments": "<w:p>"
    + "".join(
        f'<w:commentRangeStart w:id="{n}"/><w:r><w:t>words</w:t></w:r>' for n in range(20_000)
    )
    + "".join(f'<w:commentRangeEnd w:id="{n}"/>' for n in range(20_000))
    + "</w:p>",
    "items": '<w:p><w:pPr><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr><w:r><w:t>x</w:t></w:r></w:p>'
    * 20_000,
    "deleted ends": "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>words </w:t></w:r></w:p>"
    * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_as_a_document_or_a_line(tmp_path: Path, name: str) -> None:
    made = docx.Document()
    made.add_paragraph("Words.")
    body = HOSTILE[name].encode()

    def put(part: str, content: bytes) -> bytes:
        return (
            content.replace(b"<w:body>", b"<w:body>" + body)
            if part == "word/document.xml"
            else content
        )

    try:
        (raw,) = read(tmp_path, "a.docx", changed(saved(made), put))
    except Unreadable as error:
        assert error.cure and "TypeError" not in str(error) and "ValueError" not in str(error)
        return
    assert isinstance(raw, RawDocument)
    of_kind(raw, UnitKind.ROW)


def test_styles_that_are_based_on_one_another_in_a_circle(tmp_path: Path) -> None:
    made = docx.Document()
    one_style, other = made.styles.add_style("One", 1), made.styles.add_style("Other", 1)
    one_style.base_style, other.base_style = other, one_style
    made.add_paragraph("Words of a style.", style="One")
    assert one(tmp_path, "a.docx", saved(made)).text == "Words of a style.\n"


def test_a_chart_is_read_where_it_stands(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Before the chart.")
    at = made.add_paragraph()
    made.add_paragraph("After the chart.")
    space = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    points = "".join(
        f'<c:{axis}><c:strCache><c:pt idx="0"><c:v>{value}</c:v></c:pt></c:strCache></c:{axis}>'
        for axis, value in (("tx", "Sum"), ("cat", "May"), ("val", "7.0"))
    )
    chart = (
        f'<c:chartSpace xmlns:c="{space}"><c:chart><c:ser>{points}</c:ser></c:chart></c:chartSpace>'
    )
    part = Part(
        PackURI("/word/charts/chart1.xml"), "application/xml", chart.encode(), made.part.package
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart"
    number = made.part.relate_to(part, kind)
    for target in (number, "rId999"):
        at.add_run()._r.append(
            parse_xml(
                f'<w:drawing {nsdecls("w", "r")}><c:chart xmlns:c="{space}" r:id="{target}"/>'
                "</w:drawing>"
            )
        )
    raw, *parts = read(tmp_path, "a.docx", saved(made))
    assert isinstance(raw, RawDocument)
    lines = [line for line in raw.text.split("\n") if line]
    assert lines == ["Before the chart.", "Sum", "May | 7", "After the chart."]
    assert [part.name for part in parts] == ["/charts"], "the second one has no figures"
