"""Question -> numbered passages, nearest first, by words and vectors, and reranked for a question.

1. Words are ranked by BM25, stemmed; any word may match. A word that is in no chunk is looked up as
   the words that differ from it by one letter. Vectors are ranked by cosine. The two lists are
   fused (`rag.search.fusion`). A question that names a file ("... in report.pdf") is looked up in
   that file alone.
2. Copies are folded: a chunk that says nothing which a better one does not is folded into that one,
   so that a copy takes no place and does not corroborate. The texts themselves decide
   (`rag.text.copies`), because chunks of two copies need not begin at the same word; a chunk is
   compared with all better passages together. Labels made at ingest tell whether the lists have so
   many copies that deeper lists are needed, and which further copies exist. A passage names all its
   copies.
3. The first passages are read together with the question by the reader's model, if it is a question
   ("wing flutter at Mach 2" is none). The score is the mean of its two logits, "answers" and
   "helps". Passages that are answered from are read anyway, so reranking ten costs five readings.
4. A second or third passage of one document gives way to one of another document that is nearly as
   near.

What is read and cited is the chunk with the sentences around it (`rag.search.widen`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rag.domain import Chunk, Copy, Embedder, Passage, Ranks
from rag.index.bm25 import FastFullText
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.search.fusion import blend_scores, fuse_scores, spread_over_documents
from rag.search.widen import widen_chunk
from rag.text.copies import WordText, find_copy
from rag.text.facts import fold_text, is_stop_word, word_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: passages kept in addition, because some may give way to those of other documents
_SPARE_PASSAGES = 3
_QUESTION = re.compile(
    r"(?:.*\?$)|(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can"
    r"|could|will|would|should|has|have|had|"
    r"in (?:what|which)|on (?:what|which)|at (?:what|which)|to (?:whom|what|which)"
    r"|by (?:whom|what)|for (?:whom|what|which))\b",
    re.S,
)
#: a word that looks like the name of a file
_FILE_NAME = re.compile(r"(?<![^\s\"'“”‘’«»()])[^\s\"'“”‘’«»()]+\.[A-Za-z]\w{0,5}\b")
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
#: a question and passages -> for each passage the logit of "it answers or helps to"
Rerank = Callable[[str, Sequence[str]], Sequence[float]]


class _Lists(NamedTuple):
    """Chunk ids with their scores in both lists, best first."""

    by_words: dict[str, float]  #: BM25
    by_vectors: dict[str, float]  #: cosine
    cosines: dict[str, float]  #: of the chunks in `by_words`
    deeper_exist: bool


class _Folded(NamedTuple):
    """Chunks by id, best first, and for some of them the worse ones that say the same."""

    chunks: dict[str, Chunk]
    copies: dict[str, list[Chunk]]


class Retriever:
    """Search in one library.

    `near` finds chunk ids by vector and `words` by words, each `depth` deep. `useful` reranks the
    first `rerank` chunks of the fused list; with 0 it is not called. `beside` is the number of
    sentences that are added to a passage on either side.
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
    ) -> None:
        self._library, self._near, self._embedder, self._depth = library, near, embedder, depth
        self._useful, self._rerank, self._beside = useful, rerank, beside
        self._words = words or library.fulltext

    def __call__(self, question: str, limit: int) -> tuple[Passage, ...]:
        """The `limit` nearest passages, numbered from 1, with scores from 0 to 1.

        A passage that is first in both lists has the score 1.
        """
        reranks = self._is_reranked(question)
        lists, fused, folded = self._fused_and_folded(question, limit, reranks)
        chunks = folded.chunks
        chunk_ids = list(chunks)
        widened = {
            chunk_id: self._widened(chunks[chunk_id])
            for chunk_id in (chunk_ids[: self._rerank] if reranks else ())
        }
        logits = self._logits(question, {key: chunk.text for key, chunk in widened.items()})
        scores = blend_scores(chunk_ids, fused, logits)
        documents = {chunk_id: chunk.document for chunk_id, chunk in chunks.items()}
        best = spread_over_documents(documents, scores, limit)
        word_ranks, vector_ranks = _ranks(lists.by_words), _ranks(lists.by_vectors)
        fused_ranks = _ranks(chunk_ids)
        reranked = _ranks(sorted(logits, key=lambda chunk_id: -logits[chunk_id]))
        shown = [chunks[chunk_id] for chunk_id in best]
        return tuple(
            Passage(
                number,
                widened.get(chunk.id) or self._widened(chunk),
                scores[chunk.id],
                Ranks(
                    word_ranks.get(chunk.id),
                    vector_ranks.get(chunk.id),
                    fused_ranks[chunk.id],
                    reranked.get(chunk.id),
                ),
                self._copies(chunk, folded.copies.get(chunk.id, []), shown),
            )
            for number, chunk in enumerate(shown, 1)
        )

    def _fused_and_folded(
        self, question: str, limit: int, reranks: bool
    ) -> tuple[_Lists, dict[str, float], _Folded]:
        """Both lists, the fused scores, and the first chunks without copies.

        The lists are as deep as it takes to have enough chunks.
        """
        wanted = max(limit, self._rerank) + _SPARE_PASSAGES
        vector = self._embedder.embed([question])[0]
        for lists in self._lists(question, vector):
            fused = fuse_scores(lists.by_words, {**lists.cosines, **lists.by_vectors})
            order = sorted(fused, key=lambda chunk_id: (-fused[chunk_id], chunk_id))
            enough = _never if reranks else partial(_settled, fused, limit)
            folded = self._fold_copies(order, wanted, lists.deeper_exist, enough)
            if folded:
                return lists, fused, folded
        raise AssertionError("the last lists are the deepest")

    def _lists(self, question: str, vector: NDArray[np.float32]) -> Iterator[_Lists]:
        """Yield both lists for the question, then deeper ones while there are more chunks."""
        words = self._search_words(question)
        in_files = self._library.documents.chunk_ids_named(_FILE_NAME.findall(question))
        if in_files:
            by_words = dict(self._words(words, _UNLIMITED))
            cosines = self._library.documents.cosines(in_files, vector)
            allowed = set(in_files)
            by_words = {key: score for key, score in by_words.items() if key in allowed}
            yield _Lists(by_words, cosines, {}, False)
            return
        max_depth = self._depth * _DEPTH_FACTOR**2
        for depth in (self._depth, self._depth * _DEPTH_FACTOR, max_depth):
            near = _VECTOR_THREAD.submit(self._near, vector, depth)
            by_words = dict(self._words(words, depth))
            cosines = self._library.documents.cosines(list(by_words), vector)
            by_vectors = dict(near.result())
            full = max(len(by_words), len(by_vectors)) >= depth
            yield _Lists(by_words, by_vectors, cosines, full and depth < max_depth)
            if not full:
                return

    def _search_words(self, question: str) -> list[str]:
        """The words of the question, and similar words after one that is in no chunk."""
        words = query_words(question)
        known = self._words.hold(words)
        unknown = [word for word in words if word not in known]
        similar = {
            word: self._library.spelling.spelt(word) for word in unknown[:_MAX_CORRECTED_WORDS]
        }
        return [alternative for word in words for alternative in (word, *similar.get(word, ()))]

    def _fold_copies(
        self,
        chunk_ids: Sequence[str],
        wanted: int,
        deeper_exist: bool,
        enough: Callable[[dict[str, Chunk], str], bool],
    ) -> _Folded | None:
        """The first `wanted` chunks that say something new, best first, with their copies.

        There are fewer if `enough` is true of the chunks so far and the next id. The result is None
        if these ids have too few and deeper lists exist; the labels of the copies tell that before
        a long list of them is compared.
        """
        folded = _Folded({}, {})
        texts: list[WordText] = []
        for index, chunk_id in enumerate(chunk_ids):
            if len(folded.chunks) == wanted or enough(folded.chunks, chunk_id):
                return folded
            if (
                deeper_exist
                and index == 2 * wanted
                and len(self._library.duplicates.labels(chunk_ids)) < wanted
            ):
                return None
            chunk = self._library.documents.chunks([chunk_id]).get(chunk_id)
            if chunk is None:
                continue
            text = WordText(chunk.text, f"{chunk.title} {chunk.heading}")
            original = find_copy(text, texts)
            if original is None:
                folded.chunks[chunk_id] = chunk
                texts.append(text)
            else:
                original_id = list(folded.chunks)[original]
                folded.copies.setdefault(original_id, []).append(chunk)
        return None if deeper_exist and len(folded.chunks) < wanted else folded

    def _widened(self, chunk: Chunk) -> Chunk:
        """The chunk with the sentences around it, as it is read and cited."""
        if not self._beside:
            return chunk
        return widen_chunk(chunk, self._library.documents.load(chunk.document), self._beside)

    def _copies(
        self, chunk: Chunk, folded: Sequence[Chunk], shown: Sequence[Chunk]
    ) -> tuple[Copy, ...]:
        """The other places of the chunk's text, without those of the passages in `shown`.

        First the chunks that were folded into it, then the other names of its document, then the
        copies that were found at ingest.
        """
        names = [
            Copy(source, each.document, each.span)
            for each in (*folded, chunk)
            for source in self._library.files.sources(each.document)
        ]
        copies = dict.fromkeys([*names, *self._library.duplicates.copies(chunk.id)])
        itself = Copy(chunk.source, chunk.document, chunk.span)
        shown_places = {(other.document, other.span) for other in shown if other.id != chunk.id}
        return tuple(
            copy
            for copy in copies
            if copy != itself and (copy.document, copy.span) not in shown_places
        )

    def _is_reranked(self, question: str) -> bool:
        return self._useful is not None and self._rerank > 0 and is_question(question)

    def _logits(self, question: str, texts: dict[str, str]) -> dict[str, float]:
        """Chunk id -> logit of "it answers or helps to", for each text by its chunk id."""
        if self._useful is None or not texts:
            return {}
        return dict(zip(texts, self._useful(question, list(texts.values())), strict=True))


def _ranks(chunk_ids: Iterable[str]) -> dict[str, int]:
    """Chunk id -> its place in the list, from 1."""
    return {chunk_id: rank for rank, chunk_id in enumerate(chunk_ids, 1)}


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


def query_words(question: str) -> list[str]:
    """The words that a question is about, each once; stop words only if there are no others."""
    words = word_tokens(fold_text(question))
    content_words = [word for word in words if not is_stop_word(word)] or words
    return list(dict.fromkeys(content_words[:_MAX_QUERY_WORDS]))
