"""Web pages and books: headings, order, and what a second reader of the XHTML finds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.domain import RawDocument, RefusedPart
from rag.ingest.clean import clean_document
from tests.ingest.test_formats_plain import cut, one, read, refusal


def test_headings_of_a_page_are_paths(tmp_path: Path) -> None:
    page = (
        "<title>Pumps</title><body><p>Before.</p><h1>Pump <i>manual</i></h1><p>It runs.</p><div><h2>Bolts<br>and nuts</h2>"
        "<p>40 Nm.</p></div><h2></h2><h1>Seals</h1><pre># not one\nA list</pre></body>"
    )
    document = one(tmp_path, "a.html", page.encode())
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
    for page in CHAPTERS.values():
        body = ElementTree.fromstring(page).find("{http://www.w3.org/1999/xhtml}body")
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
