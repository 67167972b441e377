"""The built-in reader: question + passages -> verbatim evidence. It writes nothing of its own, so it cannot make things up.

Each sentence of the passages is scored by what it shares with the question: cosine of their vectors, the share of the
question's content words it has (rare ones among the passages count more), whether it holds the kind of thing that is
asked for (a number, a date, a name), and how near its passage was. The best sentences are quoted, each with its footnote.

It does not answer, and says what is missing, where a name or number of the question is in none of the passages, where
"how many" or "when" is asked and no sentence nearby holds a number or a date, or where no sentence is near at all. On SQuAD 2.0's
near misses (a paragraph that speaks of the very thing and still does not answer) this is little better than a guess:
similarity cannot see what is not said. The three weights were chosen on
754 of its questions and looked at on 746 from other articles; `NEAR_FROM` was chosen on both together, and the rules for what
is missing were shaped on the demo questions of `seeds/`, so figures over those are not of unseen questions.
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

NEAR_FROM = 0.45  #: cosine of the nearest sentence to the question, from which the passages may answer
_MOST = 3  # sentences of an answer
_WITHIN = 0.12  # how far below the best one a further sentence may score
_WORDS, _KIND, _PLACE = 0.8, 0.1, 0.1
_SAME = 0.8  # share of words from which two sentences say the same


_TIME = re.compile(  # what may answer "when" without being a date
    r"\b(?:1[0-9]|20)\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?)\b|\b\d{1,2}:\d\d\b|\b\d{1,2}\s?[ap]\.?m\b|\bcentur(?:y|ies)\b|"
    r"\b(?:within|in|last|next|this|every|ago|after|before)\s+(?:[\w-]+\s+){0,2}(?:hour|day|week|month|year|decade)s?\b|\bago\b"
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence of a passage and how well it answers."""

    passage: Passage
    span: Span  # into the document
    text: str
    score: float
    cosine: float


class Reader:
    """Fills the seam `Writer` by quoting."""

    def __init__(self, embedder: Embedder, model: Model, near: float = NEAR_FROM) -> None:
        self._embedder, self.model, self._near = embedder, model, near

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """A draft, then up to three quotations, best first. The history plays no part."""
        scored = self.score(question, passages)
        read = sum(len(s.text) for s in scored) // 4
        receipt = Receipt(context=read, passages=read)
        chosen = choose(scored)
        missing = self._missing(question, passages, scored, chosen)
        if missing:
            yield Draft(receipt, abstained=True, reason=Reason.NOT_ANSWERED, missing=missing)
            return
        yield Draft(receipt)
        for at, best in enumerate(chosen):
            if at:
                yield " "
            yield Quote(best.text, best.passage.number, best.span)

    def _missing(
        self, question: str, passages: Sequence[Passage], scored: Sequence[Scored], chosen: Sequence[Scored]
    ) -> str:
        """What the passages lack to answer, in words; "" where they may answer."""
        if not scored or max(s.cosine for s in scored) < self._near:
            return "no sentence is near to the question"
        absent = unnamed(question, passages)
        if absent:
            return f"no passage names {', '.join(absent)}"
        asked = kind(question)
        if asked in ("number", "date") and not any(holds(asked, s.text) for s in chosen):
            return f"no sentence near to the question gives a {asked}"
        return ""

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
            out.append(Scored(passage, here, text, score - (0.2 if len(facts.words(text)) < 4 else 0.0), float(cosine)))
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


def unnamed(question: str, passages: Sequence[Passage]) -> list[str]:
    """Names and numbers of the question that stand in none of the passages or their titles.

    The question's first word is passed over: its capital tells nothing.
    """
    whole = "\n".join(f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.date or ''}\n{p.chunk.text}" for p in passages)
    have = {facts.stem(w) for w in facts.tokens(facts.fold(whole))}
    days, rest = facts.dates(question)
    known_days, _ = facts.dates(whole)
    numbers = facts.numbers(whole)
    absent = [d.shown for d in days if not any(d.agrees(k) for k in known_days)]
    absent += [n.shown for n in facts.numbers(rest) if n.shown[:1].isdigit() and not any(n.agrees(k) for k in numbers)]
    later = question.split(maxsplit=1)[1] if len(question.split()) > 1 else ""
    for name in facts.names("x " + later):
        lost = [
            w for w in facts.tokens(facts.fold(name)) if not facts.is_stop(w) and not facts.has(facts.stem(w), have)
        ]
        if lost:
            absent.append(name)
    return absent


def kind(question: str) -> str:
    """What is asked for: "number", "date", "name", or "" where the words do not tell."""
    asked = facts.fold(question)
    if re.search(
        r"\bhow many\b|\bwhat (?:is |was )?(?:the )?(?:total |exact )?(?:percent|percentage|number|value|amount)\b",
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
        return bool(facts.dates(text)[0] or _TIME.search(text))
    return bool(facts.names(text)) if asked == "name" else False
