"""The tables of a library, the JSON of spans, and the checksum of a row."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from rag.domain import Document, Span

#: Version of the format. 2 adds the tables of near duplicates and boilerplate, which an older
#: library gets empty. 3 moves conversations to `history`. 4 keeps the path of a corpus or an
#: archive and the name of a document in it in two columns. 5 adds the units of chunks. 6
#: enters words of scripts without spaces as characters and pairs.
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
