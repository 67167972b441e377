"""The tables of a library, and what goes into a row: spans as pairs, and the row's own checksum."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from rag.domain import Document, Span

#: 2: has the tables of `twins` and `template`, which an older library gets empty. 3: has no conversations, `history` has them.
#: 4: a document of a corpus or an archive has the file's path and its name in there in two columns
SCHEMA = 4
TOKENIZER = "porter unicode61 remove_diacritics 2"
FULLTEXT_TABLE = f"CREATE VIRTUAL TABLE words USING fts5(title, heading, text, content='', tokenize='{TOKENIZER}')"
FILES = """CREATE TABLE files(
    path TEXT NOT NULL, member TEXT NOT NULL, source TEXT NOT NULL UNIQUE, document TEXT, size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, sha256 TEXT NOT NULL, reason TEXT, cure TEXT, PRIMARY KEY(path, member)) WITHOUT ROWID;
CREATE INDEX files_document ON files(document)"""
TABLES = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots(path TEXT PRIMARY KEY) WITHOUT ROWID;
{FILES};
CREATE TABLE documents(
    id TEXT PRIMARY KEY, title TEXT NOT NULL, date TEXT, text TEXT NOT NULL, spans TEXT NOT NULL, checksum BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE chunks(
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    heading TEXT NOT NULL, line INTEGER NOT NULL, page INTEGER, key BLOB NOT NULL, vector BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE INDEX chunks_document ON chunks(document);
CREATE INDEX chunks_key ON chunks(key);
{FULLTEXT_TABLE};
"""


_PREFIXES = {kind: kind.__name__[:1].encode() for kind in (int, float, str, bytes, type(None))}
_length = struct.Struct("<q").pack


def checksum(*values: Any) -> bytes:
    """First 16 bytes of the SHA-256 of a row's values, each with its type and length so that none can pass for another."""
    parts = list[bytes]()
    for value in values:
        raw = value if type(value) is bytes else str(value).encode("utf-8", "surrogatepass")
        parts += (_PREFIXES[type(value)], _length(len(raw)), raw)
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def pairs(spans: Iterable[Span]) -> list[list[int]]:
    return [[s.start, s.end] for s in spans]


def spans_json(document: Document) -> str:
    """Mask, pages and headings of a document, as they are stored."""
    headings = [[s.start, s.end, h] for s, h in document.headings]
    return json.dumps([pairs(document.mask), pairs(document.pages), headings], ensure_ascii=False)


def spans_from_pairs(pairs: Iterable[Sequence[int]]) -> tuple[Span, ...]:
    return tuple(Span(a, b) for a, b in pairs)
