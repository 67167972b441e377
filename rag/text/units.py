"""Units of a text as JSON, those in a part of it, and the text as it is read with their context."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from rag.domain import Cell, Chunk, Span, Unit, UnitKind

#: characters of a name or context
_MAX_CONTEXT_CHARS = 300
_KINDS = list(UnitKind)


def unit_order(unit: Unit) -> tuple[int, int]:
    """The order of units by place, the outer one first."""
    return unit.span.start, -unit.span.end


def units_to_json(units: Sequence[Unit]) -> list[Any]:
    """Return units as JSON: a list of their texts, each once, and flat numbers for each unit.

    A unit is its kind, start, length, context and row, then its cells. A cell is its header, the
    gap to its value from the end of the value before it, and the length of the value; a header
    below 0 is the name at -1 - header, and start and length of the name follow. Small and repeated
    numbers keep a table of 100,000 rows small, on the pipe, in memory and in the library.
    """
    numbers = dict[str, int]()

    def number(text: str) -> int:
        return numbers.setdefault(text[:_MAX_CONTEXT_CHARS], len(numbers))

    rows = []
    for unit in units:
        at = unit.span.start
        flat = [_KINDS.index(unit.kind), at, unit.span.end - at, number(unit.context), unit.row]
        for cell in unit.cells:
            header, span = number(cell.header), cell.span
            flat += (-1 - header if cell.name else header, span.start - at, span.end - span.start)
            if cell.name:
                flat += (cell.name.start - unit.span.start, cell.name.end - cell.name.start)
            at = span.end
        rows.append(flat)
    return [list(numbers), rows] if rows else []


def units_from_json(value: Any, length: int) -> tuple[Unit, ...]:
    """Return the units of `units_to_json` for a text of `length` characters.

    Raises `ValueError` for any other value and for places outside of the text.
    """
    if not value:
        return ()
    try:
        texts, rows = value
        return tuple(_unit(texts, row, length) for row in rows)
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError("no units of a text") from error


def _unit(texts: Sequence[str], flat: Sequence[int], length: int) -> Unit:
    if not {*map(type, flat)} <= {int}:
        raise ValueError("numbers that are none")
    kind, start, size, context, row = flat[:5]
    span, at, place = _span(start, size, length), start, 5
    cells = list[Cell]()
    while place < len(flat):
        header, gap, size = flat[place : place + 3]
        value, name = _span(at + gap, size, length), None
        place += 3
        if header < 0:
            header = -1 - header
            name = _span(start + flat[place], flat[place + 1], length)
            place += 2
        cells.append(Cell(_text(texts, header), value, name))
        at = value.end
    if kind < 0 or row < 0:
        raise ValueError("a unit of no kind or row")
    return Unit(_KINDS[kind], span, _text(texts, context), tuple(cells), row)


def _text(texts: Sequence[str], number: int) -> str:
    text = texts[number]
    if number < 0 or not isinstance(text, str):
        raise ValueError("a text that is none")
    return text


def _span(start: int, size: int, length: int) -> Span:
    if not (0 <= start <= start + size <= length):
        raise ValueError("a place outside of the text")
    return Span(start, start + size)


def sheet_rows(chunk: Chunk, span: Span | None = None) -> tuple[str, int, int]:
    """Return the sheet of a passage of a workbook and its first and last row; zeros for another.

    Only the rows in `span` count, if it is given.
    """
    span = span or chunk.span
    rows = [unit.row for unit in chunk.units if unit.row and unit.span.overlaps(span)]
    if not rows:
        return "", 0, 0
    return chunk.heading.partition(" › ")[0], rows[0], max(rows)


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
