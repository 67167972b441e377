"""Adds a record to a text: a line for each field, name and value, whose values are its cells."""

from __future__ import annotations

from collections.abc import Sequence

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.formats.common import LineBuilder


def add_record(
    lines: LineBuilder, fields: Sequence[tuple[str, str, str]], context: str = ""
) -> None:
    """Add a line "name: value" for each field.

    The third part of a field are other words that people ask for it with.
    """
    begin, cells = lines.length, list[Cell]()
    for name, value, words in fields:
        at = lines.length
        lines.add(f"{name}: {value}")
        start = at + len(name) + 2
        header = f"{name} / {words}" if words else name
        cells.append(Cell(header, Span(start, start + len(value)), Span(at, at + len(name))))
    if cells:
        lines.unit(Unit(UnitKind.RECORD, Span(begin, cells[-1].span.end), context, tuple(cells)))
