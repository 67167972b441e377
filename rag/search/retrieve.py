"""Question -> numbered passages, nearest first, by words and vectors, and reranked for a question.

1. Chunks are ranked by words and by vectors, and the two lists are fused (`rag.search.candidates`).
2. Copies are folded (`rag.search.passages`). A passage names all its copies.
3. The first passages are read together with the question by the reader's model, if it is a question
   ("wing flutter at Mach 2" is none). The score is the mean of its two logits, "answers" and
   "helps". Passages that are answered from are read anyway, so reranking ten costs five readings.
4. A second or third passage of one document gives way to one of another document that is nearly as
   near.

What is read and cited is the chunk with the sentences around it (`rag.search.passages`). What each
step passed on can be kept (`SearchTrace`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from rag.domain import Chunk, Passage, Ranks
from rag.index.bm25 import FastFullText
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.protocols import Embedder
from rag.search.candidates import (
    Candidates,
    Lists,
    Query,
    VectorSearch,
    best_first,
    blend_scores,
    ranks_of,
    spread_over_documents,
)
from rag.search.passages import Folded, fold_all, fold_copies, other_places, widen_chunk
from rag.text.facts import fold_text

#: passages kept in addition, because some may give way to those of other documents
_SPARE_PASSAGES = 3
#: how deep a fused list is read for a hint: `passages` cannot be set higher
_MAX_FOLLOWED = 1000
_QUESTION = re.compile(
    r"(?:.*\?$)|(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can"
    r"|could|will|would|should|has|have|had|"
    r"in (?:what|which)|on (?:what|which)|at (?:what|which)|to (?:whom|what|which)"
    r"|by (?:whom|what)|for (?:whom|what|which))\b",
    re.S,
)

#: a question and passages -> for each passage the logit of "it answers or helps to"
Rerank = Callable[[str, Sequence[str]], Sequence[float]]


class Ranking(NamedTuple):
    """Candidates in their order after each step. Scores are by chunk id."""

    fused: dict[str, float]  #: fused scores of all candidates
    folded: Folded  #: the best candidates without copies, in the order of their fused scores
    widened: dict[str, Chunk]  #: the first of these, as the reader's model read them again
    logits: dict[str, float]  #: of that reading; empty if nothing was read again
    scores: dict[str, float]  #: fused scores with the logits blended in
    best: list[str]  #: chunk ids in the final order, spread over their documents

    def reranked(self) -> dict[str, int]:
        """Chunk id -> rank by its logit."""
        return ranks_of(sorted(self.logits, key=lambda chunk_id: -self.logits[chunk_id]))


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a chunk got that the caller asked about, in the lists or beyond their ends.

    The ranks by words and by vectors are those in the whole library, or in the files that the
    question names. `final` is the smallest limit with which the search returns the chunk.
    """

    chunk_id: str
    ranks: Ranks
    final: int | None  #: None if it is in neither list, or was folded
    in_index: bool  #: it is in the list of the index
    original: Chunk | None = None  #: the chunk that it is a copy of, which stands for it
    kept_by: tuple[int, int] | None = None  #: depth and limit of a search that returns it


@dataclass(frozen=True, slots=True)
class SearchTrace:
    """One search: its question, what each step passed on, and the passages that it returned.

    Every list is as long as the search itself made it: `ranking` ends where the first `limit`
    passages were certain.
    """

    query: Query
    lists: Lists
    ranking: Ranking
    rerank: int  #: how many candidates are read again: 0 if this is no question
    limit: int  #: how many passages were asked for
    passages: tuple[Passage, ...]
    followed: Followed | None = None


