"""The places of sources in words: file, line or sheet and row, and what became of the file."""

from __future__ import annotations

from rag.domain import Evidence, FileState, Passage
from rag.phrases import FILE_PHRASES
from rag.text.foreign_marks import quote_foreign
from rag.text.units import sheet_rows

#: How many copies of a passage are named. The JSON names all.
MAX_NAMED_COPIES = 3


def evidence_place(evidence: Evidence) -> str:
    """Return source, line and, if known, page; of a workbook sheet and row."""
    if evidence.row:
        sheet = quote_foreign(evidence.sheet)
        return f"{quote_foreign(evidence.source)}, sheet {sheet}, row {evidence.row}"
    page = f", page {evidence.page}" if evidence.page else ""
    return f"{quote_foreign(evidence.source)}:{evidence.line}{page}"


def file_phrase(state: FileState) -> str:
    """Return what has become of the file of a place, to stand after it; "" if it is the same."""
    return f" ({FILE_PHRASES[state]})" if state in FILE_PHRASES else ""


def passage_place(passage: Passage) -> str:
    """Return source and line, of a workbook sheet and row."""
    sheet, first, _ = sheet_rows(passage.chunk)
    if first:
        return f"{quote_foreign(passage.chunk.source)}, sheet {quote_foreign(sheet)}, row {first}"
    return f"{quote_foreign(passage.chunk.source)}:{passage.chunk.line}"


def copies_of(passage: Passage) -> str:
    """Return the sources of the copies of a passage in words; "" if there are none."""
    sources = list(dict.fromkeys(copy.source for copy in passage.copies))
    if not sources:
        return ""
    names = ", ".join(map(quote_foreign, sources[:MAX_NAMED_COPIES]))
    more = len(sources) - MAX_NAMED_COPIES
    return f", also in {names}" + (f" and {more} more" if more > 0 else "")
