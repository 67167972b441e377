"""The library: one SQLite file with documents, chunks, vectors, words (FTS5) and known files.

This module writes; `reading` reads, and `history` keeps conversations in a second file. Everything
else can be made again from here: Chroma's folder without embedding, the table of words without
reading a file. A document is written in one transaction with all its chunks and vectors. Each row
has its own checksum, because SQLite's page checks do not detect a flipped bit inside a value. The
text of a chunk is not stored: it is a slice of its document's text, so the two cannot disagree.
``revision`` counts the commits that change what a search can find; the index names the revision
that it was made from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk.disk_errors import REPAIR, disk_errors_named
from rag.domain import Chunk, Document
from rag.errors import LibraryBroken, Unreadable
from rag.library import table_check
from rag.library.boilerplate import BoilerplateTable
from rag.library.duplicates import Duplicates
from rag.library.files import KnownFile, Place
from rag.library.fulltext import FullText
from rag.library.history import History
from rag.library.integrity import Integrity
from rag.library.opening import (
    Cure,
    check_folder,
    check_identity,
    prepare_tables,
    suggest_another_library,
)
from rag.library.reading import Documents
from rag.library.schema import checksum, spans_json
from rag.library.spelling import Spelling
from rag.text.copies import WordText
from rag.text.view import view_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: a document, its chunks, their vectors (float32, one row a chunk) and their embedding keys
    Embedded = tuple[Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]
    #: the same with its file
    NewDocument = tuple[KnownFile, Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]


class Library(Documents):
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
        self.folder = folder
        path = folder / "library.db"
        with disk_errors_named(folder):
            #: what the user has to know if a lost library was replaced by a new one, else ""
            self.notice = check_folder(folder, path, make)
        super().__init__(path, make=make)
        try:
            with disk_errors_named(folder):
                prepare_tables(self, folder, identity, make)
                check_identity(self, self._meta("identity"), identity, cure)
        except BaseException:
            self._db.close()
            raise
        self.words = FullText(self._db)
        self.twins, self.templates = Duplicates(self._db, self.writing), BoilerplateTable(self._db)
        self.lookup = Spelling(self._db)
        self.care = Integrity(
            self._db,
            self.document,
            lambda: self.history,
            self.words,
            self.twins,
            self.templates,
        )
        self._unmerged = 0  # chunks stored since the parts of the words table were merged

    @cached_property
    def history(self) -> History:
        """The conversations, opened at first use. Raises `LibraryBroken` if the file is gone."""
        return History(self.folder)

    def _close_history(self) -> None:
        if "history" in self.__dict__:
            self.history.close()
            del self.history

    def close(self) -> None:
        """Close the files."""
        self._close_history()
        super().close()

    def merge_words(self) -> None:
        """Merge the parts of the words table if more than half of the chunks are new."""
        if 2 * self._unmerged > self.counts()[1]:
            with self.writing():
                self.words.merge()
        self._unmerged = 0

    def remake_words(self) -> None:
        """Make the table of words again from the texts of the documents."""
        with self.writing():
            self.care.remake_words()

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    @property
    def revision(self) -> int:
        """A number that grows with every commit that changes what a search can find."""
        revision = self._meta("revision")
        if not table_check.is_revision(revision):
            raise LibraryBroken(f"{self._path} is damaged: its revision is {revision!r}", REPAIR)
        return int(revision)

    def _increase_revision(self) -> None:
        self._db.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'"
        )

    def put(self, items: Sequence[NewDocument], anew: bool = False) -> None:
        """Store whole documents in one transaction.

        A document that the file had before is dropped if no other file has it. With `anew`, damaged
        rows of the same document are written again. Raises `Unreadable`, with nothing written, if
        SQLite cannot store one of the documents.
        """
        with self.writing():
            for file, document, chunks, vectors, keys in items:
                try:
                    self._put(file, (document, chunks, vectors, keys), anew)
                except (OverflowError, UnicodeError, sqlite3.DataError) as error:
                    raise Unreadable(
                        f"cannot be stored: {error}", "save it as plain text, or split it"
                    ) from error
            self._increase_revision()

    def _put(self, file: KnownFile, embedded: Embedded, anew: bool) -> None:
        document = embedded[0]
        if anew:
            self.care.drop(document.id)
            self._texts.pop(document.id, None)
        select = "SELECT document FROM files WHERE path = ? AND member = ?"
        before = self._db.execute(select, file.place).fetchone()
        self._put_document(*embedded)
        if anew and before and before[0] == document.id:
            return  # the record of the file stays, also the reason of its last failure
        self._db.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL) "
            "ON CONFLICT(path, member) DO UPDATE SET source = excluded.source, "
            "document = excluded.document, size = excluded.size, mtime = excluded.mtime, "
            "sha256 = excluded.sha256, reason = NULL, cure = NULL",
            (*file.place, file.source, document.id, file.size, file.mtime, file.sha256),
        )
        if before and before[0] and before[0] != document.id:
            self._drop_if_orphan(before[0])

    def _put_document(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: NDArray[np.float32],
        keys: Sequence[bytes],
    ) -> None:
        if self._db.execute("SELECT 1 FROM documents WHERE id = ?", (document.id,)).fetchone():
            return
        row = (document.id, document.title, document.date, document.text, spans_json(document))
        self._db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))
        self._put_chunks(document, chunks, vectors, keys)
        self.templates.put(document)

    def _put_chunks(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: NDArray[np.float32],
        keys: Sequence[bytes],
    ) -> None:
        """Store the chunks that are not in the library yet, with their words and labels."""
        stored_ids = {
            row[0]
            for row in self._db.execute("SELECT id FROM chunks WHERE document = ?", (document.id,))
        }
        new_chunks = []
        for chunk, vector, key in zip(chunks, vectors, keys, strict=True):
            if chunk.id in stored_ids:
                continue
            place = (chunk.span.start, chunk.span.end, chunk.heading, chunk.line, chunk.page)
            content = (chunk.id, document.id, *place, key, vector.tobytes())
            number = self._db.execute(
                "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*content, checksum(*content)),
            ).lastrowid
            number = int(number or 0)
            self.words.add(number, document.title, chunk.heading, view_of(chunk).text)
            new_chunks.append((number, WordText(chunk.text, f"{document.title} {chunk.heading}")))
        self._unmerged += len(new_chunks)
        self.twins.put(new_chunks)

    def remask(self, items: Sequence[Embedded]) -> None:
        """Replace the masks and chunks of stored documents, in one transaction."""
        with self.writing():
            for document, chunks, vectors, keys in items:
                spans = spans_json(document)
                row = (document.id, document.title, document.date, document.text, spans)
                self._db.execute(
                    "UPDATE documents SET spans = ?, checksum = ? WHERE id = ?",
                    (spans, checksum(*row), document.id),
                )
                self._drop_chunks(document, {chunk.id for chunk in chunks})
                self._put_chunks(document, chunks, vectors, keys)
                self.templates.put(document)
            self._increase_revision()
        self._texts.clear()

    def move(
        self, files: Iterable[tuple[KnownFile, str]], path: str, size: int, mtime: int
    ) -> None:
        """Record that a file lies at `path` now: `files` are its rows, each with its new source.

        `size` in bytes, `mtime` in ns.
        """
        with self.writing():
            self._db.executemany(
                "UPDATE files SET path = ?, source = ?, size = ?, mtime = ? "
                "WHERE path = ? AND member = ?",
                [(path, source, size, mtime, *known.place) for known, source in files],
            )
            self._texts.clear()

    def remove(self, places: Iterable[Place], roots: Iterable[str] = ()) -> None:
        """Forget files and roots, and the documents that no other file has."""
        with self.writing():
            for place in places:
                row = self._db.execute(
                    "DELETE FROM files WHERE path = ? AND member = ? RETURNING document", place
                ).fetchone()
                if row and row[0]:
                    self._drop_if_orphan(row[0])
            self._db.executemany("DELETE FROM roots WHERE path = ?", [(root,) for root in roots])
            self._increase_revision()
        self._texts.clear()

    def is_orphan(self, document: str) -> bool:
        """Whether the library has a document of this id and knows no file for it."""
        row = self._db.execute("SELECT 1 FROM documents WHERE id = ?", (document,)).fetchone()
        return row is not None and not self.sources(document)

    def forget_orphan(self, document: str) -> bool:
        """Forget the document of this id if it is an orphan; return whether it was."""
        if not self.is_orphan(document):
            return False
        with self.writing():
            self._drop_if_orphan(document)
            self._increase_revision()
        return True

    def _drop_if_orphan(self, document: str) -> None:
        if self._db.execute("SELECT 1 FROM files WHERE document = ?", (document,)).fetchone():
            return
        self.care.drop(document)
        self._texts.pop(document, None)

    def _drop_chunks(self, document: Document, keep: Collection[str]) -> None:
        """Drop the chunks of a document but those whose ids are in `keep`."""
        rows = [row for row in self._chunk_rows("document", [document.id]) if row[0] not in keep]
        for row in rows:
            self._check_row(row)
            number = self._db.execute(
                "DELETE FROM chunks WHERE id = ? RETURNING number", (row[0],)
            ).fetchone()[0]
            text = document.text[row[2] : row[3]]
            self.words.remove(number, document.title, row[4], text)
            self.twins.drop([number])

    def damaged(self) -> list[str]:
        """Sources of documents with a row that fails its checksum. Reads the whole library."""
        return self.care.sources(self.care.damage().documents)
