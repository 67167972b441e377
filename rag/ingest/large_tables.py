"""Chooses the chunks that are embedded: of a large table, only those that describe it.

A table of 100,000 rows has 30,000 chunks, and embedding them takes 95 % of the time of an ingest.
What is asked of such a table is a row by its key, its name or its values, and those are words. So
the rows of a large table, of a log, or of a file of records are found by words alone (BM25). The
chunks without rows, and the first chunk under each heading, which has the names of the columns and
the first rows, are embedded as any other. In a search the vector of that chunk stands for those of
the rows (`rag.library.table_vectors`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.domain import Chunk, Unit, UnitKind

#: rows and records of a document whose rows are all embedded
MAX_EMBEDDED_ROWS = 1000
_ROWS = (UnitKind.ROW, UnitKind.RECORD)


def is_large_table(units: Sequence[Unit]) -> bool:
    """Whether a document of these units has too many rows and records to embed them all."""
    return sum(unit.kind in _ROWS for unit in units) > MAX_EMBEDDED_ROWS


def found_by_words(chunks: Sequence[Chunk]) -> frozenset[str]:
    """Return the ids of the chunks of one document that are not embedded.

    A chunk of rows has a row or record that begins in it.
    """
    row_counts = [
        sum(unit.kind in _ROWS and unit.span.start >= chunk.span.start for unit in chunk.units)
        for chunk in chunks
    ]
    if sum(row_counts) <= MAX_EMBEDDED_ROWS:
        return frozenset()
    headings = set[str]()
    skipped = list[str]()
    for chunk, rows in zip(chunks, row_counts, strict=True):
        if rows and chunk.heading in headings:
            skipped.append(chunk.id)
        headings.add(chunk.heading)
    return frozenset(skipped)
