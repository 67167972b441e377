"""Units of a text as JSON, those in a part of it, and the text as it is read with their context."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from rag.domain import Cell, Span, Unit, UnitKind

#: characters of a name or context
_MAX_CONTEXT_CHARS = 300
_KINDS = list(UnitKind)


def unit_order(unit: Unit) -> tuple[int, int]:
    """The order of units by place, the outer one first."""
    return unit.span.start, -unit.span.end


def units_to_json(units: Sequence[Unit]) -> list[Any]:
    """Return units as JSON: a list of their texts, each once, and a list of numbers for each."""
    numbers = dict[str, int]()

    def number(text: str) -> int:
        return numbers.setdefault(text[:_MAX_CONTEXT_CHARS], len(numbers))

    rows = [
        [
            _KINDS.index(unit.kind),
            unit.span.start,
            unit.span.end,
            number(unit.context),
            *(
                [number(cell.header), cell.span.start, cell.span.end]
                + ([cell.name.start, cell.name.end] if cell.name else [])
                for cell in unit.cells
            ),
        ]
        for unit in units
    ]
    return [list(numbers), rows] if rows else []


def units_from_json(value: Any, length: int) -> tuple[Unit, ...]:
    """Return the units of `units_to_json` for a text of `length` characters.

    Raises `ValueError` for any other value and for places outside of the text.
    """
    try:
        if not value:
            return ()
        texts, rows = value
        units = tuple(_unit(texts, row) for row in rows)
    except (TypeError, IndexError, ValueError) as error:
        raise ValueError("no units of a text") from error
    places = [cell.span for unit in units for cell in unit.cells]
    places += [unit.span for unit in units] + [
        cell.name for unit in units for cell in unit.cells if cell.name
    ]
    if any(place.end > length for place in places):
        raise ValueError("units outside of the text")
    return units


def _unit(texts: Sequence[str], row: Sequence[Any]) -> Unit:
    kind, start, end, context, *cells = row
    return Unit(
        _KINDS[kind],
        _span(start, end),
        texts[context],
        tuple(
            Cell(texts[cell[0]], _span(cell[1], cell[2]), _span(*cell[3:]) if cell[3:] else None)
            for cell in cells
        ),
    )


def _span(start: int, end: int) -> Span:
    if not 0 <= start <= end:
        raise ValueError("a place that is none")
    return Span(start, end)


class UnitsInOrder:
    """The units of a text, asked for span by span from its beginning to its end."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units, self._next = units, 0
        self._open: list[Unit] = []

    def within(self, span: Span) -> tuple[Unit, ...]:
        """Return the units that overlap `span`, which begins no earlier than the last one."""
        while self._next < len(self._units) and self._units[self._next].span.start < span.end:
            self._open.append(self._units[self._next])
            self._next += 1
        self._open = [unit for unit in self._open if unit.span.end > span.start]
        return tuple(unit for unit in self._open if unit.span.start < span.end)


def units_within(units: Sequence[Unit], span: Span) -> tuple[Unit, ...]:
    """Return the units that overlap `span`; `units` are sorted by place."""
    last = bisect_left(units, span.end, key=lambda unit: unit.span.start)
    return tuple(unit for unit in units[:last] if unit.span.end > span.start)
