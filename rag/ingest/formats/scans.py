"""Files that may be scans: read as they are, then by OCR where the extra is installed.

A PDF is read by its text layer first, within the limits of any file. Only if pages are without
text, and the extra `ocr` is installed, it is read again with more time and memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats import ocr, sandbox
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import Budget
from rag.ingest.formats.registry import PICTURES, SCANNED_PDF

_Part = RawDocument | RefusedPart | Member


def parse(ending: str, content: bytes, budget: Budget) -> Iterator[_Part]:
    """Yield the parts of a file, with the text of its pictures of pages if OCR is installed."""
    if ending in PICTURES:
        yield from _recognise(ending, content, budget)
    elif ending == ".pdf" and ocr.available():
        yield from _parse_pdf(content, budget)
    else:
        yield from sandbox.parse_in_sandbox(ending, content, budget=budget)


def _recognise(kind: str, content: bytes, budget: Budget) -> Iterator[_Part]:
    more = replace(budget, seconds=ocr.OCR_SECONDS)
    yield from sandbox.parse_in_sandbox(kind, content, ocr.OCR_SECONDS, more)


def _parse_pdf(content: bytes, budget: Budget) -> Iterator[_Part]:
    parts, failure = list[_Part](), None
    try:
        parts.extend(sandbox.parse_in_sandbox(".pdf", content, budget=budget))
    except Unreadable as error:
        failure = error
    cures = [part.cure for part in parts if isinstance(part, RefusedPart)]
    if ocr.OCR_CURE in [*cures, failure.cure if failure else ""]:
        try:
            parts, failure = list(_recognise(SCANNED_PDF, content, budget)), None
        except Unreadable as error:
            failure = failure and error
    yield from parts
    if failure:
        raise failure
