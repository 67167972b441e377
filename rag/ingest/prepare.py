"""Prepares the documents of a file: reads, parses, cleans and chunks them; records what fails."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from rag.disk.paths import is_storable, printable_path
from rag.domain import Chunk, Document, RawDocument, RefusedPart
from rag.errors import RagError, Unreadable
from rag.events import Failed
from rag.ingest import clean as cleaning
from rag.ingest import load as loading
from rag.ingest.ingest_state import IngestState
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.text import boilerplate
from rag.text.units import unit_order

#: end of the reason of a file whose reader was killed
_KILLED = "(signal 9)"
#: reason and cure
INVALID_NAME = "has a name that is not valid UTF-8", "rename it"

#: the chunks of a document
Chunker = Callable[[Document], tuple[Chunk, ...]]


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that is cut into chunks and waits to be embedded."""

    file: KnownFile
    document: Document
    chunks: tuple[Chunk, ...]
    replaces: str | None  #: id of the document that this file was before
    line_hashes: frozenset[int]  #: of lines that may be boilerplate of its folder

    @property
    def folder(self) -> str:
        """The folder, or site, whose documents may share boilerplate with this one."""
        return boilerplate.neighbourhood(*self.file.place)


def prepare_document(
    file: KnownFile, document: Document, replaces: str | None, chunker: Chunker
) -> PreparedDocument:
    """Cut a document into chunks. `replaces` is the id of the document that the file was before."""
    line_hashes = frozenset(key for key, _ in boilerplate.line_hashes(document))
    file = replace(file, document=document.id)
    return PreparedDocument(file, document, chunker(document), replaces, line_hashes)


def with_units(library: Library, document: Document) -> Document:
    """The stored document with the units that its undamaged chunks have."""
    units = dict.fromkeys(
        unit
        for row in library.documents.chunk_rows(document.id)
        if row.is_intact
        for unit in row.units_of(document)
    )
    return replace(document, units=tuple(sorted(units, key=unit_order)))


class Preparer:
    """Prepares the documents of the files of one run."""

    def __init__(self, library: Library, chunker: Chunker, run: IngestState) -> None:
        self._library, self._chunker, self._run = library, chunker, run

    def prepare(self, file: loading.File) -> Iterator[PreparedDocument | Failed]:
        """Yield the new documents of a file and the failures of its parts.

        Any error of the file becomes a failure. Errors of the library are raised.
        """
        if not is_storable(file.path):  # nothing stored could say which file is meant
            yield self._run.refused(Failed(printable_path(file.source), *INVALID_NAME))
            return
        with closing(self._prepare(file)) as parts:
            while True:
                try:
                    part = next(parts)
                except StopIteration:
                    return
                except Exception as error:
                    of_library = isinstance(error, sqlite3.Error | RagError)
                    if of_library and not isinstance(error, Unreadable):
                        raise
                    yield self._failed(file, error)
                    return
                yield part

    def _prepare(self, file: loading.File) -> Generator[PreparedDocument | Failed, None, None]:
        """Yield the new documents of a file. Raises any error of the file."""
        run = self._run
        if file.closed:
            run.closed.add(file.path)
            raise Unreadable(
                file.closed,
                "make it readable, then add it again; what was added from it before stays",
            )
        known_rows = run.of_file.get(file.path, [])
        retry = any(map(_may_succeed_now, known_rows))
        same_status = (
            bool(known_rows)
            and not retry
            and all((row.size, row.mtime) == (file.size, file.mtime) for row in known_rows)
        )
        loading.file_format(file.path)
        # read once, so that the text is that of the bytes that are hashed
        content = None if same_status else loading.read_bytes(file.path)
        digest = known_rows[0].sha256 if content is None else hashlib.sha256(content).hexdigest()
        run.digests[file.path] = digest
        if known_rows and not retry and all(row.sha256 == digest for row in known_rows):
            if not same_status:
                self._library.files.touch(file.path, file.size, file.mtime)
            yield from self._unchanged(known_rows)
            return
        moved = [] if known_rows else run.moves(run.origin(file.path, digest), file)
        if moved:
            self._library.move(moved, file.path, file.size, file.mtime)
            return
        yield from self._parse(file, content, digest)

    def _parse(
        self, file: loading.File, content: bytes | None, digest: str
    ) -> Iterator[PreparedDocument | Failed]:
        """Parse a file into prepared documents and refused parts."""
        run = self._run
        refused = list[tuple[KnownFile, str]]()
        try:
            for member, raw in with_unique_names(loading.load_file(file, content)):
                known = run.known.get((file.path, member))
                source = run.source(file, member)
                run.seen.add((file.path, member))
                row = KnownFile(
                    file.path, source, None, file.size, file.mtime, digest, None, member
                )
                if isinstance(raw, RefusedPart):
                    refused.append((replace(row, reason=raw.reason), raw.cure))
                    yield run.refused(Failed(source, raw.reason, raw.cure))
                    continue
                document = cleaning.clean_document(raw, source)
                replaces = known.document if known else None
                yield prepare_document(row, document, replaces, self._chunker)
        except Unreadable:
            self._library.files.refuse(refused)
            raise
        if refused:
            self._library.files.refuse(refused)

    def _unchanged(self, known_rows: list[KnownFile]) -> Iterator[Failed]:
        """Count the documents of an unchanged file; report again what failed before."""
        for row in known_rows:
            self._run.seen.add(row.place)
            if row.reason:
                cure = row.cure or "change the file, then add it again"
                yield self._run.refused(Failed(row.source, row.reason, cure))
            else:
                self._run.unchanged += 1

    def _failed(self, file: loading.File, error: Exception) -> Failed:
        """Record the reason why a file failed and report it. Its known documents stay.

        After an unexpected error no hash is stored, so that the next run tries the file again.
        """
        run = self._run
        if isinstance(error, Unreadable):
            reason, cure = loading.error_text(error), error.cure
            digest = run.digests.get(file.path, "")
        else:
            reason, cure = loading.unexpected_error(error)
            digest = ""
        source = run.source(file)
        run.seen |= {(file.path, ""), *(row.place for row in run.of_file.get(file.path, []))}
        row = KnownFile(file.path, source, None, file.size, file.mtime, digest, None)
        self._library.files.fail(row, reason, cure)
        return run.refused(Failed(source, reason, cure))


def _may_succeed_now(row: KnownFile) -> bool:
    """Did the row fail by an unexpected error, a killed reader, or a format unknown so far?"""
    reason = row.reason or ""
    killed = reason.endswith(_KILLED)  # by another process, or for want of memory
    return bool(reason) and (not row.sha256 or killed or reason.startswith("is of a kind"))


def with_unique_names(
    parts: Iterable[RawDocument | RefusedPart],
) -> Iterator[tuple[str, RawDocument | RefusedPart]]:
    """Yield each part of a file with a unique name: a second `x` is named `x (2)`."""
    taken = dict[str, int]()
    for part in parts:
        name = part.name
        while name in taken:
            taken[part.name] += 1
            name = f"{part.name} ({taken[part.name]})"
        taken[name] = 1
        yield name, part
