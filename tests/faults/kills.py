"""SIGKILL at random moments of add, sync, remove, rebuild, repair, recovery and ask; ten in a row inside recovery.

A *life* is one library that is killed again and again: what a kill left is what the next step finds. After every kill
it is looked at by a fresh process. The moment is drawn from the time that such a step took before.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.events import Added, Answered, Notice, Report
from tests.faults.child import Child, Outcome, Tell, Work, run
from tests.faults.small import Small, key, text
from tests.faults.truth import Ledger, look

LIFE = 25  #: kills of one library
OPERATIONS = ("add", "sync", "remove", "rebuild", "recover", "ask", "repair")


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault and what it left: `wrong` is empty where all was well. `hit` is whether the fault fell before the end."""

    kind: str
    seed: str
    hit: bool
    wrong: tuple[str, ...]


class Life:
    """One library, the user's files it was made from, and what it must hold."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.home, self.docs = folder / "home", folder / "docs"
        self.docs.mkdir(parents=True)
        self.seed, self.draw, self.ledger = seed, random.Random(seed), Ledger()
        self.disk: dict[str, str] = {}  # source -> text of the user's file
        self.version: dict[str, int] = {}
        self._asked = 0

    # -- the user's side

    def write(self, name: str) -> None:
        """A new file, or a new version of one."""
        self.version[name] = self.version.get(name, -1) + 1
        source = f"docs/{name}.txt"
        self.disk[source] = text(name, self.version[name], self.seed)
        (self.docs / f"{name}.txt").write_text(self.disk[source])

    def delete(self, source: str) -> None:
        del self.disk[source]
        (self.docs.parent / source).unlink()

    def rename(self, source: str) -> None:
        new = f"docs/m{len(self.version)}{source.removeprefix('docs/')}"
        (self.docs.parent / source).rename(self.docs.parent / new)
        moved = self.disk[new] = self.disk.pop(source)
        if self.ledger.may.get(source) == {moved}:
            self.ledger.moves.append((source, new, moved))

    def change(self, new: int) -> None:
        """`new` files more, and now and then a file changed, deleted or renamed."""
        for _ in range(new):
            self.write(f"d{len(self.version)}")
        for act in (self._touch, self.delete, self.rename):
            settled = sorted(s for s, t in self.disk.items() if self.ledger.may.get(s) == {t})
            if settled and self.draw.random() < 0.4:
                act(self.draw.choice(settled))

    def _touch(self, source: str) -> None:
        name = source.removeprefix("docs/").removesuffix(".txt")
        if name in self.version:
            self.write(name)

    # -- the program's side

    def prepare(self, operation: str) -> Work:
        """Set the scene for a step and give the child's work."""
        if operation in ("add", "sync"):
            self.change(self.draw.randint(2, 6) if len(self.disk) < 30 else 0)
            for source in self.ledger.may.keys() | self.disk.keys():
                self.ledger.possible(source, self.disk.get(source))
            return adding(self.home, self.docs, operation == "sync")
        if operation == "remove":
            source = self.draw.choice(sorted(s for s, t in self.ledger.may.items() if t != {None}))
            self.ledger.possible(source, None)
            return removing(self.home, source)
        if operation == "recover":
            unmade(self.home)
            return asking(self.home, "")
        if operation == "ask":
            self._asked += 1
            name = self.draw.choice(sorted(self.version))
            return asking(
                self.home,
                f"What does the report on {key(name, self.version[name])} say, {self._asked}?",
            )
        return {"rebuild": rebuilding, "repair": repairing}[operation](self.home)

    def heard(self, operation: str, outcome: Outcome) -> None:
        """What was acknowledged before the end is certain."""
        for line in outcome.told:
            if "added" in line:
                self.ledger.certain(line["added"], self.disk[line["added"]])
            elif "removed" in line:
                self.ledger.certain(line["removed"], None)
            elif "answered" in line:
                self.ledger.turns[line["answered"]] = line["text"]
            elif "report" in line and operation in ("add", "sync"):
                for source in self.ledger.may.keys() | self.disk.keys():
                    self.ledger.certain(source, self.disk.get(source))

    def ready(self, operation: str) -> bool:
        """Can this step be taken now?"""
        return operation == "add" or any(texts != {None} for texts in self.ledger.may.values())


def unmade(home: Path) -> None:
    """No index is whole any more."""
    for manifest in home.glob("libraries/default/vectors/gen-*.json"):
        manifest.unlink()


