"""Question -> candidates: the best chunks by words and the best by vectors, with fused scores.

Words are ranked by BM25, stemmed; any word may match. A word that is in no chunk is looked up as
the words that differ from it by one letter. Vectors are ranked by cosine. A question that names a
file ("... in report.pdf") is looked up in that file alone.

The two lists are fused by their scores, each as a share of the best in its list, half and half (a
convex combination; Bruch, Gai and Ingber 2023). Reciprocal rank fusion, which this replaced, was
below the better list alone on four of six sets: it ignores by how much the first is ahead.

The probability of the reader's model that a passage answers or helps is then added with a weight of
0.15. A chunk that leads both lists stays first. With that weight reranking gains on SQuAD's
articles kept out (nDCG@10 0.887 -> 0.916, n 130), on the quotes of long documents (whole within
five passages 0.90 -> 0.93, n 90) and on CLAPNQ (0.981 -> 0.985, n 90). It costs 0.006 on product
documentation (n 100) and 0.003 on Cranfield (n 120). With a weight of 1 it gained 0.006 more on
SQuAD and 0.03 on the quotes, and cost 0.023 and 0.025: the model was trained on questions about
encyclopedias.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from rag.index.bm25 import FastFullText
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.protocols import Embedder
from rag.text.facts import Date, find_dates, fold_text, is_stop_word, word_tokens
from rag.text.labels import MONTHS
from rag.text.unspaced import divide

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
_BM25_WEIGHT = 0.5  # of the share of the best BM25; the share of the best cosine has the rest
_RERANK_WEIGHT = 0.15  # of the model's probability; the fused score has 1
#: the fused score of a chunk that is first in both lists, but for rounding
_LEADS_BOTH_LISTS = 1.0 - 1e-6
#: subtracted from a passage's score for each better one of its document, up to `_MAX_PENALTIES`
_SAME_DOCUMENT_PENALTY = 0.05
_MAX_PENALTIES = 3

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
    #: cosines of the chunks in `by_words`; for a chunk without a vector, that of its table
    cosines: dict[str, float]
    deeper_exist: bool = False
    #: the lists have only chunks of the documents that are searched or named, and are not cut
    in_files: bool = False

    def fused(self) -> dict[str, float]:
        """Chunk id -> fused score of every candidate."""
        return fuse_scores(self.by_words, {**self.cosines, **self.by_vectors})


class Candidates:
    """Both lists for a question, `depth` long, and the ranks of chunks behind their ends.

    `near` finds chunks by vector, `words` by words. If `within` has ids of documents, only these
    documents are searched, else all.
    """

    def __init__(
        self,
        library: Library,
        near: VectorSearch,
        words: FullText | FastFullText,
        embedder: Embedder,
        depth: int,
        within: Sequence[str] = (),
    ) -> None:
        self._library, self._near, self._words = library, near, words
        self._embedder, self._depth, self._within = embedder, depth, within

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
        in_files = self._chunks_within(query)
        if in_files or self._within:
            yield self._lists_in_files(query, in_files)
            return
        max_depth = self._depth * _DEPTH_FACTOR**2
        for depth in (self._depth, self._depth * _DEPTH_FACTOR, max_depth):
            lists = self.lists_to(query, depth)
            full = max(len(lists.by_words), len(lists.by_vectors)) >= depth
            yield lists._replace(deeper_exist=full and depth < max_depth)
            if not full:
                return

    def _chunks_within(self, query: Query) -> Sequence[str]:
        """The ids of the chunks to which the search is limited, by `within` or by a named file.

        Without `within`, no ids mean that all chunks are searched.
        """
        documents = self._library.documents
        if self._within:
            return [chunk_id for each in self._within for chunk_id in documents.chunk_ids_of(each)]
        names = _file_names(query.text)
        return documents.chunk_ids_named(names) if names else ()

    def _lists_in_files(self, query: Query, chunk_ids: Sequence[str]) -> Lists:
        allowed = set(chunk_ids)
        by_words = {
            chunk_id: score
            for chunk_id, score in self._words(query.words, _UNLIMITED)
            if chunk_id in allowed
        }
        cosines = self._library.documents.cosines(chunk_ids, query.vector)
        of_tables = self._cosines_of_rows(query, by_words, cosines)
        by_vectors = {chunk_id: cosines[chunk_id] for chunk_id in best_first(cosines)}
        return Lists(_UNLIMITED, by_words, by_vectors, of_tables, in_files=True)

    def lists_to(self, query: Query, depth: int) -> Lists:
        """Both lists, `depth` long."""
        near = _VECTOR_THREAD.submit(self._near, query.vector, depth)
        by_words = dict(self._words(query.words, depth))
        cosines = self._library.documents.cosines(list(by_words), query.vector)
        cosines |= self._cosines_of_rows(query, by_words, cosines)
        return Lists(depth, by_words, dict(near.result()), cosines)

    def _cosines_of_rows(
        self, query: Query, by_words: Mapping[str, float], cosines: Mapping[str, float]
    ) -> dict[str, float]:
        """The cosines that stand for those of chunks without a vector: those of their tables.

        Rows of large tables have none. By their words alone they could not be compared with chunks
        that have a share of both lists.
        """
        without = [chunk_id for chunk_id in by_words if chunk_id not in cosines]
        return self._library.table_vectors.cosines(without, query.vector)

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
        """The one of `chunk_ids` (not empty) that has the best rank by words or by vectors."""
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
    """The words that a question is about, each once; stop words only if there are no others.

    Scripts without spaces give pairs of characters.
    """
    spelt, pairs = divide(question)
    words = word_tokens(fold_text(spelt))
    content_words = [word for word in words if not is_stop_word(word)] + pairs or words
    content_words += [word for date in find_dates(spelt)[0] for word in _other_writings(date)]
    return list(dict.fromkeys(content_words[:_MAX_QUERY_WORDS]))


def _other_writings(date: Date) -> Iterator[str]:
    """Yield the words of a whole date as tables and letters write it: 2022, 04, 9, april."""
    if date.year is not None and date.day is not None:
        yield from (f"{date.year:04d}", f"{date.month:02d}", f"{date.day:02d}", str(date.day))
        yield MONTHS[date.month - 1]


def fuse_scores(by_words: Mapping[str, float], by_vectors: Mapping[str, float]) -> dict[str, float]:
    """Chunk id -> score, 0..1: the mean of its shares of the best BM25 and of the best cosine.

    A chunk that is not in one of the lists has a share of 0 there.
    """
    max_bm25, max_cosine = (max(scores.values(), default=0.0) for scores in (by_words, by_vectors))
    words_factor = _BM25_WEIGHT / max_bm25 if max_bm25 > 0 else 0.0
    vectors_factor = (1 - _BM25_WEIGHT) / max_cosine if max_cosine > 0 else 0.0
    return {
        chunk_id: words_factor * max(0.0, by_words.get(chunk_id, 0.0))
        + vectors_factor * max(0.0, by_vectors.get(chunk_id, 0.0))
        for chunk_id in dict.fromkeys([*by_words, *by_vectors])
    }


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Chunk ids by their scores, highest first; the ids decide between equal scores."""
    return sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))


