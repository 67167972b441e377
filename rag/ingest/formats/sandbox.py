"""Parses files in a child process with limits.

A parser that hangs, crashes or exhausts memory becomes a line of the report.

A child (`sandbox_worker`) is started for the first file that needs one, with `subprocess` (a fresh
program, never a fork), and kept for the next file; the start costs a tenth of a second. It is
replaced when it has died, taken too long or grown too large. The members of an archive are parsed
by a second child while the first unpacks. There are never more than two.
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
from typing import Any, TypedDict

from rag.domain import RawDocument, RefusedPart, Span
from rag.errors import Unreadable
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import TOO_SLOW, Budget
from rag.text.units import units_from_json

_START = "import sys; sys.path.insert(0, {!r}); from {} import {} as main; main()"
_WORKER = "rag.ingest.formats.sandbox_worker:main"
_ROOT = str(Path(__file__).resolve().parents[3])
#: libraries start no threads in the child: threads would reserve memory, which is limited
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
#: seconds to wait for a child, as a multiple of its processor time: other programs may be busy
_WAIT_FACTOR = 10.0
#: bytes of the text or the member in one frame
_MAX_BODY_BYTES = 256 * 2**20
#: bytes of the line before it, with the headings and pages
_MAX_HEAD_BYTES = 64 * 2**20
#: bytes that each frame counts beside its body
_FRAME_BYTES = 200
#: bytes of all answers to one request: the members of the largest archive and their frames
_MAX_ANSWER_BYTES = 5 * 2**28
#: SIGXCPU and SIGPROF, sent when the processor time is used up
_TIME_SIGNALS = (24, 27)
#: SIGABRT
_ABORT_SIGNAL = 6
#: sent by another process, or by the system for want of memory
_KILL_SIGNAL = 9
#: seconds to wait for a child that has closed its output
_END_SECONDS = 1.0
#: seconds between two looks at the time
_TICK_SECONDS = 0.2
#: children that wait for a next file
_idle: list[_Child] = []


class _Findings(TypedDict):
    """The title, the mask and the headings of a text, found by its format or by rules."""

    title: str
    masked: list[tuple[int, int]]
    headings: list[tuple[int, int, str]] | None


class _Frame(_Findings, total=False):
    """The JSON of a frame as `sandbox_worker` sends it; a hijacked parser may send anything.

    It is the end ("end"), a failure ("failed"), a refused part ("refused"), a member of an archive
    ("member") or a document.
    """

    size: int
    end: bool
    tired: bool
    spent: float
    failed: str
    refused: str
    reason: str
    cure: str
    member: str
    date: str | None
    name: str
    lines: bool
    pages: list[tuple[int, int]]
    ruled: _Findings
    units: Any


def parse_in_sandbox(
    kind: str,
    content: bytes,
    seconds: float = 0,
    budget: Budget | None = None,
    worker: str = _WORKER,
) -> Iterator[RawDocument | RefusedPart | Member]:
    """Yield the parts of a file: documents, refused parts, or the members of an archive.

    `kind` is the ending that decides the format. The parser may use `seconds` of processor time
    (0: as many as a file of this size may), and no more than is left in `budget`; its time is
    subtracted from the budget. `worker` ("module:function") serves in the child. If another process
    kills the child before its first answer, a second child is asked. Raises `Unreadable` with
    reason and cure, whatever the parser did.
    """
    budget = budget or Budget.of(len(content))
    seconds = min(budget.seconds, seconds or Budget.of(len(content)).seconds)
    if seconds <= 0:
        raise Unreadable(*TOO_SLOW)
    for may_repeat in (True, False):
        child, answered = _take_child(worker), False
        try:
            for part in child.read(kind, content, seconds):
                answered = True
                yield part
            return
        except _Killed:
            child.spent = 0.0  # unknown, and not the file's fault
            if answered or not may_repeat:
                raise
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


def _take_child(worker: str) -> _Child:
    """Return a child of `worker` that waits, else a new one."""
    while _idle:
        child = _idle.pop()
        if child.worker == worker and child.process.poll() is None:
            return child
        child.end()
    return _Child(worker)


class _Killed(Unreadable):
    """Another process, or the system for want of memory, has killed the child."""


class _Child:
    """One child process, which runs `worker`. `fit` is true while it can take a request."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _START.format(_ROOT, *worker.split(":"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
        )
        self.fit = True
        self.spent = 0.0  #: seconds of processor time that the last request took
        self._late = False
        self._watch = _Watchdog(self)

    def read(
        self, kind: str, content: bytes, seconds: float
    ) -> Iterator[RawDocument | RefusedPart | Member]:
        """Send one request and yield the answers.

        Only the time that the child takes counts, not the time that the caller takes between them.
        """
        self.fit, self.spent = False, seconds
        self._send(kind, seconds, content)
        failure = None
        wait_seconds, answer_bytes = _WAIT_FACTOR * seconds + 1, 0
        while True:
            started = time.monotonic()
            head, body = self._receive(kind, wait_seconds)
            wait_seconds = max(0.1, wait_seconds - (time.monotonic() - started))
            answer_bytes += len(body) + _FRAME_BYTES
            if answer_bytes > _MAX_ANSWER_BYTES:
                raise self._death(kind)
            if "end" in head:
                self.fit, self.spent = not head["tired"], head["spent"]
                break
            if "failed" in head:
                failure = Unreadable(head["failed"], head["cure"])
                continue
            try:
                part = _part(head, body)
            except (KeyError, TypeError, ValueError):  # a hijacked parser may send anything
                raise self._death(kind) from None
            yield part
        if failure:
            raise failure

    def _send(self, kind: str, seconds: float, content: bytes) -> None:
        """Send a request. An error is ignored: if the child has died, `_receive` reports it."""
        assert self.process.stdin
        request = {"kind": kind, "seconds": seconds, "size": len(content)}
        with self._watch.within(_WAIT_FACTOR * seconds + 1), suppress(OSError):
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def _receive(self, kind: str, seconds: float) -> tuple[_Frame, bytes]:
        """Return the next frame. Raises `Unreadable` if none comes within `seconds`."""
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
        """Kill the child, because it has not answered in time."""
        self._late = True
        self.process.kill()

    def _death(self, kind: str) -> Unreadable:
        """End the child and return the reason why it could not parse the file."""
        ended = False
        with suppress(subprocess.TimeoutExpired):  # it is ending by itself
            self.process.wait(_END_SECONDS)
            ended = True
        self.process.kill()
        code = self.process.wait()
        cure = "open it in its own program and save it again, or save it as text"
        if self._late or -code in _TIME_SIGNALS:
            return Unreadable(*TOO_SLOW)
        if code > 0:  # it had no memory left to send a reason
            return Unreadable("takes too much memory to read", cure)
        why = ", for lack of memory or by damage" if -code == _ABORT_SIGNAL else ""
        died = _Killed if ended and -code == _KILL_SIGNAL else Unreadable
        return died(f"made the reader of {kind} files stop (signal {-code}{why})", cure)

    def end(self) -> None:
        """Kill the child and close its pipes."""
        self._watch.stop()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError, ValueError):
                pipe and pipe.close()
        self.process.kill()
        self.process.wait()


