"""Commands of the command line that the screen runs: fetching a model, measuring answers.

Each is a program of its own. It ends with the screen, and what it has done so far is kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rag.text.foreign_marks import quote_foreign

_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from rag.cli.main import main; main()"
#: How the line of an error begins.
_ERROR = "footnote: "
#: Seconds that a program has to end after it was asked to.
_STOP_SECONDS = 5.0
#: Lines that are kept, and characters of each.
_MAX_LINES, _MAX_CHARS = 20, 1000


class CommandRun:
    """A command that runs or has ended; `name` says of what it is."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self.name = name
        self.lines: deque[str] = deque(maxlen=_MAX_LINES)
        self.code: int | None = None  #: its exit code once it has ended
        self.stopped = False  #: whether the user stopped it
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-P", "-c", _START, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "FOOTNOTE_PROGRESS": "lines", "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # ctrl+c in the terminal is for the screen
        )
        threading.Thread(target=self._read, daemon=True, name="command").start()

    @property
    def running(self) -> bool:
        return self.code is None

    @property
    def line(self) -> str:
        """The last line that it printed, which is foreign text made harmless."""
        return self.lines[-1] if self.lines else ""

    def _read(self) -> None:
        """Keep the last lines of the program until it ends."""
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            while line := lines.readline(64 * _MAX_CHARS):
                text = quote_foreign(line.decode("utf-8", "replace"))[:_MAX_CHARS]
                if text:
                    self.lines.append(text)
        self.code = self._process.wait()

    def stop(self) -> None:
        """Ask the program to end, and end it if it does not."""
        self.stopped = True
        with suppress(OSError):
            self._process.send_signal(signal.SIGINT)
        timer = threading.Timer(_STOP_SECONDS, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """End the program at once."""
        if self._process.poll() is None:
            with suppress(OSError):
                self._process.kill()


def failure_lines(run: CommandRun) -> list[str]:
    """Return the error that a command ended with, and its hint, a line each."""
    lines = list(run.lines)
    errors = [number for number, line in enumerate(lines) if line.startswith(_ERROR)]
    shown = lines[errors[-1] :] if errors else lines[-1:]
    return [line.removeprefix(_ERROR) for line in shown] or [f"ended with {run.code}"]


class Commands:
    """Starts commands over one library of one home; one at a time for each `kind`."""

    def __init__(self, home: Path, library: str) -> None:
        self._options = ("--home", str(home), "--library", library)
        self.runs: dict[str, CommandRun] = {}  #: the last one of each kind

    def start(self, kind: str, name: str, arguments: Sequence[str]) -> CommandRun | None:
        """Start a command; None if one of its kind is running."""
        if kind in self.runs and self.runs[kind].running:
            return None
        run = self.runs[kind] = self.make(name, [*self._options, *arguments])
        return run

    def make(self, name: str, arguments: Sequence[str]) -> CommandRun:
        """Return the running command."""
        return CommandRun(name, arguments)

    def close(self) -> None:
        """End all commands: the screen ends."""
        for run in self.runs.values():
            if run.running:
                run.kill()
