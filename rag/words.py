"""Chunks by their words: BM25 over the table of words (FTS5) of an open library.

A frequent word is in every other chunk of a large library, and to rank them all takes twenty times as long as the vectors do. So of a
query's words the rarest choose the chunks, as many as `_RANKED` times the list, and all words together rank those: the
frequent ones count, but a chunk that has none of the rarer ones is not looked at. (200 questions to 50,000 passages, 1,000 chunks ranked: the
first was always that of the whole ranking, 95 of 100 among the first ten were. Up to some thousand passages nothing is left out.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

_RANKED = 10  # times as many chunks are ranked as the list is long


class Words:
    """The words of an open library."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __call__(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Chunk ids that hold words of an FTS5 query, best first, with BM25 (higher is better)."""
        rare, rest = self._rare(query.split(" OR "), limit)
        times = 1
        if rest:  # each word stands in it twice: a score is twice what it would be, the order is the same
            query, times = f"({' OR '.join(rare)}) AND ({' OR '.join([*rare, *rest, *rest])})", 2
        rows = self._db.execute(
            "SELECT c.id, -score FROM (SELECT rowid AS number, bm25(words, 1.0, 1.0, 1.0) AS score FROM words "
            "WHERE words MATCH ? ORDER BY score, rowid LIMIT ?) JOIN chunks c USING (number) ORDER BY score, number",
            (query, limit),
        )
        return [(name, score / times) for name, score in rows]

    def _rare(self, words: Sequence[str], limit: int) -> tuple[list[str], list[str]]:
        """The words that choose the chunks, and those that only rank them."""
        if len(words) < 2:
            return list(words), []
        most = _RANKED * limit
        one = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
        held = [self._db.execute(one, (word, most + 1)).fetchone()[0] for word in words]
        rare, rest, total = list[str](), list[str](), 0
        for number, word in sorted(zip(held, words, strict=True), key=lambda pair: pair[0]):
            (rare if total < limit or total + number <= most else rest).append(word)
            total += number
        return rare, rest

    def merge(self) -> None:
        """Put the parts of the table together: looking up takes a third less. Inside a transaction of the caller's."""
        self._db.execute("INSERT INTO words(words) VALUES ('optimize')")
