"""The writer's lock of a library: an OS lock, which is released however the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.disk import permissions
from rag.errors import LibraryBusy


@contextmanager
def writer_lock(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the library in `folder` during the block.

    Raises `LibraryBusy` with the process that has it after `patience` seconds. Also removes the
    rights of others from the folder, which an older version may have left.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "writer.lock", mode=permissions.FILE)
    pid_file = folder / "writer.pid"
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        owner = "another process"
        with suppress(OSError, ValueError):
            owner = f"process {int(pid_file.read_text())}"
        raise LibraryBusy(
            f"{owner} is writing to {folder}", "wait for it to end, or stop it"
        ) from None
    try:
        permissions.tighten(folder)
        # a full disk is reported by the work that follows
        with suppress(OSError), open(pid_file, "w", opener=permissions.opener) as file:
            file.write(str(os.getpid()))
        yield
    finally:
        lock.release()
