"""Finds which names, numbers, dates and nouns of a question a sentence has, and where.

A constraint is met by the sentence itself, by its context (title, headings, names of columns, the
date and the sender of a mail), by a sentence before it to which a pronoun or a definite noun of the
sentence may refer, or only elsewhere in the passage. One that is not met is named in words, with
what stands in its place: "it is about Anna Kovac, not Anna Berg".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from rag.answer.mentions import labels_of
from rag.answer.question import (
    YEAR,
    Constraint,
    Kind,
    Question,
)
from rag.answer.question_terms import CODE, TextFacts, facts_of, fold_code
from rag.answer.spans import sentences_of
from rag.domain import Chunk, Span
from rag.text import facts
from rag.text.fact_index import DateIndex, NearWords, NumberIndex
from rag.text.foreign_marks import quote_foreign
from rag.text.labels import ORDINAL, ordinal_number
from rag.text.quantities import Number, find_numbers
from rag.text.units import context_of

_SENTENCES_BEFORE = 3  #: to which a pronoun may refer
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs|this|these|that|those|such|"
    r"the (?:latter|former|same|two|company|city|team|song|film|book|man|woman|king|group|town|"
    r"country|party|school|church|university|building|museum|event|game|match|season|project|"
    r"contract|invoice|meeting|author|singer|band|album|island|river|war|battle|law|act|system))\b",
    re.I,
)
#: a sentence that begins with a relative of the person before
_RELATIVE = re.compile(
    r"\W*(?:[Hh]is|[Hh]er|[Tt]heir) (?:[a-z-]{1,20} ){0,2}?(?P<who>wife|husband|son|daughter|"
    r"brother|sister|mother|father|uncle|aunt|nephew|niece|cousin|partner|widow|widower|"
    r"grandmother|grandfather|grandson|granddaughter|parents|children)s?\b,?"
    r"(?: (?P<name>[^\W\d_a-z][\w'\u2019-]{0,30}))?"
)
#: stems of words that a value with a unit of these dimensions answers for
_MEASURES = {
    facts.stem(word): frozenset(dimensions.split())
    for dimensions, words in (
        ("mass", "heavy weigh weight mass"),
        ("length", "tall high deep wide far height width length depth distance"),
        ("length duration months", "long last"),
        ("euro dollar sterling franc yen rupee rouble", "expensive cost price fee pay charge"),
        ("celsius fahrenheit", "hot cold warm temperature"),
        ("speed", "fast speed"),
        ("area volume data", "big large size"),
        ("duration months", "often duration"),
        ("clock", "time open close"),
    )
    for word in words.split()
}
_MAX_SHOWN = 60  # characters of a name in a reason
_MAX_MISSING = 4  # words that are named as missing
_NAMED = (Kind.NAME, Kind.CODE, Kind.NUMBER, Kind.DATE, Kind.YEAR, Kind.ORDINAL)


class Met(IntEnum):
    """Where a constraint is met; more is nearer."""

    NOWHERE = 0
    PASSAGE = 1  #: elsewhere in the passage
    COREFERENCE = 2  #: in a sentence before, to which a word of the sentence may refer
    CONTEXT = 3
    SENTENCE = 4


@dataclass(frozen=True, slots=True)
class Bound:
    """A constraint and where it is met."""

    constraint: Constraint
    met: Met
    instead: str = ""  #: what stands in its place, if it is not met


def missing_in_words(bounds: Sequence[Bound]) -> tuple[str, ...]:
    """Reasons for the constraints that are not met: what is in their place, or what is absent."""
    reasons = [
        f"it is about {_shown(b.instead)}, not {_shown(b.constraint.shown)}"
        for b in bounds
        if b.instead
    ]
    for said, kinds in (("name", _NAMED), ("say", (Kind.HEAD, Kind.WORD))):
        absent = [
            _shown(b.constraint.shown)
            for b in bounds
            if not b.instead and b.constraint.kind in kinds
        ]
        if absent:
            marked = [f"“{word}”" if said == "say" else word for word in absent[:_MAX_MISSING]]
            reasons.append(f"it does not {said} {', '.join(marked)}")
    return tuple(reasons)


def _shown(words: str) -> str:
    """Words of a question or a document among our own."""
    return quote_foreign(words[:_MAX_SHOWN])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A sentence with its context, the sentences before it, and the whole passage."""

    sentence: str
    context: str
    before: str
    passage: str

    @property
    def texts(self) -> tuple[tuple[Met, str], ...]:
        """The texts in which a constraint may be met, nearest first."""
        return (
            (Met.SENTENCE, self.sentence),
            (Met.CONTEXT, self.context),
            (Met.COREFERENCE, self.before),
            (Met.PASSAGE, self.passage),
        )


