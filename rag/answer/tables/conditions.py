"""Finds the values of a table's cells that a question names: conditions on rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table

_MAX_CONDITIONS = 10


@dataclass(frozen=True, slots=True)
class Condition:
    """A value that the question names, and the rows that have it in a column."""

    column: int  #: index into `Table.headers`
    places: frozenset[int]  #: positions of the words that name it, in `TableQuestion.words`
    whole: bool  #: the words are the whole cell
    rows: tuple[int, ...]  #: indices into `Table.rows`


def find_conditions(asked: TableQuestion, table: Table) -> list[Condition]:
    """Return the values of cells that the question names, at most ten.

    Those of most words come first.
    """
    found = list[Condition]()
    for column in range(len(table.headers)):
        found += _conditions_in(asked, table, column)
    found.sort(key=lambda c: (-len(c.places & asked.content), not c.whole, len(c.rows)))
    return found[:_MAX_CONDITIONS]


def _conditions_in(asked: TableQuestion, table: Table, column: int) -> Iterator[Condition]:
    """The conditions on one column; a run of words inside a longer one is left out."""
    runs = dict[tuple[frozenset[int], bool], list[int]]()
    known = dict[tuple[str, ...], list[tuple[frozenset[int], bool]]]()
    for row, cells in enumerate(table.stems):
        stems = cells[column]
        if stems not in known:
            known[stems] = _runs(asked, stems)
        for key in known[stems]:
            runs.setdefault(key, []).append(row)
    longest = [places for places, _ in runs if not any(places < other for other, _ in runs)]
    for places in dict.fromkeys(longest):
        whole, part = runs.get((places, True), []), runs.get((places, False), [])
        if whole:
            yield Condition(column, places, True, tuple(whole))
        if part:
            yield Condition(column, places, False, tuple(sorted(whole + part)))


def _runs(asked: TableQuestion, stems: tuple[str, ...]) -> list[tuple[frozenset[int], bool]]:
    """The longest runs of words of the question that a cell has, and whether it has no more."""
    own, named = set(stems), asked.named
    places = sorted({at for stem in own if stem in named for at in named[stem]})
    if not places:
        return []
    runs, run = list[list[int]](), [places[0]]
    for at in places[1:]:
        if at == run[-1] + 1:
            run.append(at)
        else:
            runs.append(run)
            run = [at]
    runs.append(run)
    good = [run for run in runs if asked.content.intersection(run)]
    trimmed = [_trimmed(asked, run) for run in good]
    most = max((len(run) for run in trimmed), default=0)
    return [(frozenset(run), _covers(own, run, named)) for run in trimmed if len(run) == most]


def _covers(own: set[str], run: list[int], named: dict[str, list[int]]) -> bool:
    """Tell whether each word of a cell stands in a run of words of the question."""
    return all(any(at in run for at in named.get(stem, ())) for stem in own)


def _trimmed(asked: TableQuestion, run: list[int]) -> list[int]:
    """A run without function words at its ends."""
    start, end = 0, len(run)
    while run[start] not in asked.content:
        start += 1
    while run[end - 1] not in asked.content:
        end -= 1
    return run[start:end]
