"""Upgrade of tables of an older library, in the transaction that opens it.

Up to format 5 a run of a script without spaces was one word in the table of words. Up to format 3
a document of a corpus or of an archive had one key, ``FILE#NAME``. A file whose path has a '#' can
have the same key. Format 4 keeps the path of the file and the name in it in two columns.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from rag.errors import RagError
from rag.library.database import Database
from rag.library.documents import Documents
from rag.library.files import SourceFiles
from rag.library.fulltext import add_words, remove_words
from rag.library.names import Names
from rag.library.schema import FILES, SELECT_CHUNKS, ChunkRow
from rag.text.unspaced import spaced

#: endings of the files with several documents up to format 3; later formats do not change the list
_CONTAINER_ENDINGS = tuple(
    (
        ".zip .tar .tgz .tbz .tbz2 .txz .tar.gz .tar.bz2 .tar.xz "
        ".jsonl .ndjson .jsonl.gz .ndjson.gz .pdf .epub .pptx .pptm"
    ).split()
)


class _OldFile(NamedTuple):
    """A row of the table of files up to format 3."""

    path: str  #: or FILE#NAME
    source: str
    document: str | None
    size: int
    mtime: int
    sha256: str
    reason: str | None
    cure: str | None


def enter_unspaced_words(database: Database) -> None:
    """Enter the words of chunks in scripts without spaces as format 6 does."""
    db, files = database.connection, SourceFiles(database)
    documents = Documents(database, files, Names(database, files))
    for values in db.execute(f"{SELECT_CHUNKS} ORDER BY document, number"):
        row = ChunkRow(*values)
        try:
            document = documents.load(row.document)
            texts = document.title, row.heading, row.words_of(document)
        except (RagError, TypeError, ValueError, OverflowError):  # a damaged row
            continue
        if any(spaced(text) != text for text in texts):
            remove_words(db, row.number, *texts)
            add_words(db, row.number, *texts)


def split_members(db: sqlite3.Connection) -> None:
    """Split the key of every row of `files` into path and name, unless that is done."""
    if "member" in [row[1] for row in db.execute("PRAGMA table_info(files)")]:
        return
    select = f"SELECT {', '.join(_OldFile._fields)} FROM files"  # noqa: S608
    rows = [_OldFile(*row) for row in db.execute(select)]
    roots = {row[0] for row in db.execute("SELECT path FROM roots")}
    uses = Counter((path, row.sha256) for row in rows for path, _ in _splits(row.path))
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
    row: _OldFile, roots: Collection[str], uses: Counter[tuple[str, str]]
) -> tuple[str, str]:
    """Choose path and name of a row: by the files on the disk, else by roots, else by `uses`.

    `uses` counts the rows that a path and a SHA-256 may belong to.
    """
    readings = [(row.path, ""), *_splits(row.path)]
    stats = [(reading, stat) for reading in readings if (stat := _stat(reading[0])) is not None]
    for reading, stat in stats:
        if (stat.st_size, stat.st_mtime_ns) == (row.size, row.mtime):
            return reading
    if stats:
        return stats[0][0]
    for reading in readings:
        if reading[0] in roots:
            return reading
    shared = [reading for reading in readings[1:] if uses[reading[0], row.sha256] > 1]
    return [*shared, *readings[1:], *readings][0]


def _stat(path: str) -> os.stat_result | None:
    """The file's status, None if it cannot be read."""
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None
