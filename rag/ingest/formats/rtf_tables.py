"""The rows of a table in RTF, which gives the right edge of each cell and no columns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from rag.ingest.formats.flow import Table, looks_like_form

#: edges that are so near are one (twentieths of a point)
_NEAR = 60
#: edges of one table; cells of one with more are not aligned
_MAX_EDGES = 200
_MAX_CELLS = 1000


@dataclass(slots=True)
class RowForm:
    """The cells of a row as it is defined, and whether it is a header."""

    edges: list[int] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)  #: "left", "above" or "" for each cell
    header: bool = False
    next_merged: str = ""

    def edge(self, place: int) -> None:
        """End the definition of a cell at its right edge."""
        if len(self.edges) < _MAX_CELLS:
            self.edges.append(place)
            self.merged.append(self.next_merged)
        self.next_merged = ""


class TableRows:
    """Collects the rows of a table."""

    def __init__(self) -> None:
        self._rows: list[tuple[list[str], RowForm]] = []

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, values: list[str], form: RowForm) -> None:
        """Add a row with the text of its cells."""
        self._rows.append((values[:_MAX_CELLS], form))

    def table(self, count: Callable[[int], None]) -> Table:
        """Return the table, merged cells filled, and forget the rows.

        `count` is told how many cells are made.
        """
        columns = self._columns()
        values, above = list[list[str]](), dict[int, str]()
        for texts, form in self._rows:
            row, cells = list[str](), 0
            for number, text in enumerate(texts):
                merged = form.merged[number] if number < len(form.merged) else ""
                start = len(row)
                if merged == "left" and row:
                    text = row[-1]
                elif merged == "above":
                    text = above.get(start, "")
                else:
                    cells += 1
                end = start + 1
                if columns and number < len(form.edges):
                    end = max(end, bisect_left(columns, form.edges[number] - _NEAR) + 1)
                above[start] = text
                row += [text] * (end - start)
            count(len(row))
            values.append(row[:1] if cells == 1 and len({*row}) == 1 else row)
        headers = 0
        while headers < len(self._rows) and self._rows[headers][1].header:
            headers += 1
        self._rows = []
        return Table(values, headers or None, not headers and looks_like_form(values))

    def _columns(self) -> list[int]:
        """Return the right edges of all columns in order; none if there are too many."""
        columns = list[int]()
        for edge in sorted({edge for _, form in self._rows for edge in form.edges}):
            if not columns or edge - columns[-1] > _NEAR:
                columns.append(edge)
        return columns if len(columns) <= _MAX_EDGES else []
