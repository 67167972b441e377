"""Finds the months that a text names: April, Apr, 2023-04-12. English names only.

"May" and "March" are months in capitals or where they do not begin a sentence with a verb.
"""

from __future__ import annotations

import re

from rag.text import facts
from rag.text.labels import MONTHS

_NUMBERS = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
_NAME = re.compile(
    r"\b(?i:jan(?:uary)?|feb(?:ruary)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b|\b(?:MAY|MAR|MARCH)\b|"
    r"(?:(?<=[a-z\d,;|(/-]\s)|(?<=[|(/-]))(?:May|Mar(?:ch)?)\b|"
    r"\b(?:May|Mar(?:ch)?)\b(?P<verb>\s+(?:[a-z]|I\b))?"
)
#: a name of a column, whose months may be in lower case, and its length
_IN_LABEL, _MAX_LABEL = re.compile(r"\b(?:may|mar(?:ch)?)\b", re.I), 40
_SENTENCE_END = re.compile(r"[.?!]\W*$")
#: a person is called so: "June's phone", "Mar Lopez"
_OF_NAME = re.compile(r"['\u2019]s\b|\s+[A-Z][a-z]")


def find_months(text: str) -> frozenset[int]:
    """Return the numbers, 1..12, of the months that `text` names, alone or in a date."""
    dates, rest = facts.find_dates(text)
    is_sentence = _SENTENCE_END.search(text)
    named = {
        _NUMBERS[match[0][:3].lower()]
        for match in _NAME.finditer(rest)
        if not (match["verb"] and is_sentence)
    }
    if len(rest) <= _MAX_LABEL and not is_sentence:
        named.update(_NUMBERS[match[0][:3].lower()] for match in _IN_LABEL.finditer(rest))
    return frozenset(named.union(date.month for date in dates))


def asked_months(question: str) -> dict[str, int]:
    """Return the months that a question names, by the word, without those that are names of people.

    Dates are not looked at.
    """
    return {
        match[0].lower(): _NUMBERS[match[0][:3].lower()]
        for match in _NAME.finditer(question)
        if not match["verb"] and not _OF_NAME.match(question, match.end())
    }
