"""Chunks by their words: BM25 over the table of words (FTS5) of an open library.

The truth of what stands where. Every posting of every word of a query is read, twice; among many passages `postings` ranks the
same from arrays, and this is asked while those are behind, and for words that must stand side by side.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


class FullText:
    """The words of an open library."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __call__(self, words: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """Ids of the chunks that hold any of `words`, best first, with BM25 (higher is better)."""
        if not words:
            return []
        return self._db.execute(
            "SELECT c.id, -score FROM (SELECT rowid AS number, bm25(words, 1.0, 1.0, 1.0) AS score FROM words "
            "WHERE words MATCH ? ORDER BY score, rowid LIMIT ?) JOIN chunks c USING (number) ORDER BY score, number",
            (" OR ".join(map(_quoted, words)), limit),
        ).fetchall()

    def hold(self, words: Sequence[str]) -> set[str]:
        """Those of `words` that stand in any chunk."""
        one = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"  # a vocabulary would count every passage of the word
        return {word for word in words if self._db.execute(one, (_quoted(word),)).fetchone()}

    def merge(self) -> None:
        """Put the parts of the table together: looking up takes a third less. Inside a transaction of the caller's."""
        self._db.execute("INSERT INTO words(words) VALUES ('optimize')")


def _quoted(word: str) -> str:
    return '"' + word.replace('"', "") + '"'