def surroundings_of(chunk: Chunk, place: Span) -> Surroundings:
    """The surroundings of the text at `place`, a span of the document that lies in the chunk."""
    start = chunk.span.start
    inner = Span(place.start - start, place.end - start)
    sentence = inner.of(chunk.text)
    path = [chunk.title, chunk.source.replace("/", " ").replace("_", " "), chunk.heading]
    context = " › ".join(part for part in (*path, *context_of(chunk, place), chunk.date) if part)
    before = ""
    if _PRONOUN.search(sentence):
        spans = [span for span in sentences_of(chunk.text) if span.end <= inner.start]
        before = " ".join(span.of(chunk.text) for span in spans[-_SENTENCES_BEFORE:])
    return Surroundings(sentence, context, before, chunk.text)


def bind(question: Question, around: Surroundings) -> tuple[Bound, ...]:
    """Return every constraint of the question with where it is met."""
    relative = _relative(question.text, around.sentence)
    return tuple(_bound(constraint, around, relative) for constraint in question.constraints)


def _bound(constraint: Constraint, around: Surroundings, relative: str) -> Bound:
    has = _HAS[constraint.kind]
    met = next((met for met, text in around.texts if text and has(constraint, text)), Met.NOWHERE)
    if relative and constraint.kind is Kind.NAME and met in (Met.COREFERENCE, Met.PASSAGE):
        return Bound(constraint, Met.PASSAGE, relative)
    return Bound(constraint, met, _instead(constraint, around) if met <= Met.PASSAGE else "")


def _relative(question: str, sentence: str) -> str:
    """The relative of somebody whom a sentence is about ("His wife Thea …"); "" without one.

    Not if the question asks about such a relative.
    """
    found = _RELATIVE.match(sentence)
    asked = facts.word_tokens(facts.fold_text(question))
    return "" if not found or found["who"].lower() in asked else found["name"] or found["who"]


# -- is a constraint met by a text?


def _has_stems(constraint: Constraint, text: str) -> bool:
    known = facts_of(text)
    return all(_has_stem(known, stem) for stem in constraint.stems) or _has_measure(
        constraint, text
    )


def _has_measure(constraint: Constraint, text: str) -> bool:
    """Does the text have a value of what is measured: "200 g" for "heavy" or "kilograms"?"""
    (stem, *others) = constraint.stems
    return not others and not _measured(stem, constraint.shown).isdisjoint(_dimensions(text))


@lru_cache(maxsize=4096)
def _measured(stem: str, shown: str) -> frozenset[str]:
    """The dimensions of values that answer for a word."""
    named = find_numbers(f"1 {shown}")
    return _MEASURES.get(stem, frozenset()).union({named[0].dimension} if named else ()) - {""}


@lru_cache(maxsize=512)
def _dimensions(text: str) -> frozenset[str]:
    return frozenset(number.dimension for number in facts_of(text).numbers)


def _has_stem(known: TextFacts, stem: str) -> bool:
    return known.has(("stem", stem)) or (len(stem) > 5 and _misspelt(known, stem))


def _misspelt(known: TextFacts, stem: str) -> bool:
    return any(True for _ in _near_words(known.stems).of(stem))


@lru_cache(maxsize=512)
def _near_words(stems: frozenset[str]) -> NearWords:
    return NearWords(stems)


def _has_name(constraint: Constraint, text: str) -> bool:
    if _has_stems(constraint, text):
        return True
    return bool(_initials(constraint.shown)) and _initials(constraint.shown) in _acronyms(text)


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isupper()]
    return "".join(word[0] for word in words) if len(words) > 2 else ""


