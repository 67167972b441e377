"""Spells out labels: "Sat" is Saturday, "Mon-Fri" five days, "dueDate" two words, "3rd" is 3."""

from __future__ import annotations

import re
from functools import lru_cache

DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = (
    "january february march april may june july august september october november december"
).split()
_SHORT = {name[:3]: name for name in (*DAYS, *MONTHS)}
_SHORT |= {"tues": "tuesday", "thur": "thursday", "thurs": "thursday", "sept": "september"}
_SHORT |= {name: name for name in (*DAYS, *MONTHS)}
_NAME = rf"(?:{'|'.join(sorted(_SHORT, key=len, reverse=True))})\.?"
_NAMES = re.compile(
    rf"\s{{0,3}}{_NAME}(?:\s{{0,3}}(?:[-\u2013/,&+]|to|and)\s{{0,3}}{_NAME}){{0,11}}\s{{0,3}}", re.I
)
_PAIR = re.compile(r"([a-z]+)\.?\s*([-\u2013]|to)?\s*", re.I)
ORDINAL = re.compile(
    r"\b(?:\d{1,3}(?:st|nd|rd|th)|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b",
    re.I,
)
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "second third fourth fifth sixth seventh eighth ninth tenth".split(), 2
    )
}
_MAX_LABEL = 60  #: characters of a label
#: between the words of a name that is written as one: dueDate, OD600, score2
_WITHIN_NAME = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_]{2})(?=\d)|(?<=\d)(?=[^\W\d_]{3})|_+")


def ordinal_number(word: str) -> int:
    """The number of an ordinal: 3 of "third" and of "3rd"."""
    folded = word.lower()
    return _ORDINALS.get(folded) or int(re.sub(r"\D", "", folded) or 0)


@lru_cache(maxsize=4096)
def spelled_out(label: str) -> str:
    """Return a label with the names of its days or months behind it, if it has nothing else.

    >>> spelled_out("Sat, Sun")
    'Sat, Sun Saturday Sunday'
    """
    if len(label) > _MAX_LABEL or not _NAMES.fullmatch(label):
        return label
    names = list[str]()
    ranged = False
    for match in _PAIR.finditer(label):
        name = _SHORT.get(match[1].lower())
        if name is None:  # "to", "and"
            ranged = match[1].lower() == "to"
            continue
        names += _between(names[-1], name) if ranged and names else [name]
        ranged = bool(match[2])
    return f"{label} {' '.join(name.capitalize() for name in dict.fromkeys(names))}"


@lru_cache(maxsize=4096)
def spelled_header(header: str) -> str:
    """Return the name of a column or field, with its single words behind it.

    >>> spelled_header("dueDate")
    'dueDate due Date'
    """
    spelled = spelled_out(header)
    words = _WITHIN_NAME.sub(" ", header[:_MAX_LABEL])
    return spelled if words == header[:_MAX_LABEL] else f"{spelled} {words}"


def _between(first: str, last: str) -> list[str]:
    """The names after the first one up to the last one, round the week or year."""
    cycle = DAYS if first in DAYS else MONTHS
    if last not in cycle:
        return [last]
    start = cycle.index(first)
    count = (cycle.index(last) - start) % len(cycle)
    return [cycle[(start + step) % len(cycle)] for step in range(1, count + 1)]
