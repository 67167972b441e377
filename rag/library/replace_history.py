"""Begins a damaged history anew: the new file is made whole first, then the old one gets a name of
its own, then they change places.

Whatever fails on the way (a full disk, a missing right) leaves the old file where it was, whole and
under its name. A copy that was kept before is never replaced.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path

from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named
from rag.library.history import FILE, create_history, salvaged

_NEW = f".{FILE}.new"
_ENDS = (
    "-journal",
    "-wal",
    "",
)  # what of an SQLite file is needed to read it; the last is the file itself
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


def replace_history(folder: Path) -> tuple[Path | None, int]:
    """A new history with the turns that can be read of the old one. Only for the writer, where
    the old one is damaged or gone.

    Returns the path that the old file is kept at (None where there was none), and how many
    turns were taken over.
    Raises `RagError`; then nothing has changed.
    """
    with disk_errors_named(folder, FILE):
        turns = salvaged(folder) if os.path.isfile(folder / FILE) else []
        try:
            _clear(folder)
            create_history(folder, turns, _NEW)
            _synced(folder / _NEW)
            return _exchange(folder), len(turns)
        finally:
            with suppress(OSError):
                _clear(folder)


def _exchange(folder: Path) -> Path | None:
    """Put the new file in the place of the old one, which is returned under its new name."""
    new, path = folder / _NEW, folder / FILE
    kept = _free(folder)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rename(path, kept)
        try:
            os.replace(new, path)
        except OSError:
            os.rename(kept, path)
            raise
        return kept
    there = [end for end in _ENDS if os.path.lexists(f"{path}{end}")]
    made: list[str] = []
    try:
        for end in there:
            _also(f"{path}{end}", f"{kept}{end}")
            made.append(end)
        for end in (
            "-shm",
            *there[: -1 if "" in there else None],
        ):  # a journal of the old file would be read as the new one's
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{end}")
        os.replace(new, path)
    except OSError:
        for end in made:
            if not os.path.lexists(f"{path}{end}"):
                _also(f"{kept}{end}", f"{path}{end}")
            os.unlink(f"{kept}{end}")
        raise
    _synced(folder)
    return kept if there else None


def _free(folder: Path) -> Path:
    """A name that neither a file nor a journal of one has."""
    for number in count(1):
        kept = folder / f"history-damaged-{number}.db"
        if not any(os.path.lexists(f"{kept}{end}") for end in (*_ENDS, "-shm")):
            return kept
    raise AssertionError("numbers do not end")


def _also(old: str, new: str) -> None:
    """A second name for a file, or a copy where the file system has no such thing.

    Raises `FileExistsError`, never replaces.
    """
    try:
        os.link(old, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with open(old, "rb") as source, open(new, "xb", opener=permissions.opener) as target:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
        except FileExistsError:
            raise
        except OSError:
            with suppress(OSError):
                os.unlink(new)
            raise


def _clear(folder: Path) -> None:
    for end in (*_ENDS, "-shm"):
        path = folder / f"{_NEW}{end}"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        with suppress(FileNotFoundError):
            os.unlink(path)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
