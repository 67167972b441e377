"""Errors of the disk and of SQLite in words: the path, the cause and the cure.

SQLite reports "disk I/O error" for a full disk, a missing folder and a failing disk, without naming
the file. This module tells the three apart, in one place for every method of the front door.
"""

from __future__ import annotations

import errno
import inspect
import os
import shlex
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from rag.errors import LibraryBroken, LibraryBusy, LibraryMissing, RagError, Usage

P = ParamSpec("P")
R = TypeVar("R")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
#: messages of Python's sqlite3 module that come without an SQLite error code
_DAMAGED_FILE = ("malformed", "not a database", "decode to UTF-8")
#: messages of SQLite about a damaged schema
_DAMAGED_SCHEMA = (
    "no such table",
    "no such column",
    "no such module",
    "vtable constructor failed",
    "invalid fts5 file format",
)
REPAIR = "run: footnote doctor --repair"
_KEPT = "what was reported as added is in, nothing of the step that failed is"


class _Located(Protocol):
    """A configuration that names the folder of the library."""

    @property
    def folder(self) -> Path: ...


class _Configured(Protocol):
    """A front door: an object with a configuration."""

    @property
    def config(self) -> _Located: ...


S = TypeVar("S", bound=_Configured)


def reports_disk_errors(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate a method of the front door so that disk errors become `RagError`s with a cure.

    The method may return a value or be a generator.
    """

    def guarded(events: Iterator[object], folder: Callable[[], Path]) -> Iterator[object]:
        with disk_errors_named(folder):
            yield from events

    @wraps(method)
    def wrapper(self: S, /, *arguments: P.args, **named: P.kwargs) -> R:
        def folder() -> Path:
            return self.config.folder

        with disk_errors_named(folder):
            result = method(self, *arguments, **named)
        if inspect.isgenerator(result):
            return cast(R, guarded(result, folder))
        return result

    return wrapper


@contextmanager
def disk_errors_named(
    folder: Path | Callable[[], Path], file: str = "library.db"
) -> Iterator[None]:
    """A context that turns errors of SQLite and of the system into `RagError`s.

    `folder` is the library's, or returns it for the message; `file` is the database in it that
    SQLite works on.
    """
    try:
        yield
    except BrokenPipeError:  # the reader of our output has closed it: not a disk error
        raise
    except (sqlite3.Error, OSError, MemoryError) as error:
        where = folder if isinstance(folder, Path) else folder()
        raise describe_disk_error(error, where, file) from error


def describe_disk_error(error: Exception, folder: Path, file: str = "library.db") -> RagError:
    """The error in words, with a cure.

    `folder` is the library's; `file` is the database in it that SQLite works on.
    """
    failure = _Failure(error, folder, file)
    return next(filter(None, (describe(failure) for describe in _DESCRIPTIONS)))


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error with the library's folder and the database file that SQLite works on."""

    error: Exception
    folder: Path
    file: str

    @property
    def message(self) -> str:
        return str(self.error)

    @property
    def number(self) -> int | None:
        """The error number of the system, for an error of the system."""
        return self.error.errno if isinstance(self.error, OSError) else None

    @property
    def filename(self) -> str | None:
        """The path that the system names."""
        name = getattr(self.error, "filename", None)
        return os.fsdecode(name) if isinstance(name, bytes) else name

    def is_sqlite(self, *codes: str) -> bool:
        """Whether SQLite's error name begins with one of `codes`."""
        return _sqlite_name(self.error).startswith(codes)


def _out_of_memory(failure: _Failure) -> RagError | None:
    if not (
        isinstance(failure.error, MemoryError)
        or failure.number == errno.ENOMEM
        or failure.is_sqlite("SQLITE_NOMEM")
    ):
        return None
    return RagError(
        f"{failure.folder}: there is not enough memory for this step; {_KEPT}",
        "close other programs or raise the limit on memory (ulimit -v), then again",
    )


def _bad_folder(failure: _Failure) -> RagError | None:
    """The library's folder is missing, is not a folder, or has a path that is too long."""
    folder = failure.folder
    if blocked := no_folder(folder):
        return blocked
    if failure.number == errno.ENAMETOOLONG:
        return Usage(
            f"the path {folder} is too long for this file system",
            "use a shorter --home or --library",
        )
    if not os.path.isdir(folder) and failure.number not in (*_FULL, *_READ_ONLY):
        return LibraryMissing(
            f"{folder} is gone: it was removed, or its disk was unmounted, "
            f"while it was in use ({failure.message})",
            "put it back, or add the documents again: footnote add FOLDER",
        )
    return None


def _no_space(failure: _Failure) -> RagError | None:
    """The disk is full, or a file would exceed the limit on file sizes."""
    folder = failure.folder
    if (
        failure.is_sqlite("SQLITE_FULL")
        or failure.number in _FULL
        or _contains(failure.message, "No space left", "disk is full")
    ):
        return RagError(
            f"{folder}: the disk is full: {describe_free_space(folder)}; {_KEPT}",
            "make room on that disk, then again",
        )
    if failure.number == errno.EFBIG or "File too large" in failure.message:
        return RagError(
            f"{folder}: a file would be larger than it may be: "
            f"{describe_free_space(folder)}; {_KEPT}",
            "raise the limit on file sizes (ulimit -f), or use a --home on another disk",
        )
    return None


def _too_many_files(failure: _Failure) -> RagError | None:
    if failure.number in (errno.EMFILE, errno.ENFILE) or (
        failure.is_sqlite("SQLITE_CANTOPEN") and _no_descriptor_left()
    ):
        return RagError(
            f"{failure.folder}: too many files are open",
            "raise the limit on open files (ulimit -n), then again",
        )
    return None


def _folder_in_place_of_file(failure: _Failure) -> RagError | None:
    """A folder has the name of the database, of one of its journals, or of a file to be read."""
    database = failure.folder / failure.file
    if failure.is_sqlite("SQLITE_CANTOPEN") and os.path.isdir(database):
        return LibraryBroken(f"{database} is a folder, not a file", REPAIR)
    suspects: list[Path] = []
    if isinstance(failure.error, IsADirectoryError) and failure.filename:
        suspects.append(Path(failure.filename))
    if failure.is_sqlite("SQLITE_CANTOPEN", "SQLITE_IOERR"):
        suspects += [Path(f"{database}{suffix}") for suffix in ("-wal", "-journal")]
    blocking = next(filter(os.path.isdir, suspects), None)
    if blocking is None:
        return None
    move = f"mv {shlex.quote(str(blocking))} {shlex.quote(f'{blocking}.old')}"
    return RagError(f"{blocking} is a folder, not a file", f"move it away: {move}, then again")


def _no_permission(failure: _Failure) -> RagError | None:
    """The user may not read the library, or may not write to it."""
    folder = failure.folder
    if failure.is_sqlite("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH") or failure.number in (
        errno.EACCES,
        errno.EPERM,
    ):
        if failure.number and failure.filename:
            paths = [Path(failure.filename)]
        else:
            paths = [folder, *(folder / f"{failure.file}{end}" for end in ("", "-wal", "-shm"))]
        if unreadable := next(filter(None, map(_unreadable, paths)), None):
            return unreadable
    closed_folder = failure.is_sqlite("SQLITE_CANTOPEN") and not os.access(folder, os.W_OK)
    if closed_folder or failure.is_sqlite("SQLITE_READONLY") or failure.number in _READ_ONLY:
        return RagError(
            f"{failure.filename or folder} cannot be written: {failure.message}",
            f"make {folder} and what is in it writable for you, or use another --home",
        )
    return None


def _failing_disk(failure: _Failure) -> RagError | None:
    if not failure.is_sqlite("SQLITE_IOERR", "SQLITE_CANTOPEN"):
        return None
    return RagError(
        f"{failure.folder}/{failure.file} cannot be read or written: {failure.message}; "
        f"{describe_free_space(failure.folder)}; {_KEPT}",
        "make room on that disk, check that the folder is writable and that nothing limits the "
        "size of files (ulimit -f), then again; a failing disk is reported in the system's log",
    )


def _other(failure: _Failure) -> RagError:
    """Another process, damage, or an error in this program or in the user's input."""
    database = f"{failure.folder}/{failure.file}"
    if failure.is_sqlite("SQLITE_BUSY", "SQLITE_LOCKED"):
        return LibraryBusy(
            f"{database} is in use by another process: {failure.message}",
            "wait for it to end, then again",
        )
    if is_damage(failure.error):
        return LibraryBroken(f"{database} is damaged: {failure.message}", REPAIR)
    if isinstance(failure.error, sqlite3.Error):
        return RagError(
            f"{database}: SQLite refused this request: {failure.message}; "
            "the library is not damaged by it",
            "shorten or change what was typed; "
            "if that does not help, it is an error in this program",
        )
    return RagError(
        f"{failure.filename or failure.folder}: {failure.message or type(failure.error).__name__}",
        "check that path and its disk, then again: footnote doctor",
    )


#: in this order: an earlier cause explains the symptoms of a later one
_DESCRIPTIONS: tuple[Callable[[_Failure], RagError | None], ...] = (
    _out_of_memory,
    _bad_folder,
    _no_space,
    _too_many_files,
    _folder_in_place_of_file,
    _no_permission,
    _failing_disk,
    _other,
)


def is_damage(error: Exception) -> bool:
    """Whether the content of an SQLite file is damaged.

    False for a full or failing disk, a missing permission and an exceeded limit.
    """
    if not isinstance(error, sqlite3.Error):
        return False
    message, name = str(error), _sqlite_name(error)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return True
    return (not name and _contains(message, *_DAMAGED_FILE)) or (
        name in ("", "SQLITE_ERROR") and _contains(message, *_DAMAGED_SCHEMA)
    )


def no_folder(folder: Path) -> Usage | None:
    """An error if a part of the path exists and is not a folder."""
    for path in (folder, *folder.parents):
        try:
            mode = os.stat(path).st_mode  # one look: another process may be making the folder
        except OSError:
            if os.path.islink(path):
                return Usage(
                    f"{path} is a link to nothing",
                    "correct or remove the link, or use another --home",
                )
            continue
        if stat.S_ISDIR(mode):
            return None
        return Usage(f"{path} is a file, not a folder", "move it away, or use another --home")
    return None


def _unreadable(path: Path) -> RagError | None:
    """An error for the first part of `path` that the user may not read; None if there is none."""
    for part in reversed((path, *path.parents)):
        needed = os.R_OK | (os.X_OK if os.path.isdir(part) else 0)
        if part in (path, path.parent):
            if os.path.lexists(part) and not os.access(part, needed):
                return _permission_denied(part)
        elif os.path.isdir(part) and not os.access(part, os.X_OK):
            return _permission_denied(part)
    return None


def _permission_denied(path: Path) -> RagError:
    mode = "u+rwx" if os.path.isdir(path) else "u+rw"
    return RagError(
        f"{path} cannot be read: you have no right to (permission denied); nothing was changed",
        f"give yourself the right: chmod {mode} {shlex.quote(str(path))} (as its owner)",
    )


def _no_descriptor_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


def _sqlite_name(error: Exception) -> str:
    """SQLite's name of the error, such as SQLITE_FULL; "" if there is none."""
    return getattr(error, "sqlite_errorname", "") or ""


def _contains(text: str, *parts: str) -> bool:
    return any(part in text for part in parts)


def describe_free_space(folder: Path) -> str:
    """The free and the needed space in words, in MB: a new index is built next to the old one."""
    try:
        existing = next(path for path in (folder, *folder.parents) if os.path.isdir(path))
        free = shutil.disk_usage(existing).free
        needed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:
        return "the free space is unknown"
    return f"{free / 2**20:,.1f} MB are free, about {max(1.0, needed / 2**20):,.1f} MB are needed"
