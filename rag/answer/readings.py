"""Readings of passages: their short answers, which of them are quoted, whether they differ.

The short answer of a sentence is words of it, its writer, or the version or day above it: under
"## 7.4.0 (17 September)" the line "Removed: fax gateway" answers in which version and when.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.evidence import field_at, text_at
from rag.answer.field_words import tells_time
from rag.answer.mail_parts import asks_for_plan, says_i, speaker_of
from rag.answer.mentions import labels_of
from rag.answer.question import YEAR
from rag.answer.spans import answer_kind, kind_of_short_answer, same_answer
from rag.domain import Chunk, Passage, Span, UnitKind
from rag.text import facts, quantities
from rag.text.units import context_of

_ASKS_FOR_VERSION = re.compile(r"\b(?:which|what) (?:version|release)\b")
_VERSION = re.compile(
    r"\W*(?:version |release )?"
    r"(v?\d{1,4}(?:\.\d{1,4}){1,3}(?:-?(?:rc|beta|alpha)\.?\d*)?)(?![\w.])",
    re.I,
)
#: what stands before a date or number and is part of what it says
_BOUND = re.compile(
    r"\b(?:(?:the )?(?:very )?(?:end|beginning|start|middle|first half|second half|first week|"
    r"last week) of|early|mid|late|"
    r"(?:(?:no|not|never) )?(?:more|less|fewer|longer|later|earlier|older|younger) than|"
    r"(?:not )?(?:before|after)|at least|at most|up to|nearly|almost|approximately|roughly)[ -]$",
    re.I,
)
_MAX_BOUND = 26  #: characters before the value
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
    sharp: float = 0.0  #: log-probability of the place in the sentence, up to a constant
    #: by how much the likeliest place of the whole passage is ahead of those in the sentence, as a
    #: log-probability, 0 or less; 0 too if the passage was not read
    behind: float = 0.0
    near: float = 0.0  #: cosine of the sentence after its headings with the question


def short_answer(question: str, passage: Passage, place: Span, around: Span) -> str:
    """The short answer at `place` of the sentence `around`; spans are of the document.

    If "I" answers who, it is the writer of the sentence. If a version or a day is asked for and the
    sentence has none, it is that of the headings above it. A date or number keeps the bound before
    it: "end of January", "more than 5,000".
    """
    text, asked = text_at(passage, place), facts.fold_text(question)
    if {kind_of_short_answer(text), answer_kind(question)} & {"date", "number"}:
        text = _bound_before(passage, place, around) + text
    if above := _in_heading(asked, passage, around):
        return above
    if answer_kind(question) != "name" or "who" not in asked:
        return text
    is_name = kind_of_short_answer(text) == "name" and not says_i(text)
    if is_name or not says_i(text_at(passage, around)):
        return text
    return speaker_of(passage.chunk, place) or text


def _bound_before(passage: Passage, place: Span, around: Span) -> str:
    """What stands before a value of a sentence and bounds it ("before ", "end of "); "" if none."""
    start = max(around.start, place.start - _MAX_BOUND)
    before = text_at(passage, Span(start, place.start)).replace("\n", " ")
    match = _BOUND.search(before)
    if match is None:
        return ""
    said = text_at(passage, Span(around.start, start + match.start()))
    return "" if facts.count_negations(said) else match[0]  # it turns the bound round


def _in_heading(asked: str, passage: Passage, around: Span) -> str:
    """The version or day of the nearest heading that has one, if it is asked for; else "".

    A day counts only if the sentence tells no time at all, and if it is not asked when something is
    to be: that is on another day than the mail or minutes about it.
    """
    if _ASKS_FOR_VERSION.search(asked):
        return version_above(passage.chunk, around)
    if not facts.asks_when(asked) or asks_for_plan(asked) or tells_time(text_at(passage, around)):
        return ""
    for heading in reversed(context_of(passage.chunk, around)):
        if dates := facts.find_dates(heading)[0]:
            return dates[0].shown
    return ""


def version_above(chunk: Chunk, place: Span) -> str:
    """The version that the nearest heading begins with, as in a list of changes; "" for none."""
    found = map(_VERSION.match, reversed(context_of(chunk, place)))
    return next((match[1] for match in found if match), "")


def quoted_span(reading: Reading) -> Span:
    """What is quoted of a reading: the sentence, row or item; of a record the field that answers.

    Its other fields answer other questions.
    """
    for unit in reading.passage.chunk.units:
        if unit.kind is UnitKind.RECORD and unit.span == reading.around and len(unit.cells) > 1:
            own = [cell for cell in unit.cells if cell.name and reading.span.within(cell.span)]
            return field_at(reading.passage, own[0]) if own else reading.around
    return reading.around


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
