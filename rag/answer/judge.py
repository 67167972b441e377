"""Estimates the probability that a sentence answers the question, and says what it lacks.

That a sentence stands in its source says nothing about the question. This judgement does: a
logistic regression (`rag.training.fit_judge`) over what the reader's model says of the passage, how
the question's constraints are met (`rag.answer.binding`), the kind of the short answer, and what
the other passages say. It was fitted on near misses: what the search itself finds when the passages
that answer are taken out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from rag.answer.binding import (
    Bound,
    Met,
    bind,
    missing_in_words,
    other_label,
    surroundings_of,
    unmet,
)
from rag.answer.field_words import is_other_kind, lacks_reason
from rag.answer.question import (
    Asked,
    Constraint,
    Kind,
    Question,
    parse_question,
    without_slips,
)
from rag.answer.question_terms import TextFacts, facts_of, read_question
from rag.answer.readings import Reading
from rag.answer.scope import is_set_against
from rag.answer.spans import is_pronoun, kind_of_short_answer
from rag.domain import Answers, Judgement, Unit, UnitKind
from rag.text import facts
from rag.text.synonyms import SYNONYMS

_EXACT = (Kind.NUMBER, Kind.CODE, Kind.DATE, Kind.YEAR, Kind.ORDINAL)
_WORDS = (Kind.HEAD, Kind.WORD)
_NO_SECOND = -1.0  #: the logit of the second passage, if there is none: a usual one
_LOWEST_LOGIT, _LOWEST_SCORE = -6.0, -12.0
#: of the threshold: the highest probability of a sentence that is about something else
_ANOTHER = 0.9
#: from the logit that is compared with the floor: for the share of the question's words that the
#: passage has, above a usual one. How many they share depends on who asks, and raises the logit
_SHARED_WORDS, _USUAL_SHARE = 2.0, 0.75
_SURE = 0.9  #: probability from which nothing is said of words that are missing
#: words that compare rows or say something of one row ("the total number of students at Dartmouth")
_OF_ONE_ROW = frozenset("total sum both either only before after than rank ranked".split())
#: probability below which a row that was read is no answer: whole tables and looking up have failed
#: by then, and 1 of 6 rows that were read below it, in two sets, answered
_LEAST_OF_ROW = 0.45
_MEASURED = (Asked.AMOUNT, Asked.COUNT)
_INSTEAD = (Kind.NAME, Kind.CODE, Kind.YEAR, Kind.DATE, Kind.ORDINAL)
_EXCEPTIONS = frozenset("except excluding only lacks lacked unable absent missing".split())
_HOW_OFTEN = re.compile(r"\bhow (?:many times|often)\b")
_MAX_HEADER = 100  #: characters of the name of a column that are looked at
_NO_REASON = "it is near the question and gives no clear answer"


@dataclass(frozen=True, slots=True)
class JudgeFit:
    """The regression: a weight for each signal, the constant, and two probabilities.

    `least` is the probability from which a sentence is an answer; from `part` on it is related.
    A part that was read alone in its context has a regression of its own, if there is one.
    """

    weights: Mapping[str, float]
    constant: float
    least: float
    part: float
    in_context: tuple[Mapping[str, float], float] | None = None
    floor: float = -math.inf  #: the least logit of a passage, less what shared words add

    def chance(self, signals: Mapping[str, float], in_context: bool = False) -> float:
        """Probability that the sentence answers, 0..1."""
        weights, constant = self.weights, self.constant
        if in_context and self.in_context:
            weights, constant = self.in_context
        total = constant + sum(w * signals[name] for name, w in weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@lru_cache(maxsize=1)
def shipped_fit() -> JudgeFit:
    """The regression that comes with the program."""
    path = Path(__file__).parent.parent / "models" / "judge.json"
    record = json.loads(path.read_text("utf-8"))
    alone = record["in_context"]
    return JudgeFit(
        record["weights"],
        record["constant"],
        record["least"],
        record["part"],
        (alone["weights"], alone["constant"]),
        record["floor"],
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading with the question's constraints and the probability that it answers."""

    reading: Reading
    bounds: tuple[Bound, ...]
    signals: Mapping[str, float]
    chance: float


