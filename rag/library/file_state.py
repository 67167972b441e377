"""Says whether the files of passages are as they were when they were read: one `lstat` a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.disk.regular_files import size_and_time
from rag.domain import FileState, Listing, Passage
from rag.library.files import KnownFile, SourceFiles

#: path -> its status; raises `OSError`
Look = Callable[[str], os.stat_result]
#: states whose file is to be read again
STALE = (FileState.CHANGED, FileState.GONE)


def with_file_states(
    files: SourceFiles, passages: Sequence[Passage], look: Look = os.lstat
) -> tuple[Passage, ...]:
    """Return the passages with the state of the file of each. `look` is asked once a file.

    The file of a document in an archive, a mail or a corpus is the one that it lies in.
    """
    looked_at = dict[str, FileState]()  # by path
    marked = []
    for passage in passages:
        rows = files.of_document(passage.chunk.document, passage.chunk.source)
        states = {_state_of(row, looked_at, look) for row in rows}
        best = next((state for state in FileState if state in states), FileState.UNKNOWN)
        marked.append(replace(passage, file=best))
    return tuple(marked)


def state_of_cited(source: str, rows: Sequence[KnownFile]) -> FileState:
    """Return what became of a document that an answer cited as `source`; `rows` are its files.

    It moved if its text is in the library under other names alone, in a file that is the same.
    """
    if not rows:
        return FileState.REMOVED
    looked_at = dict[str, FileState]()
    own = {_state_of(row, looked_at) for row in rows if row.source == source}
    others = {_state_of(row, looked_at) for row in rows if row.source != source}
    if FileState.SAME in own:
        return FileState.SAME
    if FileState.SAME in others:
        return FileState.MOVED
    return FileState.CHANGED if FileState.CHANGED in own | others else FileState.GONE


def listings_with_states(listings: Sequence[Listing], look: Look = os.lstat) -> list[Listing]:
    """Return the entries of a list with the state of the file of each."""
    looked_at = dict[str, FileState]()
    marked = []
    for entry in listings:
        row = KnownFile(
            entry.path,
            entry.source,
            entry.id or None,
            entry.bytes,
            entry.modified,
            "read" if entry.bytes or entry.modified else "",
            entry.reason if entry.id else None,
        )
        marked.append(replace(entry, file=_state_of(row, looked_at, look)))
    return marked


def stale_paths(files: SourceFiles, passages: Sequence[Passage]) -> list[str]:
    """Return the paths of the files that changed or are gone since the passages were read."""
    rows = [
        row
        for passage in passages
        if passage.file in STALE
        for row in files.of_document(passage.chunk.document, passage.chunk.source)
    ]
    return list(dict.fromkeys(row.path for row in rows))


def _state_of(row: KnownFile, looked_at: dict[str, FileState], look: Look = os.lstat) -> FileState:
    """Return the state of a known file; `looked_at` are the states of the paths seen so far."""
    if row.path not in looked_at:
        looked_at[row.path] = _look_at(row, look)
    return looked_at[row.path]


def _look_at(row: KnownFile, look: Look) -> FileState:
    if not row.sha256:  # it is to be read again, and what it was is not known
        return FileState.UNKNOWN
    try:
        status = look(row.path)
    except (FileNotFoundError, NotADirectoryError):
        return FileState.GONE
    except (OSError, ValueError):
        return FileState.UNKNOWN
    if stat.S_ISDIR(status.st_mode):
        return FileState.GONE
    same = (row.size, row.mtime) == size_and_time(status)
    # the record of a file that could not be read again is new, and its document the old one
    return FileState.SAME if same and not row.reason else FileState.CHANGED
