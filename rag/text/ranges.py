"""Finds ranges in texts and questions: "from 6 to 12 years", "under 4", "2-5 kg", "65 and over".

A question about a child of eight is answered by the line for those from 6 to 12, and not by the one
for those over 12. Ages have the dimension "age", also without a unit in a text about people; other
ranges need a unit, of which `rag.text.units_of_measure` knows the dimension. English only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from rag.text import facts
from rag.text.quantities import SMALL_NUMBERS, find_numbers

_AGE = "age"
_HIGH = r"\d{1,6}(?:\.\d{1,3})?"
_N = rf"(?<![\w.,:/-]){_HIGH}"
_AGE_OF = r"(?:the age of )?"
#: the unit behind a number, up to the second end of the range
_UNIT = r"(?:\s?[a-z%€°]{1,10}){0,2}?"
_END = r"(?![\w/]|[.,:]\d)"
#: ranges with both ends, and those with one; a round bracket is an end that is not in the range
_FORMS = tuple(
    (re.compile(pattern), ends)
    for pattern, ends in (
        (rf"(?P<low>{_N}){_UNIT}\s?(?:-|to|and|until)\s?(?P<high>{_HIGH}){_END}", "[]"),
        (rf"(?P<low>{_N})\s?(?:\+|{_UNIT}\s(?:and|or) (?:over|older|above|more|up)\b)", "["),
        (rf"(?P<high>{_N}){_UNIT}\s(?:and|or) (?:under|younger|below|less|fewer)\b", "]"),
        (rf"\b(?:under|below|(?:young|few)er than|less than) {_AGE_OF}(?P<high>{_N}){_END}", ")"),
        (rf"\b(?:up to|at most|(?:no|not) more than|maximum of) (?P<high>{_N}){_END}", "]"),
        (rf"\b(?:over|above|older than|more than) {_AGE_OF}(?P<low>{_N}){_END}", "("),
        (rf"\b(?:at least|from|minimum of) {_AGE_OF}(?P<low>{_N}){_END}", "["),
    )
)
_ABOUT_PEOPLE = re.compile(
    r"\b(?:child(?:ren)?|kids?|adults?|aged?|ages|years?|toddlers?|babies|infants?|teenagers?|"
    r"youths?|juniors?|seniors?|pensioners?|students?|pupils?|persons?|people|boys?|girls?|"
    r"someone|anyone|members?|visitors?|patients?)\b"
)
_ASKED_AGE = re.compile(
    r"(?<![\w.])(\d{1,3})[ -]years?[ -]olds?\b|\baged? (\d{1,3})\b|"
    r"\b(?:child|boy|girl|son|daughter|kid|toddler|teenager|pupil|pensioner)s? of (\d{1,3})\b|"
    r"\b(?:i am|i'm|s?he is|who is) (\d{1,3})(?=[,.?]|$| years?\b| and\b)"
)
#: what a question says of a range, beside stop words
_PHRASE = re.compile(
    rf"(?i)(?<![\w.])(?:\d{{1,6}}|{'|'.join(SMALL_NUMBERS)})"
    r"(?:[ -](?:years?|[kcm]?m|k?g|m?l))?(?:[ -]olds?)?\b"
)
_WORD = re.compile(rf"\b(?:{'|'.join(SMALL_NUMBERS)})\b")
_A_LITTLE = 1e-6


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from `low` to `high`, both among them, in the base unit of the dimension."""

    low: float
    high: float
    dimension: str

    def has(self, other: Range) -> bool:
        """Is the other one, of the same dimension, wholly within this one?"""
        return self.dimension == other.dimension and (
            self.low <= other.low and other.high <= self.high
        )

    def is_apart(self, other: Range) -> bool:
        """Have the two, of the same dimension, no number in common?"""
        return self.high < other.low or other.high < self.low


def asked_range(question: str) -> Range | None:
    """Return the age, or the only range, that a question asks about; None for none."""
    folded = _in_digits(facts.fold_text(question))
    if age := _ASKED_AGE.search(folded):
        value = float(next(filter(None, age.groups())))
        return Range(value, value, _AGE)
    found = find_ranges(question)
    return found[0] if len(found) == 1 else None


def without_range(question: str) -> str:
    """Return a question without the numbers of the range that it asks about."""
    return _PHRASE.sub(" ", question) if asked_range(question) else question


def is_in_range(question: str, text: str) -> bool:
    """Tell whether a text has a range that holds all that the question asks about."""
    asked = asked_range(question)
    return asked is not None and any(one.has(asked) for one in find_ranges(text))


def is_in_other_range(question: str, text: str) -> bool:
    """Tell whether a text has ranges of the dimension asked about, all apart from the asked one."""
    asked = asked_range(question)
    if asked is None:
        return False
    own = [one for one in find_ranges(text) if one.dimension == asked.dimension]
    return bool(own) and all(one.is_apart(asked) for one in own)


@lru_cache(maxsize=1024)
def find_ranges(text: str) -> tuple[Range, ...]:
    """Return the ranges of a text of which the dimension is known, each once."""
    rest = _in_digits(facts.fold_text(facts.find_dates(text)[1]).replace("–", "-"))
    about_people = bool(_ABOUT_PEOPLE.search(rest))
    found = dict[Range, None]()
    for pattern, ends in _FORMS:
        for match in pattern.finditer(rest):
            if made := _range(match, ends, rest, about_people):
                found[made] = None
        rest = pattern.sub(" ", rest)
    return tuple(found)


def _range(match: re.Match[str], ends: str, text: str, about_people: bool) -> Range | None:
    given = {name: value for name, value in match.groupdict().items() if value}
    last = "high" if "high" in given else "low"
    with_unit = find_numbers(text[match.start(last) : match.end(last) + 12])
    dimension = with_unit[0].dimension if with_unit else ""
    factor = 1.0
    if dimension == "months" or (not dimension and about_people):
        dimension = _AGE if about_people else ""
    elif dimension and with_unit[0].values:
        factor = max(with_unit[0].base_values) / (max(with_unit[0].values) or 1.0)
    if not dimension:
        return None
    low = float(given["low"]) * factor if "low" in given else -math.inf
    high = float(given["high"]) * factor if "high" in given else math.inf
    low += _A_LITTLE * ("(" in ends)
    high -= _A_LITTLE * (")" in ends)
    return Range(low, high, dimension) if low <= high else None


def _in_digits(folded: str) -> str:
    return _WORD.sub(lambda match: str(SMALL_NUMBERS[match[0]]), folded)
