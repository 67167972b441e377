"""Parses a question: its words, names, numbers, dates and codes, and the kind of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rag.answer.mentions import labels_of, question_names
from rag.answer.spans import answer_kind
from rag.text import facts, quantities
from rag.text.labels import ORDINAL, ordinal_number, spelled_header
from rag.text.months import asked_months, find_months
from rag.text.ranges import Range, asked_range, find_ranges, without_range
from rag.text.sentences import split_sentences
from rag.text.synonyms import SYNONYMS

#: characters of the beginning that words of one family share ("compost", "composting")
_MIN_BEGINNING, _MAX_BEGINNING = 5, 20
#: words that ask and name nothing that a text would have
_ASKING = frozenset(
    facts.stem(word)
    for word in (
        "much many list name names tell give show please kind sort type called call find state "
        "mention mentioned exactly according happen happened happens one ones thing things "
        "document documents file files text note notes page article memo say says said"
    ).split()
)
#: a key of a ticket, a model, a section or an invoice
CODE = re.compile(
    r"(?<![\w.])(?:[A-Za-z]{1,8}[-_/]?\d[\w-]*(?:[./-]\d\w*)*|\d+(?:\.\d+){2,}|\d+-\d[\d-]*\w*)(?![\w])"
)
_LIST = re.compile(
    r"\b(?:list|name all|all (?:the |of )?\w+|which \w+s\b|what \w+s\b (?:are|do|does|did|were)|"
    r"who are|what are|what (?:should|do|must|can|shall) (?:i|we|you|one)|on (?:which|what) days|"
    r"what (?:should|must|shall) (?:the |my |our |all |each )?\w+ (?:\w+ )?"
    r"(?:bring|have|pack|wear|take)|"
    r"what (?:is|was) (?:needed|included|required)|which (?:of )?\w+ are)\b"
)
_PLURAL = re.compile(r"\b(?:which|what)\s+(?:\w+\s+){0,2}?(\w+s)\b")
#: words that ask to compare, order, count or add
_OPERATIONS = frozenset(
    "most least highest lowest largest smallest biggest longest shortest oldest newest youngest "
    "earliest latest first last next previous previously before after total sum average difference "
    "more less fewer than both either only top bottom rank ranked greatest fewest maximum minimum "
    "combined altogether consecutive same other another besides above below".split()
)
_YES_OR_NO = re.compile(
    r"\W*(?:is|are|was|were|do|does|did|can|could|may|must|should|has|have|had|will|would)\b"
)
#: asks how many there are; "the frame number of the bicycle" does not
COUNTS = re.compile(
    r"\b(?:how many|(?:total|whole|exact) number of|"
    r"number of (?!(?:the|this|that|my|our|your|his|her|its|their|an?)\b))"
)
_STEPS = re.compile(r"\b(?:how (?:do|can|should|to|does)|what (?:are the )?steps)\b")
#: the number of a section or step, or a day; and words of the questions that ask for one
_NUMBERED = re.compile(r"[(\[]?[\divx]{1,4}(?:[./:-]\d{1,4})*[.:)\]]?", re.I)
_ASKS_FOR_NUMBER = re.compile(
    r"\b(?:(?:section|clause|article|paragraph|rule|point|item|number|no|step|chapter|part|version|"
    r"release|day|date|page)s?|when|what time)\b",
    re.I,
)
_ORDINAL = re.compile(rf"\b({ORDINAL.pattern})\s+(\w+)")
#: stems of the names of columns of ranks
_RANKS = frozenset(facts.stem(w) for w in "place rank position pos no number nr prize".split())
#: an address that is no place
_MAIL_ADDRESS = re.compile(r"\b(e-?mail) address(?:es)?\b", re.I)

#: a word, number, date, month, code or range that the question names
Term = tuple[str, object]


class Month(NamedTuple):
    """A month that a question names."""

    number: int  #: 1..12
    stem: str  #: of its name


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What a text says, for comparison with the terms of a question."""

    stems: frozenset[str]
    beginnings: frozenset[str]  #: of the stems, `_MIN_BEGINNING` characters and more
    dates: tuple[facts.Date, ...]
    numbers: tuple[quantities.Number, ...]
    codes: frozenset[str]
    ranges: tuple[Range, ...] = ()
    months: frozenset[int] = frozenset()

    def has(self, term: Term) -> bool:
        """Does the text have this term?"""
        kind, value = term
        if kind == "stem":
            stem = str(value)
            return (
                stem in self.stems
                or not self.stems.isdisjoint(SYNONYMS.get(stem, ()))
                or stem in self.beginnings
                or any(
                    stem[:length] in self.stems
                    for length in range(_MIN_BEGINNING, min(len(stem), _MAX_BEGINNING))
                )
            )
        if kind == "code":
            return value in self.codes
        if kind == "month":
            return isinstance(value, Month) and (
                value.number in self.months or value.stem in self.stems
            )
        if kind == "range":
            return any(own.has(value) for own in self.ranges)  # type: ignore[arg-type]
        if kind == "date":
            return any(value.agrees(date) for date in self.dates)  # type: ignore[attr-defined]
        return any(value.agrees(number) for number in self.numbers)  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def facts_of(text: str) -> TextFacts:
    """Return the facts of a text."""
    dates, rest = facts.find_dates(text)
    codes = frozenset(fold_code(match[0]) for match in CODE.finditer(text))
    stems = frozenset(facts.content_stems(text))
    beginnings = frozenset(
        stem[:length]
        for stem in stems
        for length in range(_MIN_BEGINNING, min(len(stem), _MAX_BEGINNING))
    )
    numbers = tuple(quantities.find_numbers(rest))
    return TextFacts(
        stems, beginnings, tuple(dates), numbers, codes, find_ranges(text), find_months(text)
    )


