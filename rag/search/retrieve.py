"""Question -> numbered passages, nearest first: words and vectors, fused, and for a question reranked.

Words are ranked by BM25 (`postings`, `words`; stemmed; any word may match; one that stands nowhere is looked up as those a letter off),
vectors by cosine. The two are fused by their scores, each as a share of the best in its list, half and half (a convex
combination; Bruch, Gai and Ingber 2023). Reciprocal rank fusion, which this replaced, came out below the better list alone on four of
six sets, since it throws away by how much the first is ahead. The first of them are
then read together with the question by the reader's model, and 0.15 times the probability that a passage answers or helps (of the mean
of the two logits) is added to its score; what leads both lists stays first. With that weight reranking gains on SQuAD's articles kept out (nDCG@10
0.887 -> 0.916, n 130), on the quotes of long documents (whole within five passages 0.90 -> 0.93, n 90) and CLAPNQ (0.981 -> 0.985, n 90), and costs 0.006 on product
documentation (n 100) and 0.003 on Cranfield (n 120). At 1 it gained 0.006 more on SQuAD and 0.03 on the quotes, and cost 0.023 and 0.025: the model learnt from
questions about encyclopedias. Passages that are answered from are read anyway, so reranking ten costs five readings.
What is no question ("wing flutter at Mach 2") is left as it was fused.

What is read and cited is the chunk with the sentences beside it (`around`). A second and third passage of one document give way to one nearly as near of another document. A question that names a file
("... in report.pdf") is looked up in that file alone.

A chunk that says nothing which a better one does not is folded into that one before anything reads them: a copy takes no
place and bears nothing out a second time. The texts themselves decide (`same`), because chunks of two copies need not begin at
the same word: what the passages before it hold together is what it is held against. Which copies exist besides, and
whether the lists hold so many of them that deeper ones are needed, the labels made at ingest tell (`twins`). A passage names all its copies.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from rag.domain import Chunk, Copy, Embedder, Passage, Ranks
from rag.index.bm25 import FastFullText
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.search.widen import widen_chunk
from rag.text.copies import WordText, find_copy
from rag.text.facts import fold_text, is_stop_word, word_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BM25_WEIGHT = 0.5  # what the share of the best BM25 weighs beside that of the best cosine
_RERANK_WEIGHT = 0.15  # what the model's probability weighs beside the fused score
_LEADS_BOTH_LISTS = 1.0 - 1e-6  # the fused score of what is first in both lists
_SAME_DOCUMENT_PENALTY, _MAX_PENALTIES = (
    0.05,
    3,
)  # what a passage's score loses for each better one of its document, and for how many at most
_SPARE_PASSAGES = 3  # passages of which some may give way to those of other documents
_QUESTION = re.compile(
    r"(?:.*\?$)|(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|"
    r"in (?:what|which)|on (?:what|which)|at (?:what|which)|to (?:whom|what|which)|by (?:whom|what)|for (?:whom|what|which))\b",
    re.S,
)
_FILE_NAME = re.compile(
    r"(?<![^\s\"'“”‘’«»()])[^\s\"'“”‘’«»()]+\.[A-Za-z]\w{0,5}\b"
)  # what looks like the name of a file
_UNLIMITED = 1_000_000_000  # as deep as a list goes
_MAX_QUERY_WORDS = 64  # most words of a question that are looked up
_SLIPS = 8  # of those that stand nowhere, so many are looked up as the words a letter off: each costs a walk through the vocabulary
_VECTOR_THREAD = ThreadPoolExecutor(
    1, "near"
)  # the index is looked up while SQLite ranks the words: neither holds up the other
_DEPTH_FACTOR = 4  # times as deep are the lists asked for, where copies leave too few passages in them; twice at most

VectorSearch = Callable[..., list[tuple[str, float]]]
#: a question and passages -> for each passage the logit of "it answers or helps to"
Rerank = Callable[[str, Sequence[str]], Sequence[float]]


class Retriever:
    """Search in one library. `near` finds chunk ids by vector, `words` by words; `depth` is how deep each list goes.

    `useful` reranks the first `rerank` of the fused list; with 0 it is not asked. `beside` sentences are put to a passage on either side.
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
        self._words = words or library.words

    def __call__(self, question: str, limit: int) -> tuple[Passage, ...]:
        """The `limit` nearest passages, numbered from 1; `score` is the fused one, scaled so that 1 is first in both lists."""
        wanted, reads = max(limit, self._rerank) + _SPARE_PASSAGES, self._reads(question)
        vector = self._embedder.embed([question])[0]
        for by_words, by_vectors, cosines, more in self._lists(question, vector):
            fused = fuse_scores(by_words, {**cosines, **by_vectors})
            order = sorted(fused, key=lambda name: (-fused[name], name))
            found = self._folded(
                order, wanted, more, partial(_settled, fused, limit) if not reads else _never
            )
            if found:
                break
        assert found is not None  # the last lists are the deepest
        chunks, folded = found
        names = list(chunks)
        wide = {name: self._wide(chunks[name]) for name in names[: self._rerank]} if reads else {}
        read = self._read(question, {name: chunk.text for name, chunk in wide.items()})
        scores = blend_scores(names, fused, read)
        again = {name: rank for rank, name in enumerate(sorted(read, key=lambda n: -read[n]), 1)}
        fusion = {name: rank for rank, name in enumerate(names, 1)}
        best = spread_over_documents({name: chunks[name].document for name in names}, scores, limit)
        words = {name: rank for rank, name in enumerate(by_words, 1)}
        vectors = {name: rank for rank, name in enumerate(by_vectors, 1)}
        return tuple(
            Passage(
                number, wide.get(name) or self._wide(chunks[name]), scores[name],
                Ranks(words.get(name), vectors.get(name), fusion[name], again.get(name)),
                self._copies(chunks[name], folded.get(name, []), [chunks[other] for other in best]),
            )
            for number, name in enumerate(best, 1)
        )  # fmt: skip

    def _lists(
        self, question: str, vector: NDArray[np.float32]
    ) -> Iterator[tuple[dict[str, float], dict[str, float], dict[str, float], bool]]:
        """Chunk ids with BM25 and with cosine, best first; the cosines of what has a BM25; and is there more? Then deeper ones follow."""
        words = self._sought(question)
        only = self._library.lookup.chunks_of(_FILE_NAME.findall(question))
        if only:
            held, cosines = (
                dict(self._words(words, _UNLIMITED)),
                self._library.cosines(only, vector),
            )
            yield {name: held[name] for name in held if name in set(only)}, cosines, {}, False
            return
        for depth in (self._depth, self._depth * _DEPTH_FACTOR, self._depth * _DEPTH_FACTOR**2):
            waiting = _VECTOR_THREAD.submit(self._near, vector, depth)
            by_words = dict(self._words(words, depth))
            cosines = self._library.cosines(list(by_words), vector)
            by_vectors = dict(waiting.result())
            full = max(len(by_words), len(by_vectors)) >= depth
            yield by_words, by_vectors, cosines, full and depth < self._depth * _DEPTH_FACTOR**2
            if not full:
                return

    def _sought(self, question: str) -> list[str]:
        """The words that are looked up: the question's, and for one that stands nowhere those a letter off too."""
        said = query_words(question)
        held = self._words.hold(said)
        slips = {
            word: self._library.lookup.spelt(word)
            for word in [w for w in said if w not in held][:_SLIPS]
        }
        return [w for word in said for w in (word, *slips.get(word, ()))]

    def _folded(
        self,
        names: Sequence[str],
        wanted: int,
        more: bool,
        enough: Callable[[dict[str, Chunk], str], bool],
    ) -> tuple[dict[str, Chunk], dict[str, list[Chunk]]] | None:
        """The first `wanted` chunks that say something new, best first, and for each what was folded into it.

        Fewer where those, and the next name, are `enough`. None where these names hold too few and there are `more`: the labels tell
        it before a long list of copies is compared.
        """
        kept: dict[str, Chunk] = {}
        texts: list[WordText] = []
        folded: dict[str, list[Chunk]] = {}
        for number, name in enumerate(names):
            if len(kept) == wanted or enough(kept, name):
                return kept, folded
            if more and number == 2 * wanted and len(self._library.twins.labels(names)) < wanted:
                return None
            chunk = self._library.chunks([name]).get(name)
            if chunk is None:
                continue
            text = WordText(chunk.text, f"{chunk.title} {chunk.heading}")
            into = find_copy(text, texts)
            if into is None:
                kept[name] = chunk
                texts.append(text)
            else:
                folded.setdefault(list(kept)[into], []).append(chunk)
        return None if more and len(kept) < wanted else (kept, folded)

    def _wide(self, chunk: Chunk) -> Chunk:
        """What is read and cited of a chunk that was found."""
        return (
            widen_chunk(chunk, self._library.document(chunk.document), self._beside)
            if self._beside
            else chunk
        )

    def _copies(
        self, chunk: Chunk, folded: Sequence[Chunk], shown: Sequence[Chunk]
    ) -> tuple[Copy, ...]:
        """Where else it stands, in this order: what was folded into it, its document's other names, what ingest found."""
        found = [
            Copy(s, c.document, c.span)
            for c in (*folded, chunk)
            for s in self._library.sources(c.document)
        ]
        beside = {(c.document, c.span) for c in shown if c.id != chunk.id}
        itself = Copy(chunk.source, chunk.document, chunk.span)
        every = dict.fromkeys([*found, *self._library.twins.copies(chunk.id)])
        return tuple(c for c in every if c != itself and (c.document, c.span) not in beside)

    def _reads(self, question: str) -> bool:
        """Has the model a part in it?"""
        return self._useful is not None and self._rerank > 0 and is_question(question)

    def _read(self, question: str, texts: dict[str, str]) -> dict[str, float]:
        """Id -> logit of "it is useful"; nothing of nothing."""
        if self._useful is None or not texts:
            return {}
        return dict(zip(texts, self._useful(question, list(texts.values())), strict=True))


