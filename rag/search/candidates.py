"""Question -> candidates: the best chunks by words and the best by vectors, with their scores.

Words are ranked by BM25, stemmed; any word may match. A word that is in no chunk is looked up as
the words that differ from it by one letter. Vectors are ranked by cosine. A question that names a
file ("... in report.pdf") is looked up in that file alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from rag.index.bm25 import FastFullText
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.protocols import Embedder
from rag.search.fusion import best_first, fuse_scores
from rag.text.facts import fold_text, is_stop_word, word_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: a word that looks like the name of a file
_FILE_NAME = re.compile(r"(?<![^\s\"'“”‘’«»()])[^\s\"'“”‘’«»()]+\.[A-Za-z]\w{0,5}\b")
#: one in quotation marks, which may have blanks in it
_QUOTED_FILE_NAME = re.compile(r"[\"“«‘']([^\"“”«»\n]{1,200}?\.[A-Za-z]\w{0,5})[\"”»’']")
_UNLIMITED = 1_000_000_000  # chunks; the depth of a whole list
_MAX_QUERY_WORDS = 64  # words of a question that are looked up
#: unknown words that are looked up as similar ones; each costs a walk through the vocabulary
_MAX_CORRECTED_WORDS = 8
#: looks up the index while SQLite ranks the words, so that neither waits for the other
_VECTOR_THREAD = ThreadPoolExecutor(1, "near")
#: the lists are made so many times deeper if copies leave too few passages in them, at most twice
_DEPTH_FACTOR = 4

#: a vector and a depth -> chunk ids with cosines, best first
VectorSearch = Callable[["NDArray[np.float32]", int], list[tuple[str, float]]]


class Query(NamedTuple):
    """A question as it is looked up."""

    text: str
    words: list[str]  #: those it is about, and similar ones after a word that is in no chunk
    vector: NDArray[np.float32]  #: shape (dimension,)


class Lists(NamedTuple):
    """Chunk ids with their scores in both lists, best first."""

    depth: int  #: the length at which each list ends
    by_words: dict[str, float]  #: BM25
    by_vectors: dict[str, float]  #: cosine
    cosines: dict[str, float]  #: of the chunks in `by_words`
    deeper_exist: bool = False
    in_files: bool = False  #: of the files alone that the question names, without an end

    def fused(self) -> dict[str, float]:
        """Chunk id -> fused score of every candidate."""
        return fuse_scores(self.by_words, {**self.cosines, **self.by_vectors})


class Candidates:
    """Both lists for a question, `depth` long, and the ranks of chunks behind their ends."""

    def __init__(
        self,
        library: Library,
        near: VectorSearch,
        words: FullText | FastFullText,
        embedder: Embedder,
        depth: int,
    ) -> None:
        self._library, self._near, self._words = library, near, words
        self._embedder, self._depth = embedder, depth

    def query(self, question: str) -> Query:
        """The words and the vector of a question."""
        vector = self._embedder.embed([question])[0]
        words = query_words(question)
        known = self._words.hold(words)
        unknown = [word for word in words if word not in known]
        similar = {
            word: self._library.spelling.spelt(word) for word in unknown[:_MAX_CORRECTED_WORDS]
        }
        looked_up = [other for word in words for other in (word, *similar.get(word, ()))]
        return Query(question, looked_up, vector)

    def lists(self, query: Query) -> Iterator[Lists]:
        """Yield both lists for the question, then deeper ones while there are more chunks."""
        in_files = self._library.documents.chunk_ids_named(_file_names(query.text))
        if in_files:
            yield self._lists_in_files(query, in_files)
            return
        max_depth = self._depth * _DEPTH_FACTOR**2
        for depth in (self._depth, self._depth * _DEPTH_FACTOR, max_depth):
            lists = self.lists_to(query, depth)
            full = max(len(lists.by_words), len(lists.by_vectors)) >= depth
            yield lists._replace(deeper_exist=full and depth < max_depth)
            if not full:
                return

    def _lists_in_files(self, query: Query, chunk_ids: Sequence[str]) -> Lists:
        allowed = set(chunk_ids)
        by_words = {
            chunk_id: score
            for chunk_id, score in self._words(query.words, _UNLIMITED)
            if chunk_id in allowed
        }
        cosines = self._library.documents.cosines(chunk_ids, query.vector)
        by_vectors = {chunk_id: cosines[chunk_id] for chunk_id in best_first(cosines)}
        return Lists(_UNLIMITED, by_words, by_vectors, {}, in_files=True)

    def lists_to(self, query: Query, depth: int) -> Lists:
        """Both lists, `depth` long."""
        near = _VECTOR_THREAD.submit(self._near, query.vector, depth)
        by_words = dict(self._words(query.words, depth))
        cosines = self._library.documents.cosines(list(by_words), query.vector)
        return Lists(depth, by_words, dict(near.result()), cosines)

    # -- beyond the ends of the lists

    def word_ranks(self, query: Query, lists: Lists) -> dict[str, int]:
        """Chunk id -> rank by words, in a list without an end."""
        if len(lists.by_words) < lists.depth:
            return ranks_of(lists.by_words)
        return ranks_of(chunk_id for chunk_id, _ in self._words(query.words, _UNLIMITED))

    def vector_rank(self, query: Query, lists: Lists, chunk_id: str) -> int | None:
        """The rank of a chunk by vectors.

        The index is asked for longer lists until one reaches down to the cosine of the chunk. A
        chunk that the index does not find has the rank that belongs to its cosine.
        """
        depth, near = lists.depth, lists.by_vectors
        cosine = self._library.documents.cosines([chunk_id], query.vector).get(chunk_id)
        if cosine is None or (lists.in_files and chunk_id not in near):
            return None
        while chunk_id not in near and len(near) >= depth and min(near.values()) > cosine:
            depth *= _DEPTH_FACTOR
            near = dict(self._near(query.vector, depth))
        return ranks_of(near).get(chunk_id) or 1 + sum(other > cosine for other in near.values())

    def nearest(
        self, query: Query, lists: Lists, word_ranks: Mapping[str, int], chunk_ids: Sequence[str]
    ) -> str:
        """The one of `chunk_ids` that has the best rank by words or by vectors."""
        cosines = self._library.documents.cosines(chunk_ids, query.vector)
        best_cosine = max(cosines, key=cosines.__getitem__, default=chunk_ids[0])
        by_vectors = self.vector_rank(query, lists, best_cosine)
        ranks = [(word_ranks[i], i) for i in chunk_ids if i in word_ranks]
        ranks += [(by_vectors, best_cosine)] if by_vectors else []
        return min(ranks, default=(0, chunk_ids[0]))[1]


def ranks_of(chunk_ids: Iterable[str]) -> dict[str, int]:
    """Chunk id -> its place in the list, from 1."""
    return {chunk_id: rank for rank, chunk_id in enumerate(chunk_ids, 1)}


def query_words(question: str) -> list[str]:
    """The words that a question is about, each once; stop words only if there are no others."""
    words = word_tokens(fold_text(question))
    content_words = [word for word in words if not is_stop_word(word)] or words
    return list(dict.fromkeys(content_words[:_MAX_QUERY_WORDS]))


def _file_names(question: str) -> list[str]:
    """The words of a question that look like names of files, also without an @ before them."""
    names = _QUOTED_FILE_NAME.findall(question) + _FILE_NAME.findall(question)
    return list(dict.fromkeys(form for name in names for form in (name, name.lstrip("@")) if form))