def fold_code(code: str) -> str:
    """Return a code in the form that is compared: K-300, K300 and k_300 are the same."""
    return re.sub(r"[-_/\s]", "", code).lower()


def is_other_number(question: str, value: str) -> bool:
    """Tell whether a value is the number of a section, step or day, and none is asked for.

    "6.2" tells which section it is; it is no answer to "what is the late fee".
    """
    return bool(_NUMBERED.fullmatch(value.strip())) and not _ASKS_FOR_NUMBER.search(question)


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """The terms of a question, without the words that only ask."""

    question: str
    terms: tuple[Term, ...]
    kind: str  #: of the answer: "number", "date", "name" or ""
    names: tuple[frozenset[str], ...]  #: the stems of each name of several words

    @property
    def asks_for_list(self) -> bool:
        """Is more than one thing asked for?"""
        folded = facts.fold_text(self.question)
        return bool(_LIST.search(folded) or _PLURAL.search(folded))

    @property
    def operations(self) -> frozenset[str]:
        """The words of the question that ask to compare, order or add."""
        return _OPERATIONS.intersection(facts.word_tokens(facts.fold_text(self.question)))

    @property
    def asks_yes_or_no(self) -> bool:
        """Does the question begin with a verb ("is", "does", "can")?"""
        return bool(_YES_OR_NO.match(facts.fold_text(self.question)))

    @property
    def counts(self) -> bool:
        """Is it asked how many there are?"""
        return bool(COUNTS.search(facts.fold_text(self.question)))

    @property
    def asks_for_steps(self) -> bool:
        """Is it asked how something is done?"""
        return bool(_STEPS.search(facts.fold_text(self.question)))

    @property
    def asks_for_term(self) -> bool:
        """Is the name of something asked for ("what is the lid called")?"""
        folded = facts.fold_text(self.question)
        named = "called" in folded or "name" in folded.split()
        return named or folded.startswith(("which", "what is the", "what term", "what word"))

    @property
    def unnamed(self) -> frozenset[Term]:
        """The words that are part of no name of several words."""
        named = frozenset[object]().union(*self.names)
        return frozenset(t for t in self.terms if t[0] == "stem" and t[1] not in named)

    def with_ordinal(self, value: str, header: str) -> str:
        """Return a value that counts what its column is named after with its ordinal behind it.

        Asked for the third run, "3" in the column "run" is the third one.
        """
        if not value.isdigit():
            return value
        stems = frozenset(facts.content_stems(spelled_header(header)))
        for match in _ORDINAL.finditer(facts.fold_text(self.question)):
            if ordinal_number(match[1]) != int(value):
                continue
            if facts.stem(match[2]) in stems or stems & _RANKS:
                return f"{value} {match[1]}"
        return value

    def found(self, texts: Iterable[str]) -> frozenset[Term]:
        """Return the terms that any of `texts` has."""
        all_facts = [facts_of(text) for text in texts if text]
        return frozenset(t for t in self.terms if any(known.has(t) for known in all_facts))

    def share(self, found: Iterable[Term]) -> float:
        """Return the share of the question's weight that `found` has, 0..1."""
        total = sum(map(_weight, self.terms))
        return sum(map(_weight, found)) / total if total else 0.0


