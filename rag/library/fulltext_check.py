"""Check of the table of words against the texts of a library, and its repair.

The table has no checksums and stores no texts. It is compared with a table that is made from the
texts of the documents in a temporary file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import zip_longest

from rag.errors import RagError
from rag.library.database import Database
from rag.library.documents import Documents
from rag.library.fulltext import add_words
from rag.library.schema import FULLTEXT_TABLE, SELECT_CHUNKS, ChunkRow
from rag.library.table_check import empty_words


class FullTextCheck:
    """The check of one library's table of words."""

    def __init__(self, database: Database, documents: Documents) -> None:
        self._db, self._documents = database.connection, documents

    def agrees(self, skipped: set[int]) -> bool:
        """Whether the table has every word of every passage at its position, and nothing else.

        `skipped` are the numbers of chunks that are not compared.
        """
        fresh = sqlite3.connect("")  # a temporary file that SQLite removes when it is closed
        try:
            fresh.execute(FULLTEXT_TABLE)
            for number, *texts in self._passages():
                add_words(fresh, number, *texts)
            for db in (fresh, self._db):
                db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, instance)")
            try:
                return self._same_as(fresh, skipped)
            except sqlite3.Error:
                return False
            finally:
                self._db.execute("DROP TABLE temp.terms")
        finally:
            fresh.close()

    def _same_as(self, fresh: sqlite3.Connection, skipped: set[int]) -> bool:
        """Whether positions, lookups and passage lengths are those of the `fresh` table."""
        with (
            closing(_positions(fresh, skipped)) as expected,
            closing(_positions(self._db, skipped)) as stored,
        ):
            same = all(a == b for a, b in zip_longest(expected, stored))
        return (
            same
            and self._every_word_is_found()
            and _lengths(fresh, skipped) == _lengths(self._db, skipped)
        )

    def _every_word_is_found(self) -> bool:
        """Whether a lookup finds every word of the table.

        A lookup uses an index over the table's pages, which reading them in order does not use.
        """
        self._db.execute("CREATE VIRTUAL TABLE temp.counts USING fts5vocab(main, words, row)")
        try:
            select = "SELECT term, doc, cnt FROM temp.counts WHERE term = ?"
            with closing(self._db.execute("SELECT term, doc, cnt FROM temp.counts")) as rows:
                return all(self._db.execute(select, row[:1]).fetchall() == [row] for row in rows)
        finally:
            self._db.execute("DROP TABLE temp.counts")

    def _passages(self) -> Iterator[tuple[int, str, str, str]]:
        """Number, title, heading and text of every chunk of an undamaged document."""
        for values in self._db.execute(f"{SELECT_CHUNKS} ORDER BY document, number"):
            row = ChunkRow(*values)
            try:
                document = self._documents.load(row.document)
                words = row.words_of(document)
            except (RagError, TypeError, ValueError, OverflowError):  # a damaged row
                continue
            yield row.number, document.title, row.heading, words

    def remake(self) -> None:
        """Make the table again from the texts, in a transaction of the caller's."""
        empty_words(self._db)
        for number, *texts in list(self._passages()):
            add_words(self._db, number, *texts)


def _positions(
    db: sqlite3.Connection, skipped: set[int]
) -> Generator[tuple[str, int, str, int], None, None]:
    """Rows (word, chunk number, column, offset) of the table of words, in the order of words."""
    with closing(db.execute("SELECT term, doc, col, offset FROM temp.terms")) as rows:
        for row in rows:
            if row[1] not in skipped:
                yield row


def _lengths(db: sqlite3.Connection, skipped: set[int]) -> list[tuple[int, bytes]]:
    """The lengths that BM25 uses: of every passage, and (number 0) of all together."""
    lengths = db.execute("SELECT id, sz FROM words_docsize ORDER BY id").fetchall()
    if lengths and not skipped:
        lengths += db.execute("SELECT 0, block FROM words_data WHERE id = 1").fetchall()
    return [row for row in lengths if row[0] not in skipped]
