"""The built-in reader: question + passages -> verbatim evidence. It writes nothing of its own, so it cannot make things up.

Each sentence of the passages is scored by what it shares with the question: cosine of their vectors, the share of the
question's content words it has (rare ones among the passages count more), and whether it holds the kind of thing that is
asked for (a number, a date, a name). The best sentences are quoted, each with its footnote; where even the best one scores
below `ANSWERED_FROM`, the passages do not answer and the reader says so. The weights were chosen on SQuAD 2.0's
development articles, one half of them; the other half confirmed them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import facts
from rag.domain import Draft, Embedder, Model, Passage, Piece, Progress, Quote, Reason, Receipt, Span, Turn
from rag.sentences import sentences

ANSWERED_FROM = 0.62  #: score of the best sentence from which the passages answer
_MOST = 3  # sentences of an answer
_WITHIN = 0.12  # how far below the best one a further sentence may score
_WORDS, _KIND, _PLACE = 0.55, 0.08, 0.04
_SAME = 0.8  # share of words from which two sentences say the same


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence of a passage and how well it answers."""

    passage: Passage
    span: Span  # into the document
    text: str
    score: float


class Reader:
    """Fills the seam `Writer` by quoting."""

    def __init__(self, embedder: Embedder, model: Model, least: float = ANSWERED_FROM) -> None:
        self._embedder, self.model, self._least = embedder, model, least

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """A draft, then up to three quotations, best first. The history plays no part."""
        scored = self.score(question, passages)
        read = sum(len(s.text) for s in scored) // 4
        receipt = Receipt(context=read, passages=read)
        if not scored or scored[0].score < self._least:
            yield Draft(receipt, abstained=True, reason=Reason.NOT_ANSWERED)
            return
        yield Draft(receipt)
        for at, best in enumerate(choose(scored)):
            if at:
                yield " "
            yield Quote(best.text, best.passage.number, best.span)

    def score(self, question: str, passages: Sequence[Passage]) -> list[Scored]:
        """All sentences of the passages, best first."""
        found = [(p, s) for p in passages for s in sentences(p.chunk.text)]
        if not found:
            return []
        texts = [s.of(p.chunk.text) for p, s in found]
        vectors = self._embedder.embed([question, *texts])
        cosines = vectors[1:] @ vectors[0]
        shares = _shares(question, texts, [f"{p.chunk.title} {p.chunk.heading}" for p, _ in found])
        asked = kind(question)
        out = []
        for (passage, span), text, cosine, share in zip(found, texts, cosines, shares, strict=True):
            score = float(cosine) + _WORDS * share + _KIND * holds(asked, text) + _PLACE / passage.number
            here = Span(passage.chunk.span.start + span.start, passage.chunk.span.start + span.end)
            out.append(Scored(passage, here, text, score - (0.2 if len(facts.words(text)) < 4 else 0.0)))
        return sorted(out, key=lambda s: -s.score)


def choose(scored: Sequence[Scored]) -> list[Scored]:
    """The best sentence and those nearly as good that say something else."""
    chosen: list[Scored] = []
    for candidate in scored:
        if len(chosen) == _MOST or (chosen and candidate.score < chosen[0].score - _WITHIN):
            break
        mine = set(facts.words(candidate.text))
        if all(
            len(mine & set(facts.words(c.text))) < _SAME * max(1, min(len(mine), len(set(facts.words(c.text)))))
            for c in chosen
        ):
            chosen.append(candidate)
    return chosen


def _shares(question: str, texts: Sequence[str], contexts: Sequence[str]) -> list[float]:
    """Share of the question's content words in each text, weighted by how rare they are among the texts.

    A word that only the text's title or heading has counts half.
    """
    asked = set(facts.words(question))
    have = [set(facts.words(text)) for text in texts]
    around = [set(facts.words(context)) for context in contexts]
    seen = Counter(word for words in have for word in words & asked)
    weight = {word: math.log(1 + len(texts) / (1 + seen[word])) for word in asked}
    total = sum(weight.values()) or 1.0
    return [
        sum(weight[w] * (1.0 if w in words else 0.5 if w in context else 0.0) for w in asked) / total
        for words, context in zip(have, around, strict=True)
    ]


def kind(question: str) -> str:
    """What is asked for: "number", "date", "name", or "" where the words do not tell."""
    asked = facts.fold(question)
    if re.search(
        r"\bhow (?:many|much|long|old|far|tall|large|big|often)\b|\bwhat (?:percent|percentage|number|amount|share)\b",
        asked,
    ):
        return "number"
    if re.search(r"\bwhen\b|\bwhat (?:year|date|day|month)\b|\b(?:in|on) which (?:year|date|day|month)\b", asked):
        return "date"
    if re.search(r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich (?:country|city|person|company|state)\b", asked):
        return "name"
    return ""


def holds(asked: str, text: str) -> bool:
    """Does `text` hold a thing of the kind that is asked for?"""
    if asked == "number":
        return bool(facts.numbers(facts.dates(text)[1]))
    if asked == "date":
        return bool(
            facts.dates(text)[0]
            or re.search(r"\b(?:1[0-9]|20)\d\d\b|\b(?:century|Monday|Tuesday|Wednesday|Thursday|Friday)\b", text)
        )
    return bool(facts.names(text)) if asked == "name" else False
