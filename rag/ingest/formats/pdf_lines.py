"""Lines of a page: words that stand beside each other, and the columns that lines share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from rag.ingest.formats.pdf_words import Word

#: distances, in heights of a line: words further apart are two runs, where some are nearer,
_RUN_GAP, _MAX_USUAL_GAP, _TIMES_USUAL = 0.5, 1.2, 1.6
#: feet of one line are no further apart,
_FOOT = 0.3
#: and columns are no nearer
_COLUMN_GAP = 0.3


class Run(NamedTuple):
    """Words of one line without a gap, or a whole line."""

    x0: float
    y0: float
    x1: float
    y1: float
    words: tuple[Word, ...]
    text: str  #: the words with a blank between them

    @property
    def height(self) -> float:
        return self.y1 - self.y0


class Line(NamedTuple):
    """Runs at the same height, from left to right."""

    x0: float
    y0: float
    x1: float
    y1: float
    runs: tuple[Run, ...]
    parts: tuple[Run, ...]  #: the runs before those without a gap were joined
    height: float  #: of its words

    @property
    def text(self) -> str:
        """The words with a blank between them."""
        runs = self.runs
        return runs[0].text if len(runs) == 1 else " ".join([run.text for run in runs])


def run_gap(words: Sequence[Word]) -> float:
    """Return the gap that divides runs of a page, in heights; more in a font of wide blanks."""
    gaps = sorted(
        gap
        for a, b in pairwise(words)
        if a.y1 == b.y1 and 0 < (gap := (b.x0 - a.x1) / (a.y1 - a.y0 or 1)) < _MAX_USUAL_GAP
    )
    return max(_RUN_GAP, _TIMES_USUAL * gaps[len(gaps) // 10]) if len(gaps) > 8 else _RUN_GAP


def runs_of(words: Iterable[Word], gap: float = _RUN_GAP) -> list[Run]:
    """Return words that follow each other in the file and on the page as runs."""
    runs, current = list[Run](), list[Word]()
    end, foot, height = 0.0, 0.0, 0.0  #: of the word before
    for word in words:
        x0, y0, x1, y1, _ = word
        if current and not (
            abs(y1 - foot) <= _FOOT * height and -_FOOT * height <= x0 - end <= gap * height
        ):
            runs.append(_run(current))
            current = []
        current.append(word)
        end, foot, height = x1, y1, y1 - y0
    if current:
        runs.append(_run(current))
    return runs


def _run(words: Sequence[Word]) -> Run:
    if len(words) == 1:
        return Run(*words[0][:4], (words[0],), words[0].text)
    lefts, tops, rights, bottoms, texts = zip(*words, strict=True)
    return Run(lefts[0], min(tops), max(rights), max(bottoms), tuple(words), " ".join(texts))


def lines_of(runs: Iterable[Run], gap: float = _RUN_GAP) -> list[Line]:
    """Return the runs as lines from top to bottom; those of a line without a gap are one run."""
    rows, top, bottom = list[list[Run]](), 0.0, 0.0
    for run in sorted(runs, key=lambda run: run.y0 + run.y1):
        middle = (run.y0 + run.y1) / 2
        small = min(run.height, bottom - top)
        if rows and top < middle < bottom and abs(middle - (top + bottom) / 2) <= 0.5 * small:
            rows[-1].append(run)
            if run.height > bottom - top:
                top, bottom = run.y0, run.y1
        else:
            rows.append([run])
            top, bottom = run.y0, run.y1
    return [_line(row, gap) for row in rows]


def _line(row: list[Run], gap: float) -> Line:
    row.sort()
    if len(row) == 1:
        return Line(*row[0][:4], (row[0],), (row[0],), _height(row))
    runs = [row[0]]
    for run in row[1:]:
        last = runs[-1]
        if run.x0 - last.x1 <= gap * min(run.height, last.height):
            runs[-1] = _run([*last.words, *run.words])
        else:
            runs.append(run)
    return Line(
        min([run.x0 for run in runs]),
        min([run.y0 for run in runs]),
        max([run.x1 for run in runs]),
        max([run.y1 for run in runs]),
        tuple(runs),
        tuple(row),
        _height(row),
    )


def _height(row: Sequence[Run]) -> float:
    """Return the height of most letters of a line."""
    first = row[0].words[0]
    height = row[0].y1 - row[0].y0
    if len(row[0].words) == 1 or first.y1 - first.y0 == height:
        for run in row:
            if run.y1 - run.y0 != height:
                break
        else:
            return height
    letters = Counter[float]()
    for run in row:
        for word in run.words:
            letters[word.y1 - word.y0] += len(word.text)
    return letters.most_common(1)[0][0]


def line_height(items: Sequence[Run] | Sequence[Line]) -> float:
    """Return the usual height of a line, at least 1."""
    return max(1.0, median([item.height for item in items])) if items else 1.0


def coverage(intervals: Iterable[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return where the weight that covers a place changes, and the weight from there on.

    An interval is its ends and its weight.
    """
    changes = list[tuple[float, float]]()
    for start, end, weight in intervals:
        changes += [(start, -weight), (end, weight)]  # at one place, the beginnings come first
    changes.sort()
    total, steps = 0.0, list[tuple[float, float]]()
    for place, change in changes:
        total -= change
        steps.append((place, total))
    return steps


def free_intervals(
    steps: Sequence[tuple[float, float]], most: float, width: float
) -> list[tuple[float, float]]:
    """Return the gaps of at least `width` where the weight is at most `most`, with more around."""
    gaps, start, is_free = [], 0.0, False
    for place, weight in steps[:-1]:
        if weight <= most:
            if not is_free:
                start, is_free = place, True
        elif is_free:
            is_free = False
            if place - start >= width and start > steps[0][0]:
                gaps.append((start, place))
    return gaps


def columns_of(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Return the columns that the runs of `lines` stand in, from left to right.

    A gap between columns is free in all lines but some, which may have a heading over several.
    """
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    steps = coverage((run.x0, run.x1, 1.0) for line in lines for run in line.runs)
    allowed = max(len(lines) // 8, len(lines) >= 4)
    gaps = free_intervals(steps, allowed + 0.5, _COLUMN_GAP * line_height(lines))
    edges = [left, *(edge for gap in gaps for edge in gap), right]
    return list(zip(edges[::2], edges[1::2], strict=True))


def cells_of(line: Line, columns: Sequence[tuple[float, float]]) -> list[str]:
    """Return the text of `line` in each of `columns`.

    A run over several columns is in the first of them, if it has no blank between them.
    """
    cells = [""] * len(columns)
    for run in line.runs:
        within = [n for n, (a, b) in enumerate(columns) if run.x0 < b and run.x1 > a] or [
            min(range(len(columns)), key=lambda n: abs(columns[n][0] - run.x0))
        ]
        if len(within) == 1 or not _splits(run, [columns[n] for n in within]):
            cells[within[0]] = f"{cells[within[0]]} {run.text}".strip()
            continue
        for word in run.words:
            middle = (word.x0 + word.x1) / 2
            at = min(within, key=lambda n: max(columns[n][0] - middle, middle - columns[n][1]))
            cells[at] = f"{cells[at]} {word.text}".strip()
    return cells


def _splits(run: Run, columns: Sequence[tuple[float, float]]) -> bool:
    """Is each gap between `columns` between two words of the run, and no word over it?"""
    gaps = [(a[1], b[0]) for a, b in pairwise(columns)]
    return all(
        all(word.x1 <= end + 1 or word.x0 >= start - 1 for word in run.words)
        and not any(word.x0 < start - 1 and word.x1 > end + 1 for word in run.words)
        for start, end in gaps
    )
