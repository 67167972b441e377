"""SQLite: documents, chunks, vectors, words (FTS5), files, and by `history` conversations. The truth.

Everything else can be made again from here: Chroma's folder without embedding anything, the words table without reading a
file. A document with all its chunks and vectors is written in one transaction; rows carry a checksum of their own, because
SQLite's page checks do not see a flipped bit inside a value. A chunk's text is not stored twice: it is the slice of its
document's text, so law 1 cannot be broken by an update. ``revision`` counts the commits that changed what can be
found; the index says which revision it was made from.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domain import Chunk, Document, Listing, Span
from rag.errors import LibraryBroken, LibraryMissing, RagError, Usage
from rag.history import TABLES as HISTORY_TABLES
from rag.history import History
from rag.rows import SCHEMA, TABLES, checksum, places, spans
from rag.same import Text
from rag.template import TABLES as TEMPLATE_TABLES
from rag.template import Templates
from rag.twins import TABLES as TWINS_TABLES
from rag.twins import Twins

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: what a library of each older format lacks; 0 is one that is being made. An upgrade only adds tables, in one transaction
TABLES_SINCE = {
    0: TABLES + HISTORY_TABLES + TWINS_TABLES + TEMPLATE_TABLES,
    1: TWINS_TABLES + TEMPLATE_TABLES,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the library remembers of a file: enough to see that it has not changed. `size` bytes, `mtime` ns."""

    path: str
    source: str
    document: str | None
    size: int
    mtime: int
    sha256: str
    reason: str | None