def is_question(text: str) -> bool:
    """Is it a question?"""
    return bool(_QUESTION.match(fold_text(text.strip())))


def blend_scores(
    names: Sequence[str], fused: dict[str, float], read: dict[str, float]
) -> dict[str, float]:
    """Id -> score, 0..1. What the model did not read stays behind what it did, and what leads both lists ahead of all."""
    if not read:
        return {name: fused[name] for name in names}
    chances = {name: 1 / (1 + math.exp(-logit)) for name, logit in read.items()}
    leads = {name: 1.0 for name in names if fused[name] >= _LEADS_BOTH_LISTS}
    return {
        name: (fused[name] + _RERANK_WEIGHT * leads.get(name, chances.get(name, 0.0)))
        / (1 + _RERANK_WEIGHT)
        for name in names
    }


def fuse_scores(by_words: Mapping[str, float], by_vectors: Mapping[str, float]) -> dict[str, float]:
    """Id -> score, 0..1: the mean of its shares of the best BM25 and of the best cosine. What a list lacks has 0 of it."""
    most_words, most_vectors = (
        max(scores.values(), default=0.0) for scores in (by_words, by_vectors)
    )

    words, vectors = (
        _BM25_WEIGHT / most_words if most_words > 0 else 0.0,
        (1 - _BM25_WEIGHT) / most_vectors if most_vectors > 0 else 0.0,
    )
    return {
        name: words * max(0.0, by_words.get(name, 0.0))
        + vectors * max(0.0, by_vectors.get(name, 0.0))
        for name in dict.fromkeys([*by_words, *by_vectors])
    }


