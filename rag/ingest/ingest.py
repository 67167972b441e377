"""Takes documents in: finds, loads, cleans, chunks and embeds them; writes library and index.

Incremental by content: a file of the same size and time is not read again, one of the same bytes is
not parsed again, a text that the library has is not embedded again. Documents are embedded in
windows of about a thousand chunks (`window`) and written in one transaction a window, so a document
is stored as a whole or not at all; `Added` comes after the commit. Boilerplate of a folder is
masked before a window is embedded, and at the end in documents that were there before (`remask`).
The index is renewed once, at the end or after an error. A user who stops the work does not wait for
that; the next question renews the index.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress

from rag.disk import paths as file_paths
from rag.disk.paths import is_storable, printable_path
from rag.domain import Chunk, Document, RefusedPart
from rag.errors import RagError, Unreadable
from rag.events import Event, Failed, Notice, Scanned
from rag.index.chroma import VectorIndex
from rag.index.index import renew_index
from rag.ingest import clean as cleaning
from rag.ingest import load as loading
from rag.ingest.chunk import CountTokens, chunk_document
from rag.ingest.embed_ahead import EmbedAhead
from rag.ingest.ingest_state import IngestState
from rag.ingest.prepare import (
    INVALID_NAME,
    PreparedDocument,
    Preparer,
    prepare_document,
    with_unique_names,
    with_units,
)
from rag.ingest.remask import Remasker
from rag.ingest.window import WindowWriter
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.protocols import Embedder

#: chunks that are embedded and written together
_WINDOW_CHUNKS = 1024
#: the same for the first window; each next one is twice as large, so that a user soon sees progress
_FIRST_WINDOW_CHUNKS = 128


class Ingest:
    """Takes documents into a library.

    `embedder` is opened when the first chunk needs it. Sizes are in tokens by `count`: `size` of a
    chunk, `prefix` of the title and heading before it, `room` of both together (0: not checked).
    `window` is in chunks. `note` is reported first.
    """

    def __init__(
        self,
        library: Library,
        vectors: VectorIndex,
        embedder: Callable[[], Embedder],
        count: CountTokens,
        size: int,
        prefix: int = 40,
        window: int = _WINDOW_CHUNKS,
        note: str = "",
        room: int = 0,
    ) -> None:
        self._library, self._vectors, self._count = library, vectors, count
        self._size, self._window, self._note = size, window, note
        self._embed_ahead = EmbedAhead(library, embedder, count, prefix, room)

    def add(
        self, paths: Sequence[str], again: bool = False, forget: bool = False
    ) -> Iterator[Event]:
        """Take in files, folders and corpus files; forget documents that vanished from them.

        The last event is a `Report`. With `again`, a single file that was added before and is gone,
        while its folder exists, is forgotten too; a folder that is gone never is (its disk may not
        be mounted). If many documents vanished at once (`IngestState.forget`), they are forgotten
        only with `forget`. Raises `Usage` for a blank path.
        """
        started = time.perf_counter()
        paths = list(dict.fromkeys(p if again else file_paths.absolute(p) for p in paths))
        if self._note:
            yield Notice(self._note)
        if self._library.chunked_by_earlier_version:
            yield Notice(
                "the other passages are of an earlier version, without the structure of tables "
                "and lists; to read their files again: footnote sync"
            )
        run = IngestState(self._library.files.by_place())
        files, roots = yield from self._find_files(paths, again, run)
        if not again:
            self._library.files.remember_roots(roots)
        run.total = len(files)
        yield Scanned(len(files), sum(file.size for file in files))
        try:
            yield from self._take_in(files, run)
            if lost := run.forget(set(roots), unasked=not forget):
                self._library.remove([known.place for known in lost])
            yield from run.behind_links(set(roots))
            yield from Remasker(self._library, self._embed_ahead, self._chunks).settle()
            self._library.fulltext.merge(self._library.documents.counts().chunks)
        except Exception:
            self._end()
            with suppress(RagError, OSError):  # an error of the index must not hide the first one
                for _ in renew_index(self._library, self._vectors):
                    pass
            raise
        finally:
            self._end()
        yield from renew_index(self._library, self._vectors)
        yield run.report(time.perf_counter() - started)

    def sync(self, forget: bool = False, roots: Sequence[str] = ()) -> Iterator[Event]:
        """Take in again everything that was added before, or what is under the added `roots` alone.

        If an earlier chunker made the passages, every file is read again.
        """
        added = self._library.files.roots()
        if self._library.chunked_by_earlier_version:
            roots = ()
            yield Notice("the passages are of an earlier version: every file is read again, once")
            self._library.read_files_again()
        chosen = [path for path in added if path in roots] if roots else added
        yield from self.add(chosen, again=True, forget=forget)

    def read_again(self, paths: Sequence[str]) -> Iterator[Event]:
        """Take in known files again, by their absolute paths; forget those that are gone."""
        yield from self.add(paths, again=True)

    def restore(self, file: KnownFile, text: Document | None = None) -> bool:
        """Write a damaged document again, from its stored `text` if given, else from its file.

        Returns False and changes nothing if the file is gone or its bytes have changed.
        """
        run = IngestState({})
        writer = WindowWriter(self._library, self._embed_ahead, self._chunks, run)
        documents: list[Document] = []
        try:
            documents = [with_units(self._library, text)] if text else self._read_unchanged(file)
            for document in documents:
                prepared = prepare_document(file, document, None, self._chunks)
                for _ in (*writer.store([prepared], anew=True), *writer.finish()):
                    pass
        except (Unreadable, OSError):
            return False
        finally:
            self._end()
        return bool(documents) and not run.failed

    def _find_files(
        self, paths: Sequence[str], again: bool, run: IngestState
    ) -> Generator[Event, None, tuple[list[loading.File], list[str]]]:
        """Return the files below the paths, each once, and the paths that could be read."""
        files: dict[str, loading.File] = {}
        roots: list[str] = []
        for path in paths:
            try:
                linked = list[str]()
                found = _walk(path, linked)
                files |= {file.path: file for file in found}
                roots.append(path)
                yield from run.linked(linked, path)
                if not (found or linked or again or path in run.of_file):
                    yield run.refused(Failed(printable_path(path), *_why_no_file(path)))
            except Unreadable as error:
                gone = again and file_paths.gone(path)
                if gone and path in run.of_file and os.path.isdir(os.path.dirname(path)):
                    roots.append(path)
                    continue
                run.closed.add(path)
                cure = f"put it back, or: footnote remove {path}" if gone else error.cure
                yield run.refused(Failed(printable_path(path), str(error), cure))
        return list(files.values()), roots

    def _take_in(self, files: Sequence[loading.File], run: IngestState) -> Iterator[Event]:
        """Prepare the documents of the files and write them window by window."""
        preparer = Preparer(self._library, self._chunks, run)
        writer = WindowWriter(self._library, self._embed_ahead, self._chunks, run)
        window: list[PreparedDocument] = []
        chunks_in_window, max_chunks = 0, min(_FIRST_WINDOW_CHUNKS, self._window)
        for file in files:
            for prepared in preparer.prepare(file):
                if isinstance(prepared, Failed):
                    yield prepared
                    continue
                window.append(prepared)
                chunks_in_window += len(prepared.chunks)
                if chunks_in_window >= max_chunks:
                    yield from writer.store(window)
                    window, chunks_in_window = [], 0
                    max_chunks = min(2 * max_chunks, self._window)
            run.done += 1
        yield from writer.store(window)
        yield from writer.finish()

    def _chunks(self, document: Document) -> tuple[Chunk, ...]:
        return tuple(chunk_document(document, self._size, self._count))

    def _read_unchanged(self, file: KnownFile) -> list[Document]:
        """Return the document of a file, or none if the file has changed since it was added."""
        content = loading.read_bytes(file.path)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            return []
        parts = loading.load_file(
            loading.File(file.path, file.source, file.size, file.mtime), content
        )
        return [
            cleaning.clean_document(raw, file.source)
            for member, raw in with_unique_names(parts)
            if not isinstance(raw, RefusedPart) and member == file.member
        ]

    def _end(self) -> None:
        """End the processes and the thread that worked for a run."""
        loading.end_sandbox()
        self._embed_ahead.stop()


def _why_no_file(folder: str) -> tuple[str, str]:
    """Return reason and cure for a folder below which there is no file to read."""
    with suppress(OSError), os.scandir(folder) as entries:
        if next(entries, None) is not None:
            skipped = "hidden files, links, empty folders and build outputs are passed over"
            return f"is a folder without a file to read: {skipped}", "add the files by their names"
    return "is an empty folder: there is nothing to add", "put documents into it, then add it again"


def _walk(root: str, linked: list[str]) -> list[loading.File]:
    """Return all files below a root, and add links to folders to `linked`. Raises `Unreadable`."""
    if not is_storable(root):
        raise Unreadable(*INVALID_NAME)
    return list(loading.walk_files(root, linked))