class Retriever:
    """Search in one library.

    `near` finds chunk ids by vector and `words` by words, each `depth` deep; without `words`, the
    library's full text is used. `useful` reranks the first `rerank` chunks of the fused list; with
    0 it is not called. `beside` is the number of sentences that are added to a passage on either
    side. If `within` has ids of documents, only these documents are searched, else all.
    """

    def __init__(
        self,
        library: Library,
        near: VectorSearch,
        embedder: Embedder,
        depth: int,
        useful: Rerank | None = None,
        rerank: int = 0,
        beside: int = 0,
        words: FullText | FastFullText | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self._library = library
        words = words or library.fulltext
        self._candidates = Candidates(library, near, words, embedder, depth, within)
        self._useful, self._rerank, self._beside = useful, rerank, beside

    def __call__(self, question: str, limit: int) -> tuple[Passage, ...]:
        """The `limit` nearest passages, numbered from 1, with scores from 0 to 1.

        A passage that is first in both lists has the score 1.
        """
        return self.trace(question, limit).passages

    def trace(self, question: str, limit: int, follow: Sequence[str] = ()) -> SearchTrace:
        """The same search, with what each step passed on.

        With `follow`, the ids of chunks, the trace also says how far the best of them got.
        The question is embedded once and its passages stay the same. Only to name ranks beyond the
        ends of the lists, the words are ranked without an end and the index is asked for a longer
        list; and if none of the chunks is in the lists, the steps are repeated on lists that are
        just deep enough.
        """
        query = self._candidates.query(question)
        rerank = self._rerank if self._useful and is_question(question) else 0
        lists, fused, folded = self._fused_and_folded(query, limit, rerank)
        ranking = self._ranking(query, rerank, fused, folded, limit)
        passages = self._passages(lists, ranking)
        trace = SearchTrace(query, lists, ranking, rerank, limit, passages)
        return replace(trace, followed=self._follow(trace, follow)) if follow else trace

    def _fused_and_folded(
        self, query: Query, limit: int, rerank: int
    ) -> tuple[Lists, dict[str, float], Folded]:
        """Both lists, the fused scores, and the first chunks without copies.

        The lists are as deep as it takes to have enough chunks.
        """
        wanted = max(limit, self._rerank) + _SPARE_PASSAGES
        for lists in self._candidates.lists(query):
            fused = lists.fused()
            enough = _never if rerank else partial(_settled, fused, limit)
            folded = fold_copies(
                self._library, best_first(fused), wanted, lists.deeper_exist, enough
            )
            if folded:
                return lists, fused, folded
        raise AssertionError("the last lists are the deepest")

    def _ranking(
        self,
        query: Query,
        rerank: int,
        fused: dict[str, float],
        folded: Folded,
        limit: int,
        known: Mapping[str, float] | None = None,
    ) -> Ranking:
        """Read the first `rerank` chunks again and put all in their final order, up to `limit`.

        `known` are logits of chunks that were read before.
        """
        chunk_ids = list(folded.chunks)
        widened = {key: self._widened(folded.chunks[key]) for key in chunk_ids[:rerank]}
        logits = self._logits(query.text, widened, known or {})
        scores = blend_scores(chunk_ids, fused, logits)
        documents = {chunk_id: chunk.document for chunk_id, chunk in folded.chunks.items()}
        best = spread_over_documents(documents, scores, limit)
        return Ranking(fused, folded, widened, logits, scores, best)

    def _passages(self, lists: Lists, ranking: Ranking) -> tuple[Passage, ...]:
        chunks, copies = ranking.folded
        word_ranks, vector_ranks = ranks_of(lists.by_words), ranks_of(lists.by_vectors)
        fused_ranks, reranked = ranks_of(chunks), ranking.reranked()
        shown = [chunks[chunk_id] for chunk_id in ranking.best]
        return tuple(
            Passage(
                number,
                ranking.widened.get(chunk.id) or self._widened(chunk),
                ranking.scores[chunk.id],
                Ranks(
                    word_ranks.get(chunk.id),
                    vector_ranks.get(chunk.id),
                    fused_ranks[chunk.id],
                    reranked.get(chunk.id),
                ),
                other_places(self._library, chunk, copies.get(chunk.id, []), shown),
            )
            for number, chunk in enumerate(shown, 1)
        )

    # -- a chunk that is looked for

    def _follow(self, trace: SearchTrace, chunk_ids: Sequence[str]) -> Followed:
        """How far the best of `chunk_ids` got: one in the final order, a copy, or the nearest."""
        query, lists, ranking = trace.query, trace.lists, trace.ranking
        finals = {passage.chunk.id: passage.number for passage in trace.passages}
        wanted = set(chunk_ids)
        if not finals.keys() & wanted:
            folded = fold_all(self._library, best_first(ranking.fused))
            ranking = self._ranking_of_all(trace, ranking.fused, folded)
            finals |= {i: self._least_limit(ranking, i) for i in wanted & folded.chunks.keys()}
        originals = ranking.folded.originals()
        word_ranks = self._candidates.word_ranks(query, lists)
        found = sorted((finals[i], i) for i in wanted & finals.keys())
        copies = [i for i in originals if i in wanted]
        if found or copies:
            chunk_id = found[0][1] if found else copies[0]
        else:
            chunk_id = self._candidates.nearest(query, lists, word_ranks, chunk_ids)
        ranks = Ranks(
            word_ranks.get(chunk_id),
            self._candidates.vector_rank(query, lists, chunk_id),
            ranks_of(ranking.folded.chunks).get(chunk_id),
            ranking.reranked().get(chunk_id),
        )
        return Followed(
            chunk_id,
            ranks,
            finals.get(chunk_id),
            chunk_id in lists.by_vectors,
            None if found or not copies else originals[chunk_id],
            None if found or copies else self._kept_by(trace, chunk_id, ranks),
        )

    def _ranking_of_all(
        self, trace: SearchTrace, fused: dict[str, float], folded: Folded
    ) -> Ranking:
        """All chunks in their final order. What was read again before is not read anew."""
        limit, known = len(folded.chunks), trace.ranking.logits
        return self._ranking(trace.query, trace.rerank, fused, folded, limit, known)

    def _least_limit(self, ranking: Ranking, chunk_id: str) -> int:
        """The smallest limit with which the search returns a chunk from the same lists."""
        rank = ranking.best.index(chunk_id) + 1
        fused = ranks_of(ranking.folded.chunks)[chunk_id]
        # with a small limit the search does not look as deep into the fused list
        is_read = fused <= max(rank, self._rerank) + _SPARE_PASSAGES
        return rank if is_read else fused - _SPARE_PASSAGES

    def _kept_by(self, trace: SearchTrace, chunk_id: str, ranks: Ranks) -> tuple[int, int] | None:
        """The depth and the limit with which the search returns a chunk that is in neither list."""
        reach = min((rank for rank in (ranks.words, ranks.vectors) if rank), default=0)
        if reach <= trace.lists.depth:
            return None
        fused = self._candidates.lists_to(trace.query, reach).fused()
        order = best_first(fused)[:_MAX_FOLLOWED]
        if chunk_id not in order:
            return None
        folded = fold_all(self._library, order)
        if chunk_id not in folded.chunks:
            return None
        return reach, self._least_limit(self._ranking_of_all(trace, fused, folded), chunk_id)

    # -- reading

    def _widened(self, chunk: Chunk) -> Chunk:
        """The chunk with the sentences around it, as it is read and cited."""
        if not self._beside:
            return chunk
        return widen_chunk(chunk, self._library.documents.load(chunk.document), self._beside)

    def _logits(
        self, question: str, chunks: Mapping[str, Chunk], known: Mapping[str, float]
    ) -> dict[str, float]:
        """Chunk id -> logit of "it answers or helps to", for each chunk by its id."""
        unread = {key: chunk.text for key, chunk in chunks.items() if key not in known}
        if self._useful is None or not chunks:
            return {}
        read = self._useful(question, list(unread.values())) if unread else ()
        logits = {**known, **dict(zip(unread, read, strict=True))}
        return {chunk_id: logits[chunk_id] for chunk_id in chunks}


def is_question(text: str) -> bool:
    """True if the text ends with a question mark or begins with a question word or auxiliary."""
    return bool(_QUESTION.match(fold_text(text.strip())))


def _settled(
    fused: Mapping[str, float], limit: int, chunks: Mapping[str, Chunk], next_id: str
) -> bool:
    """True if the `limit` best chunks are among `chunks`, whatever follows from `next_id` on."""
    if len(chunks) < limit:
        return False
    documents = {chunk_id: chunk.document for chunk_id, chunk in chunks.items()}
    return len(spread_over_documents(documents, fused, limit, fused[next_id])) == limit


def _never(chunks: Mapping[str, Chunk], next_id: str) -> bool:
    return False
