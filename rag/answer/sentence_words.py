"""Brings the words of sentences into one form, so that those of two sentences can be compared."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answer.word_kinds import is_number, one_form
from rag.text import facts, quantities

#: letters from which two words with the same beginning may be forms of one
_MIN_SAME_LETTERS = 4
#: what says nothing more than the number after it
_A_TOTAL = re.compile(r"\ba total of (?=\d)", re.I)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, folded; the stems of the content words outside dates; the dates."""

    tokens: tuple[str, ...]
    stems: tuple[str, ...]
    dates: tuple[facts.Date, ...]


@lru_cache(maxsize=256)
def words_of(text: str) -> Words:
    """Return the words of a text in the form in which they are compared."""
    dates, rest = facts.find_dates(_A_TOTAL.sub("", text))
    tokens = [one_form(token) for token in facts.word_tokens(facts.fold_text(rest))]
    stems = [facts.stem(token) for token in tokens if not facts.is_stop_word(token)]
    return Words(tuple(tokens), tuple(stems), tuple(dates))


def has_form(known: Sequence[str], stem: str) -> bool:
    """True if a stem is known, or one that begins like it: another form of the word.

    Always true for a number: numbers are compared by value (`has_values`).
    """
    if stem in known:
        return True
    if is_number(stem):
        return True
    least = max(_MIN_SAME_LETTERS, len(stem) - 3)
    return any(
        (len(other) >= least and other[:least] == stem[:least])
        or (other and stem.startswith(other) and 3 <= len(other) >= len(stem) - 2)
        for other in known
    )


def align(own: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """The position in `tokens` of each stem of `own` that is there, in the order of `own`.

    Of several positions the first one behind that of the stem before is taken, else the first.
    """
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(facts.stem(token), []).append(place)
    aligned = list[int]()
    for stem in own:
        if found := places.get(stem):
            last = aligned[-1] if aligned else -1
            index = bisect_right(found, last)
            aligned.append(found[index] if index < len(found) else found[0])
    return aligned


def has_values(text: str, other: str) -> bool:
    """True if all dates and numbers of `text` are in `other`."""
    dates, rest = facts.find_dates(text)
    known_dates, known_rest = facts.find_dates(other)
    known_numbers = quantities.find_numbers(known_rest)
    return all(any(d.agrees(known) for known in known_dates) for d in dates) and all(
        any(n.agrees(known) or known.agrees(n) for known in known_numbers)
        for n in quantities.find_numbers(rest)
    )
