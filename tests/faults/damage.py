"""Damaged stores: every file of the index and the library itself, emptied, cut, zeroed, deleted, swapped, bits flipped.

Of the index nothing may be seen but that it is whole again: it is made from the library. Damage to the library cannot be
undone by itself: it must be noticed and named, by a checksum or by SQLite, and no answer may hold a text that was never
in the documents. What is hurt where nothing is kept (a free page) may pass, if all that can be read is as it was.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.disk.disk_errors import disk_errors_named
from rag.events import Repaired
from tests.faults.child import Outcome, Tell, Work, run
from tests.faults.kills import Life, Trial, adding, asking
from tests.faults.small import Small, key
from tests.faults.truth import look

Wound = Callable[[Path, random.Random], None]


def emptied(file: Path, _: random.Random) -> None:
    file.write_bytes(b"")


def halved(file: Path, _: random.Random) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def short(file: Path, _: random.Random) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def zeroed(file: Path, _: random.Random) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def deleted(file: Path, _: random.Random) -> None:
    file.unlink()


def swapped(file: Path, draw: random.Random) -> None:
    """With the bytes of another file of the same folder, or of its own kind."""
    others = [p for p in file.parent.rglob("*") if p.is_file() and p != file]
    other = draw.choice(sorted(others))
    mine, theirs = file.read_bytes(), other.read_bytes()
    file.write_bytes(theirs)
    other.write_bytes(mine)


def flipped(file: Path, draw: random.Random) -> None:
    """One bit."""
    content = bytearray(file.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def header(file: Path, draw: random.Random) -> None:
    """One bit of the 100 bytes with which an SQLite file begins."""
    content = bytearray(file.read_bytes())
    content[draw.randrange(100)] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def page(file: Path, draw: random.Random) -> None:
    """One page of SQLite's all zeros."""
    content = bytearray(file.read_bytes())
    at = 4096 * draw.randrange(len(content) // 4096)
    content[at : at + 4096] = bytes(4096)
    file.write_bytes(content)


def cell(file: Path, draw: random.Random) -> None:
    """One bit inside a value: a text, a vector, a span, a name, a word, a saved answer."""
    table, column = draw.choice(
        [("turns", "answer")] if file.name == "history.db" else
        [("documents", "text"), ("documents", "spans"), ("documents", "title"), ("chunks", "vector"), ("chunks", "start"),
         ("chunks", "id"), ("chunks", "document"), ("documents", "id"), ("files", "document"),
         ("words_data", "block"), ("words_docsize", "sz")]
    )  # fmt: skip
    db = sqlite3.connect(file, isolation_level=None)
    try:
        rowid = "id" if table == "documents" else "path" if table == "files" else "rowid"
        rows = db.execute(f"SELECT {rowid}, {column} FROM {table}").fetchall()
        name, value = draw.choice([row for row in rows if row[1] not in (None, "", b"")])
        db.execute(
            f"UPDATE {table} SET {column} = ? WHERE {rowid} = ?", (_one_bit(value, draw), name)
        )
    finally:
        db.close()


def _one_bit(value: Any, draw: random.Random) -> Any:
    if isinstance(value, int):
        return value ^ (1 << draw.randrange(8))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    at = draw.randrange(len(raw))
    raw[at] ^= 1
    return raw.decode("utf-8", "replace") if isinstance(value, str) else bytes(raw)


WHOLE_FILE: tuple[Wound, ...] = (emptied, halved, short, zeroed, deleted, swapped)


class Store:
    """A good store, made once; every damage is done to a copy."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self.life = Life(folder / "good", seed)
        for new in (12, 6):
            self.life.change(new)
            for source in self.life.ledger.may.keys() | self.life.disk.keys():
                self.life.ledger.possible(source, self.life.disk.get(source))
            outcome = run(adding(self.life.home, self.life.docs))
            assert outcome.error is None and outcome.fault is None, outcome
            self.life.heard("add", outcome)
        name = sorted(self.life.version)[0]
        asked = run(asking(self.life.home, f"Where is {key(name, self.life.version[name])}?"))
        self.life.heard("ask", asked)
        self.state = run(reading(self.life.home)).result
        assert self.state and not self.state["wrong"], self.state

    def copy(self, name: str) -> Path:
        home = self._folder / name
        shutil.copytree(self.life.home, home)
        return home

    def files(self) -> list[str]:
        """The index's files, as paths inside a home: those of the newest generation and its manifest."""
        vectors = self.life.home / "libraries" / "default" / "vectors"
        newest = max(vectors.glob("gen-*.json"), key=lambda p: int(p.stem[4:]))
        files = [newest, *(p for p in (vectors / newest.stem).rglob("*") if p.is_file())]
        return sorted(str(p.relative_to(self.life.home)) for p in files)


def reading(home: Path) -> Work:
    """A child's work: all that can be read of a store, and what the doctor says of it."""

    def work(_: Tell) -> dict[str, Any]:
        with Small(home) as bot:
            bot.status()
            library = bot.library
            wrong = library.integrity.wrong()
            listed = [(i.id, i.source, i.title, i.chunks) for i in bot.documents()]
            found = {}
            for _id, source, _title, _chunks in listed:
                text = bot.document(source).text
                word = next((w for w in text.split() if w.startswith("zq")), "")
                found[source] = [
                    text,
                    [(p.chunk.source, p.chunk.text) for p in bot.search(f"Where is {word}?", 3)],
                ]
            with disk_errors_named(library.folder):
                turns = [library.history.turns(c.id) for c in bot.conversations()]
            return {
                "wrong": wrong,
                "listed": listed,
                "found": found,
                "turns": turns,
                "roots": list(bot.roots()),
            }

    return work


def index(folder: Path, seed: int, flips: int, kinds: int) -> Iterator[Trial]:
    """Every file of the index in `kinds` ways, and `flips` single bits: it must be as if nothing had been."""
    store = Store(folder, seed)
    plan: list[tuple[Wound, str]] = [
        (wound, file) for file in store.files() for wound in WHOLE_FILE[:kinds]
    ]
    draw = random.Random(seed)
    plan += [(flipped, draw.choice(store.files())) for _ in range(flips)]
    for number, (wound, file) in enumerate(plan):
        home = store.copy(f"i{number}")
        wound(home / file, random.Random(f"{seed}-{number}"))
        wrong = look(home, store.life.ledger)
        yield Trial(
            f"index {wound.__name__}",
            f"{seed}, number {number}, {Path(file).name}",
            True,
            tuple(wrong),
        )
        shutil.rmtree(home)


def truth(folder: Path, seed: int, each: int) -> Iterator[Trial]:
    """The library's two files: `each` damages of every kind. Noticed and named, or without any effect; then repaired."""
    store = Store(folder, seed)
    whole: list[Wound] = [emptied, halved, short, zeroed, deleted, swapped]
    plan = [w for wound in (header, page, cell, flipped) for w in [wound] * each] + whole[
        : max(1, each)
    ]
    for number, (file, wound) in enumerate(
        (file, wound) for file in ("library", "history") for wound in plan
    ):
        home = store.copy(f"t{number}")
        wound(home / "libraries" / "default" / f"{file}.db", random.Random(f"{seed}-{number}"))
        kind, wrong = _noticed(store, home)
        yield Trial(
            f"{file} {wound.__name__} {kind}", f"{seed}, number {number}", True, tuple(wrong)
        )
        shutil.rmtree(home)


def _noticed(store: Store, home: Path) -> tuple[str, list[str]]:
    """How a damage to the truth came out, and what is wrong with that."""
    found = run(reading(home))
    if found.fault:
        return "?", [f"reading {found.fault}"]
    state, wrong = found.result, []
    if state is not None:
        for source, (text, passages) in state["found"].items():
            good = store.state["found"].get(source)
            if good is not None and text != good[0]:
                wrong.append(f"{source} was given with a text it never had, and nothing was said")
            wrong += [
                f"a passage of {name} was quoted that is not in it"
                for name, quote in passages
                if quote not in store.state["found"].get(name, [""])[0]
                and name in store.state["found"]
            ]
    if found.error is None and not state["wrong"]:
        if state != store.state:
            wrong.append(
                f"something is different and nobody noticed: {_difference(store.state, state)}"
            )
        return "no effect", wrong
    if found.error and not (
        found.error[2]
        and any(name in found.error[1] for name in ("library", "history.db", "docs/"))
    ):
        wrong.append(f"the message names no path or no cure: {found.error}")
    kind, more = _mended(store, home)
    return kind, wrong + more


def _difference(good: dict[str, Any], now: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {str(now[name])[:300]}" for name in good if good[name] != now[name])


def _mended(store: Store, home: Path) -> tuple[str, list[str]]:
    """Repair it: then all is as it was, or what is not is named with its cure."""

    def work(tell: Tell) -> None:
        with Small(home) as bot:
            for event in bot.repair():
                if isinstance(event, Repaired):
                    tell([event.what, event.done, event.says, event.cure])

    repaired: Outcome = run(work)
    if repaired.fault:
        return "?", [f"repair {repaired.fault}"]
    if repaired.error:
        return "named", [] if repaired.error[2] else [
            f"repair ended without a cure: {repaired.error}"
        ]
    left = [line for line in repaired.told if not line[1]]
    if left:
        return "named", [f"repair named no cure: {line}" for line in left if not line[3]]
    ledger = store.life.ledger
    if any(line[0] == "history" for line in repaired.told):
        ledger = replace(ledger, turns={})
    wrong = look(home, ledger)
    return "mended", [f"after the repair ({repaired.told}): {line}" for line in wrong]