def blend_scores(
    chunk_ids: Sequence[str], fused: Mapping[str, float], logits: Mapping[str, float]
) -> dict[str, float]:
    """Chunk id -> score, 0..1, from the fused scores and the logits of the reader's model.

    `chunk_ids` are sorted by fused score. `logits` has the chunks that the model read, which are
    the first of them. Those stay before the others, and a chunk that leads both lists stays before
    all. Without logits, the scores are the fused ones.
    """
    if not logits:
        return {chunk_id: fused[chunk_id] for chunk_id in chunk_ids}
    chances = {chunk_id: 1 / (1 + math.exp(-logit)) for chunk_id, logit in logits.items()}
    chances |= {chunk_id: 1.0 for chunk_id in chunk_ids if fused[chunk_id] >= _LEADS_BOTH_LISTS}
    return {
        chunk_id: (fused[chunk_id] + _RERANK_WEIGHT * chances.get(chunk_id, 0.0))
        / (1 + _RERANK_WEIGHT)
        for chunk_id in chunk_ids
    }


def spread_over_documents(
    documents: Mapping[str, str],
    scores: Mapping[str, float],
    limit: int,
    beyond: float = -math.inf,
) -> list[str]:
    """The `limit` best chunk ids, best first; better ones of the same document lower a score.

    `documents` has the document id of each chunk id; its order decides between equal scores. The
    list ends early if a chunk that is not in `documents` and has the score `beyond` could be
    better.
    """
    remaining, chosen, per_document = list(documents), list[str](), Counter[str]()

    def penalised_score(chunk_id: str) -> float:
        penalties = min(_MAX_PENALTIES, per_document[documents[chunk_id]])
        return scores[chunk_id] - _SAME_DOCUMENT_PENALTY * penalties

    while remaining and len(chosen) < limit:
        best = max(remaining, key=penalised_score)
        if penalised_score(best) < beyond:
            break
        remaining.remove(best)
        chosen.append(best)
        per_document[documents[best]] += 1
    return chosen


def _file_names(question: str) -> list[str]:
    """The words of a question that look like names of files, also without an @ before them."""
    names = _QUOTED_FILE_NAME.findall(question) + _FILE_NAME.findall(question)
    return list(dict.fromkeys(form for name in names for form in (name, name.lstrip("@")) if form))
