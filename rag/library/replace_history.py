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
from rag.library.conversations import copy_titles
from rag.library.history import FILE, TurnRow, create_history, salvage_turns

_NEW = f".{FILE}.new"
#: endings of the files that are needed to read an SQLite database; the last is the file itself
_ENDINGS = ("-journal", "-wal", "")
#: errors of file systems without hard links
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


class Disk:
    """The calls of the operating system that exchange the files.

    A class of its own, so that one of them can be made to fail, and what is left be looked at.
    """

    def link(self, old: str, new: str) -> None:
        """Give a file a second name."""
        os.link(old, new)

    def unlink(self, path: str | Path) -> None:
        """Remove a name of a file."""
        os.unlink(path)

    def replace(self, old: Path, new: Path) -> None:
        """Rename a file, over another one if there is one."""
        os.replace(old, new)

    def open(self, path: Path) -> int:
        """Open a file or a folder for reading; return its descriptor."""
        return os.open(path, os.O_RDONLY)

    def fsync(self, descriptor: int) -> None:
        """Write what is in memory of an open file to the disk."""
        os.fsync(descriptor)


def replace_history(
    folder: Path,
    salvage: Callable[[Path], list[TurnRow]] = salvage_turns,
    disk: Disk | None = None,
) -> tuple[Path | None, int]:
    """Create a new history with the readable turns of the old one, which is damaged or missing.

    `salvage` reads those turns; `disk` exchanges the files.

    Only for the writer. Returns the new path of the old file (None if there was none) and the
    number of turns. Raises `RagError`; then nothing has changed.
    """
    disk = disk or Disk()
    with disk_errors_named(folder, FILE):
        turns = salvage(folder) if os.path.isfile(folder / FILE) else []
        try:
            _remove_new(folder, disk)
            create_history(folder, turns, _NEW)
            if turns:
                copy_titles(folder / FILE, folder / _NEW)
            _sync(folder / _NEW, disk)
            return _exchange(folder, disk), len(turns)
        finally:
            with suppress(OSError):
                _remove_new(folder, disk)


def _exchange(folder: Path, disk: Disk) -> Path | None:
    """Put the new file in the place of the old one; return the new path of the old one."""
    new, path = folder / _NEW, folder / FILE
    kept = _free_path(folder)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rename(path, kept)
        try:
            disk.replace(new, path)
        except OSError:
            os.rename(kept, path)
            raise
        return kept
    present = [ending for ending in _ENDINGS if os.path.lexists(f"{path}{ending}")]
    linked: list[str] = []
    try:
        for ending in present:
            _link(f"{path}{ending}", f"{kept}{ending}", disk)
            linked.append(ending)
        # a journal of the old file would be read as one of the new file
        for ending in ("-shm", *(ending for ending in present if ending)):
            with suppress(FileNotFoundError):
                disk.unlink(f"{path}{ending}")
        disk.replace(new, path)
    except OSError:
        for ending in linked:
            if not os.path.lexists(f"{path}{ending}"):
                _link(f"{kept}{ending}", f"{path}{ending}", disk)
            disk.unlink(f"{kept}{ending}")
        raise
    _sync(folder, disk)
    return kept if present else None


def _free_path(folder: Path) -> Path:
    """A path that neither a file nor a journal of one has."""
    for number in count(1):
        kept = folder / f"history-damaged-{number}.db"
        if not any(os.path.lexists(f"{kept}{ending}") for ending in (*_ENDINGS, "-shm")):
            return kept
    raise AssertionError("numbers do not end")


def _link(old: str, new: str, disk: Disk) -> None:
    """Give a file a second name, or copy it if the file system has no hard links.

    Raises `FileExistsError` instead of replacing a file.
    """
    try:
        disk.link(old, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with open(old, "rb") as source, open(new, "xb", opener=permissions.opener) as target:
                shutil.copyfileobj(source, target)
                target.flush()
                disk.fsync(target.fileno())
        except FileExistsError:
            raise
        except OSError:
            with suppress(OSError):
                disk.unlink(new)
            raise


def _remove_new(folder: Path, disk: Disk) -> None:
    """Remove the new file and its journals if they were left."""
    for ending in (*_ENDINGS, "-shm"):
        path = folder / f"{_NEW}{ending}"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        with suppress(FileNotFoundError):
            disk.unlink(path)


def _sync(path: Path, disk: Disk) -> None:
    descriptor = disk.open(path)
    try:
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)
