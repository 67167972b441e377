"""Files that a person names, opened safely: only regular files, without waiting, and never more bytes than the kind may have.

A pipe, a socket, a device or a folder in place of a file is an error at once: reading it could wait or go on for ever.
The size is a limit and not a promise: files of the system (/proc) say 0 and hold more, so one byte too many is asked for.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from rag.errors import Unreadable, Usage

NOT_REGULAR = (
    "is not a regular file (a folder, a pipe, a socket or a device)",
    "save its contents to a file",
)
MAX_SETTINGS_BYTES = (
    64 * 2**10
)  #: bytes of a file of settings, a calibration, a small file beside a model
MAX_QUESTIONS_BYTES = 64 * 2**20  #: bytes of questions or claims, unpacked
MAX_RUN_BYTES = 256 * 2**20  #: bytes of a run file
_PIECE = 2**20
CURES = {
    errno.ENOENT: "give the path of a file that is there",
    errno.ENOTDIR: "give the path of a file that is there",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n), then again",
    errno.ENFILE: "too many files are open: close other programs, then again",
}
_NONBLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_descriptor(path: str | os.PathLike[str], follow: bool = True) -> int:
    """A regular file, opened for reading; a link to one only where `follow`. Raises `Unreadable` with reason and cure."""
    flags = os.O_RDONLY | _NONBLOCK | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    try:
        opened = os.open(path, flags)
    except ValueError as error:  # a zero in the name
        raise Unreadable("has a name that no file can have", "give the path of a file") from error
    except OSError as error:
        if not follow and os.path.islink(path):
            raise Unreadable("is a symbolic link", "add the file it points to") from error
        if not isinstance(error, PermissionError) and _is_special(path):
            raise Unreadable(*NOT_REGULAR) from error
        raise Unreadable(error.strerror or "cannot be opened", _cure(error)) from error
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise Unreadable(*NOT_REGULAR)
    return opened


def _is_special(path: str | os.PathLike[str]) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode)


def _cure(error: OSError) -> str:
    return CURES.get(error.errno or 0, "make it readable")


def read_file(path: str | os.PathLike[str], most: int, follow: bool = True) -> bytes:
    """All bytes of a regular file of at most `most` bytes. Raises `Unreadable`, also where it changes while it is read."""
    opened = open_descriptor(path, follow)
    try:
        known = os.fstat(opened)
        if known.st_size > most:
            raise Unreadable(
                f"is {size_in_words(known.st_size)}, over {size_in_words(most)}", "split it"
            )
        content = _bytes(opened, known.st_size + 1)
        after = os.fstat(opened)
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read", "check the disk") from error
    finally:
        os.close(opened)
    if len(content) != known.st_size or after.st_mtime_ns != known.st_mtime_ns:
        if known.st_size == 0 and after.st_size == 0:
            raise Unreadable(
                "is a file of the system, which says it is empty and is not",
                "save its contents to a file",
            )
        raise Unreadable("was changed while it was read", "add it again when it is written")
    return content


def _bytes(opened: int, most: int) -> bytes:
    out = bytearray()
    while len(out) < most:
        piece = os.read(opened, min(_PIECE, most - len(out)))
        if not piece:
            break
        out += piece
    return bytes(out)


def read_text_file(path: str | os.PathLike[str], most: int, follow: bool = True) -> str:
    """The UTF-8 text of a small file, without a byte order mark. Raises `Unreadable`."""
    content = read_file(path, most, follow)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error


def read_stdin(most: int, what: str) -> str:
    """All of standard input, as text; `what` is meant to come there. Raises `Usage` for more than `most` bytes."""
    if sys.stdin is None:
        raise Usage(
            f"there is no standard input to read {what} from",
            "give a file, or write to standard input",
        )
    try:
        content = sys.stdin.buffer.read(most + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise Usage(
            f"standard input cannot be read: {said}", "give a file, or write to standard input"
        ) from error
    if len(content) > most:
        raise Usage(
            f"standard input is over {size_in_words(most)}, too much for {what}", "give less of it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise Usage(f"standard input is not UTF-8: {where}", "write it as UTF-8") from error


def size_in_words(count: int) -> str:
    """A number of bytes in words."""
    return (
        f"{count / 2**20:,.0f} MB"
        if count >= 2**20
        else f"{count / 2**10:,.0f} kB"
        if count >= 2**10
        else f"{count} bytes"
    )
