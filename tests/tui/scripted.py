"""A scripted engine with the methods of `rag.engine.Engine`; `dump` returns the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from textual.app import App

from rag.domain import (
    AddedRoot,
    Answer,
    Answers,
    Chunk,
    Citation,
    Claim,
    Conversation,
    Document,
    Evidence,
    FileState,
    Judgement,
    Listing,
    Model,
    ModelListing,
    OpenedDocument,
    Passage,
    Ranks,
    Reason,
    Receipt,
    SavedTurn,
    Seconds,
    Sentence,
    Span,
    Status,
    Verdict,
)
from rag.errors import EngineStopped, RagError, Usage
from rag.events import (
    Added,
    Answered,
    Checked,
    Event,
    Indexing,
    Loading,
    ModelChosen,
    Reading,
    Report,
    Retrieved,
    Scanned,
    Token,
)
from rag.protocols import ErrorRates

PUMP = (
    "Pump manual\n\nRead this before you open the pump.\nShare this page | Print\n\n## 4.2 Cover\n"
    "The cover is fixed with six bolts M8×25.\nThe two lower bolts carry a washer.\n"
    "Do not use thread lock on any bolt of the cover: the gasket swells with solvent.\n"
    "Check the cover for leaks after ten minutes of running.\n"
    "If oil appears at the lower edge, fit a new gasket.\n"
    "The gasket is number 11-4402-7.\n\n## 4.3 Gasket\n"
    "The gasket must be replaced every time the cover comes off.\n"
    + "".join(f"Note {n}: keep the workshop clean.\n" for n in range(1, 30))
)
TORQUE = "Torque table\n\nM6 cover 9 Nm\nM8 cover 22 Nm, in a cross pattern\nM10 flange 44 Nm\n"


def document(text: str, source: str, title: str = "", mask: Sequence[str] = ()) -> Document:
    spans = tuple(Span(text.index(m), text.index(m) + len(m)) for m in mask)
    return Document(
        sha256(text.encode("utf-8", "replace")).hexdigest()[:32], source, title, None, text, spans
    )


def passage(
    doc: Document, number: int, first: str, last: str, heading: str = "", score: float = 0.7
) -> Passage:
    """The piece of `doc` from the words `first` to the words `last`."""
    start = doc.text.index(first)
    span = Span(start, doc.text.index(last, start) + len(last))
    line = doc.text.count("\n", 0, start) + 1
    chunk = Chunk(
        f"c{number}", doc.id, doc.source, doc.title, None, heading, span, span.of(doc.text), line
    )
    return Passage(number, chunk, score, Ranks(words=number, vectors=number + 1, fused=number))


def evidence(p: Passage, doc: Document, words: str) -> Evidence:
    start = doc.text.index(words)
    return Evidence(
        p.number,
        doc.id,
        doc.source,
        Span(start, start + len(words)),
        words,
        doc.text.count("\n", 0, start) + 1,
    )


MANUAL = document(PUMP, "manuals/pump-manual.md", "Pump manual", ["Share this page | Print"])
TABLE = document(TORQUE, "manuals/torque-table.csv", "Torque table")
P1 = passage(MANUAL, 1, "The cover is fixed", "carry a washer.", "4.2 Cover", 0.81)
P2 = passage(
    MANUAL, 2, "Do not use thread lock", "after ten minutes of running.", "4.2 Cover", 0.72
)
P3 = passage(TABLE, 3, "M6 cover", "44 Nm", "", 0.6)
PASSAGES = (P1, P2, P3)

Part = tuple[str, Verdict, float, Sequence[Evidence], Sequence[str]]


def answer(
    question: str, parts: Sequence[Part], passages: tuple[Passage, ...] = PASSAGES, **more: Any
) -> Answer:
    """An answer from sentences with their markers in them; spans and citations are found."""
    import re

    text, claims = "", []
    for words, verdict, score, leans, reasons in parts:
        start = len(text) + (1 if text and not text.endswith("\n") else 0)
        text = text + (" " if text and not text.endswith("\n") else "") + words
        found = tuple(
            Citation(int(m.group(1)), Span(start + m.start(), start + m.end()))
            for m in re.finditer(r"\[(\d+)\]", words)
        )
        bare = re.sub(r" ?\[\d+\]", "", words)
        claims.append(
            Claim(
                Sentence(bare, Span(start, len(text)), found),
                tuple(leans),
                verdict,
                score,
                tuple(reasons),
            )
        )
    settings: dict[str, Any] = {
        "short": None,
        "abstained": False,
        "reason": None,
        "receipt": Receipt(4096, 100, 0, 900, 60),
        "model": Model("scripted", "0" * 64),
        "seconds": Seconds(0.1, 0.4, 0.2, 2.5),
        **more,
    }
    return Answer(question, text, claims=tuple(claims), passages=passages, **settings)


E1 = evidence(P1, MANUAL, "The cover is fixed with six bolts M8×25.")
E2 = evidence(P2, MANUAL, "Do not use thread lock on any bolt of the cover")
E3 = evidence(P3, TABLE, "M8 cover 22 Nm, in a cross pattern")

GOOD_1: Part = (
    "The cover is held by six M8×25 bolts [1].",
    Verdict.SUPPORTED,
    0.97,
    [E1],
    ["six: found", "M8×25: found"],
)
GOOD_2: Part = (
    "Tighten them in a cross pattern to 22 Nm [1][3].",
    Verdict.SUPPORTED,
    0.91,
    [E3],
    ["22 Nm: found"],
)
BAD: Part = (
    "Put thread lock on the two lower bolts [2].",
    Verdict.CONTRADICTED,
    0.93,
    [E2],
    ["the source says: do not"],
)
NONE: Part = (
    "Work from the centre outwards.",
    Verdict.UNCITED,
    0.31,
    [],
    ["nearest passage 0.31, below 0.50"],
)
DANGLING: Part = ("The pump is blue [9].", Verdict.DANGLING, 0.0, [], ["there is no source 9"])
PARTLY: Part = (
    "The gasket swells with solvent and oil [2].",
    Verdict.PARTLY,
    0.55,
    [E2],
    ["oil: not found"],
)
WEAK: Part = (
    "The lower bolts are made of brass [1].",
    Verdict.UNSUPPORTED,
    0.12,
    [],
    ["brass: not found"],
)
COUNTED: Part = (
    "Counted in 2 rows of bolts.csv: 2 [1].",
    Verdict.COMPUTED,
    1.0,
    [E1],
    ["computed again"],
)
LISTED: Part = (
    "The library has 2 documents.",
    Verdict.LISTED,
    1.0,
    [],
    ["from the library's list of documents"],
)
LEAD: Part = ("Here is what the manual says:\n", Verdict.NEEDS_NONE, 1.0, [], [])

SUPPORTED = answer("Which bolts?", [GOOD_1, GOOD_2])
MIXED = answer("Which bolts hold the pump cover, and to what torque?", [GOOD_1, GOOD_2, BAD, NONE])
EVERY = answer("Every kind?", [LEAD, GOOD_1, PARTLY, WEAK, BAD, NONE, DANGLING])
COMPUTED = answer("How many kinds of bolts?", [GOOD_1, COUNTED])
FROM_LIST = answer("How many documents?", [GOOD_1, LISTED])
UNSUPPORTED = answer("Is it brass?", [WEAK, BAD])
_SIX = "The cover is fixed with six bolts M8×25."
_NINE = "Since 2021 the cover is held by nine bolts."
NEWS = document(
    f"Bulletin 7\n\n{_NINE}\nTheir torque is the same.\n", "manuals/bulletin-7.md", "Bulletin 7"
)
P4 = passage(NEWS, 4, "Since 2021", "the same.", "", 0.5)
SIX: Part = (f"{_SIX} [1]", Verdict.SUPPORTED, 1.0, [E1], ["verbatim in [1]"])
NINE: Part = (
    f"{_NINE} [4]",
    Verdict.SUPPORTED,
    1.0,
    [evidence(P4, NEWS, _NINE)],
    ["verbatim in [4]"],
)
BUT: Part = ("The sources differ.", Verdict.NEEDS_NONE, 1.0, [], [])
QUOTED = answer("How many bolts?", [SIX], short="six")
DIFFERENT = answer("How many bolts?", [SIX, BUT, NINE], (*PASSAGES, P4), short="six", differ=True)
RATES = ErrorRates((0.3, 0.27, 0.33), (0.28, 0.25, 0.31), 2146)
ABSTAINED = replace(
    answer("What is the warranty?", [], abstained=True, reason=Reason.NOT_ANSWERED),
    missing="no passage names [Wuppertal]",
)
#: a refusal with a sentence that was judged
NEAR = replace(
    ABSTAINED,
    missing="the nearest sentence, in passage 2, is 41 % likely to answer (at least 58 %): it does "
    "not name the warranty",
    related=(
        Claim(
            Sentence(E2.text, E2.span, (Citation(2, Span(0, 3)),)),
            (E2,),
            Verdict.SUPPORTED,
            1.0,
            judgement=Judgement(Answers.PART, 0.41, ("it does not say “warranty”",)),
        ),
    ),
)
EMPTY = answer("Anything?", [], passages=(), abstained=True, reason=Reason.EMPTY_LIBRARY)


@dataclass
class Scripted:
    """Plays the answer of a word in the question, or else the first. `pause` is in seconds."""

    answers: dict[str, Answer | RagError] = field(default_factory=lambda: {"": MIXED})
    texts: tuple[Document, ...] = (MANUAL, TABLE, NEWS)
    told: Status | RagError = field(
        default_factory=lambda: Status("handbook", 48, 3112, "scripted")
    )
    errs: ErrorRates | Exception = RATES
    late: float = 0.0  #: seconds before the rates are there
    pause: float = 0.0
    hold: float = 0.0  #: seconds before the engine is up
    earlier: tuple[str, ...] = ()
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    closed: int = 0
    saved: list[tuple[Conversation, tuple[SavedTurn, ...]]] = field(default_factory=list)
    states: dict[str, FileState] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    model_names: tuple[str, ...] = ("reader", "other")
    files: int = 3  #: how many files an ingest finds
    opened: dict[str, OpenedDocument] = field(default_factory=dict)  #: by source
    failed: tuple[Listing, ...] = ()  #: files that could not be read
    root_paths: tuple[str, ...] = ("/manuals",)
    watched: set[str] = field(default_factory=set)
    changes: dict[str, str] = field(default_factory=dict)  #: the state of changes, by root
    all_models: tuple[ModelListing, ...] = ()

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._end = threading.Event()

    def start(self) -> None:
        self.calls.append("start")

    def status(self) -> Status:
        self._end.wait(self.hold)
        if isinstance(self.told, RagError):
            raise self.told
        return self.told

    def rates(self) -> ErrorRates:
        self.calls.append("rates")
        self._end.wait(self.late)
        if isinstance(self.errs, Exception):
            raise self.errs
        return self.errs

    def questions(self, limit: int = 50) -> tuple[str, ...]:
        return self.earlier[:limit]

    def new_conversation(self) -> str:
        self.calls.append("new")
        return f"conversation-{self.calls.count('new')}"

    def conversations(self, limit: int = 50, words: str = "") -> tuple[Conversation, ...]:
        self.calls.append(f"find {words}")
        wanted = words.casefold().split()
        found = [
            entry
            for entry, turns in self.saved
            if all(word in self._words_of(entry, turns) for word in wanted)
        ]
        return tuple(found[:limit])

    def _words_of(self, entry: Conversation, turns: Sequence[SavedTurn]) -> str:
        texts = [turn.answer.text if turn.answer else "" for turn in turns]
        return " ".join([entry.title, *(turn.question for turn in turns), *texts]).casefold()

    def conversation(self, name: str, last: int = 0) -> tuple[SavedTurn, ...]:
        for entry, turns in self.saved:
            if entry.id == name:
                return turns[-last:] if last else turns
        raise Usage(f"no conversation has the id {name!r}")

    def conversation_title(self, name: str) -> str:
        return next((entry.title for entry, _ in self.saved if entry.id == name), name)

    def remove_conversation(self, name: str) -> int:
        self.calls.append(f"remove {name}")
        self.saved = [each for each in self.saved if each[0].id != name]
        return 1

    def file_states(self, cited: Sequence[tuple[str, str]]) -> tuple[FileState, ...]:
        return tuple(self.states.get(source, FileState.SAME) for _, source in cited)

    def document(self, name: str) -> Document:
        for doc in self.texts:
            if name in (doc.id, doc.source):
                return doc
        raise RagError("no such document")

    def sources(self) -> tuple[str, ...]:
        return tuple(sorted(doc.source for doc in self.texts))

    def ask(
        self,
        question: str,
        conversation: str | None = None,
        refresh: bool = False,
        within: Sequence[str] = (),
    ) -> Iterator[Event]:
        self.calls += ["refresh"] * refresh
        self.calls += [f"in {name}" for name in within]
        self.asked.append((question, conversation))
        self._stop.clear()
        planned = next(
            (a for word, a in self.answers.items() if word in question),
            next(iter(self.answers.values())),
        )
        if isinstance(planned, RagError):
            raise planned
        yield from self._play(replace(planned, question=question))

    def _play(self, whole: Answer) -> Iterator[Event]:
        if self.pause:
            yield Loading("the scripted model")
            self._wait(self.pause)
        yield Retrieved(whole.passages, 3112, whole.asked, whole.within)
        for done in (1, 2):
            yield Reading(done, 2)
            self._wait(self.pause)
        said = ""
        for word in whole.text.split(" "):
            piece = word if not said else " " + word
            if self._stop.is_set() or self._end.is_set():
                break
            said += piece
            yield Token(piece)
            self._wait(self.pause)
        if self._end.is_set():
            raise EngineStopped("the engine was closed")
        claims = tuple(c for c in whole.claims if c.sentence.span.end <= len(said))
        for number, claim in enumerate(claims, 1):
            yield Checked(claim, number, len(claims))
            self._wait(self.pause)
        yield Answered(replace(whole, text=said, claims=claims, stopped=said != whole.text))

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (self._stop.is_set() or self._end.is_set()):
            time.sleep(min(0.01, seconds))

    def add(self, paths: Sequence[str]) -> Iterator[Event]:
        self.added += paths
        name = str(paths[0])
        yield Scanned(self.files, 1)
        for number in range(1, self.files + 1):
            self._wait(self.pause)
            yield Added(f"{name}/{number}.txt", 3, number, self.files)
        yield Indexing(1, 1)
        self.told = Status("handbook", self.files, 3 * self.files, "scripted")
        yield Report(tuple(f"{number}.txt" for number in range(self.files)))

    def added_roots(self) -> tuple[AddedRoot, ...]:
        return tuple(AddedRoot(path, path in self.watched) for path in self.root_paths)

    def watch(self, path: str, watched: bool = True) -> None:
        self.calls.append(f"watch {path} {watched}")
        self.watched = {*self.watched, path} if watched else self.watched - {path}

    def changed_roots(self) -> tuple[tuple[str, str], ...]:
        self.calls.append("look for changes")
        return tuple((path, state) for path, state in self.changes.items() if path in self.watched)

    def sync(self, forget: bool = False, roots: Sequence[str] = ()) -> Iterator[Event]:
        self.calls.append(" ".join(["sync", *roots]))
        yield Scanned(self.files, 1)
        for number in range(1, self.files + 1):
            self._wait(self.pause)
            yield Added(f"{number}.txt", 3, number, self.files)
        yield Report(unchanged=self.files)

    def read_again(self, sources: Sequence[str]) -> Iterator[Event]:
        self.calls.append(f"read again {' '.join(sources)}")
        self._wait(self.pause)
        self.failed = tuple(entry for entry in self.failed if entry.source not in sources)
        yield Report(changed=tuple(sources))

    def remove(self, name: str) -> Iterator[Event]:
        self.calls.append(f"remove {name}")
        self._wait(self.pause)
        self.texts = tuple(doc for doc in self.texts if doc.source != name)
        self.failed = tuple(entry for entry in self.failed if entry.source != name)
        yield Report(removed=(name,))

    def documents(self) -> tuple[Listing, ...]:
        if isinstance(self.told, RagError):
            raise self.told
        listings = [
            Listing(
                doc.id,
                doc.source,
                doc.title,
                "2026-11-12",
                3,
                len(doc.text),
                "ready",
                None,
                path=f"/{doc.source}",
                file=self.states.get(doc.source, FileState.SAME),
            )
            for doc in self.texts
        ]
        return tuple(sorted([*listings, *self.failed], key=lambda entry: entry.source))

    def models(self) -> tuple[ModelListing, ...]:
        return self.all_models

    def use_model(self, name: str) -> Iterator[Event]:
        self.calls.append(f"use {name}")
        listed = {entry.name: entry for entry in self.all_models}
        if isinstance(self.told, RagError) or name not in (*self.model_names, *listed):
            raise Usage(f"there is no model {name!r}", "footnote models list")
        yield Loading(name)
        self._wait(self.pause)
        if name in listed and not listed[name].fits:
            raise RagError(f"{name} needs more memory", "take a smaller one")
        self.all_models = tuple(
            replace(entry, in_use=entry.name == name) for entry in self.all_models
        )
        self.told = replace(self.told, model=name)
        yield ModelChosen(name, "writes 12 tokens a second here" if name in listed else "")

    def remove_model(self, name: str) -> int:
        self.calls.append(f"remove {name}")
        self.all_models = tuple(
            replace(entry, installed=False, fetched=0) if entry.name == name else entry
            for entry in self.all_models
        )
        return 2_500_000_000

    def open_document(self, name: str) -> OpenedDocument:
        if name in self.opened:
            return self.opened[name]
        doc = self.document(name)
        return OpenedDocument(doc, (Span(0, len(doc.text)),), (doc.source,), ())

    def stop(self) -> None:
        self.calls.append("stop")
        self._stop.set()

    def close(self) -> None:
        self.closed += 1
        self._end.set()


def dump(app: App[Any]) -> list[str]:
    """The lines of the screen as plain text."""
    return [strip.text for strip in app.screen._compositor.render_strips()]
