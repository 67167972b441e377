"""Full-text search: BM25 over the table of words (FTS5) of an open library.

This table is the truth about which chunk has which words. Scripts without spaces are entered as
single characters and pairs (`rag.text.unspaced`). A query reads every posting of each of
its words twice. `bm25` ranks the same from arrays and is faster among many passages; this table
answers while those arrays are outdated, and for words that must be next to each other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from rag.library.database import Database
from rag.text.unspaced import spaced


class FullText:
    """The table of words of an open library."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unmerged = 0  # chunks entered since the parts of the table were merged

    def __call__(self, words: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, BM25) of the chunks with any of `words`, highest score first."""
        if not words:
            return []
        return self._database.execute(
            "SELECT c.id, -score FROM (SELECT rowid AS number, bm25(words, 1.0, 1.0, 1.0) AS score "
            "FROM words WHERE words MATCH ? ORDER BY score, rowid LIMIT ?) "
            "JOIN chunks c USING (number) ORDER BY score, number",
            (" OR ".join(map(_quoted, words)), limit),
        ).fetchall()

    def with_all(self, words: Sequence[str], limit: int) -> list[str]:
        """Return the ids of the chunks that have every one of `words`, highest BM25 first."""
        entered = " ".join(spaced(word) for word in words)
        terms = [_quoted(word) for word in entered.split()]
        if not terms:
            return []
        rows = self._database.execute(
            "SELECT c.id FROM (SELECT rowid AS number, bm25(words, 1.0, 1.0, 1.0) AS score "
            "FROM words WHERE words MATCH ? ORDER BY score, rowid LIMIT ?) "
            "JOIN chunks c USING (number) ORDER BY score, number",
            (" AND ".join(terms), limit),
        )
        return [row[0] for row in rows]

    def hold(self, words: Sequence[str]) -> set[str]:
        """Return those of `words` that are in any chunk."""
        # one row is enough; a vocabulary table would count every passage with the word
        select = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
        return {
            word for word in words if self._database.execute(select, (_quoted(word),)).fetchone()
        }

    def add(self, number: int, title: str, heading: str, text: str) -> None:
        """Enter the words of chunk `number`. Inside a transaction of the caller's."""
        add_words(self._database.connection, number, title, heading, text)
        self._unmerged += 1

    def remove(self, number: int, title: str, heading: str, text: str) -> None:
        """Remove the words of chunk `number`, in a transaction of the caller's.

        The texts must be those that were entered, because the table does not store them.
        """
        remove_words(
            self._database.connection, number, spaced(title), spaced(heading), spaced(text)
        )

    def merge(self, chunks: int) -> None:
        """Merge the parts of the table if more than half of the library's `chunks` are new.

        A lookup then takes a third less time.
        """
        if 2 * self._unmerged > chunks:
            with self._database.writing():
                self._database.execute("INSERT INTO words(words) VALUES ('optimize')")
        self._unmerged = 0


def add_words(db: sqlite3.Connection, number: int, title: str, heading: str, text: str) -> None:
    """Enter the words of chunk `number` in the table of words of `db`."""
    db.execute(
        "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
        (number, spaced(title), spaced(heading), spaced(text)),
    )


def remove_words(db: sqlite3.Connection, number: int, *entered: str) -> None:
    """Remove the words of chunk `number`, given title, heading and text as they were entered."""
    db.execute(
        "INSERT INTO words(words, rowid, title, heading, text) VALUES ('delete', ?, ?, ?, ?)",
        (number, *entered),
    )


def _quoted(word: str) -> str:
    return '"' + word.replace('"', "") + '"'
