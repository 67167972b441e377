"""Parses a question: the kind of answer it wants, and each name, number, date and noun in it.

A constraint is something that an answer must be about: a whole name, a code, a number with its
unit, a date or time, a year, an ordinal, the noun or verb that is asked for, or another word. What
a question says of a file ("in lease.txt") is a filter and no constraint. Quotation marks, case and
words of the interface ("OK", "23:00") make no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rag.answer.mentions import (
    DEFINITE_NOUN,
    NO_NAMES,
    is_small,
    labels_of,
    question_names,
)
from rag.answer.question_terms import CODE, COUNTS, fold_code, read_question
from rag.text import facts
from rag.text.fact_index import NearWords
from rag.text.labels import ORDINAL, ordinal_number
from rag.text.quantities import find_numbers
from rag.text.ranges import without_range
from rag.text.word_tables import STOP_WORDS

_FILE = re.compile(
    r"\b(?:in|of|from|according to)\s+(?:the\s+)?(?:file\s+|document\s+)?"
    r"[\w./-]{1,80}\.[a-z]\w{0,4}\b",
    re.I,
)
YEAR = re.compile(r"(?<![\w.,-])(?:1[0-9]|20)\d\d(?![\w%]|[.,]\d)")
#: a noun after the word that asks: "which STATUE did", "what kind of FOREST"
_ASKED_NOUN = re.compile(
    r"\b(?:what|which)\s+(?:(?:kind|type|sort)s?\s+of\s+)?"
    r"((?:[\w-]+\s+){0,2}?[\w-]+)(?=\s+(?:is|are|was|were|do|does|did|has|have|had|can|could|will|"
    r"would|should|must|may)\b)|\b(?:what|which)\s+(?:(?:kind|type|sort)s?\s+of\s+)?([\w-]+)",
    re.I,
)
#: a noun between the verb and what is said of it: "when was THE AIRPORT closed"
_SUBJECT = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may)\s+"
    r"(?:the|an?|our|my|this|that|these|those)\s+((?:[a-z][\w-]*\s+){0,2}?[a-z][\w-]*)\b",
)
#: a noun that a question ends with or of which it says one thing: "was THE AIRPORT closed?"
_LAST_NOUN = re.compile(r"(?<!\bin )\bthe ([a-z][\w-]*)(?=\W*$|\s+\w+(?:ed|en|wn|lt)\W*$)")
#: "what did she say about THE STEEL?"
_TOPIC = re.compile(
    r"\b(?:say|says|said|think|thinks|write|wrote|writes|tell|told|report|reported|mention) "
    r"(?:[^\W\d_]{1,20} ){0,3}?about (?:(?:the|a|an|his|her|their|its) )?([^\W\d_]{1,30})\W*$",
    re.I,
)
_KIND_WORDS = frozenset(
    "year date day month time name number kind type sort percentage percent amount value total "
    "is are was were do does did has have had can could will would should must may".split()
)
_SMALL_WORD = re.compile(r"(?<![\w'’-])[a-z]{3,20}(?![\w'’-])")
_MIN_SLIP = 5  #: letters from which a word may be a misspelt word of the passages


class Asked(StrEnum):
    """The kind of a question."""

    PERSON = "person"
    PLACE = "place"
    TIME = "time"
    COUNT = "count"
    AMOUNT = "amount"
    LIST = "list"
    STEPS = "steps"
    REASON = "reason"
    YES_NO = "yes or no"
    DEFINITION = "definition"
    LATEST = "latest"
    THING = "thing"


class Kind(StrEnum):
    """The kind of a constraint."""

    NAME = "name"
    CODE = "code"
    NUMBER = "number"
    DATE = "date"
    YEAR = "year"
    ORDINAL = "ordinal"
    HEAD = "head"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that the answer must be about."""

    kind: Kind
    shown: str  #: as the question writes it
    stems: frozenset[str] = frozenset()  #: of a name, head or word
    value: object = None  #: a `Number`, a `facts.Date`, a folded code, a number


@dataclass(frozen=True, slots=True)
class Question:
    """A parsed question."""

    text: str
    kind: Asked
    wanted: str  #: kind of the short answer: "number", "date", "name" or ""
    constraints: tuple[Constraint, ...]
    negated: bool
    topic: str  #: the stem of the noun behind "about" that ends the question, or ""
    subject: str  #: the stem of a noun with "the" that the whole question is about, or ""
    labels: tuple[tuple[str, str], ...] = ()  #: stem and label of "flat A", "Falcon 5"


_ASKED = (
    (Asked.LATEST, r"\b(?:latest|current|currently|newest|most recent|up to date)\b"),
    (Asked.STEPS, r"\bhow (?:do|can|should|to)\b|\bsteps\b"),
    (Asked.COUNT, COUNTS.pattern),
    (Asked.AMOUNT, r"\bhow (?:much|old|long|far|heavy|high|tall|big|large|wide|deep|often|fast)\b"),
    (Asked.PERSON, r"\bwho(?:se|m)?\b"),
    (Asked.TIME, r"\b(?:what|which) (?:year|date|day|month|time)\b"),
    (Asked.PLACE, r"\bwhere\b|\b(?:what|which) (?:country|city|place|town|state)\b"),
    (Asked.REASON, r"\bwhy\b"),
    (Asked.DEFINITION, r"^\W*what (?:is|are|does) (?:an? )?\w+(?: mean)?\W*$|\bstand for\b"),
)