def judge_readings(question: str, readings: Sequence[Reading], fit: JudgeFit) -> list[Judged]:
    """Judge each reading beside the others; the best of each passage is kept, likeliest first."""
    best: dict[int, Judged] = {}
    for one in sorted(judge_each(question, readings, fit), key=lambda one: -one.chance):
        best.setdefault(one.reading.passage.number, one)
    return list(best.values())


def judge_each(question: str, readings: Sequence[Reading], fit: JudgeFit) -> list[Judged]:
    """Judge each reading beside the others, in their order."""
    passages = {r.passage.number: r.passage.chunk.text for r in readings}
    asked = parse_question(without_slips(question, tuple(passages.values())))
    rarity = _rarity(asked.constraints, readings)
    judged = []
    for reading in readings:
        around = surroundings_of(reading.passage.chunk, reading.around)
        bounds = bind(asked, around)
        signals = signals_of(asked, reading, readings, bounds, rarity)
        chance = fit.chance(signals, reading.in_context)
        another = _is_about_another(asked, bounds) or other_label(asked, around)
        weak = not reading.in_context and without_shared_words(signals) < fit.floor
        weak = weak or (chance < _LEAST_OF_ROW and _rows_of(reading)[1] is not None)
        weak = weak or lacks_reason(asked.text, reading.sentence)
        another = another or is_set_against(asked.text, reading.sentence)
        another = another or (_is_title(reading) and _is_more_than_named(asked, bounds))
        if another or weak or _cannot_answer(asked, reading):
            chance = min(chance, fit.least * _ANOTHER)
        judged.append(Judged(replace(reading, chance=chance), bounds, signals, chance))
    return judged


def without_shared_words(signals: Mapping[str, float]) -> float:
    """The logit of the passage, less what the words add that question and passage share."""
    return signals["logit"] - _SHARED_WORDS * (signals["words_passage"] - _USUAL_SHARE)


def _is_about_another(asked: Question, bounds: Sequence[Bound]) -> bool:
    """Does the sentence name another person, code or date in the place of the one asked about?

    Or is the noun that the whole question is about nowhere in the passage and its context? None of
    14 such sentences of the sets answered, and 0.27 of the others.
    """
    return any(
        (b.instead and b.met < Met.COREFERENCE and b.constraint.kind in _INSTEAD)
        or (b.met is Met.NOWHERE and b.constraint.stems == {asked.subject})
        or (b.met is Met.PASSAGE and b.constraint.stems == {asked.topic})
        for b in bounds
    )


def _cannot_answer(asked: Question, reading: Reading) -> bool:
    """Does the question deny or compare something, and the sentence does not?

    Or does it ask who, and the answer is a pronoun? Or must rows be compared, and it is one row?
    """
    sentence = reading.sentence
    if asked.kind is not Asked.YES_NO and is_pronoun(reading.short):
        return True
    if _is_name_of_field(reading) or _asks_itself(reading):
        return True
    row = _rows_of(reading)[1]
    short = f"{reading.short} {_header_of(reading, row)[:_MAX_HEADER]}" if row else reading.short
    if is_other_kind(asked.text, short, sentence, row is not None):
        return True
    words = facts.word_tokens(facts.fold_text(asked.text))
    if _needs_rows_compared(asked.text, reading):
        return True
    compares = asked.kind is Asked.YES_NO and "than" in words
    return (asked.negated and not _denies(sentence)) or (
        compares and "than" not in facts.word_tokens(facts.fold_text(sentence))
    )


def _denies(sentence: str) -> bool:
    """Does a sentence deny something, or make an exception ("all except Ida")?"""
    words = facts.word_tokens(facts.fold_text(sentence))
    return bool(facts.count_negations(sentence)) or not _EXCEPTIONS.isdisjoint(words)


def _is_name_of_field(reading: Reading) -> bool:
    """Is the short answer in the name of a field of a record, and not in its value?"""
    return any(
        cell.name is not None and reading.span.within(cell.name)
        for unit in reading.passage.chunk.units
        if unit.kind is UnitKind.RECORD
        for cell in unit.cells
    )


