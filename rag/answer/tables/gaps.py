"""Finds the empty cell that a question asks for, so that no other cell is given in its place.

A row that the question names may have no value in the column that is asked for, and no row may
have all values that the question names. No other cell of such a table answers: neither the value
beside the gap, nor that of the row below. A row has no cell for a column without a value; the rows
around it tell which columns there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag.answer.field_words import asked_fields
from rag.answer.question_terms import read_question
from rag.answer.tables.conditions import Condition, find_conditions
from rag.answer.tables.load import column_names, columns_of, places_of
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table
from rag.answer.unit_matching import Lookup
from rag.domain import Passage, Span, Unit, UnitKind
from rag.text.foreign_marks import quote_foreign

#: cells that say that there is no value
_GAPS = frozenset(("", "-", "--", "\u2013", "\u2014", "\u2212", "n/a", "?"))
#: characters of the names of the columns that a merged cell is under
_MAX_HEADER = 240
#: rows that a question may name at once, rows and columns that are looked at, characters that are
#: shown of a name
_MAX_NAMED, _MAX_ROWS, _MAX_COLUMNS, _MAX_SHOWN = 3, 400, 40, 60


@dataclass(frozen=True, slots=True)
class Gap:
    """The rows of the tables that do not answer, and why the first of these tables does not."""

    reason: str
    rows: frozenset[tuple[str, Span]]  #: all rows of these tables: document and span of each

    def has(self, document: str, place: Span) -> bool:
        """Tell whether a place lies in one of the rows."""
        return any(own == document and place.within(span) for own, span in self.rows)


def find_gap(question: str, passages: Sequence[Passage]) -> Gap | None:
    """Return the rows that do not answer, and the first reason; None if there are none."""
    asked = TableQuestion(question)
    if read_question(question).asks_yes_or_no or asked.offers or asked.limits:
        return None
    reason, rows = "", set[tuple[str, Span]]()
    for document, units, table in _tables(passages):
        if why := _reason(asked, table):
            reason = reason or why
            rows.update((document, unit.span) for unit in units)
    return Gap(reason, frozenset(rows)) if rows else None


def outside(gap: Gap | None, places: Sequence[Lookup]) -> list[Lookup]:
    """Return the places that were looked up, without those in rows that do not answer."""
    return [
        place
        for place in places
        if gap is None or not gap.has(place.passage.chunk.document, place.unit.span)
    ]


def _tables(passages: Sequence[Passage]) -> Iterator[tuple[str, Sequence[Unit], Table]]:
    """The rows of the passages, those of one table together."""
    groups = dict[tuple[str, str, str], dict[Span, tuple[Unit, list[str]]]]()
    for passage in passages:
        chunk = passage.chunk
        for unit in chunk.units:
            wide = len(unit.cells) > _MAX_COLUMNS
            if unit.kind is UnitKind.ROW and not wide and unit.span.within(chunk.span):
                start = chunk.span.start
                texts = [
                    chunk.text[cell.span.start - start : cell.span.end - start]
                    for cell in unit.cells
                ]
                group = groups.setdefault((chunk.document, chunk.heading, unit.context), {})
                if len(group) < _MAX_ROWS:
                    group[unit.span] = unit, texts
    for (document, heading, context), found in groups.items():
        in_order = [found[span] for span in sorted(found)]
        for part in _alike(in_order):
            units = [unit for unit, _ in part]
            names = column_names(units)
            if 1 < len(names) <= _MAX_COLUMNS:
                rows = list(_rows(part, names))
                yield document, units, Table(f"{heading} {context}", names, rows)


def _alike(rows: Iterable[tuple[Unit, list[str]]]) -> Iterator[list[tuple[Unit, list[str]]]]:
    """The runs of rows that have most columns in common: of one table."""
    part, known = list[tuple[Unit, list[str]]](), set[str]()
    for unit, texts in rows:
        own = {cell.header for cell in unit.cells}
        if part and 2 * len(own & known) < min(len(own), len(known)):
            yield part
            part, known = [], set()
        part.append((unit, texts))
        known |= own
    if part:
        yield part


def _rows(part: Sequence[tuple[Unit, list[str]]], names: Sequence[str]) -> Iterator[list[str]]:
    """The cells of rows in the order of the columns; a merged cell is in all of its columns."""
    places = places_of(names)
    for unit, texts in part:
        row = [""] * len(names)
        for at, text in zip(columns_of(unit, places), texts, strict=True):
            if at >= 0:
                row[at] = text
        for cell, text in zip(unit.cells, texts, strict=True):
            if ", " not in cell.header or len(cell.header) > _MAX_HEADER:
                continue
            for at, name in enumerate(names):
                if not row[at] and name and name in cell.header:
                    row[at] = text
        yield row


class _Named(NamedTuple):
    """The rows that a question names."""

    rows: frozenset[int]
    places: frozenset[int]  #: of the words that name them
    columns: frozenset[int]  #: in which they are named
    name: str


def _reason(asked: TableQuestion, table: Table) -> str:
    """Why a table does not answer; "" if it may."""
    in_header = [
        frozenset(at for at in asked.content if asked.stems[at] in column.stems)
        for column in table.columns[: len(table.headers)]
    ]
    conditions = [c for c in find_conditions(asked, table) if _names_rows(c, table, in_header)]
    if not conditions:
        return ""
    first = conditions[0]
    name = table.rows[first.rows[0]][first.column]
    named = _Named(frozenset(first.rows), first.places, frozenset((first.column,)), name)
    for other in conditions[1:]:
        if other.column == first.column or other.places & named.places:
            continue
        both = named.rows.intersection(other.rows)
        if not both:
            return _other_value(asked, table, first, other)
        columns = named.columns | {other.column}
        named = _Named(both, named.places | other.places, columns, name)
    if len(named.rows) > _MAX_NAMED:
        return ""
    return _empty_cell(asked, table, named, in_header)


def _names_rows(condition: Condition, table: Table, in_header: Sequence[frozenset[int]]) -> bool:
    """Tell whether a value names rows: it is a whole cell, or part of the first cell of one row."""
    if any(condition.places <= places for places in in_header):
        return False
    if condition.whole:
        return True
    texts = (n for n, column in enumerate(table.columns) if column.kind == "text")
    return len(condition.rows) == 1 and condition.column == next(texts, -1)


def _operates(
    asked: TableQuestion, table: Table, columns: Iterable[int], but: frozenset[int]
) -> bool:
    """Tell whether a word, other than those of names, compares or orders rows."""
    stems = frozenset[str]().union(*(table.columns[at].stems for at in columns))
    return any(
        asked.is_superlative(at) or asked.is_neighbour(at)
        for at in range(len(asked.words))
        if at not in but and asked.stems[at] not in stems
    )


def _other_value(asked: TableQuestion, table: Table, one: Condition, other: Condition) -> str:
    """Say that no row has two values of a question; "" if they need not be in one row."""
    columns = range(len(table.headers))
    kinds = {table.columns[c.column].kind for c in (one, other)}
    if not (one.whole and other.whole) or kinds != {"text"}:
        return ""
    if _operates(asked, table, columns, one.places | other.places):
        return ""
    for condition, rows in ((other, one.rows), (one, other.rows)):
        stems = {asked.stems[at] for at in condition.places}
        cells = [table.stems[row][condition.column] for row in rows]
        if any(not cell or stems.intersection(cell) for cell in cells):
            return ""
    names = [_shown(table.rows[c.rows[0]][c.column]) for c in (one, other)]
    return f"no row of the table has both {names[0]} and {names[1]}"


def _empty_cell(
    asked: TableQuestion, table: Table, named: _Named, in_header: Sequence[frozenset[int]]
) -> str:
    """Say that the cells that are asked for are empty; "" if one has a value."""
    fields = asked_fields(asked.question)
    wanted = dict[int, tuple[int, bool]]()
    for at in range(len(table.headers)):
        by_wording = any(table.columns[at].stems & names for _, names in fields)
        words = len(in_header[at] - named.places)
        if at not in named.columns and (words or by_wording):
            wanted[at] = words, by_wording
    if not wanted:
        return ""
    best = [at for at, words in wanted.items() if words == max(wanted.values())]
    cells = {table.rows[row][at].strip() for row in named.rows for at in best}
    if any(cell.lower() not in _GAPS for cell in cells):
        return ""
    if _operates(asked, table, best, named.places):
        return ""
    column, said = _shown(table.headers[best[0]]), max(cells)
    held = f"has only {_shown(said)}" if said else "is empty"
    return f"in the row {_shown(named.name)}, the cell under {column} {held}"


def _shown(text: str) -> str:
    return f"\u201c{quote_foreign(text)[:_MAX_SHOWN]}\u201d"
