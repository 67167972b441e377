"""Estimates the probability that a sentence answers the question, and says what it lacks.

That a sentence stands in its source says nothing about the question. This judgement does: a
logistic regression (`rag.training.fit_judge`) over what the part reader says of the sentence and
the reader's model of the passage, by how much both are ahead of the others, and which names and
numbers of the question are missing. It was fitted on everyday documents and on near misses: what
the search itself finds when the passages that answer are taken out. Rules come before it: a
sentence about another person, date or kind of value than the question's does not answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from rag.answer.binding import (
    Bound,
    Met,
    Surroundings,
    bind,
    missing_in_words,
    other_label,
    surroundings_of,
    unmet,
)
from rag.answer.field_words import is_other_kind
from rag.answer.mail_parts import speaker_of
from rag.answer.offices import is_other_office
from rag.answer.question import (
    Asked,
    Kind,
    Question,
    parse_question,
    without_slips,
)
from rag.answer.question_terms import read_question
from rag.answer.readings import Reading
from rag.answer.scope import is_set_against
from rag.answer.spans import is_pronoun
from rag.domain import Answers, Judgement, Unit, UnitKind
from rag.text import facts
from rag.text.ranges import is_in_other_range

#: the logits of the second passage and of the next sentence, if there is none: usual ones
_NO_SECOND, _NO_RIVAL = -1.0, -3.0
_LOWEST_LOGIT, _LOWEST_SCORE, _LOWEST_BEHIND = -6.0, -12.0, -6.0
#: of the threshold: the highest probability of a sentence that is about something else
_ANOTHER = 0.9
_SURE = 0.9  #: probability from which nothing is said of words that are missing
#: words that compare rows or say something of one row ("the total number of students at Dartmouth")
_OF_ONE_ROW = frozenset("total sum both either only before after than rank ranked".split())
_MEASURED = (Asked.AMOUNT, Asked.COUNT)
_EXACT = (Kind.NUMBER, Kind.CODE, Kind.DATE, Kind.YEAR, Kind.ORDINAL)
_INSTEAD = (Kind.NAME, Kind.CODE, Kind.YEAR, Kind.DATE, Kind.ORDINAL)
#: "Vik's daughter", "Anna Berg's first boat"
_SOMEBODYS = re.compile(r"((?:[A-ZÀ-ÖØ-Þ][\w-]{1,30} ?){1,3})['’]s? (?:\w{1,20} )?([a-z]{3,20})\b")
_HOW_OFTEN = re.compile(r"\bhow (?:many times|often)\b")
_MAX_HEADER = 100  #: characters of the name of a column that are looked at
_SAYS_YES, _SAYS_NO = (f"the chat model was asked too, and says {word}" for word in ("yes", "no"))
#: what a rule says against a sentence, in words
_RULE_WORDS = {
    "another office": "the office that it speaks of is another's",
    "another speaker": "somebody else says it of their own",
    "another range": "it is for other ages or sizes",
    "another kind": "it gives another kind of value than is asked for",
    "another label": "it is about another one of these",
    "a question": "it is a question itself",
    "one row of several": "rows have to be compared",
}
_NO_REASON = "it is near the question and gives no clear answer"


@dataclass(frozen=True, slots=True)
class JudgeFit:
    """The regression: a weight for each signal, the constant, and two probabilities.

    `least` is the probability from which a sentence is an answer; from `part` on it is related.
    """

    weights: Mapping[str, float]
    constant: float
    least: float
    part: float

    def chance(self, signals: Mapping[str, float]) -> float:
        """Probability that the sentence answers, 0..1."""
        total = self.constant + sum(w * signals[name] for name, w in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@lru_cache(maxsize=1)
def shipped_fit() -> JudgeFit:
    """The regression that comes with the program."""
    path = Path(__file__).parent.parent / "models" / "judge.json"
    record = json.loads(path.read_text("utf-8"))
    return JudgeFit(record["weights"], record["constant"], record["least"], record["part"])


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading with the question's constraints and the probability that it answers."""

    reading: Reading
    bounds: tuple[Bound, ...]
    signals: Mapping[str, float]
    chance: float
    ruled_out: str = ""  #: the rule by which it does not answer, if there is one
    #: log-odds of yes by a chat model that was asked too (`rag.answer.juror`), if one was
    opinion: float | None = None


def best_of_passages(judged: Sequence[Judged]) -> list[Judged]:
    """Return the likeliest sentence of each passage, likeliest first."""
    best: dict[int, Judged] = {}
    for one in sorted(judged, key=lambda one: -one.chance):
        best.setdefault(one.reading.passage.number, one)
    return list(best.values())


def judge_each(question: str, readings: Sequence[Reading], fit: JudgeFit) -> list[Judged]:
    """Judge each reading beside the others, in their order."""
    passages = {r.passage.number: r.passage.chunk.text for r in readings}
    asked = parse_question(without_slips(question, tuple(passages.values())))
    judged = []
    for reading in readings:
        around = surroundings_of(reading.passage.chunk, reading.around)
        bounds = bind(asked, around)
        signals = signals_of(reading, readings, bounds)
        chance = fit.chance(signals)
        ruled_out = _ruled_out(asked, reading, around, bounds)
        if ruled_out:
            chance = min(chance, fit.least * _ANOTHER)
        judged.append(Judged(replace(reading, chance=chance), bounds, signals, chance, ruled_out))
    return judged


