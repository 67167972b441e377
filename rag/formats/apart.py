"""Reading in a process apart: a parser that hangs, crashes or eats memory is a reason in the report, not the end of the program.

A child (`child`) is started when the first file needs one, with `subprocess` (a fresh program, never a fork), and kept for
the next file: it costs a tenth of a second once. It is replaced when it has died, when it took too long, and when it has
grown. Reading an archive's members needs a second child while the first unpacks; there are never more than that.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rag.domain import Raw, Refused, Span
from rag.errors import Unreadable
from rag.formats.archive import Member

SECONDS = 60  #: for a file; and one more for each `_SLOW` bytes of it
_SLOW = 100_000
_LONGEST = 600
_LARGEST = 512 * 2**20  # bytes of one frame
_START = "import sys; sys.path.insert(0, {!r}); from rag.formats.child import main; main()"
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_idle: list[_Child] = []


def read(kind: str, content: bytes, seconds: float = 0) -> Iterator[Raw | Refused | Member]:
    """What `content`, a file of `kind`, holds. Raises `Unreadable` with reason and cure, whatever the file did to its reader.

    `seconds` is the time that the child has in all; 0 is `SECONDS` and some more for a large file.
    """
    child = _ready()
    try:
        yield from child.read(kind, content, seconds or min(_LONGEST, SECONDS + len(content) / _SLOW))
    finally:
        if child.fit:
            _idle.append(child)
        else:
            child.end()


def dismiss() -> None:
    """End the children that wait for a next file."""
    while _idle:
        _idle.pop().end()


atexit.register(dismiss)


def _ready() -> _Child:
    while _idle:
        child = _idle.pop()
        if child.process.poll() is None:
            return child
        child.end()
    return _Child()


class _Child:
    """One child process. `fit` says that it is between two requests and can take the next."""

    def __init__(self) -> None:
        quiet = {
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }  # threads would reserve the memory that is counted
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _START.format(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **quiet},
        )
        self.fit = True
        self._late = False

    def read(self, kind: str, content: bytes, seconds: float) -> Iterator[Raw | Refused | Member]:
        """One request. Only the time that the child takes counts, not what is done with its answers in between."""
        self.fit = False
        self._ask({"kind": kind, "seconds": seconds, "size": len(content)}, content)
        failure = None
        left = seconds
        while True:
            started = time.monotonic()
            head, body = self._heard(kind, left)
            left = max(0.1, left - (time.monotonic() - started))
            if "end" in head:
                self.fit = not head["tired"]
                break
            if "failed" in head:
                failure = Unreadable(head["failed"], head["cure"])
                continue
            try:
                part = _part(head, body)
            except (KeyError, TypeError, ValueError):  # a parser that was taken over may say anything
                raise self._death(kind) from None
            yield part
        if failure:
            raise failure

    def _ask(self, asked: dict[str, Any], content: bytes) -> None:
        assert self.process.stdin
        with _Watch(self, asked["seconds"]), suppress(OSError):  # where it dies meanwhile, hearing says so
            self.process.stdin.write(json.dumps(asked).encode() + b"\n")
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def _heard(self, kind: str, seconds: float) -> tuple[dict[str, Any], bytes]:
        """The next frame. Raises `Unreadable` where none comes."""
        assert self.process.stdout
        with _Watch(self, seconds):
            line = self.process.stdout.readline(_LARGEST)
            with suppress(ValueError, KeyError, TypeError):
                head = json.loads(line)
                if 0 <= head["size"] <= _LARGEST:
                    body = self.process.stdout.read(head["size"])
                    if len(body) == head["size"]:
                        return head, body
        raise self._death(kind)

    def late(self) -> None:
        """It has not answered in time."""
        self._late = True
        self.process.kill()

    def _death(self, kind: str) -> Unreadable:
        self.process.kill()
        code = self.process.wait()
        cure = "open it in its own program and save it again, or save it as text"
        if self._late or -code == 24:  # SIGXCPU
            return Unreadable("takes too long to read", cure)
        return Unreadable(f"made the reader of {kind} files stop (signal {-code})", cure)

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError, ValueError):
                pipe and pipe.close()
        self.process.kill()
        self.process.wait()


class _Watch:
    """Kills a child that has not answered in time. A timer and not `select`, which on Windows knows no pipes."""

    def __init__(self, child: _Child, seconds: float) -> None:
        self._timer = threading.Timer(seconds, child.late)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _part(head: dict[str, Any], body: bytes) -> Raw | Refused | Member:
    if "refused" in head:
        return Refused(head["refused"], head["reason"], head["cure"])
    if "member" in head:
        return Member(head["member"], body)
    text = body.decode()
    date = None if head["date"] is None else str(head["date"])
    pages = _spans(head["pages"], len(text))
    raw = Raw(text, "", date, pages, name=str(head["name"]), lines=bool(head["lines"]))
    said, ruled = (
        (str(found["title"]), _spans(found["masked"], len(text)), _headings(found["headings"], len(text)))
        for found in (head, head["ruled"])
    )
    known = replace(raw, title=ruled[0], masked=ruled[1], headings=ruled[2] or ())
    return replace(raw, title=said[0], masked=said[1], headings=said[2], ruled=known)


def _headings(found: Any, length: int) -> tuple[tuple[int, int, str], ...] | None:
    """Headings of a text of `length` characters, in order. Raises `ValueError` where they are not."""
    if found is None:
        return None
    headings = tuple((int(at), int(level), str(title)) for at, level, title in found)
    places = [at for at, _, _ in headings]
    if places != sorted(places) or not all(0 <= at <= length for at in places):
        raise ValueError("headings out of order or outside of the text")
    return headings


def _spans(pairs: Any, length: int) -> tuple[Span, ...]:
    """Spans of a text of `length` characters, in order and apart. Raises `ValueError` where they are not."""
    spans = tuple(Span(int(start), int(end)) for start, end in pairs)
    at = 0
    for span in spans:
        if not at <= span.start <= span.end <= length:
            raise ValueError("spans out of order or outside of the text")
        at = span.end
    return spans
