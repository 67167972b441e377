"""Record a walk through the chat as an asciinema file (version 2), over a real pty with seeds/.

``python -m tests.support.cast docs/walk.cast``. The steps wait for what they need to see; what was
waited for longer than a moment is shortened, so that the file is as quick on every machine.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import select
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag import Bot, Config
from tests.tui.speed import COLUMNS, LINES, Pty

ROOT = Path(__file__).resolve().parents[2]
TITLE = "footnote: every sentence has a checked footnote"
#: seconds: the longest wait that is kept, the same of one step, between two keys, to read
MAX_WAIT, MAX_STEP, KEY, READ = 0.4, 2.5, 0.07, 2.0
PATIENCE = 900.0  # seconds until a step must have happened
#: questions to the terminal about its colours, which a player would answer
_REQUESTS = re.compile(r"\x1b\]11;\?\x07|\x1b\[c|\x1b\[\?2026\$p|\x1b\[\?u")


class Recorder:
    """Sends keys to a pty and keeps what it writes, with times of its own."""

    def __init__(self, pty: Pty) -> None:
        self._pty = pty
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.now = 0.0
        self._left = MAX_STEP  #: seconds of waiting that the step may still take
        self.events: list[tuple[float, str]] = []
        self._seen = ""

    def until(self, *words: str) -> None:
        """Record until one of `words` is written."""
        end = time.monotonic() + PATIENCE
        while not any(word in self._seen for word in words):
            if time.monotonic() > end:
                raise SystemExit(f"{words} did not come; the end: {self._seen[-300:]!r}")
            self._read(1.0)
        self._seen = ""
        self._settle()

    def ask(self, keys: str) -> None:
        """Type the end of a question, and record until the header says that it was answered."""
        self.keys(keys)
        end = time.monotonic() + PATIENCE
        while (asked := self._seen.rfind("answering")) < 0 or self._seen.rfind("ready") < asked:
            if time.monotonic() > end:
                raise SystemExit(f"no answer came; the end: {self._seen[-300:]!r}")
            self._read(1.0)
        self._seen = ""
        self._settle()

    def _settle(self) -> None:
        """Record until nothing more is written, or only a cursor that blinks."""
        end = time.monotonic() + 2.0
        while self._read(0.3) and time.monotonic() < end:
            pass
        self._left = MAX_STEP

    def _read(self, seconds: float) -> bool:
        """Record what is written within `seconds`; return whether anything was."""
        began = time.monotonic()
        if not select.select([self._pty.master], [], [], seconds)[0]:
            return False
        try:
            read = self._pty.read()
        except OSError:  # the program has ended
            return False
        waited = min(MAX_WAIT, self._left, time.monotonic() - began)
        self._left -= waited
        self.now += waited
        text = self._decode(read)
        self._seen += text
        self._keep(round(self.now, 3), _REQUESTS.sub("", text))
        return True

    def _keep(self, at: float, shown: str) -> None:
        """Keep what was written at a time; without what a blinking cursor repeats."""
        if not shown or any(shown == text for _, text in self.events[-2:]):
            return
        if self.events and self.events[-1][0] == at:
            shown = self.events.pop()[1] + shown
        self.events.append((at, shown))

    def keys(self, keys: str, *until: str) -> None:
        """Type keys one by one, then wait for one of some words; without, for a moment."""
        for key in [keys] if keys.startswith("\x1b") else keys:
            self._pty.press(key)
            self.now += KEY
            self._read(0.1)
        if keys == "\x1b":  # with the next key it would be another one
            self._settle()
        if until:
            self.until(*until)

    def rest(self, seconds: float = READ) -> None:
        """Let a viewer read."""
        self.now += seconds

    def file(self) -> str:
        """Return the recording."""
        head = {"version": 2, "width": COLUMNS, "height": LINES, "title": TITLE}
        env = {"env": {"TERM": "xterm-256color"}}
        written = (json.dumps([t, "o", text], ensure_ascii=False) for t, text in self.events)
        rows = [json.dumps(head | env), *written]
        return "\n".join(rows) + "\n"


def walk(recorder: Recorder) -> None:
    """A question, its evidence, the check, a search, one document, and the end."""
    recorder.until("to search")
    recorder.rest()
    recorder.ask("How many individual sanctions has Russia faced?\r")
    recorder.rest()
    recorder.keys("\t")
    recorder.keys("\r", "SOURCE")
    recorder.rest(3.0)
    recorder.keys("v", "CHECK")
    recorder.rest()
    recorder.keys("\x1b")
    recorder.rest(0.5)
    recorder.keys("/sanctions\r", " of ")
    recorder.keys("nn")
    recorder.rest(1.0)
    recorder.keys("\x1b")
    recorder.rest(0.5)
    recorder.keys("\x1b")
    recorder.keys("What did Lavrov say about sanctions? @000_", "@000_bac51fb96c89603d.txt")
    recorder.rest(1.0)
    recorder.ask("\t\r")
    recorder.rest(3.0)
    recorder.keys("\x11", "\x1b[?1049l")


def record(steps: Callable[[Recorder], None], home: str) -> str:
    """Return the recording of `steps` over the library in `home`."""
    with Pty("-m", "rag", "--home", home) as pty:
        recorder = Recorder(pty)
        steps(recorder)
        return recorder.file()


def main(path: str) -> None:
    """Make the library in a scratch folder, record the walk, write it to `path`."""
    os.environ.pop("COLORTERM", None)  # 256 colours: a third fewer characters
    with tempfile.TemporaryDirectory() as home:
        with Bot.open(Config(home=home)) as bot:
            for _ in bot.add([str(ROOT / "seeds")]):
                pass
        recording = record(walk, home)
    Path(path).write_text(recording, encoding="utf-8")
    print(f"{path}: {recording.count(chr(10)) - 1:,} events, {len(recording):,} characters")


if __name__ == "__main__":
    main(*sys.argv[1:])
