"""Errors of the disk and of SQLite as sentences: which path, what is missing, what to do.

SQLite says "disk I/O error" of a full disk, of a folder that is gone and of a failing one; the file it means it does not
say. Here the three are told apart, once, for everything that the front door does.
"""

from __future__ import annotations

import errno
import inspect
import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import LibraryBroken, LibraryBusy, LibraryMissing, RagError, Usage

M = TypeVar("M", bound=Callable[..., Any])
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_WRONG = (
    "malformed",
    "not a database",
    "decode to UTF-8",
)  # said by Python's module without a code of SQLite's
_LOST = (
    "no such table",
    "no such column",
    "no such module",
    "vtable constructor failed",
    "invalid fts5 file format",
)
REPAIR = "run: footnote doctor --repair"


def reports_disk_errors(method: M) -> M:
    """A method of the front door, whether it returns or yields: what the disk does to it is a `RagError` with a cure."""

    def each(events: Any, folder: Path) -> Iterator[Any]:
        with disk_errors_named(folder):
            yield from events

    @wraps(method)
    def asked(self: Any, *arguments: Any, **named: Any) -> Any:
        with disk_errors_named(self.config.folder):
            found = method(self, *arguments, **named)
        return each(found, self.config.folder) if inspect.isgenerator(found) else found

    return asked  # type: ignore[return-value]  # the same signature, by wraps


@contextmanager
def disk_errors_named(folder: Path, file: str = "library.db") -> Iterator[None]:
    """Errors of SQLite and of the system in here become `RagError`s that name the library's `folder` and SQLite's `file`."""
    try:
        yield
    except BrokenPipeError:  # whoever reads what we print has gone: not about a library
        raise
    except (sqlite3.Error, OSError, MemoryError) as error:
        raise describe_disk_error(error, folder, file) from error


def describe_disk_error(error: Exception, folder: Path, file: str = "library.db") -> RagError:
    """What happened to the library in `folder`, and what helps. `file` is the one that SQLite speaks of."""
    said, name = str(error), getattr(error, "sqlite_errorname", "") or ""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or number == errno.ENOMEM or name.startswith("SQLITE_NOMEM"):
        return RagError(
            f"{folder}: there is not enough memory for this step; {_KEPT}",
            "close other programs or raise the limit on memory (ulimit -v), then again",
        )
    if blocked := no_folder(folder):
        return blocked
    if number == errno.ENAMETOOLONG:
        return Usage(
            f"the path {folder} is too long for this file system",
            "use a shorter --home or --library",
        )
    if not os.path.isdir(folder) and number not in (*_FULL, *_READ_ONLY):
        return LibraryMissing(
            f"{folder} is gone: it was removed, or its disk was unmounted, while it was in use ({said})",
            "put it back, or add the documents again: footnote add FOLDER",
        )
    return _of_disk(error, folder, file, name, number) or _of_sqlite(error, folder, file, name)


def _of_disk(
    error: Exception, folder: Path, file: str, name: str, number: int | None
) -> RagError | None:
    """What the disk or the rights are the cause of; None where they are not."""
    said = str(error)
    if (
        name.startswith("SQLITE_FULL")
        or number in _FULL
        or _says(said, "No space left", "disk is full")
    ):
        return RagError(
            f"{folder}: the disk is full: {describe_free_space(folder)}; {_KEPT}",
            "make room on that disk, then again",
        )
    if number == errno.EFBIG or "File too large" in said:
        return RagError(
            f"{folder}: a file would be larger than it may be: {describe_free_space(folder)}; {_KEPT}",
            "raise the limit on file sizes (ulimit -f), or use a --home on another disk",
        )
    if number in (errno.EMFILE, errno.ENFILE) or (
        name.startswith("SQLITE_CANTOPEN") and _no_handles()
    ):
        return RagError(
            f"{folder}: too many files are open",
            "raise the limit on open files (ulimit -n), then again",
        )
    if name.startswith("SQLITE_CANTOPEN") and os.path.isdir(folder / file):
        return LibraryBroken(f"{folder / file} is a folder, not a file", REPAIR)
    journals = [
        folder / f"{file}{end}"
        for end in ("-wal", "-journal")
        if name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR"))
    ]
    named = (
        Path(os.fsdecode(error.filename))
        if isinstance(error, IsADirectoryError) and error.filename
        else None
    )
    if found := next(
        (place for place in (named, *journals) if place and os.path.isdir(place)), None
    ):
        moved = f"mv {shlex.quote(str(found))} {shlex.quote(f'{found}.old')}"
        return RagError(f"{found} is a folder, not a file", f"move it away: {moved}, then again")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")) or number in (
        errno.EACCES,
        errno.EPERM,
    ):
        named = getattr(error, "filename", None) if number else None
        places = (
            [Path(os.fsdecode(named))]
            if named
            else [folder, *(folder / f"{file}{end}" for end in ("", "-wal", "-shm"))]
        )
        if shut := next(filter(None, map(_unreadable, places)), None):
            return shut
    shut_folder = name.startswith("SQLITE_CANTOPEN") and not os.access(folder, os.W_OK)
    if shut_folder or name.startswith("SQLITE_READONLY") or number in _READ_ONLY:
        where = getattr(error, "filename", None) or folder
        return RagError(
            f"{where} cannot be written: {said}",
            f"make {folder} and what is in it writable for you, or use another --home",
        )
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return RagError(
            f"{folder}/{file} cannot be read or written: {said}; {describe_free_space(folder)}; {_KEPT}",
            "make room on that disk, see that the folder is writable and that nothing limits the size of files "
            "(ulimit -f), then again; a disk that fails says so in the system's log",
        )
    return None