@lru_cache(maxsize=512)
def _acronyms(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\b[A-Z]{3,8}\b", text))


def _has_code(constraint: Constraint, text: str) -> bool:
    return constraint.value in _codes(text)


@lru_cache(maxsize=512)
def _codes(text: str) -> frozenset[str]:
    return frozenset(fold_code(match[0]) for match in CODE.finditer(text))


def _has_number(constraint: Constraint, text: str) -> bool:
    asked = constraint.value
    return isinstance(asked, Number) and _number_index(text).bear_out(asked)


@lru_cache(maxsize=512)
def _number_index(text: str) -> NumberIndex:
    return NumberIndex(facts_of(text).numbers)


def _has_date(constraint: Constraint, text: str) -> bool:
    asked = constraint.value
    if not isinstance(asked, facts.Date):
        return False
    if _date_index(text).agree(asked):
        return True
    return asked.day is None and asked.year is not None and str(asked.year) in _years(text)


@lru_cache(maxsize=512)
def _date_index(text: str) -> DateIndex:
    return DateIndex(facts_of(text).dates)


@lru_cache(maxsize=512)
def _years(text: str) -> frozenset[str]:
    return frozenset(match[0] for match in YEAR.finditer(text)) | frozenset(
        str(date.year) for date in facts_of(text).dates if date.year
    )


def _has_year(constraint: Constraint, text: str) -> bool:
    return constraint.shown in _years(text) or _in_range(constraint.value, text)


_RANGE = re.compile(r"\b(1\d\d\d|20\d\d)\s?[-–]\s?(\d\d|1\d\d\d|20\d\d)\b")


def _in_range(year: object, text: str) -> bool:
    """Does the text name a range of years that has this one at its end ("1914–18")?"""
    return year in _range_ends(text)


@lru_cache(maxsize=512)
def _range_ends(text: str) -> frozenset[object]:
    return frozenset(float(m[1][: 4 - len(m[2])] + m[2]) for m in _RANGE.finditer(text))


def _has_ordinal(constraint: Constraint, text: str) -> bool:
    return constraint.value in _ordinals(text)


@lru_cache(maxsize=512)
def _ordinals(text: str) -> frozenset[object]:
    return frozenset(ordinal_number(m[0]) for m in ORDINAL.finditer(text))


_HAS: dict[Kind, Callable[[Constraint, str], bool]] = {
    Kind.NAME: _has_name,
    Kind.CODE: _has_code,
    Kind.NUMBER: _has_number,
    Kind.DATE: _has_date,
    Kind.YEAR: _has_year,
    Kind.ORDINAL: _has_ordinal,
    Kind.HEAD: _has_stems,
    Kind.WORD: _has_stems,
}


# -- what stands in the place of a constraint that is not met


def _instead(constraint: Constraint, around: Surroundings) -> str:
    """Another thing of the same kind that the sentence names, or ""."""
    text = around.sentence
    if constraint.kind is Kind.NAME:
        return _other_name(constraint, text)
    if constraint.kind is Kind.CODE:
        return _only_codes(text).get(_form_of_code(constraint.shown), "")
    return _only_one(text, constraint.kind)


@lru_cache(maxsize=512)
def _only_codes(text: str) -> dict[str, str]:
    """The codes of a text by their form, "" for a form that several have."""
    found = dict[str, str]()
    for match in CODE.finditer(text):
        form = _form_of_code(match[0])
        found[form] = match[0] if found.get(form, match[0]) == match[0] else ""
    return found


@lru_cache(maxsize=2048)
def _only_one(text: str, kind: Kind) -> str:
    """The only year, date or ordinal of a text, or ""."""
    found = set[str]()
    if kind is Kind.YEAR:
        found.update(_years(text))
    elif kind is Kind.DATE:
        found.update(date.shown for date in facts_of(text).dates)
    elif kind is Kind.ORDINAL:
        found.update(match[0] for match in ORDINAL.finditer(text))
    return found.pop() if len(found) == 1 else ""


def _form_of_code(code: str) -> str:
    """The letters in front of the digits of a code, which codes of one form share."""
    return re.split(r"[\d]", code, maxsplit=1)[0].lower()


def _other_name(constraint: Constraint, text: str) -> str:
    """A name that shares a word with the constraint and has another one besides.

    "" if the sentence also has a part of the name alone, which may be short for it.
    """
    if any(stems and stems <= constraint.stems for _, stems in _names_with_stems(text)):
        return ""
    for name, stems in _names_with_stems(text):
        if stems & constraint.stems and stems - constraint.stems and not constraint.stems <= stems:
            return name
    return ""


@lru_cache(maxsize=512)
def _names_with_stems(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    names = facts.find_names("x " + text)
    return tuple((name, frozenset(facts.content_stems(name))) for name in names)


def other_label(question: Question, around: Surroundings) -> bool:
    """Does the sentence, or else its context, name a thing of the question with another label?

    "Flat B has two rooms" is not about flat A.
    """
    for text in (around.sentence, around.context):
        found = set(labels_of(text))
        for stem, label in question.labels:
            if (labels := {other for word, other in found if word == stem}) and label not in labels:
                return True
        if found & set(question.labels):
            return False
    return False


def unmet(bounds: Sequence[Bound], least: Met = Met.COREFERENCE) -> list[Bound]:
    """The constraints that are met farther from the sentence than `least`, or nowhere."""
    return [bound for bound in bounds if bound.met < least]
