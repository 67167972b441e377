"""The rows of documents and chunks, each with its checksum, and the statements that read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from rag.domain import Chunk, Document, Span, Unit
from rag.library.schema import checksum, spans_from_pairs, spans_json
from rag.text.units import units_from_json
from rag.text.view import view_of

#: the units of a chunk that has none, as they are stored
NO_UNITS = "[]"


class DocumentRow(NamedTuple):
    """A row of the table of documents. A value of a damaged row may be of another type."""

    id: str
    title: str
    date: str | None
    text: str
    spans: str  #: mask, pages and headings as JSON
    checksum: bytes

    @classmethod
    def of(cls, document: Document) -> DocumentRow:
        """The row of a document."""
        values = (
            document.id,
            document.title,
            document.date,
            document.text,
            spans_json(document),
        )
        return cls(*values, checksum(*values))

    @property
    def is_intact(self) -> bool:
        """Whether the row matches its checksum."""
        return checksum(*self[:-1]) == self.checksum

    def document(self, source: str) -> Document:
        """The document, named `source`."""
        mask, pages, headings = json.loads(self.spans)
        return Document(
            self.id,
            source,
            self.title,
            self.date,
            self.text,
            spans_from_pairs(mask),
            spans_from_pairs(pages),
            tuple((Span(start, end), heading) for start, end, heading in headings),
        )


class ChunkRow(NamedTuple):
    """A row of the table of chunks. A value of a damaged row may be of another type."""

    id: str
    document: str  #: id
    start: int
    end: int
    heading: str
    line: int
    page: int | None
    key: bytes  #: hash of the text that was embedded, empty without a vector
    vector: bytes  #: float32 values; empty if the chunk is found by words alone
    checksum: bytes
    number: int
    units: str  #: JSON of the units that overlap the chunk

    @property
    def is_intact(self) -> bool:
        """Whether the row matches its checksum."""
        return self.checksum_of(self[:9], self.units) == self.checksum

    @staticmethod
    def checksum_of(content: Sequence[Any], units: str) -> bytes:
        """The checksum of the first nine values and the units; rows of format 4 have no units."""
        return checksum(*content, *(() if units == NO_UNITS else (units,)))

    def units_of(self, document: Document) -> tuple[Unit, ...]:
        """The units that overlap the chunk."""
        return units_from_json(json.loads(self.units), len(document.text))

    def words_of(self, document: Document) -> str:
        """The text as it is looked up by words: values after the names of their columns."""
        return view_of(self.chunk(document)).text

    def chunk(self, document: Document) -> Chunk:
        """The chunk of its document."""
        span = Span(self.start, self.end)
        about = (document.source, document.title, document.date)
        text = span.of(document.text)
        return Chunk(
            self.id,
            self.document,
            *about,
            self.heading,
            span,
            text,
            self.line,
            self.page,
            self.units_of(document),
        )


SELECT_DOCUMENTS = f"SELECT {', '.join(DocumentRow._fields)} FROM documents"  # noqa: S608
SELECT_CHUNKS = f"SELECT {', '.join(ChunkRow._fields)} FROM chunks"  # noqa: S608
