"""Compares the time that an amount is asked for with the one that it is given for.

A price per night is no answer to "what does it cost per week", nor an hourly wage to one for the
monthly pay.
"""

from __future__ import annotations

import re

_RATES = {
    word: words[0]
    for words in (
        ("hour", "hourly", "hr", "h"),
        ("day", "daily", "d"),
        ("night", "nightly"),
        ("week", "weekly", "wk"),
        ("month", "monthly", "mo"),
        ("quarter", "quarterly"),
        ("year", "yearly", "annual", "annually", "annum", "yr"),
    )
    for word in words
}
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many)|prices?|costs?|fees?|fares?|rents?|rates?|salary|wages?|dues|pays?|"
    r"charges?)\b"
)
_RATE = re.compile(
    r"(?:\b(?:per|each|every|an?)\s|/\s?)"
    r"(hour|hr|h|day|d|night|week|wk|month|mo|quarter|year|annum|yr)\b|"
    r"\b(hourly|daily|nightly|weekly|monthly|quarterly|yearly|annual|annually)\b"
)


def is_other_rate(asked: str, text: str) -> bool:
    """Tell whether a folded question asks for an amount of another time than a text gives.

    Both name the time that the amount is for, and none is the same.
    """
    wanted = _rates(asked) if _AMOUNT.search(asked) else frozenset[str]()
    own = _rates(text) if wanted else wanted
    return bool(own) and wanted.isdisjoint(own)


def _rates(text: str) -> frozenset[str]:
    return frozenset(_RATES[match[1] or match[2]] for match in _RATE.finditer(text))
