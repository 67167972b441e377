"""Chooses among the readings of passages: which are quoted, and whether their answers differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.question import YEAR, labels_of
from rag.answer.spans import answer_kind, kind_of_short_answer, same_answer
from rag.domain import Passage, Span
from rag.text import facts, quantities

_MAX_SENTENCES = 3  # sentences of an answer
#: share of words from which two sentences say the same
_SAME_SENTENCE_OVERLAP = 0.8
#: share of the question's words that two sentences must have before their answers are compared
_MIN_QUESTION_OVERLAP = 0.5
#: probability from which a further passage that says something else is quoted
_MIN_FURTHER_CHANCE = 0.59


@dataclass(frozen=True, slots=True)
class ReaderFit:
    """The logistic regression that turns the model's logit into a probability."""

    weight: float
    constant: float
    least: float  #: the probability from which the reader answers

    def chance(self, logit: float) -> float:
        """Probability that the passage answers, 0..1."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.constant + self.weight * logit))))


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence, row or item of a passage and its shortest answer. Spans are of the document."""

    passage: Passage
    short: str  #: the shortest answer
    span: Span  #: where `short` is
    sentence: str  #: the sentence around it
    around: Span  #: where `sentence` is
    logit: float  #: of the reader's model, for "the passage answers"
    chance: float = 0.0  #: probability that the sentence answers, 0..1, once it is judged
    alone: float = 0.0  #: of the part reader, for "the sentence after its headings answers"
    share: float = 1.0  #: of the question's weight that the sentence and its headings have, 0..1
    margin: float = 0.0  #: score of the best place in it less that of the best one outside
    helps: float = 0.0  #: logit of "the passage helps to answer"
    sharp: float = 0.0  #: log-probability of the place in the sentence, up to a constant


def choose_readings(
    question: str, readings: Sequence[Reading], least: float
) -> tuple[list[Reading], bool]:
    """The readings that are quoted, and whether their answers differ.

    `readings` (not empty) are sorted, most likely first. The first one is quoted, then one that
    contradicts it, then those that say the same or likely answer in other words.
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


def _is_about_another(question: str, one: Reading, other: Reading) -> bool:
    """Do two readings name other years, other names, other labels, or another kind of measure?

    "5 euros in 2022" does not contradict "6 euros in 2023", nor the rent of flat A that of flat B.
    """
    years, others = _years(one), _years(other)
    if years and others and years.isdisjoint(others):
        return True
    names, others = _names(question, one), _names(question, other)
    if names and others and names.isdisjoint(others):
        return True
    labels, other_labels = dict(labels_of(one.sentence)), dict(labels_of(other.sentence))
    if any(other_labels.get(noun, label) != label for noun, label in labels.items()):
        return True
    dimensions, others = _dimensions(one.short), _dimensions(other.short)
    return bool(dimensions and others) and dimensions.isdisjoint(others)


def _years(reading: Reading) -> set[str]:
    """The years that a sentence or else its title names besides the answer."""
    for text in (reading.sentence.replace(reading.short, " "), reading.passage.chunk.title):
        if found := {match[0] for match in YEAR.finditer(text)}:
            return found
    return set()


def _names(question: str, reading: Reading) -> set[str]:
    """The stems of the names in a sentence that neither the question nor the answer has."""
    known = set(facts.content_stems(f"{question} {reading.short}"))
    names = facts.find_names("x " + reading.sentence)
    return {stem for name in names for stem in facts.content_stems(name)} - known


def _dimensions(short: str) -> set[str]:
    return {number.dimension for number in quantities.find_numbers(short) if number.dimension}


def _repeats(reading: Reading, other: Reading) -> bool:
    """True if the sentence of `reading` says nothing new after that of `other`."""
    stems = set(facts.content_stems(reading.sentence))
    other_stems = set(facts.content_stems(other.sentence))
    shorter = max(1, min(len(stems), len(other_stems)))
    return stems == other_stems or len(stems & other_stems) >= _SAME_SENTENCE_OVERLAP * shorter


def answers_differ(question: str, one: Reading, other: Reading) -> bool:
    """True if readings of different documents give different answers of one kind.

    Both sentences must be about the question, and about the same thing at the same time.
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
    if _is_about_another(question, one, other):
        return False
    kinds = {kind_of_short_answer(one.short), kind_of_short_answer(other.short)}
    if kinds == {"name"}:
        return answer_kind(question) == "name"
    return kinds in ({"date"}, {"number"})
