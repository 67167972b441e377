"""SQLite: documents, chunks, vectors, words (FTS5), files. The truth. How it is read is in `held`, conversations are in a file beside it (`history`).

Everything else can be made again from here: Chroma's folder without embedding anything, the words table without reading a
file. A document with all its chunks and vectors is written in one transaction; rows carry a checksum of their own, because
SQLite's page checks do not see a flipped bit inside a value. A chunk's text is not stored twice: it is the slice of its
document's text, so law 1 cannot be broken by an update. ``revision`` counts the commits that changed what can be
found; the index says which revision it was made from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk import permissions
from rag.disk.disk_errors import REPAIR, disk_errors_named, no_folder
from rag.domain import Chunk, Document
from rag.errors import LibraryBroken, LibraryMissing, Unreadable
from rag.library import table_check
from rag.library.boilerplate import BOILERPLATE_TABLES, RULE, BoilerplateTable
from rag.library.duplicates import DUPLICATE_TABLES, Duplicates
from rag.library.files import KnownFile, Place
from rag.library.fulltext import FullText
from rag.library.history import History, create_history
from rag.library.integrity import Integrity
from rag.library.reading import Documents
from rag.library.schema import SCHEMA, checksum, spans_json
from rag.library.spelling import Spelling
from rag.library.upgrade import split_members
from rag.text.copies import WordText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: what a library of each older format lacks; 0 is one that is being made. An upgrade adds tables, moves conversations
#: to their own file and splits the keys of files in two (`upgrade`), in one transaction
TABLES_SINCE = {
    0: table_check.ALL,
    1: DUPLICATE_TABLES + BOILERPLATE_TABLES,
    2: "",
    3: "",
}


Cure = Callable[[str, str], str]
_ADD = "run: footnote add FOLDER"
_ANEW = "the library's file was gone or empty; a new one is begun: add again what else was in it. Conversations stay"


def _another(made: str, identity: str) -> str:
    return "use another --library and add the documents again"


class Library(Documents):
    """One open library. One writer at a time (the caller holds the lock), any number of readers."""

    def __init__(
        self, folder: Path, *, make: bool = False, identity: str = "", cure: Cure = _another
    ) -> None:
        """Open the library in `folder`; with `make`, create it. `identity` names embedder and chunker (`LibraryBroken`
        if it differs, with the `cure` for what the library was made with and what it is now)."""
        self.folder, self._cure = folder, cure
        self.anew = ""  # what is to be said where there was a library before
        path = folder / "library.db"
        with disk_errors_named(folder):
            self._looked_for(path, make)
        super().__init__(path, make=make)
        try:
            with disk_errors_named(folder):
                self._prepare(identity, make)
        except BaseException:
            self._db.close()
            raise
        self.words = FullText(self._db)
        self.twins, self.templates = Duplicates(self._db, self.writing), BoilerplateTable(self._db)
        self.lookup = Spelling(self._db)
        self.care = Integrity(
            self._db, self.document, lambda: self.history, self.twins, self.templates
        )
        self._fresh = 0  # chunks put in since the words were merged

    def _looked_for(self, path: Path, make: bool) -> None:
        """Raises where there is no library to open; with `make`, prepares the place of a new one."""
        if blocked := no_folder(self.folder):
            raise blocked
        if path.is_symlink() and not path.exists():
            raise LibraryMissing(
                f"{path} is a link to nothing",
                f"put back what it points to; or: rm {path}, then: footnote add FOLDER",
            )
        there = path.stat().st_size if path.exists() else None
        if there:
            return
        if make:
            permissions.make_folder(self.folder)
            self.anew = _ANEW if self._forget_index() else ""
        elif there == 0 and self._indexed():
            raise LibraryBroken(
                f"{path} is empty, but there is an index of what was in it",
                f"put it back from a copy; or begin it anew, conversations stay: {_ADD.removeprefix('run: ')}",
            )
        elif there is None:
            gone = self._indexed()
            what = (
                f"{path} is gone, but the index of it is there"
                if gone
                else f"there is no library in {self.folder}"
            )
            raise LibraryMissing(
                what, "put it back from a copy, or: footnote add FOLDER" if gone else _ADD
            )

    def _prepare(self, identity: str, make: bool) -> None:
        def version() -> int:
            return int(self._db.execute("PRAGMA user_version").fetchone()[0])

        if version() == 0:
            if table_check.ours(self._db):
                raise LibraryBroken(f"{self._path} does not say its format any more", REPAIR)
            if self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise LibraryBroken(f"{self._path} is the file of another program", REPAIR)
            if not make:  # a first `add` was killed before its first document
                raise LibraryMissing(f"the library in {self.folder} holds nothing yet", _ADD)
        while (before := version()) in TABLES_SINCE:
            with self.writing():
                if before == version():  # else another process was faster
                    for statement in TABLES_SINCE[before].split(";\n"):
                        self._db.execute(statement)
                    split_members(self._db)
                    self._move_turns()
                    if before == 0:
                        made = "INSERT INTO meta VALUES ('identity', ?), ('revision', '0'), ('template', ?)"
                        self._db.execute(made, (identity, RULE))
                    self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        if version() != SCHEMA:
            raise LibraryBroken(
                f"the library is of format {version()}, this program reads format {SCHEMA}",
                "use the version that made it, or another --library and add the documents again",
            )
        if said := table_check.missing_parts(self._db, indices=False):
            raise LibraryBroken(f"{self._path} is damaged: {'; '.join(said)}", REPAIR)
        made = self._meta("identity")
        if identity and not made:
            raise LibraryBroken(
                f"{self._path} does not say what its passages were embedded with", REPAIR
            )
        if identity and made == table_check.UNKNOWN:
            made = self._adopt(identity)
        if identity and made != identity:
            raise LibraryBroken(
                f"the library was made with {made!r}, this program embeds with {identity!r}",
                self._cure(made, identity),
            )

    def _adopt(self, identity: str) -> str:
        """Say what the library is made with from now on.

        Its vectors may be of another embedder: they count as damaged.
        """
        with self.writing():
            self._db.execute("UPDATE chunks SET checksum = x''")
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'identity'", (identity,))
        return identity

    def _move_turns(self) -> None:
        """Conversations into their own file. Inside the transaction that makes or upgrades the library."""
        columns = [row[1] for row in self._db.execute("PRAGMA table_info(turns)")]
        mark = "checksum" if "checksum" in columns else "NULL"  # the oldest have none
        select = f"SELECT number, conversation, asked, question, answer, {mark} FROM turns"  # noqa: S608
        try:
            create_history(self.folder, self._db.execute(select) if columns else ())
        except LibraryBroken:
            if columns:
                raise  # else what is damaged is of an earlier library, and is said when conversations are asked for
        self._db.execute("DROP TABLE IF EXISTS turns")

    @cached_property
    def history(self) -> History:
        """The conversations, opened when they are asked for. Raises `LibraryBroken` where they are gone."""
        return History(self.folder)

    def _close_history(self) -> None:
        if "history" in self.__dict__:
            self.history.close()
            del self.history

    def _indexed(self) -> bool:
        return any(self.folder.glob("vectors/gen-*.json"))

    def _forget_index(self) -> bool:
        """The index of a library that is gone must not be taken for the new one's. Was there one?

        Without its manifest a generation is a torso, which the next writer removes.
        """
        found = [
            manifest for manifest in self.folder.glob("vectors/gen-*.json") if not manifest.is_dir()
        ]
        for manifest in found:
            manifest.unlink(missing_ok=True)
        return bool(found)

    def close(self) -> None:
        """Let go of the files."""
        self._close_history()
        super().close()

    def merge_words(self) -> None:
        """Put the parts of the words table together, where most of it is new."""
        if 2 * self._fresh > self.counts()[1]:
            with self.writing():
                self.words.merge()
        self._fresh = 0

    def remake_words(self) -> None:
        """The table of words again from the texts."""
        with self.writing():
            self.care.remake_words()

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    @property
    def revision(self) -> int:
        """Grows with every commit that changes what can be found."""
        found = self._meta("revision")
        if not table_check.is_revision(found):
            raise LibraryBroken(f"{self._path} is damaged: its revision is {found!r}", REPAIR)
        return int(found)

    def _revise(self) -> None:
        self._db.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'"
        )

    def put(
        self,
        items: Sequence[
            tuple[KnownFile, Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]
        ],
        anew: bool = False,
    ) -> None:
        """Whole documents in one transaction: file, text, chunks, vectors (rows of chunks), keys of what was embedded.

        A file that was known with another text loses that one in the same transaction. With `anew`, rows of the very
        document that are there already are written again: they are damaged. Raises `Unreadable`, with
        nothing written, where SQLite cannot hold one of the documents.
        """
        with self.writing():
            for item in items:
                try:
                    self._put(*item, anew)
                except (OverflowError, UnicodeError, sqlite3.DataError) as error:
                    raise Unreadable(
                        f"cannot be stored: {error}", "save it as plain text, or split it"
                    ) from error
            self._revise()

    def _put(
        self,
        file: KnownFile,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: NDArray[np.float32],
        keys: Sequence[bytes],
        anew: bool,
    ) -> None:
        if anew:
            self.care.drop(document.id)
            self._texts.pop(document.id, None)
        select = "SELECT document FROM files WHERE path = ? AND member = ?"
        before = self._db.execute(select, file.place).fetchone()
        self._put_document(document, chunks, vectors, keys)
        if anew and before and before[0] == document.id:
            return  # what is on record of the file stays, also why it could not be read of late
        self._db.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT(path, member) DO UPDATE SET "
            "source = excluded.source, document = excluded.document, size = excluded.size, mtime = excluded.mtime, "
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
        """Those of its chunks that are not there yet, with their words and labels."""
        have = {
            row[0]
            for row in self._db.execute("SELECT id FROM chunks WHERE document = ?", (document.id,))
        }
        fresh = []
        for chunk, vector, key in zip(chunks, vectors, keys, strict=True):
            if chunk.id in have:
                continue
            place = (chunk.span.start, chunk.span.end, chunk.heading, chunk.line, chunk.page)
            content = (chunk.id, document.id, *place, key, vector.tobytes())
            number = self._db.execute(
                "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*content, checksum(*content)),
            ).lastrowid
            self._db.execute(
                "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                (number, document.title, chunk.heading, chunk.text),
            )
            fresh.append(
                (int(number or 0), WordText(chunk.text, f"{document.title} {chunk.heading}"))
            )
        self._fresh += len(fresh)
        self.twins.put(fresh)

    def remask(
        self,
        items: Sequence[tuple[Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]],
    ) -> None:
        """Give documents that are in another mask, and the chunks that follow from it. One transaction."""
        with self.writing():
            for document, chunks, vectors, keys in items:
                row = (
                    document.id,
                    document.title,
                    document.date,
                    document.text,
                    spans_json(document),
                )
                self._db.execute(
                    "UPDATE documents SET spans = ?, checksum = ? WHERE id = ?",
                    (row[4], checksum(*row), document.id),
                )
                self._drop_chunks(document, {chunk.id for chunk in chunks})
                self._put_chunks(document, chunks, vectors, keys)
                self.templates.put(document)
            self._revise()
        self._texts.clear()

    def move(
        self, files: Iterable[tuple[KnownFile, str]], path: str, size: int, mtime: int
    ) -> None:
        """All that is known of one file lies at `path` now; each row with its new source."""
        with self.writing():
            self._db.executemany(
                "UPDATE files SET path = ?, source = ?, size = ?, mtime = ? WHERE path = ? AND member = ?",
                [(path, source, size, mtime, *known.place) for known, source in files],
            )
            self._texts.clear()

    def remove(self, places: Iterable[Place], roots: Iterable[str] = ()) -> None:
        """Forget files; a document that no file holds any more goes with its chunks and words."""
        with self.writing():
            for place in places:
                row = self._db.execute(
                    "DELETE FROM files WHERE path = ? AND member = ? RETURNING document", place
                ).fetchone()
                if row and row[0]:
                    self._drop_if_orphan(row[0])
            self._db.executemany("DELETE FROM roots WHERE path = ?", [(r,) for r in roots])
            self._revise()
        self._texts.clear()

    def is_orphan(self, document: str) -> bool:
        """Whether there is a document of that id, and no file is known for it."""
        row = self._db.execute("SELECT 1 FROM documents WHERE id = ?", (document,)).fetchone()
        return row is not None and not self.sources(document)

    def forget_orphan(self, document: str) -> bool:
        """Forget a document that no file is known for. Whether there was one of that id."""
        if not self.is_orphan(document):
            return False
        with self.writing():
            self._drop_if_orphan(document)
            self._revise()
        return True

    def _drop_if_orphan(self, document: str) -> None:
        if self._db.execute("SELECT 1 FROM files WHERE document = ?", (document,)).fetchone():
            return
        self.care.drop(document)
        self._texts.pop(document, None)

    def _drop_chunks(self, document: Document, keep: Collection[str]) -> None:
        gone = [row for row in self._many("document", [document.id]) if row[0] not in keep]
        for row in gone:
            self._hold(row)
            number = self._db.execute(
                "DELETE FROM chunks WHERE id = ? RETURNING number", (row[0],)
            ).fetchone()[0]
            self._db.execute(
                "INSERT INTO words(words, rowid, title, heading, text) VALUES ('delete', ?, ?, ?, ?)",
                (number, document.title, row[4], document.text[row[2] : row[3]]),
            )
            self.twins.drop([number])

    def damaged(self) -> list[str]:
        """Sources of documents with a row that fails its checksum: the whole library is read."""
        return self.care.sources(self.care.damage().documents)
