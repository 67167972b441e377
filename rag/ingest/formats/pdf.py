"""PDF, by `pypdfium2`: the text layer, page after page; the table of contents gives the headings.

PDFium is the reader of Chrome: it opens files whose cross references are broken, reads a page in milliseconds, knows the
encryptions, and is fuzzed as no parser in Python is. It is native code all the same, and runs only in the child process.
A page without text is named in the report (there is no OCR), and so is one that the file promises and does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.page_ranges import page_ranges

_OCR_CURE = "run OCR on it, then add it again"
_MAX_PAGES = 50_000
_MAX_MISSING_PAGES = 1000  # pages in a row that are not there, after which no more are looked for
_MAX_BOOKMARKS = 10_000
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD


def read_pdf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """A PDF file."""
    opened = _open_pdf(content)
    said = opened.get_metadata_dict()
    lines, starts = LineBuilder(), list[int]()
    silent, broken = list[int](), list[int]()
    stated = len(opened)
    for number in range(min(stated, _MAX_PAGES)):
        words = _page_text(opened, number)
        if words is None:
            broken.append(number + 1)
            if number + 1 - len(starts) > _MAX_MISSING_PAGES:
                break
            continue
        if not words.strip():
            silent.append(number + 1)
        while len(starts) <= number:  # a page that is not there has its number all the same
            starts.append(lines.page())
        for line in words.split("\n"):
            lines.add(line)
    _add_bookmarks(opened, lines, starts)
    broken += range(max([len(starts), *broken[-1:]]) + 1, stated + 1)
    if len(silent) + len(broken) >= stated:
        reason = "has no text on any page (scanned?)" if silent else "has no page that can be read"
        raise Unreadable(
            reason, _OCR_CURE if silent else "open it in its own program and save it again"
        )
    yield lines.raw(
        _real_title(said.get("Title", "")),
        _iso_date(said.get("CreationDate", "") or said.get("ModDate", "")),
    )
    if silent:
        yield RefusedPart(f"/{page_ranges('page', silent)}", "without text (scanned?)", _OCR_CURE)
    if broken:
        yield RefusedPart(
            f"/{page_ranges('page', broken)}",
            "promised by the file and not readable",
            "make or fetch it again",
        )


def _open_pdf(content: bytes) -> Any:
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


def _page_text(opened: Any, number: int) -> str | None:
    """The text of a page, a line a line; None where there is no such page."""
    import pypdfium2

    try:
        page = opened[number]
        words = page.get_textpage().get_text_range()
        page.close()
    except pypdfium2.PdfiumError:
        return None
    words = re.sub("[\x02\ufffe]", "-", words)  # PDFium's signs for a hyphen at the end of a line
    return "\n".join(
        line.rstrip() for line in words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ).rstrip("\n")


def _add_bookmarks(opened: Any, lines: LineBuilder, starts: list[int]) -> None:
    """The table of contents as headings: each where its words stand on its page, or else where the page begins."""
    last = 0
    for count, mark in enumerate(opened.get_toc()):
        place = mark.get_dest()
        number = place.get_index() if place else None
        title = " ".join(mark.get_title().split())
        if count >= _MAX_BOOKMARKS:
            break
        if number is None or not 0 <= number < len(starts) or not title:
            continue
        start, end = starts[number], starts[number + 1] if number + 1 < len(starts) else None
        at = lines.find(title, start, end)
        last = max(
            last, start if at < 0 else at
        )  # a table of contents is in order, or else its paths would be wrong
        lines.mark(title, 1 + mark.level, last)


def _real_title(said: str) -> str:
    """Titles that a program made up ("Microsoft Word - draft3.doc", "untitled") say nothing."""
    made_up = re.match(
        r"(?:microsoft (?:word|powerpoint|excel) - |untitled|.*\.(?:docx?|pptx?|xlsx?|dvi|tex|indd)$)",
        said,
        re.I,
    )
    return "" if made_up else said


def _iso_date(said: str) -> str | None:
    found = re.match(r"(?:D:)?(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", said)
    return "-".join(found.groups()) if found else None
