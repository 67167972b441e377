"""Safe reading of files that the user names: regular files only, without waiting, up to a limit.

A pipe, a socket, a device or a folder in place of a file is an error at once, because reading it
could block or never end. The size that the system reports is not trusted: files of the system
(/proc) report 0 bytes and contain more. So one byte more than the reported size is read.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TextIO

from rag.errors import Unreadable, Usage

NOT_REGULAR = (
    "is not a regular file (a folder, a pipe, a socket or a device)",
    "save its contents to a file",
)
#: for a file of settings, a calibration, or a small file next to a model
MAX_SETTINGS_BYTES = 64 * 2**10
#: for a file of questions or claims, unpacked
MAX_QUESTIONS_BYTES = 64 * 2**20
#: for a run file
MAX_RUN_BYTES = 256 * 2**20
_BLOCK_BYTES = 2**20
#: the cure for each error number of the system
CURES = {
    errno.ENOENT: "give the path of a file that is there",
    errno.ENOTDIR: "give the path of a file that is there",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n), then again",
    errno.ENFILE: "too many files are open: close other programs, then again",
}
_NONBLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_descriptor(path: str | os.PathLike[str], follow: bool = True) -> int:
    """A descriptor of a regular file, open for reading.

    A symbolic link is accepted only with `follow`. Raises `Unreadable` with reason and cure.
    """
    flags = os.O_RDONLY | _NONBLOCK | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    try:
        descriptor = os.open(path, flags)
    except ValueError as error:  # a zero byte in the name
        raise Unreadable("has a name that no file can have", "give the path of a file") from error
    except OSError as error:
        if not follow and os.path.islink(path):
            raise Unreadable("is a symbolic link", "add the file it points to") from error
        if not isinstance(error, PermissionError) and _is_special(path):
            raise Unreadable(*NOT_REGULAR) from error
        raise Unreadable(error.strerror or "cannot be opened", _cure(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable(*NOT_REGULAR)
    return descriptor


def _is_special(path: str | os.PathLike[str]) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode)


def _cure(error: OSError) -> str:
    return CURES.get(error.errno or 0, "make it readable")


def read_file(path: str | os.PathLike[str], max_bytes: int, follow: bool = True) -> bytes:
    """All bytes of a regular file of at most `max_bytes`.

    Raises `Unreadable`, also if the file changes while it is read.
    """
    descriptor = open_descriptor(path, follow)
    try:
        before = os.fstat(descriptor)
        if before.st_size > max_bytes:
            raise Unreadable(
                f"is {size_in_words(before.st_size)}, over {size_in_words(max_bytes)}", "split it"
            )
        content = _read_up_to(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read", "check the disk") from error
    finally:
        os.close(descriptor)
    if len(content) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        if before.st_size == 0 and after.st_size == 0:
            raise Unreadable(
                "is a file of the system, which says it is empty and is not",
                "save its contents to a file",
            )
        raise Unreadable("was changed while it was read", "add it again when it is written")
    return content


def _read_up_to(descriptor: int, max_bytes: int) -> bytes:
    content = bytearray()
    while len(content) < max_bytes:
        block = os.read(descriptor, min(_BLOCK_BYTES, max_bytes - len(content)))
        if not block:
            break
        content += block
    return bytes(content)


def read_text_file(path: str | os.PathLike[str], max_bytes: int, follow: bool = True) -> str:
    """The UTF-8 text of a small file, without a byte order mark. Raises `Unreadable`."""
    content = read_file(path, max_bytes, follow)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error


def read_stdin(max_bytes: int, expected: str) -> str:
    """All of standard input as text; see `read_stream`."""
    return read_stream(sys.stdin, max_bytes, expected)


def read_stream(stream: TextIO | None, max_bytes: int, expected: str) -> str:
    """All of standard input as text; `stream` is None if there is none.

    `expected` names the content for messages, such as "the questions". Raises `Usage` for more
    than `max_bytes` bytes, and for text that is not UTF-8.
    """
    if stream is None:
        raise Usage(
            f"there is no standard input to read {expected} from",
            "give a file, or write to standard input",
        )
    try:
        content = stream.buffer.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Usage(
            f"standard input cannot be read: {reason}", "give a file, or write to standard input"
        ) from error
    if len(content) > max_bytes:
        raise Usage(
            f"standard input is over {size_in_words(max_bytes)}, too much for {expected}",
            "give less of it",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise Usage(f"standard input is not UTF-8: {reason}", "write it as UTF-8") from error


def size_and_time(status: os.stat_result) -> tuple[int, int]:
    """Return the size in bytes and the time of the last change in ns, as a library stores them.

    Both are taken modulo 2**64 and signed, because SQLite stores no larger numbers and a file may
    be dated after the year 2262.
    """
    size, mtime = ((n + 2**63) % 2**64 - 2**63 for n in (status.st_size, status.st_mtime_ns))
    return size, mtime


def size_in_words(count: int) -> str:
    """A number of bytes with its unit: "12 MB", "3 kB" or "40 bytes"."""
    if count >= 2**20:
        return f"{count / 2**20:,.0f} MB"
    if count >= 2**10:
        return f"{count / 2**10:,.0f} kB"
    return f"{count} bytes"
