"""Shows a value as a spreadsheet does: by the number format of its cell.

The part of the format language that sheets use: sections for positive, negative, zero and text with
conditions, digits 0 # ?, decimals, thousands, scaling by commas, percent, exponents, fractions,
literal text, currencies, and the parts of dates, times and elapsed times. Colours, widths and fills
are not shown. Names of months and days are English. A date format that the file leaves to the
system (Excel's short and long date) is shown as 2024-03-05. `General` shows ten digits, and whole
numbers in full.

A library was looked for: `ssf` (Apache 2) knows the whole language, was last released in 2020 and
brings seven packages.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from rag.ingest.formats.format_code import Section, literal, sections_of
from rag.ingest.formats.format_dates import show_moment
from rag.ingest.formats.format_digits import MAX_DIGITS, show_digits


def format_value(value: object, code: str | None) -> str:
    """Return a value of a cell with the number format `code` as it is shown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    sections = sections_of(code or "General")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time | datetime.timedelta):
        return show_moment(value, code or "", sections[0])
    if isinstance(value, int | float):
        return _show_number(value, sections)
    return _show_text(str(value), sections)


def _show_text(text: str, sections: Sequence[Section]) -> str:
    section = sections[3] if len(sections) > 3 else sections[-1]
    if not any(token == ("sign", "@") for token in section.tokens):
        return text
    shown = (
        text if token == ("sign", "@") else literal(token[1]) if token[0] == "text" else token[1]
        for token in section.tokens
    )
    return "".join(shown).strip()


# -- numbers


def _show_number(value: float, sections: Sequence[Section]) -> str:
    section, shows_sign = _section_of(value, sections[:3])
    if section.is_date or section.has("general") or value != value:
        return _surrounded(section, _general(value)) if section.has("general") else _general(value)
    if not section.has("digits"):
        if section.has("sign"):
            return _general(value)
        shown = "".join(literal(text) if kind == "text" else text for kind, text in section.tokens)
        return shown.strip() or ("" if section.tokens or len(sections) > 1 else _general(value))
    minus = "-" if value < 0 and shows_sign else ""
    try:
        shown = show_digits(abs(Decimal(repr(value))), section)
    except (InvalidOperation, ValueError, OverflowError):
        return _general(value)
    if minus and not re.search(r"[1-9]", shown):
        minus = ""
    return (minus + shown).strip()


def _section_of(value: float, sections: Sequence[Section]) -> tuple[Section, bool]:
    """Return the section for a value, and whether a minus is to be set before it."""
    conditional = [section for section in sections if section.condition]
    for section in conditional:
        assert section.condition
        sign, bound = section.condition
        holds = {
            "<": value < bound,
            ">": value > bound,
            "=": value == bound,
            "<=": value <= bound,
            ">=": value >= bound,
            "<>": value != bound,
        }
        if holds[sign]:
            return section, not (value < 0 and sign in ("<", "<=") and bound <= 0)
    if conditional:
        return sections[-1], True
    if value < 0 and len(sections) > 1:
        return sections[1], False
    return (sections[2], True) if value == 0 and len(sections) > 2 else (sections[0], True)


def _general(value: float) -> str:
    """Return a number without a format: ten digits, whole numbers in full."""
    if isinstance(value, int) or (value == value and abs(value) < 1e15 and value == int(value)):
        return str(int(value)) if abs(value) < 10**MAX_DIGITS else f"{Decimal(value):.9E}"
    shown = f"{value:.10g}"
    if "e" in shown and 1e-10 < abs(value) < 1e15:
        shown = f"{Decimal(shown):f}"
    return shown.replace("e+", "E+").replace("e-", "E-")


def _surrounded(section: Section, shown: str) -> str:
    return "".join(
        shown if kind == "general" else literal(text) if kind == "text" else text
        for kind, text in section.tokens
    ).strip()
