"""OpenDocument: what LibreOffice shows, with its tables, lists, notes; hostile files end in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.domain import RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from rag.ingest.clean import clean_document
from tests.ingest.test_formats_office import changed
from tests.ingest.test_formats_plain import cut, one, read, refusal
from tests.support.opendocument import document, p, table
from tests.support.structure import entries, items, lists, of_kind, rows


def test_paragraphs_and_headings(tmp_path: Path) -> None:
    body = (
        '<text:h text:outline-level="1">Pump</text:h>'
        + p('It was<text:s text:c="2"/>mended<text:tab/>in <text:span>May</text:span>.')
        + '<text:h text:outline-level="2">Seals</text:h>'
        + p("One.<text:line-break/>Two.", "Three\nlines  of XML.")
    )
    meta = (
        "<dc:title>Pump report</dc:title><meta:creation-date>2024-03-05T12:00</meta:creation-date>"
    )
    found = one(tmp_path, "a.odt", document(body, meta=meta))
    assert found.text == "Pump\nIt was mended\tin May.\nSeals\nOne.\nTwo.\nThree lines of XML.\n"
    assert (found.title, found.date) == ("Pump report", "2024-03-05")
    assert [path for _, path in found.headings] == ["Pump", "Pump › Seals"]


def test_tables_with_merged_and_repeated_cells(tmp_path: Path) -> None:
    body = p("Tolls of the bridge:") + (
        '<table:table><table:table-column table:number-columns-repeated="3"/>'
        "<table:table-header-rows><table:table-row>"
        "<table:table-cell><text:p>Vehicle</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-spanned="2"><text:p>Toll</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row></table:table-header-rows>"
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Car</text:p>'
        '</table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>$4</text:p>'
        '</table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        "<table:table-row><table:covered-table-cell/><table:table-cell><text:p>$5</text:p>"
        "</table:table-cell><table:table-cell><text:p>$6</text:p></table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
        "</table:table>"
    )
    found = one(tmp_path, "a.odt", document(body))
    assert found.text.split("\n")[1:4] == [
        "Vehicle | Toll | Toll",
        "Car | $4 | $4",
        "Car | $5 | $6",
    ]
    assert rows(found)[1][0] == "Tolls of the bridge"
    assert [[cell.header for cell in unit.cells] for unit in of_kind(found, UnitKind.ROW)] == 2 * [
        ["Vehicle", "Toll", "Toll"]
    ]


def test_a_caption_below_by_its_style(tmp_path: Path) -> None:
    styles = '<style:style style:name="P7" style:parent-style-name="Table"/>'
    body = table("Bird|Seen", "Heron|7") + '<text:p text:style-name="P7">Birds at the pond</text:p>'
    assert rows(one(tmp_path, "a.odt", document(body, styles=styles))) == [
        ("Birds at the pond", {"Bird": "Heron", "Seen": "7"})
    ]


def test_lists_are_nested_and_items_keep_their_paragraphs(tmp_path: Path) -> None:
    body = p("Bring to the camp:") + (
        "<text:list><text:list-item><text:p>Tools:</text:p><text:list><text:list-item>"
        "<text:p>a saw</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>Food.</text:p><text:p>For three days.</text:p></text:list-item>"
        "</text:list>"
    )
    found = one(tmp_path, "a.odt", document(body + p("Nothing else is needed up there.")))
    assert lists(found) == [("Bring to the camp", "Tools:\na saw\nFood.\nFor three days.")]
    assert items(found) == [
        ("Bring to the camp", "Tools:"),
        ("Bring to the camp / Tools", "a saw"),
        ("Bring to the camp", "Food.\nFor three days."),
    ]


def test_notes_comments_boxes_changes_and_margins(tmp_path: Path) -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>Gone.</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        "<text:p>The tower is 61 metres high<text:note text:note-class='footnote'>"
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>Without the mast.</text:p>"
        "</text:note-body></text:note> and old<office:annotation><dc:creator>Mira Holt</dc:creator>"
        "<dc:date>2024-05-02T10:00</dc:date><text:p>How old?</text:p></office:annotation>.</text:p>"
        "<text:p>Near it:<draw:frame><draw:text-box><text:p>A café</text:p></draw:text-box></draw:frame>"
        "</text:p>"
    )
    masters = (
        '<style:master-page style:name="S"><style:header><text:p>Guide KL-204</text:p></style:header>'
        "<style:footer><text:p>Page <text:page-number>3</text:page-number></text:p></style:footer>"
        "</style:master-page>"
    )
    (raw,) = read(tmp_path, "a.odt", document(body, masters=masters))
    assert isinstance(raw, RawDocument)
    assert raw.text == (
        "The tower is 61 metres high and old.\nNear it:\nA café\nFootnotes\nWithout the mast.\n"
        "Comments\nMira Holt: How old?\nHeaders and footers\nGuide KL-204\nPage 3\n"
    )
    assert [span.of(raw.text) for span in raw.masked] == ["Page 3"]
    assert entries(raw) == [
        ("The tower is 61 metres high", "", "Without the mast."),
        (
            "comment of 2024-05-02 on: The tower is 61 metres high and old",
            "Mira Holt",
            "Mira Holt: How old?",
        ),
    ]


def test_what_is_not_taken_in(tmp_path: Path) -> None:
    frame = "<draw:frame>{}</draw:frame>"
    body = p(
        "Some words." + 2 * frame.format('<draw:image xlink:href="a.png"/>'),
        frame.format(
            '<draw:image xlink:href="b.png"/><svg:desc>Map of the three bridges</svg:desc>'
        ),
        frame.format('<draw:object xlink:href="./Object 1"/><draw:image xlink:href="c"/>'),
    )
    raw, *parts = read(tmp_path, "a.odt", document(body))
    assert isinstance(raw, RawDocument)
    assert raw.text.split() == "Some words. Map of the three bridges".split()
    assert [part.name for part in parts] == ["/pictures", "/embedded objects"]


def test_slides_are_pages(tmp_path: Path) -> None:
    slide = '<draw:page draw:name="page{}">{}</draw:page>'
    first = (
        "<draw:frame presentation:class='outline'><draw:text-box><text:list><text:list-item>"
        "<text:p>They rose by 12 %.</text:p></text:list-item><text:list-item>"
        "<text:p>Most of it in May.</text:p></text:list-item></text:list></draw:text-box></draw:frame>"
        "<draw:frame presentation:class='title'><draw:text-box><text:p>Sales</text:p></draw:text-box>"
        "</draw:frame><presentation:notes><draw:frame presentation:class='notes'><draw:text-box>"
        "<text:p>Thank the team.</text:p></draw:text-box></draw:frame></presentation:notes>"
    )
    third = (
        f"<draw:frame>{table('Month|Sum', 'May|7,000')}</draw:frame>"
        "<draw:g><draw:custom-shape><text:p>In a group.</text:p></draw:custom-shape></draw:g>"
    )
    body = slide.format(1, first) + slide.format(2, "") + slide.format(3, third)
    raw, blank = read(tmp_path, "a.odp", document(body, "presentation"))
    assert isinstance(raw, RawDocument) and isinstance(blank, RefusedPart)
    assert blank.name == "/slide 2"
    assert [page.of(raw.text) for page in raw.pages] == [
        "Sales\nThey rose by 12 %.\nMost of it in May.\nNotes: Thank the team.\n\n",
        "\n",
        "Month | Sum\nMay | 7,000\n\nIn a group.\n\n",
    ]
    assert rows(raw) == [("", {"Month": "May", "Sum": "7,000"})]
    assert [text for _, text in items(raw)] == ["They rose by 12 %.", "Most of it in May."]
    found = clean_document(raw, "a.odp")
    assert [(c.page, c.heading) for c in cut(found)] == [(1, "Sales"), (3, "Sales")]


# -- damage --


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    good = document(p("Words."))

    def without(name: str, part: bytes) -> bytes | None:
        return None if name == "content.xml" else part

    def entities(name: str, part: bytes) -> bytes:
        return b'<!DOCTYPE x [<!ENTITY a "b">]>' + part if name == "content.xml" else part

    locked = {"META-INF/manifest.xml": b"<m><encryption-data/></m>"}
    assert "content.xml" in refusal(tmp_path, "a.odt", changed(good, without))
    assert "entities" in refusal(tmp_path, "b.odt", changed(good, entities))
    assert "encrypted" in refusal(tmp_path, "c.odt", changed(good, lambda _, x: x, **locked))
    assert "zip" in refusal(tmp_path, "d.odt", good[:-30])
    assert "plain text" in refusal(tmp_path, "e.odt", b"These are words.")
    assert "a PDF" in refusal(tmp_path, "f.odt", b"%PDF-1.7 ...")
    refusal(tmp_path, "g.odt", changed(good, lambda name, part: part[: len(part) // 2]))
    assert "no text" in refusal(tmp_path, "h.odt", document(""))


SPAN = '<table:table-cell table:number-columns-spanned="1000" table:number-rows-spanned="1000">{}</table:table-cell>'
WIDE = '<table:table-cell table:number-columns-repeated="999999999">{}</table:table-cell>'
LONG = '<table:table-row table:number-rows-repeated="999999999">{}</table:table-row>'
HOSTILE = {
    "repeated": f"<table:table>{LONG.format(WIDE.format(p('x')))}</table:table>",
    "many": f"<table:table>{LONG.format(WIDE.format(p('x'))) * 5000}</table:table>",
    "spanned": "<table:table>"
    + ("<table:table-row>" + SPAN.format(p("x")) * 50 + "</table:table-row>") * 2000
    + "</table:table>",
    "covered": "<table:table>"
    + '<table:table-row><table:covered-table-cell table:number-columns-repeated="9999999"/>' * 1
    + "</table:table-row></table:table>"
    + p("x"),
    "blanks": p('<text:s text:c="999999999"/>' * 50_000 + "x"),
    "deep": "<text:section>" * 100_000 + p("x") + "</text:section>" * 100_000,
    "deep lists": "<text:list><text:list-item>" * 100
    + p("x")
    + "</text:list-item></text:list>" * 100,
    "deep tables": "<table:table><table:table-row><table:table-cell>" * 80
    + p("x") * 30_000
    + "</table:table-cell></table:table-row></table:table>" * 80,
    "notes": "<text:p>"
    + "words " * 100_000
    + "<text:note><text:note-body><text:p>n</text:p></text:note-body></text:note>" * 10_000
    + "</text:p>",
    "items": "<text:list>"
    + "<text:list-item><text:p>x</text:p></text:list-item>" * 40_000
    + "</text:list>",
    "boxes": "<text:p>"
    + "<draw:frame><draw:text-box><text:p>" * 70
    + "x"
    + "</text:p></draw:text-box></draw:frame>" * 70
    + "</text:p>",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_as_a_document_or_a_line(tmp_path: Path, name: str) -> None:
    content = document(HOSTILE[name])
    try:
        (raw,) = read(tmp_path, "a.odt", content)
    except Unreadable as error:
        assert error.cure and "TypeError" not in str(error)
        return
    assert isinstance(raw, RawDocument)
    of_kind(raw, UnitKind.ROW)
