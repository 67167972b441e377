"""Question -> numbered passages, nearest first: words and vectors, fused.

Words are ranked by BM25 over FTS5 (stemmed; any word may match), vectors by cosine. The two lists are fused by reciprocal
rank (Cormack, Clarke and Büttcher 2009: the sum of 1 / (60 + rank)), which needs no common scale. The same text in two
files is one passage with its other sources in `copies`.
"""

from __future__ import annotations

from collections.abc import Callable

from rag.domain import Embedder, Passage, Ranks
from rag.facts import fold, is_stop, tokens
from rag.library import Library

_K = 60
_TERMS = 64  # most words of a question that are looked up

Near = Callable[..., list[tuple[str, float]]]


class Retrieve:
    """Search in one library. `near` finds chunk ids by vector; `depth` is how deep each list goes."""

    def __init__(self, library: Library, near: Near, embedder: Embedder, depth: int) -> None:
        self._library, self._near, self._embedder, self._depth = library, near, embedder, depth

    def __call__(self, question: str, limit: int) -> tuple[Passage, ...]:
        """The `limit` nearest passages, numbered from 1; `score` is the fused one, scaled so that 1 is first in both lists."""
        query = words_query(question)
        by_words = [name for name, _ in self._library.words(query, self._depth)] if query else []
        by_vectors = [name for name, _ in self._near(self._embedder.embed([question])[0], self._depth)]
        fused = fuse(by_words, by_vectors)
        names = sorted(fused, key=lambda name: (-fused[name], name))[:limit]
        chunks = self._library.chunks(names)
        words = {name: rank for rank, name in enumerate(by_words, 1)}
        vectors = {name: rank for rank, name in enumerate(by_vectors, 1)}
        return tuple(
            Passage(
                number,
                chunks[name],
                fused[name] * (_K + 1) / 2,
                Ranks(words.get(name), vectors.get(name), rank),
                tuple(self._library.sources(chunks[name].document)[1:]),
            )
            for number, (rank, name) in enumerate(((r, n) for r, n in enumerate(names, 1) if n in chunks), 1)
        )  # fmt: skip


def fuse(*lists: list[str]) -> dict[str, float]:
    """Reciprocal rank fusion: id -> score."""
    scores: dict[str, float] = {}
    for names in lists:
        for rank, name in enumerate(names, 1):
            scores[name] = scores.get(name, 0.0) + 1.0 / (_K + rank)
    return scores


def words_query(question: str) -> str:
    """An FTS5 query for any of the question's words; stop words only where there are no others. "" without words."""
    found = tokens(fold(question))
    said = [word for word in found if not is_stop(word)] or found
    return " OR ".join('"' + word.replace('"', "") + '"' for word in dict.fromkeys(said[:_TERMS]))
