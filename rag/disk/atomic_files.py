"""Atomic replacement of small files, and checksums of files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from rag.disk import permissions


def open_regular(path: str | Path) -> BufferedReader:
    """Open a regular file for reading.

    Raises `OSError`, also for a pipe or a device; it never waits for one.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def sha256(path: str | Path) -> str:
    """SHA-256 of a regular file, in hexadecimal. Raises `OSError`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, text: str) -> None:
    """Write a small file atomically, readable by its owner only.

    The text is written to a temporary file in the same folder, synced, then renamed.
    """
    permissions.make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", opener=permissions.opener) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
