"""The front door in a child process: events come back over a pipe, and the child can be killed.

llama.cpp cannot be interrupted from outside during a computation, may end its process on a broken
file, and loads for seconds. None of that may happen in the process that draws the screen. The child
is spawned (never forked) and runs at a lower priority. Its output goes to a log file. It ends when
its pipe closes, so no engine outlives its screen.

There are two lanes. Each is a pipe with a thread of the child behind it and a `Bot` of its own. The
*work* lane runs questions and ingests, one at a time. The *look* lane answers what a screen needs
meanwhile (a document, a list) and carries the request to stop. The work stops between two steps; if
that takes longer than `STOP_SECONDS`, the child is killed and the next call starts a new one.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from rag.config import Config, SettingsFile
from rag.disk import permissions
from rag.disk.paths import absolute_paths
from rag.engine.child import STOP, Reply, Request, serve
from rag.engine.looks import EngineLooks
from rag.errors import Cancelled, EngineStopped
from rag.events import Event, ModelChosen
from rag.front_door import FrontDoor
from rag.process import safe_children

P = ParamSpec("P")
T = TypeVar("T")

STOP_SECONDS = 5.0  #: that a stop may take before the child is killed


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
            target=serve,
            args=(work, look, config, str(self.log)),
            daemon=True,
            name="footnote-engine",
        )
        with safe_children():
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

    def last_log_line(self) -> str:
        """The end of the log, for an error message."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1][:300] if lines else "its log is empty"
        return "it left no log"


