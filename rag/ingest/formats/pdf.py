"""PDF, by `pypdfium2`: the text layer, page after page, with the table of contents as headings.

PDFium is the PDF library of Chrome. It opens files whose cross references are broken, reads a page
in milliseconds, knows the encryptions, and is fuzzed more than any parser in Python. It is native
code and runs only in the child process. It gives words with their places (`pdf_words`); columns,
tables, running heads and paragraphs are found from them (`pdf_layout`, `pdf_furniture`,
`pdf_text`). The report names pages without text and pages that the file states and does not
contain. With the extra `ocr`, pages without text are drawn and recognised (`ocr`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.ocr import OCR_CURE, recognize, time_is_left
from rag.ingest.formats.page_ranges import page_ranges
from rag.ingest.formats.pdf_furniture import (
    NEIGHBOURS,
    Edges,
    FurnitureFinder,
    edges_of,
    without_line_numbers,
)
from rag.ingest.formats.pdf_layout import items_in_file_order, page_items
from rag.ingest.formats.pdf_text import Item, PdfText
from rag.ingest.formats.pdf_words import PageWords, page_words
from rag.ingest.formats.picture import with_confidence
from rag.ingest.structure.find import find_units

if TYPE_CHECKING:
    from pypdfium2 import PdfBookmark, PdfDocument

#: points of a page and the pixels of a point at which it is drawn for OCR
_MAX_SIDE, _PIXELS_PER_POINT = 2400, 200 / 72
_MAX_PAGES = 50_000
#: words of a file that are put in the order of reading, and bytes of the file for one more; the
#: others stay in the order of the file, so that a long document is read within its time
_MAX_WORDS, _BYTES_PER_WORD = 300_000, 3
#: missing pages in a row, after which no more pages are looked for
_MAX_MISSING_PAGES = 1000
_MAX_BOOKMARKS = 10_000
#: FPDF_ERR_PASSWORD
_PASSWORD_ERROR = 4


def read_pdf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield the text of a PDF file, then refused parts for pages without text and missing pages."""
    yield from _read(content, None)


