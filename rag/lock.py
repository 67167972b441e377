"""The writer's lock of a library, an OS lock: it is free again when the process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import LibraryBusy


@contextmanager
def lock(folder: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the library in `folder`; raises `LibraryBusy` with who has it after `patience` seconds."""
    from filelock import FileLock, Timeout

    held = FileLock(folder / "writer.lock")
    holder = folder / "writer.pid"
    try:
        held.acquire(timeout=patience)
    except Timeout:
        who = "another process"
        with suppress(OSError, ValueError):
            who = f"process {int(holder.read_text())}"
        raise LibraryBusy(f"{who} is writing to {folder}", "wait for it to end, or stop it") from None
    try:
        with suppress(OSError):  # no room for a number: the work itself will say so
            holder.write_text(str(os.getpid()))
        yield
    finally:
        held.release()