class Library:
    """One open library. One writer at a time (the caller holds the lock), any number of readers."""

    def __init__(self, folder: Path, *, make: bool = False, identity: str = "") -> None:
        """Open the library in `folder`; with `make`, create it. `identity` names embedder and chunker (`LibraryBroken`
        if it differs)."""
        path = folder / "library.db"
        if not path.exists():
            if not make:
                raise LibraryMissing(f"there is no library in {folder}", "run: footnote add FOLDER")
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
            self._prepare(identity)
        except sqlite3.Error as error:
            raise LibraryBroken(
                f"{path} cannot be opened: {error}", "check the disk; footnote doctor says more"
            ) from error
        self.folder = folder
        self.history = History(self._db, self.writing)
        self.twins, self.templates = Twins(self._db, self.writing), Templates(self._db)
        self._texts: dict[str, Document] = {}

    def _prepare(self, identity: str) -> None:
        def version() -> int:
            return int(self._db.execute("PRAGMA user_version").fetchone()[0])

        while (before := version()) in TABLES_SINCE:
            with self.writing():
                if before == version():  # else another process was faster
                    for statement in TABLES_SINCE[before].split(";\n"):
                        self._db.execute(statement)
                    if before == 0:
                        self._db.execute("INSERT INTO meta VALUES ('identity', ?), ('revision', '0')", (identity,))
                    self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        if version() != SCHEMA:
            raise LibraryBroken(
                f"the library is of format {version()}, this program reads format {SCHEMA}",
                "use the version that made it, or another --library and add the documents again",
            )
        made = self._meta("identity")
        if identity and made != identity:
            raise LibraryBroken(
                f"the library was made with {made!r}, this program embeds with {identity!r}",
                "use another --library and add the documents again",
            )

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all or nothing. An error of SQLite becomes a `RagError` that names the file."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            where = getattr(self, "folder", "the library")
            raise RagError(
                f"{where}: {error}; nothing of this step was written", "make room or make it writable, then again"
            ) from error

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    @property
    def revision(self) -> int:
        """Grows with every commit that changes what can be found."""
        return int(self._meta("revision") or 0)

    def _revise(self) -> None:
        self._db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")

    # -- files and roots

    def roots(self) -> list[str]:
        """Absolute paths of all that was ever added, for `sync`."""
        return [row[0] for row in self._db.execute("SELECT path FROM roots ORDER BY path")]

    def remember_roots(self, paths: Iterable[str]) -> None:
        with self.writing():
            self._db.executemany("INSERT OR IGNORE INTO roots VALUES (?)", [(p,) for p in paths])

    def files(self) -> dict[str, Known]:
        """Every file by path; a document of a corpus file has the path ``FILE#ID``."""
        rows = self._db.execute("SELECT path, source, document, size, mtime, sha256, reason FROM files")
        return {row[0]: Known(*row) for row in rows}

    def touch(self, path: str, size: int, mtime: int) -> None:
        """The file's bytes are the same, its size or time on record was not."""
        with self.writing():
            self._db.execute("UPDATE files SET size = ?, mtime = ? WHERE path = ?", (size, mtime, path))

    def put(
        self, items: Sequence[tuple[Known, Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]]
    ) -> None:
        """Whole documents in one transaction: file, text, chunks, vectors (rows of chunks), keys of what was embedded.

        A file that was known with another text loses that one in the same transaction.
        """
        with self.writing():
            for file, document, chunks, vectors, keys in items:
                before = self._db.execute("SELECT document FROM files WHERE path = ?", (file.path,)).fetchone()
                self._put_document(document, chunks, vectors, keys)
                self._db.execute(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                    (file.path, file.source, document.id, file.size, file.mtime, file.sha256),
                )
                if before and before[0] and before[0] != document.id:
                    self._drop_if_orphan(before[0])
            self._revise()

    def _put_document(
        self, document: Document, chunks: Sequence[Chunk], vectors: NDArray[np.float32], keys: Sequence[bytes]
    ) -> None:
        if self._db.execute("SELECT 1 FROM documents WHERE id = ?", (document.id,)).fetchone():
            return
        row = (document.id, document.title, document.date, document.text, places(document))
        self._db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))
        self._put_chunks(document, chunks, vectors, keys)
        self.templates.put(document)

    def _put_chunks(
        self, document: Document, chunks: Sequence[Chunk], vectors: NDArray[np.float32], keys: Sequence[bytes]
    ) -> None:
        """Those of its chunks that are not there yet, with their words and labels."""
        have = {row[0] for row in self._db.execute("SELECT id FROM chunks WHERE document = ?", (document.id,))}
        fresh = []
        for chunk, vector, key in zip(chunks, vectors, keys, strict=True):
            if chunk.id in have:
                continue
            content = (
                chunk.id, document.id, chunk.span.start, chunk.span.end, chunk.heading, chunk.line, chunk.page, key,
                vector.tobytes(),
            )  # fmt: skip
            number = self._db.execute(
                "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*content, checksum(*content))
            ).lastrowid
            self._db.execute(
                "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                (number, document.title, chunk.heading, chunk.text),
            )
            fresh.append((int(number or 0), Text(chunk.text, f"{document.title} {chunk.heading}")))
        self.twins.put(fresh)

    def remask(self, items: Sequence[tuple[Document, Sequence[Chunk], NDArray[np.float32], Sequence[bytes]]]) -> None:
        """Give documents that are in another mask, and the chunks that follow from it. One transaction."""
        with self.writing():
            for document, chunks, vectors, keys in items:
                row = (document.id, document.title, document.date, document.text, places(document))
                self._db.execute(
                    "UPDATE documents SET spans = ?, checksum = ? WHERE id = ?", (row[4], checksum(*row), document.id)
                )
                self._drop_chunks(document, {chunk.id for chunk in chunks})
                self._put_chunks(document, chunks, vectors, keys)
                self.templates.put(document)
            self._revise()
        self._texts.clear()

    def fail(self, file: Known, reason: str, cure: str) -> None:
        """A file that could not be taken in is on record with its reason; what was there of it before stays."""
        with self.writing():
            self._db.execute(
                "INSERT INTO files VALUES (?, ?, NULL, ?, ?, ?, ?, ?) ON CONFLICT(path) DO UPDATE SET reason = excluded.reason, "
                "cure = excluded.cure, size = excluded.size, mtime = excluded.mtime, sha256 = excluded.sha256",
                (file.path, file.source, file.size, file.mtime, file.sha256, reason, cure),
            )

    def move(self, old: str, path: str, source: str, size: int, mtime: int) -> None:
        with self.writing():
            self._db.execute(
                "UPDATE files SET path = ?, source = ?, size = ?, mtime = ? WHERE path = ?",
                (path, source, size, mtime, old),
            )
            self._texts.clear()

    def remove(self, paths: Iterable[str], roots: Iterable[str] = ()) -> None:
        """Forget files; a document that no file holds any more goes with its chunks and words."""
        with self.writing():
            for path in paths:
                row = self._db.execute("DELETE FROM files WHERE path = ? RETURNING document", (path,)).fetchone()
                if row and row[0]:
                    self._drop_if_orphan(row[0])
            self._db.executemany("DELETE FROM roots WHERE path = ?", [(r,) for r in roots])
            self._revise()
        self._texts.clear()

    def _drop_if_orphan(self, document: str) -> None:
        if self._db.execute("SELECT 1 FROM files WHERE document = ?", (document,)).fetchone():
            return
        self._drop_chunks(self.document(document))
        self._db.execute("DELETE FROM documents WHERE id = ?", (document,))
        self.templates.drop(document)
        self._texts.pop(document, None)

    def _drop_chunks(self, document: Document, keep: Collection[str] = ()) -> None:
        rows = self._db.execute("SELECT number, id, start, end, heading FROM chunks WHERE document = ?", (document.id,))
        gone = [row for row in rows.fetchall() if row[1] not in keep]
        for number, _, start, end, heading in gone:
            self._db.execute(
                "INSERT INTO words(words, rowid, title, heading, text) VALUES ('delete', ?, ?, ?, ?)",
                (number, document.title, heading, document.text[start:end]),
            )
        self._db.executemany("DELETE FROM chunks WHERE number = ?", [(row[0],) for row in gone])
        self.twins.drop(row[0] for row in gone)

    def listings(self) -> list[Listing]:
        """The table of contents, by source."""
        rows = self._db.execute(
            "SELECT f.document, f.source, d.title, d.date, (SELECT count(*) FROM chunks c WHERE c.document = f.document), f.size, f.reason "
            "FROM files f LEFT JOIN documents d ON d.id = f.document ORDER BY f.source"
        )
        return [
            Listing(i or "", source, title or "", date, chunks, size, "failed" if i is None else "ready", reason)
            for i, source, title, date, chunks, size, reason in rows
        ]

    def counts(self) -> tuple[int, int]:
        """Documents and chunks."""
        one = self._db.execute
        return one("SELECT count(*) FROM documents").fetchone()[0], one("SELECT count(*) FROM chunks").fetchone()[0]

    def find(self, name: str) -> Document:
        """A document by id, source, path, or the end of a source. Raises `Usage` where none or several fit."""
        rows = self._db.execute(
            "SELECT DISTINCT document, source FROM files WHERE document IS NOT NULL AND (document = ?1 OR source = ?1 OR path = ?1)",
            (name,),
        ).fetchall()
        if not rows:
            tail = "%/" + name.lstrip("./").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            rows = self._db.execute(
                "SELECT DISTINCT document, source FROM files WHERE document IS NOT NULL AND source LIKE ? ESCAPE '\\'",
                (tail,),
            ).fetchall()
        found = {row[0] for row in rows}
        if len(found) != 1:
            what = f"{len(found)} documents are called" if found else "there is no document called"
            raise Usage(f"{what} {name!r}", "footnote list shows them all")
        source = rows[0][1]
        path = self._db.execute("SELECT path FROM files WHERE source = ?", (source,)).fetchone()[0]
        return replace(self.document(rows[0][0]), source=source, path="" if "#" in path else path)

    def document(self, name: str) -> Document:
        """A document by its id, its checksum compared. Raises `LibraryBroken` naming the document."""
        if name in self._texts:
            return self._texts[name]
        row = self._db.execute(
            "SELECT id, title, date, text, spans, checksum FROM documents WHERE id = ?", (name,)
        ).fetchone()
        if row is None:
            raise Usage(f"there is no document {name!r}", "footnote list shows them all")
        sources = self.sources(name)
        if checksum(*row[:5]) != row[5]:
            raise LibraryBroken(
                f"the stored text of {', '.join(sources) or name} does not match its checksum",
                "remove that document and add its file again",
            )
        mask, pages, headings = json.loads(row[4])
        document = Document(
            row[0], sources[0] if sources else name, row[1], row[2], row[3], spans(mask), spans(pages),
            tuple((Span(s, e), h) for s, e, h in headings),
        )  # fmt: skip
        if len(self._texts) > 64:
            self._texts.clear()
        self._texts[name] = document
        return document

    def sources(self, document: str) -> list[str]:
        """All names of a document, shortest first."""
        rows = self._db.execute(
            "SELECT source FROM files WHERE document = ? ORDER BY length(source), source", (document,)
        )
        return [row[0] for row in rows]

    # -- chunks

    def chunks(self, names: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id; an unknown id is left out. Raises `LibraryBroken` for a row that fails its checksum."""
        found = {}
        for name in names:
            row = self._db.execute(
                "SELECT id, document, start, end, heading, line, page, key, vector, checksum FROM chunks WHERE id = ?",
                (name,),
            ).fetchone()
            if row is None:
                continue
            document = self.document(row[1])
            if checksum(*row[:9]) != row[9]:
                raise LibraryBroken(
                    f"a passage of {document.source} does not match its checksum", "remove it and add its file again"
                )
            span = Span(row[2], row[3])
            text, about = span.of(document.text), (document.source, document.title, document.date)
            found[name] = Chunk(row[0], row[1], *about, row[4], span, text, row[5], row[6])
        return found

    def words(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Chunk ids that hold words of an FTS5 query, best first, with BM25 (higher is better)."""
        rows = self._db.execute(
            "SELECT c.id, -bm25(words, 1.0, 1.0, 1.0) AS score FROM words JOIN chunks c ON c.number = words.rowid "
            "WHERE words MATCH ? ORDER BY score DESC, c.number LIMIT ?",
            (query, limit),
        )
        return [(name, score) for name, score in rows]

    def reuse(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Vectors that are here already, by the key of the text that was embedded."""
        found: dict[bytes, bytes] = {}
        for at in range(0, len(keys), 500):
            part = list(keys[at : at + 500])
            query = f"SELECT key, vector FROM chunks WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
            found.update(self._db.execute(query, part).fetchall())
        return found

    def ids(self) -> set[str]:
        """The ids of all chunks: what the index must hold."""
        return {row[0] for row in self._db.execute("SELECT id FROM chunks")}

    def vectors(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of chunks, float32, shape (n, dimension), in the order of `names`."""
        import numpy as np

        rows = []
        for at in range(0, len(names), 500):
            part = list(names[at : at + 500])
            query = f"SELECT id, vector FROM chunks WHERE id IN ({','.join('?' * len(part))})"  # noqa: S608
            found = dict(self._db.execute(query, part).fetchall())
            rows += [found[name] for name in part]
        return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(len(rows), -1)

    def damaged(self) -> list[str]:
        """Sources of documents with a row that fails its checksum: the whole library is read."""
        rows = self._db.execute("SELECT id, title, date, text, spans, checksum FROM documents")
        bad = {row[0] for row in rows if checksum(*row[:5]) != row[5]}
        rows = self._db.execute(
            "SELECT id, document, start, end, heading, line, page, key, vector, checksum FROM chunks"
        )
        bad |= {row[1] for row in rows if checksum(*row[:9]) != row[9]}
        return sorted(source for document in bad for source in self.sources(document))
