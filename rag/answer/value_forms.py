"""Finds answers that cannot be the address, telephone number or time of day that is asked for.

An e-mail address has "@", a telephone number at least three digits, a page of the web a dot and no
blank, a time of day an hour or a word such as "noon". English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.text import facts
from rag.text.quantities import find_numbers

#: "what is … the e-mail of Anna", and not what is said in it, on the phone or about the page
_IS = (
    r"^\W*(?:(?:and|so) )?(?:what|which) (?:is|are|was|were) "
    r"(?:(?!\b(?:in|on|by|over|during|per|via|about|with|from)\b)[^?]){0,100}?\b"
)
_NAMED = r"(?=\W*$| (?:of|for)\b)"
_MAIL = re.compile(rf"{_IS}e-?mail(?: address(?:es)?)?{_NAMED}|\b(?:what|which) e-?mail address\b")
_PHONE = re.compile(
    rf"{_IS}(?:phone|telephone|mobile|cell|fax)(?: numbers?)?{_NAMED}|"
    r"\b(?:what|which) (?:phone|telephone|mobile|cell|fax) number\b"
)
_PAGE = re.compile(
    rf"{_IS}(?:website|web page|homepage|url|web address){_NAMED}|"
    r"\b(?:what|which) (?:url|web address)\b"
)
_CLOCK = re.compile(
    r"\b(?:what|which) time\b(?! (?:zone|of (?:the )?year|limit|period|frame|span))"
)
_HAS_PAGE = re.compile(r"(?i)\bhttps?:|\bwww\.|[a-z0-9-]\.[a-z]{2,}\b")
_MIN_PHONE_DIGITS = 3
_LAST_HOUR = 24
#: words for a time of day, or for one that follows from something else ("after the meal")
_DAYTIME = re.compile(
    r"\b(?:noon|midnight|midday|dawn|dusk|sunset|sunrise|mornings?|evenings?|afternoons?|nights?|"
    r"o.?clock|half past|quarter (?:past|to)|after|before|once|until|when|immediately|any time|"
    r"always|open|closed|all day|hours?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|lunch|breakfast|dinner|supper|tea)\b"
)


def is_other_form(question: str, around: str) -> bool:
    """Tell whether a text has no value of the form that a folded question asks for.

    False if the question asks for no such value.
    """
    return any(asked.search(question) and not has(around) for asked, has in _FORMS)


def _has_digits(text: str) -> bool:
    return sum(char.isdigit() for char in text) >= _MIN_PHONE_DIGITS


def _has_clock_time(text: str) -> bool:
    """Has a text a time of day, a bare number up to 24, or a word for a time?"""
    if _DAYTIME.search(facts.fold_text(text)):
        return True
    return any(
        number.dimension == "clock"
        or (not number.dimension and any(0 <= value <= _LAST_HOUR for value in number.values))
        for number in find_numbers(facts.find_dates(text)[1])
    )


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (_MAIL, lambda text: "@" in text or "(at)" in text),
    (_PHONE, _has_digits),
    (_PAGE, _HAS_PAGE.search),
    (_CLOCK, _has_clock_time),
)