class _Watchdog(threading.Thread):
    """Kills a child that has not answered in time.

    A thread, because `select` does not work on pipes on Windows. One thread for the life of a
    child: a corpus of many small documents gives as many answers.
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
        """Kill the child if the body of the `with` statement takes more than `seconds`."""
        self._until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until = float("inf")

    def stop(self) -> None:
        """End the thread."""
        self._over.set()


def _part(head: _Frame, body: bytes) -> RawDocument | RefusedPart | Member:
    """Return the part of a file that a frame states. Raises KeyError, TypeError or ValueError."""
    if "refused" in head:
        return RefusedPart(head["refused"], head["reason"], head["cure"])
    if "member" in head:
        return Member(head["member"], body)
    text = body.decode()
    date = None if head["date"] is None else str(head["date"])
    pages = _spans(head["pages"], len(text))
    raw = RawDocument(text, "", date, pages, name=str(head["name"]), lines=bool(head["lines"]))
    by_rules = _with_findings(raw, head["ruled"])
    units = units_from_json(head["units"], len(text))
    by_rules = replace(by_rules, headings=by_rules.headings or (), units=units)
    return replace(_with_findings(raw, head), ruled=by_rules)


def _with_findings(raw: RawDocument, findings: _Findings) -> RawDocument:
    """Add the title, mask and headings of a frame to `raw`. Raises `ValueError` for bad offsets."""
    length = len(raw.text)
    return replace(
        raw,
        title=str(findings["title"]),
        masked=_spans(findings["masked"], length),
        headings=_headings(findings["headings"], length),
    )


def _headings(
    values: list[tuple[int, int, str]] | None, length: int
) -> tuple[tuple[int, int, str], ...] | None:
    """Return headings of a text of `length` characters.

    Raises `ValueError` if they are out of order or outside of the text.
    """
    if values is None:
        return None
    headings = tuple((int(start), int(level), str(title)) for start, level, title in values)
    starts = [start for start, _, _ in headings]
    if starts != sorted(starts) or not all(0 <= start <= length for start in starts):
        raise ValueError("headings out of order or outside of the text")
    return headings


def _spans(pairs: list[tuple[int, int]], length: int) -> tuple[Span, ...]:
    """Return spans of a text of `length` characters.

    Raises `ValueError` if they overlap, are out of order or outside of the text.
    """
    spans = tuple(Span(int(start), int(end)) for start, end in pairs)
    previous_end = 0
    for span in spans:
        if not previous_end <= span.start <= span.end <= length:
            raise ValueError("spans out of order or outside of the text")
        previous_end = span.end
    return spans
