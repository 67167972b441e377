"""Tables of a page with rules around their cells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from rag.ingest.formats.pdf_lines import lines_of, runs_of
from rag.ingest.formats.pdf_tables import Table
from rag.ingest.formats.pdf_words import Rule, Word
from rag.text.header_rows import is_value

#: points within which edges of rules are one
_TOUCH = 3.0
#: points of the least length of a rule that divides rows without a grid
_MIN_DIVIDER = 30.0
#: places where rules of a page may cross, and rows or columns of one grid
_MAX_CROSSINGS, _MAX_EDGES = 40_000, 400
#: characters that the cells have on average at most; more are a frame around text
_MAX_CELL_CHARS = 250


def ruled_tables(
    words: Sequence[Word], rules: Sequence[Rule]
) -> tuple[list[Table], list[Word], list[float]]:
    """Return the tables in grids of rules, the other words, and the heights of lone rules."""
    across = _joined([rule for rule in rules if rule.y1 - rule.y0 <= _TOUCH])
    down = [_turn(r) for r in _joined([_turn(r) for r in rules if r.x1 - r.x0 <= _TOUCH])]
    heights = sorted({rule.y0 for rule in across if rule.x1 - rule.x0 > _MIN_DIVIDER})[:_MAX_EDGES]
    if len(across) < 3 or len(down) < 2 or len(across) * len(down) > _MAX_CROSSINGS:
        return [], list(words), heights
    tables, rest = list[Table](), list(words)
    for grid_across, grid_down in _grids(across, down):
        table, others = _ruled_table(rest, grid_across, grid_down)
        if table:
            tables.append(table)
            rest = others
    return tables, rest, heights


def _turn(rule: Rule) -> Rule:
    """Return the rule with x and y exchanged."""
    return Rule(rule.y0, rule.x0, rule.y1, rule.x1)


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules along `x`, those that go on each other as one."""
    joined = list[Rule]()
    for rule in sorted(rules, key=lambda rule: (round(rule.y0), rule.x0)):
        last = joined[-1] if joined else None
        if last and abs(last.y0 - rule.y0) <= 1 and rule.x0 <= last.x1 + _TOUCH:
            joined[-1] = last._replace(x1=max(last.x1, rule.x1))
        else:
            joined.append(rule)
    return joined