def _asks_itself(reading: Reading) -> bool:
    """Is the sentence part of the question of an FAQ ("I lost a key. What now?")?"""
    sentence = facts.flatten_text(reading.sentence).removeprefix("q ")
    return any(
        sentence in facts.flatten_text(unit.context.rpartition(" > ")[2])
        for unit in reading.passage.chunk.units
        if unit.kind is UnitKind.ANSWER and not reading.around.within(unit.span)
    )


def _is_title(reading: Reading) -> bool:
    """Is the sentence the title of the document, which sums up and measures nothing?"""
    return reading.sentence.strip(" #*_\n") == reading.passage.chunk.title.strip()


def _is_more_than_named(asked: Question, bounds: Sequence[Bound]) -> bool:
    """Is a measure asked for, or something of a name that the sentence does not have?"""
    names = [b for b in bounds if b.constraint.kind is Kind.NAME]
    return asked.kind in _MEASURED or any(b.met is not Met.SENTENCE for b in names)


def _rows_of(reading: Reading) -> tuple[list[Unit], Unit | None]:
    """The rows of the passage, and the one that the sentence is in."""
    rows = [unit for unit in reading.passage.chunk.units if unit.kind is UnitKind.ROW]
    return rows, next((unit for unit in rows if reading.around.within(unit.span)), None)


def _is_named(question: str, reading: Reading, row: Unit) -> bool:
    """Has the question a word of the values of a row?"""
    start, text = reading.passage.chunk.span.start, reading.passage.chunk.text
    values = " ".join(text[c.span.start - start : c.span.end - start] for c in row.cells)
    return not set(facts.content_stems(question)).isdisjoint(facts.content_stems(values))


def _header_of(reading: Reading, row: Unit) -> str:
    """The name of the column in which the short answer is; "" if it has none."""
    cells = (cell for cell in row.cells if reading.span.within(cell.span))
    return next((cell.header for cell in cells), "")


def _needs_rows_compared(question: str, reading: Reading) -> bool:
    """Does the question order, count or add rows, and the sentence is one of them?

    Not if the row or the names of its columns have the very word ("best time", "total"). The line
    of these names answers nothing.
    """
    rows, row = _rows_of(reading)
    if row is None:
        names = {cell.header for unit in rows for cell in unit.cells if cell.header}
        there = [name for name in names if name in reading.sentence]
        return len(there) > 1 and any(reading.short in name for name in there)
    operations = read_question(question).operations
    if _is_named(question, reading, row):
        operations -= _OF_ONE_ROW
    if _HOW_OFTEN.search(facts.fold_text(question)):
        operations |= {"times"}
    if not operations:
        return False
    own = [reading.sentence, row.context, *(cell.header for cell in row.cells)]
    return not operations <= set(facts.word_tokens(facts.fold_text(" ".join(own))))


def _rarity(
    constraints: Sequence[Constraint], readings: Sequence[Reading]
) -> dict[Constraint, float]:
    """The weight of each constraint: the fewer of the passages have it, the more it tells."""
    chunks = {r.passage.number: r.passage.chunk for r in readings}.values()
    known = [facts_of(f"{c.title}\n{c.heading}\n{c.text}") for c in chunks]
    weights = {}
    for constraint in constraints:
        having = sum(all(text.has(("stem", stem)) for stem in constraint.stems) for text in known)
        weights[constraint] = math.log((len(known) + 1) / (having + 0.5)) + 0.3
    return weights


def signals_of(
    asked: Question,
    reading: Reading,
    readings: Sequence[Reading],
    bounds: Sequence[Bound],
    rarity: Mapping[Constraint, float],
) -> dict[str, float]:
    """The inputs of the regression, by name."""
    return {
        **_model_signals(reading, readings),
        **_binding_signals(bounds, rarity, facts_of(reading.passage.chunk.text)),
        **_shape_signals(asked, reading),
    }


def _model_signals(reading: Reading, readings: Sequence[Reading]) -> dict[str, float]:
    number = reading.passage.number
    others = [r.logit for r in readings if r.passage.number != number]
    second = max((_bounded(other, _LOWEST_LOGIT) for other in others), default=_NO_SECOND)
    logit = _bounded(reading.logit, _LOWEST_LOGIT)
    return {
        "logit": logit,
        "helps": _bounded(reading.helps, _LOWEST_LOGIT),
        "sharp": _bounded(reading.sharp, _LOWEST_SCORE),
        "margin": max(-8.0, min(8.0, reading.margin)),
        "second": second,
        "lead": max(-4.0, min(6.0, logit - second)),
    }


