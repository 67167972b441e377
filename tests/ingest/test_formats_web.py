"""Web pages and books: headings, order, and what a second reader of the XHTML finds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.domain import Document, RawDocument, RefusedPart, UnitKind
from rag.ingest.clean import clean_document
from rag.text.units import row_text
from tests.ingest.test_formats_plain import cut, one, read, refusal


@pytest.mark.slow
def test_headings_of_a_page_are_paths(tmp_path: Path) -> None:
    pumps = (
        "<title>Pumps</title><body><p>Before.</p><h1>Pump <i>manual</i></h1><p>It runs.</p><div><h2>Bolts<br>and nuts</h2>"
        "<p>40 Nm.</p></div><h2></h2><h1>Seals</h1><pre># not one\nA list</pre></body>"
    )
    document = one(tmp_path, "a.html", pumps.encode())
    assert (
        document.text
        == "Before.\nPump manual\nIt runs.\nBolts\nand nuts\n40 Nm.\nSeals\n# not one\nA list\n"
    )
    assert [(span.of(document.text).split("\n")[0], name) for span, name in document.headings] == [
        ("Pump manual", "Pump manual"),
        ("Bolts", "Pump manual › Bolts"),
        ("and nuts", "Pump manual › and nuts"),
        ("Seals", "Seals"),
    ]


def units_of(document: Document) -> list[tuple[str, str, str]]:
    """Return kind, context and text of each unit but sections; rows as they are read."""
    return [
        (
            unit.kind.value,
            unit.context,
            row_text(unit, document.text)
            if unit.kind is UnitKind.ROW
            else unit.span.of(document.text).replace("\n", " / "),
        )
        for unit in document.units
        if unit.kind is not UnitKind.SECTION
    ]


def page(body: str) -> bytes:
    return f"<html><head><title>T</title></head><body>{body}</body></html>".encode()


@pytest.mark.slow
def test_tables_of_a_page(tmp_path: Path) -> None:
    body = (
        "<h1>Pool</h1><table><caption>Fees</caption><thead><tr><th rowspan=2>Who</th>"
        "<th colspan=2>Fee</th></tr><tr><th>Once</th><th>Ten</th></tr></thead>"
        "<tr><td rowspan=2>Adults</td><td>9</td><td>80</td></tr><tr><td>8</td><td>70</td></tr>"
        "<tr><th colspan=3>Evening</th></tr><tr><td>Pupils</td><td>4<br>euros</td><td>-</td></tr>"
        "</table><p>Hours of the hall:</p><table><tr><td>Monday</td><td>6 to 21</td></tr>"
        "<tr><td>Sunday</td><td>9 to 18</td></tr></table>"
        "<table><tr><th>Length</th><td>25 m</td></tr><tr><th>Depth</th><td>2 m</td></tr></table>"
    )
    document = one(tmp_path, "a.html", page(body))
    assert units_of(document) == [
        ("row", "Fees", "Who: Adults; Fee / Once: 9; Fee / Ten: 80"),
        ("row", "Fees", "Who: Adults; Fee / Once: 8; Fee / Ten: 70"),
        ("row", "Fees / Evening", "Who: Pupils; Fee / Once: 4 euros; Fee / Ten: -"),
        ("row", "Hours of the hall", "Monday; 6 to 21"),
        ("row", "Hours of the hall", "Sunday; 9 to 18"),
        ("record", "", "Length | 25 m / Depth | 2 m"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "<table><tr><td>one</td></tr><tr><td>two</td></tr></table>",
        "<table role=presentation><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "<table><tr><td>left</td><td><h2>Right</h2><p>Text.</p></td></tr><tr><td>a<td>b</table>",
        "<table><tr><td>" + "word " * 200 + "</td><td>menu</td></tr><tr><td>a<td>b</tr></table>",
    ],
)
def test_tables_that_lay_out_a_page_are_text(tmp_path: Path, body: str) -> None:
    document = one(tmp_path, "a.html", page(body))
    assert not units_of(document) and " | " not in document.text


@pytest.mark.slow
def test_a_table_in_a_table_is_read_by_itself(tmp_path: Path) -> None:
    inner = "<table><tr><th>Who</th><th>Fee</th></tr><tr><td>Ann</td><td>5</td></tr></table>"
    body = f"<table><tr><td>menu</td><td>{inner}</td></tr></table>"
    assert units_of(one(tmp_path, "a.html", page(body))) == [("row", "menu", "Who: Ann; Fee: 5")]


@pytest.mark.slow
def test_lists_of_a_page(tmp_path: Path) -> None:
    body = (
        "<h2>Camp</h2><p>You pack:</p><ul><li>a towel</li><li><p>soap</p><ol><li>liquid</li>"
        "<li>solid</li></ol></li><li>Deadline: 5 May</li></ul><p>That is all of it.</p>"
    )
    document = one(tmp_path, "a.html", page(body))
    assert units_of(document) == [
        ("list", "You pack", "a towel / soap / liquid / solid / Deadline: 5 May"),
        ("item", "You pack", "a towel"),
        ("item", "You pack", "soap"),
        ("list", "You pack / soap", "liquid / solid"),
        ("item", "You pack / soap", "liquid"),
        ("item", "You pack / soap", "solid"),
        ("item", "You pack", "Deadline: 5 May"),
    ]
    (field,) = next(u for u in document.units if u.cells).cells
    assert (field.header, field.span.of(document.text)) == ("Deadline", "5 May")


@pytest.mark.slow
def test_definitions_of_a_page(tmp_path: Path) -> None:
    body = (
        "<dl><dt>Monday:</dt><dd>9 to 17</dd><dt>Sunday</dt><dd>closed</dd></dl>"
        "<dl><div><dt>Sauna</dt><dt>Bath</dt><dd>A hot room for sitting.</dd><dd>It is wet in it.</dd></div>"
        "<div><dt>Steam</dt><dd>Water that is very hot.</dd></div></dl>"
    )
    document = one(tmp_path, "a.html", page(body))
    assert units_of(document) == [
        ("record", "", "Monday: / 9 to 17 / Sunday / closed"),
        ("entry", "", "Sauna / Bath / A hot room for sitting. / It is wet in it."),
        ("entry", "", "Steam / Water that is very hot."),
    ]
    names = [cell.header for unit in document.units for cell in unit.cells]
    assert names == ["Monday", "Sunday", "Sauna / Bath", "Steam"]


STORY = "".join(
    f"<p>The hall number {n} was built by the town in the year {1900 + n}.</p>" for n in range(30)
)


@pytest.mark.slow
def test_what_the_extractor_overlooks_is_content(tmp_path: Path) -> None:
    menu = "<ul>" + "".join(f"<li><a href=/{n}>Page {n}</a></li>" for n in range(8)) + "</ul>"
    body = (
        f"<nav>{menu}</nav><div class=menu>{menu}</div><article><h1>Halls</h1>{STORY}</article>"
        "<div class=sidebar><dl><dt>Seats</dt><dd>200</dd><dt>Stage</dt><dd>yes</dd></dl>"
        "<table><tr><th>Day</th><th>Opens</th></tr><tr><td>Monday</td><td>7:15</td></tr></table>"
        "<ul><li>no dogs</li><li>no smoking</li></ul></div>"
        "<footer><p>Made with care.</p><address>Quay 5<br>Bergen</address></footer>"
    )
    document = one(tmp_path, "a.html", page(body))
    masked = " ".join(span.of(document.text) for span in document.mask)
    for kept in ("Seats", "200", "Monday | 7:15", "no dogs", "Quay 5", "Bergen", "hall number 7"):
        assert kept in document.text and kept not in masked
    assert "Page 3" in masked
    assert not [unit for kind, _, unit in units_of(document) if "Page 3" in unit]


CHAPTERS = {
    "one.xhtml": "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body><h1>The sea</h1><p>It was <em>cold</em> "
    "that year.</p><script>no()</script></body></html>",
    "t%20wo.xhtml": "<!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'><body><h1>The land</h1><h2>Hills</h2>"
    "<p>Nobody lived there.</p></body></html>",
}


def epub(
    chapters: Mapping[str, str],
    spine: str = "",
    dates: str = "<dc:date>1901-05-06</dc:date>",
    **more: str,
) -> bytes:
    items = "".join(
        f"<item id='i{n}' href='{name}' media-type='application/xhtml+xml'/>"
        for n, name in enumerate(chapters)
    )
    refs = spine or "".join(f"<itemref idref='i{n}'/>" for n in range(len(chapters)))
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
        "<rootfile full-path='OPS/book.opf'/></rootfiles></container>",
        "OPS/book.opf": "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>"
        f"<dc:title>Sea and land</dc:title><dc:title>Other</dc:title>{dates}</metadata><manifest>{items}</manifest><spine>{refs}</spine></package>",
        **{"OPS/" + name.replace("%20", " "): page for name, page in chapters.items()},
        **more,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def test_a_book(tmp_path: Path) -> None:
    document = one(tmp_path, "a.epub", epub(CHAPTERS))
    assert (
        document.text
        == "The sea\nIt was cold that year.\n\nThe land\nHills\nNobody lived there.\n\n"
    )
    assert (document.title, document.date) == ("Sea and land", "1901-05-06")
    assert [name for _, name in document.headings] == ["The sea", "The land", "The land › Hills"]
    for chapter in CHAPTERS.values():
        body = ElementTree.fromstring(chapter).find("{http://www.w3.org/1999/xhtml}body")
        assert body is not None
        for node in body:
            if not node.tag.endswith("script"):
                assert "".join(node.itertext()) in document.text


def test_the_spine_gives_the_order(tmp_path: Path) -> None:
    document = one(
        tmp_path,
        "a.epub",
        epub(CHAPTERS, "<itemref idref='i1'/><itemref idref='i0'/><itemref idref='none'/>", ""),
    )
    assert document.text.index("land") < document.text.index("cold") and document.date is None


def test_a_chapter_that_is_missing_is_named(tmp_path: Path) -> None:
    content = epub({**CHAPTERS, "../../etc/passwd": "<p>out</p>"})
    raw, refused = read(
        tmp_path, "a.epub", content.replace(b"OPS/../../etc/passwd", b"OPS/xx/xx/etc/passwd")
    )
    assert isinstance(raw, RawDocument) and isinstance(refused, RefusedPart)
    assert (
        "out" not in raw.text
        and refused.name == "/../etc/passwd"
        and refused.reason
        and refused.cure
    )
    cut(clean_document(raw, "a.epub"))


@pytest.mark.parametrize(
    "name",
    ["META-INF/container.xml", "OPS/book.opf"],
)
def test_a_book_without_its_lists(tmp_path: Path, name: str) -> None:
    assert "not a whole EPUB" in refusal(tmp_path, "a.epub", epub(CHAPTERS, **{name: "<broken"}))
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10 if n else 'ha' * 50}'>" for n in range(9))
    refusal(tmp_path, "b.epub", epub(CHAPTERS, **{name: f"<!DOCTYPE x [{laughs}]><x>&l8;</x>"}))


def test_a_locked_book(tmp_path: Path) -> None:
    lock = (
        "<encryption><EncryptedData><EncryptionMethod Algorithm='{}'/></EncryptedData></encryption>"
    )
    locked = lock.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    assert "DRM" in refusal(
        tmp_path, "a.epub", epub(CHAPTERS, **{"META-INF/encryption.xml": locked})
    )
    fonts = lock.format("http://www.idpf.org/2008/embedding")
    assert (
        "cold" in one(tmp_path, "b.epub", epub(CHAPTERS, **{"META-INF/encryption.xml": fonts})).text
    )


def test_an_empty_book(tmp_path: Path) -> None:
    assert "no text" in refusal(tmp_path, "a.epub", epub({"a.xhtml": "<p> </p>"}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("", "utf-8"),
        ("<title>Gebühren</title>", "utf-8"),
        ('<meta charset="utf-8">', "utf-8"),
        ('<meta charset="iso-8859-1">', "latin-1"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "cp1252"),
        ("", "cp1252"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
    ],
)
def test_a_page_is_read_in_its_encoding_declared_or_not(
    tmp_path: Path, head: str, encoding: str
) -> None:
    words = "Die Gebühr für größere Räume beträgt 12 Euro."
    page = f"<html><head>{head}</head><body><p>{words}</p></body></html>"
    raw = one(tmp_path, "a.html", page.encode(encoding))
    assert words in raw.text
    assert raw.title == ("Gebühren" if "title" in head else "a")


@pytest.mark.slow
@pytest.mark.parametrize("broken", [b"\xff", b"\xc3", b"\xe2\x80"])
def test_a_broken_byte_does_not_make_a_page_one_of_another_encoding(
    tmp_path: Path, broken: bytes
) -> None:
    words = "Die Gebühr für größere Räume beträgt 12 Euro."
    page = f"<html><body><p>{words}</p><p>Ende ".encode() + broken + b"</p></body></html>"
    assert words in one(tmp_path, "a.html", page).text
