"""Loads the whole table that a retrieved row belongs to.

The rows of a table lie in several chunks; they are joined by heading, caption and place. A table
over the limits is not loaded, and `TooLarge` says so: its rows are still found and quoted one by
one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.tables.rows import Table
from rag.domain import Chunk, Document, Passage, Span, Unit, UnitKind
from rag.errors import RagError
from rag.text import facts

if TYPE_CHECKING:
    from rag.library.library import Library
    from rag.library.schema import ChunkRow

#: rows, columns and cells of a table that is loaded, and characters of its document
MAX_ROWS, _MAX_COLUMNS, _MAX_CELLS = 20_000, 40, 200_000
_MAX_CHARS = 4_000_000
#: characters of a cell that are compared and shown as the answer
_MAX_CELL_CHARS = 1000
#: characters between two rows of one table
_MAX_GAP = 400
#: tables that are looked at for one question
_MAX_TABLES = 6


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row of a table: its unit, and a chunk that has it, whole if any chunk has it whole."""

    unit: Unit
    chunk: ChunkRow
    whole: bool = True


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table with the places of its cells in the document."""

    table: Table
    document: Document
    rows: tuple[PlacedRow, ...]
    cells: tuple[tuple[Span | None, ...], ...]  #: for each row and column; None if it is empty
    about: str  #: title, headings, caption and name of the file
    source: str  #: the file


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A table that is not loaded."""

    reason: str  #: what of it is over which limit, in words
    about: str  #: the names of the columns of its first row, and the name of the file
    number: int  #: of the first passage that has a row of it


def tables_of(passages: Sequence[Passage], library: Library) -> list[PlacedTable | TooLarge]:
    """Return the tables of which the passages have rows, in the order of the passages."""
    found, seen = list[PlacedTable | TooLarge](), set[tuple[str, Span]]()
    refused = set[str]()
    for passage in passages:
        chunk = passage.chunk
        rows = [unit for unit in chunk.units if unit.kind is UnitKind.ROW]
        if not rows or len(found) >= _MAX_TABLES:
            continue
        if (chunk.document, rows[0].span) in seen or chunk.document in refused:
            continue
        for table in _tables_with(chunk, passage.number, library):
            if isinstance(table, TooLarge):
                refused.add(chunk.document)
            else:
                seen.update((chunk.document, row.unit.span) for row in table.rows)
            found.append(table)
    return found[:_MAX_TABLES]


def _tables_with(chunk: Chunk, number: int, library: Library) -> list[PlacedTable | TooLarge]:
    """The tables of which `chunk` has rows."""
    wanted = {unit.span for unit in chunk.units if unit.kind is UnitKind.ROW}
    try:
        document = library.documents.load(chunk.document)
    except RagError:  # removed or damaged: the search itself reports that
        return []
    first = next(unit for unit in chunk.units if unit.kind is UnitKind.ROW)
    columns = len(first.cells)
    names = " ".join(cell.header for cell in first.cells[:_MAX_COLUMNS])
    about = f"{names} {_words(chunk.source)}"
    name = chunk.source.rpartition("/")[2]

    def too_large(count: int, limit: int, noun: str) -> TooLarge:
        words = f"the table of {name} has {count:,} {noun}; comparing is done up to {limit:,}"
        return TooLarge(words, about, number)

    if len(document.text) > _MAX_CHARS:
        return [too_large(len(document.text), _MAX_CHARS, "characters")]
    if columns > _MAX_COLUMNS:
        return [too_large(columns, _MAX_COLUMNS, "columns")]
    found = list[PlacedTable | TooLarge]()
    for group, count, inside in _groups(document, library, wanted):
        if not inside:
            continue
        cut = max((r.unit.span.end - r.unit.span.start for r in group if not r.whole), default=0)
        cells = count * columns
        if count > MAX_ROWS:
            found.append(too_large(count, MAX_ROWS, "rows"))
        elif cut:
            words = f"the table of {name} has a row of {cut:,} characters, too long to be compared"
            found.append(TooLarge(words, about, number))
        elif cells > _MAX_CELLS:
            found.append(too_large(cells, _MAX_CELLS, "cells"))
        else:
            found.append(_placed(document, group, chunk.source))
    return found


