"""Small files written whole or not at all, and checksums of files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from rag.disk import permissions


def open_regular(path: str | Path) -> BufferedReader:
    """A regular file, open for reading. Raises `OSError`, also for a pipe or a device, which it does not wait for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def sha256(path: str | Path) -> str:
    """SHA-256 of a regular file, hex. Raises `OSError`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, text: str) -> None:
    """Write a small file, for this user alone, so that it is there whole or not at all.

    It is written beside, synced, then renamed.
    """
    permissions.make_folder(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "w", encoding="utf-8", opener=permissions.opener) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
