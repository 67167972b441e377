"""Finds the quantities of a text: numbers in digits or words, with their units, and clock times.

Values are normalised so that different spellings are equal: 5,000 = 5 000 = five thousand;
12 % = 12 percent; 12.4 km = 12,400 m; 14:30 = 2:30 pm; 1,5 Mio. = 1.5 million. Spelled-out numbers
are read by `text2num`; English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.domain import Span
from rag.text.sentences import bounded
from rag.text.units_of_measure import find_unit

SMALL_NUMBERS = {
    w: n
    for n, w in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
}
_AS_WORD = {str(n): word for word, n in SMALL_NUMBERS.items()}
_SMALL_WORD = re.compile(rf"\b({'|'.join(SMALL_NUMBERS)})( and a half)?\b", re.I)
_LARGE_WORD = re.compile(
    r"\b(?:hundred|thousand|million|billion|trillion|\w+teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b",
    re.I,
)
#: Characters given to `text2num` at once. Its time grows with their square.
_MAX_TEXT2NUM_CHARS = 1000
_SCALE = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bn": 1e9,
}
_SCALE |= {"trillion": 1e12, "tn": 1e12, "mio": 1e6, "mln": 1e6, "mrd": 1e9}
_SCALE |= {"lakh": 1e5, "crore": 1e7}
_NUMBER = re.compile(
    r"(?<![\w.])([-−]?)"
    r"(\d{1,3}(?:[,\u00a0\u202f\u2009 '’]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)*)"
    r"(?:[\s-]?(hundred|thousand|million|billion|trillion|lakh|crore|bn|mn|tn|mio|mrd|mln)\b|"
    r"([km])\b(?!/|-))?"
    r"(?:(?:st|nd|rd|th)\b|\s?(%|per\s?cent\b))?",
    re.I,
)
#: a time of day: 14:30, 9:05 am, 9.30 p.m., 7 pm, 17.00 Uhr
_CLOCK = re.compile(
    r"(?<![\w:.,])(?:([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s?([ap])\.?m\b\.?)?|"
    r"(0?[1-9]|1[0-2])(?:[.:]([0-5]\d))?\s?([ap])\.?m\b\.?|"
    r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?\s?Uhr\b)",
    re.I,
)
_SIGNIFICANT_DIGITS = 9  #: in which two values of one dimension have to be equal


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity. `values` are all ways to read its digits (1.200 is 1.2 and 1200).

    `dimension` is that of its unit ("length", "euro", "clock"), "" if it has none; `base_values`
    are the values in the base unit of the dimension, with nine significant digits.
    """

    values: frozenset[float]
    percent: bool
    shown: str
    dimension: str = ""
    base_values: frozenset[float] = frozenset()

    def agrees(self, other: Number) -> bool:
        """Tell whether `other` supports this number.

        If both have a unit, it must be of one dimension and the value in it the same. Otherwise
        `other` must be a percentage if this is one. It must be negative if this is negative.
        """
        if self.dimension and other.dimension:
            same_dimension = self.dimension == other.dimension
            return same_dimension and _supports(other.base_values, self.base_values)
        return _supports(other.values, self.values) and (other.percent or not self.percent)


def _supports(known: frozenset[float], values: frozenset[float]) -> bool:
    return any(v in known or (v > 0 and -v in known) for v in values)


def find_numbers(text: str) -> list[Number]:
    """Return the quantities of `text` in digits or in words. Remove dates first (`find_dates`)."""
    text = _SMALL_WORD.sub(lambda m: f"{SMALL_NUMBERS[m[1].lower()]}.5" if m[2] else m[0], text)
    numbers, spans = list[Number](), list[tuple[int, int]]()
    for match in _CLOCK.finditer(text):
        numbers.append(_clock_time(match))
        spans.append(match.span())
    text, spans = blank_out(text, spans), []
    for match in _NUMBER.finditer(text):
        number = _number(match)
        if number:
            numbers.append(number)
            spans.append(match.span())
    return numbers + _spelled_numbers(blank_out(text, spans))


def _spelled_numbers(text: str) -> list[Number]:
    """Return the quantities of a text without digits: "five thousand", "twelve percent"."""
    text = re.sub(r"(?<=[^\W\d_]),(?=[^\W\d_])", ", ", text)  # "three,ten" is not 3.10
    if _LARGE_WORD.search(text):
        from text_to_num import alpha2digit

        text = re.sub(r"(?i)\b(?:hundred|thousand|million|billion)s\b", "many", text)
        parts = (part.of(text) for part in bounded(text, Span(0, len(text)), _MAX_TEXT2NUM_CHARS))
        text = "".join(
            alpha2digit(part, "en") if _LARGE_WORD.search(part) else part for part in parts
        )
    text = _SMALL_WORD.sub(lambda m: str(SMALL_NUMBERS[m[1].lower()]), text)
    numbers = [number for match in _NUMBER.finditer(text) if (number := _number(match))]
    return [replace(number, shown=_AS_WORD.get(number.shown, number.shown)) for number in numbers]


def _clock_time(match: re.Match[str]) -> Number:
    """Return the time of day of a match of `_CLOCK`, in minutes since midnight.

    "2:30" without am or pm may be either, unless it is written 02:30.
    """
    hour_text = match[1] or match[4] or match[7]
    hour, minute = int(hour_text), int(match[2] or match[5] or match[8] or 0)
    half = (match[3] or match[6] or "").lower()
    if half:
        hours = {hour % 12 + 12 * (half == "p")} if hour <= 12 else {hour}
    else:
        hours = {hour, hour + 12} if hour < 12 and not hour_text.startswith("0") else {hour % 24}
    minutes = frozenset(float(60 * h + minute) for h in hours)
    return Number(minutes, False, match.group().strip(), "clock", minutes)


def _number(match: re.Match[str]) -> Number | None:
    """Return the quantity of a match of `_NUMBER`, or None if its digits are grouped like none."""
    sign, digits, scale, letter, percent = match.groups()
    readings = _readings(re.sub(r"[\u00a0\u202f\u2009 '’]", "", digits))
    if not readings:
        return None
    factor = _SCALE[(scale or letter).lower()] if scale or letter else 1.0
    values = {(-reading if sign else reading) * factor for reading in readings}
    dimension, unit = ("", 1.0) if percent else find_unit(match.string, match.start(), match.end())
    if letter in ("m", "M") and not dimension:  # 5m: metres or millions
        values |= {-reading if sign else reading for reading in readings}
    return Number(
        frozenset(values),
        bool(percent),
        match.group().strip(),
        dimension,
        frozenset(_rounded(value * unit) for value in values) if dimension else frozenset(),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def _readings(digits: str) -> set[float]:
    """Return the values of digits with points and commas, which may group or be decimal."""
    readings = set[float]()
    if re.fullmatch(r"(?!0)\d{1,3}(,\d{3})+(\.\d+)?", digits):
        readings.add(float(digits.replace(",", "")))
    elif re.fullmatch(r"(?!0)\d{1,3}(\.\d{3})+", digits):
        readings.add(float(digits.replace(".", "")))
        if digits.count(".") == 1:
            readings.add(float(digits))
    elif re.fullmatch(r"\d+(\.\d+)?", digits):
        readings.add(float(digits))
    elif re.fullmatch(r"\d+,\d+", digits):  # 0,75 is less than one
        readings.add(float(digits.replace(",", ".")))
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+", digits):
        readings.add(float(digits.replace(".", "").replace(",", ".")))
    return readings


def blank_out(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text` with blanks in place of `spans`, which are in order and do not overlap."""
    parts, at = list[str](), 0
    for start, end in spans:
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join(parts) + text[at:]
