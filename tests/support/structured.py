"""Passages of structured documents, made of their texts as an ingest makes them."""

from __future__ import annotations

from rag.domain import Chunk, Document, Passage, RawDocument, Span
from rag.ingest.clean import clean_document
from rag.ingest.formats import tables
from rag.text.units import units_within


def passage_of(text: str, source: str = "notes.md", number: int = 1) -> Passage:
    """The whole of a text as one passage."""
    return whole(clean_document(RawDocument(text), source), number)


def table_passage(csv: str, source: str = "table.csv", number: int = 1) -> Passage:
    """The whole of a CSV file as one passage."""
    (raw,) = tables.read_csv(csv.encode())
    return whole(clean_document(raw, source), number)


def whole(document: Document, number: int = 1) -> Passage:
    """The whole of a document as one passage."""
    span = Span(0, len(document.text))
    chunk = Chunk(
        document.id,
        document.id,
        document.source,
        document.title,
        document.date,
        "",
        span,
        document.text,
        1,
        units=units_within(document.units, span),
    )
    return Passage(number, chunk, 1.0)
