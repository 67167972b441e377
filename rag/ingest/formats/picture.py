"""Pictures of pages (.png .jpg .tif …): the text that is recognised in them, by the extra `ocr`."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace

from rag.domain import RawDocument, RefusedPart, Unit, UnitKind
from rag.errors import Unreadable
from rag.ingest.formats.ocr import recognize, time_is_left
from rag.ingest.formats.page_ranges import page_ranges
from rag.ingest.formats.pdf_layout import page_items
from rag.ingest.formats.pdf_text import PdfText
from rag.text.units import unit_order

#: pixels of a picture, and of the longer side at which it is read
_MAX_PIXELS, _MAX_SIDE = 100_000_000, 2400
#: points of the longer side of a page (A4)
_PAGE_POINTS = 842
#: pictures of one file
_MAX_FRAMES = 1000
_NO_TEXT = Unreadable("is a picture in which no text was recognised", "scan it again, larger")


def read_picture(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield the text of a picture; each picture of a .tif is a page."""
    from PIL import Image, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    text, spoken, unread = PdfText(headings=False), dict[int, str](), list[int]()
    started = time.process_time()
    try:
        picture = Image.open(io.BytesIO(content))
        for number, frame in enumerate(ImageSequence.Iterator(picture)):
            if number == _MAX_FRAMES or not time_is_left(started):
                unread.append(number + 1)
                break
            _add(frame, number, text, spoken)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise Unreadable(
            f"is a picture that cannot be opened, so no OCR was tried ({error})",
            "open it in its own program and save it again",
        ) from error
    text.finish()
    if not spoken:
        raise _NO_TEXT
    yield with_confidence(text.raw("", None), spoken)
    if unread:
        name = f"/{page_ranges('page', unread)} and those after it"
        yield RefusedPart(name, "not read for lack of time", "split it, then add the parts")


def _add(frame: object, number: int, text: PdfText, spoken: dict[int, str]) -> None:
    """Add the text of one picture as page `number`, and how sure it is to `spoken`."""
    import numpy as np
    from PIL import Image, ImageOps

    assert isinstance(frame, Image.Image)
    upright = ImageOps.exif_transpose(frame).convert("RGB")
    upright.thumbnail((_MAX_SIDE, _MAX_SIDE))
    found = recognize(np.asarray(upright), max(upright.size) / _PAGE_POINTS)
    if found.words:
        text.learn(found.words)
        text.add_page(number, page_items(found.words, []))
        spoken[number] = found.says


def with_confidence(raw: RawDocument, spoken: dict[int, str]) -> RawDocument:
    """Return the document with a section for each page that OCR has read, which says how surely."""
    sections = [
        Unit(UnitKind.SECTION, raw.pages[number], words)
        for number, words in spoken.items()
        if number < len(raw.pages) and raw.pages[number].start < raw.pages[number].end
    ]
    units = sorted([*(raw.units or ()), *sections], key=unit_order)
    return replace(raw, units=tuple(units))
