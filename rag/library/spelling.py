"""Words of the texts for the misspelt words of a question.

A word that no text has is compared with the stems in the table of words. The comparison uses its
own stem, made by the same tokenizer in a table in memory. Only stems with the same first letter
are candidates, because the first letter is seldom mistyped. Words of less than five letters are
not corrected: they differ by one letter from too many others.
"""

from __future__ import annotations

from functools import cached_property

from rag.library.database import Database
from rag.library.stemmer import Stemmer
from rag.text.facts import one_letter_apart

#: letters of the shortest word that is corrected
_MIN_LETTERS = 5
#: corrections of one word
_MAX_CORRECTIONS = 3


class Spelling:
    """The vocabulary of an open library."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        self._database.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)"
        )
        rows = self._database.execute(
            "SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ? "
            "AND length(term) BETWEEN ? AND ? ORDER BY doc DESC",
            (stem[0], chr(ord(stem[0]) + 1), len(stem) - 1, len(stem) + 1),
        )
        return [term for (term,) in rows if one_letter_apart(stem, term)][:_MAX_CORRECTIONS]
