"""Strict JSON (RFC 8259): no NaN, no infinity, no repeated key, no nesting beyond the parser."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TypeAlias

#: A parsed JSON value.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def parse(text: str) -> Json:
    """The value of a JSON text.

    Raises `ValueError` with the reason, also for extensions that Python's own parser accepts.
    """
    try:
        return json.loads(
            text, parse_constant=_constant, parse_float=_float, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dumps(value: object) -> str:
    """`value` as JSON in ASCII on one line.

    Raises `ValueError` for NaN, infinity and nesting that is too deep.
    """
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


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        repeated = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {repeated[:40]!r} is there twice")
    return values
