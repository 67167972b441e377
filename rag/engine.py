"""The same front door in a child process: events come back over a pipe; stop, kill, respawn.

llama.cpp cannot be stopped from outside in the middle of a computation, may end its process on a bad file, and loads for
seconds; none of that may happen in the process that draws the screen. The child is spawned (never forked), at a lower
priority, its output goes to a log file, and it ends when its pipe closes, so no engine outlives its screen.

There are two lanes, each a pipe with a thread of the child behind it and a `Bot` of its own: *work* for questions and
ingests, one at a time, and *look* for what a screen needs meanwhile (a document, a list), and for the word to stop.
A stop is obeyed between two pieces of work; where that takes longer than `PATIENCE` the child is killed and started anew.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rag.bot import Bot
from rag.config import Config
from rag.disk import permissions
from rag.domain import Conversation, Document, ErrorRates, Listing, Passage, Status
from rag.errors import Cancelled, EngineStopped, RagError
from rag.events import Event
from rag.process import harden_process

PATIENCE = 5.0  #: seconds that a stop may take before the child is killed


class _Child:
    """A running child and the parent's ends of its two pipes."""

    def __init__(self, config: Config) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.work, work = spawn.Pipe()
        self.look, look = spawn.Pipe()
        self.log = Path(config.home) / "engine.log"
        permissions.make_folder(self.log.parent)
        permissions.create(self.log)
        self.process = spawn.Process(
            target=_serve,
            args=(work, look, config, str(self.log)),
            daemon=True,
            name="footnote-engine",
        )
        self.process.start()
        self.stopping = False  #: the running work was asked to stop
        work.close()
        look.close()

    def kill(self) -> None:
        with suppress(Exception):
            self.process.kill()
            self.process.join(2)
        self.work.close()
        self.look.close()

    def last_words(self) -> str:
        """The end of the log, for an error message."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1][:300] if lines else "its log is empty"
        return "it left no log"


class Engine:
    """`Bot` in a child process. Its methods may be called from any thread."""

    def __init__(self, config: Config) -> None:
        harden_process()  # before any child: one that is started with -c would import from the current folder
        # Spawning needs the resource tracker, and that a stderr of the operating system; a screen replaces sys.stderr.
        resource_tracker.ensure_running()
        self._config = config
        self._child: _Child | None = None
        self._starting = threading.Lock()
        self._working, self._looking = threading.Lock(), threading.Lock()
        self._closed = False
        self._patience: threading.Timer | None = None
        self._number = 0  # of the work that runs, or ran last

    def start(self) -> None:
        """Spawn the child, where there is none; returns at once."""
        self._alive()

    def _alive(self) -> _Child:
        with self._starting:
            if self._closed:
                raise EngineStopped("the engine is closed")
            if self._child is None or not self._child.process.is_alive():
                if self._child is not None:
                    self._child.kill()
                self._child = _Child(self._config)
            return self._child

    def close(self) -> None:
        """Kill the child. Safe to call twice."""
        self._closed = True
        self._calm()
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def stop(self) -> None:
        """Ask the running work to end; it is killed where it has not after `PATIENCE` seconds. Thread-safe."""
        child, number = self._child, self._number
        if child is None or not self._working.locked():
            return
        child.stopping = True
        self._calm()
        self._patience = threading.Timer(PATIENCE, self._expire, (child, number))
        self._patience.daemon = True
        self._patience.start()
        with self._looking, suppress(OSError, ValueError):
            child.look.send(("stop", ()))

    def _expire(self, child: _Child, number: int) -> None:
        """Kill the child, unless the work that was to stop has ended and the next one may have begun."""
        if number == self._number and self._working.locked():
            child.process.kill()

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    # -- work

    def ask(self, question: str, conversation: str | None = None) -> Iterator[Event]:
        """As `Bot.ask`. After `stop` the last event is an `Answered` that is marked stopped."""
        return self._work("ask", question, conversation)

    def add(self, paths: Sequence[str]) -> Iterator[Event]:
        """As `Bot.add`."""
        return self._work("add", [os.path.abspath(p) for p in paths])

    def sync(self) -> Iterator[Event]:
        """As `Bot.sync`."""
        return self._work("sync")

    def _work(self, method: str, *arguments: Any) -> Iterator[Event]:
        with self._working:
            child = self._alive()
            self._number += 1
            ended = child.stopping = False
            try:
                self._send(child.work, method, arguments, child)
                while True:
                    kind, value = self._receive(child.work, child)
                    if kind == "event":
                        yield value
                        continue
                    ended = True
                    if kind == "error":
                        raise value
                    return
            except EngineStopped:
                ended = True
                raise
            finally:
                self._calm()
                if not ended:
                    self._abandon(child)

    def _abandon(self, child: _Child) -> None:
        """The iterator was closed: stop the work and read the pipe empty, or kill."""
        child.stopping = True
        with self._looking, suppress(OSError, ValueError):
            child.look.send(("stop", ()))
        until = time.monotonic() + PATIENCE
        with suppress(EOFError, OSError):
            while time.monotonic() < until:
                if child.work.poll(0.1) and child.work.recv()[0] != "event":
                    return
        child.kill()

    # -- look

    def status(self) -> Status:
        """As `Bot.status`; blocks until the child is up."""
        return self._look("status")

    def rates(self) -> ErrorRates:
        """As `Bot.rates`."""
        return self._look("rates")

    def document(self, name: str) -> Document:
        return self._look("document", name)

    def documents(self) -> tuple[Listing, ...]:
        return self._look("documents")

    def questions(self, limit: int = 50) -> tuple[str, ...]:
        return self._look("questions", limit)

    def conversations(self, limit: int = 50) -> tuple[Conversation, ...]:
        return self._look("conversations", limit)

    def new_conversation(self) -> str:
        return self._look("new_conversation")

    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]:
        return self._look("search", question, limit)

    def _look(self, method: str, *arguments: Any) -> Any:
        with self._looking:
            child = self._alive()
            self._send(child.look, method, arguments, child)
            kind, value = self._receive(child.look, child)
        if kind == "error":
            raise value
        return value

    def _send(
        self, pipe: Connection, method: str, arguments: tuple[Any, ...], child: _Child
    ) -> None:
        try:
            pipe.send((method, arguments))
        except (OSError, ValueError) as error:
            raise self._gone(child) from error

    def _receive(self, pipe: Connection, child: _Child) -> tuple[str, Any]:
        try:
            while not pipe.poll(0.5):
                if not child.process.is_alive() and not pipe.poll(0):
                    raise self._gone(child)
            kind, value = pipe.recv()
            return kind, value
        except (EOFError, OSError) as error:
            raise self._gone(child) from error

    def _gone(self, child: _Child) -> EngineStopped:
        child.process.join(1)
        if child.stopping:
            return Cancelled("stopped, as you asked; the answer was not finished", "ask again")
        code = child.process.exitcode
        how = f"by signal {-code}" if code and code < 0 else f"with code {code}"
        return EngineStopped(
            f"the engine stopped {how}: {child.last_words()}",
            f"ask again: it starts anew. Its log: {child.log}",
        )


def _serve(work: Connection, look: Connection, config: Config, log: str) -> None:
    """The child: two lanes until a pipe closes."""
    harden_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the screen's business
    _redirect(log)
    with suppress(OSError, AttributeError):
        os.nice(5)
    stop = threading.Event()
    threading.Thread(target=_looks, args=(look, config, stop), daemon=True).start()
    with Bot.open(config) as bot, suppress(EOFError, OSError):
        while True:
            method, arguments = work.recv()
            stop.clear()
            _run(bot, work, method, arguments, stop)


def _run(
    bot: Bot, work: Connection, method: str, arguments: tuple[Any, ...], stop: threading.Event
) -> None:
    """One piece of work: its events, then "end" or "error"."""
    try:
        extra = {"stop": stop.is_set} if method == "ask" else {}
        events = getattr(bot, method)(*arguments, **extra)
        for event in events:
            work.send(("event", event))
            if stop.is_set() and method != "ask":
                events.close()
                break
        work.send(("end", None))
    except RagError as error:
        work.send(("error", error))
    except (EOFError, OSError, BrokenPipeError):
        raise
    except (
        Exception
    ) as error:  # what nobody foresaw goes to the log whole, and to the screen as one line
        _trace()
        work.send(
            (
                "error",
                EngineStopped(
                    f"{type(error).__name__}: {error}", "the log says more; please report it"
                ),
            )
        )


def _looks(look: Connection, config: Config, stop: threading.Event) -> None:
    """The second lane. When its pipe closes, the parent is gone: end at once, whatever the other lane does."""
    with Bot.open(config) as bot:
        while True:
            try:
                method, arguments = look.recv()
                if method == "stop":
                    stop.set()
                    continue
                look.send(("value", getattr(bot, method)(*arguments)))
            except RagError as error:
                look.send(("error", error))
            except (EOFError, OSError):
                os._exit(0)
            except Exception as error:
                _trace()
                look.send(
                    (
                        "error",
                        EngineStopped(
                            f"{type(error).__name__}: {error}",
                            "the log says more; please report it",
                        ),
                    )
                )


def _redirect(log: str) -> None:
    """Output of the child, and of the C libraries in it, to the log; nothing from the terminal."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, target)


def _trace() -> None:
    import traceback

    traceback.print_exc(file=sys.stderr)
    sys.stderr.flush()
