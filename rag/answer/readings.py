"""Chooses among the readings of passages: which are quoted, and whether their answers differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag.answer.spans import answer_kind, kind_of_short_answer, same_answer, share_of
from rag.domain import Passage, Span
from rag.text import facts

_MAX_SENTENCES = 3  # sentences of an answer
#: share of words from which two sentences say the same
_SAME_SENTENCE_OVERLAP = 0.8
#: share of the question's words that two sentences must have before their answers are compared
_MIN_QUESTION_OVERLAP = 0.5
#: probability from which a further passage that says something else is quoted
_MIN_FURTHER_CHANCE = 0.8


class _Correction(NamedTuple):
    """A term of `answer_logit`: ``weight * (max(lowest, value) - usual)``."""

    weight: float
    usual: float
    lowest: float

    def of(self, value: float) -> float:
        return self.weight * (max(self.lowest, value) - self.usual)


#: subtracted: for the share of the question's words that the passage has, 0..1
_SHARED_WORDS = _Correction(weight=3.0, usual=0.75, lowest=0.3)
#: added: for the logit of the second best passage
_SECOND_PASSAGE = _Correction(weight=0.3, usual=-2.0, lowest=-3.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer of one passage. Spans are characters of the document."""

    passage: Passage
    short: str  #: the shortest answer
    span: Span  #: where `short` is
    sentence: str  #: the sentence around it
    around: Span  #: where `sentence` is
    chance: float  #: probability that the passage answers, 0..1
    logit: float  #: of the model, from which `chance` was computed
    in_context: bool = False  #: one part was read alone, after the path of what it belongs to


def answer_logit(question: str, readings: Sequence[Reading], narrowed: bool = False) -> float:
    """The logit that is compared with the threshold: that of the first reading, corrected.

    `readings` are sorted, most likely first. The text of `reader` says why the share of words in
    common and the second reading matter. If passages were left out (`narrowed`), a second reading
    that is missing says nothing.
    """
    best = readings[0]
    if best.in_context:
        return best.logit
    share = share_of(set(facts.content_stems(question)), best.passage.chunk.text)
    missing = _SECOND_PASSAGE.usual if narrowed else -math.inf
    second = readings[1].logit if len(readings) > 1 else missing
    return best.logit - _SHARED_WORDS.of(share) + _SECOND_PASSAGE.of(second)


def choose_readings(
    question: str, readings: Sequence[Reading], least: float
) -> tuple[list[Reading], bool]:
    """The readings that are quoted, and whether their answers differ.

    `readings` are sorted, most likely first. The first one is quoted, then one that contradicts it,
    then those that say the same or likely answer in other words.
    """
    best = readings[0]
    further = max(least, _MIN_FURTHER_CHANCE)
    contradicting = [
        reading
        for reading in readings[1:]
        if reading.chance >= further and answers_differ(question, best, reading)
    ]
    chosen = [best, *contradicting[:1]]
    for reading in readings[1:]:
        if len(chosen) == _MAX_SENTENCES:
            break
        agrees = reading.chance >= least and same_answer(best.short, reading.short)
        if not agrees and reading.chance < further:
            continue
        if not any(_repeats(reading, other) for other in chosen):
            chosen.append(reading)
    return chosen, bool(contradicting)


def _repeats(reading: Reading, other: Reading) -> bool:
    """True if the sentence of `reading` says nothing new after that of `other`."""
    stems = set(facts.content_stems(reading.sentence))
    other_stems = set(facts.content_stems(other.sentence))
    shorter = max(1, min(len(stems), len(other_stems)))
    return stems == other_stems or len(stems & other_stems) >= _SAME_SENTENCE_OVERLAP * shorter


def answers_differ(question: str, one: Reading, other: Reading) -> bool:
    """True if readings of different documents give different answers of one kind.

    Both sentences must be about the question.
    """
    if one.passage.chunk.document == other.passage.chunk.document:
        return False
    if same_answer(one.short, other.short):
        return False
    question_stems = set(facts.content_stems(question))
    for reading in (one, other):
        stems = set(facts.content_stems(f"{reading.sentence} {reading.passage.chunk.title}"))
        needed = _MIN_QUESTION_OVERLAP * max(1, len(question_stems))
        if len(question_stems & stems) < needed:
            return False
    kinds = {kind_of_short_answer(one.short), kind_of_short_answer(other.short)}
    if kinds == {"name"}:
        return answer_kind(question) == "name"
    return kinds in ({"date"}, {"number"})
