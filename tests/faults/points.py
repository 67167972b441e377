"""Every crash point by enumeration: the same day of work, killed at call number 1, 2, 3 ... of those that change a disk.

Two ways to count. The *seam* is Python's own: a profile function sees each call of a C function (SQLite's execute, Chroma's
upsert, fsync, replace, ...) and kills before the n-th; it works anywhere. *strace*, where it is installed and may attach,
counts system calls in every thread, also those deep inside SQLite and Chroma, and kills at the n-th of each kind.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import LibraryMissing
from rag.events import Added, Answered, Report
from tests.faults.child import Child, Outcome, Tell, Work, run
from tests.faults.kills import Life, Trial, adding
from tests.faults.small import Small, key
from tests.faults.truth import look

_CALLS = frozenset(
    "write writelines fsync fdatasync replace rename unlink remove rmdir mkdir ftruncate sendfile copy_file_range utime chmod "
    "execute executemany executescript connect close open flock upsert delete create_collection get_collection stop start".split()
)
SYSTEM_CALLS = "write pwrite64 fsync fdatasync rename renameat2 unlink unlinkat rmdir mkdir ftruncate sendfile copy_file_range".split()
GONE = "docs/d1.txt"


class Day:
    """A library of six documents, and a day's work on it: a sync with three new, one changed and one vanished file, a
    question, a removal, a rebuild. Every crash point starts from a copy of the same morning."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._morning = self._life(folder / "morning")
        self._morning.change(6)
        outcome = run(adding(self._morning.home, self._morning.docs))
        assert outcome.error is None and outcome.fault is None, outcome
        self.question = f"Where is {key('d0', 0)}?"

    def _life(self, folder: Path) -> Life:
        life = Life(folder, self._seed)
        life.draw.random()
        return life

    def again(self, name: str) -> Life:
        """A copy of the morning, at its own place, as the work begins."""
        folder = self._folder / name
        life = Life(folder, self._seed)
        shutil.copytree(self._morning.home, life.home)
        shutil.rmtree(life.docs)
        shutil.copytree(self._morning.docs, life.docs)
        life.disk, life.version = dict(self._morning.disk), dict(self._morning.version)
        for source, text in life.disk.items():
            life.ledger.certain(source, text)
        run(_rerooted(life.home, life.docs))
        for n in (6, 7, 8):
            life.write(f"d{n}")
        life.write("d0")
        life.delete(GONE)
        for source in life.ledger.may.keys() | life.disk.keys():
            life.ledger.possible(source, life.disk.get(source))
        life.ledger.possible("docs/d2.txt", None)
        return life

    def work(self, life: Life) -> Work:
        """The day. Each step's acknowledgement is told."""

        def day(tell: Tell) -> None:
            with Small(life.home) as bot:
                for event in bot.sync():
                    if isinstance(event, Added):
                        tell({"added": event.source})
                    elif isinstance(event, Report):
                        tell({"report": len(event.added)})
                answer = next(e for e in bot.ask(self.question) if isinstance(e, Answered)).answer
                tell({"answered": self.question, "text": answer.text})
                for event in bot.remove("docs/d2.txt"):
                    if isinstance(event, Report):
                        tell({"removed": "docs/d2.txt"})
                for _ in bot.rebuild():
                    pass

        return day

    def close(self, life: Life, outcome: Outcome) -> list[str]:
        """Hold what is there in the evening against what was acknowledged. The copy is removed."""
        for line in outcome.told:
            if "report" in line:
                for source in life.ledger.may.keys() | life.disk.keys():
                    life.ledger.certain(source, life.disk.get(source))
                life.ledger.possible("docs/d2.txt", None)
        outcome.told = [line for line in outcome.told if "report" not in line]
        life.heard("day", outcome)
        wrong = (
            [outcome.fault]
            if outcome.fault
            else [str(outcome.error)]
            if outcome.error
            else look(life.home, life.ledger)
        )
        shutil.rmtree(life.home.parent, ignore_errors=True)
        return wrong


def _rerooted(home: Path, docs: Path) -> Work:
    """The copy's files lie at another path than the morning's: as if the folder had been moved there."""

    def work(_: Tell) -> None:
        with Small(home) as bot:
            db = bot.library.database
            (old,) = db.execute("SELECT path FROM roots").fetchone()
            db.execute("UPDATE roots SET path = ?", (str(docs),))
            db.execute("UPDATE files SET path = ? || substr(path, ?)", (str(docs), len(old) + 1))

    return work


def _reader_was_killed(home: Path) -> Work:
    """A child's work: does the library list a file whose reader was killed?"""

    def work(_: Tell) -> bool:
        with Small(home) as bot:
            try:
                return any((i.reason or "").endswith("(signal 9)") for i in bot.documents())
            except LibraryMissing:
                return False

    return work


