"""PowerPoint: merged cells, bullets, footers, what is not taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls

from rag.domain import RawDocument, RefusedPart
from rag.ingest.clean import clean_document
from tests.ingest.test_formats_office import saved
from tests.ingest.test_formats_plain import read
from tests.ingest.test_formats_word import picture
from tests.support.structure import entries, items, lists, rows


def _parsed(folder: Path, made: Any) -> tuple[RawDocument, list[RefusedPart]]:
    raw, *parts = read(folder, "a.pptx", saved(made))
    assert isinstance(raw, RawDocument)
    return raw, [part for part in parts if isinstance(part, RefusedPart)]


def test_merged_cells_are_filled(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    grid = slide.shapes.add_table(4, 3, 0, 0, 900, 900).table
    values = ("Region", "Sum", "", "", "2023", "2024", "North", "1", "2", "", "3", "4")
    for at, words in enumerate(values):
        grid.cell(at // 3, at % 3).text = words
    grid.cell(0, 1).merge(grid.cell(0, 2))
    grid.cell(0, 0).merge(grid.cell(1, 0))
    grid.cell(2, 0).merge(grid.cell(3, 0))
    raw, _ = _parsed(tmp_path, made)
    assert rows(raw) == [
        ("", {"Region": "North", "Sum / 2023": "1", "Sum / 2024": "2"}),
        ("", {"Region": "North", "Sum / 2023": "3", "Sum / 2024": "4"}),
    ]


def test_bullets_are_lists_and_boxes_are_not(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Trip"
    body = slide.placeholders[1].text_frame
    body.text = "Bring:"
    for words, level in (("a saw", 1), ("a rope", 1), ("Leave at 6.", 0)):
        paragraph = body.add_paragraph()
        paragraph.text, paragraph.level = words, level
    box = slide.shapes.add_textbox(0, 0, 9, 9).text_frame
    box.text = "First line."
    box.add_paragraph().text = "Second line."
    raw, parts = _parsed(tmp_path, made)
    assert lists(raw) == [("", "Bring:\na saw\na rope\nLeave at 6.")] and parts == []
    assert items(raw)[1:3] == [("Bring", "a saw"), ("Bring", "a rope")]


def test_bullets_that_are_switched_off_and_on(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    off = slide.placeholders[1].text_frame
    off.text = "One.\nTwo."
    on = slide.shapes.add_textbox(0, 0, 9, 9).text_frame
    on.text = "Three.\nFour."
    for frame, tag in ((off, "buNone"), (on, 'buChar char="•"')):
        for paragraph in frame.paragraphs:
            paragraph._p.get_or_add_pPr().append(parse_xml(f"<a:{tag} {nsdecls('a')}/>"))
    assert [text for _, text in lists(_parsed(tmp_path, made)[0])] == ["Three.\nFour."]


def test_what_is_not_taken_in_is_said_once_a_kind(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Figures of the year"
    for _ in range(2):
        slide.shapes.add_picture(picture(), 0, 0)
    shown = slide.shapes.add_picture(picture(), 0, 0)
    shown._element.nvPicPr.cNvPr.set("descr", "Map of the three bridges")
    figures = CategoryChartData()
    figures.categories = ["May"]
    figures.add_series("Sum", (7,))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, 0, 9, 9, figures)
    raw, parts = _parsed(tmp_path, made)
    assert raw.text == "Figures of the year\nMap of the three bridges\nSum\nMay | 7\n\n\n"
    assert [(part.name, part.reason[:9]) for part in parts] == [("/pictures", "2 picture")]


def test_a_chart_is_a_table_of_its_categories_and_series(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    figures = CategoryChartData(number_format="0%")
    figures.categories = ["North", "South"]
    figures.add_series("2023", (0.125, None))
    figures.add_series("2024", (0.5, 0.75))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, 9, 9, figures)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "Share by region"
    raw, parts = _parsed(tmp_path, made)
    assert parts == []
    assert [cells for _, cells in rows(raw)] == [
        {"": "North", "2023": "12.5%", "2024": "50%"},
        {"": "South", "2024": "75%"},
    ]
    assert "Share by region" in raw.text


def test_comments_on_a_slide_are_read_with_author_and_day(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    space = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    for owner, kind, name, xml in (
        (
            made.part,
            "commentAuthors",
            "/ppt/commentAuthors.xml",
            f'<p:cmAuthorLst {space}><p:cmAuthor id="0" name="Olga Stein"/></p:cmAuthorLst>',
        ),
        (
            slide.part,
            "comments",
            "/ppt/comments/comment1.xml",
            f'<p:cmLst {space}><p:cm authorId="0" dt="2024-09-10T10:00:00" idx="1">'
            "<p:text>Add the figures of May.</p:text></p:cm></p:cmLst>",
        ),
    ):
        part = Part(PackURI(name), "application/xml", owner.package, xml.encode())
        owner.relate_to(part, kinds + kind)
    raw, _ = _parsed(tmp_path, made)
    assert "Olga Stein: Add the figures of May." in raw.text
    assert entries(clean_document(raw, "a.pptx"))[0][:2] == ("comment of 2024-09-10", "Olga Stein")