def _weight(term: Term) -> float:
    return 1.0 if term[0] == "stem" else 1.5


def read_question(question: str) -> QuestionTerms:
    """Return the terms of a question, which are looked up in tables, records and lists.

    `rag.answer.question.parse_question` gives the constraints on a sentence instead.
    """
    dates, rest = facts.find_dates(_MAIL_ADDRESS.sub(r"\1", without_range(question)))
    codes = [match[0] for match in CODE.finditer(rest)]
    for code in codes:
        rest = rest.replace(code, " ", 1)
    # a number in words mostly says how many things are asked for ("which two countries")
    numbers = [number for number in quantities.find_numbers(rest) if number.shown[:1].isdigit()]
    months = asked_months(rest)
    stems = [
        facts.stem(word)
        for word in facts.word_tokens(facts.fold_text(rest))
        if not facts.is_stop_word(word) and not word[0].isdigit() and word not in months
    ]
    lettered = [
        frozenset((noun, letter))
        for noun, letter in labels_of(rest)
        if letter.isalpha() and not facts.is_stop_word(letter)
    ]
    letters = {stem for name in lettered for stem in name if len(stem) == 1}
    terms: list[Term] = [
        ("stem", stem)
        for stem in dict.fromkeys(stems)
        if stem not in _ASKING and (len(stem) > 1 or stem in letters)
    ]
    terms += [("date", date) for date in dates] + [("number", number) for number in numbers]
    terms += [("code", fold_code(code)) for code in codes]
    terms += [("month", Month(number, facts.stem(word))) for word, number in months.items()]
    terms += [("range", asked) for asked in (asked_range(question),) if asked]
    return QuestionTerms(question, tuple(terms), _kind(question), (*_names(rest), *lettered))


def _kind(question: str) -> str:
    folded = facts.fold_text(question)
    if re.search(
        r"\bhow (?:much|old|long|far|heavy|high|tall|big|large|wide|deep|often|fast)\b", folded
    ):
        return "number"
    return answer_kind(question)


def _names(text: str) -> Sequence[frozenset[str]]:
    """The stems of the names of two words or more, other than at the beginning."""
    names = [frozenset(facts.content_stems(name)) for name in question_names(text)]
    return [name for name in names if len(name) > 1]


def without_questions(text: str) -> str:
    """Return a text without its questions: a name in a question is not the answer to it."""
    if "?" not in text:
        return text
    spans = [span for span in split_sentences(text) if not span.of(text).endswith("?")]
    return " ".join(span.of(text) for span in spans)


def is_given(value: str, found: frozenset[Term]) -> bool:
    """Tell whether the question gives `value`: a number, date or code of it, or half of its words.

    `found` are the terms of the question that `value` has.
    """
    known = facts_of(value)
    stems = {str(t[1]) for t in found if t[0] == "stem"}
    if any(t[0] != "stem" for t in found):
        return True
    return bool(known.stems) and 2 * len(known.stems & stems) >= len(known.stems)