def _grids(across: Sequence[Rule], down: Sequence[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Yield the rules that are connected with each other."""
    group_of = list(range(len(across) + len(down)))  # a tree of groups

    def root(number: int) -> int:
        while group_of[number] != number:
            group_of[number] = group_of[group_of[number]]
            number = group_of[number]
        return number

    for n, flat in enumerate(across):
        for m, steep in enumerate(down, len(across)):
            if (
                flat.x0 - _TOUCH <= steep.x0 <= flat.x1 + _TOUCH
                and steep.y0 - _TOUCH <= flat.y0 <= steep.y1 + _TOUCH
            ):
                group_of[root(n)] = root(m)
    grids: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for number, rule in enumerate([*across, *down]):
        grids.setdefault(root(number), ([], []))[number >= len(across)].append(rule)
    for flats, steeps in grids.values():
        if len(flats) >= 3 and len(steeps) >= 2:
            yield flats, steeps


def _ruled_table(
    words: list[Word], across: Sequence[Rule], down: Sequence[Rule]
) -> tuple[Table | None, list[Word]]:
    """Return the table in a grid of rules, and the words outside of it."""
    xs = _merged(value for rule in down for value in (rule.x0,))
    ys = _merged(value for rule in across for value in (rule.y0,))
    if not (3 <= len(xs) <= _MAX_EDGES and 3 <= len(ys) <= _MAX_EDGES):
        return None, words
    cells: dict[tuple[int, int], list[Word]] = {}
    edges = _by_edge(down, xs)
    rest = list[Word]()
    before: tuple[int, int, Word] | None = None  # cell of the last word
    for word in words:
        x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
        if not (xs[0] <= x < xs[-1] and ys[0] <= y < ys[-1]):
            rest.append(word)
            before = None
            continue
        row, column = bisect_right(ys, y) - 1, bisect_right(xs, x) - 1
        if before and before[0] == row and before[1] < column and _follows(before[2], word):
            passed = range(before[1] + 1, column + 1)
            if not any(_is_crossed(edges.get(edge, ()), y) for edge in passed):
                column = before[1]  # in a cell over several columns
        before = row, column, word
        cells.setdefault((row, column), []).append(word)
    texts = {place: _cell_text(found) for place, found in cells.items()}
    size = (len(ys) - 1) * (len(xs) - 1)
    if (
        len(texts) < max(4, 0.3 * size)
        or sum(map(len, texts.values())) > _MAX_CELL_CHARS * len(texts)
        or len({row for row, _ in texts}) < 2
        or len({column for _, column in texts}) < 2
    ):
        return None, words
    rows = [[texts.get((r, c), "") for c in range(len(xs) - 1)] for r in range(len(ys) - 1)]
    _fill_down(rows, xs, ys, across)
    _fill_right(rows, xs, ys, down)
    filled = tuple(
        tuple(line)
        for number, row in enumerate(rows)
        if any(row)
        for line in _lines_of_row(row, [cells.get((number, c), []) for c in range(len(row))])
    )
    return Table(xs[0], ys[0], xs[-1], ys[-1], filled, tuple(xs[:-1])), rest


def _lines_of_row(row: list[str], words: Sequence[list[Word]]) -> list[list[str]]:
    """Return the rows that stand in one row of a grid: one, or one for each of its lines.

    Each line is a row if most columns have as many lines, and one of them has a value in each.
    """
    if all(_is_one_line(found) for found in words[1:]):
        return [row]
    columns = [_cell_lines(found) for found in words]
    filled = [column for column in columns if column]
    count = len(columns[0]) or max(map(len, columns))
    same = [column for column in filled if len(column) == count]
    if count < 2 or len(same) < max(2, 0.6 * len(filled)):
        return [row]
    if not any(all(map(is_value, column)) for column in same if column is not columns[0]):
        return [row]
    return [
        [
            column[number] if len(column) == count else (whole if number == 0 else "")
            for column, whole in zip(columns, row, strict=True)
        ]
        for number in range(count)
    ]


def _cell_text(words: list[Word]) -> str:
    return " ".join(_cell_lines(words))


def _cell_lines(words: list[Word]) -> list[str]:
    """Return the lines of a cell."""
    if _is_one_line(words):
        return [" ".join([word.text for word in words])] if words else []
    return [line.text for line in lines_of(runs_of(words))]


def _is_one_line(words: list[Word]) -> bool:
    """Do the words stand on one line, in order?"""
    return all(a.y1 == b.y1 and a.x1 <= b.x0 for a, b in pairwise(words))


def _merged(values: Iterable[float]) -> list[float]:
    """Return the values in order, those that touch as one."""
    merged = list[float]()
    for value in sorted(values):
        if not merged or value - merged[-1] > _TOUCH:
            merged.append(value)
    return merged


def _fill_down(
    rows: list[list[str]], xs: Sequence[float], ys: Sequence[float], across: Sequence[Rule]
) -> None:
    """Fill a cell that goes over several rows into each of them."""
    by_height: dict[int, list[Rule]] = {}
    for rule in across:
        at = bisect_right(ys, rule.y0 + _TOUCH) - 1
        by_height.setdefault(at, []).append(rule)
    for number in range(1, len(rows)):
        edges = by_height.get(number, [])
        for column in range(len(xs) - 1):
            middle = (xs[column] + xs[column + 1]) / 2
            if not any(rule.x0 <= middle <= rule.x1 for rule in edges):
                above, own = rows[number - 1][column], rows[number][column]
                if above and not own:
                    rows[number][column] = above


def _fill_right(
    rows: list[list[str]], xs: Sequence[float], ys: Sequence[float], down: Sequence[Rule]
) -> None:
    """Fill a cell that goes over several columns into each of them, but for a title."""
    edges = _by_edge(down, xs)
    for number, row in enumerate(rows):
        if len(set(filter(None, row))) < 2:
            continue
        middle = (ys[number] + ys[number + 1]) / 2
        for column in range(1, len(row)):
            is_open = not _is_crossed(edges.get(column, ()), middle)
            if is_open and row[column - 1] and not row[column]:
                row[column] = row[column - 1]


def _by_edge(down: Sequence[Rule], xs: Sequence[float]) -> dict[int, list[Rule]]:
    """Return the rules at the left of each column."""
    edges: dict[int, list[Rule]] = {}
    for rule in down:
        edges.setdefault(bisect_right(xs, rule.x0 + _TOUCH) - 1, []).append(rule)
    return edges


def _is_crossed(rules: Iterable[Rule], y: float) -> bool:
    return any(rule.y0 <= y <= rule.y1 for rule in rules)


def _follows(word: Word, after: Word) -> bool:
    height = word.y1 - word.y0
    return abs(word.y1 - after.y1) <= 0.3 * height and 0 <= after.x0 - word.x1 <= 0.5 * height
