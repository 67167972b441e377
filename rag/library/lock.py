"""The writer's lock of a library, an OS lock: it is free again when the process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.disk import permissions
from rag.errors import LibraryBusy


@contextmanager
def writer_lock(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the library in `folder`; raises `LibraryBusy` with who has it after `patience` seconds.

    What an older version left readable for others in the folder no longer is, once its owner writes.
    """
    from filelock import FileLock, Timeout

    held = FileLock(folder / "writer.lock", mode=permissions.FILE)
    holder = folder / "writer.pid"
    try:
        held.acquire(timeout=patience)
    except Timeout:
        who = "another process"
        with suppress(OSError, ValueError):
            who = f"process {int(holder.read_text())}"
        raise LibraryBusy(
            f"{who} is writing to {folder}", "wait for it to end, or stop it"
        ) from None
    try:
        permissions.tighten(folder)
        with (
            suppress(OSError),
            open(holder, "w", opener=permissions.opener) as file,
        ):  # no room for it: the work itself will say so
            file.write(str(os.getpid()))
        yield
    finally:
        held.release()
