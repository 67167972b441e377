"""What a question says by a name or with a slip: the files it names, and what a word that no text holds may have been.

The words table keeps stems, so the stem of what was typed is compared with them: made by the same tokenizer, in a table in memory.
Only stems that begin with the same letter are looked at (people seldom mistype the first), and only for words of five letters or more:
of a shorter one nearly every other word is a letter off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from functools import cached_property

from rag.library.stemmer import Stemmer
from rag.text.facts import one_letter_apart

_SHORT = 5  # letters; a shorter word is left as it was typed
_MOST = 3  # words that one word is taken for
_NAMES = 16  # files that a question may name, and documents of one name


class Spelling:
    """The vocabulary and the names of an open library."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @cached_property
    def _stems(self) -> Stemmer:
        return Stemmer()

    def spelt(self, word: str) -> list[str]:
        """Stems a letter off a word that is not there, commonest first; nothing where it is short or holds a digit."""
        if len(word) < _SHORT or not word.isalpha():
            return []
        stem = next(iter(self._stems.of([word])[0]), word)
        self._db.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)"
        )
        rows = self._db.execute(
            "SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? ORDER BY doc DESC",
            (stem[0], chr(ord(stem[0]) + 1), len(stem) - 1, len(stem) + 1),
        )
        return [term for (term,) in rows if one_letter_apart(stem, term)][:_MOST]

    def chunks_of(self, names: Collection[str]) -> list[str]:
        """The ids of the chunks of the documents that are called so: by their whole source, or by the end of its path."""
        documents: dict[str, None] = {}
        for name in list(names)[:_NAMES]:
            rows = self._db.execute(
                "SELECT document FROM files WHERE document IS NOT NULL AND "
                "(source = ?2 OR lower(substr(source, -length(?1))) = lower(?1)) LIMIT ?3",
                ("/" + name, name, _NAMES),
            )
            documents |= dict.fromkeys(row[0] for row in rows)
        of = "SELECT id FROM chunks WHERE document = ?"
        return [row[0] for document in documents for row in self._db.execute(of, (document,))]
