"""A process that may be killed: forked from one that has imported everything and opened nothing, so that a kill costs no second.

What the child reports goes through a pipe line by line as it happens, so a line that arrived was told before the death.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rag.errors import RagError

LONGEST = 60.0  #: seconds after which a child counts as hanging
Tell = Callable[[Any], None]
Work = Callable[[Tell], Any]


@dataclass(slots=True)
class Outcome:
    """How a child ended. `told` is what it reported, `seconds` how long it lived, `killed` whether we did it."""

    told: list[Any] = field(default_factory=list)
    result: Any = None
    error: tuple[str, str, str] | None = None  #: a foreseen error: type, message, cure
    crash: str | None = None  #: a traceback nobody foresaw
    signal: int = 0
    killed: bool = False
    hung: bool = False
    seconds: float = 0.0

    @property
    def fault(self) -> str | None:
        """What is wrong with this end whatever was being tried: a signal of its own, a hang, an unforeseen error."""
        if self.hung:
            return f"hung for {LONGEST:.0f} s"
        if self.signal and not self.killed:
            return f"died of signal {self.signal}"
        return f"unforeseen: {self.crash}" if self.crash else None


class Child:
    """A running fork of this process that does `work`."""

    def __init__(self, work: Work) -> None:
        self._pipe, theirs = os.pipe()
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._pipe)
            _serve(work, theirs)
        os.close(theirs)
        self._rest = b""
        self._outcome = Outcome()

    def read(self, until: float) -> bool:
        """Take in what was told until that time (monotonic); False where the pipe closed."""
        left = max(0.0, until - time.monotonic())
        if not select.select([self._pipe], [], [], left)[0]:
            return True
        found = os.read(self._pipe, 1 << 16)
        *lines, self._rest = (self._rest + found).split(b"\n")
        for line in lines:
            self._heard(json.loads(line))
        return bool(found)

    def _heard(self, said: dict[str, Any]) -> None:
        (kind, value), out = next(iter(said.items())), self._outcome
        if kind == "told":
            out.told.append(value)
        elif kind == "error":
            out.error = (value[0], value[1], value[2])
        else:
            setattr(out, kind, value)

    def hears(self, line: Any, within: float = LONGEST) -> bool:
        """Wait until the child told `line`."""
        until = time.monotonic() + within
        while line not in self._outcome.told:
            if not self.read(until) or time.monotonic() >= until:
                return line in self._outcome.told
        return True

    def alive(self) -> bool:
        """Is its pipe still open?"""
        return self.read(time.monotonic())

    def wait(self, seconds: float) -> None:
        """Let it work that long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.read(until):
            pass

    def kill(self) -> None:
        """SIGKILL, now."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._outcome.killed = True

    def end(self, after: float | None = None, tracer: bool = False) -> Outcome:
        """Wait for the end; with `after`, kill it that many seconds from now. With `tracer` a SIGKILL is the tracer's."""
        now = time.monotonic()
        deadline, due = now + LONGEST, now + after if after is not None else None
        out = self._outcome
        while self.read(min(deadline, due or deadline)):
            if due is not None and time.monotonic() >= due:
                self.kill()
                due = None
            if time.monotonic() >= deadline:
                out.hung = True
                os.kill(self.pid, signal.SIGKILL)
                deadline += LONGEST
        os.close(self._pipe)
        _, status = os.waitpid(self.pid, 0)
        out.seconds = time.monotonic() - self.started
        out.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        out.killed = out.signal == signal.SIGKILL and not out.hung and (out.killed or tracer)
        return out


def run(work: Work, after: float | None = None) -> Outcome:
    """Do `work` in a child to its end; kill it after that many seconds, where given."""
    return Child(work).end(after)


def _serve(work: Work, pipe: int) -> None:
    """The child's life. It never returns, and runs nothing that was left for the parent's end."""
    code = 0

    def say(kind: str, value: Any) -> None:
        line = json.dumps({kind: value}).encode() + b"\n"
        while line:
            line = line[os.write(pipe, line) :]

    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        say("result", work(lambda value: say("told", value)))
    except RagError as error:
        say("error", (type(error).__name__, str(error), error.cure))
    except BaseException:
        code = 3
        say("crash", traceback.format_exc()[-3000:])
    finally:
        sys.setprofile(None)
        os._exit(code)


def preload() -> None:
    """Import what a child would import, so that it only forks. Opens no machine and starts no thread."""
    import importlib

    for name in (
        "numpy chromadb chromadb.config chromadb.api.rust chromadb.telemetry.product.posthog filelock sqlite3 rag.bot rag.upkeep.repair "
        "datasketch rag.ingest.ingest rag.search.retrieve rag.answer.answer rag.answer.check rag.answer.reader rag.inference.minilm rag.inference.sentence_models rag.ingest.formats.common rag.upkeep.doctor chromadb.api.types"
    ).split():
        importlib.import_module(name)
