"""PDF: written here byte by byte, parsed by PDFium in the child process and by pypdf."""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Document, RawDocument, RefusedPart
from rag.ingest.clean import clean_document
from rag.ingest.formats.page_ranges import page_ranges
from tests.ingest.test_formats_plain import cut, read, refusal
from tests.support.examples import examples
from tests.support.pdf_files import pdf

PAGES = (
    ("The pump", "It was mended in March 2024.", "It runs at 40 Nm again."),
    ("Bolts", "Tighten all eight bolts.", "A ninth is spare."),
)


def one_pdf(folder: Path, content: bytes) -> tuple[Document, list[RefusedPart]]:
    raw, *refused = read(folder, "a.pdf", content)
    assert isinstance(raw, RawDocument) and all(
        isinstance(part, RefusedPart) and part.reason and part.cure for part in refused
    )
    document = clean_document(raw, "a.pdf")
    cut(document)
    return document, [part for part in refused if isinstance(part, RefusedPart)]


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_pages_reach_the_citation(tmp_path: Path, packed: bool) -> None:
    said = "/Title (Pump manual) /CreationDate (D:20240305120000+01'00')"
    content = pdf(PAGES, said=said, packed=packed, marks=[("The pump", 1), ("Bolts", 2)])
    document, refused = one_pdf(tmp_path, content)
    assert refused == []
    assert [page.of(document.text) for page in document.pages] == [
        "\n".join(p) + "\n" for p in PAGES
    ]
    assert (document.title, document.date) == ("Pump manual", "2024-03-05")
    assert [name for _, name in document.headings] == ["The pump", "Bolts"]
    assert {c.page for c in cut(document) if "bolts" in c.text} == {2}
    assert {c.page for c in cut(document) if "mended" in c.text} == {1}


def test_a_second_reader_finds_every_chunk(tmp_path: Path) -> None:
    content = pdf([("Zoë’s café – 5 € (net)", r"back\slash", "Fin.") for _ in range(5)])
    document, _ = one_pdf(tmp_path, content)
    pages = [
        "".join((page.extract_text() or "").split())
        for page in pypdf.PdfReader(io.BytesIO(content)).pages
    ]
    for part in cut(document):
        assert part.page and "".join(part.text.split()) in pages[part.page - 1]


@examples(15)
@given(
    st.lists(
        st.lists(st.from_regex(r"[A-Za-z0-9(\\).,]{1,12}", fullmatch=True), max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_pages_are_contiguous(
    tmp_path_factory: pytest.TempPathFactory, pages: list[list[str]]
) -> None:
    if not any(line for page in pages for line in page):
        return
    document, refused = one_pdf(tmp_path_factory.mktemp("pdf"), pdf(pages))
    assert [p.start for p in document.pages] == [0, *[p.end for p in document.pages[:-1]]]
    assert document.pages[-1].end == len(document.text) and len(document.pages) == len(pages)
    for page, lines in zip(document.pages, pages, strict=True):
        assert "".join(page.of(document.text).split()) == "".join(lines)
    silent = [n for n, lines in enumerate(pages, 1) if not lines]
    assert [part.name for part in refused] == (
        [f"/{page_ranges('page', silent)}"] if silent else []
    )


def test_a_heading_stands_where_its_words_do(tmp_path: Path) -> None:
    pages = [("Intro", "Some words.", "Method", "Other words."), ("Some end.",)]
    document, _ = one_pdf(
        tmp_path, pdf(pages, marks=[("Intro", 1), ("Method", 1), ("Not in the text", 2)])
    )
    text = document.text
    assert [(span.of(text).split("\n")[0], name) for span, name in document.headings] == [
        ("Intro", "Intro"),
        ("Method", "Method"),
        ("Some end.", "Not in the text"),
    ]


def test_scanned_pages_are_named(tmp_path: Path) -> None:
    pages = [PAGES[0], (), (), (), PAGES[1], ()]
    document, (refused,) = one_pdf(tmp_path, pdf(pages))
    assert (
        refused.name == "/pages 2 to 4, 6" and "scanned" in refused.reason and "OCR" in refused.cure
    )
    assert {c.page for c in cut(document)} == {1, 5}
    assert "no text on any page" in refusal(tmp_path, "b.pdf", pdf([(), ()]))


def test_a_file_that_lies_about_its_pages(tmp_path: Path) -> None:
    for count in (1_000_000, 2_000_000_000, -5, 0):
        document, refused = one_pdf(tmp_path, pdf(PAGES, count=count))
        assert "Nm" in document.text and "eight bolts" in document.text
        assert len(document.pages) == 2
        assert all("promised" in part.reason for part in refused)


def test_a_loop_in_the_table_of_contents_ends(tmp_path: Path) -> None:
    made = pdf(PAGES, marks=[("Intro", 1), ("Bolts", 2)])
    document, _ = one_pdf(tmp_path, made.replace(b"/Next 11 0 R", b"/Next 10 0 R"))
    assert "Nm" in document.text


@pytest.mark.slow
def test_damaged_files(tmp_path: Path) -> None:
    whole = pdf(PAGES, packed=True)
    said = {refusal(tmp_path, f"{n}.pdf", whole[:n]) for n in (9, 100)}
    assert all("damaged" in words or "no page" in words for words in said)
    assert "not a PDF" in refusal(tmp_path, "b.pdf", b"hello")
    assert "no text" in refusal(tmp_path, "c.pdf", b"")
    for cut_off in (whole[: len(whole) // 2], whole[: whole.index(b"xref")], whole[:-200]):
        assert "damaged" in refusal(tmp_path, "e.pdf", cut_off)
    text = one_pdf(tmp_path, re.sub(rb"\d{10} 00000 n", b"0000000007 00000 n", whole))[0].text
    assert "Nm" in text, "a table of wrong places is mended"
    bomb = zlib.compress(zlib.compress(b"\0" * 200_000_000, 9), 9)
    more = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (
        len(bomb),
        bomb,
    )
    bombed = pdf([("word",)], more=[more]).replace(b"/Contents 6 0 R", b"/Contents 7 0 R")
    refusal(tmp_path, "d.pdf", bombed)


@pytest.mark.parametrize("how", ["RC4-128", "AES-256"])
def test_encrypted_files(tmp_path: Path, how: str) -> None:
    if how.startswith("AES"):
        pytest.importorskip("cryptography")
    for user in ("", "secret"):
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(PAGES)))
        writer.encrypt(user, "owner", algorithm=how)
        out = io.BytesIO()
        writer.write(out)
        if user:
            assert "encrypted" in refusal(tmp_path, "a.pdf", out.getvalue())
        else:
            assert "eight bolts" in one_pdf(tmp_path, out.getvalue())[0].text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([3], "page 3"),
        ([3, 4], "pages 3, 4"),
        ([1, 2, 3, 7], "pages 1 to 3, 7"),
        ([1000], "page 1,000"),
    ],
)
def test_numbers_in_words(found: list[int], words: str) -> None:
    assert page_ranges("page", found) == words


def test_many_numbers_are_not_all_named() -> None:
    assert page_ranges("page", range(1, 99, 2)).endswith("23 and 37 more runs")
