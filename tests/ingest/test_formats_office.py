"""Word, PowerPoint, Excel: the text that a person sees, compared with the XML by another parser."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from rag.domain import RawDocument, RefusedPart
from rag.ingest.clean import clean_document
from tests.ingest.test_formats_plain import cut, one, read, refusal


def saved(made: Any) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def changed(content: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """A zip with its members changed, left out, or added to."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            member = change(name, before.read(name))
            if member is not None:
                after.writestr(name, member)
        for name, member in more.items():
            after.writestr(name, member)
    return out.getvalue()


def second(content: bytes, part: str, tag: str) -> list[str]:
    """The texts of all elements called `tag` in a part, by the standard library alone."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tree = ElementTree.fromstring(archive.read(part))
    return [node.text or "" for node in tree.iter() if node.tag.rpartition("}")[2] == tag]


# -- Word --


def _report() -> Any:
    made = docx.Document()
    made.core_properties.title = "Pump report"
    made.core_properties.created = datetime.datetime(2024, 3, 5, 12)
    made.add_paragraph("The pump", style="Title")
    made.add_paragraph("It was mended in March. It runs again.")
    made.add_heading("Bolts", 1)
    made.add_paragraph("Tighten the bolts to 40 Nm.")
    made.add_heading("Spare", 2)
    grid = made.add_table(2, 3)
    for at, words in enumerate(("Bolt", "Size", "Price", "M8", "8 mm", "0.40 €")):
        grid.cell(at // 3, at % 3).text = words
    made.add_heading("Seals", 1)
    made.add_paragraph("Replace them\tyearly.")
    return made


def test_word(tmp_path: Path) -> None:
    content = saved(_report())
    document = one(tmp_path, "pump.docx", content)
    assert document.text == (
        "The pump\nIt was mended in March. It runs again.\nBolts\nTighten the bolts to 40 Nm.\nSpare\n"
        "Bolt | Size | Price\nM8 | 8 mm | 0.40 €\n\nSeals\nReplace them\tyearly.\n"
    )
    assert document.title == "Pump report" and document.date == "2024-03-05"
    assert [name for _, name in document.headings] == [
        "The pump",
        "The pump › Bolts",
        "The pump › Bolts › Spare",
        "The pump › Seals",
    ]
    for words in second(content, "word/document.xml", "t"):
        assert words in document.text
    chunks = cut(document, 12)
    assert {c.heading for c in chunks if "Nm" in c.text} == {"The pump › Bolts"}


def test_a_template_gives_no_date(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Some words that are long enough to be a sentence.")
    assert one(tmp_path, "a.docx", saved(made)).date is None
    made.add_paragraph("Oslo, 4 May 2021")
    assert one(tmp_path, "b.docx", saved(made)).date == "2021-05-04"


def test_word_leaves_nothing_out_that_is_shown(tmp_path: Path) -> None:
    made = docx.Document()
    w = nsdecls("w")
    made.element.body.insert(
        0,
        parse_xml(
            f"<w:p {w}><w:r><w:t>It costs </w:t></w:r><w:del><w:r><w:delText>five</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>six</w:t></w:r></w:ins><w:hyperlink><w:r><w:t> euros</w:t></w:r></w:hyperlink>"
            "<w:sdt><w:sdtContent><w:r><w:t> a day.</w:t></w:r></w:sdtContent></w:sdt></w:p>"
        ),
    )
    made.element.body.insert(
        1,
        parse_xml(
            f"<w:sdt {w}><w:sdtContent><w:p><w:r><w:t>In a control.</w:t><w:br/><w:t>After a break.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        ),
    )
    made.element.body.insert(
        2,
        parse_xml(
            f"<w:p {w}><w:r><w:t>Before.</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
        ),
    )
    outer = made.add_table(1, 2)
    outer.cell(0, 0).merge(outer.cell(0, 1)).text = "merged once"
    inner = outer.cell(0, 0).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "left", "right"
    text = one(tmp_path, "a.docx", saved(made)).text
    assert text.split("\n") == [
        "It costs six euros a day.",
        "In a control.",
        "After a break.",
        "Before.",
        "In a box.",
        "merged once",
        "left | right",
        "",
        "",
        "",
    ]


def test_footnotes_of_word_stand_at_the_end(tmp_path: Path) -> None:
    rel = (
        b'<Relationship Id="rId99" Target="footnotes.xml" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/footnotes"/></Relationships>'
    )
    kind = (
        b'<Override PartName="/word/footnotes.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        b'wordprocessingml.footnotes+xml"/></Types>'
    )
    notes = (
        f"<w:footnotes {nsdecls('w')}><w:footnote w:id='-1'><w:p/></w:footnote><w:footnote w:id='1'><w:p><w:r>"
        "<w:t>Measured in May.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    ).encode()

    def add(name: str, part: bytes) -> bytes:
        if name == "word/_rels/document.xml.rels":
            return part.replace(b"</Relationships>", rel)
        return part.replace(b"</Types>", kind) if name == "[Content_Types].xml" else part

    content = changed(saved(_report()), add, **{"word/footnotes.xml": notes})
    document = one(tmp_path, "a.docx", content)
    assert (
        document.text.endswith("\nFootnotes\nMeasured in May.\n")
        and document.headings[-1][1] == "Footnotes"
    )


# -- PowerPoint --


def _slides() -> Any:
    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "Sales"
    first.placeholders[1].text = "They rose by 12 %.\nMost of it in May."
    first.notes_slide.notes_text_frame.text = "Thank the team."
    made.slides.add_slide(made.slide_layouts[6])
    third = made.slides.add_slide(made.slide_layouts[5])
    grid = third.shapes.add_table(2, 2, 0, 0, 9_000_000, 1_000_000).table
    for at, words in enumerate(("Month", "Sum", "May", "7,000 €")):
        grid.cell(at // 2, at % 2).text = words
    third.shapes.title.text = "Months"
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 1, 1).text_frame.text = "In a group."
    return made


def test_slides_are_pages(tmp_path: Path) -> None:
    content = saved(_slides())
    raw, silent = read(tmp_path, "a.pptx", content)
    assert isinstance(raw, RawDocument) and isinstance(silent, RefusedPart)
    assert (silent.name, bool(silent.reason and silent.cure)) == ("/slide 2", True)
    assert [page.of(raw.text) for page in raw.pages] == [
        "Sales\nThey rose by 12 %.\nMost of it in May.\nNotes: Thank the team.\n\n",
        "\n",
        "Months\nMonth | Sum\nMay | 7,000 €\n\nIn a group.\n\n",
    ]
    document = clean_document(raw, "a.pptx")
    assert [name for _, name in document.headings] == [
        "Sales",
        "Months",
    ] and document.title == "Sales"
    assert [(c.page, c.heading) for c in cut(document)] == [(1, "Sales"), (3, "Months")]
    for number in (1, 3):
        for words in second(content, f"ppt/slides/slide{number}.xml", "t"):
            assert words in raw.pages[number - 1].of(raw.text)


# -- Excel --


def _book() -> Any:
    made = openpyxl.Workbook()
    towns = made.active
    towns.title = "Towns"
    towns.append(["Town", "Founded", "Share", "Height", "Seen", None, "Open"])
    towns.append(["Bergen", 1070, 0.125, 12.5, datetime.datetime(2024, 3, 5), None, True])
    towns.append([])
    towns.append(["Oslo", 1048.0, 0.5, 0.1, datetime.datetime(2024, 3, 5, 7, 30), "x", False])
    for row in (2, 4):
        towns.cell(row, 3).number_format = "0.0%"
    made.create_sheet("Empty")
    notes = made.create_sheet("Notes")
    notes.append(["Only one column."])
    made.properties.title = "Two towns"
    made.properties.created = datetime.datetime(2023, 2, 1)
    return made


def test_excel(tmp_path: Path) -> None:
    document = one(tmp_path, "a.xlsx", saved(_book()))
    assert document.text == (
        "Towns\nTown | Founded | Share | Height | Seen | Open\n"
        "Bergen | 1070 | 12.5% | 12.5 | 2024-03-05 0:00:00 | TRUE\n\n"
        "Oslo | 1048 | 50.0% | 0.1 | 2024-03-05 7:30:00 | x | FALSE\n"
        "\nEmpty\n\nNotes\nOnly one column.\n\n"
    )
    assert document.title == "Two towns" and document.date == "2023-02-01"
    assert [name for _, name in document.headings] == ["Towns", "Empty", "Notes"]


@pytest.mark.slow
def test_a_second_reader_of_excel_finds_the_same_words(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["Name", "Sum"], ["pump & seal", 42], ["två\nrader", 7_000_000], ["a  b", -3]):
        made.active.append(row)
    content = saved(made)
    text = one(tmp_path, "a.xlsx", content).text
    found = [
        said for tag in ("t", "v") for said in second(content, "xl/worksheets/sheet1.xml", tag)
    ]
    assert len(found) == 8
    for value in found:
        assert " ".join(value.split()) in text


def test_a_workbook_that_says_no_day_has_none(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["words"])
    content = changed(saved(made), lambda name, part: None if name == "docProps/core.xml" else part)
    assert one(tmp_path, "a.xlsx", content).date is None


def test_a_sheet_that_lies_about_its_size(tmp_path: Path) -> None:
    def lie(name: str, part: bytes) -> bytes:
        return re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', part)

    document = one(tmp_path, "a.xlsx", changed(saved(_book()), lie))
    assert document.text == one(tmp_path, "b.xlsx", saved(_book())).text


# -- damage --


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "make"), [("docx", _report), ("pptx", _slides), ("xlsx", _book)]
)
def test_damaged_office_files_are_refused(
    tmp_path: Path, ending: str, make: Callable[[], Any]
) -> None:
    content = saved(make())
    main = {"docx": "word/document.xml", "pptx": "ppt/presentation.xml", "xlsx": "xl/workbook.xml"}[
        ending
    ]

    def without(name: str, part: bytes) -> bytes | None:
        return None if name == main else part

    def bomb(name: str, part: bytes) -> bytes:
        laugh = b"".join(
            b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
        )
        return (
            b"<!DOCTYPE x [" + laugh + b"]>" + re.sub(rb"^<\?xml.*?\?>", b"", part)
            if name == main
            else part
        )

    def large(name: str, part: bytes) -> bytes:
        return part + b" " * (40 * 2**20) if name == main else part

    assert "entities" in refusal(tmp_path, f"a.{ending}", changed(content, bomb))
    assert "bomb" in refusal(tmp_path, f"b.{ending}", changed(content, large))
    refusal(tmp_path, f"c.{ending}", changed(content, without))
    assert "zip" in refusal(tmp_path, f"d.{ending}", content[: len(content) // 2])
    text = refusal(tmp_path, f"e.{ending}", b"not a zip at all")
    assert text.startswith("is plain text by its content")
    assert "encrypted" in refusal(
        tmp_path, f"f.{ending}", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    )
    refusal(tmp_path, f"g.{ending}", changed(content, lambda name, part: part[: len(part) // 2]))
    assert (
        one(tmp_path, f"h.{ending}", content)
        if ending != "pptx"
        else read(tmp_path, "h.pptx", content)
    )
