"""Finds numbers with units and compares them in one unit: 12.4 km is 12,400 m, 2 kg is 2,000 g.

A number without a known unit is compared by its value alone. Clock times are minutes after
midnight: 14:30 is 2:30 pm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text import facts

#: (dimension, factor to its base unit, names)
_UNITS = (
    ("length", 0.001, "mm millimetre millimetres millimeter millimeters"),
    ("length", 0.01, "cm centimetre centimetres centimeter centimeters"),
    ("length", 1.0, "m metre metres meter meters"),
    ("length", 1000.0, "km kilometre kilometres kilometer kilometers"),
    ("length", 1609.344, "mi mile miles"),
    ("length", 0.3048, "ft foot feet"),
    ("length", 0.0254, "inch inches"),
    ("mass", 0.001, "mg milligram milligrams"),
    ("mass", 1.0, "g gram grams gramme grammes"),
    ("mass", 1000.0, "kg kilo kilos kilogram kilograms"),
    ("mass", 1e6, "t tonne tonnes"),
    ("mass", 453.592, "lb lbs pound pounds"),
    ("volume", 0.001, "ml millilitre millilitres milliliter milliliters"),
    ("volume", 1.0, "l litre litres liter liters"),
    ("time", 1.0, "s sec second seconds"),
    ("time", 60.0, "min mins minute minutes"),
    ("time", 3600.0, "h hr hrs hour hours"),
    ("time", 86400.0, "d day days"),
    ("time", 604800.0, "week weeks"),
)
_UNIT = {name: (kind, factor) for kind, factor, names in _UNITS for name in names.split()}
_AFTER = re.compile(r"\s?-?([A-Za-z]{1,12})\b")
_CLOCK = re.compile(
    r"(?<![\w:.])(?:(\d{1,2})[:.h](\d{2})(?:\s?([ap])\.?m\b\.?)?|(\d{1,2})\s?([ap])\.?m\b\.?)(?![:\d])",
    re.I,
)
_TOLERANCE = 0.006  # relative; a converted number is often rounded


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in its base unit. `dimension` is "" for a number without a known unit."""

    values: frozenset[float]
    dimension: str
    shown: str

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both may be the same: of one dimension, or one of them has none."""
        if self.dimension and other.dimension and self.dimension != other.dimension:
            return False
        exact = not self.dimension or not other.dimension
        tolerance = 1e-9 if exact else _TOLERANCE
        return any(
            abs(a - b) <= tolerance * max(abs(a), abs(b)) for a in self.values for b in other.values
        )


def find_quantities(text: str) -> list[Quantity]:
    """Return the clock times and numbers of a text; remove dates first (`facts.find_dates`)."""
    found = []
    for match in _CLOCK.finditer(text):
        minutes = _minutes(match)
        if minutes is not None:
            found.append(Quantity(frozenset((float(minutes),)), "clock", match[0].strip()))
    rest = _CLOCK.sub(lambda m: " " * len(m[0]) if _minutes(m) is not None else m[0], text)
    at = 0
    for number in facts.find_numbers(rest):
        unit, shown = None, number.shown
        place = rest.find(shown, at)
        # numbers in words come last and are shown in digits: they have no place
        at = place + len(shown) if place >= 0 else len(rest)
        if after := _AFTER.match(rest, at):
            unit = _UNIT.get(after[1].lower())
            shown = rest[place : after.end()] if unit else shown
        kind, factor = unit or ("percent" if number.percent else "", 1.0)
        found.append(Quantity(frozenset(v * factor for v in number.values), kind, shown))
    return found


def _minutes(match: re.Match[str]) -> int | None:
    """Minutes after midnight, or None if a match of `_CLOCK` is no time ("4.75")."""
    hour, minute, half, bare_hour, bare_half = match.groups()
    if "." in match[0].rstrip(".") and not half and not bare_half:
        return None
    h, m, part = int(hour or bare_hour), int(minute or 0), (half or bare_half or "").lower()
    if h > 24 or m > 59:
        return None
    if part == "p" and h < 12:
        h += 12
    if part == "a" and h == 12:
        h = 0
    return h * 60 + m
