"""The tables of a library, and the rows of documents and chunks with their checksums."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rag.domain import Chunk, Document, Span, Unit
from rag.text.units import units_from_json, view_of

#: Version of the format. 2 adds the tables of near duplicates and boilerplate, which an older
#: library gets empty. 3 moves conversations to `history`. 4 keeps the path of a corpus or an
#: archive and the name of a document in it in two columns. 5 adds the units of chunks. 6 has
#: chunks without a vector and key (rows of large tables, which are found by words), and enters
#: words of scripts without spaces as characters and pairs.
SCHEMA = 6
TOKENIZER = "porter unicode61 remove_diacritics 2"
FULLTEXT_TABLE = (
    "CREATE VIRTUAL TABLE words "
    f"USING fts5(title, heading, text, content='', tokenize='{TOKENIZER}')"
)
FILES = """CREATE TABLE files(
    path TEXT NOT NULL, member TEXT NOT NULL, source TEXT NOT NULL UNIQUE, document TEXT, \
size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, sha256 TEXT NOT NULL, reason TEXT, cure TEXT, \
PRIMARY KEY(path, member)) WITHOUT ROWID;
CREATE INDEX files_document ON files(document)"""
#: JSON of the units that overlap a chunk (`rag.text.units`)
UNITS_COLUMN = "units TEXT NOT NULL DEFAULT '[]'"
TABLES = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots(path TEXT PRIMARY KEY) WITHOUT ROWID;
{FILES};
CREATE TABLE documents(
    id TEXT PRIMARY KEY, title TEXT NOT NULL, date TEXT, text TEXT NOT NULL, \
spans TEXT NOT NULL, checksum BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE chunks(
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL, \
start INTEGER NOT NULL, end INTEGER NOT NULL,
    heading TEXT NOT NULL, line INTEGER NOT NULL, page INTEGER, key BLOB NOT NULL, \
vector BLOB NOT NULL, checksum BLOB NOT NULL, {UNITS_COLUMN});
CREATE INDEX chunks_document ON chunks(document);
CREATE INDEX chunks_key ON chunks(key);
{FULLTEXT_TABLE};
"""


_PREFIXES = {kind: kind.__name__[:1].encode() for kind in (int, float, str, bytes, type(None))}
_length = struct.Struct("<q").pack


def checksum(*values: Any) -> bytes:
    """Return the first 16 bytes of the SHA-256 of a row's values, each with its type and length."""
    parts = list[bytes]()
    for value in values:
        raw = value if type(value) is bytes else str(value).encode("utf-8", "surrogatepass")
        parts += (_PREFIXES[type(value)], _length(len(raw)), raw)
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def pairs(spans: Iterable[Span]) -> list[list[int]]:
    """Convert spans to lists [start, end]."""
    return [[span.start, span.end] for span in spans]


def spans_json(document: Document) -> str:
    """Return mask, pages and headings of a document as JSON, as they are stored."""
    headings = [[span.start, span.end, heading] for span, heading in document.headings]
    return json.dumps([pairs(document.mask), pairs(document.pages), headings], ensure_ascii=False)


def spans_from_pairs(pairs: Iterable[Sequence[int]]) -> tuple[Span, ...]:
    """Convert pairs (start, end) to spans."""
    return tuple(Span(start, end) for start, end in pairs)


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
