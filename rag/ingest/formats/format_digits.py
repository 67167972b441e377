"""Shows the digits of a number by a section of a number format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from rag.ingest.formats.format_code import Section, literal

#: digits of a number; more are shown as they are stored
MAX_DIGITS = 300
#: decimals that a format may ask for, as Excel allows
MAX_DECIMALS = 30
_CONTEXT = Context(prec=MAX_DIGITS + 2 * MAX_DECIMALS, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The parts of a section, by their places in it."""

    kinds: tuple[str, ...]  #: a sign or exponent itself, else the kind
    whole: tuple[int, ...]  #: digits before the decimal point
    decimals: tuple[int, ...]
    point: int
    power: int  #: place of the exponent
    shift: int  #: powers of ten by which the number is multiplied
    grouped: bool  #: with commas for thousands
    spread: bool  #: text stands between the digits, as in a telephone number
    least: int  #: digits before the point that are always shown
    pattern: str  #: of the decimals
    step: Decimal  #: 1 at the last decimal


@lru_cache(maxsize=1024)
def _plan_of(tokens: tuple[tuple[str, str], ...]) -> _Plan:
    kinds = tuple(text if kind in ("sign", "exponent") else kind for kind, text in tokens)
    places = [n for n, (kind, _) in enumerate(tokens) if kind == "digits"]
    point = kinds.index(".") if "." in kinds else len(tokens)
    power = next((n for n, (kind, _) in enumerate(tokens) if kind == "exponent"), len(tokens))
    whole = tuple(n for n in places if n < min(point, power))
    decimals = tuple(n for n in places if point < n < power)
    commas = sum(_commas_after(kinds, run[-1]) for run in (whole, decimals) if run)
    inner = kinds[whole[0] : whole[-1]] if whole else ()
    shape = "".join(tokens[n][1] for n in whole)
    pattern = "".join(tokens[n][1] for n in decimals)[:MAX_DECIMALS]
    return _Plan(
        kinds,
        whole,
        decimals,
        point,
        power,
        2 * kinds.count("%") - 3 * commas,
        "," in inner,
        "text" in inner or "other" in inner,
        len(shape.lstrip("#?")),
        pattern,
        Decimal(1).scaleb(-len(pattern)),
    )


def _commas_after(kinds: Sequence[str], place: int) -> int:
    """Return how many commas follow a place: each divides the number by 1000."""
    count = 0
    while place + 1 + count < len(kinds) and kinds[place + 1 + count] == ",":
        count += 1
    return count


def show_digits(value: Decimal, section: Section) -> str:
    """Return a number from 0 by a section with digits. Raises `ValueError` for too many."""
    tokens = section.tokens
    plan = _plan_of(tokens)
    if "/" in plan.kinds:
        return _show_fraction(value, tokens, plan.kinds.index("/"))
    value = value.scaleb(plan.shift, _CONTEXT) if plan.shift else value
    exponent = 0
    if plan.power < len(tokens) and value:
        width = max(1, sum(len(tokens[n][1]) for n in plan.whole))
        exponent = value.adjusted() // width * width
        value = value.scaleb(-exponent, _CONTEXT)
    number = f"{value.quantize(plan.step, context=_CONTEXT):f}"
    if len(number) > MAX_DIGITS:
        raise ValueError("a number of too many digits")
    digits, _, fraction = number.partition(".")
    keep = len(plan.pattern.rstrip("#?"))
    fraction = fraction[:keep] + fraction[keep:].rstrip("0")
    if plan.whole or fraction:
        digits = digits.lstrip("0")
    digits = digits.rjust(plan.least, "0")
    if plan.grouped and digits:
        digits = f"{int(digits):,}".rjust(plan.least, "0")
    return _set_in(tokens, plan, digits, fraction, exponent)


def _set_in(
    tokens: Sequence[tuple[str, str]], plan: _Plan, digits: str, fraction: str, exponent: int
) -> str:
    """Return the texts of a section with the digits in their places."""
    whole, out = plan.whole, list[str]()
    widths = [len(tokens[n][1]) for n in whole]
    pieces = iter(_spread(digits, widths) if plan.spread else [digits])
    for n, (kind, text) in enumerate(tokens):
        if kind == "text":
            out.append(literal(text))
        elif n in whole:
            out.append(next(pieces, ""))
        elif n == plan.point:
            out.append(("" if whole else digits) + ("." if fraction else ""))
        elif n in plan.decimals:
            out.append(fraction if n == plan.decimals[0] else "")
        elif kind == "exponent":
            out.append("E-" if exponent < 0 else "E+" if text[1] == "+" else "E")
        elif kind == "digits":
            out.append(str(abs(exponent)).rjust(len(text), "0"))
        elif text != ",":
            out.append(text)
    return "".join(out)


def _spread(digits: str, widths: Sequence[int]) -> list[str]:
    """Divide digits from the right over parts of these widths, as in a telephone number."""
    pieces, end = list[str](), len(digits)
    for width in widths[:0:-1]:
        pieces.append(digits[max(0, end - width) : end])
        end = max(0, end - width)
    return [digits[:end], *pieces[::-1]]


def _show_fraction(value: Decimal, tokens: Sequence[tuple[str, str]], slash: int) -> str:
    """Return a number as a whole and a fraction: 1 1/4."""
    below = tokens[slash + 1][1] if slash + 1 < len(tokens) else "?"
    mixed = sum(kind == "digits" for kind, _ in tokens[:slash]) > 1
    whole = int(value) if mixed else 0
    rest = Fraction(value) - whole
    if re.search(r"[1-9]", below):
        fixed = int("".join(text for _, text in tokens[slash + 1 :] if text.isdigit())[:4])
        top, bottom = round(rest * fixed), fixed
    else:
        near = rest.limit_denominator(10 ** min(len(below), 4) - 1)
        top, bottom = near.numerator, near.denominator
    if mixed and top == bottom:
        whole, top = whole + 1, 0
    shown = f"{top}/{bottom}" if top else ""
    return " ".join(part for part in (str(whole) if whole or not top else "", shown) if part)
