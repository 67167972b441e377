"""Full disks, folders that may not be written, a folder that is removed while it is in use.

Nothing that was acknowledged may be lost once there is room again, and the message names the path, what is missing and what
to do. A limit on the size of files needs no rights; small disks and read-only ones are mounted where root may.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.events import Repaired
from tests.faults.child import Child, Outcome, Tell, Work, run
from tests.faults.kills import Life, Trial, adding, asking, unmade
from tests.faults.points import Day
from tests.faults.small import Small, key
from tests.faults.truth import look

_NOBODY = 65534


def full(folder: Path, seed: int, most: int) -> Iterator[Trial]:
    """`most` sizes of disk, half of them a limit on the size of a file, half a small file system."""
    day = Day(folder, seed)
    sizes = [int(2048 * 1.55**n) for n in range(16)]
    for number in _spread(sizes, most - most // 2):
        life = day.again(f"limit{number}")
        outcome = run(_limited(day.work(life), number))
        wrong = _clear(outcome, life.home) + day.close(life, _excused(outcome))
        yield Trial(
            "file size limit", f"{seed}, {number} bytes", outcome.error is not None, tuple(wrong)
        )
    if not mounts(folder):
        print("full         small file systems skipped: mounting needs root", flush=True)
        return
    for number in _spread([int(40_000 * 1.35**n) for n in range(14)], most // 2):
        life = day.again("disk")
        with _disk(life.home) as grow:
            grow(_used(life.home) + number)
            outcome = run(day.work(life))
            wrong = _clear(outcome, life.home)
            grow(64 * 2**20)
            for line in _room_again(life, outcome, day):
                wrong.append(line)
        shutil.rmtree(life.home.parent)
        yield Trial(
            "small disk", f"{seed}, {number} bytes free", outcome.error is not None, tuple(wrong)
        )


STATES = (
    "well",
    "index",
    "history",
)  #: what a repair on a low disk finds: nothing wrong, no words and no index, a cut history


def low(folder: Path, seed: int, most: int) -> Iterator[Trial]:
    """Repairs with little room, at `most` sizes from 0 to 200 kB in each of `STATES`: an intact
    history stays where it is.

    Half of the sizes are a limit on the size of a file, half are of a small file system.
    """
    day = Day(folder, seed)
    sizes = list(range(0, 200_001, 4096))
    may_mount = mounts(folder)
    for state in STATES:
        for number in _spread(sizes, most - most // 2):
            life, before = _asked(day, state)
            outcome = run(_limited(_repair(life.home), number))
            wrong = _kept(life, state, before, outcome)
            shutil.rmtree(life.home.parent)
            yield Trial(f"limit, {state}", f"{seed}, {number} bytes", _named(outcome), tuple(wrong))
        for number in _spread(sizes, most // 2) if may_mount else ():
            life, before = _asked(day, state)
            with _disk(life.home) as grow:
                grow(_used(life.home) + number)
                outcome = run(_repair(life.home))
                grow(64 * 2**20)
                wrong = _kept(life, state, before, outcome)
            shutil.rmtree(life.home.parent)
            yield Trial(
                f"low disk, {state}", f"{seed}, {number} bytes free", _named(outcome), tuple(wrong)
            )
    if not may_mount:
        print("low          small file systems skipped: mounting needs root", flush=True)


def _asked(day: Day, state: str) -> tuple[Life, bytes]:
    """A library with a saved answer, in that state, and what its history holds."""
    life = day.again("low")
    life.heard("ask", run(asking(life.home, day.question)))
    place = life.home / "libraries" / "default"
    if state == "index":
        run(wounding(life.home))
    elif state == "history":
        content = (place / "history.db").read_bytes()
        (place / "history.db").write_bytes(content[: len(content) - 4096])
    return life, (place / "history.db").read_bytes()


def wounding(home: Path) -> Work:
    """A child's work: no words and no index."""

    def work(_: Tell) -> None:
        with Small(home) as bot:
            bot.library.database.execute("INSERT INTO words(words) VALUES ('delete-all')")
        unmade(home)

    return work


