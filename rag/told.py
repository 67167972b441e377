"""Errors of the disk and of SQLite as sentences: which path, what is missing, what to do.

SQLite says "disk I/O error" of a full disk, of a folder that is gone and of a failing one; the file it means it does not
say. Here the three are told apart, once, for everything that the front door does.
"""

from __future__ import annotations

import errno
import inspect
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import LibraryBroken, LibraryBusy, LibraryMissing, RagError

M = TypeVar("M", bound=Callable[..., Any])
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def told(method: M) -> M:
    """A method of the front door, whether it returns or yields: what the disk does to it is a `RagError` with a cure."""

    def each(events: Any, folder: Path) -> Iterator[Any]:
        with naming(folder):
            yield from events

    @wraps(method)
    def asked(self: Any, *arguments: Any, **named: Any) -> Any:
        with naming(self.config.folder):
            found = method(self, *arguments, **named)
        return each(found, self.config.folder) if inspect.isgenerator(found) else found

    return asked  # type: ignore[return-value]  # the same signature, by wraps


@contextmanager
def naming(folder: Path, file: str = "library.db") -> Iterator[None]:
    """Errors of SQLite and of the system in here become `RagError`s that name the library's `folder` and SQLite's `file`."""
    try:
        yield
    except BrokenPipeError:  # whoever reads what we print has gone: not about a library
        raise
    except (sqlite3.Error, OSError, MemoryError) as error:
        raise reason(error, folder, file) from error


def reason(error: Exception, folder: Path, file: str = "library.db") -> RagError:
    """What happened to the library in `folder`, and what helps. `file` is the one that SQLite speaks of."""
    said, name = str(error), getattr(error, "sqlite_errorname", "") or ""
    number = error.errno if isinstance(error, OSError) else None
    if not folder.is_dir() and number not in (*_FULL, *_READ_ONLY):
        return LibraryMissing(
            f"{folder} is gone: it was removed, or its disk was unmounted, while it was in use ({said})",
            "put it back, or add the documents again: footnote add FOLDER",
        )
    if name.startswith("SQLITE_FULL") or number in _FULL or _says(said, "No space left", "disk is full"):
        return RagError(f"{folder}: the disk is full: {room(folder)}; {_KEPT}", "make room on that disk, then again")
    if number == errno.EFBIG or "File too large" in said:
        return RagError(
            f"{folder}: a file would be larger than it may be: {room(folder)}; {_KEPT}",
            "raise the limit on file sizes (ulimit -f), or use a --home on another disk",
        )
    shut = name.startswith("SQLITE_CANTOPEN") and not os.access(folder, os.W_OK)
    if shut or name.startswith("SQLITE_READONLY") or number in _READ_ONLY:
        where = getattr(error, "filename", None) or folder
        return RagError(
            f"{where} cannot be written: {said}",
            f"make {folder} and what is in it writable for you, or use another --home",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LibraryBusy(f"{folder}/{file} is held by another process: {said}", "wait for it to end, then again")
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return RagError(
            f"{folder}/{file} cannot be read or written: {said}; {room(folder)}; {_KEPT}",
            "make room on that disk, see that the folder is writable and that nothing limits the size of files (ulimit -f), "
            "then again; a disk that fails says so in the system's log",
        )
    if isinstance(error, sqlite3.Error):
        return LibraryBroken(f"{folder}/{file} is damaged: {said}", "run: footnote doctor --repair")
    where = getattr(error, "filename", None) or folder
    return RagError(
        f"{where}: {said or type(error).__name__}", "check that path and its disk, then again: footnote doctor"
    )


_KEPT = "what was reported as added is in, nothing of the step that failed is"


def _says(text: str, *parts: str) -> bool:
    return any(part in text for part in parts)


def room(folder: Path) -> str:
    """What there is and what it takes, in MB: a new index is made beside the old one."""
    try:
        free = shutil.disk_usage(folder).free
        takes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:
        return "how much is free cannot be told"
    return f"{free / 2**20:,.1f} MB are free, about {max(1.0, takes / 2**20):,.1f} MB are needed"