def adding(home: Path, docs: Path, sync: bool = False) -> Work:
    """A child's work: `add` (or `sync`), every acknowledgement told as it comes."""

    def work(tell: Tell) -> None:
        with Small(home) as bot:
            for event in bot.sync() if sync and bot.roots() else bot.add([str(docs)]):
                if isinstance(event, Added):
                    tell({"added": event.source})
                elif isinstance(event, Report):
                    tell({"report": len(event.added)})

    return work


def removing(home: Path, source: str) -> Work:
    def work(tell: Tell) -> None:
        with Small(home) as bot:
            for event in bot.remove(source):
                if isinstance(event, Report):
                    tell({"removed": source})

    return work


def rebuilding(home: Path) -> Work:
    def work(_: Tell) -> None:
        with Small(home) as bot:
            for _event in bot.rebuild():
                pass

    return work


def repairing(home: Path) -> Work:
    """The words are gone and the index has no manifest: a repair has something to do."""

    def work(_: Tell) -> None:
        with Small(home) as bot:
            library = bot.library
            library.database.execute("INSERT INTO words(words) VALUES ('delete-all')")
            unmade(home)
            for _event in bot.repair():
                pass

    return work


def asking(home: Path, question: str) -> Work:
    """A child's work: search (where the question is empty), or ask and tell the answer."""

    def work(tell: Tell) -> None:
        with Small(home, lambda what: tell({what: True})) as bot:
            if not question:
                bot.search("What does the report say?")
                return
            *before, event = bot.ask(question)
            assert isinstance(event, Answered)
            kept = not any(isinstance(e, Notice) and "not kept" in e.says for e in before)
            # a library that cannot be written says that it does not keep the answer
            told = {"answered": question, "text": event.answer.text}
            tell(told if kept else {"not kept": question})

    return work


def random_kills(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """`count` kills that fell before the step's end, in lives of `LIFE`."""
    usual = dict.fromkeys(OPERATIONS, 0.3)
    hits = life_number = 0
    while hits < count:
        life = Life(folder / f"life{life_number}", seed * 1000 + life_number)
        try:
            for step in range(LIFE * 3):
                trial = _kill(life, step, usual)
                hits += trial.hit
                yield trial
                if hits >= count or step >= LIFE or trial.wrong:
                    break
        finally:
            shutil.rmtree(folder / f"life{life_number}", ignore_errors=True)
        life_number += 1


def _kill(life: Life, step: int, usual: dict[str, float]) -> Trial:
    operation = life.draw.choice([o for o in OPERATIONS if life.ready(o)]) if step else "add"
    after = life.draw.uniform(0.0, 1.1) * usual[operation]
    outcome = run(life.prepare(operation), after)
    if not outcome.killed:
        usual[operation] = 0.7 * usual[operation] + 0.3 * outcome.seconds
    else:
        usual[operation] *= 1.01  # where every kill hits, the step is longer than we thought
    life.heard(operation, outcome)
    wrong = [f"{operation} {outcome.fault}"] if outcome.fault else []
    if outcome.error:
        wrong.append(f"{operation} ended with {outcome.error}")
    wrong += [] if wrong else look(life.home, life.ledger)
    if (
        operation == "repair" and wrong and outcome.killed
    ):  # its words were dropped by us: the next repair must mend them
        mended = run(repairing(life.home))
        wrong = [mended.fault] if mended.fault else look(life.home, life.ledger)
    seed = f"{life.seed}, step {step}, {after:.3f} s"
    return Trial(operation, seed, outcome.killed, tuple(wrong))


def recoveries(folder: Path, seed: int, count: int, row: int = 10) -> Iterator[Trial]:
    """`row` kills one after the other inside recovery, the next open must succeed; so `count` times."""
    for number in range(count):
        draw = random.Random(seed * 77 + number)
        life = Life(folder / f"recovery{number}", seed * 1000 + 500 + number)
        life.change(12)
        wrong: list[str] = []
        life.heard("add", run(adding(life.home, life.docs)))
        hits = 0
        for _ in range(row):
            unmade(life.home)  # for where the last one was killed when it had done its work
            child = Child(asking(life.home, ""))
            if not child.hears({"mending": True}):
                wrong.append("it did not recover by itself")
            ended = child.end(draw.uniform(0.0, 0.25))
            hits += ended.killed
            if ended.fault or ended.error:
                wrong.append(f"recovery ended with {ended.fault or ended.error}")
        wrong += look(life.home, life.ledger)
        yield Trial(
            "recoveries", f"{seed * 77 + number}, {hits} of {row} inside", hits > 0, tuple(wrong)
        )
        shutil.rmtree(folder / f"recovery{number}", ignore_errors=True)


Trials = Callable[[Path, int, int], Iterator[Trial]]
