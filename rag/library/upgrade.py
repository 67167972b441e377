"""Upgrade of the table of files of an older library, in the transaction that opens it.

Up to format 3 a document of a corpus or of an archive had one key, ``FILE#NAME``. A file whose
path has a '#' can have the same key. Format 4 keeps the path of the file and the name in it in two
columns.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rag.library.schema import FILES

#: endings of the files with several documents up to format 3; later formats do not change the list
_CONTAINER_ENDINGS = tuple(
    (
        ".zip .tar .tgz .tbz .tbz2 .txz .tar.gz .tar.bz2 .tar.xz "
        ".jsonl .ndjson .jsonl.gz .ndjson.gz .pdf .epub .pptx .pptm"
    ).split()
)


def split_members(db: sqlite3.Connection) -> None:
    """Split the key of every row of `files` into path and name, unless that is done."""
    if "member" in [row[1] for row in db.execute("PRAGMA table_info(files)")]:
        return
    rows = db.execute(
        "SELECT path, source, document, size, mtime, sha256, reason, cure FROM files"
    ).fetchall()
    roots = {row[0] for row in db.execute("SELECT path FROM roots")}
    uses = Counter((path, row[5]) for row in rows for path, _ in _splits(row[0]))
    db.execute("DROP TABLE files")
    for statement in FILES.split(";\n"):
        db.execute(statement)
    for row in rows:
        place = _choose_place(row, roots, uses)
        db.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*place, *row[1:]))


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """Yield each reading of a key as (path, name in it), shortest path first."""
    position = key.find("#")
    while position >= 0:
        if key[position + 1 :] and key[:position].lower().endswith(_CONTAINER_ENDINGS):
            yield key[:position], key[position + 1 :]
        position = key.find("#", position + 1)


def _choose_place(
    row: Sequence[Any], roots: Collection[str], uses: Counter[tuple[str, str]]
) -> tuple[str, str]:
    """Choose path and name of a row: by the files on the disk, else by roots, else by `uses`.

    `uses` counts the rows that a path and a SHA-256 may belong to.
    """
    key, size, mtime, digest = row[0], row[3], row[4], row[5]
    readings = [(key, ""), *_splits(key)]
    stats = [(reading, stat) for reading in readings if (stat := _stat(reading[0])) is not None]
    for reading, stat in stats:
        if (stat.st_size, stat.st_mtime_ns) == (size, mtime):
            return reading
    if stats:
        return stats[0][0]
    for reading in readings:
        if reading[0] in roots:
            return reading
    shared = [reading for reading in readings[1:] if uses[reading[0], digest] > 1]
    return [*shared, *readings[1:], *readings][0]


def _stat(path: str) -> os.stat_result | None:
    """The file's status, None if it cannot be read."""
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None
