"""The writer's lock of a library: an OS lock, which is released however the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.disk import permissions
from rag.errors import LibraryBusy

#: has the number of the process that holds the lock, or held it last
_PID_FILE = "writer.pid"


@contextmanager
def writer_lock(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the library in `folder` during the block.

    Raises `LibraryBusy` with the process that has it after `patience` seconds. Also removes the
    rights of others from the folder, which an older version may have left.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "writer.lock", mode=permissions.FILE)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise LibraryBusy(
            f"{_owner(folder)} is writing to {folder}", "wait for it to end, or stop it"
        ) from None
    try:
        permissions.tighten(folder)
        # a full disk is reported by the work that follows
        with suppress(OSError), open(folder / _PID_FILE, "w", opener=permissions.opener) as file:
            file.write(str(os.getpid()))
        yield
    finally:
        lock.release()


def first_documents_awaited(folder: Path, documents: int) -> LibraryBusy | None:
    """Return the error for a question while another process adds the first documents, if one does.

    `documents` are those that are in the library already.
    """
    if not (folder / "writer.lock").exists():
        return None
    try:
        with suppress(OSError), writer_lock(folder, 0):
            pass
    except LibraryBusy:
        added = "1 document is" if documents == 1 else f"{documents:,} documents are"
        return LibraryBusy(
            f"documents are being added by {_owner(folder)}: {added} in so far, and no question "
            "can be answered yet",
            "ask again when it is done",
        )
    return None


def _owner(folder: Path) -> str:
    """The process that holds the lock, in words."""
    with suppress(OSError, ValueError):
        return f"process {int((folder / _PID_FILE).read_text())}"
    return "another process"
