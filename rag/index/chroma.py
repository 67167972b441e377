"""Chroma: put, near, drop. The index: it can always be made again from the library, without embedding anything.

Chroma's own files do not survive a killed process, a second writer or a damaged byte, and opening such files can
end the process. So an index is never changed where it lies: the next *generation* is made in a folder of its own (a
copy of the last one, if that is whole, else from nothing), filled by upsert with vectors always given, counted, closed,
synced, and only then named by a manifest (``gen-<n>.json``) that is renamed into place. The postings of the words (`postings`) lie in
the same folder. The manifest holds the hash of every file of both and the library's revision. A folder without a manifest is a torso: nobody opens it, the next writer
removes it. So the missing manifest is the DIRTY mark, and there is no pointer file that could disagree with it.

Readers open the newest generation whose hashes hold, and keep it while they live; the one before the newest is kept on
disk for them. ``chroma.sqlite3`` is not hashed, because Chroma writes to it on every open; damage there is an exception
(never a signal, as measured), and an exception means the next generation is made from the library.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.disk import permissions
from rag.disk.atomic_files import replace_file, sha256
from rag.disk.disk_errors import describe_free_space, disk_errors_named
from rag.errors import LibraryBroken, RagError
from rag.events import Indexing
from rag.index.bm25 import Postings, TextSource, read_postings, renew_postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAME = "chunks"
_BATCH = 1000  # rows put into the index at once: half a second, which is what a stop may wait for
# Times that the HNSW files are written while an index is made, each time whole: what waits between lies in SQLite, whose file does not shrink.
_SYNCS = 20
# No row waits in SQLite. With the default (1,000 may) each reader replays the waiting rows and rewrites the files, under the
# hands of the next one. While many rows are put in, the threshold is higher (`_parts`).
_THRESHOLD = "sync_threshold"
_HNSW = {"space": "cosine", "ef_search": 100, "batch_size": 1, _THRESHOLD: 1}
_UNHASHED = "chroma.sqlite3"
_GENERATION = re.compile(
    r"gen-([1-9][0-9]{0,17})(\.json)?", re.ASCII
)  # other names are no generations of ours
_UNREAD = (
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
)  # keep from reading what may be whole
_WORDS = "words"  # the folder of the postings in that of a generation

_Marks = dict[str, tuple[int, ...]]
Fetch = Callable[[Sequence[str]], "NDArray[np.float32]"]


class VectorIndex:
    """The index in `folder`. `dimension` is of the vectors, `batch` rows are put in at once; scores are cosines."""

    def __init__(self, folder: Path, dimension: int, batch: int = _BATCH) -> None:
        self._folder = folder  # absolute: its files are hashed while Chroma is imported from another current folder
        self._dimension, self._batch = dimension, batch
        self._client: Any = None
        self._collection: Any = None
        self._postings: Postings | None = None
        self._number = 0
        self._revision: int | None = None  # of the library that the open generation was made from
        self._looked: tuple[int, dict[str, Any], _Marks] | None = (
            None  # what was just found whole: not hashed twice to open
        )

    def revision(self) -> int | None:
        """The library revision of the newest whole generation; None where there is none. One without words is not whole."""
        revision, counted = self._made()
        return revision if counted else None

    def older(self) -> int | None:
        """The same of a generation without words, as an older program made it: its vectors can be asked."""
        revision, counted = self._made()
        return None if counted else revision

    def _made(self) -> tuple[int | None, bool]:
        found = self._newest()
        self._looked = (*found, _marks(self._folder / f"gen-{found[0]}")) if found else None
        if found is None:
            return None, False
        return found[1]["revision"], any(
            name.startswith(f"{_WORDS}/") for name in found[1]["files"]
        )

    def current(self) -> int | None:
        """The same, but the generation that is open is not read again while no newer one is there. A newer one is opened next."""
        newest = max(self._manifests(), default=0)
        if self._collection is None or self._number != newest:
            self.close()
            if not newest:
                return None
            with ThreadPoolExecutor(1) as beside:  # Chroma is imported while the files are hashed
                waiting = beside.submit(self.revision)
                _library(self._folder)
            return waiting.result()
        return self._revision if self._postings else None

    def near(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Ids of the nearest chunks, nearest first, with their cosine. `vector` has shape (dimension,).

        Raises `LibraryBroken` where the index cannot be used: make it again (`renew`) and ask once more.
        """
        import numpy as np

        if vector.shape != (self._dimension,) or not np.isfinite(vector).all():
            raise ValueError(
                f"a query vector has {self._dimension} finite numbers, this has shape {vector.shape}"
            )
        with self._opened() as collection:
            found = collection.query(
                query_embeddings=[vector], n_results=limit, include=["distances"]
            )
        return [
            (name, 1.0 - float(d))
            for name, d in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def words(self) -> tuple[Postings, int] | None:
        """The postings of the generation that is open, or of the newest whole one, and the library revision they are of.

        None where that generation was made without. Raises `LibraryBroken` where there is none.
        """
        with self._opened():
            pass
        return (
            (self._postings, self._revision)
            if self._postings and self._revision is not None
            else None
        )

    def holds(self) -> set[str]:
        """The ids of all chunks in the newest whole generation, as Chroma tells them. Raises `LibraryBroken`."""
        with self._opened() as collection:
            return set(collection.get(include=[])["ids"])

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The collection. Raises `LibraryBroken` for whatever is raised in opening and reading it."""
        try:
            if self._collection is None:
                self._open()
            yield self._collection
        except RagError:
            raise
        except Exception as error:  # Chroma raises its Rust errors as bare exceptions
            self.close()
            raise LibraryBroken(
                f"the index in {self._folder} cannot be read: {error}", "run: footnote rebuild"
            ) from error

    def sweep(self) -> list[str]:
        """Remove what no reader would open: torsos, and what a killed writer left beside. Their names. Only for the writer."""
        found = self._newest()
        keep = {
            n
            for n in self._numbers()
            if (self._folder / f"gen-{n}.json").exists() and found and n <= found[0]
        }
        gone = [f"gen-{number}" for number in sorted(set(self._numbers()) - keep)]
        self._sweep(keep)
        for beside in self._folder.glob(".gen-*.tmp"):
            beside.unlink(missing_ok=True)
            gone.append(beside.name)
        return gone

    def renew(
        self, ids: set[str], fetch: Fetch, texts: TextSource, revision: int, scratch: bool = False
    ) -> Iterator[Indexing]:
        """Make the next generation hold exactly `ids`, taking vectors from `fetch` and words from `texts`, and tell how far it is.

        With `scratch`, nothing of the last generation is used. Only the writer may call this.
        """
        self.close()
        if os.path.lexists(self._folder) and not self._folder.is_dir():
            raise RagError(
                f"{self._folder} is a file, not a folder",
                f"move it away: mv {self._folder} {self._folder}.old, then: footnote rebuild",
            )
        permissions.make_folder(self._folder)
        whole = self._newest()
        last = None if scratch else whole
        number = max([*self._numbers(), 0]) + 1
        path = self._folder / f"gen-{number}"
        self._sweep(keep={whole[0]} if whole else set())  # it answers until the next one is there
        try:
            # Chroma rewrites the files of an emptied index whenever it is opened: that one is begun anew
            if last and ids:
                _copy(self._folder / f"gen-{last[0]}", path)
            yield from self._fill(path, ids, fetch)
            yield from _count(path / _WORDS, ids, texts)
            permissions.tighten(path)
            _sync(path)
        except (OSError, MemoryError):
            shutil.rmtree(path, ignore_errors=True)
            raise
        except Exception as error:
            shutil.rmtree(path, ignore_errors=True)
            if last is None:
                raise LibraryBroken(
                    f"the index in {self._folder} cannot be made: {error}; {describe_free_space(self._folder.parent)}; the documents are in",
                    "make room on that disk where it is full, then: footnote rebuild",
                ) from error
            yield from self.renew(ids, fetch, texts, revision, scratch=True)
            return
        manifest = {"revision": revision, "count": len(ids), "files": _hashes(path)}
        replace_file(self._folder / f"gen-{number}.json", json.dumps(manifest))
        self._sweep(keep={number, last[0]} if last else {number})

    def _fill(self, path: Path, ids: set[str], fetch: Fetch) -> Iterator[Indexing]:
        with _chroma(path) as client:
            collection = client.get_or_create_collection(
                _NAME, embedding_function=None, configuration={"hnsw": _HNSW}
            )
            have = set(collection.get(include=[])["ids"])
            gone = sorted(have - ids)
            for at in range(0, len(gone), self._batch):
                collection.delete(ids=gone[at : at + self._batch])
            new = sorted(ids - have)
            parts, threshold = _parts(new, self._batch)
            if threshold > 1:
                collection.modify(configuration={"hnsw": {_THRESHOLD: threshold}})
        with _chroma(path) as client:  # the threshold holds from the next opening on
            collection = client.get_collection(_NAME, embedding_function=None)
            done = 0
            for part in parts:
                collection.upsert(ids=part, embeddings=fetch(part))
                done += len(part)
                yield Indexing(done, len(new))
            if threshold > 1:
                collection.modify(configuration={"hnsw": {_THRESHOLD: 1}})
            if collection.count() != len(ids):
                raise LibraryBroken(f"the index holds {collection.count()} of {len(ids)} passages")

    def _open(self) -> None:
        looked, self._looked = self._looked, None
        if looked and looked[2] == _marks(self._folder / f"gen-{looked[0]}"):
            found: tuple[int, dict[str, Any]] | None = looked[:2]
        else:
            found = self._newest()
        if found is None:
            raise LibraryBroken(
                f"there is no whole index in {self._folder}", "run: footnote rebuild"
            )
        self._number, self._revision = found[0], found[1]["revision"]
        self._chroma = _chroma(self._folder / f"gen-{found[0]}")
        self._client = self._chroma.__enter__()
        self._collection = self._client.get_collection(_NAME, embedding_function=None)
        self._postings = read_postings(self._folder / f"gen-{found[0]}" / _WORDS)

    def close(self) -> None:
        """Let go of the files. The next `near` opens the newest generation."""
        if self._client is not None:
            with suppress(Exception):
                self._chroma.__exit__(None, None, None)
        self._client = self._collection = self._looked = self._postings = None

    def _numbers(self) -> list[int]:
        """Of all generations, whole or not."""
        return [int(found[1]) for name in self._names() if (found := _GENERATION.fullmatch(name))]

    def _manifests(self) -> list[int]:
        found = (_GENERATION.fullmatch(name) for name in self._names())
        return [int(name[1]) for name in found if name and name[2]]

    def _names(self) -> list[str]:
        """What is in the folder.

        Raises `RagError` where a missing right keeps it from being read.
        """
        try:
            return os.listdir(self._folder)
        except OSError as error:
            if error.errno not in _UNREAD:
                return []
            with disk_errors_named(self._folder):
                raise
        raise AssertionError("naming raises")

    def _newest(self) -> tuple[int, dict[str, Any]] | None:
        """The newest whole generation.

        Raises `RagError` where a missing right keeps one from being read: it may be whole.
        """
        for number in sorted(set(self._numbers()), reverse=True):
            try:
                manifest = json.loads(
                    (self._folder / f"gen-{number}.json").read_text(encoding="utf-8")
                )
                revision = manifest["revision"]
                if isinstance(revision, int) and manifest["files"] == _hashes(
                    self._folder / f"gen-{number}"
                ):
                    return number, manifest
            except OSError as error:
                if error.errno in _UNREAD:
                    with disk_errors_named(self._folder):
                        raise
            except (ValueError, LookupError, TypeError, RecursionError):
                continue
        return None

    def _sweep(self, keep: set[int]) -> None:
        for number in set(self._numbers()) - keep:
            for path in (self._folder / f"gen-{number}.json", self._folder / f"gen-{number}"):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def _copy(old: Path, new: Path) -> None:
    """A generation as it is. Chroma's database goes through SQLite: a reader that opens it writes to it, and to a journal beside it."""
    shutil.copytree(old, new, ignore=shutil.ignore_patterns(f"{_UNHASHED}*"))
    with (
        closing(sqlite3.connect(old / _UNHASHED)) as source,
        closing(sqlite3.connect(new / _UNHASHED)) as made,
    ):
        source.backup(made)


def _parts(new: Sequence[str], batch: int) -> tuple[list[Sequence[str]], int]:
    """What is put in at once, and after how many rows Chroma writes its files; the last part makes up that number again."""
    times = min(-(-len(new) // batch), _SYNCS)
    parts = [part for some in _even(new, times) for part in _even(some, -(-len(some) // batch))]
    return parts, len(new) // times if len(parts) > times else 1


def _even(rows: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    """So many parts of the same length, but for one row."""
    return (rows[len(rows) * at // count : len(rows) * (at + 1) // count] for at in range(count))


def _count(folder: Path, ids: set[str], texts: TextSource) -> Iterator[Indexing]:
    """The postings in `folder`, made to be of exactly `ids`."""
    last = read_postings(folder)
    shutil.rmtree(folder, ignore_errors=True)
    made = yield from renew_postings(last, ids, texts)
    made.save(folder)


def _marks(path: Path) -> _Marks:
    """What changes when a file is written: its identity, size and times."""
    try:
        found = [
            (p, p.stat())
            for p in path.rglob("*")
            if p.is_file() and not p.name.startswith(_UNHASHED)
        ]
    except OSError:
        return {}
    return {str(p): (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in found}


def _hashes(path: Path) -> dict[str, str]:
    files = [p for p in path.rglob("*") if p.is_file()]
    if not any(p.name == _UNHASHED for p in files):
        raise FileNotFoundError(path / _UNHASHED)
    return {
        p.relative_to(path).as_posix(): sha256(p)
        for p in sorted(files)
        if not p.name.startswith(_UNHASHED)
    }


def _sync(path: Path) -> None:
    for file in [*path.rglob("*"), path, path.parent]:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _chroma(path: Path) -> Iterator[Any]:
    """A client on `path`, which nobody else in this process has open. No file or variable steers it."""
    permissions.make_folder(path)
    chromadb = _library(path)
    settings = chromadb.config.Settings(
        _env_file=None,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
        chroma_product_telemetry_impl="chromadb.telemetry.product.posthog.Posthog",
        chroma_otel_granularity="none",
        anonymized_telemetry=False,
        is_persistent=True,
        persist_directory=str(path),
    )
    client = chromadb.PersistentClient(path=str(path), settings=settings)
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close()


def _library(path: Path) -> Any:
    """chromadb, imported with a folder of ours as the current one: it reads ``.env`` there at import."""
    import sys

    if "chromadb" in sys.modules:
        return sys.modules["chromadb"]
    try:
        here: str | None = os.getcwd()
    except OSError:
        here = None
    os.chdir(path)
    try:
        import chromadb
        import chromadb.config
    finally:
        if here:
            os.chdir(here)
    return chromadb