def read_scanned_pdf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield as `read_pdf`, with the text that OCR recognises on pages without text."""
    yield from _read(content, _Scans())


def _read(content: bytes, scans: _Scans | None) -> Iterator[RawDocument | RefusedPart]:
    pdf = _open_pdf(content)
    metadata = pdf.get_metadata_dict()
    bookmarks = list(islice(pdf.get_toc(), _MAX_BOOKMARKS))
    text = PdfText(headings=not bookmarks and not scans)
    blank_pages, missing_pages = _add_pages(pdf, text, len(content), scans)
    _add_bookmarks(bookmarks, text.lines, text.page_starts)
    if len(blank_pages) + len(missing_pages) >= len(pdf):
        if blank_pages:
            raise Unreadable(*_why_blank("has no text on any page (scanned?)", scans))
        cure = "open it in its own program and save it again"
        raise Unreadable("has no page that can be read", cure)
    raw = text.raw(
        _real_title(metadata.get("Title", "")),
        _iso_date(metadata.get("CreationDate", "") or metadata.get("ModDate", "")),
    )
    yield with_confidence(_with_units(raw), scans.spoken if scans else {})
    if blank_pages:
        name = f"/{page_ranges('page', blank_pages)}"
        yield RefusedPart(name, *_why_blank("without text (scanned?)", scans))
    if missing_pages:
        yield RefusedPart(
            f"/{page_ranges('page', missing_pages)}",
            "promised by the file and not readable",
            "make or fetch it again",
        )


def _with_units(raw: RawDocument) -> RawDocument:
    """Return the document with the units of its prose beside those of its tables."""
    return replace(raw, units=find_units(raw.text, raw.units or (), skip=raw.masked))


class _Scans:
    """Reads pages without text by OCR, as long as there is time for it."""

    def __init__(self) -> None:
        self.spoken = dict[int, str]()  #: number of a page from 0 -> how surely it was read
        self._started = time.process_time()
        self.has_time = True

    def words(self, pdf: PdfDocument, number: int) -> PageWords:
        """Return the words that are recognised on page `number`."""
        self.has_time = self.has_time and time_is_left(self._started)
        if not self.has_time:
            return PageWords([], [], [])
        page = pdf[number]
        scale = min(_PIXELS_PER_POINT, _MAX_SIDE / max(*page.get_size(), 1))
        image = page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3]
        page.close()
        found = recognize(image, scale)
        if found.words:
            self.spoken[number] = found.says
        return PageWords(found.words, [], [])


def _why_blank(reason: str, scans: _Scans | None) -> tuple[str, str]:
    """Reason and cure of pages without text."""
    if scans is None:
        return reason, OCR_CURE
    if not scans.has_time:
        return f"{reason}; OCR took too long", "split it, then add the parts"
    return f"{reason}; OCR found no text", "scan them again if there is text on them"


def _add_pages(
    pdf: PdfDocument, text: PdfText, size: int, scans: _Scans | None
) -> tuple[list[int], list[int]]:
    """Add the text of all pages; `scans` reads those without text.

    Returns the numbers from 1 of pages without text and of missing pages.
    """
    blank_pages, missing_pages = list[int](), list[int]()
    pages = _PagesInOrder(text, _MAX_WORDS + size // _BYTES_PER_WORD)
    stated, last = len(pdf), -1
    for number in range(min(stated, _MAX_PAGES)):
        words = _words(pdf, number)
        if words is None:
            missing_pages.append(number + 1)
            if number - last > _MAX_MISSING_PAGES:
                break
            continue
        if scans and not words.words and not words.aside:
            words = scans.words(pdf, number)
        if not words.words and not words.aside:
            blank_pages.append(number + 1)
        last = number
        pages.add(number, words)
    pages.finish()
    missing_pages += range(max([last + 1, *missing_pages[-1:]]) + 1, stated + 1)
    return blank_pages, missing_pages


class _PagesInOrder:
    """Adds pages to the text, each when the two after it are known."""

    def __init__(self, text: PdfText, max_words: int) -> None:
        self._text, self._finder = text, FurnitureFinder()
        self._words_left = max_words
        self._waiting: dict[int, PageWords] = {}
        self._edges: dict[int, Edges] = {}

    def add(self, number: int, words: PageWords) -> None:
        """Take in the words of page `number`."""
        text, numbers = without_line_numbers(words.words)
        if numbers:
            words = words._replace(words=text, aside=[*words.aside, *numbers])
        self._text.learn(words.words)
        self._waiting[number], self._edges[number] = words, edges_of(words.words)
        for ready in [n for n in self._waiting if n <= number - NEIGHBOURS]:
            self._put(ready)

    def finish(self) -> None:
        """Add the pages that wait."""
        for number in list(self._waiting):
            self._put(number)
        self._text.finish()

    def _put(self, number: int) -> None:
        page = self._waiting.pop(number)
        top, bottom, taken = self._finder.take(number, self._edges)
        self._edges = {n: edges for n, edges in self._edges.items() if n >= number - NEIGHBOURS}
        words = [word for word in page.words if word not in taken] if taken else page.words
        self._words_left -= len(words)
        in_order = self._words_left >= 0
        found = page_items(words, page.rules) if in_order else items_in_file_order(words)
        items: list[Item] = [*top, *found, *bottom]
        if page.aside:
            items.append(self._finder.furniture(" ".join(word.text for word in page.aside)))
        self._text.add_page(number, items)


def _words(pdf: PdfDocument, number: int) -> PageWords | None:
    """Return the words of page `number` (from 0), or None if it is missing."""
    import pypdfium2

    try:
        page = pdf[number]
        words = page_words(page)
        page.close()
    except pypdfium2.PdfiumError:
        return None
    return words


def _open_pdf(content: bytes) -> PdfDocument:
    """Open a PDF file. Raises `Unreadable` if it is another format, encrypted or damaged."""
    import pypdfium2

    if b"%PDF-" not in content[:1024]:
        raise Unreadable("is not a PDF", "give it the ending of its own format")
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise Unreadable(
                "is encrypted", "save it without a password, then add it again"
            ) from error
        raise Unreadable(f"is damaged or cut off ({error})", "make or fetch it again") from error


def _add_bookmarks(
    bookmarks: Sequence[PdfBookmark], lines: LineBuilder, page_starts: list[int]
) -> None:
    """Add the table of contents as headings.

    Each heading is at the line of its page with the same words, else at the beginning of the page.
    No heading is before the one above it in the table, so that the paths of headings are right.
    """
    last = 0
    for bookmark in bookmarks:
        destination = bookmark.get_dest()
        number = destination.get_index() if destination else None
        title = " ".join(bookmark.get_title().split())
        if number is None or not 0 <= number < len(page_starts) or not title:
            continue
        start = page_starts[number]
        end = page_starts[number + 1] if number + 1 < len(page_starts) else None
        place = lines.find(title, start, end)
        last = max(last, start if place < 0 else place)
        lines.mark(title, 1 + bookmark.level, last)


def _real_title(title: str) -> str:
    """Return the title, or "" for one made up by a program ("Microsoft Word - draft3.doc")."""
    made_up = re.match(
        r"(?:microsoft (?:word|powerpoint|excel) - |untitled|"
        r".*\.(?:docx?|pptx?|xlsx?|dvi|tex|indd)$)",
        title,
        re.I,
    )
    return "" if made_up else title


def _iso_date(pdf_date: str) -> str | None:
    """Return the ISO 8601 day of a PDF date such as ``D:20220318100000Z``."""
    match = re.match(r"(?:D:)?(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", pdf_date)
    return "-".join(match.groups()) if match else None
