"""Bounds that the figures of a run must keep, as in "citation.precision>=0.9".

A figure that was not measured keeps no bound.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import Usage

if TYPE_CHECKING:
    from rag.eval.records import Figure

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_BOUND = re.compile(
    r"\s*([\w.@]+)\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.A
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound: a figure's dotted name, the sign and the number as the user typed them."""

    figure: str
    sign: str
    limit: str

    def holds(self, value: float | None) -> bool:
        return value is not None and _SIGNS[self.sign](value, float(self.limit))


@dataclass(frozen=True, slots=True)
class GateResult:
    """A bound, the figure's value, and whether it holds."""

    bound: Bound
    value: float | None
    holds: bool

    @property
    def says(self) -> str:
        """As in "citation.precision is 0.8712, asked for is >=0.9"."""
        value = (
            "not measured (no question applies to it)"
            if self.value is None
            else f"{self.value:.4f}"
        )
        return f"{self.bound.figure} is {value}, asked for is {self.bound.sign}{self.bound.limit}"


def parse_bounds(texts: Sequence[str], known: Collection[str]) -> tuple[Bound, ...]:
    """Return the bounds that the user typed.

    Raises `Usage` for a text that is no bound and for a figure that is not one of `known`.
    """
    bounds = []
    for text in texts:
        match = _BOUND.fullmatch(text)
        if not match:
            raise Usage(
                f"--gate {text!r} is no bound",
                'write it as "citation.precision>=0.9", with >=, <=, > or <',
            )
        if match[1] not in known:
            raise Usage(
                f"--gate {text!r}: there is no figure {match[1]!r}",
                f"the figures are: {', '.join(known)}",
            )
        bounds.append(Bound(match[1], match[2], match[3]))
    return tuple(bounds)


def check_bounds(bounds: Sequence[Bound], values: Mapping[str, Figure]) -> tuple[GateResult, ...]:
    """Compare each bound with the summary's figures, which have dotted names."""
    results = []
    for bound in bounds:
        value = values[bound.figure]["value"]
        results.append(GateResult(bound, value, bound.holds(value)))
    return tuple(results)
