"""The front door: one method for everything that Footnote does with one library.

A `Bot` reads its library; while `add`, `sync`, `remove`, `rebuild` or `repair` runs it is also the
one writer. It is not thread-safe. `engine.Engine` is the same front door in a child process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

from rag import limits
from rag.answer.answer import answer_question
from rag.answer.beyond_quoting import refuse_what_is_not_quoted
from rag.answer.followup import complete_question
from rag.answer.library_answer import answer_about_library
from rag.answer.question_parts import parts_of_question
from rag.answer.tables.answer import answer_from_tables
from rag.config import READER, Config, SettingsFile
from rag.disk import paths as file_paths
from rag.disk.disk_errors import reports_disk_errors
from rag.disk.permissions import make_folder
from rag.domain import Evidence, FoundAnswer, Passage, Status, Turn
from rag.errors import LibraryMissing
from rag.events import Event, Loading, Notice, Report
from rag.index.index import renew_index
from rag.ingest.watch_access import WatchAccess
from rag.library.answer_recorder import AnswerRecorder
from rag.library.conversation_access import ConversationAccess
from rag.library.document_access import DocumentAccess
from rag.library.library import Library
from rag.library.searched_documents import SearchedDocuments, searched_documents
from rag.library_access import LibraryAccess
from rag.machines import Machines
from rag.model_store.model_access import ModelAccess
from rag.model_store.settings_access import SettingsAccess

if TYPE_CHECKING:
    from rag.upkeep.explain import Explanation


class Bot(ConversationAccess, DocumentAccess, SettingsAccess, ModelAccess, WatchAccess):
    """Add documents, ask, search, check. A context manager that closes what it opened.

    `machines` are the models; the bot closes them. `access` is the library with its index. A bot
    that `follows` takes over the settings that change in the file of the home meanwhile.
    """

    def __init__(
        self, config: Config, machines: Machines | None = None, follows: bool = False
    ) -> None:
        self.config = config
        self.settings = SettingsFile(config.home) if follows else None
        self.machines = machines or Machines(config)
        self.access = LibraryAccess(config, self.machines)

    @classmethod
    def open(cls, config: Config, threshold: float | None = None, follows: bool = False) -> Bot:
        """A bot with the models of `config`; `threshold` as in `Machines`. Loads nothing yet."""
        return cls(config, Machines(config, threshold), follows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the library, the index and every open model. A second call does nothing."""
        self.access.close()
        self.machines.close()

    @property
    def library(self) -> Library:
        """The library. Raises `LibraryMissing` if there is none."""
        return self.access.open()

    def use_settings(self, config: Config) -> None:
        self.config = config
        self.machines.use(config)
        self.access.use(config)

    def switch_model(self, setting: str) -> None:
        self.use_settings(replace(self.config, model=setting))

    # -- documents

    @reports_disk_errors
    def add(self, paths: Sequence[str], forget: bool = False) -> Iterator[Event]:
        """Add files, folders and corpus files; `forget` as in `Ingest.add`.

        The last event is a `Report`. Raises `LibraryBusy` if another process is writing.
        """
        paths = [file_paths.as_spelled(path) for path in file_paths.absolute_paths(paths)]
        make_folder(self.config.folder)
        # The lock comes before the library: of two first writers, the second one is refused.
        with self.access.writing():
            if note := self.access.open(create=True).notice:
                yield Notice(note)
            yield from self.access.ingest().add(paths, forget=forget)

    @reports_disk_errors
    def sync(self, forget: bool = False, roots: Sequence[str] = ()) -> Iterator[Event]:
        """Read again everything that was added: new, changed, moved and vanished files.

        With `roots`, only these of the added paths.
        """
        self.access.open()
        with self.access.writing():
            yield from self.access.ingest().sync(forget, roots)

    @reports_disk_errors
    def read_again(self, sources: Sequence[str]) -> Iterator[Event]:
        """Read the files of documents again, also unchanged ones; forget those that are gone."""
        library = self.access.open()
        with self.access.writing():
            named = set(sources)
            known = library.files.by_place().values()
            paths = sorted({file.path for file in known if file.source in named})
            library.read_files_again(paths)
            yield from self.access.ingest().read_again(paths)

    @reports_disk_errors
    def remove(self, name: str) -> Iterator[Event]:
        """Remove a document by id, source or path, or all documents of a folder."""
        library, started = self.access.open(), time.perf_counter()
        with self.access.writing():
            files, roots = ([], []) if library.forget_orphan(name) else library.names.resolve(name)
            library.remove([file.place for file in files], roots)
            left = set(library.files.roots())
            paths = {file.path for file in files if file_paths.within(file.path, left)}
            if still := sum(not file_paths.gone(path) for path in paths):
                files_are, them = ("file is", "it") if still == 1 else ("files are", "them")
                yield Notice(
                    f"{still} {files_are} still in an added folder, and the next update adds "
                    f"{them} again: move {them} elsewhere, or remove the folder from the library"
                )
            yield from renew_index(library, self.access.vectors)
            sources = tuple(file.source for file in files)
            yield Report(removed=sources, seconds=time.perf_counter() - started)

    @reports_disk_errors
    def rebuild(self) -> Iterator[Event]:
        """Make the index anew from the library. Nothing is embedded again."""
        library = self.access.open()
        with self.access.writing():
            yield from renew_index(library, self.access.vectors, from_scratch=True)

    @reports_disk_errors
    def repair(self) -> Iterator[Event]:
        """Repair what is damaged. One `Repaired` a finding, `Indexing` events between them."""
        from rag.upkeep import repair

        access, embedding = self.access, self.machines.embedding()
        yield from repair.repair_all(
            self.config.folder,
            embedding,
            lambda: (access.open(), access.vectors, access.ingest()),
            access.writing,
        )

    @reports_disk_errors
    def status(self) -> Status:
        """Counts and names for a header; the counts are 0 if there is no library yet."""
        self.follow_settings()
        try:
            documents, passages = self.library.documents.counts()
        except LibraryMissing:
            documents = passages = 0
        server = self.config.server
        model, host = (server.model, server.host) if server else (self.config.model, "")
        return Status(self.config.library, documents, passages, model, host)

    @reports_disk_errors
    def revision(self) -> int:
        """A number that grows with every change of the searchable passages."""
        return self.library.revision

    # -- questions

    @reports_disk_errors
    def ask(
        self,
        question: str,
        conversation: str | None = None,
        refresh: bool = False,
        within: Sequence[str] = (),
        stop: Callable[[], bool] = lambda: False,
        save: bool = True,
    ) -> Iterator[Event]:
        """Answer a question; the last event is `Answered`.

        Only documents named in `within`, or as `@name`, are searched. `Usage` if that is unclear.
        The question is saved at once and the answer as it is written; without `save` neither is.
        With `refresh`, changed files are read again first, if a passage for the question is of
        them. Once `stop` returns True, the answer so far is checked and marked as stopped.
        """
        question, note = limits.check_question(question), self.follow_settings()
        if note:
            yield Notice(note)
        library = self.access.open_to_ask()
        searched = searched_documents(question, within, library)
        conversation = conversation or self.new_conversation()
        history = library.history.answered(conversation)
        keeps = save and not library.history.database.read_only
        if save and not keeps:
            yield Notice("the library cannot be written: this conversation is not kept")
        recorder = AnswerRecorder.begin(library.history, conversation, question) if keeps else None
        if not self.machines.ready:
            yield Loading("the models")
        yield from self.access.renew_index(stop)
        if refresh:
            completed = complete_question(searched.question, history)
            limit = self.config.passages
            yield from self.access.refresh(completed, limit, stop, searched.documents)
        events = self._answer(question, searched, history, stop)
        yield from recorder.record(events) if recorder else events

    def _answer(
        self,
        named: str,
        searched: SearchedDocuments,
        history: Sequence[Turn],
        stop: Callable[[], bool],
    ) -> Iterator[Event]:
        """The events of the answer; `named` is the question as it was typed."""
        library = self.library
        logits = self.machines.part_logits
        answer_from = partial(answer_from_tables, library=library, logits=logits)

        def without_search(question: str) -> FoundAnswer | None:
            refused = refuse_what_is_not_quoted(question)
            about = None if searched.documents else answer_about_library(question, library)
            return refused or about

        return answer_question(
            searched.question,
            partial(self.access.search, within=searched.documents),
            self.machines.writer(),
            self.machines.judge(),
            limit=self.config.passages,
            searched=library.documents.counts().chunks,
            history=history,
            stop=stop,
            unread=lambda asked: tuple(filter(searched.holds, self.unread(asked))),
            tables=answer_from,
            named=named,
            within=searched.sources,
            without_search=without_search,
            divide=parts_of_question,
        )

    @reports_disk_errors
    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]:
        """The nearest passages for a question, nearest first; by default `config.passages`."""
        question = limits.check_question(question)
        if not self.library.documents.counts().chunks:
            return ()
        return self.access.search(question, limit or self.config.passages)

    @reports_disk_errors
    def unread(self, question: str) -> tuple[Evidence, ...]:
        """Masked text (page furniture, in no passage) that would answer the question."""
        from rag.answer.left_out import masked_answers

        question = limits.check_question(question)
        return masked_answers(question, self.library, self.machines.cross_encoder)

    def explain(self, question: str, document: str, quote: str | None = None) -> Explanation:
        """Find the search stage that lost the passages of `document` which contain `quote`."""
        from rag.answer.chat_writer import ChatWriter
        from rag.upkeep.explain import explain_passage

        question = limits.check_question(question)
        quote = None if quote is None else limits.check_quote(quote)
        library, config = self.library, self.config
        writer = None if config.model == READER else self.machines.writer()
        return explain_passage(
            question,
            document,
            quote,
            library,
            lambda follow: self.access.trace(question, config.passages, follow),
            writer.prompt if isinstance(writer, ChatWriter) else None,
            config.neighbour_sentences,
        )
