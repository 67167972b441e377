"""Result files (a run, a report, a draft): only an earlier result of the same kind is overwritten.

Call `check_result_path` before the work begins, so that hours of work do not end in a refusal.
`write_result` checks once more, writes a temporary file in the same folder, and renames it. Links,
devices, pipes and folders are refused: a mistyped path could otherwise destroy another file.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rag.errors import Usage

#: says whether a file is an earlier result, which may be replaced
IsEarlierResult = Callable[[Path], bool]


#: names that settings and libraries have; a result under one of them would break a home
_OWN_FILES = {"config.toml", "library.db", "history.db", "calibration.json", "watched.json"}
_OWN_FILES |= {"fingerprints.json"}


def check_result_path(path: str | Path, option: str, known: IsEarlierResult, kind: str) -> Path:
    """The absolute path for a result of `kind` ("a run file"), given with `option`.

    The path must be free, or be a regular file that `known` accepts as an earlier result.
    Raises `Usage` otherwise; changes nothing on the disk.
    """
    cure = f"give {option} the name of a new file"
    if not str(path):
        raise Usage(f"{option} names no file", cure)
    if str(path) == "-":
        raise Usage(
            f"{option} - is not supported: results are written to files",
            f"leave out {option} and add --json, which prints to standard output",
        )
    target = Path(os.path.abspath(os.path.expanduser(path)))
    if target.name in _OWN_FILES:
        raise Usage(f"{target} has the name of a file of Footnote's own", cure)
    try:
        mode = os.lstat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        _require_writable_folder(target, option)
        return target
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise Usage(
            f"{target} cannot be written: {getattr(error, 'strerror', None) or error}", cure
        ) from error
    if not stat.S_ISREG(mode):
        raise Usage(
            f"{target} cannot be written: it is {_file_type(mode)}, and was left as it is", cure
        )
    try:
        is_earlier_result = known(target)
    except OSError as error:
        reason = f"it is there already and cannot be read ({error.strerror})"
        raise Usage(f"{target} cannot be written: {reason}", cure) from error
    if not is_earlier_result:
        reason = f"it is there already, is not {kind}, and was left as it is"
        raise Usage(f"{target} cannot be written: {reason}", f"{cure}, or remove it")
    _require_writable_folder(target, option)
    return target


def never_replace(_: Path) -> bool:
    """False: no file is replaced, not even one of the same kind."""
    return False


def write_result(target: Path, text: str, option: str, known: IsEarlierResult, kind: str) -> None:
    """Write `text` atomically to the path that `check_result_path` returned.

    An earlier file's mode is kept. Raises `Usage`.
    """
    check_result_path(target, option, known, kind)
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(
            prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent
        )  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            with suppress(OSError):
                os.chmod(temporary, stat.S_IMODE(os.lstat(target).st_mode))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = ""
    except OSError as error:
        raise Usage(
            f"{target} cannot be written: {error.strerror or error}",
            f"make room, or give {option} another place; what was done before is kept",
        ) from error
    finally:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)


def begins(path: Path, max_bytes: int = 4096) -> bytes:
    """The first bytes of a regular file. Raises `OSError`, also for any other kind of file."""
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return file.read(max_bytes)


def _require_writable_folder(target: Path, option: str) -> None:
    """Raise `Usage` if the folder of `target` does not accept a new file.

    Only permissions are checked; no file is created.
    """
    folder = target.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    cure = f"give {option} a file in a folder that you may write to"
    if not folder.is_dir():
        raise Usage(f"{target} cannot be written: {folder} is not a folder", cure)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Usage(f"{target} cannot be written: {folder} is not writable", cure)


def _file_type(mode: int) -> str:
    types = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return types.get(stat.S_IFMT(mode), "not a regular file")