def spread_over_documents(
    documents: Mapping[str, str], scores: Mapping[str, float], limit: int, beyond: float = -math.inf
) -> list[str]:
    """The `limit` best ids, best first, where each counts for less the more of its document are there already.

    `documents` names the document of each id, in the order that decides where two score the same. The list ends where one that is
    not among them and scores `beyond` could be better.
    """
    left, out, taken = list(documents), list[str](), Counter[str]()

    def score(name: str) -> float:
        return scores[name] - _SAME_DOCUMENT_PENALTY * min(_MAX_PENALTIES, taken[documents[name]])

    while left and len(out) < limit:
        best = max(left, key=score)
        if score(best) < beyond:
            break
        left.remove(best)
        out.append(best)
        taken[documents[best]] += 1
    return out


def _settled(
    fused: Mapping[str, float], limit: int, kept: Mapping[str, Chunk], following: str
) -> bool:
    """Are the `limit` best among `kept`, whatever comes after them?"""
    documents = {name: chunk.document for name, chunk in kept.items()}
    return (
        len(kept) >= limit
        and len(spread_over_documents(documents, fused, limit, fused[following])) == limit
    )


def _never(kept: Mapping[str, Chunk], following: str) -> bool:
    return False


def query_words(question: str) -> list[str]:
    """The words that a question is about, each once; stop words only where there are no others."""
    found = word_tokens(fold_text(question))
    said = [word for word in found if not is_stop_word(word)] or found
    return list(dict.fromkeys(said[:_MAX_QUERY_WORDS]))
