"""What must be there after a fault, and a look at what is there: in a fresh process, through the front door."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.domain import Passage
from rag.errors import LibraryMissing
from rag.ingest.chunk import chunk_document
from rag.library.library import Library
from tests.faults.child import Outcome, Tell, Work, run
from tests.faults.small import Small, count


@dataclass(slots=True)
class Ledger:
    """By source, the texts that may be found there; None stands for "not in". What was acknowledged leaves one choice."""

    may: dict[str, set[str | None]] = field(default_factory=dict)
    moves: list[tuple[str, str, str]] = field(
        default_factory=list
    )  #: from, to, text: under one of the two it must be
    turns: dict[str, str] = field(default_factory=dict)  #: question -> answer that was given

    def possible(self, source: str, text: str | None) -> None:
        """This may be there after the next step, what was there before too."""
        self.may.setdefault(source, {None}).add(text)

    def certain(self, source: str, text: str | None) -> None:
        """This was acknowledged."""
        self.may[source] = {text}

    def compare(self, found: dict[str, str]) -> list[str]:
        """What is wrong with a library that holds `found`; afterwards only that is possible."""
        wrong = []
        for source in sorted(self.may.keys() | found.keys()):
            allowed, text = self.may.get(source, {None}), found.get(source)
            if text not in allowed:
                what = (
                    "is not in"
                    if text is None
                    else "has a text it never had"
                    if None not in allowed
                    else "is in"
                )
                wrong.append(f"{source} {what}; acknowledged: {_shown(allowed)}")
            self.may[source] = {text}
        for old, new, text in self.moves:
            if text not in (found.get(old), found.get(new)):
                wrong.append(f"{old} was moved to {new} and is under neither name")
        self.moves.clear()
        return wrong


def _shown(allowed: set[str | None]) -> str:
    return " or ".join("nothing" if text is None else repr(text[:40]) for text in allowed)


def look(home: Path, ledger: Ledger) -> list[str]:
    """Open the library as the next user would, and say everything that is wrong with it."""
    found = run(seen(home))
    return judged(found, ledger)


def judged(found: Outcome, ledger: Ledger) -> list[str]:
    """What a look has found, held against the ledger."""
    if found.fault:
        return [f"the look {found.fault}"]
    if found.error:
        return [f"the look ended with {found.error}"]
    if found.result is None:
        return ["the look told nothing"]
    wrong = list(found.result["wrong"]) + ledger.compare(found.result["texts"])
    for question, answer in ledger.turns.items():
        if found.result["turns"].get(question) != answer:
            wrong.append(f"the saved answer to {question!r} is not there")
    return wrong


def seen(home: Path) -> Work:
    """A child's work: search, which recovers what needs it, then hold words, vectors and documents against each other."""

    def work(_: Tell) -> dict[str, Any]:
        with Small(home) as bot:
            try:
                bot.search("What does the report say?")
                listed = bot.documents()
            except LibraryMissing:
                return {"wrong": [], "texts": {}, "turns": {}}
            wrong = [
                f"{i.source} is {i.state}: {i.reason}"
                for i in listed
                if i.state != "ready" or i.reason
            ]
            library = bot.library
            wrong += library.integrity.wrong()
            texts = {i.source: library.documents.load(i.id).text for i in listed if i.id}
            wrong += _chunks(library)
            ids = library.table_vectors.ids_with_vector()
            if ids:
                wrong += _index(bot, library, ids)
            for source, text in texts.items():
                word = next(w for w in text.split() if w.startswith("zq"))
                first = bot.search(f"Where is {word}?", 3)
                if not any(
                    source in (p.chunk.source, *(c.source for c in p.copies)) and _quoted(p, text)
                    for p in first
                ):
                    wrong.append(f"{source} does not answer a question about itself")
            return {"wrong": wrong, "texts": texts, "turns": _turns(bot)}

    return work


def _quoted(passage: Passage, text: str) -> bool:
    return passage.chunk.span.of(text) == passage.chunk.text


def _turns(bot: Small) -> dict[str, str]:
    history, found = bot.library.history, {}
    for conversation in bot.conversations(10_000):
        for question, answer in history.turns(conversation.id):
            if answer:
                found[question] = json.loads(answer)["answer"]
    return found


def _chunks(library: Library) -> list[str]:
    """Every document is cut as it would be today: none of its passages is missing, none is there twice."""
    wrong, held = [], library.documents.chunk_ids()
    expected: list[str] = []
    for document in {i.id for i in library.files.listings() if i.id}:
        expected += [c.id for c in chunk_document(library.documents.load(document), 40, count)]
    if sorted(expected) != sorted(held) or library.documents.counts().chunks != len(held):
        wrong.append(
            f"{len(set(expected) - held)} passages are missing, {len(held - set(expected))} too many"
        )
    return wrong


def _index(bot: Small, library: Library, ids: set[str]) -> list[str]:
    vectors = bot.access.vectors
    if vectors.revision() != library.revision:
        return [f"the index is of revision {vectors.revision()}, the library of {library.revision}"]
    wrong, names = [], sorted(ids)
    rows = library.documents.vectors(names)
    near = dict(vectors.near(rows[0], len(ids) + 10))
    if near.keys() != ids:
        wrong.append(
            f"the index misses {len(ids - near.keys())} passages and has {len(near.keys() - ids)} too many"
        )
    exact = dict(zip(names, (float(s) for s in rows @ rows[0]), strict=True))
    if any(abs(score - exact.get(name, 9)) > 1e-3 for name, score in near.items()):
        wrong.append("the index holds other vectors than the library")
    for row in rows[:: max(1, len(names) // 12)]:
        (name, score), *_ = vectors.near(row, 1)
        if score < 0.999 or name not in ids:
            wrong.append(f"a passage does not find itself (cosine {score:.3f})")
    return wrong