def _repair(home: Path) -> Work:
    def work(tell: Tell) -> None:
        with Small(home) as bot:
            for event in bot.repair():
                if isinstance(event, Repaired):
                    tell([event.what, event.done, event.says, event.cure])

    return work


def _named(outcome: Outcome) -> bool:
    """Did the repair say that something kept it from its work?"""
    return outcome.error is not None or any(not line[1] for line in outcome.told)


def _kept(life: Life, state: str, before: bytes, outcome: Outcome) -> list[str]:
    """There is room again. Is every turn where it was, or where the repair said, and can all be
    repaired now?"""
    wrong = _clear(outcome, life.home)
    wrong += [f"no cure: {line}" for line in outcome.told if not line[1] and not line[3]]
    place = life.home / "libraries" / "default"
    aside = sorted(place.glob("history-damaged-*"))
    said = " ".join(line[2] for line in outcome.told)
    if state != "history" and aside:
        wrong.append(f"an intact history was set aside: {aside}, {outcome.told}")
    if (place / "history.db").read_bytes() != before and state == "history":
        if len(aside) != 1 or aside[0].read_bytes() != before or str(aside[0]) not in said:
            wrong.append(
                f"the damaged history is not where it was said to be: {aside}, {outcome.told}"
            )
    elif aside and state == "history":
        wrong.append(f"a copy was left though nothing was done: {aside}")
    again = run(_repair(life.home))
    if again.error or again.fault or _named(again):
        wrong.append(
            f"with room again, repair ended with {again.error or again.fault or again.told}"
        )
    if state == "history":
        life.ledger.turns.clear()
    return wrong + look(life.home, life.ledger)


def _room_again(life: Life, outcome: Outcome, day: Day) -> list[str]:
    """There is room again: what was acknowledged is there, and the day's work can be done."""
    told = [line for line in outcome.told if "report" not in line]
    life.heard("day", Outcome(told=told))
    wrong = look(life.home, life.ledger)
    again = run(adding(life.home, life.docs))
    if again.error or again.fault:
        wrong.append(f"with room again, add ended with {again.error or again.fault}")
    return wrong


def _excused(outcome: Outcome) -> Outcome:
    """The error was judged by `_clear`; the rest is judged as after a kill."""
    return Outcome(told=outcome.told, crash=outcome.crash, signal=outcome.signal, hung=outcome.hung)


def _clear(
    outcome: Outcome, home: Path, words: tuple[str, ...] = ("MB are needed", "MB are free")
) -> list[str]:
    """Does the message name the path, what is missing and what to do?"""
    if outcome.fault:
        return [outcome.fault]
    if outcome.error is None:
        return []
    kind, said, cure = outcome.error
    wrong = [] if str(home) in said else [f"the message names no path: {kind}: {said}"]
    if words and not any(word in said for word in words):
        wrong.append(f"the message does not say what is missing: {kind}: {said}")
    return wrong if cure else [*wrong, f"the message has no cure: {kind}: {said}"]


def _limited(work: Work, size: int) -> Work:
    def limited(tell: Tell) -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return work(tell)

    return limited


