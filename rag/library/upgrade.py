"""Bring the tables of an older library to the present format, inside the transaction that opens it.

Up to format 3 a document of a corpus or of an archive had one key, ``FILE#NAME``, which a file whose
path has a '#' can have too. Format 4 keeps the file's path and the name in it in two columns.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rag.library.schema import FILES

#: endings of the files that held several documents up to format 3; later formats do not change it
_HOLDS_MANY = tuple(
    ".zip .tar .tgz .tbz .tbz2 .txz .tar.gz .tar.bz2 .tar.xz .jsonl .ndjson .jsonl.gz .ndjson.gz .pdf .epub .pptx .pptm".split()
)


def split_members(db: sqlite3.Connection) -> None:
    """Split the key of every row of `files` into path and name, where it has one key. No row is lost."""
    if "member" in [row[1] for row in db.execute("PRAGMA table_info(files)")]:
        return
    rows = db.execute(
        "SELECT path, source, document, size, mtime, sha256, reason, cure FROM files"
    ).fetchall()
    roots = {row[0] for row in db.execute("SELECT path FROM roots")}
    shared = Counter((path, row[5]) for row in rows for path, _ in _splits(row[0]))
    db.execute("DROP TABLE files")
    for statement in FILES.split(";\n"):
        db.execute(statement)
    for row in rows:
        place = _place(row, roots, shared)
        db.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*place, *row[1:]))


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """The ways to read a key as a file and a name in it; shortest path first."""
    at = key.find("#")
    while at >= 0:
        if key[at + 1 :] and key[:at].lower().endswith(_HOLDS_MANY):
            yield key[:at], key[at + 1 :]
        at = key.find("#", at + 1)


def _place(
    row: Sequence[Any], roots: Collection[str], shared: Counter[tuple[str, str]]
) -> tuple[str, str]:
    """Path and name of a row: by the files on the disk, else by roots and by rows of the same file."""
    key, size, mtime, digest = row[0], row[3], row[4], row[5]
    ways = [(key, ""), *_splits(key)]
    there = [(way, known) for way in ways if (known := _looked_at(way[0])) is not None]
    for way, known in there:
        if (known.st_size, known.st_mtime_ns) == (size, mtime):
            return way
    if there:
        return there[0][0]
    for way in ways:
        if way[0] in roots:
            return way
    several = [way for way in ways[1:] if shared[way[0], digest] > 1]
    return [*several, *ways[1:], *ways][0]


def _looked_at(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None
