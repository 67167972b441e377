"""Replacement of a damaged history by a new one with the turns that can be read.

The new file is completed first, then the old one gets another name, then the new one takes its
place. A failure on the way (a full disk, a missing right) leaves the old file unchanged under its
name. An old file that was kept before is never replaced.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named
from rag.library.history import FILE, TurnRow, create_history, salvage_turns

_NEW = f".{FILE}.new"
#: endings of the files that are needed to read an SQLite database; the last is the file itself
_ENDINGS = ("-journal", "-wal", "")
#: errors of file systems without hard links
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


def replace_history(
    folder: Path,
    salvage: Callable[[Path], list[TurnRow]] = salvage_turns,
) -> tuple[Path | None, int]:
    """Create a new history with the readable turns of the old one, which is damaged or missing.

    `salvage` reads those turns.

    Only for the writer. Returns the new path of the old file (None if there was none) and the
    number of turns. Raises `RagError`; then nothing has changed.
    """
    with disk_errors_named(folder, FILE):
        turns = salvage(folder) if os.path.isfile(folder / FILE) else []
        try:
            _remove_new(folder)
            create_history(folder, turns, _NEW)
            _sync(folder / _NEW)
            return _exchange(folder), len(turns)
        finally:
            with suppress(OSError):
                _remove_new(folder)


def _exchange(folder: Path) -> Path | None:
    """Put the new file in the place of the old one; return the new path of the old one."""
    new, path = folder / _NEW, folder / FILE
    kept = _free_path(folder)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rename(path, kept)
        try:
            os.replace(new, path)
        except OSError:
            os.rename(kept, path)
            raise
        return kept
    present = [ending for ending in _ENDINGS if os.path.lexists(f"{path}{ending}")]
    linked: list[str] = []
    try:
        for ending in present:
            _link(f"{path}{ending}", f"{kept}{ending}")
            linked.append(ending)
        # a journal of the old file would be read as one of the new file
        for ending in ("-shm", *(ending for ending in present if ending)):
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{ending}")
        os.replace(new, path)
    except OSError:
        for ending in linked:
            if not os.path.lexists(f"{path}{ending}"):
                _link(f"{kept}{ending}", f"{path}{ending}")
            os.unlink(f"{kept}{ending}")
        raise
    _sync(folder)
    return kept if present else None


def _free_path(folder: Path) -> Path:
    """A path that neither a file nor a journal of one has."""
    for number in count(1):
        kept = folder / f"history-damaged-{number}.db"
        if not any(os.path.lexists(f"{kept}{ending}") for ending in (*_ENDINGS, "-shm")):
            return kept
    raise AssertionError("numbers do not end")


def _link(old: str, new: str) -> None:
    """Give a file a second name, or copy it if the file system has no hard links.

    Raises `FileExistsError` instead of replacing a file.
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


def _remove_new(folder: Path) -> None:
    """Remove the new file and its journals if they were left."""
    for ending in (*_ENDINGS, "-shm"):
        path = folder / f"{_NEW}{ending}"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        with suppress(FileNotFoundError):
            os.unlink(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
