"""The lines and tables of a page in the order of reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag.ingest.formats.pdf_columns import Item, parts_in_order
from rag.ingest.formats.pdf_lines import Line, Run, line_height, lines_of, run_gap, runs_of
from rag.ingest.formats.pdf_ruled import ruled_tables
from rag.ingest.formats.pdf_tables import Table, find_tables
from rag.ingest.formats.pdf_words import Rule, Word

_SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’»)\]]{0,3}$")
#: gap above a line, in heights, from which it begins a paragraph
_PARAGRAPH_GAP = 0.75
#: gap between words, in heights, that is none where the order of the file is kept
_WIDE_GAP = 4.0


def ends_sentence(text: str) -> bool:
    """Does `text` end with the end of a sentence or a colon?"""
    return bool(_SENTENCE_END.search(text[-5:]))


class TextLine(NamedTuple):
    """A line of text in its column."""

    text: str
    height: float
    room: float  #: free width on its right, in its column
    column: float  #: width of its column
    first_width: float  #: of its first word
    indent: float  #: free width on its left
    top: bool  #: it begins its column, or follows a table
    apart: bool  #: more space is above it than between lines
    wrapped: bool  #: lines of its column go on in the next line


def page_items(words: Sequence[Word], rules: Sequence[Rule]) -> list[TextLine | Table]:
    """Return the lines and tables of a page in the order of reading."""
    tables, rest, heights = ruled_tables(words, rules) if rules else ([], list(words), [])
    gap = run_gap(words)
    lines = lines_of(runs_of(rest, gap), gap)
    if not tables and all(len(line.runs) == 1 for line in lines):
        return list(_column(lines, [], heights))
    items: list[Item] = [*tables]
    at = 0
    for begin, end, table in find_tables(lines, heights, wide=True):
        items += _runs(lines[at:begin])
        items.append(table)
        at = end
    items += _runs(lines[at:])
    found = list[TextLine | Table]()
    for part in parts_in_order(items):
        own = [item for item in part if isinstance(item, Table)]
        column = lines_of([item for item in part if isinstance(item, Run)], gap)
        found += _column(column, own, heights)
    return found


def items_in_file_order(words: Sequence[Word]) -> list[TextLine | Table]:
    """Return the lines of a page as they follow each other in the file, which takes less time."""
    lines = [Line(*run[:4], (run,), (run,), run.height) for run in runs_of(words, _WIDE_GAP)]
    return list(_column(lines, [], []))


def _runs(lines: Sequence[Line]) -> Iterator[Run]:
    for line in lines:
        yield from line.parts


def _column(
    lines: Sequence[Line], tables: Sequence[Table], heights: Sequence[float]
) -> Iterator[TextLine | Table]:
    """Yield the lines of one column from top to bottom, and its tables at their places."""
    at, found = 0, list[tuple[float, Table | Line]]()
    for begin, end, table in find_tables(lines, heights):
        found += [(line.y0, line) for line in lines[at:begin]]
        found.append((table.y0, table))
        at = end
    found += [(line.y0, line) for line in lines[at:]]
    if tables:
        found += [(table.y0, table) for table in tables]
        found.sort(key=lambda entry: entry[0])
    rows = [entry for _, entry in found if isinstance(entry, Line)]
    left, right = min((r.x0 for r in rows), default=0.0), max((r.x1 for r in rows), default=0.0)
    height = line_height(rows)
    wrapped = _is_wrapped(rows, left, right)
    above: Line | None = None
    for _, entry in found:
        if isinstance(entry, Table):
            yield entry
            above = None
            continue
        line, word = entry, entry.runs[0].words[0]
        yield TextLine(
            line.text,
            line.height,
            right - line.x1,
            right - left,
            word.x1 - word.x0,
            line.x0 - left,
            above is None,
            above is None or line.y0 - above.y1 > _PARAGRAPH_GAP * height,
            wrapped,
        )
        above = line


def _is_wrapped(lines: Sequence[Line], left: float, right: float) -> bool:
    """Do most of three lines or more fill the column, and some of them end inside a sentence?"""
    full = [line for line in lines if line.x1 - left >= 0.8 * (right - left)]
    open_ends = sum(not ends_sentence(line.text) for line in full)
    return len(lines) >= 3 and 2 * len(full) >= len(lines) and 5 * open_ends >= len(lines)
