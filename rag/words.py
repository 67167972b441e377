"""Chunks by their words: BM25 over the table of words (FTS5) of an open library.

A frequent word is in every other chunk of a large library, and to rank them all takes twenty times as long as the vectors do. So of a
query's words the rarest choose the chunks, as many as `_CHOSEN` times the list, and they and the next rarest rank those, until the words
looked at stand in `_READ` times as many chunks as the list is long: a chunk that has none of the rarer words is not looked at, and the
most frequent words do not count. (200 questions of words drawn as in English, to 100,000 passages, lists of 100: the first was that of the
whole ranking in 98 of 100. Up to some hundred passages nothing is left out, up to some thousand next to nothing.) BM25 is a sum over words, so two queries give what one would: of the rarer words, and of both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

_CHOSEN, _READ = 5, 200  # times as many chunks as the list is long: may be chosen; have a word that ranks them
_CACHE = 32_768  # KB of pages that SQLite keeps, 2,048 by itself: looking up in 100,000 passages takes a quarter less
_SAMPLE = 16  # of so many chunks, one is looked at to tell how frequent a word is that is not rare


class Words:
    """The words of an open library."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db, self._roomy = db, False

    def __call__(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Chunk ids that hold words of an FTS5 query, best first, with BM25 (higher is better)."""
        if not self._roomy:  # who only adds documents does without
            self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
            self._roomy = True
        rare, rest = self._rare(query.split(" OR "), limit)
        chosen = " OR ".join(rare)
        found = dict(self._ranked(chosen, limit)) if chosen else {}
        if rest:  # those that hold one of the others too: what both lists have counts as it does here
            found |= dict(self._ranked(f"({chosen}) AND ({' OR '.join(rest)})", limit))
        return sorted(found.items(), key=lambda item: -item[1])[:limit]

    def _ranked(self, query: str, limit: int) -> list[tuple[str, float]]:
        return self._db.execute(
            "SELECT c.id, -score FROM (SELECT rowid AS number, bm25(words, 1.0, 1.0, 1.0) AS score FROM words "
            "WHERE words MATCH ? ORDER BY score, rowid LIMIT ?) JOIN chunks c USING (number) ORDER BY score, number",
            (query, limit),
        ).fetchall()

    def _rare(self, words: Sequence[str], limit: int) -> tuple[list[str], list[str]]:
        """The words that choose the chunks, and those that only rank them."""
        if len(words) < 2:
            return list(words), []
        most = _CHOSEN * limit
        rare, rest, total = list[str](), list[str](), 0
        for number, word in sorted((self._held(word, most), word) for word in words):
            if total < limit or total + number <= most:
                rare.append(word)
            elif total + number <= _READ * limit:
                rest.append(word)
            total += number
        return rare, rest

    def _held(self, word: str, most: int) -> int:
        """In how many chunks a word stands; of more than `most`, about."""
        one = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
        found = int(self._db.execute(one, (word, most + 1)).fetchone()[0])
        if found <= most:
            return found
        last = self._db.execute("SELECT max(number) FROM chunks").fetchone()[0] or 0
        some = "SELECT count(*) FROM words WHERE words MATCH ? AND rowid <= ?"
        return max(found, _SAMPLE * int(self._db.execute(some, (word, last // _SAMPLE)).fetchone()[0]))

    def merge(self) -> None:
        """Put the parts of the table together: looking up takes a third less. Inside a transaction of the caller's."""
        self._db.execute("INSERT INTO words(words) VALUES ('optimize')")
