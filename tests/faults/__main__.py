"""Everything that may break, broken on purpose: ``make faults``, or ``python -m tests.faults [--short] [--kills 1000] ...``.

Prints how many faults of each kind were tried and what was wrong after them, each with the seed that brings it back.
Exits 1 where anything was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rag.process import harden_process
from tests.faults import bombs, damage, disks, headers, kills, pairs, points
from tests.faults.child import preload
from tests.faults.kills import Trial

Part = Callable[[Path], Iterator[Trial]]


#: full, short
_SIZES = {
    "kills": (1000, 40),
    "recoveries": (10, 1),
    "calls": (10_000, 16),
    "points": (400, 0),
    "flips": (60, 8),
    "wounds": (30, 4),
    "sizes": (20, 4),
    "low": (50, 4),
    "removals": (20, 3),
    "questions": (500, 60),
    "races": (100, 6),
    "step": (1, 60),
    "wait": (1, 10),
    "bombs": (1000, 0),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that were asked for. Returns the exit code."""
    asked = _asked(arguments)
    harden_process()
    preload()
    failed = 0
    for name, part in parts(asked).items():
        if name in asked.only if asked.only else name != "strace" or asked.points:
            failed += _run(name, part)
    print(f"{failed or 'no'} failures, seed {asked.seed}")
    return 1 if failed else 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="a few minutes' worth: what CI runs")
    parser.add_argument("--kills", type=int, help="random kills (1000; short: 40)")
    parser.add_argument(
        "--recoveries", type=int, help="times ten kills in a row inside recovery (10; short: 1)"
    )
    parser.add_argument("--calls", type=int, help="crash points by Python's calls (all; short: 16)")
    parser.add_argument("--points", type=int, help="crash points by strace (400; short: none)")
    parser.add_argument("--flips", type=int, help="single bits of the index (60; short: 8)")
    parser.add_argument(
        "--wounds", type=int, help="damages of each kind to the library (30; short: 4)"
    )
    parser.add_argument("--sizes", type=int, help="sizes of full disks (20; short: 4)")
    parser.add_argument(
        "--low",
        type=int,
        help="sizes of disks with little room for a repair, in each state (50; short: 4)",
    )
    parser.add_argument(
        "--removals",
        type=int,
        help="times a folder is removed while it is written to (20; short: 3)",
    )
    parser.add_argument(
        "--questions", type=int, help="questions while another process adds (500; short: 60)"
    )
    parser.add_argument("--races", type=int, help="races of fresh openers (100; short: 6)")
    parser.add_argument(
        "--step", type=int, help="of the lies of model files, every so many (1; short: 60)"
    )
    parser.add_argument(
        "--wait",
        type=int,
        help="most seconds of a question or a refusal (1; short: 10, beside other work)",
    )
    parser.add_argument(
        "--bombs",
        type=int,
        help="files that ask for too much (all; short: none, other tests have some)",
    )
    parser.add_argument("--only", nargs="*", help="names of parts")
    asked = parser.parse_args(arguments)
    for name, (full, short) in _SIZES.items():
        if getattr(asked, name) is None:
            setattr(asked, name, short if asked.short else full)
    return asked


def parts(asked: argparse.Namespace) -> dict[str, Part]:
    """The parts by name, in the order in which they run."""
    seed = asked.seed
    return {
        "kills": lambda folder: kills.random_kills(folder, seed, asked.kills),
        "recoveries": lambda folder: kills.recoveries(folder, seed, asked.recoveries),
        "calls": lambda folder: points.seam(folder, seed, asked.calls),
        "index": lambda folder: damage.index(folder, seed, asked.flips, 2 if asked.short else 6),
        "library": lambda folder: damage.truth(folder, seed, asked.wounds),
        "full": lambda folder: disks.full(folder, seed, asked.sizes),
        "low": lambda folder: disks.low(folder, seed, asked.low),
        "read-only": lambda folder: disks.read_only(folder, seed),
        "removed": lambda folder: disks.removed(folder, seed, asked.removals),
        "pair": lambda folder: pairs.reader_and_writer(folder, seed, asked.questions, asked.wait),
        "races": lambda folder: pairs.races(folder, seed, asked.races, asked.wait),
        "models": lambda folder: headers.models(folder, seed, asked.step),
        "bombs": lambda folder: bombs.taken_in(folder, asked.bombs),
        "strace": lambda folder: points.traced(folder, seed, asked.points),
    }


def _run(name: str, part: Part) -> int:
    """One part in a folder of its own; each failure as it comes, then one line. Returns how many failed."""
    started, tried, failed = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory(
        prefix="footnote-faults-", ignore_cleanup_errors=True
    ) as folder:
        for trial in part(Path(folder)):
            tried.append(trial)
            if trial.wrong:
                failed += 1
                print(
                    f"FAILED {name}: {trial.kind} (seed {trial.seed})",
                    *trial.wrong,
                    sep="\n    ",
                    flush=True,
                )
    by_kind: dict[str, int] = {}
    for trial in tried:
        by_kind.setdefault(trial.kind, 0)
        by_kind[trial.kind] += trial.hit
    kinds = ", ".join(
        f"{kind} {count}" if count else kind for kind, count in sorted(by_kind.items())
    )
    hits, late = sum(by_kind.values()), sum(not trial.hit for trial in tried)
    print(
        f"{name:<12}{hits:>6} faults, {failed} failed, {time.monotonic() - started:.0f} s"
        f"{f', {late} came too late to count' if late else ''}: {kinds}",
        flush=True,
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