def _of_sqlite(error: Exception, folder: Path, file: str, name: str) -> RagError:
    """What is left: another process, damage, or an error in the program or in what was typed."""
    said = str(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LibraryBusy(
            f"{folder}/{file} is held by another process: {said}", "wait for it to end, then again"
        )
    if is_damage(error):
        return LibraryBroken(f"{folder}/{file} is damaged: {said}", REPAIR)
    if isinstance(error, sqlite3.Error):
        return RagError(
            f"{folder}/{file}: SQLite refused this request: {said}; the library is not damaged by it",
            "shorten or change what was typed; if that does not help, it is an error in this program",
        )
    where = getattr(error, "filename", None) or folder
    return RagError(
        f"{where}: {said or type(error).__name__}",
        "check that path and its disk, then again: footnote doctor",
    )


def is_damage(error: Exception) -> bool:
    """Is the content of an SQLite file wrong?

    Not where a disk is full or fails, a right is missing or a limit is met.
    """
    if not isinstance(error, sqlite3.Error):
        return False
    said, name = str(error), getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return True
    return (not name and _says(said, *_WRONG)) or (
        name in ("", "SQLITE_ERROR") and _says(said, *_LOST)
    )


def no_folder(folder: Path) -> Usage | None:
    """An error where a part of the path is something else than a folder."""
    for place in (folder, *folder.parents):
        if os.path.isdir(place):
            return None
        if os.path.lexists(place):
            if os.path.islink(place) and not os.path.exists(place):
                return Usage(
                    f"{place} is a link to nothing",
                    "mend or remove the link, or use another --home",
                )
            return Usage(f"{place} is a file, not a folder", "move it away, or use another --home")
    return None


def _unreadable(path: Path) -> RagError | None:
    """The right to read that is missing on the way to `path`: of the file or of a folder above it."""
    for place in reversed((path, *path.parents)):
        right = os.R_OK | (os.X_OK if os.path.isdir(place) else 0)
        if place == path or place == path.parent:
            if os.path.lexists(place) and not os.access(place, right):
                return _denied(place)
        elif os.path.isdir(place) and not os.access(place, os.X_OK):
            return _denied(place)
    return None


def _denied(place: Path) -> RagError:
    mode = "u+rwx" if os.path.isdir(place) else "u+rw"
    return RagError(
        f"{place} cannot be read: you have no right to (permission denied); nothing was changed",
        f"give yourself the right: chmod {mode} {shlex.quote(str(place))} (as its owner)",
    )


def _no_handles() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


_KEPT = "what was reported as added is in, nothing of the step that failed is"


def _says(text: str, *parts: str) -> bool:
    return any(part in text for part in parts)


def describe_free_space(folder: Path) -> str:
    """What there is and what it takes, in MB: a new index is made beside the old one."""
    try:
        there = next(place for place in (folder, *folder.parents) if os.path.isdir(place))
        free = shutil.disk_usage(there).free
        takes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:
        return "how much is free cannot be told"
    return f"{free / 2**20:,.1f} MB are free, about {max(1.0, takes / 2**20):,.1f} MB are needed"
