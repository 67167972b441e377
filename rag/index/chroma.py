"""The vector index: nearest chunks by Chroma. It can always be made again from the library.

Chroma's files do not survive a killed process, a second writer or a damaged byte, and opening such
files can end the process. So an index is never changed in place: the next generation
(`generations`) is made in a folder of its own. It starts as a copy of the last one if that is
undamaged, else empty; it is filled by upsert with given vectors, counted, closed, synced, and named
by a manifest. No step needs an embedder.

Readers open the newest generation whose hashes match and keep it while they live. The generation
before the newest one stays on the disk for them. Damage in ``chroma.sqlite3``, which is not hashed,
raises an exception (never a signal, as measured); the next generation is then made from the
library.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypedDict

from rag.disk import permissions
from rag.disk.disk_errors import describe_free_space
from rag.errors import LibraryBroken, RagError
from rag.events import Indexing
from rag.index.bm25 import Postings, TextSource, read_postings, renew_postings
from rag.index.generations import (
    WORDS,
    Generation,
    Generations,
    Stamps,
    copy_generation,
    file_stamps,
    sync_files,
)
from rag.index.readable import openable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLLECTION = "chunks"
#: rows that are put into the index at once: half a second, the longest wait of a stop request
_BATCH_ROWS = 1000
#: how often the HNSW files are written, each time whole, while an index is made; rows in between
#: wait in SQLite, whose file does not shrink
_MAX_SYNCS = 20
_THRESHOLD = "sync_threshold"
#: With a threshold of 1 no row waits in SQLite. With the default (1,000) each reader adds the
#: waiting rows and rewrites the files while another reader may use them. The threshold is higher
#: only while many rows are put in (`_batches`).
_HNSW: dict[str, str | int] = {"space": "cosine", "ef_search": 100, "batch_size": 1, _THRESHOLD: 1}

#: chunk ids -> their vectors, float32, shape (n, dimension)
Fetch = Callable[[Sequence[str]], "NDArray[np.float32]"]


class _Nearest(TypedDict):
    """The result of a query: for each query vector, ids and their cosine distances."""

    ids: list[list[str]]
    distances: list[list[float]]


class _Listed(TypedDict):
    """The result of a listing: the ids of all rows."""

    ids: list[str]


class _Collection(Protocol):
    """The methods of a Chroma collection that are used here."""

    def query(
        self, *, query_embeddings: list[NDArray[np.float32]], n_results: int, include: list[str]
    ) -> _Nearest: ...
    def get(self, *, include: list[str]) -> _Listed: ...
    def upsert(self, *, ids: Sequence[str], embeddings: NDArray[np.float32]) -> None: ...
    def delete(self, *, ids: Sequence[str]) -> None: ...
    def modify(self, *, configuration: dict[str, dict[str, int]]) -> None: ...
    def count(self) -> int: ...


class _Client(Protocol):
    """The methods of a Chroma client that are used here."""

    def get_collection(self, name: str, embedding_function: None) -> _Collection: ...
    def get_or_create_collection(
        self,
        name: str,
        *,
        embedding_function: None,
        configuration: dict[str, dict[str, str | int]],
    ) -> _Collection: ...


class VectorIndex:
    """The index in `folder`. Scores are cosines.

    `dimension` is the length of the vectors, `batch` the rows that are put in at once.
    """

    def __init__(self, folder: Path, dimension: int, batch: int = _BATCH_ROWS) -> None:
        # must be absolute: files are hashed while Chroma is imported from another current folder
        self._folder = folder
        self._generations = Generations(folder)
        self._dimension, self._batch = dimension, batch
        self._chroma: AbstractContextManager[_Client] | None = None  # the open client
        self._collection: _Collection | None = None
        self._postings: Postings | None = None
        self._number = 0  # of the open generation
        self._revision: int | None = None  # library revision of the open generation
        # the generation that was checked last; it is not hashed again to be opened
        self._checked: tuple[Generation, Stamps] | None = None

    def revision(self) -> int | None:
        """The library revision of the newest generation if that is complete with postings."""
        newest = self._check_newest()
        return newest.revision if newest and newest.has_words else None

    def older(self) -> int | None:
        """The library revision of the newest generation if that has no postings.

        An older version of this program made it. Its vectors can be searched.
        """
        newest = self._check_newest()
        return newest.revision if newest and not newest.has_words else None

    def exists(self) -> bool:
        """Whether an index was ever completed."""
        return bool(self._generations.newest_manifest())

    def _check_newest(self) -> Generation | None:
        newest = self._generations.newest()
        self._checked = None
        if newest:
            self._checked = newest, file_stamps(self._generations.path(newest.number))
        return newest

    def current(self) -> int | None:
        """The same as `revision`, without reading the files of the open generation again.

        A newer generation, if there is one, is opened by the next query.
        """
        newest = self._generations.newest_manifest()
        if self._collection is not None and self._number == newest:
            return self._revision if self._postings else None
        self.close()
        if not newest:
            return None
        with ThreadPoolExecutor(1) as executor:  # the files are hashed during the import of Chroma
            revision = executor.submit(self.revision)
            _import_chromadb(self._folder)
        return revision.result()

    def near(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, cosine) of the nearest chunks, nearest first.

        `vector` has shape (dimension,). Raises `LibraryBroken` if the index cannot be used: make it
        again (`renew`) and repeat the query.
        """
        import numpy as np

        if vector.shape != (self._dimension,) or not np.isfinite(vector).all():
            raise ValueError(
                f"a query vector has {self._dimension} finite numbers, "
                f"this has shape {vector.shape}"
            )
        with self._opened() as collection:
            result = collection.query(
                query_embeddings=[vector], n_results=limit, include=["distances"]
            )
        pairs = zip(result["ids"][0], result["distances"][0], strict=True)
        return [(chunk_id, 1.0 - float(distance)) for chunk_id, distance in pairs]

    def words(self) -> tuple[Postings, int] | None:
        """Return the postings of the open generation and the library revision that they are of.

        Opens the newest generation if none is open. None if it has no postings. Raises
        `LibraryBroken` if there is none.
        """
        with self._opened():
            pass
        if not self._postings or self._revision is None:
            return None
        return self._postings, self._revision

    def chunk_ids(self) -> set[str]:
        """Return the ids of the vectors in the open or newest generation, as Chroma lists them.

        Raises `LibraryBroken`.
        """
        with self._opened() as collection:
            return set(collection.get(include=[])["ids"])

    @contextmanager
    def _opened(self) -> Iterator[_Collection]:
        """The open collection. Any error in opening or reading it becomes `LibraryBroken`."""
        try:
            yield self._open() if self._collection is None else self._collection
        except RagError:
            raise
        except Exception as error:  # Chroma raises its Rust errors as bare exceptions
            self.close()
            raise LibraryBroken(
                f"the index in {self._folder} cannot be read: {error}", "run: footnote rebuild"
            ) from error

    def _open(self) -> _Collection:
        checked, self._checked = self._checked, None
        if checked and checked[1] == file_stamps(self._generations.path(checked[0].number)):
            generation: Generation | None = checked[0]
        else:
            generation = self._generations.newest()
        if generation is None:
            raise LibraryBroken(
                f"there is no complete index in {self._folder}", "run: footnote rebuild"
            )
        self._number, self._revision = generation.number, generation.revision
        path = self._generations.path(generation.number)
        self._chroma = _open_where_it_lies(path)
        client = self._chroma.__enter__()
        self._collection = client.get_collection(_COLLECTION, embedding_function=None)
        self._postings = read_postings(path / WORDS)
        return self._collection

    def close(self) -> None:
        """Close the files. The next query opens the newest generation."""
        if self._chroma is not None:
            with suppress(Exception):
                self._chroma.__exit__(None, None, None)
        self._chroma = self._collection = self._checked = self._postings = None

    def sweep(self) -> list[str]:
        """Remove incomplete generations and return the names. Only for the writer."""
        return self._generations.remove_incomplete()

    def renew(
        self,
        ids: set[str],
        fetch: Fetch,
        texts: TextSource,
        revision: int,
        scratch: bool = False,
        without: Collection[str] = (),
    ) -> Iterator[Indexing]:
        """Make the next generation with exactly the chunks `ids`, yielding the progress.

        `fetch` gives vectors, `texts` the words; `revision` is that of the library. Those of the
        chunks that are in `without` have words and no vector. With `scratch`, nothing of the last
        generation is used. Only the writer may call this.
        """
        self.close()
        if os.path.lexists(self._folder) and not self._folder.is_dir():
            raise RagError(
                f"{self._folder} is a file, not a folder",
                f"move it away: mv {self._folder} {self._folder}.old, then: footnote rebuild",
            )
        permissions.make_folder(self._folder)
        newest = self._generations.newest()
        last = None if scratch else newest
        number = max([*self._generations.numbers(), 0]) + 1
        path = self._generations.path(number)
        # the newest one answers queries until the next one is complete
        self._generations.remove_except({newest.number} if newest else set())
        try:
            # Chroma rewrites the files of an emptied index at each opening: start without a copy
            if last and ids:
                copy_generation(self._generations.path(last.number), path)
            yield from self._fill(path, ids.difference(without), fetch)
            yield from _renew_words(path / WORDS, ids, texts)
            permissions.tighten(path)
            sync_files(path)
        except (OSError, MemoryError):
            shutil.rmtree(path, ignore_errors=True)
            raise
        except Exception as error:
            shutil.rmtree(path, ignore_errors=True)
            if last is None:
                raise self._cannot_be_made(error) from error
            yield from self.renew(ids, fetch, texts, revision, True, without)
            return
        self._generations.complete(number, revision, len(ids))
        self._generations.remove_except({number, last.number} if last else {number})

    def _cannot_be_made(self, error: Exception) -> LibraryBroken:
        return LibraryBroken(
            f"the index in {self._folder} cannot be made: {error}; "
            f"{describe_free_space(self._folder.parent)}; the documents are stored",
            "free space on that disk if it is full, then: footnote rebuild",
        )

    def _fill(self, path: Path, ids: set[str], fetch: Fetch) -> Iterator[Indexing]:
        """Delete from and add to the vectors in `path` until it has exactly `ids`."""
        with _open_chroma(path) as client:
            collection = client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
            )
            present = set(collection.get(include=[])["ids"])
            removed = sorted(present - ids)
            for start in range(0, len(removed), self._batch):
                collection.delete(ids=removed[start : start + self._batch])
            added = sorted(ids - present)
            batches, threshold = _batches(added, self._batch)
            if threshold > 1:
                collection.modify(configuration={"hnsw": {_THRESHOLD: threshold}})
        with _open_chroma(path) as client:  # a threshold takes effect at the next opening
            collection = client.get_collection(_COLLECTION, embedding_function=None)
            done = 0
            for batch in batches:
                collection.upsert(ids=batch, embeddings=fetch(batch))
                done += len(batch)
                yield Indexing(done, len(added))
            if threshold > 1:
                collection.modify(configuration={"hnsw": {_THRESHOLD: 1}})
            if collection.count() != len(ids):
                raise LibraryBroken(f"the index has {collection.count()} of {len(ids)} passages")


