"""Pictures of pages are read by OCR where the extra is installed; without it, it is named."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rag.domain import RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from rag.ingest.clean import clean_document
from rag.ingest.formats import ocr, registry
from rag.ingest.formats.ocr import TextBox
from rag.ingest.formats.pdf import read_pdf, read_scanned_pdf
from rag.ingest.formats.picture import read_picture
from rag.ingest.load import File, load_file

LINES = ["Invoice of the Holm company", "The roof was repaired in May 2021."]


def drawn(*lines: str) -> Image.Image:
    """A page with lines of text."""
    page = Image.new("RGB", (1240, 1754), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(36)
    for number, line in enumerate(lines):
        draw.text((120, 150 + 100 * number), line, fill="black", font=font)
    return page


def saved(kind: str, *pages: Image.Image) -> bytes:
    """The pages as a file."""
    out = io.BytesIO()
    options = {"save_all": True, "append_images": list(pages[1:])} if len(pages) > 1 else {}
    pages[0].save(out, kind, **options)
    return out.getvalue()


class TwoColumns:
    """An engine that sees two columns, line by line as they lie beside each other."""

    def read(self, image: NDArray[np.uint8]) -> list[TextBox]:
        assert image.ndim == 3 and image.shape[2] == 3
        if image.min() > 200:
            return []
        boxes = []
        for row in range(12):
            for column, side in enumerate(("left", "right")):
                x, y = 120 + 540 * column, 150 + 45 * row
                text = f"the {side} column goes on with line {row}"
                boxes.append(TextBox(x, y, x + 440, y + 30, text, 0.9))
        return [*boxes, TextBox(10, 1600, 60, 1640, "sm~dge", 0.2)]


@pytest.fixture
def two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "engine", TwoColumns)


def _parts(parts: Iterator[RawDocument | RefusedPart]) -> tuple[RawDocument, list[RefusedPart]]:
    document, *refused = parts
    assert isinstance(document, RawDocument)
    return document, [part for part in refused if isinstance(part, RefusedPart)]


@pytest.mark.usefixtures("two_columns")
def test_recognised_lines_are_put_in_the_order_of_reading() -> None:
    raw, _ = _parts(read_picture(saved("PNG", drawn("x"))))
    words = raw.text.split()
    assert [word for word in words if word in ("left", "right")] == ["left"] * 12 + ["right"] * 12
    assert [word for word in words if word.isdigit()] == [*map(str, range(12))] * 2
    assert "sm~dge" not in words


@pytest.mark.usefixtures("two_columns")
def test_pages_and_confidence_are_kept() -> None:
    blank = Image.new("RGB", (1240, 1754), "white")
    raw, refused = _parts(read_scanned_pdf(saved("PDF", drawn("x"), blank, drawn("y"))))
    assert len(raw.pages) == 3
    sections = [unit for unit in raw.units or () if unit.kind is UnitKind.SECTION]
    assert [unit.span for unit in sections] == [raw.pages[0], raw.pages[2]]
    assert {unit.context for unit in sections} == {"read by OCR, confidence 90 %"}
    assert [(part.name, "OCR found no text" in part.reason) for part in refused] == [
        ("/page 2", True)
    ]


@pytest.mark.usefixtures("two_columns")
def test_no_page_is_begun_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "OCR_SECONDS", 0.0)
    with pytest.raises(Unreadable, match="took too long"):
        list(read_scanned_pdf(saved("PDF", drawn("x"))))


@pytest.mark.usefixtures("two_columns")
def test_a_picture_that_is_none_and_one_without_text_are_refused() -> None:
    with pytest.raises(Unreadable, match="cannot be opened"):
        list(read_picture(b"\x89PNG broken"))
    with pytest.raises(Unreadable, match="no text was recognised"):
        list(read_picture(saved("PNG", Image.new("RGB", (300, 300), "white"))))


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "available", lambda: False)
    with pytest.raises(Unreadable) as refused:
        registry.file_format("scan.png")
    assert "footnote-answers[ocr]" in refused.value.cure
    with pytest.raises(Unreadable) as refused:
        list(read_pdf(saved("PDF", drawn("x"))))
    assert "footnote-answers[ocr]" in refused.value.cure


# -- with the extra

needs_extra = pytest.mark.skipif(not ocr.available(), reason="the extra 'ocr' is not installed")


@needs_extra
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "pdf", "tif"])
def test_a_scan_is_read_in_the_child_process(tmp_path: Path, ending: str) -> None:
    kind = {"tif": "TIFF"}.get(ending, ending.upper())
    path = tmp_path / f"scan.{ending}"
    path.write_bytes(saved(kind, drawn(*LINES)))
    raw, refused = _parts(load_file(File(str(path), path.name, path.stat().st_size, 1)))
    assert not refused and len(raw.pages) == 1
    for word in ("Invoice", "company", "repaired", "2021"):
        assert word in raw.text
    document = clean_document(raw, path.name)
    (section,) = [unit for unit in document.units if unit.kind is UnitKind.SECTION]
    assert section.context.startswith("read by OCR, confidence 9")
