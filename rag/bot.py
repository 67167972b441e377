"""The front door: opens the machines when they are needed, owns the writer's lock.

A `Bot` is one reader of one library and, while `add`, `sync`, `remove` or `rebuild` runs, its one writer. It is not
thread-safe; `engine.Engine` is the same front door in a process of its own.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from rag import bounds, calibration, wire
from rag import paths as file_paths
from rag.alike import Alike
from rag.answer import answer as answering
from rag.chunk import VERSION
from rag.config import READER, Config
from rag.domain import Conversation, Document, Evidence, Listing, Model, Passage, Rates, Status, Turn, Verdict, Writer
from rag.errors import LibraryBusy, LibraryMissing, RagError
from rag.events import Answered, Event, Indexing, Loading, Noted, Report
from rag.index import Index
from rag.library import Library
from rag.lock import lock
from rag.private import make_folder
from rag.safe import protect
from rag.told import told
from rag.vectors import Vectors

if TYPE_CHECKING:
    from rag.check import Judge
    from rag.crossencoder import CrossEncoder
    from rag.embedders import Embedding
    from rag.explain import Explanation
    from rag.foreign import Machine
    from rag.ingest import Ingest


class Bot:
    """Ask, add, search, check. Use it as a context manager."""

    def __init__(self, config: Config, least: float | None = None) -> None:
        protect()
        self.config = config
        self._least = least  # the probability the reader answers from; None: the library's own, or the shipped one
        self._library: Library | None = None
        self._vectors: Vectors | None = None
        self._embedding: Embedding | None = None
        self._questions: Machine | None = None
        self._sentences: Machine | None = None
        self._pairs: CrossEncoder | None = None
        self._writer: Writer | None = None
        self._index: Index | None = None
        self._alike = Alike(self._open_sentences)

    @classmethod
    def open(cls, config: Config, least: float | None = None) -> Bot:
        """A bot over `config`. Nothing heavy is opened yet. `least` is for `calibrate`, which asks with every threshold."""
        return cls(config, least)

    def __enter__(self) -> Bot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every machine that was opened. Safe to call twice."""
        chat = getattr(self._writer, "_chat", None)
        machines = self._vectors, self._library, self._questions, self._sentences, self._embedding, self._pairs, chat
        for machine in [m for m in machines if m is not None]:
            machine.close()
        self._vectors = self._library = self._index = self._questions = self._pairs = self._writer = None
        self._embedding = self._sentences = None

    # -- documents

    @told
    def add(self, paths: Sequence[str], forget: bool = False) -> Iterator[Event]:
        """Take in files, folders and corpora; `forget` as in `Ingest`. Ends in a `Report`. Raises `LibraryBusy`."""
        paths = [file_paths.absolute(p) for p in paths]
        make_folder(self.config.folder)
        with self._writing():  # before the library is made: of two that come first, one is told who the other is
            if note := self._open_library(make=True).anew:
                yield Noted(note)
            yield from self._ingest().add(paths, forget=forget)

    @told
    def sync(self, forget: bool = False) -> Iterator[Event]:
        """Everything added before, again: new, changed, moved and vanished files."""
        self._open_library()
        with self._writing():
            yield from self._ingest().sync(forget)

    @told
    def roots(self) -> tuple[str, ...]:
        """Absolute paths of the files and folders that were added: what `sync` looks at."""
        return tuple(self._open_library().roots())

    @told
    def held(self, name: str) -> tuple[str, ...]:
        """Sources of the documents that `remove` would forget."""
        library = self._open_library()
        if library.is_orphan(name):
            return ()
        return tuple(known.source for known in library.held(name)[0] if known.document)

    @told
    def remove(self, name: str) -> Iterator[Event]:
        """Forget the document of that id, source or path, or all below a folder's name."""
        library, started = self._open_library(), time.perf_counter()
        with self._writing():
            files, roots = ([], []) if library.forget_orphan(name) else library.held(name)
            library.remove([known.place for known in files], roots)
            yield from self._ingest().index()
            yield Report(removed=tuple(k.source for k in files), seconds=time.perf_counter() - started)

    @told
    def rebuild(self) -> Iterator[Event]:
        """Chroma again from the library, from nothing; nothing is embedded."""
        self._open_library()
        with self._writing():
            yield from self._ingest().index(scratch=True)

    @told
    def repair(self) -> Iterator[Event]:
        """Mend what can be mended, and say of each thing what was wrong and what was done: `Mended`, and `Indexing`."""
        from rag import repair

        yield from repair.everything(self.config.folder, self._chosen(), self._opened, self._writing)

    @told
    def documents(self) -> tuple[Listing, ...]:
        """The table of contents."""
        return tuple(self._open_library().listings())

    @told
    def document(self, name: str) -> Document:
        """A document by id, source, or the end of its source."""
        return self._open_library().find(name)

    @told
    def status(self) -> Status:
        """What a header says; zeros where there is no library yet."""
        try:
            documents, passages = self._open_library().counts()
        except LibraryMissing:
            documents = passages = 0
        return Status(self.config.library, documents, passages, self.config.model)

    @told
    def revision(self) -> int:
        """Grows with every change of what can be found."""
        return self._open_library().revision

    # -- questions

    @told
    def ask(
        self,
        question: str,
        conversation: str | None = None,
        stop: Callable[[], bool] = lambda: False,
        save: bool = True,
    ) -> Iterator[Event]:
        """Ask a question; the last event is `Answered`. The question is saved at once, the answer when it is whole.

        `stop` is asked between the words; with it the answer so far is checked and given as stopped. With `save` off
        nothing is written.
        """
        question = bounds.question(question)
        library = self._open_library()
        conversation = conversation or self.new_conversation()
        history = self._history(conversation)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        turn = library.history.ask(conversation, now, question) if save else 0
        if self._questions is None or self._writer is None:
            yield Loading("the models")
        yield from self._followed(stop)
        work = answering(
            question, self._search, self._open_writer(), self._judge(), limit=self.config.passages,
            searched=library.counts()[1], history=history, stop=stop, unread=self.unread,
        )  # fmt: skip
        for event in work:
            if isinstance(event, Answered) and save:
                library.history.answer(turn, json.dumps(wire.answer(event.answer), ensure_ascii=False))
            yield event

    @told
    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]:
        """Passages only, nearest first."""
        question = bounds.question(question)
        if not self._open_library().counts()[1]:
            return ()
        return self._search(question, limit or self.config.passages)

    @told
    def unread(self, question: str) -> tuple[Evidence, ...]:
        """Masked text that would answer the question: it is in no passage, because page furniture is not searched."""
        from rag.leftout import unread

        return unread(bounds.question(question), self._open_library(), self._open_pairs)

    def explain(self, question: str, document: str, quote: str | None = None) -> Explanation:
        """Where the passages of `document` that hold `quote` were lost on the way to the writer, and what keeps them."""
        from rag.explain import Searching, Settings, explain
        from rag.generate import Generate

        question, quote = bounds.question(question), bounds.quote(quote) if quote is not None else None
        library, limit = self._open_library(), self.config.passages
        writer = self._open_writer() if self.config.model != READER else None
        search = Searching(
            library, lambda text: self._open_questions().embed([text])[0], lambda text, depth: self._search(text, limit, depth),
            self._agreed().near, writer.prompt if isinstance(writer, Generate) else None,
        )  # fmt: skip
        rerank = self.config.rerank
        settings = Settings(max(self.config.depth, limit, rerank), rerank, limit, self.config.beside)
        return explain(question, document, quote, search, settings)

    def check(self, claim: str, passage: str) -> tuple[Verdict, float, tuple[str, ...]]:
        """Verdict, score (0..1) and reasons for somebody else's claim about a passage: the checker answers go through."""
        from rag.check import judge

        claim, passage = bounds.claim(claim), bounds.passage(passage)
        return judge(claim, passage, self._judge())

    def rates(self) -> Rates:
        """How often that checker errs, as measured on claims it had not seen."""
        from rag.weights import rates

        return rates()

    def shipped(self) -> float:
        """The probability from which the built-in reader answers, where no library says otherwise."""
        return float(self._open_pairs().fits["read"][-1])

    def new_conversation(self) -> str:
        """An id to ask under."""
        return uuid.uuid4().hex[:12]

    @told
    def conversations(self, limit: int = 50) -> tuple[Conversation, ...]:
        """Saved conversations, newest first."""
        return tuple(Conversation(*row) for row in self._open_library().history.conversations(limit))

    @told
    def questions(self, limit: int = 50) -> tuple[str, ...]:
        """Earlier questions, newest first."""
        try:
            return tuple(self._open_library().history.questions(limit))
        except LibraryMissing:
            return ()

    def _history(self, conversation: str) -> list[Turn]:
        turns = self._open_library().history.turns(conversation)
        saved = ((question, json.loads(answer)) for question, answer in turns if answer)
        return [wire.turn(question, found) for question, found in saved if "answer" in found]

    # -- machines

    def _chosen(self) -> Embedding:
        if self._embedding is None:
            from rag.embedders import chosen

            self._embedding = chosen(self.config)
        return self._embedding

    def _open_library(self, make: bool = False) -> Library:
        if self._library is None:
            from rag.embedders import cure

            embedding = self._chosen()
            self._library = Library(
                self.config.folder, make=make, identity=f"{embedding.identity} chunks {VERSION}", cure=partial(cure, self.config)
            )  # fmt: skip
            self._vectors = Vectors(self.config.folder / "vectors", embedding.dimension)
        return self._library

    def _opened(self) -> tuple[Library, Vectors, Ingest]:
        library = self._open_library()
        assert self._vectors is not None
        return library, self._vectors, self._ingest()

    def _open_questions(self) -> Machine:
        if self._questions is None:
            self._questions = self._chosen().questions()
        return self._questions

    def _open_sentences(self) -> Machine:
        """What the check compares sentences by: the built-in embedder, which its figures were measured with."""
        if not self.config.embedder:
            return self._open_questions()
        if self._sentences is None:
            from rag.embed import open_questions

            self._sentences = open_questions(self.config.home, self.config.threads)
        return self._sentences

    def _open_pairs(self) -> CrossEncoder:
        if self._pairs is None:
            from rag.crossencoder import CrossEncoder
            from rag.embed import Tokenizer
            from rag.weights import reader

            self._pairs = CrossEncoder(reader(), Tokenizer().machine, self.config.threads)
        return self._pairs

    def _judge(self) -> Judge:
        from rag.check import Fit, Judge

        pairs = self._open_pairs()
        return Judge(self._alike, pairs.support, Fit.of(pairs.fits["check"]))

    def _open_writer(self) -> Writer:
        if self._writer is None:
            if self.config.model == READER:
                from rag.read import Fit, Reader
                from rag.weights import READER_FILE

                pairs = self._open_pairs()
                fit, known = Fit(*pairs.fits["read"]), calibration.in_use(self.config)
                if self._least is not None:
                    fit, known = replace(fit, least=self._least), None
                elif known:
                    fit = replace(fit, least=known.least)
                self._writer = Reader(pairs, Model(READER, READER_FILE.sha256, known.says if known else ""), fit)
            else:
                self._writer = self._open_chat()
        return self._writer

    def _open_chat(self) -> Writer:
        from rag.generate import Generate
        from rag.llama import Chat
        from rag.prompt import grammar, prompt, rewriting
        from rag.trial import chat_model

        found, sha256 = chat_model(self.config.home, self.config.model)
        chat = Chat(str(found.path), self.config.context, self.config.threads)
        model = Model(found.name, sha256)
        rest = self.config.answer, self.config.temperature, self.config.seed
        return Generate(chat, model, prompt, grammar, *rest, rewriting)

    def _ingest(self) -> Ingest:
        from rag.embedders import fitting
        from rag.ingest import Ingest

        library, vectors, embedding = self._open_library(), self._vectors, self._chosen()
        assert vectors is not None
        size, prefix, note = fitting(embedding, self.config.chunk)
        room = embedding.room if self.config.embedder else 0
        return Ingest(library, vectors, embedding.passages, embedding.count, size, prefix, note=note, room=room)

    def _search(self, question: str, limit: int, every: int = 0) -> tuple[Passage, ...]:
        """The `limit` nearest passages; with `every`, all that lists so deep hold."""
        from rag.retrieve import Retrieve

        rerank, beside = self.config.rerank, self.config.beside
        depth, useful = every or max(self.config.depth, limit, rerank), self._useful if rerank else None
        library, embedder, index = self._open_library(), self._open_questions(), self._agreed()
        retrieve = Retrieve(library, index.near, embedder, depth, useful, rerank, beside, index.words())
        return retrieve(question, 2 * depth if every else limit)

    def _useful(self, question: str, texts: Sequence[str]) -> list[float]:
        return [(found.answers + found.helps) / 2 for found in self._open_pairs().read(question, texts)]

    def _following(self) -> Index:
        """The index, which may be behind the library."""
        if self._index is None:
            library = self._open_library()
            assert self._vectors is not None
            self._index = Index(library, self._vectors, self._mend)
        return self._index

    def _followed(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Make the index follow the library where it is behind and nobody else writes, and tell how far it is."""
        if self._open_library().counts()[1] and self._following().behind():
            with suppress(RagError, OSError), self._writing(0):  # the search tries again, and tells what went wrong
                for event in self._ingest().index():
                    if isinstance(event, Indexing):
                        yield Loading(f"the index: {event.says}")
                    if stop():
                        return

    def _agreed(self) -> Index:
        """The index, which has followed the library."""
        index = self._following()
        index.agree()
        return index

    def _mend(self, scratch: bool) -> bool:
        """Make the index agree with the library. False while another process writes: the last generation answers."""
        with suppress(LibraryBusy), self._writing(0):
            for _ in self._ingest().index(scratch):
                pass
            return True
        return False

    def _writing(self, patience: float = 0.5) -> AbstractContextManager[None]:
        """The writer's lock; `patience` in seconds."""
        return lock(self.config.folder, patience)
