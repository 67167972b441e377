"""Finds the months that a text names: April, Apr, 2023-04-12. English names only.

"May" is a month where its capital cannot begin the sentence, or where no verb may follow.
"""

from __future__ import annotations

import re

from rag.text import facts

_NAMES = (
    "january february march april may june july august september october november december"
).split()
_NUMBERS = {name[:3]: number for number, name in enumerate(_NAMES, 1)}
_NAME = re.compile(
    r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Apr(?:il)?|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b|"
    r"(?:(?<=[a-z\d,;|(/-]\s)|(?<=[|(/-]))(?:May|Mar(?:ch)?)\b|\b(?:May|Mar(?:ch)?)\b(?!\s+[a-z]|\s+I\b)"
)


def find_months(text: str) -> frozenset[int]:
    """Return the numbers, 1..12, of the months that `text` names, alone or in a date."""
    dates, rest = facts.find_dates(text)
    named = {_NUMBERS[match[0][:3].lower()] for match in _NAME.finditer(rest)}
    return frozenset(named.union(date.month for date in dates))