def _groups(
    document: Document, library: Library, wanted: set[Span]
) -> Iterator[tuple[list[PlacedRow], int, bool]]:
    """Yield each table of a document: its rows, their number, and whether one of them is `wanted`.

    The rows are cut at `MAX_ROWS`, the number is not.
    """
    group, before, count, inside = list[PlacedRow](), None, 0, False
    for row in _rows(document, library):
        if before is not None and _begins_table(document, before, row):
            yield group, count, inside
            group, count, inside = [], 0, False
        if count < MAX_ROWS:
            group.append(row)
        count += 1
        inside = inside or row.unit.span in wanted
        before = row
    if group:
        yield group, count, inside


def _rows(document: Document, library: Library) -> list[PlacedRow]:
    """The rows of all tables of a document, in order, each once."""
    rows = dict[Span, PlacedRow]()
    for chunk in library.documents.chunk_rows(document.id):
        for unit in chunk.units_of(document):
            if unit.kind is not UnitKind.ROW:
                continue
            whole = chunk.start <= unit.span.start and unit.span.end <= chunk.end
            known = rows.get(unit.span)
            if known is None or (whole and not known.whole):
                rows[unit.span] = PlacedRow(unit, chunk, whole)
    return sorted(rows.values(), key=lambda row: (row.unit.span.start, row.unit.span.end))


def _begins_table(document: Document, before: PlacedRow, row: PlacedRow) -> bool:
    """Does a row belong to another table than the one before it?"""
    one, other = before.unit, row.unit
    if before.chunk.heading != row.chunk.heading or one.context != other.context:
        return True
    if 0 < other.row <= one.row:
        return True
    gap = document.text[one.span.end : other.span.start]
    if len(gap) > _MAX_GAP:
        return True
    names = {w for cell in (*one.cells, *other.cells) for w in facts.word_tokens(cell.header)}
    return any(word not in names for word in facts.word_tokens(gap))


def _placed(document: Document, rows: Sequence[PlacedRow], source: str) -> PlacedTable:
    """The table of `rows`, whose cells are cut at `_MAX_CELL_CHARS`."""
    names = column_names([row.unit for row in rows])
    places = places_of(names)
    cells, texts = list[tuple[Span | None, ...]](), list[tuple[str, ...]]()
    for row in rows:
        spans: list[Span | None] = [None] * len(names)
        for column, cell in zip(columns_of(row.unit, places), row.unit.cells, strict=True):
            if column >= 0:
                spans[column] = cell.span
        cells.append(tuple(spans))
        texts.append(
            tuple(
                document.text[s.start : min(s.end, s.start + _MAX_CELL_CHARS)] if s else ""
                for s in spans
            )
        )
    first = rows[0]
    about = " ".join((document.title, first.chunk.heading, first.unit.context, _words(source)))
    return PlacedTable(
        Table(about, names, texts), document, tuple(rows), tuple(cells), about, source
    )


def _words(source: str) -> str:
    """The name of the file of a path as words."""
    return source.rpartition("/")[2].replace("_", " ").replace("-", " ")


def places_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the indices of the columns that have each name, in order."""
    places = dict[str, list[int]]()
    for column, name in enumerate(names):
        places.setdefault(name, []).append(column)
    return places


def columns_of(unit: Unit, places: Mapping[str, list[int]]) -> list[int]:
    """Return the column of each cell of a row, -1 for none; a row lacks those that are empty.

    Of columns with one name a cell has the first that is behind that of the cell before it.
    """
    columns, last = list[int](), -1
    for cell in unit.cells:
        own = places.get(cell.header, [])
        at = bisect_right(own, last)
        if at < len(own):
            last = own[at]
        columns.append(own[at] if at < len(own) else own[0] if len(own) == 1 else -1)
    return columns


def column_names(rows: Sequence[Unit]) -> list[str]:
    """Return the names of the columns in order: those of the fullest row, and what others add."""
    fullest = max(rows, key=lambda row: len(row.cells))
    names = [cell.header for cell in fullest.cells[:_MAX_COLUMNS]]
    known = Counter(names)
    for row in rows:
        after, own = -1, Counter[str]()
        for cell in row.cells:
            own[cell.header] += 1
            if own[cell.header] > known[cell.header] and len(names) < _MAX_COLUMNS:
                names.insert(after + 1, cell.header)
                known[cell.header] += 1
            if known[cell.header]:
                after = names.index(cell.header)
    return names
