"""The library: one SQLite file with documents, chunks, vectors, words (FTS5) and known files.

`Library` opens the file and hands it to one class a concern; it keeps for itself what spans several
of them, such as storing a document. `history` keeps conversations in a second file. Everything else
can be made again from here: Chroma's folder without embedding, the table of words without reading a
file. A document is written in one transaction with all its chunks and vectors. Each row has its own
checksum, because SQLite's page checks do not detect a flipped bit inside a value. The text of a
chunk is not stored: it is a slice of its document's text, so the two cannot disagree. ``revision``
counts the commits that change what a search can find; the index names the revision that it was made
from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk.disk_errors import REPAIR, disk_errors_named
from rag.domain import Chunk, Document
from rag.errors import LibraryBroken, RagError, Unreadable
from rag.library.boilerplate import BoilerplateTable
from rag.library.database import IDENTITY, REVISION, Database, Meta, is_revision
from rag.library.documents import Documents
from rag.library.duplicates import Duplicates
from rag.library.files import KnownFile, Place, SourceFiles
from rag.library.fulltext import FullText
from rag.library.history import History
from rag.library.names import Names
from rag.library.opening import (
    Cure,
    check_folder,
    check_identity,
    is_earlier_chunker,
    prepare_tables,
    suggest_another_library,
)
from rag.library.schema import ChunkRow
from rag.library.table_vectors import TableVectors
from rag.text.copies import WordText
from rag.text.units import view_of

#: chunks whose words are in memory to be compared with those of the library
_MAX_COMPARED = 512

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.library.integrity import Integrity
    from rag.library.spelling import Spelling

    #: the vector of each chunk (float32), empty for one that is found by words alone
    Vectors = Iterable[NDArray[np.float32]]
    #: a document, its chunks, their vectors and their embedding keys (empty without a vector)
    Embedded = tuple[Document, Sequence[Chunk], Vectors, Sequence[bytes]]
    #: the same with its file
    NewDocument = tuple[KnownFile, Document, Sequence[Chunk], Vectors, Sequence[bytes]]


class Library:
    """One open library. One writer at a time (the caller has the lock), any number of readers."""

    def __init__(
        self,
        folder: Path,
        *,
        make: bool = False,
        identity: str = "",
        cure: Cure = suggest_another_library,
    ) -> None:
        """Open the library in `folder`; create it if `make`.

        `identity` names the embedder and the chunker. If the library was made with others,
        `LibraryBroken` is raised with the advice of `cure`.
        """
        self.folder, self._identity = folder, identity
        path = folder / "library.db"
        with disk_errors_named(folder):
            #: what the user has to know if a lost library was replaced by a new one, else ""
            self.notice = check_folder(folder, path, make)
        self.database = database = Database(path, make=make)
        self._meta = Meta(database)
        try:
            with disk_errors_named(folder):
                prepare_tables(database, folder, identity, make)
                check_identity(database, self._meta.get(IDENTITY), identity, cure)
        except BaseException:
            database.close()
            raise
        self.files = SourceFiles(database)
        self.names = Names(database, self.files)
        self.documents = Documents(database, self.files, self.names)
        self.fulltext, self.table_vectors = FullText(database), TableVectors(database)
        self.duplicates, self.boilerplate = Duplicates(database), BoilerplateTable(database)

    @cached_property
    def spelling(self) -> Spelling:
        """The vocabulary, for a word that no text has."""
        from rag.library.spelling import Spelling

        return Spelling(self.database)

    @cached_property
    def integrity(self) -> Integrity:
        """The check of the rows and the removal of damaged ones."""
        from rag.library.integrity import Integrity

        return Integrity(
            self.database,
            self.documents,
            self.files,
            self.duplicates,
            self.boilerplate,
            lambda: self.history,
        )

    @cached_property
    def history(self) -> History:
        """The conversations, opened at first use. Raises `LibraryBroken` if the file is gone."""
        return History(self.folder)

    def close(self) -> None:
        """Close the files."""
        if "history" in self.__dict__:
            self.history.close()
            del self.history
        self.database.close()

    @property
    def revision(self) -> int:
        """A number that grows with every commit that changes what a search can find."""
        revision = self._meta.get(REVISION)
        if not is_revision(revision):
            raise LibraryBroken(
                f"{self.database.path} is damaged: its revision is {revision!r}", REPAIR
            )
        return int(revision)

    @property
    def chunked_by_earlier_version(self) -> bool:
        """Whether the passages were made by an earlier chunker. They can be searched."""
        return is_earlier_chunker(self._meta.get(IDENTITY), self._identity)

    def read_files_again(self, paths: Iterable[str] | None = None) -> None:
        """Let the next run read every file again, or the `paths` alone, whatever size and time.

        A run that is stopped goes on with the files that it has not read.
        """
        with self.database.writing():
            self.files.forget_contents(paths)
            if paths is None:
                self._meta.put(IDENTITY, self._identity)

    # -- storing

    def put(self, items: Sequence[NewDocument], anew: bool = False) -> None:
        """Store whole documents in one transaction.

        A document that the file had before is dropped if no other file has it. With `anew`, damaged
        rows of the same document are written again. Raises `Unreadable`, with nothing written, if
        SQLite cannot store one of the documents.
        """
        with self.database.writing():
            for file, document, chunks, vectors, keys in items:
                try:
                    if not self.files.has_contents(file.place):
                        self.drop(document.id)  # its file is read again: the chunks are old
                    self._put(file, (document, chunks, vectors, keys), anew)
                except (OverflowError, UnicodeError, sqlite3.DataError) as error:
                    raise Unreadable(
                        f"cannot be stored: {error}", "save it as plain text, or split it"
                    ) from error
            self._meta.increase(REVISION)

    def _put(self, file: KnownFile, embedded: Embedded, anew: bool) -> None:
        document = embedded[0]
        if anew:
            self.drop(document.id)
        before = self.files.document_at(file.place)
        if not self.documents.has(document.id):
            self.documents.add(document)
            self._put_chunks(*embedded)
            self.boilerplate.put(document)
        if anew and before == document.id:
            return  # the record of the file stays, also the reason of its last failure
        self.files.put(file, document.id)
        if before and before != document.id:
            self._drop_if_orphan(before)

    def _put_chunks(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors,
        keys: Sequence[bytes],
    ) -> None:
        """Store the chunks that are not in the library yet, with their words and labels."""
        stored_ids = set(self.documents.chunk_ids_of(document.id))
        new_chunks = list[tuple[int, WordText]]()
        for chunk, vector, key in zip(chunks, vectors, keys, strict=True):
            if chunk.id in stored_ids:
                continue
            number = self.documents.add_chunk(chunk, vector, key)
            self.fulltext.add(number, document.title, chunk.heading, view_of(chunk).text)
            new_chunks.append((number, WordText(chunk.text, f"{document.title} {chunk.heading}")))
            if len(new_chunks) == _MAX_COMPARED:  # their words take a hundred times the text
                self.duplicates.put(new_chunks)
                new_chunks.clear()
        self.duplicates.put(new_chunks)

    def remask(self, items: Sequence[Embedded]) -> None:
        """Replace the masks and chunks of stored documents, in one transaction."""
        with self.database.writing():
            for document, chunks, vectors, keys in items:
                self.documents.remask(document)
                self._drop_chunks(document, {chunk.id for chunk in chunks})
                self._put_chunks(document, chunks, vectors, keys)
                self.boilerplate.put(document)
            self._meta.increase(REVISION)
        self.documents.forget_loaded()

    def _drop_chunks(self, document: Document, keep: Collection[str]) -> None:
        """Drop the chunks of a document but those whose ids are in `keep`."""
        rows = [row for row in self.documents.chunk_rows(document.id) if row.id not in keep]
        for row in rows:
            self.documents.check(row)
            self._remove_words(row, document)
        numbers = [row.number for row in rows]
        self.documents.delete_chunks(numbers)
        self.duplicates.drop(numbers)

    def _remove_words(self, row: ChunkRow, document: Document) -> None:
        self.fulltext.remove(row.number, document.title, row.heading, row.words_of(document))

    def move(
        self, files: Iterable[tuple[KnownFile, str]], path: str, size: int, mtime: int
    ) -> None:
        """Record that a file lies at `path` now: `files` are its rows, each with its new source.

        `size` in bytes, `mtime` in ns.
        """
        with self.database.writing():
            self.files.move(files, path, size, mtime)
            self.documents.forget_loaded()

    # -- removing

    def remove(self, places: Iterable[Place], roots: Iterable[str] = ()) -> None:
        """Forget files and roots, and the documents that no other file has."""
        with self.database.writing():
            for place in places:
                if document_id := self.files.forget(place):
                    self._drop_if_orphan(document_id)
            self.files.forget_roots(roots)
            self._meta.increase(REVISION)
        self.documents.forget_loaded()

    def is_orphan(self, document_id: str) -> bool:
        """Whether the library has a document of this id and knows no file for it."""
        return self.documents.has(document_id) and not self.files.sources(document_id)

    def forget_orphan(self, document_id: str) -> bool:
        """Forget the document of this id if it is an orphan; return whether it was."""
        if not self.is_orphan(document_id):
            return False
        with self.database.writing():
            self._drop_if_orphan(document_id)
            self._meta.increase(REVISION)
        return True

    def _drop_if_orphan(self, document_id: str) -> None:
        if not self.files.sources(document_id):
            self.drop(document_id)

    def drop(self, document_id: str) -> None:
        """Remove a document with its rows and words, damaged or not.

        Inside a transaction of the caller's.
        """
        rows = list(self.documents.chunk_rows(document_id))
        document = self._undamaged(document_id, rows)
        if document is not None:
            for row in rows:
                self._remove_words(row, document)
        self.documents.delete(document_id)
        self.duplicates.drop(row.number for row in rows)
        self.boilerplate.drop(document_id)
        if document is None:  # the words that were entered are unknown
            self.integrity.remake_words()

    def _undamaged(self, document_id: str, rows: Sequence[ChunkRow]) -> Document | None:
        """The document; None if it or one of the `rows` of its chunks is damaged or missing."""
        try:
            document = self.documents.load(document_id)
        except RagError:
            return None
        return document if all(row.is_intact for row in rows) else None
