"""The standard streams of the command, whatever it was started with: closed, full, ASCII only, a pipe nobody reads.

Descriptors 0 to 2 are taken before any file is opened: else a database could become the standard output of a process that
was started without one. What an encoding lacks is written as an escape (``\\u2713``), never as another character.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from typing import Any

from rag.errors import RagError

LEAST_FILES = 64  #: open files that a command needs
_DEBUG = "FOOTNOTE_DEBUG"


class Raw(io.FileIO):
    """A file that remembers the error of a write that failed: whoever catches it may not know where it is from."""

    failed: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


_out: list[Raw] = []  # standard output, from `prepare` on


class Lenient(io.TextIOWrapper):
    """A text stream for messages: what cannot be written is dropped, because there is no other place to say so."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


def prepare() -> None:
    """Make standard input, output and error usable. Must run before anything is opened."""
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:  # a closed output is opened for reading: writing to it fails, as it should
            os.open(os.devnull, mode)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _out.append(Raw(1, "w", closefd=False))
    terminal = os.isatty(1)
    buffered = io.BufferedWriter(_out[-1])
    sys.stdout = io.TextIOWrapper(buffered, encoding, "backslashreplace", line_buffering=terminal)
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    raw: Any = io.FileIO(2, "w", closefd=False)
    sys.stderr = Lenient(
        raw, encoding=encoding, errors="backslashreplace", line_buffering=True, write_through=True
    )
    for name in ("COLUMNS", "LINES"):  # what is no size of a screen would leave lines of no width
        if (
            not (value := os.environ.get(name, "20")).isdecimal()
            or not 20 <= int(value[:9]) < 10_000
        ):
            del os.environ[name]
    if not debugging():
        threading.excepthook = lambda told: complain(told.exc_value)
        sys.unraisablehook = lambda _: None


def debugging() -> bool:
    """Does the person want to see tracebacks?"""
    return os.environ.get(_DEBUG, "") not in ("", "0")


def finish(code: int) -> int:
    """Write out what is left for standard output; the exit code: `code`, 0 where nobody reads, 1 where that failed."""
    error = failure()
    if error is None:
        return code
    with suppress(
        OSError
    ):  # the rest goes nowhere, so that the end of the process does not fail once more
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    if isinstance(error, BrokenPipeError):
        return 0
    _say(
        f"standard output cannot be written: {error.strerror or error}",
        "free space, or write elsewhere",
    )
    return code or 1


def failure() -> OSError | None:
    """Why standard output could not be written; None where it could."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    except ValueError:  # it was closed by somebody, after it was flushed
        return None
    return _out[-1].failed if _out else None


def complain(error: BaseException | None) -> None:
    """An error that nobody foresaw, on standard error: one line, and how to see more."""
    if error is None:
        return
    if debugging():
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, MemoryError) or (
        isinstance(error, ImportError) and "map segment" in str(error)
    ):
        _say(
            "there is not enough memory",
            "close other programs, raise the limit (ulimit -v), or give less at once",
        )
    elif isinstance(error, FileNotFoundError) and not here():
        _say("the current folder has been removed", "go to a folder that is there: cd")
    elif isinstance(error, OSError) and error.errno in (23, 24):  # ENFILE, EMFILE
        _say("too many files are open", f"raise the limit: ulimit -n {4 * LEAST_FILES}")
    else:
        said = f"unexpected error: {type(error).__name__}: {error}"
        _say(
            said,
            f"{_DEBUG}=1 before the command shows where it happened; footnote doctor looks at the rest",
        )


def here() -> str:
    """The current folder; "" where it has been removed or cannot be entered."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def files_enough() -> None:
    """Raise the soft limit of open files where it is low. Raises `RagError` where that is not enough."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8 * LEAST_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    soft = wanted if hard == resource.RLIM_INFINITY else max(soft, min(hard, wanted))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < LEAST_FILES:
        raise RagError(
            f"this process may open {soft} files at once; it needs {LEAST_FILES}",
            f"raise the limit: ulimit -n {wanted}",
        )


def _say(what: str, cure: str) -> None:
    from rag.text.sanitize import sanitize_line

    sys.stderr.write(f"footnote: {sanitize_line(what)[:500]}\n  what helps: {cure}\n")
