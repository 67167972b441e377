"""Two processes on one library: one adds while another asks; two that open a fresh library in the same moment."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from rag.errors import LibraryMissing
from rag.events import Answered
from tests.faults.child import Child, Outcome, Tell, Work, run
from tests.faults.kills import Life, Trial, adding
from tests.faults.small import Small, key, text
from tests.faults.truth import look


def reader_and_writer(folder: Path, seed: int, questions: int, wait: float) -> Iterator[Trial]:
    """One process adds, changes and removes documents for as long as another asks that many questions, none for over `wait` seconds."""
    life = Life(folder / "pair", seed)
    life.change(10)
    first = run(adding(life.home, life.docs))
    life.heard("add", first)
    reader = Child(_questions(life.home, questions, seed, wait))
    rounds, wrong = 0, []
    while not reader.hears("done", within=0.0) and reader.alive():
        life.ledger.moves.clear()  # nobody looks in between: what was moved may be moved on
        life.change(2 if len(life.disk) < 40 else 0)
        life.write(life.draw.choice(sorted(life.version)))
        for source in life.ledger.may.keys() | life.disk.keys():
            life.ledger.possible(source, life.disk.get(source))
        outcome = run(adding(life.home, life.docs, sync=rounds % 2 == 1))
        if outcome.fault or (outcome.error and outcome.error[0] != "LibraryBusy"):
            wrong.append(f"the writer ended with {outcome.fault or outcome.error}")
            break
        life.heard("add", outcome)
        rounds += 1
    ended = reader.end()
    if ended.fault or ended.error:
        wrong.append(f"the reader ended with {ended.fault or ended.error}")
    else:
        wrong += ended.result["wrong"]
    slowest = f"slowest answer {ended.result['slowest']:.2f} s" if ended.result else ""
    yield Trial(
        f"questions ({rounds} writes, {slowest})",
        str(seed),
        True,
        tuple(wrong + look(life.home, life.ledger)),
    )


def _questions(home: Path, count: int, seed: int, wait: float) -> Work:
    """A child's work: ask about the documents there are; every passage must be in a version of its document."""

    def work(tell: Tell) -> dict[str, object]:
        wrong: list[str] = []
        slowest = 0.0
        with Small(home) as bot:
            for number in range(count):
                name = f"d{number % 30}"
                time.sleep(0.02)  # so that more is written meanwhile
                started = time.monotonic()
                events = list(
                    bot.ask(f"Where is {key(name, number % 3)}, {number}?", save=number % 5 == 0)
                )
                spent = time.monotonic() - started
                slowest = max(slowest, spent)
                if spent > wait:
                    wrong.append(f"question {number} took {spent:.2f} s")
                assert isinstance(events[-1], Answered)
                answer = events[-1].answer
                for passage in answer.passages:
                    if not _true(
                        passage.chunk.source, passage.chunk.span.of, passage.chunk.text, seed
                    ):
                        wrong.append(
                            f"question {number}: a passage of {passage.chunk.source} is not in it"
                        )
        tell("done")
        return {"wrong": wrong, "slowest": slowest}

    return work


def _true(source: str, of: object, quote: str, seed: int) -> bool:
    """Is it, at its span, in any version of that document? A moved file keeps the name it had at its end."""
    name = "d" + source.rsplit("d", 1)[1].removesuffix(".txt")
    return callable(of) and any(of(text(name, version, seed)) == quote for version in range(80))


def races(folder: Path, seed: int, count: int, wait: float) -> Iterator[Trial]:
    """Two processes add to a library that is not there yet. One may be refused within `wait` seconds, neither may lose or break anything."""
    for number in range(count):
        life = Life(folder / f"race{number}", seed * 1000 + number)
        wrong: list[str] = []
        go, gone = os.pipe()
        works = []
        for half in ("left", "right"):
            (life.docs / half).mkdir()
            for _ in range(2):
                name = f"d{len(life.version)}"
                life.version[name] = 0
                life.disk[f"{half}/{name}.txt"] = text(name, 0, life.seed)
                (life.docs / half / f"{name}.txt").write_text(life.disk[f"{half}/{name}.txt"])
            works.append(_at_once(adding(life.home, life.docs / half), go))
        third = _at_once(_looking(life.home), go)
        children = [Child(work) for work in (*works, third)]
        os.write(gone, b"go!")
        ended = [child.end() for child in children]
        os.close(go)
        os.close(gone)
        for child, outcome in zip(children, ended, strict=True):
            wrong += _judged(child, outcome, children, wait)
        if all(outcome.error for outcome in ended[:2]):
            wrong.append("both were refused")
        for source, content in life.disk.items():
            life.ledger.possible(source, content)
        for outcome in ended[:2]:
            life.heard("race", Outcome(told=[line for line in outcome.told if "added" in line]))
        yield Trial(
            "fresh openers", str(life.seed), True, tuple(wrong + look(life.home, life.ledger))
        )
        shutil.rmtree(folder / f"race{number}", ignore_errors=True)


def _judged(child: Child, outcome: Outcome, all_of: list[Child], wait: float) -> list[str]:
    if outcome.fault:
        return [outcome.fault]
    if outcome.error is None:
        return []
    kind, said, _ = outcome.error
    if kind != "LibraryBusy":
        return [f"ended with {outcome.error}"]
    wrong = []
    if not any(f"process {other.pid} " in said for other in all_of if other is not child):
        wrong.append(f"the refusal does not name who writes: {said}")
    if outcome.seconds > wait + 0.5:  # forking and the wait for the word to go are in it
        wrong.append(f"the refusal took {outcome.seconds:.2f} s")
    return wrong


def _at_once(work: Work, go: int) -> Work:
    def waiting(tell: Tell) -> object:
        os.read(go, 1)
        return work(tell)

    return waiting


def _looking(home: Path) -> Work:
    """A reader that comes at the same moment: it finds a library, or none yet."""

    def work(_: Tell) -> None:
        with Small(home) as bot:
            try:
                bot.search("What does the report say?")
            except LibraryMissing:
                return

    return work
