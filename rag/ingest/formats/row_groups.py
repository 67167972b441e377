"""Rows of a table that name the rows below them: one text in the first column, and no values.

    Region | 2023 | 2024
    Men                         names a group
    North  |   12 |   14
    Women                       names the next group
    North  |   11 |   13

A row without values may also be one whose values are missing. It names a group only if the table
says so: the rows of one group have the keys of another one, each such row ends with a colon, or the
table begins with one and all other rows are full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice

from rag.text.header_rows import filled, is_value

#: columns from which a single text in a row is told from a row of a short table
_MIN_COLUMNS = 3
#: rows that are looked at to tell whether there are groups
_ROWS_LOOKED_AT = 2000
_MAX_LABEL_CHARS = 80
#: levels of groups in each other
_MAX_LEVELS = 3


def is_lone_text(row: Sequence[str]) -> bool:
    """Has the row one text, in its first column?"""
    return bool(row and row[0]) and not any(row[1:]) and not is_value(row[0])


def has_groups(rows: Sequence[Sequence[str]]) -> bool:
    """Do the lone texts in `rows`, which are below the header, name the rows below them?"""
    full = [row for row in rows if filled(row)]
    lone = [is_lone_text(row) for row in full]
    width = max((len(filled(row)) for row in full), default=0)
    if width < _MIN_COLUMNS or sum(lone) < 2 or lone[-1] or 2 * sum(lone) > len(full):
        return False
    labels = [row[0] for row, is_lone in zip(full, lone, strict=True) if is_lone]
    if all(label.endswith(":") for label in labels):
        return True
    below = [row for row, is_lone in zip(full, lone, strict=True) if not is_lone]
    if lone[0] and all(len(filled(row)) == width for row in below):
        return True
    return _repeats_keys(full, lone)


def _repeats_keys(rows: Sequence[Sequence[str]], lone: Sequence[bool]) -> bool:
    """Are half of the keys those of rows in another group, and none twice in one group?"""
    groups = list[list[str]]()
    for is_lone, run in groupby(zip(rows, lone, strict=True), key=lambda pair: pair[1]):
        if not is_lone:
            groups.append([row[0] for row, _ in run if row and row[0]])
    keys = [key for group in groups for key in group]
    if len(groups) < 2 or any(len(set(group)) < len(group) for group in groups):
        return False
    return 2 * len(set(keys)) <= len(keys) + len(keys) % 2


def with_groups(rows: Iterator[list[str]]) -> Iterator[tuple[list[str], str | None]]:
    """Yield the rows below a header, each with the names of its groups; with None if it is a name.

    Names that follow each other are levels, from the outer to the inner one. A name replaces as
    many of the inner levels as there are names in its place.
    """
    first = list(islice(rows, _ROWS_LOOKED_AT))
    if not has_groups(first):
        yield from ((row, "") for row in chain(first, rows))
        return
    names, run = list[str](), list[str]()
    for row in chain(first, rows):
        if is_lone_text(row):
            run.append(row[0][:_MAX_LABEL_CHARS].rstrip(" :"))
            yield row, None
            continue
        if run and filled(row):
            names = [*names[: max(0, len(names) - len(run))], *run][-_MAX_LEVELS:]
            run = []
        yield row, " / ".join(names)
