"""The built-in reader: question + passages -> the answer in the sources' own words. It writes nothing of its own, so it cannot make things up.

Every passage is read together with the question by the trained model: where the shortest answer may stand, and how surely the
passage answers at all. Of the places, the one is picked in whose sentence the question's words stand, those most that few sentences of the
passage have, and that is of the kind that is asked for, where the model is not sure of another: that put the answer into the first
sentence of 5 more in 1,000, and of 1 where all words weighed the same (n 984, documents kept for tuning). The
surest passage gives the short answer and the sentence around it, which is quoted with its footnote. Further sentences follow where other passages say the same (they corroborate) or answer surely in other words;
the same text in two places counts once. Where two sources give two different numbers, dates or names for the same thing,
both are quoted and the answer says that the sources differ.

It does not answer, and says why, where no passage answers surely enough, or where a name or number of the question is in none of
them. The model's logit was made a probability on documents held out of training (`rag.training.fit`). Words shared, the answer's kind,
the other passages' logits and how sharply the model points were tried beside it: none told more (AUC, one set of documents left out at a time).
But the logit rises with the words that question and passage share, and how many they share is a habit of whoever asks: questions
written beside a paragraph use its words, other people's do not, and at one threshold their answers were withheld. So what is held
against the threshold is less what the shared words add, and more where a second passage answers as well (`surely`). At thresholds
where abstaining has an F1 of 0.63 on SQuAD's near misses, 0.74 of the demo questions get a right answer where 0.54 did. (The
weights were chosen with a look at both; CLAPNQ's figures agree.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.domain import (
    Draft,
    Model,
    PairModel,
    Passage,
    PassageReading,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    Span,
    Turn,
)
from rag.text import facts
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.sentences import split_sentences

SOURCES_DIFFER = "The sources differ."  #: what the answer says where they do
_YEAR = re.compile(
    r"(?:(?:in|since|about|around|by|until|from|after|before|c\.|early|late|the|year|of) ?)*(?:1\d|20)\d\d",
    re.I,
)
_MAX_SENTENCES = 3  # sentences of an answer
_SAME = 0.8  # share of words from which two sentences say the same
_ABOUT = (
    0.5  # share of the question's words that both sentences must have to be held against each other
)
_NEAR, _FITS = (
    4.0,
    0.4,
)  # of a spot's score: its sentence has all of the question's words, by their rarity; it is of the kind that is asked for
#: of what is held against the threshold: what the logit loses for the share of the question's words that the passage has, which share is
#: usual, and the lowest that counts; and what it gains of the second best passage's logit, which is usual, and the lowest that counts
_SHARED, _SECOND = (3.0, 0.75, 0.3), (0.3, -2.0, -3.0)
_SURE = 0.8  # probability from which a further passage is quoted that says something else


@dataclass(frozen=True, slots=True)
class ReaderFit:
    """What turns the model's logit into the probability that a passage answers, and from where it counts."""

    weight: float
    constant: float
    least: float

    def chance(self, logit: float) -> float:
        """Probability that the passage answers, 0..1."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.constant + self.weight * logit))))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one passage answers: the short answer, the sentence around it (both as spans of the document), and how surely."""

    passage: Passage
    short: str
    span: Span
    sentence: str
    around: Span
    chance: float
    logit: float  #: what the chance was made of


