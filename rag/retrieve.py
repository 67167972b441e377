"""Question -> numbered passages, nearest first: words and vectors, fused, and for a question reranked.

Words are ranked by BM25 over FTS5 (stemmed; any word may match), vectors by cosine. The two lists are fused by reciprocal
rank (Cormack, Clarke and Büttcher 2009: the sum of 1 / (60 + rank)), which needs no common scale. The first of them are
then read together with the question by the reader's model, and the probability that a passage answers or helps (the mean of
the two logits) is added to its score; but what leads both lists stays first. (On SQuAD's paragraphs such a leader is right
in 96 of 100 cases, on CLAPNQ's always, and without that rule the model cost CLAPNQ 0.02 of nDCG@10.) Passages that are answered
from are read anyway, so reranking ten costs five readings.
What is no question ("wing flutter at Mach 2") is left as it was fused: the model learnt from questions.

A chunk that says nothing which a better one does not is folded into that one before anything reads them: a copy takes no
place and bears nothing out a second time. The texts themselves decide (`same`), because chunks of two copies need not begin at
the same word: what the passages before it hold together is what it is held against. Which copies exist besides, and
whether the lists hold too many of them to go round, the labels made at ingest tell (`twins`). A passage names all its copies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from rag.domain import Chunk, Copy, Embedder, Passage, Ranks
from rag.facts import fold, is_stop, tokens
from rag.library import Library
from rag.same import Text, copy_of

_K = 60
_USEFUL = 1.0  # what the model's probability weighs beside the fused score
_LEADS = 1.0 - 1e-9  # the fused score of what is first in both lists
_SOFT = 2.0  # its logits are divided by this: a sure model would leave no say to the two lists
_QUESTION = re.compile(
    r"(?:.*\?$)|(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|"
    r"in (?:what|which)|on (?:what|which)|at (?:what|which)|to (?:whom|what|which)|by (?:whom|what)|for (?:whom|what|which))\b",
    re.S,
)
_TERMS = 64  # most words of a question that are looked up
_DEEPER = 4  # times as deep are the lists asked for, where copies leave too few passages in them; twice at most

Near = Callable[..., list[tuple[str, float]]]
#: a question and passages -> for each passage the logit of "it answers or helps to"
Useful = Callable[[str, Sequence[str]], Sequence[float]]


class Retrieve:
    """Search in one library. `near` finds chunk ids by vector; `depth` is how deep each list goes.

    `useful` reranks the first `rerank` of the fused list; with 0 it is not asked.
    """

    def __init__(
        self,
        library: Library,
        near: Near,
        embedder: Embedder,
        depth: int,
        useful: Useful | None = None,
        rerank: int = 0,
    ) -> None:
        self._library, self._near, self._embedder, self._depth = library, near, embedder, depth
        self._useful, self._rerank = useful, rerank

    def __call__(self, question: str, limit: int) -> tuple[Passage, ...]:
        """The `limit` nearest passages, numbered from 1; `score` is the fused one, scaled so that 1 is first in both lists."""
        wanted = max(limit, self._rerank)
        by_words, by_vectors = self._lists(question, wanted)
        fused = fuse(by_words, by_vectors)
        chunks, folded = self._folded(sorted(fused, key=lambda name: (-fused[name], name)), wanted)
        names = list(chunks)
        read = self._read(question, {name: chunks[name].text for name in names[: self._rerank]})
        scores = blend(names, fused, read)
        again = {name: rank for rank, name in enumerate(sorted(read, key=lambda n: -read[n]), 1)}
        fusion = {name: rank for rank, name in enumerate(names, 1)}
        best = sorted(names, key=lambda name: (-scores[name], fusion[name]))[:limit]
        words = {name: rank for rank, name in enumerate(by_words, 1)}
        vectors = {name: rank for rank, name in enumerate(by_vectors, 1)}
        return tuple(
            Passage(
                number, chunks[name], scores[name],
                Ranks(words.get(name), vectors.get(name), fusion[name], again.get(name)),
                self._copies(chunks[name], folded.get(name, []), [chunks[other] for other in best]),
            )
            for number, name in enumerate(best, 1)
        )  # fmt: skip

    def _lists(self, question: str, wanted: int) -> tuple[list[str], list[str]]:
        """Chunk ids by words and by vectors, so deep that `wanted` of them are no copies of each other, if there are so many."""
        query, vector = words_query(question), self._embedder.embed([question])[0]
        for depth in (self._depth, self._depth * _DEEPER, self._depth * _DEEPER**2):
            by_words = [name for name, _ in self._library.words(query, depth)] if query else []
            by_vectors = [name for name, _ in self._near(vector, depth)]
            full = max(len(by_words), len(by_vectors)) >= depth
            if not full or len(self._library.twins.labels({*by_words, *by_vectors})) >= wanted:
                break
        return by_words, by_vectors

    def _folded(self, names: Sequence[str], wanted: int) -> tuple[dict[str, Chunk], dict[str, list[Chunk]]]:
        """The first `wanted` chunks that say something new, best first, and for each what was folded into it."""
        kept: dict[str, Chunk] = {}
        texts: list[Text] = []
        folded: dict[str, list[Chunk]] = {}
        for name in names:
            if len(kept) == wanted:
                break
            chunk = self._library.chunks([name]).get(name)
            if chunk is None:
                continue
            text = Text(chunk.text, f"{chunk.title} {chunk.heading}")
            into = copy_of(text, texts)
            if into is None:
                kept[name] = chunk
                texts.append(text)
            else:
                folded.setdefault(list(kept)[into], []).append(chunk)
        return kept, folded

    def _copies(self, chunk: Chunk, folded: Sequence[Chunk], shown: Sequence[Chunk]) -> tuple[Copy, ...]:
        """Where else it stands, in this order: what was folded into it, its document's other names, what ingest found."""
        found = [Copy(s, c.document, c.span) for c in (*folded, chunk) for s in self._library.sources(c.document)]
        beside = {(c.document, c.span) for c in shown if c.id != chunk.id}
        itself = Copy(chunk.source, chunk.document, chunk.span)
        every = dict.fromkeys([*found, *self._library.twins.copies(chunk.id)])
        return tuple(c for c in every if c != itself and (c.document, c.span) not in beside)

    def _read(self, question: str, texts: dict[str, str]) -> dict[str, float]:
        """Id -> logit of "it is useful"; nothing where the model has no part."""
        if self._useful is None or not texts or not asks(question):
            return {}
        return dict(zip(texts, self._useful(question, list(texts.values())), strict=True))


def asks(text: str) -> bool:
    """Is it a question?"""
    return bool(_QUESTION.match(fold(text.strip())))


def blend(names: Sequence[str], fused: dict[str, float], read: dict[str, float]) -> dict[str, float]:
    """Id -> score, 0..1. What the model did not read stays behind what it did, and what leads both lists ahead of all."""
    scores = {name: fused[name] * (_K + 1) / 2 for name in names}
    if not read:
        return scores
    chances = {name: 1 / (1 + math.exp(-logit / _SOFT)) for name, logit in read.items()}
    leads = {name: 1.0 for name, score in scores.items() if score >= _LEADS}
    return {name: (scores[name] + _USEFUL * leads.get(name, chances.get(name, 0.0))) / (1 + _USEFUL) for name in names}


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
