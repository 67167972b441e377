"""JSON as RFC 8259 has it: no NaN, no infinity, no key twice, no nesting that ends the reader."""

from __future__ import annotations

import json
import math
from typing import Any


def parse(text: str) -> Any:
    """The value of `text`. Raises `ValueError` with the reason, also for what Python's own reader lets through."""
    try:
        return json.loads(
            text, parse_constant=_constant, parse_float=_float, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dumps(value: Any) -> str:
    """`value` in ASCII on one line. Raises `ValueError` for NaN, infinity and nesting that is too deep."""
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!r} is there twice")
    return found
