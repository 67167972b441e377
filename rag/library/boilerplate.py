"""What the documents of a library have of boilerplate, and their masked lines by their words: two tables, kept up by the writer.

Both are made from the documents and can be made again from them at any time.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence

from rag.domain import Document
from rag.library.schema import TOKENIZER
from rag.text import facts
from rag.text.boilerplate import line_hashes, masked_lines, neighbourhood, within_mask

BOILERPLATE_TABLES = """
CREATE TABLE templates(document TEXT PRIMARY KEY, masked BLOB NOT NULL, open BLOB NOT NULL) WITHOUT ROWID;
"""
RULE = "2"  #: of what may be masked; a library of another one is masked anew at the end of the next ingest
_TABLE = f"CREATE VIRTUAL TABLE IF NOT EXISTS masked USING fts5(document UNINDEXED, text, tokenize='{TOKENIZER}')"
_DOCUMENTS = 50  # looked into for a question
_TERMS = 64  # words of a question that are looked up


class BoilerplateTable:
    """The hashes of the documents of an open library. Writing is done inside the library's own transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = self._db = db

    def put(self, document: Document) -> None:
        """Note what may be template in a document, what of it its mask holds, and what is masked at all. Not for source code and
        tables."""
        put_masked(self._db, document)
        if document.lines:
            return
        parts: tuple[set[int], set[int]] = (set(), set())
        for key, lines in line_hashes(document):
            hidden = all(within_mask(span, document.mask) for span in lines)
            parts[0 if hidden else 1].add(key)
        self._db.execute(
            "INSERT OR REPLACE INTO templates VALUES (?, ?, ?)", (document.id, *map(_packed, parts))
        )

    def drop(self, document: str) -> None:
        self._db.execute("DELETE FROM templates WHERE document = ?", (document,))
        drop_masked(self._db, document)

    def documents_masking(self, question: str) -> list[str]:
        """Ids of the documents whose masked lines have most of the question's words."""
        words = facts.word_tokens(facts.fold_text(question))[:_TERMS]
        content = [word for word in words if not facts.is_stop_word(word)]
        if not content or not _there(self._db):
            return []
        sought = " OR ".join(f'"{word}"' for word in dict.fromkeys(content))
        select = "SELECT document FROM masked WHERE masked MATCH ? ORDER BY rank LIMIT ?"
        return [row[0] for row in self._db.execute(select, (sought, _DOCUMENTS))]

    def outdated(self) -> list[str]:
        """The documents, where they may have been masked by the wider rule of an earlier version; else none."""
        if self._db.execute(
            "SELECT 1 FROM meta WHERE key = 'template' AND value = ?", (RULE,)
        ).fetchone():
            return []
        return [
            row[0] for row in self._db.execute("SELECT document FROM templates ORDER BY document")
        ]

    def renewed(self) -> None:
        """All documents are masked by the rule of this version. Inside a transaction of the caller's."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('template', ?)", (RULE,))

    def stale(self, document: Document) -> set[int]:
        """The hashes of masked lines of a document that are none of a template any more."""
        row = self._db.execute(
            "SELECT masked FROM templates WHERE document = ?", (document.id,)
        ).fetchone()
        return _unpacked(row[0]) - {key for key, _ in line_hashes(document)} if row else set()

    def beside(self, folder: str) -> dict[str, tuple[set[int], set[int]]]:
        """The documents of a folder: for each the hashes that are masked and those that are not."""
        rows = self._db.execute(
            "SELECT f.path, f.member, t.document, t.masked, t.open FROM files f JOIN templates t ON t.document = f.document "
            "WHERE f.path = ?1 OR (f.path > ?2 || '/' AND f.path < ?2 || '0')",
            (folder, folder.rstrip("/")),
        )
        return {
            name: (_unpacked(a), _unpacked(b))
            for *place, name, a, b in rows
            if _beside(place, folder)
        }


def _beside(place: Sequence[str], name: str) -> bool:
    return neighbourhood(*place) == name


def _packed(keys: Iterable[int]) -> bytes:
    keys = sorted(keys)
    return struct.pack(f"<{len(keys)}q", *keys)


def _unpacked(packed: bytes) -> set[int]:
    return set(struct.unpack(f"<{len(packed) // 8}q", packed))


def put_masked(db: sqlite3.Connection, document: Document) -> None:
    """Note the masked lines of a document in the place of those that are noted. Inside a transaction of the caller's."""
    db.execute(_TABLE)
    drop_masked(db, document.id)
    text = "\n".join(span.of(document.text) for span in masked_lines(document))
    if text:
        row = (_number(document.id), document.id, text)
        db.execute("INSERT INTO masked(rowid, document, text) VALUES (?, ?, ?)", row)


def drop_masked(db: sqlite3.Connection, document: str) -> None:
    """Forget the lines of a document. Inside a transaction of the caller's."""
    if _there(db):
        db.execute("DELETE FROM masked WHERE rowid = ?", (_number(document),))


def _there(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'masked'").fetchone() is not None


def _number(document: str | bytes) -> int:
    """A row for the id of a document, which is hexadecimal; any other string has one too."""
    try:
        return int(document[:15], 16)
    except ValueError:
        raw = document if isinstance(document, bytes) else document.encode()  # bytes: a damaged row
        return int.from_bytes(raw[:7])