def _bounded(value: float, lowest: float) -> float:
    return max(lowest, min(8.0, value))


def _binding_signals(
    bounds: Sequence[Bound], rarity: Mapping[Constraint, float], passage: TextFacts
) -> dict[str, float]:
    names = [b for b in bounds if b.constraint.kind is Kind.NAME]
    words = [b for b in bounds if b.constraint.kind in _WORDS]
    heads = [b for b in bounds if b.constraint.kind is Kind.HEAD]
    exact = [b for b in bounds if b.constraint.kind in _EXACT]
    return {
        "all_sentence": _share(bounds, Met.SENTENCE, rarity),
        "all_near": _share(bounds, Met.COREFERENCE, rarity),
        "all_passage": _share(bounds, Met.PASSAGE, rarity),
        "words_near": _share(words, Met.COREFERENCE, rarity),
        "words_passage": _share(
            [replace(b, met=Met.NOWHERE) if _is_synonym(b, passage) else b for b in words],
            Met.PASSAGE,
            rarity,
        ),
        "names_far": _count(names, Met.COREFERENCE),
        "names_absent": _count(names, Met.PASSAGE),
        "exact_far": _count(exact, Met.COREFERENCE),
        "exact_absent": _count(exact, Met.PASSAGE),
        "head_far": _count(heads, Met.COREFERENCE),
        "head_absent": _count(heads, Met.PASSAGE),
        "words_absent": _count(words, Met.PASSAGE),
        "name_instead": float(any(b.instead and b.met is Met.NOWHERE for b in names)),
        "exact_instead": float(any(b.instead and b.met is Met.NOWHERE for b in exact)),
    }


def _is_synonym(bound: Bound, passage: TextFacts) -> bool:
    """Is a word met by another word for the same alone? That is no word that both share."""
    return passage.stems.isdisjoint(bound.constraint.stems) and any(
        not passage.stems.isdisjoint(SYNONYMS.get(stem, ())) for stem in bound.constraint.stems
    )


def _share(bounds: Sequence[Bound], least: Met, rarity: Mapping[Constraint, float]) -> float:
    total = sum(rarity[b.constraint] for b in bounds)
    return sum(rarity[b.constraint] for b in bounds if b.met >= least) / total if total else 1.0


def _count(bounds: Sequence[Bound], least: Met) -> float:
    return float(min(3, sum(b.met < least for b in bounds)))


def _shape_signals(asked: Question, reading: Reading) -> dict[str, float]:
    kind = kind_of_short_answer(reading.short)
    negations = facts.count_negations(reading.sentence)
    return {
        "kind_fits": float(bool(asked.wanted) and kind == asked.wanted),
        "kind_differs": float(bool(asked.wanted) and kind != asked.wanted),
        "negation_differs": float(asked.negated != bool(negations)),
    }


def judgement_of(judged: Judged, fit: JudgeFit) -> Judgement:
    """The judgement in words: whether the sentence answers, and what of the question it lacks."""
    reasons = missing_in_words(unmet(judged.bounds))
    if judged.chance >= fit.least:
        return Judgement(Answers.YES, judged.chance, reasons if judged.chance < _SURE else ())
    answers = Answers.PART if judged.chance >= fit.part else Answers.NOT_SHOWN
    return Judgement(answers, judged.chance, reasons or (_NO_REASON,))


def explain_abstention(judged: Sequence[Judged], fit: JudgeFit, calibrated: bool) -> str:
    """Why no sentence is the answer: what was found, and what of the question it lacks."""
    least = f"{100 * fit.least:.0f} %" + (", as calibrated" if calibrated else "")
    if not judged:
        return f"no passage has a sentence that may answer; {least} is the least"
    best = judged[0]
    lacks = "; ".join(judgement_of(best, fit).reasons)
    place = best.reading.passage.number
    return (
        f"the nearest sentence, in passage {place}, is {100 * best.chance:.0f} % likely to answer "
        f"(at least {least}): {lacks}"
    )