@lru_cache(maxsize=256)
def parse_question(text: str) -> Question:
    """Return the question with its constraints.

    `rag.answer.question_terms.read_question` gives the terms that are looked up instead.
    """
    asked, rest = read_question(text), _FILE.sub(" ", text)
    folded = facts.fold_text(text)
    kind = next((kind for kind, pattern in _ASKED if re.search(pattern, folded)), None)
    if facts.asks_when(folded) and kind not in (Asked.LATEST, Asked.STEPS):
        kind = Asked.TIME
    if kind is None:
        kind = Asked.YES_NO if asked.asks_yes_or_no else Asked.THING
    if kind in (Asked.PERSON, Asked.THING) and asked.asks_for_list:
        kind = Asked.LIST
    topic = _TOPIC.search(rest.strip())
    last = _LAST_NOUN.search(rest.strip())
    subject = facts.fold_text(last[1]) if last else ""
    return Question(
        text=text,
        kind=kind,
        wanted=asked.kind,
        constraints=tuple(_constraints(without_range(rest))),
        negated=bool(facts.count_negations(text)),
        topic=facts.stem(facts.fold_text(topic[1])) if topic else "",
        subject="" if subject in _KIND_WORDS else facts.stem(subject),
        labels=tuple(labels_of(rest)),
    )


def without_slips(question: str, passages: Sequence[str]) -> str:
    """Return the question with its typing errors corrected.

    A word in lower case that no passage has is replaced by a word of the passages with one letter
    more or less ("anual") or two letters exchanged, and one of three letters by a stop word with
    two letters exchanged ("teh"). The first letter must be right. Another letter in the place of
    one is not corrected: "form" may be meant, not "farm".
    """
    known = {word for text in passages for word in facts.word_tokens(facts.fold_text(text))}
    stems = {facts.stem(word) for word in known}
    near = NearWords(known)

    def mended(match: re.Match[str]) -> str:
        word = match[0]
        if word in known or is_small(word) or facts.is_stop_word(word) or facts.stem(word) in stems:
            return word
        words: Iterable[str] = ()
        if len(word) >= _MIN_SLIP:
            words = near.of(word)
        elif len(word) == 3:
            words = STOP_WORDS
        return min((meant for meant in words if _is_slip(word, meant)), default=word)

    return _SMALL_WORD.sub(mended, question)


def _is_slip(word: str, meant: str) -> bool:
    if word[0] != meant[0] or not facts.one_letter_apart(word, meant):
        return False
    return (len(word) > 3 and len(word) != len(meant)) or sorted(word) == sorted(meant)


def _constraints(text: str) -> Iterator[Constraint]:
    """Yield each constraint once; what one of them takes is not read again as another."""
    dates, rest = facts.find_dates(text)
    for date in dates:
        yield Constraint(Kind.DATE, date.shown, value=date)
    for match in CODE.finditer(rest):
        yield Constraint(Kind.CODE, match[0], value=fold_code(match[0]))
    rest = CODE.sub(" ", rest)
    for match in YEAR.finditer(rest):
        yield Constraint(Kind.YEAR, match[0], value=float(match[0]))
    rest = YEAR.sub(" ", rest)
    for match in ORDINAL.finditer(rest):
        yield Constraint(Kind.ORDINAL, match[0], value=ordinal_number(match[0]))
    rest = ORDINAL.sub(" ", rest)
    for quantity in find_numbers(rest):
        if quantity.shown[:1].isdigit():
            yield Constraint(Kind.NUMBER, quantity.shown, value=quantity)
            rest = rest.replace(quantity.shown, " ", 1)
    yield from _words(rest)


def _words(text: str) -> Iterator[Constraint]:
    taken = set[str]()
    for name in _names(text):
        stems = frozenset(facts.content_stems(name))
        if stems - taken:
            taken |= stems
            yield Constraint(Kind.NAME, name, stems)
    heads = _heads(text)
    known = {str(value) for kind, value in read_question(text).terms if kind == "stem"}
    for word in facts.word_tokens(facts.fold_text(text)):
        found = facts.stem(word)
        if found in taken or found not in known:
            continue
        taken.add(found)
        kind = Kind.HEAD if found in heads else Kind.WORD
        yield Constraint(kind, word, frozenset((found,)))


def _names(text: str) -> list[str]:
    """The names, with the first word of the question if the first of them goes on after it."""
    if text.isupper():
        return []
    first, _, after = text.strip().partition(" ")
    names = [name for name in question_names(text) if not _is_no_name(name)]
    opens = not is_small(first) and first[:1].isupper() and not first.lower().startswith("wh")
    if opens and names and after.startswith(names[0]):
        names[0] = f"{first} {names[0]}"  # "Anna Berg lives where?"
    return names


def _is_no_name(name: str) -> bool:
    return name.lower() in NO_NAMES or not any(c.isalpha() for c in name)


def _heads(text: str) -> set[str]:
    """The stems of the noun that is asked for, and of the nouns behind "the"."""
    found = [match[1] or match[2] for match in _ASKED_NOUN.finditer(text)]
    found += [match[1] for match in _SUBJECT.finditer(text)]
    found += [match[1] for match in DEFINITE_NOUN.finditer(text)]
    heads = set[str]()
    for phrase in found:
        words = [facts.fold_text(word) for word in phrase.split()]
        nouns = [word for word in words if word not in _KIND_WORDS and not is_small(word)]
        heads |= {facts.stem(word) for word in nouns[-1:]}
    return heads
