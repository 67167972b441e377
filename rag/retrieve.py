"""Question -> numbered passages, nearest first: words and vectors, fused, and for a question reranked.

Words are ranked by BM25 over FTS5 (stemmed; any word may match), vectors by cosine. The two lists are fused by reciprocal
rank (Cormack, Clarke and Büttcher 2009: the sum of 1 / (60 + rank)), which needs no common scale. The first of them are
then read together with the question by the reader's model, and the probability that a passage answers or helps (the mean of
the two logits) is added to its score; but what leads both lists stays first. (On SQuAD's paragraphs such a leader is right
in 96 of 100 cases, on CLAPNQ's always, and without that rule the model cost CLAPNQ 0.02 of nDCG@10.) Passages that are answered
from are read anyway, so reranking ten costs five readings.
What is no question ("wing flutter at Mach 2") is left as it was fused: the model learnt from questions. The same text in two files
is one passage with its other sources in `copies`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from rag.domain import Embedder, Passage, Ranks
from rag.facts import fold, is_stop, tokens
from rag.library import Library

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
        query = words_query(question)
        by_words = [name for name, _ in self._library.words(query, self._depth)] if query else []
        by_vectors = [name for name, _ in self._near(self._embedder.embed([question])[0], self._depth)]
        fused = fuse(by_words, by_vectors)
        names = sorted(fused, key=lambda name: (-fused[name], name))[: max(limit, self._rerank)]
        chunks = self._library.chunks(names)
        names = [name for name in names if name in chunks]
        read = self._read(question, {name: chunks[name].text for name in names[: self._rerank]})
        scores = blend(names, fused, read)
        again = {name: rank for rank, name in enumerate(sorted(read, key=lambda n: -read[n]), 1)}
        fusion = {name: rank for rank, name in enumerate(names, 1)}
        best = sorted(names, key=lambda name: (-scores[name], fusion[name]))[:limit]
        words = {name: rank for rank, name in enumerate(by_words, 1)}
        vectors = {name: rank for rank, name in enumerate(by_vectors, 1)}
        return tuple(
            Passage(
                number,
                chunks[name],
                scores[name],
                Ranks(words.get(name), vectors.get(name), fusion[name], again.get(name)),
                tuple(self._library.sources(chunks[name].document)[1:]),
            )
            for number, name in enumerate(best, 1)
        )

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
