"""Spells out days and months that a table abbreviates: "Sat" is Saturday, "Mon-Fri" five days."""

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
_MAX_LABEL = 60  #: characters of a label


@lru_cache(maxsize=4096)
def spelled_out(label: str) -> str:
    """Return a label with the names of its days or months behind it, if it has nothing else.

    >>> spelled_out("Sat, Sun")
    'Sat, Sun saturday sunday'
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
    return f"{label} {' '.join(dict.fromkeys(names))}"


def _between(first: str, last: str) -> list[str]:
    """The names after the first one up to the last one, round the week or year."""
    cycle = DAYS if first in DAYS else MONTHS
    if last not in cycle:
        return [last]
    start = cycle.index(first)
    count = (cycle.index(last) - start) % len(cycle)
    return [cycle[(start + step) % len(cycle)] for step in range(1, count + 1)]