def _spread(values: list[int], most: int) -> list[int]:
    return values if most >= len(values) else [values[n * len(values) // most] for n in range(most)]


# -- mounts


def mounts(folder: Path) -> bool:
    """May we mount a file system here?"""
    place = folder / "mountable"
    place.mkdir(exist_ok=True)
    if shutil.which("mount") is None or _mount(
        "-t", "tmpfs", "-o", "size=64k", "footnote-faults", str(place)
    ):
        return False
    subprocess.run(["umount", str(place)], check=True, capture_output=True)
    return True


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode


@contextmanager
def _disk(home: Path) -> Iterator[Callable[[int], None]]:
    """`home` on a file system of its own; the function sets its size in bytes."""
    aside = home.with_name("aside")
    home.rename(aside)
    home.mkdir()
    assert _mount("-t", "tmpfs", "-o", "size=64m", "footnote-faults", str(home)) == 0
    try:
        shutil.copytree(aside, home, dirs_exist_ok=True)
        yield lambda size: _resize(home, size)
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True, capture_output=True)


def _resize(home: Path, size: int) -> None:
    assert _mount("-o", f"remount,size={size}", str(home)) == 0


def _used(home: Path) -> int:
    found = os.statvfs(home)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


# -- folders that may not be written, or go away


def read_only(folder: Path, seed: int) -> Iterator[Trial]:
    """A library in a folder that may not be written, by its rights and, where root may mount, by its disk."""
    day = Day(folder, seed)
    question = f"Where is {key('d0', 0)}?"
    for name in ("add", "ask"):
        life = day.again(f"rights-{name}")
        work = adding(life.home, life.docs) if name == "add" else asking(life.home, question)
        for place, names, files in os.walk(folder):
            for entry in (place, *(os.path.join(place, n) for n in names + files)):
                os.chmod(entry, 0o555 if os.path.isdir(entry) else 0o444)
        outcome = run(_as_nobody(work))
        for place, names, _ in os.walk(folder):
            for entry in (place, *(os.path.join(place, n) for n in names)):
                os.chmod(entry, 0o755)
        for file in folder.rglob("*.*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        yield Trial(
            f"no rights, {name}",
            str(seed),
            outcome.error is not None,
            tuple(_refused(outcome, life)),
        )
    if not mounts(folder):
        print("read-only    disks skipped: mounting needs root", flush=True)
        return
    for name in ("add", "ask"):
        life = day.again(f"disk-{name}")
        work = adding(life.home, life.docs) if name == "add" else asking(life.home, question)
        with _disk(life.home):
            assert _mount("-o", "remount,ro", str(life.home)) == 0
            outcome = run(work)
            assert _mount("-o", "remount,rw", str(life.home)) == 0
            wrong = _refused(outcome, life)
        yield Trial(f"read-only disk, {name}", str(seed), outcome.error is not None, tuple(wrong))


def _refused(outcome: Outcome, life: Life) -> list[str]:
    wrong = _clear(outcome, life.home, ("writ",))
    if outcome.error is None and not outcome.fault and not outcome.told:
        wrong.append("it was not refused, and did nothing")
    life.heard("day", Outcome(told=[line for line in outcome.told if "report" not in line]))
    return wrong + look(life.home, life.ledger)


def _as_nobody(work: Work) -> Work:
    def lowly(tell: Tell) -> object:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        return work(tell)

    return lowly


def removed(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """The library's folder goes away in the middle of an `add`: nothing is acknowledged after it, no torso comes back."""
    for number in range(count):
        draw = random.Random(seed * 31 + number)
        life = Life(folder / f"gone{number}", seed * 1000 + number)
        life.change(60)
        child = Child(adding(life.home, life.docs))
        child.hears({"added": "docs/d0.txt"})
        wrong = _taken_away(child, life, draw.uniform(0, 0.08))
        yield Trial("folder removed", f"{seed * 31 + number}", True, tuple(wrong))
        shutil.rmtree(folder / f"gone{number}", ignore_errors=True)


def _taken_away(child: Child, life: Life, after: float) -> list[str]:
    """Move the folder away whole (a removal file by file would take its time), then judge the end of the child."""
    child.wait(after)
    away = life.home.with_name("away")
    (life.home / "libraries").rename(away)
    outcome = child.end()
    wrong = _clear(outcome, life.home, ("gone", "removed", "cannot be", "No such file"))
    finished = any("report" in line for line in outcome.told)
    if not outcome.error and not finished and not outcome.fault:
        wrong.append("it ended without a report and without an error")
    if outcome.error and (life.home / "libraries" / "default" / "vectors").exists():
        wrong.append("the index made the removed folder again")
    shutil.rmtree(life.home / "libraries", ignore_errors=True)
    away.rename(life.home / "libraries")  # put back: what was acknowledged is in it
    for source, text in life.disk.items():
        life.ledger.possible(source, text)
    life.heard("day", Outcome(told=[line for line in outcome.told if "added" in line]))
    return wrong + look(life.home, life.ledger)