def _batches(ids: Sequence[str], size: int) -> tuple[list[Sequence[str]], int]:
    """Divide ids into batches of at most `size`.

    Also returns after how many rows Chroma writes its files; the last batch completes that number.
    """
    writes = min(-(-len(ids) // size), _MAX_SYNCS)
    batches = [
        batch
        for group in _even_parts(ids, writes)
        for batch in _even_parts(group, -(-len(group) // size))
    ]
    return batches, len(ids) // writes if len(batches) > writes else 1


def _even_parts(ids: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    """Divide ids into `count` parts whose lengths differ by one at most."""
    return (ids[len(ids) * i // count : len(ids) * (i + 1) // count] for i in range(count))


def _renew_words(folder: Path, ids: set[str], texts: TextSource) -> Iterator[Indexing]:
    """Replace the postings in `folder` by those of exactly `ids`."""
    last = read_postings(folder)
    shutil.rmtree(folder, ignore_errors=True)
    postings = yield from renew_postings(last, ids, texts)
    postings.save(folder)


@contextmanager
def _open_where_it_lies(path: Path) -> Iterator[_Client]:
    """A client for reading the generation in `path`, which may be read-only."""
    with openable(path) as folder, _open_chroma(folder) as client:
        yield client


@contextmanager
def _open_chroma(path: Path) -> Iterator[_Client]:
    """A client on `path`, which nobody else in this process has open.

    All settings are passed here; no file and no environment variable changes them.
    """
    permissions.make_folder(path)
    chromadb = _import_chromadb(path)
    # a setting that is not passed is read from the environment
    fields = chromadb.config.Settings.model_fields
    values = {name: field.get_default() for name, field in fields.items()} | {
        "chroma_api_impl": "chromadb.api.rust.RustBindingsAPI",
        "chroma_otel_granularity": "none",
        "anonymized_telemetry": False,
        "is_persistent": True,
        "persist_directory": str(path),
    }
    settings = chromadb.config.Settings(_env_file=None, **values)
    client = chromadb.PersistentClient(path=str(path), settings=settings)
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close()


def _import_chromadb(folder: Path) -> ModuleType:
    """Import chromadb with `folder` as the current folder: at import it reads ``.env`` there."""
    if "chromadb" in sys.modules:
        return sys.modules["chromadb"]
    try:
        current: str | None = os.getcwd()
    except OSError:
        current = None
    os.chdir(folder)
    try:
        import chromadb
        import chromadb.config
    finally:
        if current:
            os.chdir(current)
    return chromadb
