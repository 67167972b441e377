"""Words as the table of words keeps them: cut, folded and stemmed by the same tokenizer, in a table in memory."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rag.library.schema import TOKENIZER

_TABLE = (
    f"CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, tokenize='{TOKENIZER}')"
)
_KNOWN = 1024  # words whose stems are kept


class Stemmer:
    """The tokenizer of the table of words. Of one thread at a time."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute(_TABLE)
        self._db.execute("CREATE VIRTUAL TABLE kept USING fts5vocab(words, instance)")
        self._known: dict[str, list[str]] = {}

    def of(self, words: Sequence[str]) -> list[list[str]]:
        """For each of `words` its stems, in order: of "don't" there are two, of "?" none."""
        if len(self._known) > _KNOWN:
            self._known.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            found: list[list[tuple[int, str]]] = [[] for _ in new]
            for stem, number, offset in self._cut(new, "SELECT term, doc, offset FROM kept"):
                found[number].append((offset, stem))
            self._known |= {
                word: [stem for _, stem in sorted(at)] for word, at in zip(new, found, strict=True)
            }
        return [self._known[word] for word in words]

    def counted(self, texts: Iterable[tuple[str, str, str]]) -> Counter[tuple[str, int]]:
        """How often each stem stands in each text (title, heading, text), by the stem and the text's number, from 0."""
        return Counter(self._cut(map("\n".join, texts), "SELECT term, doc FROM kept"))

    def _cut(self, texts: Iterable[str], select: str) -> Iterator[Any]:
        """Rows of the vocabulary of `texts`, which are forgotten when those are read."""
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", enumerate(texts))
            yield from self._db.execute(select)
        finally:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the memory."""
        self._db.close()
