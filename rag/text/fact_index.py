"""The numbers, dates and words of a text, indexed: does one of them agree with this one?

A claim may hold thousands of numbers and so may a passage. Comparing each with each would be quadratic, so every question is
answered by a few look-ups in sets. The answers are those of `Number.agrees`, `Date.agrees` and `one_off`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rag.text.facts import Date, Number

_LEAST, _MOST = (
    6,
    64,
)  # letters of a word that may differ in one; a longer word must stand there as it is
_ANY = "\0"  # stands for any one letter; no word holds it


class NumberIndex:
    """The quantities of a text."""

    def __init__(self, numbers: Iterable[Number]) -> None:
        self._values = set[float]()
        self._percents = set[float]()
        self._asked, self._asked_bare = (
            set[float](),
            set[float](),
        )  # values that would agree with these numbers
        for number in numbers:
            borne = {*number.values, *(-v for v in number.values if v > 0)}
            self._values |= number.values
            self._asked |= borne
            if number.percent:
                self._percents |= number.values
            else:
                self._asked_bare |= borne

    def bear_out(self, number: Number) -> bool:
        """Does `number` agree with one of them?"""
        known = self._percents if number.percent else self._values
        return any(v in known or (v > 0 and -v in known) for v in number.values)

    def rest_on(self, number: Number) -> bool:
        """Does one of them agree with `number`?"""
        return not number.values.isdisjoint(self._asked if number.percent else self._asked_bare)


class DateIndex:
    """The days, months and parts of dates of a text."""

    def __init__(self, dates: Iterable[Date]) -> None:
        self._known = set[tuple[int, int | None, int | None]]()  # month, year, day
        self._years, self._days = (
            set[tuple[int, int | None]](),
            set[tuple[int, int | None]](),
        )  # with their months
        self._months = set[int]()
        for date in dates:
            self._known.add((date.month, date.year, date.day))
            self._years.add((date.month, date.year))
            self._days.add((date.month, date.day))
            self._months.add(date.month)

    def agree(self, date: Date) -> bool:
        """Does one of them agree with `date`?"""
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
    """Words, or their stems, of a text. The index of those that differ in one letter is made when it is first needed."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._masked: frozenset[str] | None = None

    def has(self, word: str) -> bool:
        """Is the word there, or for one of six letters or more another one that is `one_off` (Sergei, Sergey)?"""
        return word in self._words or (_LEAST <= len(word) <= _MOST and self._near(word))

    def _near(self, word: str) -> bool:
        if self._masked is None:
            some = [w for w in self._words if _LEAST - 1 <= len(w) <= _MOST + 1]
            self._masked = frozenset(
                w[:at] + _ANY + w[at + 1 :] for w in some for at in range(len(w))
            )
        size, masked = len(word), self._masked
        return (
            any(word[:at] + _ANY + word[at + 1 :] in masked for at in range(size))  # another letter
            or any(
                word[:at] + _ANY + word[at:] in masked for at in range(size + 1)
            )  # one letter more
            or any(
                word[:at] + word[at + 1 :] in self._words for at in range(size)
            )  # one letter less
            or any(
                word[:at] + word[at + 1] + word[at] + word[at + 2 :] in self._words
                for at in range(size - 1)
            )
        )