def seam(folder: Path, seed: int, most: int) -> Iterator[Trial]:
    """Kill before the n-th call of a C function that may change a disk, for every n, or for `most` of them evenly."""
    day = Day(folder, seed)
    life = day.again("count")
    counted = run(_killed_at(day.work(life), 0))
    wrong = day.close(life, counted)
    total = int(counted.result or 0)
    yield Trial(
        "counting",
        f"{total} points",
        False,
        tuple(wrong or ([] if total > 100 else ["fewer than 100 points"])),
    )
    for at in _evenly(total, most):
        life = day.again(f"at{at}")
        outcome = run(_killed_at(day.work(life), at))
        hit = outcome.signal == signal.SIGKILL and not outcome.hung
        outcome.killed = hit
        yield Trial("calls", f"{seed}, call {at} of {total}", hit, tuple(day.close(life, outcome)))


def _evenly(total: int, most: int) -> list[int]:
    step = max(1.0, total / most)
    return sorted({int(n * step) + 1 for n in range(min(most, total))})


def _killed_at(work: Work, at: int) -> Work:
    """`work`, dead before its call number `at`; its result is how many there were."""

    def counted(tell: Tell) -> int:
        seen = 0

        def watch(_frame: Any, event: str, called: Any) -> None:
            nonlocal seen
            if event == "c_call" and called.__name__ in _CALLS:
                seen += 1
                if seen == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(watch)
        work(tell)
        sys.setprofile(None)
        return seen

    return counted


def strace_works() -> bool:
    """Is it installed, and may it attach to a process of ours?"""
    if shutil.which("strace") is None:
        return False
    child = Child(lambda tell: time.sleep(30))
    try:
        tracer = _attached(child.pid, "fsync", ["-o", os.devnull])
        works = tracer is not None
        if tracer is not None:
            tracer.terminate()
            tracer.wait()
    finally:
        child.kill()
        child.end()
    return works


def _attached(pid: int, calls: str, more: list[str]) -> subprocess.Popen[bytes] | None:
    """strace on that process and all its threads, once it watches; None where it may not."""
    with tempfile.TemporaryFile() as said:
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), "-e", f"trace={calls}", *more],
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        for _ in range(500):
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            if f"TracerPid:\t{tracer.pid}\n" in status:
                return tracer
            if tracer.poll() is not None:
                return None
            time.sleep(0.01)
        tracer.kill()
        tracer.wait()
    return None


def _traced(work: Work, calls: str, more: list[str]) -> Outcome:
    """`work` with strace attached before it begins."""
    ours, theirs = os.pipe()

    def waiting(tell: Tell) -> Any:
        os.read(ours, 1)
        return work(tell)

    child = Child(waiting)
    try:
        tracer = _attached(child.pid, calls, more)
        os.write(theirs, b"x")
        outcome = child.end(tracer=True)
    finally:
        os.close(ours)
        os.close(theirs)
    if tracer is not None:
        tracer.wait(30)
    return outcome


def traced(folder: Path, seed: int, most: int) -> Iterator[Trial]:
    """Kill at the n-th system call of each kind that changes a disk, for every n, or for `most` of all evenly."""
    if not strace_works():
        print(
            "strace       skipped: it is not installed, or may not attach to a process here",
            flush=True,
        )
        return
    day = Day(folder, seed)
    life = day.again("count")
    log = folder / "calls.txt"
    wrong = day.close(life, _traced(day.work(life), ",".join(SYSTEM_CALLS), ["-o", str(log)]))
    counts: Counter[tuple[str, str]] = Counter(
        re.findall(r"^(\d+) +(\w+)\(", log.read_text(errors="replace"), re.M)
    )
    most_of: dict[str, int] = {}
    for (_, call), count in counts.items():
        most_of[call] = max(count, most_of.get(call, 0))
    points = [(call, n) for call in SYSTEM_CALLS for n in range(1, most_of.get(call, 0) + 1)]
    yield Trial(
        "counting",
        f"{len(points)} points",
        False,
        tuple(wrong or ([] if len(points) > 99 else ["fewer than 100"])),
    )
    for index in _evenly(len(points), most):
        call, n = points[index - 1]
        life = day.again(f"at{index}")
        outcome = _traced(
            day.work(life), call, ["-e", f"inject={call}:signal=SIGKILL:when={n}", "-o", os.devnull]
        )
        if run(_reader_was_killed(life.home)).result:
            # strace kills the readers of files too, the second try like the first. That the file is listed as failed
            # acknowledges nothing about it: the next run, which nothing kills, has to take it in.
            run(adding(life.home, life.docs))
        yield Trial(
            call, f"{seed}, {call} number {n}", outcome.killed, tuple(day.close(life, outcome))
        )
