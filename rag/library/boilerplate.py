"""Boilerplate of the stored documents: the hashes of repeated lines, and the words of masked lines.

The writer keeps these two tables up to date. Both can be made again from the documents.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rag.domain import Document, Span
from rag.library.database import MASKING_RULE, Database, Meta
from rag.library.schema import TOKENIZER
from rag.text import facts
from rag.text.boilerplate import line_hashes, neighbourhood, within_mask
from rag.text.sentences import split_sentences

BOILERPLATE_TABLES = """
CREATE TABLE templates(document TEXT PRIMARY KEY, masked BLOB NOT NULL, open BLOB NOT NULL) \
WITHOUT ROWID;
"""
#: version of the masking rule; the next ingest masks a library of another version again
RULE = "2"
_CREATE_MASKED = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS masked "
    f"USING fts5(document UNINDEXED, text, tokenize='{TOKENIZER}')"
)
#: documents whose masked lines are searched for a question
_MAX_DOCUMENTS = 50
#: Characters of a masked line above which it is shown sentence by sentence.
_MAX_WHOLE_LINE_CHARS = 400
#: words of a question that are looked up
_MAX_WORDS = 64


class LineHashes(NamedTuple):
    """The hashes of the repeatable lines of a document."""

    masked: set[int]
    unmasked: set[int]

    @property
    def all(self) -> set[int]:
        """The hashes of all lines."""
        return self.masked | self.unmasked


class BoilerplateTable:
    """The boilerplate tables of an open library.

    Methods that write are called inside a transaction of the caller's.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._meta = database, Meta(database)

    def is_empty(self) -> bool:
        """Whether no document has hashes."""
        return self._database.execute("SELECT 1 FROM templates LIMIT 1").fetchone() is None

    def put(self, document: Document) -> None:
        """Store the masked lines of a document, and the hashes of its lines, masked and open.

        Source code and tables get no hashes.
        """
        self._put_masked(document)
        if document.lines:
            return
        masked, unmasked = set[int](), set[int]()
        for line_hash, spans in line_hashes(document):
            is_masked = all(within_mask(span, document.mask) for span in spans)
            (masked if is_masked else unmasked).add(line_hash)
        self._database.execute(
            "INSERT OR REPLACE INTO templates VALUES (?, ?, ?)",
            (document.id, _packed(masked), _packed(unmasked)),
        )

    def drop(self, document_id: str) -> None:
        """Forget a document."""
        self._database.execute("DELETE FROM templates WHERE document = ?", (document_id,))
        self._drop_masked(document_id)

    def _put_masked(self, document: Document) -> None:
        """Replace the stored masked lines of a document."""
        self._database.execute(_CREATE_MASKED)
        self._drop_masked(document.id)
        text = "\n".join(span.of(document.text) for span in masked_lines(document))
        if text:
            row = (_row_number(document.id), document.id, text)
            self._database.execute(
                "INSERT INTO masked(rowid, document, text) VALUES (?, ?, ?)", row
            )

    def _drop_masked(self, document_id: str) -> None:
        """Forget the masked lines of a document."""
        if self._has_masked_table():
            row = (_row_number(document_id),)
            self._database.execute("DELETE FROM masked WHERE rowid = ?", row)

    def _has_masked_table(self) -> bool:
        select = "SELECT 1 FROM sqlite_master WHERE name = 'masked'"
        return self._database.execute(select).fetchone() is not None

    def documents_masking(self, question: str) -> list[str]:
        """Return ids of the documents whose masked lines match the question's words best."""
        words = facts.word_tokens(facts.fold_text(question))[:_MAX_WORDS]
        content_words = [word for word in words if not facts.is_stop_word(word)]
        if not content_words or not self._has_masked_table():
            return []
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(content_words))
        select = "SELECT document FROM masked WHERE masked MATCH ? ORDER BY rank LIMIT ?"
        return [row[0] for row in self._database.execute(select, (query, _MAX_DOCUMENTS))]

    def outdated(self) -> list[str]:
        """Return the ids of all documents if an older rule may have masked them, else []."""
        if self._meta.get(MASKING_RULE) == RULE:
            return []
        rows = self._database.execute("SELECT document FROM templates ORDER BY document")
        return [row[0] for row in rows]

    def renewed(self) -> None:
        """Record that the present rule masks all documents."""
        self._meta.put(MASKING_RULE, RULE)

    def stale(self, document: Document) -> set[int]:
        """Return the stored hashes of masked lines that are not lines of this document any more."""
        row = self._database.execute(
            "SELECT masked FROM templates WHERE document = ?", (document.id,)
        ).fetchone()
        return _unpacked(row[0]) - {key for key, _ in line_hashes(document)} if row else set()

    def beside(self, folder: str) -> dict[str, LineHashes]:
        """Return document ids of a folder, each with the hashes of its lines.

        `folder` may also be a file with several documents.
        """
        rows = self._database.execute(
            "SELECT f.path, f.member, t.document, t.masked, t.open "
            "FROM files f JOIN templates t ON t.document = f.document "
            "WHERE f.path = ?1 OR (f.path > ?2 || '/' AND f.path < ?2 || '0')",
            (folder, folder.rstrip("/")),
        )
        return {
            document_id: LineHashes(_unpacked(masked), _unpacked(unmasked))
            for path, member, document_id, masked, unmasked in rows
            if neighbourhood(path, member) == folder
        }


def masked_lines(document: Document) -> Iterator[Span]:
    """Yield the masked lines without the white space around them; of a long line its sentences."""
    for mask in document.mask:
        at = mask.start
        for line in mask.of(document.text).split("\n"):
            words, start = line.strip(), at + len(line) - len(line.lstrip())
            span = Span(start, start + len(words))
            if len(words) > _MAX_WHOLE_LINE_CHARS:
                yield from split_sentences(document.text, span)
            elif words:
                yield span
            at += len(line) + 1


def _packed(hashes: Iterable[int]) -> bytes:
    hashes = sorted(hashes)
    return struct.pack(f"<{len(hashes)}q", *hashes)


def _unpacked(packed: bytes) -> set[int]:
    return set(struct.unpack(f"<{len(packed) // 8}q", packed))


def _row_number(document_id: str | bytes) -> int:
    """The row of a document in the table of masked lines, made from its id, a hexadecimal number.

    Any other string has a row too, and so have the bytes that a damaged row may have as its id.
    """
    try:
        return int(document_id[:15], 16)
    except ValueError:
        raw = document_id.encode() if isinstance(document_id, str) else document_id
        return int.from_bytes(raw[:7])
