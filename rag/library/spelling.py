"""Lookup of misspelt words and of file names that a question mentions.

A word that no text has is compared with the stems in the table of words. The comparison uses its
own stem, made by the same tokenizer in a table in memory. Only stems with the same first letter
are candidates, because the first letter is seldom mistyped. Words of less than five letters are
not corrected: they differ by one letter from too many others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from functools import cached_property

from rag.library.stemmer import Stemmer
from rag.text.facts import one_letter_apart

#: letters of the shortest word that is corrected
_MIN_LETTERS = 5
#: corrections of one word
_MAX_CORRECTIONS = 3
#: file names that are looked up for a question, and documents of one name
_MAX_NAMES = 16


class Spelling:
    """The vocabulary and the file names of an open library."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @cached_property
    def _stems(self) -> Stemmer:
        return Stemmer()

    def spelt(self, word: str) -> list[str]:
        """Return stored stems that differ from a word's stem by one letter, commonest first.

        A short word and one with another character than letters have none.
        """
        if len(word) < _MIN_LETTERS or not word.isalpha():
            return []
        stem = next(iter(self._stems.of([word])[0]), word)
        self._db.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)"
        )
        rows = self._db.execute(
            "SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ? "
            "AND length(term) BETWEEN ? AND ? ORDER BY doc DESC",
            (stem[0], chr(ord(stem[0]) + 1), len(stem) - 1, len(stem) + 1),
        )
        return [term for (term,) in rows if one_letter_apart(stem, term)][:_MAX_CORRECTIONS]

    def chunks_of(self, names: Collection[str]) -> list[str]:
        """Return chunk ids of the documents whose source is, or ends with, one of the names."""
        document_ids: dict[str, None] = {}
        for name in list(names)[:_MAX_NAMES]:
            rows = self._db.execute(
                "SELECT document FROM files WHERE document IS NOT NULL AND "
                "(source = ?2 OR lower(substr(source, -length(?1))) = lower(?1)) LIMIT ?3",
                ("/" + name, name, _MAX_NAMES),
            )
            document_ids |= dict.fromkeys(row[0] for row in rows)
        select = "SELECT id FROM chunks WHERE document = ?"
        return [row[0] for i in document_ids for row in self._db.execute(select, (i,))]
