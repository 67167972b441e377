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
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rag import clean as cleaning
from rag import load as loading
from rag import template
from rag.aside import Aside, Begun
from rag.chunk import Counter, chunk
from rag.domain import Chunk, Document, Embedder, Refused
from rag.errors import RagError, Unreadable
from rag.events import Added, Event, Failed, Noted, Report, Scanned
from rag.files import Known
from rag.library import Library
from rag.vectors import Vectors

_WINDOW = 1024  # chunks embedded and written together
_FIRST = 128  # the same at the beginning, twice as many each time: somebody waits to see that it goes on
_LATE = 64  # documents masked again together


@dataclass(slots=True)
class _Run:
    """What a run has found so far."""

    known: dict[str, Known]
    sources: set[str] = field(default_factory=set)
    of_file: dict[str, list[Known]] = field(default_factory=dict)  # by file; a corpus file holds many
    by_bytes: dict[str, list[Known]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # paths that are there
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    unchanged: int = 0
    digests: dict[str, str] = field(default_factory=dict)  # of the files that were read
    done: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        for known in self.known.values():
            self.sources.add(known.source)
            self.of_file.setdefault(known.path.split("#")[0], []).append(known)
            self.by_bytes.setdefault(known.sha256, []).append(known)

    def refused(self, failed: Failed) -> Failed:
        """Put it on the report."""
        self.failed.append(failed)
        return failed


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document that is cut and waits to be embedded."""

    file: Known
    document: Document
    chunks: tuple[Chunk, ...]
    replaces: bool


class Ingest:
    """Takes documents in. `embedder` is opened when the first chunk needs it. Sizes in tokens as `count` counts them: `size`
    of a chunk, `prefix` of title and heading before it, `room` of both (0: not looked at). `note` is said first."""

    def __init__(
        self,
        library: Library,
        vectors: Vectors,
        embedder: Callable[[], Embedder],
        count: Counter,
        size: int,
        prefix: int = 40,
        window: int = _WINDOW,
        note: str = "",
        room: int = 0,
    ) -> None:
        self._library, self._vectors, self._count = library, vectors, count
        self._size, self._window, self._note = size, window, note
        self._aside = Aside(library, embedder, count, prefix, room)
        self._begun: tuple[list[_Ready], Begun, bool] | None = None

    def add(self, paths: Sequence[str], again: bool = False) -> Iterator[Event]:
        """Take in files, folders and corpus files; forget what vanished from them. The last event is a `Report`.

        With `again`, a single file that was added before and is gone, while its folder is there, is forgotten too; a
        folder that is gone never is (a disk may just not be mounted).
        """
        started = time.perf_counter()
        if self._note:
            yield Noted(self._note)
        run = _Run(self._library.files())
        files, roots = [], []
        for path in paths:
            try:
                files += list(loading.walk(path))
                roots.append(os.path.abspath(path))
            except Unreadable as error:
                if again and path in run.of_file and os.path.isdir(os.path.dirname(path)):
                    roots.append(path)
                    continue
                run.failed.append(Failed(path, str(error), error.cure))
                yield run.failed[-1]
        files = list({file.path: file for file in files}.values())  # a file below two of the paths is one file
        self._library.remember_roots(roots)
        run.total = len(files)
        yield Scanned(len(files), sum(f.size for f in files))
        try:
            yield from self._take_in(files, run)
            self._forget(run, roots)
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
        yield self._report(run, time.perf_counter() - started)

    def sync(self) -> Iterator[Event]:
        """Everything that was added before, again."""
        yield from self.add(self._library.roots(), again=True)

    def restore(self, file: Known, text: Document | None = None) -> bool:
        """Write a damaged document again: from its stored `text` where that is whole, else from the user's file.

        False where the file is not what was read then (its bytes differ, or it is gone): nothing is changed.
        """
        run, found = _Run({}), []
        try:
            found = [text] if text else self._as_it_was(file)
            for document in found:
                known = replace(file, document=document.id)
                ready = _Ready(known, document, tuple(chunk(document, self._size, self._count)), True)
                for _ in (*self._store([ready], run, anew=True), *self._finish(run)):
                    pass
        except (Unreadable, OSError):
            return False
        finally:
            self._end()
        return bool(found)

    def _end(self) -> None:
        """Let go of the processes and the thread that worked for a run."""
        loading.dismiss()
        self._aside.stop()
        self._begun = None

    def _as_it_was(self, file: Known) -> list[Document]:
        """What the file held when it was added; nothing where it has changed since."""
        path, _, _ = file.path.partition("#") if not os.path.exists(file.path) else (file.path, "", "")
        content = loading.read_bytes(path)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            return []
        raws = loading.load(loading.File(path, file.source, file.size, file.mtime), content)
        return [
            cleaning.clean(raw, file.source)
            for raw in raws
            if not isinstance(raw, Refused) and (f"{path}#{raw.name}" if raw.name else path) == file.path
        ]

    def index(self, scratch: bool = False) -> Iterator[Event]:
        """Make the index agree with the library, where it does not."""
        self._library.present()  # a folder that was removed is not made again by its index
        if scratch or self._vectors.revision() != self._library.revision:
            library = self._library
            yield from self._vectors.renew(library.ids(), library.vectors, library.texts, library.revision, scratch)

    def _report(self, run: _Run, seconds: float) -> Report:
        return Report(
            tuple(run.added),
            run.unchanged,
            tuple(run.changed),
            tuple(run.moved),
            tuple(run.removed),
            tuple(run.failed),
            seconds,
        )

    def _take_in(self, files: Sequence[loading.File], run: _Run) -> Iterator[Event]:
        window: list[_Ready] = []
        waiting, most = 0, min(_FIRST, self._window)
        for file in files:
            try:
                file.path.encode()
            except UnicodeEncodeError:  # the name's bytes are no text: nothing could say which file is meant
                shown = os.fsencode(file.source).decode("utf-8", "backslashreplace")
                run.failed.append(Failed(shown, "has a name that is not valid UTF-8", "rename it"))
                yield run.failed[-1]
                continue
            try:
                for ready in self._prepare(file, run):
                    if isinstance(ready, Failed):
                        yield ready
                        continue
                    window.append(ready)
                    waiting += len(ready.chunks)
                    if waiting >= most:
                        yield from self._store(window, run)
                        window, waiting, most = [], 0, min(2 * most, self._window)
            except (Unreadable, OSError) as error:
                yield self._failed(file, error, run)
            run.done += 1
        yield from self._store(window, run)
        yield from self._finish(run)

    def _prepare(self, file: loading.File, run: _Run) -> Iterator[_Ready | Failed]:
        """The documents of a file that are not in yet, and what of it cannot be taken in."""
        before = run.of_file.get(file.path, [])
        again = any(k.reason and (not k.sha256 or k.reason.startswith("is of a kind")) for k in before)  # it may go now
        same = bool(before) and not again and all((k.size, k.mtime) == (file.size, file.mtime) for k in before)
        loading.kind(file.path)
        content = None if same else loading.read_bytes(file.path)  # read once: the text is of the bytes that are hashed
        digest = before[0].sha256 if content is None else hashlib.sha256(content).hexdigest()
        run.digests[file.path] = digest
        if before and not again and all(k.sha256 == digest for k in before):
            yield from self._same(file, before, same, run)
            return
        moved = None if before else self._origin(file, digest, run)
        if moved:
            source = self._name(file.source, file.path, run)
            self._library.move(moved.path, file.path, source, file.size, file.mtime)
            run.moved.append((moved.source, source))
            run.seen.update((file.path, moved.path))
            return
        for raw in loading.load(file, content):
            path = f"{file.path}#{raw.name}" if raw.name else file.path
            old = run.known.get(path)
            called = file.source + raw.name if raw.name.startswith("/") else raw.name or file.source
            source = old.source if old else self._name(called, path, run)
            run.seen.add(path)
            if isinstance(raw, Refused):
                known = Known(path, source, None, file.size, file.mtime, digest, raw.reason)
                self._library.fail(known, raw.reason, raw.cure)
                yield run.refused(Failed(source, raw.reason, raw.cure))
                continue
            document = cleaning.clean(raw, source)
            known = Known(path, source, document.id, file.size, file.mtime, digest, None)
            yield _Ready(
                known,
                document,
                tuple(chunk(document, self._size, self._count)),
                old is not None and old.document is not None,
            )

    def _same(self, file: loading.File, before: list[Known], same: bool, run: _Run) -> Iterator[Failed]:
        """Unchanged bytes: nothing to do, but what failed is reported again."""
        for known in before:
            run.seen.add(known.path)
            if not same:
                self._library.touch(known.path, file.size, file.mtime)
            if known.reason:
                yield run.refused(Failed(known.source, known.reason, "change the file, then add it again"))
            else:
                run.unchanged += 1

    def _origin(self, file: loading.File, digest: str, run: _Run) -> Known | None:
        """The known file with these bytes whose path is no longer there: this is where it went."""
        for known in run.by_bytes.get(digest, []):
            if known.document and "#" not in known.path and not os.path.lexists(known.path):
                return known
        return None

    def _name(self, source: str, path: str, run: _Run) -> str:
        """A source that no other file has: as many folders of the path in front as it takes."""
        folders = os.path.dirname(path.split("#")[0]).split(os.sep)
        name, depth = source, source.count("/") + 1
        while name in run.sources:
            front = folders[-depth] if depth <= len(folders) else str(len(run.sources))
            name, depth = f"{front}/{name}", depth + 1
        run.sources.add(name)
        return name

    def _store(self, window: list[_Ready], run: _Run, anew: bool = False) -> Iterator[Event]:
        """Begin to embed whole documents, and write those that were begun before them."""
        window = self._judged(window)
        begun = yield from self._aside.begin([r.chunks for r in window])
        yield from self._finish(run)
        self._begun = window, begun, anew

    def _finish(self, run: _Run) -> Iterator[Event]:
        """Write the documents that are being embedded, once they are."""
        if self._begun is None:
            return
        (window, begun, anew), self._begun = self._begun, None
        if window:
            items = zip(window, begun.rows(), strict=True)
            self._library.put([(r.file, r.document, r.chunks, *rows) for r, rows in items], anew)
        for ready in window:
            (run.changed if ready.replaces else run.added).append(ready.file.source)
            yield Added(ready.file.source, len(ready.chunks), run.done, run.total)

    def _judged(self, window: list[_Ready]) -> list[_Ready]:
        """The same documents, with what they have in common with those of their folders masked."""
        keys = [{key for key, _ in template.shingles(r.document)} for r in window]
        folders = [template.folder(r.file.path) for r in window]
        out = list(window)
        before = self._begun[0] if self._begun else []
        for folder in set(folders):
            there = {name: a | b for name, (a, b) in self._library.templates.beside(folder).items()}
            there |= {
                r.document.id: {key for key, _ in template.shingles(r.document)}
                for r in before
                if template.folder(r.file.path) == folder
            }
            places = [at for at, name in enumerate(folders) if name == folder and not window[at].document.lines]
            found = template.recurring(list((there | {window[at].document.id: keys[at] for at in places}).values()))
            for at in places:
                document = template.masked(window[at].document, found & keys[at])
                if document is not window[at].document:
                    chunks = tuple(chunk(document, self._size, self._count))
                    out[at] = replace(window[at], document=document, chunks=chunks)
        return out

    def _settle(self) -> Iterator[Event]:
        """Templates that only later documents showed are masked, and chunks without a label get one. Looks at every folder, so
        that what a stopped run left undone is done by the next."""
        while self._library.twins.catch_up():
            pass
        yield from self._unmask()
        for folder in sorted({template.folder(path) for path in self._library.files()}):
            there = self._library.templates.beside(folder)
            found = template.recurring([a | b for a, b in there.values()])
            late = [name for name, (_, shown) in there.items() if shown & found]
            for at in range(0, len(late), _LATE):
                documents = list(self._whole(late[at : at + _LATE]))
                yield from self._remask([template.masked(document, found) for document in documents])

    def _unmask(self) -> Iterator[Event]:
        """What an earlier version masked by a wider rule is text again, and what stays masked is noted."""
        templates = self._library.templates
        names = templates.outdated()
        for at in range(0, len(names), _LATE):
            before = list(self._whole(names[at : at + _LATE]))
            after = [template.unmasked(d, templates.stale(d), cleaning.furniture(d.text)) for d in before]
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
            chunks = [tuple(chunk(document, self._size, self._count)) for document in documents]
            begun = yield from self._aside.begin(chunks)
            self._library.remask([(d, c, *e) for d, c, e in zip(documents, chunks, begun.rows(), strict=True)])

    def _whole(self, names: Sequence[str]) -> Iterator[Document]:
        """Those of the documents that are not damaged."""
        for name in names:
            with suppress(RagError):
                yield self._library.document(name)

    def _failed(self, file: loading.File, error: Exception, run: _Run) -> Failed:
        cure = error.cure if isinstance(error, RagError) else "check the file and its permissions"
        reason = str(error) if isinstance(error, RagError) else (getattr(error, "strerror", None) or str(error))
        old = run.known.get(file.path)
        source = old.source if old else self._name(file.source, file.path, run)
        failed = Failed(source, reason, cure)
        run.failed.append(failed)
        run.seen.update({file.path} | {known.path for known in run.of_file.get(file.path, [])})
        digest = run.digests.get(file.path, "")  # none: it was not read, and is tried again the next time
        self._library.fail(Known(file.path, source, None, file.size, file.mtime, digest, reason), reason, cure)
        return failed

    def _forget(self, run: _Run, roots: Sequence[str]) -> None:
        """Files that were known under these roots and are not there any more."""
        under = tuple(root + os.sep for root in roots) + tuple(root + "#" for root in roots)
        gone = [
            known for path, known in run.known.items()
            if path not in run.seen and (path in roots or path.startswith(under))
        ]  # fmt: skip
        if gone:
            self._library.remove([k.path for k in gone])
            run.removed += [k.source for k in gone if k.document]
