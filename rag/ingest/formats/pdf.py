"""PDF, by `pypdfium2`: the text layer, page after page, with the table of contents as headings.

PDFium is the PDF library of Chrome. It opens files whose cross references are broken, reads a page
in milliseconds, knows the encryptions, and is fuzzed more than any parser in Python. It is native
code and runs only in the child process. The report names pages without text (there is no OCR) and
pages that the file states and does not contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.page_ranges import page_ranges

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_OCR_CURE = "run OCR on it, then add it again"
_MAX_PAGES = 50_000
#: missing pages in a row, after which no more pages are looked for
_MAX_MISSING_PAGES = 1000
_MAX_BOOKMARKS = 10_000
#: FPDF_ERR_PASSWORD
_PASSWORD_ERROR = 4


def read_pdf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield the text of a PDF file, then refused parts for pages without text and missing pages."""
    pdf = _open_pdf(content)
    metadata = pdf.get_metadata_dict()
    lines = LineBuilder()
    page_starts, blank_pages, missing_pages = _add_pages(pdf, lines)
    _add_bookmarks(pdf, lines, page_starts)
    if len(blank_pages) + len(missing_pages) >= len(pdf):
        if blank_pages:
            raise Unreadable("has no text on any page (scanned?)", _OCR_CURE)
        cure = "open it in its own program and save it again"
        raise Unreadable("has no page that can be read", cure)
    yield lines.raw(
        _real_title(metadata.get("Title", "")),
        _iso_date(metadata.get("CreationDate", "") or metadata.get("ModDate", "")),
    )
    if blank_pages:
        name = f"/{page_ranges('page', blank_pages)}"
        yield RefusedPart(name, "without text (scanned?)", _OCR_CURE)
    if missing_pages:
        yield RefusedPart(
            f"/{page_ranges('page', missing_pages)}",
            "promised by the file and not readable",
            "make or fetch it again",
        )


def _add_pages(pdf: PdfDocument, lines: LineBuilder) -> tuple[list[int], list[int], list[int]]:
    """Add the text of all pages.

    Returns the offset of each page, and the numbers from 1 of pages without text and of missing
    pages.
    """
    page_starts, blank_pages, missing_pages = list[int](), list[int](), list[int]()
    stated = len(pdf)
    for number in range(min(stated, _MAX_PAGES)):
        text = _page_text(pdf, number)
        if text is None:
            missing_pages.append(number + 1)
            if number + 1 - len(page_starts) > _MAX_MISSING_PAGES:
                break
            continue
        if not text.strip():
            blank_pages.append(number + 1)
        while len(page_starts) <= number:  # a missing page has its number too
            page_starts.append(lines.page())
        for line in text.split("\n"):
            lines.add(line)
    missing_pages += range(max([len(page_starts), *missing_pages[-1:]]) + 1, stated + 1)
    return page_starts, blank_pages, missing_pages


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


def _page_text(pdf: PdfDocument, number: int) -> str | None:
    """Return the text of page `number` (from 0) with its line breaks, or None if it is missing."""
    import pypdfium2

    try:
        page = pdf[number]
        text = page.get_textpage().get_text_range()
        page.close()
    except pypdfium2.PdfiumError:
        return None
    text = re.sub("[\x02\ufffe]", "-", text)  # PDFium's signs for a hyphen at the end of a line
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


def _add_bookmarks(pdf: PdfDocument, lines: LineBuilder, page_starts: list[int]) -> None:
    """Add the table of contents as headings.

    Each heading is at the line of its page with the same words, else at the beginning of the page.
    No heading is before the one above it in the table, so that the paths of headings are right.
    """
    last = 0
    for count, bookmark in enumerate(pdf.get_toc()):
        destination = bookmark.get_dest()
        number = destination.get_index() if destination else None
        title = " ".join(bookmark.get_title().split())
        if count >= _MAX_BOOKMARKS:
            break
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