class Engine(EngineLooks):
    """`Bot` in a child process. Its methods may be called from any thread."""

    def __init__(self, config: Config) -> None:
        # Spawning needs the resource tracker, which inherits the stderr that a screen replaces.
        with safe_children():
            resource_tracker.ensure_running()
        self._config = config
        self._settings = SettingsFile(config.home)
        self._child: _Child | None = None
        self._starting = threading.Lock()
        self._working, self._looking = threading.Lock(), threading.Lock()
        self._closed = False
        self._kill_timer: threading.Timer | None = None
        self._number = 0  #: of the work that runs, or ran last

    def start(self) -> None:
        """Spawn the child unless it is running. Returns at once."""
        self._running_child()

    def _running_child(self) -> _Child:
        with self._starting:
            if self._closed:
                raise EngineStopped("the engine is closed")
            if self._child is None or not self._child.process.is_alive():
                if self._child is not None:
                    self._child.kill()
                self._config = self._settings.follow(self._config)
                self._child = _Child(self._config)
            return self._child

    def close(self) -> None:
        """Kill the child. A second call does nothing."""
        self._closed = True
        self._cancel_kill()
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def stop(self) -> None:
        """Ask the running work to stop; kill the child after `STOP_SECONDS`. Thread-safe."""
        child, number = self._child, self._number
        if child is None or not self._working.locked():
            return
        child.stopping = True
        self._cancel_kill()
        self._kill_timer = threading.Timer(STOP_SECONDS, self._kill_if_running, (child, number))
        self._kill_timer.daemon = True
        self._kill_timer.start()
        self._send_stop(child)

    def _kill_if_running(self, child: _Child, number: int) -> None:
        """Kill the child if work `number` is still running. A later work is left alone."""
        if number == self._number and self._working.locked():
            child.process.kill()

    def _cancel_kill(self) -> None:
        if self._kill_timer is not None:
            self._kill_timer.cancel()
            self._kill_timer = None

    def _send_stop(self, child: _Child) -> None:
        with self._looking, suppress(OSError, ValueError):
            child.look.send(Request(STOP))

    # -- work

    def ask(
        self,
        question: str,
        conversation: str | None = None,
        refresh: bool = False,
        within: Sequence[str] = (),
    ) -> Iterator[Event]:
        """As `Bot.ask`. After `stop` the last event is an `Answered` that is marked stopped."""
        return self._work(FrontDoor.ask, question, conversation, refresh, within)

    def add(self, paths: Sequence[str]) -> Iterator[Event]:
        """As `Bot.add`."""
        return self._work(FrontDoor.add, absolute_paths(paths))

    def sync(self, forget: bool = False, roots: Sequence[str] = ()) -> Iterator[Event]:
        """As `Bot.sync`."""
        return self._work(FrontDoor.sync, forget, roots)

    def read_again(self, sources: Sequence[str]) -> Iterator[Event]:
        """As `Bot.read_again`."""
        return self._work(FrontDoor.read_again, sources)

    def remove(self, name: str) -> Iterator[Event]:
        """As `Bot.remove`."""
        return self._work(FrontDoor.remove, name)

    def use_model(self, name: str) -> Iterator[Event]:
        """As `Bot.use_model`. The child takes the new setting over from the file.

        If the model was given on the command line, which overrides the file, the child is ended,
        and the next call starts one with the new model.
        """
        follows = self._settings.gives(self._config, "model")
        for event in self._work(FrontDoor.use_model, name):
            if isinstance(event, ModelChosen):
                self._config = replace(self._config, model=event.model)
            yield event
        if follows:
            self._config = self._settings.follow(self._config)
            return
        with self._working, self._looking, self._starting:
            child, self._child = self._child, None
            if child is not None:
                child.kill()

    def _work(
        self,
        method: Callable[Concatenate[FrontDoor, P], Iterator[Event]],
        *arguments: P.args,
        **_: P.kwargs,
    ) -> Iterator[Event]:
        """The events of a method of the child's `Bot`."""
        with self._working:
            child = self._running_child()
            self._number += 1
            ended = child.stopping = False
            try:
                self._send(child.work, Request(method.__name__, arguments), child)
                while True:
                    reply = self._receive(child.work, child)
                    if reply.kind == "event":
                        yield reply.value
                        continue
                    ended = True
                    if reply.kind == "error":
                        raise reply.value
                    return
            except EngineStopped:
                ended = True
                raise
            finally:
                self._cancel_kill()
                if not ended:
                    self._abandon(child)

    def _abandon(self, child: _Child) -> None:
        """Stop work whose iterator was closed, and empty its pipe; kill the child if that fails."""
        child.stopping = True
        self._send_stop(child)
        until = time.monotonic() + STOP_SECONDS
        with suppress(EOFError, OSError):
            while time.monotonic() < until:
                if child.work.poll(0.1) and child.work.recv().kind != "event":
                    return
        child.kill()

    # -- look

    def _look(
        self,
        method: Callable[Concatenate[FrontDoor, P], T],
        *arguments: P.args,
        **_: P.kwargs,
    ) -> T:
        """The result of a method of the child's second `Bot`."""
        with self._looking:
            child = self._running_child()
            self._send(child.look, Request(method.__name__, arguments), child)
            reply = self._receive(child.look, child)
        if reply.kind == "error":
            raise reply.value
        return reply.value

    # -- pipes

    def _send(self, pipe: Connection, request: Request, child: _Child) -> None:
        try:
            pipe.send(request)
        except (OSError, ValueError) as error:
            raise _stopped(child) from error

    def _receive(self, pipe: Connection, child: _Child) -> Reply:
        try:
            while not pipe.poll(0.5):
                if not child.process.is_alive() and not pipe.poll(0):
                    raise _stopped(child)
            reply: Reply = pipe.recv()
            return reply
        except (EOFError, OSError) as error:
            raise _stopped(child) from error


def _stopped(child: _Child) -> EngineStopped:
    """The error for a child that has ended: `Cancelled` if it was asked to stop."""
    child.process.join(1)
    if child.stopping:
        return Cancelled("stopped, as you asked; the answer was not finished", "ask again")
    code = child.process.exitcode
    how = f"by signal {-code}" if code and code < 0 else f"with code {code}"
    return EngineStopped(
        f"the engine stopped {how}: {child.last_log_line()}",
        f"ask again: the engine starts anew. Its log: {child.log}",
    )
