"""THE FLOW of a document: folder -> load -> clean -> chunk -> embed -> library + vectors, yielding events.

Incremental by content: a file of the same size and time is not read again, one of the same bytes is not parsed again, a
text that is in already is not embedded again. Documents are embedded in windows of about a thousand chunks (batches of
equal length can be made of them) and written in one transaction a window, so a document is in whole or not at all;
`Added` comes after the commit. While a window is embedded, the next is read and cut and the one before is written (`aside`). What the pages of a folder have in common (`template`) is masked before a window is embedded,
and at the end in documents that were there before. The index is renewed once, at the end or after an error; who stops the work does not
wait for it, and the next question renews it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from rag.disk import paths as file_paths
from rag.domain import Chunk, Document, Embedder, RawDocument, RefusedPart
from rag.errors import RagError, Unreadable
from rag.events import Added, Event, Failed, Notice, Scanned
from rag.index.chroma import VectorIndex
from rag.ingest import clean as cleaning
from rag.ingest import load as loading
from rag.ingest.chunk import CountTokens, chunk_document
from rag.ingest.embed_ahead import EmbedAhead, EmbeddingJob, Rows
from rag.ingest.ingest_state import IngestState
from rag.library.files import KnownFile, Place
from rag.library.library import Library
from rag.text import boilerplate

_WINDOW_CHUNKS = 1024  # chunks embedded and written together
_FIRST_WINDOW_CHUNKS = (
    128  # the same at the beginning, twice as many each time: somebody waits to see that it goes on
)
_REMASK_DOCUMENTS = 64  # documents masked again together
_INVALID_NAME = "has a name that is not valid UTF-8", "rename it"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document that is cut and waits to be embedded."""

    file: KnownFile
    document: Document
    chunks: tuple[Chunk, ...]
    replaces: str | None  #: the document that this file was before
    keys: frozenset[int]  #: hashes of what may be a template of its folder

    @property
    def folder(self) -> str:
        return boilerplate.neighbourhood(*self.file.place)


