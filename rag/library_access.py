"""The library, its index and its writer's lock, opened at first use and searched together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from rag.config import Config
from rag.domain import Passage
from rag.errors import LibraryMissing
from rag.events import Event, Failed, Loading, Notice, Report
from rag.index.chroma import VectorIndex
from rag.index.index import Index
from rag.library.file_state import stale_paths, with_file_states
from rag.library.library import Library
from rag.library.lock import first_documents_awaited, writer_lock
from rag.machines import Machines

if TYPE_CHECKING:
    from rag.ingest.ingest import Ingest
    from rag.search.retrieve import Retriever, SearchTrace

#: seconds that a writer waits for the lock
_LOCK_SECONDS = 0.5


class LibraryAccess:
    """One library of a `Config` with the index beside it. Not thread-safe."""

    def __init__(self, config: Config, machines: Machines) -> None:
        self._config, self._machines = config, machines
        self._library: Library | None = None
        self._vectors: VectorIndex | None = None
        self._index: Index | None = None

    def use(self, config: Config) -> None:
        """Search by other settings from now on. The library stays the same."""
        self._config = config

    def open(self, create: bool = False) -> Library:
        """The library. Raises `LibraryMissing` if there is none and it is not to `create` one."""
        if self._library is None:
            machines = self._machines
            self._library = Library(
                self._config.folder,
                make=create,
                identity=machines.identity(),
                cure=machines.identity_cure,
            )
        return self._library

    def open_to_ask(self) -> Library:
        """The library. Raises `LibraryBusy` while another process adds the first documents."""
        folder, documents = self._config.folder, 0
        try:
            documents, passages = self.open().documents.counts()
            if passages:
                return self.open()
        except LibraryMissing:
            if busy := first_documents_awaited(folder, 0):
                raise busy from None
            raise
        if busy := first_documents_awaited(folder, documents):
            raise busy
        return self.open()

    def close(self) -> None:
        """Close the library and the index. A second call does nothing."""
        for file in (self._vectors, self._library):
            if file is not None:
                file.close()
        self._vectors = self._library = self._index = None

    @property
    def vectors(self) -> VectorIndex:
        """The vector index of the library."""
        self.open()
        if self._vectors is None:
            self._vectors = VectorIndex(self._config.folder / "vectors", self._machines.dimension())
        return self._vectors

    def ingest(self) -> Ingest:
        """An `Ingest` into the library. Its user holds the lock of `writing`."""
        return self._machines.ingest(self.open(), self.vectors)

    def writing(self, seconds: float = _LOCK_SECONDS) -> AbstractContextManager[None]:
        """The writer's lock. Raises `LibraryBusy` if another process keeps it for `seconds`."""
        return writer_lock(self._config.folder, seconds)

    # -- the index

    def index(self) -> Index:
        """The index, after it was renewed if it was behind the library and nobody else writes."""
        index = self._open_index()
        index.agree()
        return index

    def renew_index(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """As `Index.catch_up`, with `Loading` events that say how far it is."""
        for event in self._open_index().catch_up(stop):
            yield Loading(f"the index: {event.says}")

    def _open_index(self) -> Index:
        if self._index is None:
            self._index = Index(self.open(), self.vectors)
        return self._index

    # -- search

    def search(self, question: str, limit: int, within: Sequence[str] = ()) -> tuple[Passage, ...]:
        """The `limit` nearest passages, nearest first, each with the state of its file.

        `within` are ids of the documents that alone are searched; none are all.
        """
        found = self._retriever(limit, within)(question, limit)
        return with_file_states(self.open().files, found)

    def refresh(
        self, question: str, limit: int, stop: Callable[[], bool], within: Sequence[str] = ()
    ) -> Iterator[Event]:
        """Read the changed and vanished files of the nearest passages again, until `stop()`.

        Yields what is being done, and a `Notice` for each file that cannot be read. Raises
        `LibraryBusy` if another process is writing.
        """
        files = self.open().files
        if not self.open().documents.counts().chunks:
            return
        paths = stale_paths(files, self.search(question, limit, within))
        if not paths:
            return
        yield Loading(f"{len(paths)} changed file{'s' if len(paths) > 1 else ''}")
        with self.writing():
            for event in self.ingest().read_again(paths):
                if isinstance(event, Failed):
                    yield Notice(f"{event.source} was not read again: {event.reason}")
                if isinstance(event, Report) and event.kept:
                    yield Notice(f"{len(event.kept)} documents are gone and kept: footnote sync")
                if stop():
                    return

    def trace(self, question: str, limit: int, follow: Sequence[str]) -> SearchTrace:
        """The same search with its steps, and how far the best of the chunks `follow` got."""
        return self._retriever(limit).trace(question, limit, follow)

    def _retriever(self, limit: int, within: Sequence[str] = ()) -> Retriever:
        from rag.search.retrieve import Retriever

        config, library, embedder = self._config, self.open(), self._machines.question_embedder()
        index = self.index()
        return Retriever(
            library,
            index.near,
            embedder,
            max(config.candidates, limit, config.rerank),
            self._usefulness if config.rerank else None,
            config.rerank,
            config.neighbour_sentences,
            index.words(),
            within,
        )

    def _usefulness(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text, the mean of the logits of "it answers" and "it helps to answer"."""
        readings = self._machines.cross_encoder().read(question, texts)
        return [(reading.answers + reading.helps) / 2 for reading in readings]
