"""Divides a question that asks two things: "who founded it and when", "how much are A and B".

What joins two questions is an "and" before a word that asks ("and when", "and how much is …"). An
"and" between two nouns, names or prepositions joins one question about two things; "Simon and
Garfunkel" looks the same, so such parts count only if each has an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answer.mentions import AUXILIARIES, PREPOSITIONS, QUESTION_WORDS

_MAX_PARTS = 4
_ASKS = rf"(?:{PREPOSITIONS} )?(?:{QUESTION_WORDS})\b"
#: between two questions
_JOINED = re.compile(
    rf",? and (?:also )?(?={_ASKS})|,? and (?={AUXILIARIES} (?!not\b)[\w'’-]+)|"
    rf"\? (?:and )?(?={_ASKS}|{AUXILIARIES}\b)",
    re.I,
)
_BOTH_WORDS = re.compile(rf"({_ASKS})(?:,? and )({_ASKS})\s+(.+)", re.I)
_OPENS = re.compile(rf"(?:{_ASKS})|(?:tell|give|show) me\b|name\b", re.I)
#: a question that compares or adds what it names has one answer
_COMPARES = re.compile(
    r"\b(?:between|both|differ\w*|compar\w*|sum|total|together|altogether|combined|average|more|"
    r"less|than|or|either|same|common|relat\w*|versus|vs|\w+er and \w+er)\b",
    re.I,
)
_WORD = r"[\w'’.-]+"
_NOUN = rf"(?!(?:{PREPOSITIONS}|{AUXILIARIES}|and|or|an?|the)\b){_WORD}"
_ONE = rf"(?:(?:the|an?) )?{_NOUN}"
_OWNED = rf"{_NOUN}(?: {_NOUN})? {PREPOSITIONS} {_ONE}(?: {_NOUN})?"
_NAME = r"[A-Z\d][\w'’.-]*(?: [A-Z\d][\w'’.-]*){0,4}"
#: things in one question that are asked for one by one
_PAIRS = (
    # "for adults and for children"
    re.compile(
        rf"\b(?P<one>(?P<word>{PREPOSITIONS}) {_ONE}(?: {_WORD}){{0,5}}?) and "
        rf"(?P<other>(?P=word) {_ONE}(?: {_WORD}){{0,5}})(?=[\s?.!]*$)",
        re.I,
    ),
    # "the rent of flat A and the deposit of flat B"
    re.compile(
        rf"\b(?P<one>(?P<word>the|an?) {_OWNED}) and (?P<other>(?P=word) {_OWNED})(?=[\s?.!,]|$)",
        re.I,
    ),
    # "the rent and the deposit", "a service and a tyre change"
    re.compile(
        rf"\b(?P<one>(?P<word>the|an?|my|our|his|her|their) {_NOUN}(?: {_NOUN}){{0,2}}) and "
        rf"(?P<other>(?P=word) {_NOUN}(?: {_NOUN}){{0,2}})(?=[\s?.!,]|$)",
        re.I,
    ),
    # "the phone number and address of"
    re.compile(
        rf"(?P<before>\bthe )(?P<one>{_NOUN}(?: {_NOUN})?) and (?P<other>{_NOUN}(?: {_NOUN})?)"
        r"(?= (?:of|for|in|at)\b)",
        re.I,
    ),
    # "flat A and flat B"
    re.compile(rf"\b(?P<one>(?P<word>[a-z]\w{{1,30}}) {_NAME}) and (?P<other>(?P=word) {_NAME})"),
    # "Anna Berg and Karl Ott"
    re.compile(rf"\b(?P<one>{_NAME}) and (?P<other>{_NAME})"),
)
_PLURAL_VERBS = {"are": "is", "were": "was", "do": "does", "have": "has"}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a question.

    `things` are what one question asks about, one by one. Without them each part asks with a word
    of its own.
    """

    questions: tuple[str, ...]
    things: tuple[str, ...] = ()


def parts_of_question(question: str) -> Parts | None:
    """Return the parts of a question; None if it asks one thing."""
    text = " ".join(question.split()).rstrip(" ?!.")
    if not _OPENS.match(text):
        return None
    if both := _BOTH_WORDS.fullmatch(text):
        return Parts(tuple(f"{_capital(word)} {both[3]}?" for word in both.group(1, 2)))
    questions = _divided(text)
    if len(questions) > 1:
        return Parts(tuple(f"{_capital(part)}?" for part in questions))
    if _COMPARES.search(text):
        return None
    for pattern in _PAIRS:
        if match := pattern.search(text):
            return _one_by_one(text, match)
    return None


def _divided(text: str) -> list[str]:
    found, start = list[str](), 0
    for match in _JOINED.finditer(text):
        if len(found) == _MAX_PARTS - 1:
            break
        if len(text[start : match.start()].split()) < 2:
            continue
        found.append(text[start : match.start()].rstrip(" ?,"))
        start = match.end()
    return [*found, text[start:]]


def _capital(part: str) -> str:
    return part[:1].upper() + part[1:]


def _one_by_one(text: str, match: re.Match[str]) -> Parts:
    things = match.group("one", "other")
    before, after = _singular(text[: match.start("one")]), text[match.end("other") :]
    return Parts(tuple(f"{before}{thing}{after}?" for thing in things), things)


def _singular(text: str) -> str:
    """The beginning of a question about two things, as it is asked of one of them."""
    match = re.search(rf"\b({'|'.join(_PLURAL_VERBS)})\b", text)
    if match is None:
        return text
    return text[: match.start()] + _PLURAL_VERBS[match[1]] + text[match.end() :]
