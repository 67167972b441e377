"""Files and folders that only their owner may read.

New ones are created so; those that an older version left open can be tightened. The umask of the
process is not changed: each file is created with its mode. A folder that existed before, such as
one given as --home, keeps its permissions. On a file system without permissions nothing is done.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077  # the permission bits of group and others
LIBRARIES = "libraries"  #: the folder in a home that contains one folder for each library


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, for the owner only. Raises `OSError`."""
    for folder in reversed((path, *path.parents)):
        if not os.path.isdir(folder):
            try:
                os.mkdir(folder, FOLDER)
            except FileExistsError:
                if not os.path.isdir(folder):  # else another process was faster
                    raise


def create(path: Path) -> None:
    """Create an empty file for the owner only, if none exists.

    SQLite gives its journals the same permissions.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))


def can_write(path: Path) -> bool:
    """Whether this process may write to a file or folder that exists, by its effective user."""
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.W_OK, effective_ids=effective)


def opener(path: str, flags: int) -> int:
    """An opener for `open` that creates files for the owner only."""
    return os.open(path, flags, FILE)


def open_to_others(folder: Path) -> list[Path]:
    """The paths of a library's folder that this user owns and that others can access.

    Empty if the folder itself is closed to others.
    """
    if os.name == "nt" or not os.path.isdir(folder) or not os.stat(folder).st_mode & _OTHERS:
        return []
    return [path for path in _library_paths(folder) if _open_to_others(path)]


def tighten(folder: Path) -> list[Path]:
    """Remove the permissions of others in a library's folder.

    Returns the paths that could not be changed; raises no error.
    """
    still_open = []
    for path in () if os.name == "nt" else filter(_open_to_others, _library_paths(folder)):
        with suppress(OSError):
            os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) & ~_OTHERS)
        if _open_to_others(path):
            still_open.append(path)
    return still_open


def _library_paths(folder: Path) -> Iterator[Path]:
    if folder.parent.name == LIBRARIES:
        yield folder.parent
    if os.path.isdir(folder):
        yield folder
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)


def _open_to_others(path: Path) -> bool:
    try:
        status = os.lstat(path)
    except OSError:  # it was removed meanwhile
        return False
    file_or_folder = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return file_or_folder and bool(status.st_mode & _OTHERS) and status.st_uid == os.getuid()
