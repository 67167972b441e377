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
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.domain import RawDocument, RefusedPart, Span
from rag.errors import Unreadable
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import TOO_SLOW, Budget

_WAIT_FACTOR = 10.0  # times the processor time that a child may have: how long it is waited for where other programs are busy too
_MAX_BODY_BYTES = 256 * 2**20  # bytes of the text or the member in one frame
_MAX_HEAD_BYTES = 64 * 2**20  # bytes of the line before it, in which the headings and pages stand
_FRAME_BYTES = 200  # bytes that a frame is counted for besides
_START = "import sys; sys.path.insert(0, {!r}); from rag.ingest.formats.sandbox_worker import main; main()"
_ROOT = str(Path(__file__).resolve().parents[3])
_TIME_SIGNALS = (24, 27)  # SIGXCPU, SIGPROF: its processor time is used up
_ABORT_SIGNAL = 6  # SIGABRT
_END_SECONDS = 1.0  # seconds
_TICK_SECONDS = 0.2  # seconds
_MAX_ANSWER_BYTES = (
    5 * 2**28
)  # bytes that a child may answer to one request: all members of the largest archive, and what is said of them
_idle: list[_Child] = []


def parse_in_sandbox(
    kind: str, content: bytes, seconds: float = 0, budget: Budget | None = None
) -> Iterator[RawDocument | RefusedPart | Member]:
    """What `content`, a file of `kind`, holds. Raises `Unreadable` with reason and cure, whatever the file did to its reader.

    It may take `seconds` of processor time, where that is given, else what a file of its size may, and no more than is left
    in `budget`, from which all that it took is taken.
    """
    budget = budget or Budget.of(len(content))
    seconds = min(budget.seconds, seconds or Budget.of(len(content)).seconds)
    if seconds <= 0:
        raise Unreadable(*TOO_SLOW)
    child = _take_child()
    try:
        yield from child.read(kind, content, seconds)
    finally:
        budget.seconds -= child.spent
        if child.fit:
            _idle.append(child)
        else:
            child.end()


def end_sandbox() -> None:
    """End the children that wait for a next file."""
    while _idle:
        _idle.pop().end()


atexit.register(end_sandbox)


def _take_child() -> _Child:
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
        self.spent = 0.0  #: seconds of processor time that the last request took
        self._late = False
        self._watch = _Watchdog(self)

    def read(
        self, kind: str, content: bytes, seconds: float
    ) -> Iterator[RawDocument | RefusedPart | Member]:
        """One request. Only the time that the child takes counts, not what is done with its answers in between."""
        self.fit, self.spent = False, seconds
        self._ask({"kind": kind, "seconds": seconds, "size": len(content)}, content)
        failure = None
        left, told = _WAIT_FACTOR * seconds + 1, 0
        while True:
            started = time.monotonic()
            head, body = self._heard(kind, left)
            left = max(0.1, left - (time.monotonic() - started))
            told += len(body) + _FRAME_BYTES
            if told > _MAX_ANSWER_BYTES:
                raise self._death(kind)
            if "end" in head:
                self.fit, self.spent = not head["tired"], head["spent"]
                break
            if "failed" in head:
                failure = Unreadable(head["failed"], head["cure"])
                continue
            try:
                part = _part(head, body)
            except (
                KeyError,
                TypeError,
                ValueError,
            ):  # a parser that was taken over may say anything
                raise self._death(kind) from None
            yield part
        if failure:
            raise failure

    def _ask(self, asked: dict[str, Any], content: bytes) -> None:
        assert self.process.stdin
        with (
            self._watch.within(_WAIT_FACTOR * asked["seconds"] + 1),
            suppress(OSError),
        ):  # where it dies meanwhile, hearing says so
            self.process.stdin.write(json.dumps(asked).encode() + b"\n")
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def _heard(self, kind: str, seconds: float) -> tuple[dict[str, Any], bytes]:
        """The next frame. Raises `Unreadable` where none comes."""
        assert self.process.stdout
        with self._watch.within(seconds):
            line = self.process.stdout.readline(_MAX_HEAD_BYTES)
            with suppress(ValueError, KeyError, TypeError):
                head = json.loads(line)
                if 0 <= head["size"] <= _MAX_BODY_BYTES:
                    body = self.process.stdout.read(head["size"])
                    if len(body) == head["size"]:
                        return head, body
        raise self._death(kind)

    def late(self) -> None:
        """It has not answered in time."""
        self._late = True
        self.process.kill()

    def _death(self, kind: str) -> Unreadable:
        with suppress(
            subprocess.TimeoutExpired
        ):  # it has closed its output: it is ending by itself
            self.process.wait(_END_SECONDS)
        self.process.kill()
        code = self.process.wait()
        cure = "open it in its own program and save it again, or save it as text"
        if self._late or -code in _TIME_SIGNALS:
            return Unreadable(*TOO_SLOW)
        if code > 0:  # what it could not even say any more
            return Unreadable("takes too much memory to read", cure)
        why = ", for lack of memory or by damage" if -code == _ABORT_SIGNAL else ""
        return Unreadable(f"made the reader of {kind} files stop (signal {-code}{why})", cure)

    def end(self) -> None:
        self._watch.stop()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError, ValueError):
                pipe and pipe.close()
        self.process.kill()
        self.process.wait()


class _Watchdog(threading.Thread):
    """Kills a child that has not answered in time. A thread and not `select`, which on Windows knows no pipes.

    One thread for the life of a child: a corpus of many small documents is as many answers.
    """

    def __init__(self, child: _Child) -> None:
        super().__init__(name="watch of a reader", daemon=True)
        self._child, self._until, self._over = child, float("inf"), threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            if time.monotonic() > self._until:
                self._child.late()
                return

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The child has so many seconds for what is done in here."""
        self._until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until = float("inf")

    def stop(self) -> None:
        """The child has ended."""
        self._over.set()


def _part(head: dict[str, Any], body: bytes) -> RawDocument | RefusedPart | Member:
    if "refused" in head:
        return RefusedPart(head["refused"], head["reason"], head["cure"])
    if "member" in head:
        return Member(head["member"], body)
    text = body.decode()
    date = None if head["date"] is None else str(head["date"])
    pages = _spans(head["pages"], len(text))
    raw = RawDocument(text, "", date, pages, name=str(head["name"]), lines=bool(head["lines"]))
    said, ruled = (
        (
            str(found["title"]),
            _spans(found["masked"], len(text)),
            _headings(found["headings"], len(text)),
        )
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
