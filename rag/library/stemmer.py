"""Stems of words, made by the tokenizer of the table of words in a table in memory."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rag.library.schema import TOKENIZER
from rag.text.unspaced import spaced

_TABLE = (
    f"CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, tokenize='{TOKENIZER}')"
)
#: words whose stems are cached
_MAX_CACHED_WORDS = 1024


class Stemmer:
    """The tokenizer of the table of words. Not for several threads at a time."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute(_TABLE)
        self._db.execute("CREATE VIRTUAL TABLE kept USING fts5vocab(words, instance)")
        self._known: dict[str, list[str]] = {}

    def of(self, words: Sequence[str]) -> list[list[str]]:
        """Return the stems of each word, in order: "don't" has two, "?" none."""
        if len(self._known) > _MAX_CACHED_WORDS:
            self._known.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            positions: list[list[tuple[int, str]]] = [[] for _ in new]
            for stem, number, offset in self._tokenize(new, "SELECT term, doc, offset FROM kept"):
                positions[number].append((offset, stem))
            self._known |= {
                word: [stem for _, stem in sorted(stems)]
                for word, stems in zip(new, positions, strict=True)
            }
        return [self._known[word] for word in words]

    def counted(self, texts: Iterable[tuple[str, str, str]]) -> Counter[tuple[str, int]]:
        """Count the stems of each text (title, heading, text).

        The keys are (stem, number of the text from 0).
        """
        entered = (spaced("\n".join(text)) for text in texts)
        return Counter(self._tokenize(entered, "SELECT term, doc FROM kept"))

    def _tokenize(self, texts: Iterable[str], select: str) -> Iterator[Any]:
        """Yield rows of the vocabulary of `texts`; the texts are then removed from the table."""
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", enumerate(texts))
            yield from self._db.execute(select)
        finally:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Free the memory."""
        self._db.close()