class Ingest:
    """Takes documents in. `embedder` is opened when the first chunk needs it. Sizes in tokens as `count` counts them: `size`
    of a chunk, `prefix` of title and heading before it, `room` of both (0: not looked at). `note` is said first."""

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
        self._aside = EmbedAhead(library, embedder, count, prefix, room)
        self._begun: tuple[list[_Ready], EmbeddingJob, bool] | None = None

    def add(
        self, paths: Sequence[str], again: bool = False, forget: bool = False
    ) -> Iterator[Event]:
        """Take in files, folders and corpus files; forget what vanished from them. The last event is a `Report`.

        With `again`, a single file that was added before and is gone, while its folder is there, is forgotten
        too; a folder that is gone never is (a disk may just not be mounted). Where many documents vanished at
        once (`Tally.forget`), they are forgotten only with `forget`. Raises `Usage` for a blank path.
        """
        started = time.perf_counter()
        paths = [path if again else file_paths.absolute(path) for path in paths]
        if self._note:
            yield Notice(self._note)
        run = IngestState(self._library.files())
        files, roots = [], []
        for path in paths:
            try:
                files += _walked(path)
                roots.append(path)
            except Unreadable as error:
                if (
                    again
                    and path in run.of_file
                    and file_paths.gone(path)
                    and os.path.isdir(os.path.dirname(path))
                ):
                    roots.append(path)
                    continue
                run.closed.add(path)
                cure = (
                    f"put it back, or: footnote remove {path}"
                    if again and file_paths.gone(path)
                    else error.cure
                )
                yield run.refused(Failed(_shown(path), str(error), cure))
        files = list(
            {file.path: file for file in files}.values()
        )  # a file below two of the paths is one file
        self._library.remember_roots(roots)
        run.total = len(files)
        yield Scanned(len(files), sum(f.size for f in files))
        try:
            yield from self._take_in(files, run)
            if lost := run.forget(set(roots), unasked=not forget):
                self._library.remove([known.place for known in lost])
            yield from self._settle()
            self._library.merge_words()
        except Exception:
            self._end()
            with suppress(RagError, OSError):  # it is not to be hidden behind one of the index
                for _ in self.index():
                    pass
            raise
        finally:
            self._end()
        yield from self.index()
        yield run.report(time.perf_counter() - started)

    def sync(self, forget: bool = False) -> Iterator[Event]:
        """Everything that was added before, again."""
        yield from self.add(self._library.roots(), again=True, forget=forget)

    def restore(self, file: KnownFile, text: Document | None = None) -> bool:
        """Write a damaged document again: from its stored `text` where that is whole, else from the user's file.

        False where the file is not what was read then (its bytes differ, or it is gone): nothing is changed.
        """
        run, found = IngestState({}), []
        try:
            found = [text] if text else self._as_it_was(file)
            for document in found:
                ready = self._cut(replace(file, document=document.id), document, None)
                for _ in (*self._store([ready], run, anew=True), *self._finish(run)):
                    pass
        except (Unreadable, OSError):
            return False
        finally:
            self._end()
        return bool(found) and not run.failed

    def _end(self) -> None:
        """Let go of the processes and the thread that worked for a run."""
        loading.end_sandbox()
        self._aside.stop()
        self._begun = None

    def _as_it_was(self, file: KnownFile) -> list[Document]:
        """What the file held when it was added; nothing where it has changed since."""
        content = loading.read_bytes(file.path)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            return []
        raws = loading.load_file(
            loading.File(file.path, file.source, file.size, file.mtime), content
        )
        return [
            cleaning.clean_document(raw, file.source)
            for member, raw in _named(raws)
            if not isinstance(raw, RefusedPart) and member == file.member
        ]

    def index(self, scratch: bool = False) -> Iterator[Event]:
        """Make the index agree with the library, where it does not."""
        self._library.present()  # a folder that was removed is not made again by its index
        if scratch or self._vectors.revision() != self._library.revision:
            library = self._library
            yield from self._vectors.renew(
                library.ids(), library.vectors, library.texts, library.revision, scratch
            )

    def _take_in(self, files: Sequence[loading.File], run: IngestState) -> Iterator[Event]:
        window: list[_Ready] = []
        waiting, most = 0, min(_FIRST_WINDOW_CHUNKS, self._window)
        for file in files:
            for ready in self._guarded(file, run):
                if isinstance(ready, Failed):
                    yield ready
                    continue
                window.append(ready)
                waiting += len(ready.chunks)
                if waiting >= most:
                    yield from self._store(window, run)
                    window, waiting, most = [], 0, min(2 * most, self._window)
            run.done += 1
        yield from self._store(window, run)
        yield from self._finish(run)

    def _guarded(self, file: loading.File, run: IngestState) -> Iterator[_Ready | Failed]:
        """As `_prepare`. Any error of the file becomes a line of the report; errors of the library are raised."""
        if not _storable(
            file.path
        ):  # the name's bytes are no text: nothing could say which file is meant
            yield run.refused(Failed(_shown(file.source), *_INVALID_NAME))
            return
        with closing(self._prepare(file, run)) as work:
            while True:
                try:
                    ready = next(work)
                except StopIteration:
                    return
                except Exception as error:
                    if isinstance(error, sqlite3.Error | RagError) and not isinstance(
                        error, Unreadable
                    ):
                        raise
                    yield self._failed(file, error, run)
                    return
                yield ready

    def _prepare(
        self, file: loading.File, run: IngestState
    ) -> Generator[_Ready | Failed, None, None]:
        """The documents of a file that are not in yet, and what of it cannot be taken in."""
        if file.closed:
            run.closed.add(file.path)
            raise Unreadable(
                file.closed,
                "make it readable, then add it again; what was added from it before stays",
            )
        before = run.of_file.get(file.path, [])
        again = any(
            k.reason and (not k.sha256 or k.reason.startswith("is of a kind")) for k in before
        )  # it may go now
        same = (
            bool(before)
            and not again
            and all((k.size, k.mtime) == (file.size, file.mtime) for k in before)
        )
        loading.file_format(file.path)
        content = (
            None if same else loading.read_bytes(file.path)
        )  # read once: the text is of the bytes that are hashed
        digest = before[0].sha256 if content is None else hashlib.sha256(content).hexdigest()
        run.digests[file.path] = digest
        if before and not again and all(k.sha256 == digest for k in before):
            yield from self._same(file, before, same, run)
            return
        moved = [] if before else run.moves(run.origin(file.path, digest), file)
        if moved:
            self._library.move(moved, file.path, file.size, file.mtime)
            return
        yield from self._parts(file, content, digest, run)

    def _parts(
        self, file: loading.File, content: bytes | None, digest: str, run: IngestState
    ) -> Iterator[_Ready | Failed]:
        """The documents of a file that was read, and what in it cannot be taken in."""
        refused = list[tuple[KnownFile, str]]()
        try:
            for member, raw in _named(loading.load_file(file, content)):
                old = run.known.get((file.path, member))
                source = run.source(file, member)
                run.seen.add((file.path, member))
                known = KnownFile(
                    file.path, source, None, file.size, file.mtime, digest, None, member
                )
                if isinstance(raw, RefusedPart):
                    refused.append((replace(known, reason=raw.reason), raw.cure))
                    yield run.refused(Failed(source, raw.reason, raw.cure))
                    continue
                document = cleaning.clean_document(raw, source)
                yield self._cut(
                    replace(known, document=document.id), document, old.document if old else None
                )
        except Unreadable:
            self._library.refuse(refused)
            raise
        if refused:
            self._library.refuse(refused)

    def _cut(self, file: KnownFile, document: Document, replaces: str | None) -> _Ready:
        keys = frozenset(key for key, _ in boilerplate.line_hashes(document))
        return _Ready(
            file, document, tuple(chunk_document(document, self._size, self._count)), replaces, keys
        )

    def _same(
        self, file: loading.File, before: list[KnownFile], same: bool, run: IngestState
    ) -> Iterator[Failed]:
        """Unchanged bytes: nothing to do, but what failed is reported again."""
        if not same:
            self._library.touch(file.path, file.size, file.mtime)
        for known in before:
            run.seen.add(known.place)
            if known.reason:
                yield run.refused(
                    Failed(known.source, known.reason, "change the file, then add it again")
                )
            else:
                run.unchanged += 1

    def _store(self, window: list[_Ready], run: IngestState, anew: bool = False) -> Iterator[Event]:
        """Begin to embed whole documents, and write those that were begun before them."""
        window = self._judged(window)
        begun = yield from self._aside.begin([r.chunks for r in window])
        yield from self._finish(run)
        self._begun = window, begun, anew

    def _finish(self, run: IngestState) -> Iterator[Event]:
        """Write the documents that are being embedded, once they are."""
        if self._begun is None:
            return
        (window, begun, anew), self._begun = self._begun, None
        rows = begun.rows() if window else []
        failed = self._put(list(zip(window, rows, strict=True)), anew)
        for ready in window:
            if ready.file.place in failed:
                yield self._unstored(ready, failed[ready.file.place], run)
                continue
            if (
                ready.replaces == ready.document.id
            ):  # another member was changed, or the file could not be read of late
                run.unchanged += 1
                continue
            (run.changed if ready.replaces else run.added).append(ready.file.source)
            yield Added(ready.file.source, len(ready.chunks), run.done, run.total)

    def _put(self, items: list[tuple[_Ready, Rows]], anew: bool) -> dict[Place, Unreadable]:
        """Write documents in one transaction, or each in its own where one of them cannot be stored.

        Returns those that were not stored, with the reasons.
        """
        try:
            if items:
                self._library.put(
                    [(r.file, r.document, r.chunks, *rows) for r, rows in items], anew
                )
        except Unreadable as error:
            if len(items) == 1:
                return {items[0][0].file.place: error}
            failed = dict[Place, Unreadable]()
            for item in items:
                failed |= self._put([item], anew)
            return failed
        return {}

    def _unstored(self, ready: _Ready, error: Unreadable, run: IngestState) -> Failed:
        self._library.fail(ready.file, str(error), error.cure)
        return run.refused(Failed(ready.file.source, str(error), error.cure))

    def _judged(self, window: list[_Ready]) -> list[_Ready]:
        """The same documents, with what they have in common with those of their folders masked."""
        folders = [r.folder for r in window]
        out = list(window)
        before = self._begun[0] if self._begun else []
        for folder in set(folders):
            there = {name: a | b for name, (a, b) in self._library.templates.beside(folder).items()}
            there |= {r.document.id: set(r.keys) for r in before if r.folder == folder}
            places = [
                at
                for at, name in enumerate(folders)
                if name == folder and not window[at].document.lines
            ]
            found = boilerplate.recurring_hashes(
                list(
                    (
                        there | {window[at].document.id: set(window[at].keys) for at in places}
                    ).values()
                )
            )
            for at in places:
                document = boilerplate.mask_boilerplate(
                    window[at].document, found & window[at].keys
                )
                if document is not window[at].document:
                    chunks = tuple(chunk_document(document, self._size, self._count))
                    out[at] = replace(window[at], document=document, chunks=chunks)
        return out

    def _settle(self) -> Iterator[Event]:
        """Templates that only later documents showed are masked, and chunks without a label get one. Looks at every folder, so
        that what a stopped run left undone is done by the next."""
        while self._library.twins.catch_up():
            pass
        yield from self._unmask()
        for folder in sorted(
            {boilerplate.neighbourhood(*place) for place in self._library.files()}
        ):
            there = self._library.templates.beside(folder)
            found = boilerplate.recurring_hashes([a | b for a, b in there.values()])
            late = [name for name, (_, shown) in there.items() if shown & found]
            for at in range(0, len(late), _REMASK_DOCUMENTS):
                documents = list(self._whole(late[at : at + _REMASK_DOCUMENTS]))
                yield from self._remask(
                    [boilerplate.mask_boilerplate(document, found) for document in documents]
                )

    def _unmask(self) -> Iterator[Event]:
        """What an earlier version masked by a wider rule is text again, and what stays masked is noted."""
        templates = self._library.templates
        names = templates.outdated()
        for at in range(0, len(names), _REMASK_DOCUMENTS):
            before = list(self._whole(names[at : at + _REMASK_DOCUMENTS]))
            after = [
                boilerplate.unmasked(d, templates.stale(d), cleaning.find_boilerplate(d.text))
                for d in before
            ]
            pairs = list(zip(before, after, strict=True))
            yield from self._remask([new for old, new in pairs if new is not old])
            with self._library.writing():
                for document in (new for old, new in pairs if new is old):
                    templates.put(document)
        if names:
            with self._library.writing():
                templates.renewed()

    def _remask(self, documents: Sequence[Document]) -> Iterator[Event]:
        """Write documents with another mask."""
        if documents:
            chunks = [
                tuple(chunk_document(document, self._size, self._count)) for document in documents
            ]
            begun = yield from self._aside.begin(chunks)
            self._library.remask(
                [(d, c, *e) for d, c, e in zip(documents, chunks, begun.rows(), strict=True)]
            )

    def _whole(self, names: Sequence[str]) -> Iterator[Document]:
        """Those of the documents that are not damaged."""
        for name in names:
            with suppress(RagError):
                yield self._library.document(name)

    def _failed(self, file: loading.File, error: Exception, run: IngestState) -> Failed:
        """The file is on the report and on record with its reason. What is known of it stays."""
        foreseen = isinstance(error, Unreadable)
        reason, cure = (
            (loading.error_text(error), error.cure)
            if isinstance(error, Unreadable)
            else loading.unexpected_error(error)
        )
        source = run.source(file)
        run.seen |= {(file.path, ""), *(known.place for known in run.of_file.get(file.path, []))}
        digest = (
            run.digests.get(file.path, "") if foreseen else ""
        )  # none: it is tried again the next time
        self._library.fail(
            KnownFile(file.path, source, None, file.size, file.mtime, digest, None), reason, cure
        )
        return run.refused(Failed(source, reason, cure))


def _walked(root: str) -> list[loading.File]:
    """All files below a root. Raises `Unreadable`."""
    if not _storable(root):
        raise Unreadable(*_INVALID_NAME)
    return list(loading.walk_files(root))


def _named(
    parts: Iterable[RawDocument | RefusedPart],
) -> Iterator[tuple[str, RawDocument | RefusedPart]]:
    """The parts of a file, each under a name of its own: a second `x` is called `x (2)`."""
    taken = dict[str, int]()
    for part in parts:
        name = part.name
        while name in taken:
            taken[part.name] += 1
            name = f"{part.name} ({taken[part.name]})"
        taken[name] = 1
        yield name, part


def _storable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    """A path as text; bytes that are no UTF-8 are escaped."""
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace").decode()
