"""Repair the saved conversations. Only a file that is missing or damaged is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from rag.errors import LibraryBroken, RagError
from rag.events import Event, Repaired
from rag.library.history import FILE, History
from rag.library.replace_history import Disk, replace_history


def repair_history(
    folder: Path,
    open_history: Callable[[Path], History] = History,
    disk: Disk | None = None,
) -> Iterator[Event]:
    """Repair the conversations of the library in `folder`.

    A new file gets what can be read of a damaged one, which is kept beside it. A full disk, a
    missing right or another process is reported, and the file stays as it is. `open_history` opens
    the file, and `disk` exchanges it.
    """
    try:
        with closing(open_history(folder)) as history:
            yield from _repair_turns(history)
    except LibraryBroken as error:
        yield _replaced(folder, error, disk)
    except RagError as error:
        yield Repaired("history", False, str(error), error.cure)


def _replaced(folder: Path, damage: LibraryBroken, disk: Disk | None) -> Repaired:
    """Replace the file of the conversations."""
    try:
        kept, turns = replace_history(folder, disk=disk)
    except RagError as error:
        return Repaired("history", False, f"{damage}; it stays as it is: {error}", error.cure)
    taken = f" with the {turns} questions that could be read" if turns else ""
    rest = f"the damaged file is kept as {kept}" if kept else "nothing of the old file is left"
    return Repaired("history", True, f"{damage}; made anew{taken}, {rest}")


def _repair_turns(history: History) -> Iterator[Event]:
    """Repair indices of SQLite, and remove answers that fail their checksums.

    Raises `LibraryBroken` if SQLite still finds damage afterwards.
    """
    if faults := history.database.failed_pages():
        history.database.reindex()
        if remaining := history.database.failed_pages():
            raise LibraryBroken(f"{FILE}: {remaining[0]}")
        says = f"SQLite's indices did not agree ({faults[0]}); made again from the tables"
        yield Repaired("history", True, says)
    if not history.indexed():
        history.index()
        yield Repaired("history", True, "the index of conversations was missing; made again")
    damaged = history.damaged()
    history.forget(damaged)
    for question in damaged.values():
        says = f"the saved answer to {question!r} was damaged and is removed: ask it again"
        yield Repaired("history", True, says)
