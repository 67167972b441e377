"""The standard streams of the command: closed, full, ASCII only, or a pipe without a reader.

Descriptors 0 to 2 are occupied before any file is opened. Otherwise a database could become the
standard output of a process that was started without one. A character that the encoding lacks is
written as an escape (``\\u2713``), never as another character.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.phrases import HINT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: How many open files a command needs.
MIN_OPEN_FILES = 64
#: The terminal widths and heights that are believed, in columns or rows.
MIN_SCREEN, MAX_SCREEN = 20, 9_999
_DEBUG = "FOOTNOTE_DEBUG"


class RecordingFile(io.FileIO):
    """A file that keeps the error of its last failed write, so that `failure` can find it."""

    failed: OSError | None = None

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


_stdout_files: list[RecordingFile] = []  # standard output, filled by `prepare`


class LenientStream(io.TextIOWrapper):
    """A text stream for messages. Text that cannot be written is dropped."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


def prepare() -> None:
    """Make standard input, output and error usable. Must run before any file is opened."""
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:  # a closed output is opened for reading, so that writing to it fails
            os.open(os.devnull, mode)
    if sys.stdin is None:
        # open as long as the process
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _stdout_files.append(RecordingFile(1, "w", closefd=False))
    terminal = os.isatty(1)
    buffered = io.BufferedWriter(_stdout_files[-1])
    sys.stdout = io.TextIOWrapper(buffered, encoding, "backslashreplace", line_buffering=terminal)
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    raw = io.FileIO(2, "w", closefd=False)
    sys.stderr = LenientStream(
        raw, encoding=encoding, errors="backslashreplace", line_buffering=True, write_through=True
    )
    for name in ("COLUMNS", "LINES"):
        value = os.environ.get(name)
        if value is not None and not _is_screen_size(value):
            del os.environ[name]
    if not debugging():
        threading.excepthook = lambda failed: complain(failed.exc_value)
        sys.unraisablehook = lambda _: None


def _is_screen_size(value: str) -> bool:
    """Is this a number of columns or rows? With any other value lines would have no width."""
    return value.isdecimal() and MIN_SCREEN <= int(value[:9]) <= MAX_SCREEN


def debugging() -> bool:
    """Does the user want to see tracebacks?"""
    return os.environ.get(_DEBUG, "") not in ("", "0")


def finish(code: int) -> int:
    """Flush standard output and return the exit code.

    It is `code`, 0 if the reader of a pipe has left, or 1 if standard output cannot be written.
    """
    error = failure()
    if error is None:
        return code
    with suppress(OSError):  # discards the rest, so that the end of the process does not fail again
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    if isinstance(error, BrokenPipeError):
        return 0
    _print_error(
        f"standard output cannot be written: {error.strerror or error}",
        "free space, or write elsewhere",
    )
    return code or 1


def failure() -> OSError | None:
    """Return why standard output could not be written; None if it was."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    except ValueError:  # it was closed after it was flushed
        return None
    return _stdout_files[-1].failed if _stdout_files else None


def complain(error: BaseException | None) -> None:
    """Print an unexpected error on standard error: one line and a hint."""
    if error is None:
        return
    if debugging():
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, MemoryError) or (
        isinstance(error, ImportError) and "map segment" in str(error)
    ):
        _print_error(
            "there is not enough memory",
            "close other programs, raise the limit (ulimit -v), or give less at once",
        )
    elif isinstance(error, FileNotFoundError) and not current_folder():
        _print_error("the current folder has been removed", "change to a folder that exists: cd")
    elif isinstance(error, OSError) and error.errno in (23, 24):  # ENFILE, EMFILE
        _print_error("too many files are open", f"raise the limit: ulimit -n {4 * MIN_OPEN_FILES}")
    else:
        _print_error(
            f"unexpected error: {type(error).__name__}: {error}",
            f"{_DEBUG}=1 before the command shows where it happened; "
            "footnote doctor checks everything else",
        )


def current_folder() -> str:
    """Return the current folder; "" if it has been removed or cannot be entered."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def raise_file_limit() -> None:
    """Raise a low soft limit of open files. Raises `RagError` if it stays below the minimum."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8 * MIN_OPEN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    soft = wanted if hard == resource.RLIM_INFINITY else max(soft, min(hard, wanted))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < MIN_OPEN_FILES:
        raise RagError(
            f"this process may open {soft} files at once; it needs {MIN_OPEN_FILES}",
            f"raise the limit: ulimit -n {wanted}",
        )


def _print_error(message: str, cure: str) -> None:
    from rag.text.sanitize import sanitize_line

    sys.stderr.write(f"footnote: {sanitize_line(message)[:500]}\n  {HINT} {cure}\n")