class Reader:
    """Fills the seam `Writer` by quoting."""

    def __init__(self, pairs: PairModel, model: Model, fit: ReaderFit) -> None:
        self._pairs, self.model, self._fit = pairs, model, fit

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """How far it has read, a draft, then up to three quotations, surest first. The history plays no part."""
        absent = missing_names(question, passages)
        if absent:  # no need to read on
            yield self._refusal(0, f"no passage names {', '.join(absent)}")
            return
        readings: list[Reading] = []
        total = sum(len(p.chunk.text) for p in passages) // 4
        read = 0
        for passage in passages:
            readings += self.read(question, passage)
            read += len(passage.chunk.text)
            yield Progress(read // 4, total)
        readings.sort(key=lambda r: -r.chance)
        chance, least = (
            self._fit.chance(answer_logit(question, readings)) if readings else 0.0,
            self._fit.least,
        )
        if chance < least:
            missing = f"best passage: {chance * 100:.0f} % likely to answer"
            missing += f", threshold {least * 100:.0f} %"
            if self.model.calibrated:
                missing += ", as calibrated"
            yield self._refusal(total, missing, chance)
            return
        chosen, differ = choose_readings(question, readings, least)
        yield Draft(
            Receipt(context=total, passages=total),
            short=chosen[0].short,
            differ=differ,
            chance=chance,
        )
        for at, reading in enumerate(chosen):
            if at:
                yield f" {SOURCES_DIFFER} " if differ and at == 1 else " "
            yield Quote(reading.sentence, reading.passage.number, reading.around)

    def rewrite(self, question: str, history: Sequence[Turn], stop: Callable[[], bool]) -> str:
        """It writes nothing: what a question leans on is told by rules."""
        return ""

    def read(self, question: str, passage: Passage) -> Iterator[Reading]:
        """The reading of one passage; nothing where it holds no word."""
        chunk = passage.chunk
        (found,) = self._pairs.read(question, [chunk.text])
        span = pick_span(question, chunk.text, found)
        if span is None:
            return
        around = sentence_around(chunk.text, span)
        begin = chunk.span.start
        yield Reading(
            passage, span.of(chunk.text), Span(begin + span.start, begin + span.end), around.of(chunk.text),
            Span(begin + around.start, begin + around.end), self._fit.chance(found.answers), found.answers,
        )  # fmt: skip

    def _refusal(self, read: int, missing: str, chance: float | None = None) -> Draft:
        receipt = Receipt(context=read, passages=read)
        return Draft(
            receipt, abstained=True, reason=Reason.NOT_ANSWERED, missing=missing, chance=chance
        )


def answer_logit(question: str, readings: Sequence[Reading]) -> float:
    """What is held against the threshold of the first of these, as a logit."""
    share = _share(set(facts.content_stems(question)), readings[0].passage.chunk.text)
    second = readings[1].logit if len(readings) > 1 else -math.inf

    def beyond(value: float, weight: float, usual: float, lowest: float) -> float:
        return weight * (max(lowest, value) - usual)

    return readings[0].logit - beyond(share, *_SHARED) + beyond(second, *_SECOND)


def pick_span(question: str, text: str, found: PassageReading) -> Span | None:
    """The likeliest spot, also by the question's words in its sentence and by the kind of what stands there."""
    asked, wanted = _word_weights(question, text), answer_kind(question)
    near: dict[Span, float] = {}
    best, where = -math.inf, None
    for spot in found.spots:
        around = sentence_around(text, spot.span)
        if around not in near:
            near[around] = sum(
                asked[word] for word in asked.keys() & facts.content_stems(around.of(text))
            )
        score = spot.score + _NEAR * near[around] + _FITS * _kind_match(wanted, spot.span.of(text))
        if score > best:
            best, where = score, spot.span
    return where


def _word_weights(question: str, text: str) -> dict[str, float]:
    """The question's words with what each tells of the sentences of `text`: the fewer have it, the more (inverse frequency). In all 1."""
    held = [set(facts.content_stems(span.of(text))) for span in split_sentences(text)]
    found = {
        word: math.log((len(held) + 1) / (sum(word in words for words in held) + 0.5))
        for word in dict.fromkeys(facts.content_stems(question))
    }
    return {word: weight / (sum(found.values()) or 1.0) for word, weight in found.items()}


def _share(asked: set[str], text: str) -> float:
    return len(asked & set(facts.content_stems(text))) / max(1, len(asked))


def _kind_match(wanted: str, short: str) -> float:
    """1 where it is of the kind that is asked for, -1 where it is not, 0 where the question does not tell."""
    return 0.0 if not wanted else 1.0 if _kind_of_answer(short) == wanted else -1.0


def sentence_around(text: str, span: Span) -> Span:
    """The sentence of `text` that `span` stands in; from the first to the last one where it stands in several."""
    hit = [s for s in split_sentences(text) if s.overlaps(span)]
    return Span(min(hit[0].start, span.start), max(hit[-1].end, span.end)) if hit else span


def choose_readings(
    question: str, readings: Sequence[Reading], least: float
) -> tuple[list[Reading], bool]:
    """The surest reading; then those that say the same, contradict it, or answer surely besides. And whether they differ."""
    best = readings[0]
    against = [
        r
        for r in readings[1:]
        if r.chance >= max(least, _SURE) and answers_differ(question, best, r)
    ]
    chosen = [best, *against[:1]]
    for reading in readings[1:]:
        if len(chosen) == _MAX_SENTENCES:
            break
        agrees = reading.chance >= least and same_answer(best.short, reading.short)
        if (agrees or reading.chance >= max(least, _SURE)) and not any(
            _repeats(reading, c) for c in chosen
        ):
            chosen.append(reading)
    return chosen, bool(against)


def _repeats(reading: Reading, other: Reading) -> bool:
    """Is the one sentence no news after the other?"""
    mine, theirs = (
        set(facts.content_stems(reading.sentence)),
        set(facts.content_stems(other.sentence)),
    )
    return mine == theirs or len(mine & theirs) >= _SAME * max(1, min(len(mine), len(theirs)))


def same_answer(one: str, other: str) -> bool:
    """Do two short answers say the same: the same date or number, or all words of the shorter in the longer?"""
    days, others = facts.find_dates(one), facts.find_dates(other)
    if days[0] and others[0]:
        return any(a.agrees(b) for a in days[0] for b in others[0])
    numbers, their = facts.find_numbers(days[1]), facts.find_numbers(others[1])
    if numbers and their:
        return any(a.agrees(b) or b.agrees(a) for a in numbers for b in their)
    mine, theirs = set(facts.content_stems(one)), set(facts.content_stems(other))
    return bool(mine and theirs) and (mine <= theirs or theirs <= mine)


def answers_differ(question: str, one: Reading, other: Reading) -> bool:
    """Do two readings of different documents give different answers of one kind, in sentences about what was asked?"""
    if one.passage.chunk.document == other.passage.chunk.document or same_answer(
        one.short, other.short
    ):
        return False
    asked = set(facts.content_stems(question))
    for reading in (one, other):
        have = set(facts.content_stems(f"{reading.sentence} {reading.passage.chunk.title}"))
        if len(asked & have) < _ABOUT * max(1, len(asked)):
            return False
    kinds = {_kind_of_answer(one.short), _kind_of_answer(other.short)}
    wanted = answer_kind(question)
    return kinds == {"date"} or kinds == {"number"} or (kinds == {"name"} and wanted == "name")


def _kind_of_answer(short: str) -> str:
    days, rest = facts.find_dates(short)
    if days or _YEAR.fullmatch(short.strip()):
        return "date"
    if facts.find_numbers(rest):
        return "number"
    return "name" if facts.find_names("x " + short) and len(short.split()) <= 5 else ""


def missing_names(question: str, passages: Sequence[Passage]) -> list[str]:
    """Names and numbers of the question that stand in none of the passages or their titles.

    The question's first word is passed over: its capital tells nothing.
    """
    whole = "\n".join(
        f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.date or ''}\n{p.chunk.text}"
        for p in passages
    )
    have = WordIndex({facts.stem(w) for w in facts.word_tokens(facts.fold_text(whole))})
    days, rest = facts.find_dates(question)
    known_days, numbers = (
        DateIndex(facts.find_dates(whole)[0]),
        NumberIndex(facts.find_numbers(whole)),
    )
    absent = [d.shown for d in days if not known_days.agree(d)]
    absent += [
        n.shown
        for n in facts.find_numbers(rest)
        if n.shown[:1].isdigit() and not numbers.bear_out(n)
    ]
    later = question.split(maxsplit=1)[1] if len(question.split()) > 1 else ""
    for name in facts.find_names("x " + later):
        lost = [
            w
            for w in facts.word_tokens(facts.fold_text(name))
            if not facts.is_stop_word(w) and not have.has(facts.stem(w))
        ]
        if lost:
            absent.append(name)
    return absent


def answer_kind(question: str) -> str:
    """What is asked for: "number", "date", "name", or "" where the words do not tell."""
    asked = facts.fold_text(question)
    if re.search(
        r"\bhow many\b|\bwhat (?:is |was )?(?:the )?(?:total |exact )?(?:percent|percentage|number|value|amount)\b",
        asked,
    ):
        return "number"
    if re.search(
        r"\bwhen\b|\bwhat (?:year|date|day|month)\b|\b(?:in|on) which (?:year|date|day|month)\b",
        asked,
    ):
        return "date"
    if re.search(
        r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich (?:country|city|person|company|state)\b", asked
    ):
        return "name"
    return ""
