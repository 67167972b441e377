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

from rag import limits, serialize
from rag.answer import calibration
from rag.answer.answer import answer_question
from rag.answer.similarity import SentenceSimilarity
from rag.config import READER, Config
from rag.disk import paths as file_paths
from rag.disk.disk_errors import reports_disk_errors
from rag.disk.permissions import make_folder
from rag.domain import (
    Conversation,
    Document,
    ErrorRates,
    Evidence,
    Listing,
    Model,
    Passage,
    Status,
    Turn,
    Verdict,
    Writer,
)
from rag.errors import LibraryBusy, LibraryMissing, RagError
from rag.events import Answered, Event, Indexing, Loading, Notice, Report
from rag.index.chroma import VectorIndex
from rag.index.index import Index
from rag.ingest.chunk import CHUNKER_VERSION
from rag.library.library import Library
from rag.library.lock import writer_lock
from rag.text.sanitize import harden_process

if TYPE_CHECKING:
    from rag.answer.check import Judge
    from rag.inference.crossencoder import CrossEncoder
    from rag.inference.embedders import Embedding
    from rag.inference.external import OpenEmbedder
    from rag.ingest.ingest import Ingest
    from rag.upkeep.explain import Explanation


class Bot:
    """Ask, add, search, check. Use it as a context manager."""

    def __init__(self, config: Config, least: float | None = None) -> None:
        harden_process()
        self.config = config
        self._least = least  # the probability the reader answers from; None: the library's own, or the shipped one
        self._library: Library | None = None
        self._vectors: VectorIndex | None = None
        self._embedding: Embedding | None = None
        self._questions: OpenEmbedder | None = None
        self._sentences: OpenEmbedder | None = None
        self._pairs: CrossEncoder | None = None
        self._writer: Writer | None = None
        self._index: Index | None = None
        self._alike = SentenceSimilarity(self._open_sentences)

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
        machines = (
            self._vectors,
            self._library,
            self._questions,
            self._sentences,
            self._embedding,
            self._pairs,
            chat,
        )
        for machine in [m for m in machines if m is not None]:
            machine.close()
        self._vectors = self._library = self._index = self._questions = self._pairs = (
            self._writer
        ) = None
        self._embedding = self._sentences = None

    # -- documents

    @reports_disk_errors
    def add(self, paths: Sequence[str], forget: bool = False) -> Iterator[Event]:
        """Take in files, folders and corpora; `forget` as in `Ingest`. Ends in a `Report`. Raises `LibraryBusy`."""
        paths = [file_paths.absolute(p) for p in paths]
        make_folder(self.config.folder)
        with (
            self._writing()
        ):  # before the library is made: of two that come first, one is told who the other is
            if note := self._open_library(make=True).anew:
                yield Notice(note)
            yield from self._ingest().add(paths, forget=forget)

    @reports_disk_errors
    def sync(self, forget: bool = False) -> Iterator[Event]:
        """Everything added before, again: new, changed, moved and vanished files."""
        self._open_library()
        with self._writing():
            yield from self._ingest().sync(forget)

    @reports_disk_errors
    def roots(self) -> tuple[str, ...]:
        """Absolute paths of the files and folders that were added: what `sync` looks at."""
        return tuple(self._open_library().roots())

    @reports_disk_errors
    def held(self, name: str) -> tuple[str, ...]:
        """Sources of the documents that `remove` would forget."""
        library = self._open_library()
        if library.is_orphan(name):
            return ()
        return tuple(known.source for known in library.held(name)[0] if known.document)

    @reports_disk_errors
    def remove(self, name: str) -> Iterator[Event]:
        """Forget the document of that id, source or path, or all below a folder's name."""
        library, started = self._open_library(), time.perf_counter()
        with self._writing():
            files, roots = ([], []) if library.forget_orphan(name) else library.held(name)
            library.remove([known.place for known in files], roots)
            yield from self._ingest().index()
            yield Report(
                removed=tuple(k.source for k in files), seconds=time.perf_counter() - started
            )

    @reports_disk_errors
    def rebuild(self) -> Iterator[Event]:
        """Chroma again from the library, from nothing; nothing is embedded."""
        self._open_library()
        with self._writing():
            yield from self._ingest().index(scratch=True)

    @reports_disk_errors
    def repair(self) -> Iterator[Event]:
        """Mend what can be mended, and say of each thing what was wrong and what was done: `Mended`, and `Indexing`."""
        from rag.upkeep import repair

        yield from repair.everything(
            self.config.folder, self._chosen(), self._opened, self._writing
        )

    @reports_disk_errors
    def documents(self) -> tuple[Listing, ...]:
        """The table of contents."""
        return tuple(self._open_library().listings())

    @reports_disk_errors
    def document(self, name: str) -> Document:
        """A document by id, source, or the end of its source."""
        return self._open_library().find(name)

    @reports_disk_errors
    def status(self) -> Status:
        """What a header says; zeros where there is no library yet."""
        try:
            documents, passages = self._open_library().counts()
        except LibraryMissing:
            documents = passages = 0
        return Status(self.config.library, documents, passages, self.config.model)

    @reports_disk_errors
    def revision(self) -> int:
        """Grows with every change of what can be found."""
        return self._open_library().revision

    # -- questions

    @reports_disk_errors
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
        question = limits.check_question(question)
        library = self._open_library()
        conversation = conversation or self.new_conversation()
        history = self._history(conversation)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        turn = library.history.ask(conversation, now, question) if save else 0
        if self._questions is None or self._writer is None:
            yield Loading("the models")
        yield from self._followed(stop)
        work = answer_question(
            question, self._search, self._open_writer(), self._judge(), limit=self.config.passages,
            searched=library.counts()[1], history=history, stop=stop, unread=self.unread,
        )  # fmt: skip
        for event in work:
            if isinstance(event, Answered) and save:
                library.history.answer(
                    turn, json.dumps(serialize.answer(event.answer), ensure_ascii=False)
                )
            yield event

    @reports_disk_errors
    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]:
        """Passages only, nearest first."""
        question = limits.check_question(question)
        if not self._open_library().counts()[1]:
            return ()
        return self._search(question, limit or self.config.passages)

    @reports_disk_errors
    def unread(self, question: str) -> tuple[Evidence, ...]:
        """Masked text that would answer the question: it is in no passage, because page furniture is not searched."""
        from rag.answer.left_out import masked_answers

        return masked_answers(
            limits.check_question(question), self._open_library(), self._open_pairs
        )

    def explain(self, question: str, document: str, quote: str | None = None) -> Explanation:
        """Where the passages of `document` that hold `quote` were lost on the way to the writer, and what keeps them."""
        from rag.answer.generate import ChatWriter
        from rag.upkeep.explain import SearchSettings, SearchSteps, explain_passage

        question, quote = (
            limits.check_question(question),
            limits.check_quote(quote) if quote is not None else None,
        )
        library, limit = self._open_library(), self.config.passages
        writer = self._open_writer() if self.config.model != READER else None
        search = SearchSteps(
            library, lambda text: self._open_questions().embed([text])[0], lambda text, depth: self._search(text, limit, depth),
            self._agreed().near, writer.prompt if isinstance(writer, ChatWriter) else None,
        )  # fmt: skip
        rerank = self.config.rerank
        settings = SearchSettings(
            max(self.config.depth, limit, rerank), rerank, limit, self.config.beside
        )
        return explain_passage(question, document, quote, search, settings)

    def check(self, claim: str, passage: str) -> tuple[Verdict, float, tuple[str, ...]]:
        """Verdict, score (0..1) and reasons for somebody else's claim about a passage: the checker answers go through."""
        from rag.answer.check import check_claim

        claim, passage = limits.check_claim(claim), limits.check_passage(passage)
        return check_claim(claim, passage, self._judge())

    def rates(self) -> ErrorRates:
        """How often that checker errs, as measured on claims it had not seen."""
        from rag.inference.weights import checker_error_rates

        return checker_error_rates()

    def shipped(self) -> float:
        """The probability from which the built-in reader answers, where no library says otherwise."""
        return float(self._open_pairs().fits["read"][-1])

    def new_conversation(self) -> str:
        """An id to ask under."""
        return uuid.uuid4().hex[:12]

    @reports_disk_errors
    def conversations(self, limit: int = 50) -> tuple[Conversation, ...]:
        """Saved conversations, newest first."""
        return tuple(
            Conversation(*row) for row in self._open_library().history.conversations(limit)
        )

    @reports_disk_errors
    def questions(self, limit: int = 50) -> tuple[str, ...]:
        """Earlier questions, newest first."""
        try:
            return tuple(self._open_library().history.questions(limit))
        except LibraryMissing:
            return ()

    def _history(self, conversation: str) -> list[Turn]:
        turns = self._open_library().history.turns(conversation)
        saved = ((question, json.loads(answer)) for question, answer in turns if answer)
        return [serialize.turn(question, found) for question, found in saved if "answer" in found]

    # -- machines

    def _chosen(self) -> Embedding:
        if self._embedding is None:
            from rag.inference.embedders import open_embedder

            self._embedding = open_embedder(self.config)
        return self._embedding

    def _open_library(self, make: bool = False) -> Library:
        if self._library is None:
            from rag.inference.embedders import embedder_mismatch_cure

            embedding = self._chosen()
            self._library = Library(
                self.config.folder, make=make, identity=f"{embedding.identity} chunks {CHUNKER_VERSION}", cure=partial(embedder_mismatch_cure, self.config)
            )  # fmt: skip
            self._vectors = VectorIndex(self.config.folder / "vectors", embedding.dimension)
        return self._library

    def _opened(self) -> tuple[Library, VectorIndex, Ingest]:
        library = self._open_library()
        assert self._vectors is not None
        return library, self._vectors, self._ingest()

    def _open_questions(self) -> OpenEmbedder:
        if self._questions is None:
            self._questions = self._chosen().questions()
        return self._questions

    def _open_sentences(self) -> OpenEmbedder:
        """What the check compares sentences by: the built-in embedder, which its figures were measured with."""
        if not self.config.embedder:
            return self._open_questions()
        if self._sentences is None:
            from rag.inference.minilm import open_question_embedder

            self._sentences = open_question_embedder(self.config.home, self.config.threads)
        return self._sentences

    def _open_pairs(self) -> CrossEncoder:
        if self._pairs is None:
            from rag.inference.crossencoder import CrossEncoder
            from rag.inference.minilm import Tokenizer
            from rag.inference.weights import verified_reader_file

            self._pairs = CrossEncoder(
                verified_reader_file(), Tokenizer().machine, self.config.threads
            )
        return self._pairs

    def _judge(self) -> Judge:
        from rag.answer.check import CheckFit, Judge

        pairs = self._open_pairs()
        return Judge(self._alike, pairs.support, CheckFit.of(pairs.fits["check"]))

    def _open_writer(self) -> Writer:
        if self._writer is None:
            if self.config.model == READER:
                from rag.answer.reader import Reader, ReaderFit
                from rag.inference.weights import READER_FILE

                pairs = self._open_pairs()
                fit, known = (
                    ReaderFit(*pairs.fits["read"]),
                    calibration.active_calibration(self.config),
                )
                if self._least is not None:
                    fit, known = replace(fit, least=self._least), None
                elif known:
                    fit = replace(fit, least=known.least)
                self._writer = Reader(
                    pairs, Model(READER, READER_FILE.sha256, known.says if known else ""), fit
                )
            else:
                self._writer = self._open_chat()
        return self._writer

    def _open_chat(self) -> Writer:
        from rag.answer.generate import ChatWriter
        from rag.answer.prompt import build_prompt, build_rewrite_prompt, citation_grammar
        from rag.inference.llama_chat import ChatModel
        from rag.inference.model_trial import find_tried_chat_model

        found, sha256 = find_tried_chat_model(self.config.home, self.config.model)
        chat = ChatModel(str(found.path), self.config.context, self.config.threads)
        model = Model(found.name, sha256)
        rest = self.config.answer, self.config.temperature, self.config.seed
        return ChatWriter(chat, model, build_prompt, citation_grammar, *rest, build_rewrite_prompt)

    def _ingest(self) -> Ingest:
        from rag.inference.embedders import chunk_sizes
        from rag.ingest.ingest import Ingest

        library, vectors, embedding = self._open_library(), self._vectors, self._chosen()
        assert vectors is not None
        size, prefix, note = chunk_sizes(embedding, self.config.chunk)
        room = embedding.room if self.config.embedder else 0
        return Ingest(
            library,
            vectors,
            embedding.passages,
            embedding.count,
            size,
            prefix,
            note=note,
            room=room,
        )

    def _search(self, question: str, limit: int, every: int = 0) -> tuple[Passage, ...]:
        """The `limit` nearest passages; with `every`, all that lists so deep hold."""
        from rag.search.retrieve import Retriever

        rerank, beside = self.config.rerank, self.config.beside
        depth, useful = (
            every or max(self.config.depth, limit, rerank),
            self._useful if rerank else None,
        )
        library, embedder, index = self._open_library(), self._open_questions(), self._agreed()
        retrieve = Retriever(
            library, index.near, embedder, depth, useful, rerank, beside, index.words()
        )
        return retrieve(question, 2 * depth if every else limit)

    def _useful(self, question: str, texts: Sequence[str]) -> list[float]:
        return [
            (found.answers + found.helps) / 2 for found in self._open_pairs().read(question, texts)
        ]

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
            with (
                suppress(RagError, OSError),
                self._writing(0),
            ):  # the search tries again, and tells what went wrong
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
        return writer_lock(self.config.folder, patience)
