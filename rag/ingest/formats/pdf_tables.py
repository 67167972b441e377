"""Tables of a page whose columns are aligned, and lines whose parts dots divide."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rag.ingest.formats.pdf_lines import (
    Line,
    cells_of,
    columns_of,
    line_height,
)
from rag.text.header_rows import is_value

_MIN_ROWS = 3
#: characters that the cells have on average at most; across the page, where columns of prose lie
_MAX_CELL_CHARS, _MAX_WIDE_CELL_CHARS = 40, 16
#: characters of a cell in a table of two columns without values
_MAX_SHORT_CELL_CHARS = 24
#: distance of lines of a table, in heights
_MAX_PITCH = 3.0
#: dots or the like between a name and its value
_LEADER = re.compile(r"\s*(?:[.·…_‥]\s?){4,}\s*|\s*…{2,}\s*")
_DOTS = ("..", ". .", "··", "· ·", "……", "‥‥", "__")
_LIST_MARK = re.compile(r"[^\w\s]|o|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\]")


def split_leader(text: str) -> list[str]:
    """Return the parts of `text` that dots divide; the whole if there are none."""
    return _LEADER.split(text) if any(dots in text for dots in _DOTS) else [text]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its rows of cells, and where it is."""

    x0: float
    y0: float
    x1: float
    y1: float
    rows: tuple[tuple[str, ...], ...]
    edges: tuple[float, ...]  #: where its columns begin


def find_tables(
    lines: Sequence[Line], rules: Sequence[float] = (), *, wide: bool = False
) -> Iterator[tuple[int, int, Table]]:
    """Yield the tables of aligned columns: number of the first line, of that after it, the table.

    `wide`: the lines go over the whole page, which may have columns of prose. `rules` are heights
    of rules, which may divide the rows.
    """
    number = 0
    while number < len(lines):
        last = _block_end(lines, number, 3 if wide else 2)
        if _is_prose(lines[number:last]):
            number = last
            continue
        found = None
        for begin in range(number, min(number + 3, last - 1)):
            for end in (last, last - 1):
                found = found or _aligned_table(lines[begin:end], rules, wide)
                if found:
                    yield begin, end, found
                    number = end
                    break
            if found:
                break
        number = number if found else max(last, number + 1)


def _block_end(lines: Sequence[Line], number: int, min_runs: int) -> int:
    """Return the number after the last line of what may be a table that begins at `number`."""
    end = at = number
    while at < len(lines):
        line = lines[at]
        if at > number and line.y1 - lines[at - 1].y1 > _MAX_PITCH * line.height:
            break
        if len(line.runs) >= min_runs and not _has_leader(line):
            end = at + 1
        elif at >= end + 2 or at == number or _has_leader(line):
            break
        at += 1
    return end


def _is_prose(block: Sequence[Line]) -> bool:
    """Do most parts go on a sentence, and are few of them values?"""
    texts = [run.text for line in block for run in line.runs]
    return (
        len(texts) > 3
        and 2 * sum(text[0].islower() for text in texts) > len(texts)
        and (8 * sum(text[0] in "-+$€£0123456789" for text in texts) < len(texts))
    )


def _has_leader(line: Line) -> bool:
    return len(line.runs[0].words) + len(line.runs) > 2 and len(split_leader(line.text)) > 1


def _aligned_table(block: Sequence[Line], rules: Sequence[float], wide: bool) -> Table | None:
    """Return the table that the lines are, or None."""
    if len(block) < 2:
        return None
    columns = columns_of(block)
    if len(columns) < (3 if wide else 2):
        return None
    rows = [cells_of(line, columns) for line in block]
    if not _is_table(rows, block, columns, wide):
        return None
    joined = _joined_rows(rows, block, rules)
    return Table(
        columns[0][0],
        block[0].y0,
        columns[-1][1],
        max(line.y1 for line in block),
        tuple(map(tuple, joined)),
        tuple(start for start, _ in columns),
    )


def _is_table(
    rows: Sequence[Sequence[str]],
    block: Sequence[Line],
    columns: Sequence[tuple[float, float]],
    wide: bool,
) -> bool:
    cells = [cell for row in rows for cell in row if cell]
    if len(cells) < 0.4 * len(rows) * len(columns):
        return False
    first = [row[0] for row in rows if row[0]]
    if sum(bool(_LIST_MARK.fullmatch(cell)) for cell in first) > 0.5 * len(first):
        return False
    chars = sum(map(len, cells)) / len(cells)
    valued = [n for n in range(1, len(columns)) if _is_valued([row[n] for row in rows[1:]])]
    if not valued and 2 * sum(cell[0].islower() for cell in cells) > len(cells):
        return False  # prose
    if len(columns) >= 3:
        if len(rows) < (2 if valued and not wide else _MIN_ROWS):
            return False
        return chars <= (_MAX_WIDE_CELL_CHARS if wide else _MAX_CELL_CHARS)
    if len(rows) < _MIN_ROWS or 2 * sum(cell.endswith(":") for cell in first) > len(first):
        return False
    gap = columns[1][0] - columns[0][1]
    return chars <= _MAX_CELL_CHARS and (
        bool(valued) or (chars <= _MAX_SHORT_CELL_CHARS and gap >= 0.8 * line_height(block))
    )


def _is_valued(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * sum(map(is_value, filled)) >= len(filled)


def _joined_rows(
    rows: Sequence[list[str]], block: Sequence[Line], rules: Sequence[float]
) -> list[list[str]]:
    """Return the rows, of which lines that go on the row above are joined to it."""
    pitches = [b.y1 - a.y1 for a, b in pairwise(block)]
    tight = min(pitches) * 1.15
    loose = max(pitches) > 1.3 * min(pitches) and median(pitches) < 1.15 * max(pitches)
    breaks = [
        bisect_right(rules, (b.y0 + b.y1) / 2) - bisect_right(rules, (a.y0 + a.y1) / 2)
        for a, b in pairwise(block)
    ]
    ruled = 2 * sum(map(bool, breaks)) >= len(breaks) and len(breaks) > 1
    joined = [list(rows[0])]
    for number, row in enumerate(rows[1:]):
        goes_on = not row[0] and 2 * len(list(filter(None, row))) <= len(row)
        goes_on = goes_on and not any(is_value(cell) for cell in row if cell)
        if ruled:
            goes_on = not breaks[number]
        elif loose and not row[0]:
            goes_on = pitches[number] <= tight
        if goes_on:
            joined[-1] = [f"{a} {b}".strip() for a, b in zip(joined[-1], row, strict=True)]
        else:
            joined.append(list(row))
    return joined
