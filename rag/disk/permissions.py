"""Files and folders that only their owner may read: made so, and tightened where an older version
left them open.

Nothing here changes the umask of the process: each file is created with its mode. A folder that was
there before, such as one given as --home, keeps its rights. Where a file system has no rights,
nothing is done.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077  # what group and others may do
LIBRARIES = "libraries"  #: the folder in a home that holds a folder for each library


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone. Raises `OSError`."""
    for place in reversed((path, *path.parents)):
        if not os.path.isdir(place):
            try:
                os.mkdir(place, FOLDER)
            except FileExistsError:
                if not os.path.isdir(place):  # else another process was faster
                    raise


def create(path: Path) -> None:
    """Make an empty file for this user alone, where there is none.

    SQLite gives its journals the same rights.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))


def opener(path: str, flags: int) -> int:
    """For `open`: a file that is made is for this user alone."""
    return os.open(path, flags, FILE)


def open_to_others(folder: Path) -> list[Path]:
    """What of a library's folder others can get at, of all that this user owns; nothing where the
    folder itself is closed."""
    if os.name == "nt" or not os.path.isdir(folder) or not os.stat(folder).st_mode & _OTHERS:
        return []
    return [path for path in _places(folder) if _open_to_others(path)]


def tighten(folder: Path) -> list[Path]:
    """Take from others what they may do in a library's folder.

    Returns what they still may: no error is raised.
    """
    left = []
    for path in () if os.name == "nt" else filter(_open_to_others, _places(folder)):
        with suppress(OSError):
            os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) & ~_OTHERS)
        if _open_to_others(path):
            left.append(path)
    return left


def _places(folder: Path) -> Iterator[Path]:
    if folder.parent.name == LIBRARIES:
        yield folder.parent
    if os.path.isdir(folder):
        yield folder
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(place, name)


def _open_to_others(path: Path) -> bool:
    try:
        found = os.lstat(path)
    except OSError:  # it is gone by now
        return False
    kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return kind and bool(found.st_mode & _OTHERS) and found.st_uid == os.getuid()