def _ruled_out(
    asked: Question, reading: Reading, around: Surroundings, bounds: Sequence[Bound]
) -> str:
    """The rule by which a sentence does not answer, whatever the models say; "" if there is none.

    A question that compares wants a sentence that does the same. One row is no answer if rows must
    be compared.
    """
    sentence, row = reading.sentence, _rows_of(reading)[1]
    if reading.short not in sentence:  # it is in the heading
        sentence = f"{reading.short}: {sentence}"
    short = f"{reading.short} {_header_of(reading, row)[:_MAX_HEADER]}" if row else reading.short
    rules: tuple[tuple[str, Callable[[], object]], ...] = (
        ("about another", lambda: _is_about_another(bounds)),
        ("another label", lambda: other_label(asked, around)),
        ("another office", lambda: is_other_office(asked.text, sentence)),
        ("another speaker", lambda: _is_of_another_speaker(asked.text, reading)),
        ("another range", lambda: _is_in_other_range(asked, sentence)),
        ("set against", lambda: is_set_against(asked.text, sentence)),
        ("a title", lambda: _is_title(reading) and _is_more_than_named(asked, bounds)),
        ("a pronoun", lambda: asked.kind is not Asked.YES_NO and is_pronoun(reading.short)),
        ("the name of a field", lambda: _is_name_of_field(reading)),
        ("the question itself", lambda: _asks_itself(reading)),
        ("a question", lambda: reading.sentence.rstrip(' *_"”’)\n').endswith("?")),
        ("another kind", lambda: is_other_kind(asked.text, short, sentence, bool(row))),
        ("one row of several", lambda: _needs_rows_compared(asked.text, reading)),
        ("no comparison", lambda: _compares(asked) and "than" not in _words(sentence)),
    )
    return next((name for name, holds in rules if holds()), "")


def _is_about_another(bounds: Sequence[Bound]) -> bool:
    """Does the sentence name another person, code or date in the place of the one asked about?"""
    return any(
        b.instead and b.met < Met.COREFERENCE and b.constraint.kind in _INSTEAD for b in bounds
    )


def _is_in_other_range(asked: Question, sentence: str) -> bool:
    """Is the sentence about other ages or sizes than the question? "At least 14" denies one."""
    return asked.kind is not Asked.YES_NO and is_in_other_range(asked.text, sentence)


def _is_of_another_speaker(question: str, reading: Reading) -> bool:
    """Does the question ask about somebody's relative or thing, and another says "my" of it?"""
    whose = [(m[1], m[2]) for m in _SOMEBODYS.finditer(question)]
    own = [thing for _, thing in whose if re.search(rf"(?i)\b(?:my|our) {thing}", reading.sentence)]
    speaker = speaker_of(reading.passage.chunk, reading.span) if own else ""
    return bool(speaker) and all(
        set(facts.content_stems(speaker)).isdisjoint(facts.content_stems(name))
        for name, thing in whose
        if thing in own
    )


def _compares(asked: Question) -> bool:
    return asked.kind is Asked.YES_NO and "than" in _words(asked.text)


def _words(text: str) -> list[str]:
    return facts.word_tokens(facts.fold_text(text))


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


def signals_of(
    reading: Reading, readings: Sequence[Reading], bounds: Sequence[Bound]
) -> dict[str, float]:
    """The inputs of the regression, by name.

    `lead` is by how much the passage is ahead of the others, as the reader's model sees it, and
    `score` is the passage's in the search, 0..1. `alone` is the part reader's logit of the
    sentence, `ahead` by how much it is ahead of the others, `sharp` the score of the short answer's
    place. `behind` is by how much the places of the sentence are behind the likeliest of the whole
    passage, `nearer` by how much the sentence is nearer to the question in meaning than the others
    (cosine). `names` and `exact` (numbers, codes, dates) count what the question is about and
    neither the sentence nor its context has.
    """
    number = reading.passage.number
    others = [r.logit for r in readings if r.passage.number != number]
    second = max((_bounded(other, _LOWEST_LOGIT) for other in others), default=_NO_SECOND)
    logit, alone = (_bounded(x, _LOWEST_LOGIT) for x in (reading.logit, reading.alone))
    rivals = [r.alone for r in readings if r is not reading and r.around != reading.around]
    rival = max((_bounded(other, _LOWEST_LOGIT) for other in rivals), default=_NO_RIVAL)
    others_near = [r.near for r in readings if r is not reading]
    return {
        "lead": max(-4.0, min(6.0, logit - second)),
        "alone": alone,
        "ahead": max(-6.0, min(6.0, alone - rival)),
        "sharp": _bounded(reading.sharp, _LOWEST_SCORE),
        "score": reading.passage.score,
        "behind": max(_LOWEST_BEHIND, reading.behind),
        "nearer": reading.near - max(others_near, default=reading.near),
        "names": _count(bounds, (Kind.NAME,)),
        "exact": _count(bounds, _EXACT),
    }


def _count(bounds: Sequence[Bound], kinds: Sequence[Kind]) -> float:
    """How many constraints of these kinds are not met nearer than in the passage, at most 3."""
    far = (b for b in bounds if b.constraint.kind in kinds and b.met < Met.COREFERENCE)
    return float(min(3, sum(1 for _ in far)))


def _bounded(value: float, lowest: float) -> float:
    return max(lowest, min(8.0, value))


def judgement_of(judged: Judged, fit: JudgeFit) -> Judgement:
    """The judgement in words: whether the sentence answers, and what of the question it lacks."""
    reasons = missing_in_words(unmet(judged.bounds))
    if judged.opinion is not None:
        reasons = (*reasons, _SAYS_YES if judged.opinion > 0 else _SAYS_NO)
    if judged.chance >= fit.least:
        return Judgement(Answers.YES, judged.chance, reasons if judged.chance < _SURE else ())
    answers = Answers.PART if judged.chance >= fit.part else Answers.NOT_SHOWN
    rule = _RULE_WORDS.get(judged.ruled_out, _NO_REASON)
    return Judgement(answers, judged.chance, reasons or (rule,))


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
