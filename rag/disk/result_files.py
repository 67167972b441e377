"""Result files (a run, a report, a draft): nothing is written over but an older result of the same kind.

`check` is asked before the work begins, so that hours of work do not end in a refusal; `write` asks once more, writes beside
the file, and renames. Links, devices, pipes and folders are refused: through a link or as root, a slip would hit another file.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rag.errors import Usage

IsEarlierResult = Callable[[Path], bool]  #: is this file an earlier result, which may be replaced?


def check_result_path(path: str | Path, option: str, known: IsEarlierResult, kind: str) -> Path:
    """The absolute path for a result of `kind` ("a run file"), given with `option`. Raises `Usage`, and changes nothing.

    There is nothing at the path, or a regular file that `known` takes for an earlier result.
    """
    elsewhere = f"give {option} the name of a new file"
    if not str(path):
        raise Usage(f"{option} names no file", elsewhere)
    if str(path) == "-":
        raise Usage(f"{option} - is not supported: results are written to files", f"leave out {option} and add --json, which prints to standard output")  # fmt: skip
    place = Path(os.path.abspath(os.path.expanduser(path)))
    try:
        mode = os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        _creatable(place, option)
        return place
    except (OSError, ValueError) as error:  # ValueError: a zero in the name
        raise Usage(
            f"{place} cannot be written: {getattr(error, 'strerror', None) or error}", elsewhere
        ) from error
    if not stat.S_ISREG(mode):
        raise Usage(
            f"{place} cannot be written: it is {_what(mode)}, and was left as it is", elsewhere
        )
    try:
        ours = known(place)
    except OSError as error:
        raise Usage(
            f"{place} cannot be written: it is there already and cannot be read ({error.strerror})",
            elsewhere,
        ) from error
    if not ours:
        raise Usage(
            f"{place} cannot be written: it is there already, is not {kind}, and was left as it is",
            f"{elsewhere}, or remove it",
        )
    _creatable(place, option)
    return place


def never_replace(_: Path) -> bool:
    """No file is replaced, not even one of the same kind."""
    return False


def write_result(place: Path, text: str, option: str, known: IsEarlierResult, kind: str) -> None:
    """Write `text` to the path that `check` gave, whole or not at all; an older file's mode is kept. Raises `Usage`."""
    check_result_path(place, option, known, kind)
    beside = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(
            prefix=f".{place.name[:100]}.", suffix=".tmp", dir=place.parent
        )  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            with suppress(OSError):
                os.chmod(beside, stat.S_IMODE(os.lstat(place).st_mode))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, place)
        beside = ""
    except OSError as error:
        why = f"{place} cannot be written: {error.strerror or error}"
        raise Usage(
            why, f"make room, or give {option} another place; what was done before is kept"
        ) from error
    finally:
        if beside:
            with suppress(OSError):
                os.unlink(beside)


def begins(path: Path, most: int = 4096) -> bytes:
    """The first bytes of a regular file. Raises `OSError`, also for what is no regular file."""
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return file.read(most)


def _creatable(place: Path, option: str) -> None:
    """Raises `Usage` where no file can be made in the folder of `place`, as far as can be told without making one."""
    folder = place.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    cure = f"give {option} a file in a folder that you may write to"
    if not folder.is_dir():
        raise Usage(f"{place} cannot be written: {folder} is not a folder", cure)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Usage(f"{place} cannot be written: {folder} is not writable", cure)


def _what(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), "not a regular file")
