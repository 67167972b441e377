"""Tables of web pages: which hold data, their rows with merged cells filled, how they are added.

A table of data has at least two columns and rows. One that only lays out the page, that holds
another table or long texts, is text. The cells on the left of a table of two columns, marked as
headers, name the values beside them: such a table is a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import Filled, add_form, add_table

#: columns of a table, and cells that merged cells fill in one
_MAX_COLUMNS, _MAX_FILLED = 1000, 200_000
#: characters of a cell from which a table without headers lays out the page
_MAX_DATA_CHARS = 600
#: rows of a record; of more, each is a row of a table
_MAX_FORM_ROWS = 20
#: elements in a cell that tables of data do not have
_LAYOUT = frozenset("table h1 h2 h3 form section article nav main".split())


class _Cell(NamedTuple):
    text: str
    is_header: bool


class WebTable(NamedTuple):
    """The rows of a table of data, how many of them are headers (None: not said), its caption."""

    rows: list[list[str]]
    header_rows: int | None
    is_form: bool
    caption: str


def read_table(table: Any, text_of: Callable[[Any], str]) -> WebTable | None:
    """Return a table of data, or None for one that lays out the page.

    `text_of` returns the text of an element on one line.
    """
    if table.get("role") in ("presentation", "none"):
        return None
    caption, rows, elements = "", list[Any](), list[Any]()
    for node in _inside(table):
        if node.name == "tr":
            rows.append(node)
        elif node.name == "caption" and not caption:
            caption = text_of(node)
        elif node.name in _LAYOUT:
            return None
        elements.append(node)
    grid = _grid(rows, text_of)
    if grid is None or len(grid) < 2 or max(map(len, grid)) < 2:
        return None
    has_headers = any(cell.is_header for row in grid for cell in row)
    if not has_headers and not caption:
        if any(len(cell.text) > _MAX_DATA_CHARS for row in grid for cell in row):
            return None
        if 2 * sum(len([c for c in row if c.text]) > 1 for row in grid) < len(grid):
            return None
    names_rows = all(row[0].is_header and not any(c.is_header for c in row[1:]) for row in grid)
    two = all(len(row) == 2 for row in grid)
    depth = 0 if names_rows and two else _stated_headers(rows, grid)
    texts = [[cell.text for cell in row] for row in grid]
    return WebTable(texts, depth, names_rows and two and len(grid) <= _MAX_FORM_ROWS, caption)


def add_web_table(lines: LineBuilder, table: WebTable, context: str) -> None:
    """Add a table; its caption, else `context`, belongs to each row."""
    if table.caption:
        lines.add(table.caption)
    context = table.caption or context
    if table.is_form:
        add_form(lines, table.rows, context)
    else:
        add_table(lines, table.rows, context, table.header_rows)


def _inside(table: Any) -> Iterator[Any]:
    """Yield the elements in a table. Not recursive: pages nest deeply."""
    todo = list(table.contents[::-1])
    while todo:
        node = todo.pop()
        if getattr(node, "contents", None) is not None:
            yield node
            if node.name not in _LAYOUT:
                todo += node.contents[::-1]


def _stated_headers(rows: list[Any], grid: list[list[_Cell]]) -> int | None:
    """Return how many rows at the top are marked as headers; None if none is."""
    depth = 0
    for row, cells in zip(rows, grid, strict=False):
        own = [cell for cell in cells if cell.text]
        in_head = row.parent is not None and row.parent.name == "thead"
        if not in_head and not (own and all(cell.is_header for cell in own)):
            break
        depth += 1
    return depth if 0 < depth < len(grid) else None


def _grid(rows: list[Any], text_of: Callable[[Any], str]) -> list[list[_Cell]] | None:
    """Return the cells of the rows, merged ones filled; None if they fill too much."""
    grid, filled = list[list[_Cell]](), 0
    going_on = dict[int, tuple[_Cell, int]]()  #: by column: a cell from above, its rows from here
    for number, row in enumerate(rows):
        cells, below = list[_Cell](), dict[int, tuple[_Cell, int]]()
        for node in row.contents:
            if node.name not in ("td", "th"):
                continue
            _continue(cells, going_on, below)
            cell = _Cell(text_of(node), node.name == "th")
            wide = min(_span(node, "colspan"), _MAX_COLUMNS - len(cells))
            tall = min(_span(node, "rowspan") or len(rows), len(rows) - number)
            filled += wide * tall - 1
            if wide < 1 or filled > _MAX_FILLED:
                return None
            for place in range(wide):
                part = cell._replace(text=Filled(cell.text)) if place and cell.text else cell
                if tall > 1:
                    below[len(cells)] = part, tall - 1
                cells.append(part)
        _continue(cells, going_on, below, to_end=True)
        going_on = below
        if cells:
            grid.append(cells)
    return grid


def _continue(
    cells: list[_Cell],
    going_on: dict[int, tuple[_Cell, int]],
    below: dict[int, tuple[_Cell, int]],
    to_end: bool = False,
) -> None:
    """Add the cells from above that come next in a row, or all that are left of them."""
    last = max(going_on, default=-1) if to_end else -1
    while len(cells) in going_on or len(cells) <= last:
        column = len(cells)
        cell, left = going_on.get(column, (_Cell("", False), 0))
        cells.append(cell)
        if left > 1:
            below[column] = cell, left - 1


def _span(node: Any, name: str) -> int:
    text = str(node.get(name) or "1").strip()
    return int(text) if text.isdecimal() and len(text) < 6 else 1
