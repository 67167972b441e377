"""How fast the screen answers, over a real pty: python -m tests.tui.speed [--short].

Every figure has one beside it that was measured in the same run: keys while an answer is written
beside keys while nothing happens, a conversation of 200 turns beside an empty one, the first paint
beside that of a bare Textual app. A shared machine makes all of them larger. The bytecode of both is
cached, in a folder of this run, as it is where the program is installed; an environment that
forbids the cache would have this program compiled at each start, and Textual never.
"""

from __future__ import annotations

import fcntl
import os
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]

#: characters that stand in no answer and no label: each key can be told from all others
KEYS = [chr(code) for code in (*range(0x430, 0x450), *range(0x3B1, 0x3C9), *range(0x561, 0x581))]
COLUMNS, LINES = 100, 30
#: an app that shows one word
BARE = (
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class Bare(App):\n    def compose(self):\n        yield Static('footnote')\nBare().run()\n"
)
#: keeps the bytecode until this program ends
_BYTECODE = tempfile.TemporaryDirectory()
#: what a terminal answers when it is asked for its attributes
_ATTRIBUTES = b"\x1b[?62c"


class Pty:
    """A program on a pty of `COLUMNS` and `LINES`, and what it writes."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        around = {
            **os.environ,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": _BYTECODE.name,
        }
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=around,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def until(self, words: str, seconds: float = 60.0) -> float:
        """Read until `words` were written; return the time then."""
        wanted, seen, end = words.encode(), b"", time.perf_counter() + seconds
        while wanted not in seen:
            left = end - time.perf_counter()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f"{words!r} did not come; the end: {seen[-400:]!r}")
            seen = seen[-len(wanted) :] + self.read()
        return time.perf_counter()

    def read(self) -> bytes:
        """Read what was written; answer what the program asks of its terminal."""
        read = os.read(self.master, 65536)
        if b"\x1b[c" in read:  # it asks for the background
            os.write(self.master, _ATTRIBUTES)
        return read

    def quiet(self, seconds: float) -> None:
        """Read whatever is written in the next `seconds`."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                os.read(self.master, 65536)

    def press(self, keys: str) -> float:
        """Send keys; return the time."""
        began = time.perf_counter()
        os.write(self.master, keys.encode())
        return began

    def key_times(self, count: int) -> list[float]:
        """Press `count` keys, one after the other is seen; return the seconds of each."""
        times = list[float]()
        for number in range(count):
            key = KEYS[number % len(KEYS)]
            if number and number % len(KEYS) == 0:
                self.press("\x15")  # empties the line
                self.quiet(0.3)
            times.append(-self.press(key) + self.until(key))
            self.quiet(0.03)
        return times


@dataclass(frozen=True, slots=True)
class Speeds:
    """Seconds. Of keys the 95th percentile, of the others the median."""

    idle_key: float
    busy_key: float
    stop: float
    empty: float
    long: float
    bare: float
    first: float
    keys: int
    runs: int

    def lines(self) -> list[str]:
        """Return the figures with their bounds."""
        ratio, more = self.first / self.bare, self.long - self.empty
        return [
            f"key to screen, p95 of {self.keys}: idle {_ms(self.idle_key)}, while an answer is "
            f"written {_ms(self.busy_key)}: {_ms(self.busy_key - self.idle_key)} more (bound 30 ms)",
            f"Esc to 'stopping', median of {self.runs}: {_ms(self.stop)} (bound 100 ms)",
            f"chat with an empty conversation {_ms(self.empty)}, with one of 200 turns "
            f"{_ms(self.long)}, medians of {self.runs}: {_ms(more)} more (bound 500 ms)",
            f"first paint, medians of {self.runs}: bare Textual app {_ms(self.bare)}, footnote "
            f"{_ms(self.first)}: {ratio:.2f} times (bound 1.6)",
        ]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


def _demo(kind: str) -> Pty:
    return Pty("-m", "tests.tui.demo", kind)


def _keys(count: int) -> tuple[float, float]:
    """The 95th percentile of keys: idle, and while an answer is written."""
    with _demo("writing") as pty:
        pty.until("ready")
        pty.quiet(1.0)
        idle = pty.key_times(count)
        pty.press("\x15go\r")
        pty.until("writing")
        busy = pty.key_times(count)
    return _p95(idle), _p95(busy)


def _stop() -> float:
    """Seconds from Esc to the word "stopping", or "stopped" where it takes effect at once."""
    with _demo("writing") as pty:
        pty.until("ready")
        pty.press("go\r")
        pty.until("writing")
        pty.quiet(0.5)
        began = pty.press("\x1b")
        return pty.until("stopp") - began


def _opened(kind: str, words: str) -> float:
    """Seconds from the start of the program to the words."""
    with _demo(kind) as pty:
        return pty.until(words) - pty.began


def _first_paint(*arguments: str) -> float:
    with Pty(*arguments) as pty:
        return pty.until("footnote") - pty.began


def measure(keys: int, runs: int) -> Speeds:
    """Measure everything; what is compared alternates, so that both have the same machine."""
    idle, busy = _keys(keys)
    stops = [_stop() for _ in range(runs)]
    with tempfile.TemporaryDirectory() as home:
        command = ["-m", "rag", "--home", home]
        _first_paint("-c", BARE), _first_paint(*command)  # both are compiled and cached
        paints = [(_first_paint("-c", BARE), _first_paint(*command)) for _ in range(runs)]
    opened = [
        (_opened("", "to search"), _opened("long", "Question number 200")) for _ in range(runs)
    ]
    median = statistics.median
    return Speeds(
        idle,
        busy,
        median(stops),
        median(empty for empty, _ in opened),
        median(long for _, long in opened),
        median(bare for bare, _ in paints),
        median(first for _, first in paints),
        keys,
        runs,
    )


def main(short: bool) -> int:
    """Print the figures."""
    for line in measure(20 if short else 80, 1 if short else 5).lines():
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main("--short" in sys.argv[1:]))
