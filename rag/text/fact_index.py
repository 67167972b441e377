"""Indexes of the numbers, dates and words of a text: does one of them agree with a given one?

A claim may have thousands of numbers, and a passage too. Comparing all pairs would be quadratic, so
every question is answered by a few look-ups in sets. The answers are those of `Number.agrees`,
`Date.agrees` and `one_letter_apart`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from rag.text.facts import Date, one_letter_apart
from rag.text.quantities import Number

#: Letters of a word that may differ in one letter. A shorter or longer word must be equal.
_MIN_LETTERS, _MAX_LETTERS = 6, 64
#: A placeholder for any one letter. No word contains it.
_WILDCARD = "\0"


class NumberIndex:
    """Index of the quantities of a text."""

    def __init__(self, numbers: Iterable[Number]) -> None:
        self._all, self._without_unit = _Values(), _Values()
        self._base_values = set[tuple[str, float]]()  # dimension and value
        self._supporting_base_values = set[tuple[str, float]]()
        for number in numbers:
            self._all.add(number)
            if not number.dimension:
                self._without_unit.add(number)
            for value in number.base_values:
                self._base_values.add((number.dimension, value))
                self._supporting_base_values.add((number.dimension, value))
                if value > 0:
                    self._supporting_base_values.add((number.dimension, -value))

    def bear_out(self, number: Number) -> bool:
        """Tell whether `number` agrees with a number of the text."""
        if number.dimension:
            return self._without_unit.bear_out(number) or any(
                (number.dimension, v) in self._base_values
                or (v > 0 and (number.dimension, -v) in self._base_values)
                for v in number.base_values
            )
        return self._all.bear_out(number)

    def rest_on(self, number: Number) -> bool:
        """Tell whether a number of the text agrees with `number`."""
        if number.dimension:
            return self._without_unit.rest_on(number) or any(
                (number.dimension, v) in self._supporting_base_values for v in number.base_values
            )
        return self._all.rest_on(number)


class _Values:
    """The values of quantities, compared without regard to their units."""

    def __init__(self) -> None:
        self._values = set[float]()
        self._percentages = set[float]()
        # Values that another number must have for one of these to agree with it: as a percentage,
        # and as any number.
        self._supporting_percentages = set[float]()
        self._supporting = set[float]()

    def add(self, number: Number) -> None:
        supporting = {*number.values, *(-v for v in number.values if v > 0)}
        self._values |= number.values
        self._supporting_percentages |= supporting
        if number.percent:
            self._percentages |= number.values
        else:
            self._supporting |= supporting

    def bear_out(self, number: Number) -> bool:
        known = self._percentages if number.percent else self._values
        return any(v in known or (v > 0 and -v in known) for v in number.values)

    def rest_on(self, number: Number) -> bool:
        supporting = self._supporting_percentages if number.percent else self._supporting
        return not number.values.isdisjoint(supporting)


class DateIndex:
    """Index of the days, months and parts of dates of a text."""

    def __init__(self, dates: Iterable[Date]) -> None:
        self._known = set[tuple[int, int | None, int | None]]()  # month, year, day
        self._years = set[tuple[int, int | None]]()  # month, year
        self._days = set[tuple[int, int | None]]()  # month, day
        self._months = set[int]()
        for date in dates:
            self._known.add((date.month, date.year, date.day))
            self._years.add((date.month, date.year))
            self._days.add((date.month, date.day))
            self._months.add(date.month)

    def agree(self, date: Date) -> bool:
        """Tell whether a date of the text agrees with `date`."""
        if date.year is None and date.day is None:
            return date.month in self._months
        if date.day is None:
            return any((date.month, year) in self._years for year in (date.year, None))
        if date.year is None:
            return any((date.month, day) in self._days for day in (date.day, None))
        return any(
            (date.month, year, day) in self._known
            for year in (date.year, None)
            for day in (date.day, None)
        )


class WordIndex:
    """Index of the words, or stems, of a text. Words with a wildcard are added at first need."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._masked: frozenset[str] | None = None

    def has(self, word: str) -> bool:
        """Tell whether the text has the word, or one that is one letter apart (Sergei, Sergey).

        One letter may differ in words of 6 to 64 letters.
        """
        if word in self._words:
            return True
        return _MIN_LETTERS <= len(word) <= _MAX_LETTERS and self._has_neighbour(word)

    def _has_neighbour(self, word: str) -> bool:
        """Tell whether one letter is other, extra, missing or exchanged with the next one."""
        if self._masked is None:
            self._masked = frozenset(
                other[:at] + _WILDCARD + other[at + 1 :]
                for other in self._words
                if _MIN_LETTERS - 1 <= len(other) <= _MAX_LETTERS + 1
                for at in range(len(other))
            )
        size, masked, words = len(word), self._masked, self._words
        return (
            any(word[:at] + _WILDCARD + word[at + 1 :] in masked for at in range(size))
            or any(word[:at] + _WILDCARD + word[at:] in masked for at in range(size + 1))
            or any(word[:at] + word[at + 1 :] in words for at in range(size))
            or any(
                word[:at] + word[at + 1] + word[at] + word[at + 2 :] in words
                for at in range(size - 1)
            )
        )


class NearWords:
    """The words of a text by what is left of them without one letter, for slips of the hand.

    Two words that are one letter apart are equal in that, so few words have to be compared. A word
    of more than 64 letters is near to none.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[str, list[str]] = {}
        for word in words:
            for left in _without_a_letter(word):
                self._words.setdefault(left, []).append(word)

    def of(self, word: str) -> Iterator[str]:
        """Yield the words one letter apart that have the same first letter."""
        for left in _without_a_letter(word):
            for other in self._words.get(left, ()):
                if other[:1] == word[:1] and one_letter_apart(other, word):
                    yield other


def _without_a_letter(word: str) -> set[str]:
    """Return a word, and what is left of it without each one of its letters."""
    if len(word) > _MAX_LETTERS:
        return set()
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
