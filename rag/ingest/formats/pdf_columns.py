"""The order in which the parts of a page are read, by the places of its words.

A part is cut at the gutter that has most lines on both sides (XY cut). What lies over the gutter,
such as a title, a table or a picture's caption, divides the page into bands; in each band the
columns are read from left to right. The gap between the columns of a table is no gutter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from statistics import median

from rag.ingest.formats.pdf_lines import Line, Run, coverage, free_intervals, line_height, lines_of
from rag.ingest.formats.pdf_tables import Table
from rag.text.header_rows import is_value

Item = Run | Table

#: cuts in each other; a page has a handful of columns
_MAX_DEPTH, _MIN_ITEMS = 12, 4
#: width of a gutter in heights of a line; of one with few lines beside it
_MIN_GUTTER, _MIN_SHORT_GUTTER = 0.5, 0.9
#: share of the lines that may lie over a gutter, as it is tried
_MAX_SHARES_OVER = (0.0, 0.1, 0.3, 0.6)
#: gutters of a part that are tried
_MAX_TRIED = 8
#: lines of a column of prose have on average at least this many characters
_MIN_PROSE_CHARS = 14
_SHORT_LINES = 6
#: runs on each side of a gutter that are compared
_MAX_COMPARED = 60


def parts_in_order(items: Sequence[Item]) -> list[list[Item]]:
    """Return the parts of a page in the order of reading; each is one column."""
    height = line_height([item for item in items if isinstance(item, Run)])
    return _parts(list(items), height, _MAX_DEPTH)


def _parts(items: list[Item], height: float, depth: int) -> list[list[Item]]:
    if depth == 0 or len(items) < _MIN_ITEMS:
        return [items]
    cut = _best_cut(items, height)
    if cut:
        return [deeper for part in cut for deeper in _parts(part, height, depth - 1)]
    bands = _bands(items, height)
    if len(bands) == 1:
        return [items]
    parts, together = list[list[Item]](), list[Item]()
    for band in bands:
        cut = _best_cut(band, height)
        if not cut:  # bands without columns that follow each other are one part
            together += band
            continue
        parts += [together] if together else []
        together = []
        parts += [deeper for part in cut for deeper in _parts(part, height, depth - 1)]
    return [*parts, together] if together else parts


def _bands(items: Sequence[Item], height: float) -> list[list[Item]]:
    """Return the items in bands from top to bottom with a wide gap between them."""
    bands, bottom = list[list[Item]](), 0.0
    for item in sorted(items, key=lambda item: item.y0):
        if not bands or item.y0 - bottom > 0.8 * height:
            bands.append([])
            bottom = item.y1
        bands[-1].append(item)
        bottom = max(bottom, item.y1)
    return bands


def _best_cut(items: Sequence[Item], height: float) -> list[list[Item]] | None:
    """Return the items cut at the best gutter, in the order of reading, or None without one."""
    if len(items) < _MIN_ITEMS:
        return None
    steps = coverage((item.x0, item.x1, item.y1 - item.y0) for item in items)
    most = max(weight for _, weight in steps)
    best, best_size, tried = None, 0, set[float]()
    for share in _MAX_SHARES_OVER:
        for start, end in free_intervals(steps, share * most + 0.01, _MIN_GUTTER * height):
            middle = (start + end) / 2
            if middle in tried or len(tried) >= _MAX_TRIED:
                continue
            tried.add(middle)
            parts, size = _cut_at(items, middle, end - start, height)
            if size > best_size:
                best, best_size = parts, size
        if best:
            break
    return best


def _cut_at(
    items: Sequence[Item], x: float, width: float, height: float
) -> tuple[list[list[Item]], int]:
    """Return the items cut at `x`, and how much it divides (0: no gutter)."""
    over = sorted([i for i in items if i.x0 < x < i.x1], key=lambda i: i.y0 + i.y1)
    middles = [i.y0 + i.y1 for i in over]
    bands: list[tuple[list[Item], list[Item]]] = [([], []) for _ in range(len(over) + 1)]
    at = 0
    for item in sorted(items, key=lambda i: i.y0 + i.y1):
        if item.x0 < x < item.x1:
            continue
        while at < len(middles) and middles[at] < item.y0 + item.y1:
            at += 1
        bands[at][item.x0 >= x].append(item)
    parts, together, divided = list[list[Item]](), list[Item](), 0
    for number, (left, right) in enumerate(bands):
        lines = _divides(left, right, width, height)
        if lines:
            parts += [[*together]] if together else []
            parts += [left, right]
            together, divided = [], divided + lines
        else:
            together += left + right
        together += over[number : number + 1]
    return [*parts, together] if together else parts, divided


def _divides(left: list[Item], right: list[Item], width: float, height: float) -> int:
    """Return how many parts of lines a gutter divides; 0 if it is the gap of a table."""
    if not left or not right:
        return 0
    a, b = (
        lines_of(list(islice((i for i in side if isinstance(i, Run)), _MAX_COMPARED)))
        for side in (left, right)
    )
    counts = sorted((max(len(a), 1), max(len(b), 1)))
    if counts[1] < 3 or (counts[0] < 2 and not (_is_prose(a) or _is_prose(b))):
        return 0
    if counts[0] < _SHORT_LINES and width < _MIN_SHORT_GUTTER * height:
        return 0
    if len(a) != len(left) and len(b) != len(right) and not (a and b):
        return 0
    return 0 if _is_table(a, b, height) else len(left) + len(right)


def _is_table(a: list[Line], b: list[Line], height: float) -> bool:
    """Are the lines on both sides rows of a table?"""
    few, many = sorted((a, b), key=len)
    if not few:
        return False
    aligned = _count_aligned(few, many, height)
    if aligned < 0.7 * len(few):
        return False
    prose = _is_prose(a), _is_prose(b)
    if all(prose):
        return False
    if not any(prose):
        return True
    labels = a if prose[1] else b
    if _is_mostly_values(labels):
        return True
    return not (len(labels) >= 3 and _pitch(labels) <= 1.35 * _pitch(b if prose[1] else a))


def _count_aligned(few: list[Line], many: list[Line], height: float) -> int:
    """Return how many of the lines have another one at the same height."""
    count, at = 0, 0
    for line in few:
        while at < len(many) and many[at].y1 < line.y1 - 0.2 * height:
            at += 1
        count += at < len(many) and abs(many[at].y1 - line.y1) <= 0.2 * height
    return count


def _is_prose(lines: list[Line]) -> bool:
    """Do most lines fill the column, and do sentences run on from line to line?"""
    if len(lines) < 2:
        return False
    texts = [line.text for line in lines]
    if sum(map(len, texts)) < _MIN_PROSE_CHARS * len(lines):
        return False
    runs_on = sum(text[:1].islower() or not text[:1].isascii() for text in texts[1:])
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    full = sum(line.x1 - line.x0 >= 0.7 * (right - left) for line in lines)
    if 4 * runs_on < len(lines) - 1 or 2 * full < len(lines):
        return False
    runs = [run for line in lines for run in line.runs]
    single = sum(len(line.runs) == 1 for line in lines)
    # in columns of their own, or with wide blanks, words go on a sentence, cells do not
    return 2 * single >= len(lines) or 2 * sum(run.text[:1].islower() for run in runs) >= len(runs)


def _is_mostly_values(lines: list[Line]) -> bool:
    return 2 * sum(is_value(line.text) for line in lines) > len(lines)


def _pitch(lines: list[Line]) -> float:
    """Return the usual distance of a line from the next one."""
    return median([b.y1 - a.y1 for a, b in pairwise(lines)] or [0.0])
