"""Builds the evidence of a citation: the quoted words, their line, page, sheet and row."""

from __future__ import annotations

from rag.domain import Cell, Evidence, Passage, Span
from rag.text.sentences import line_number
from rag.text.units import context_of, sheet_rows


def text_at(passage: Passage, span: Span) -> str:
    """Return the text of `span`, a span of the document that lies in the passage."""
    start = passage.chunk.span.start
    return passage.chunk.text[span.start - start : span.end - start]


def field_at(passage: Passage, cell: Cell) -> Span:
    """Return the field of a record with its name, and the mark that closes its value."""
    if cell.name is None:
        return cell.span
    after = Span(cell.span.end, min(cell.span.end + 1, passage.chunk.span.end))
    closes = text_at(passage, after) in ("]", ")", "}", '"', "'")
    return Span(cell.name.start, after.end if closes else cell.span.end)


def evidence_at(passage: Passage, span: Span) -> Evidence:
    """Return the evidence at `span`, a span of the document that lies in the passage.

    Its line counts from 1. Sheet and row are set if the span overlaps a row of a workbook.
    """
    chunk = passage.chunk
    line = chunk.line + line_number(chunk.text, span.start - chunk.span.start) - 1
    sheet, row, _ = sheet_rows(chunk, span)
    return Evidence(
        passage.number,
        chunk.document,
        chunk.source,
        span,
        text_at(passage, span),
        line,
        chunk.page,
        " › ".join(context_of(chunk, span, names=True)),
        sheet,
        row or None,
    )
