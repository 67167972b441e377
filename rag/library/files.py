"""The files of a library: the paths that were added (roots), and the known files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rag.domain import Listing
from rag.library.database import Database

#: absolute path of a file, and the name of a document in it ("": the file itself)
Place = tuple[str, str]

#: its columns are the fields of `KnownFile`
SELECT_FILES = "SELECT path, source, document, size, mtime, sha256, reason, member, cure FROM files"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A record of a file, or of a document in a corpus or an archive.

    It shows whether the file has changed. `size` in bytes and `mtime` in ns are as in `load.File`,
    `member` is as in `Place`.
    """

    path: str
    source: str
    document: str | None
    size: int
    mtime: int
    sha256: str
    reason: str | None
    member: str = ""
    cure: str | None = None

    @property
    def place(self) -> Place:
        """Path and member, the key of the record."""
        return self.path, self.member


class SourceFiles:
    """The files of an open library.

    Methods that write open a transaction of their own, but for those that say otherwise.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- roots

    def roots(self) -> list[str]:
        """Return the absolute paths that were added, for `sync`."""
        rows = self._database.execute("SELECT path FROM roots ORDER BY path")
        return [row[0] for row in rows]

    def remember_roots(self, paths: Iterable[str]) -> None:
        """Store paths that were added."""
        with self._database.writing():
            self._database.executemany(
                "INSERT OR IGNORE INTO roots VALUES (?)", [(path,) for path in paths]
            )

    def forget_roots(self, paths: Iterable[str]) -> None:
        """Forget paths that were added, in a transaction of the caller's."""
        self._database.executemany("DELETE FROM roots WHERE path = ?", [(path,) for path in paths])

    # -- what is known

    def by_place(self) -> dict[Place, KnownFile]:
        """Return the records of all files and of all documents inside files."""
        files = (KnownFile(*row) for row in self._database.execute(SELECT_FILES))
        return {file.place: file for file in files}

    def listings(self) -> list[Listing]:
        """Return the list of documents and unreadable files, by source."""
        rows = self._database.execute(
            "SELECT f.document, f.source, d.title, d.date, "
            "(SELECT count(*) FROM chunks c WHERE c.document = f.document), f.size, f.reason, "
            "(SELECT count(*) FROM chunks c WHERE c.document = f.document "
            "AND length(c.vector) = 0), f.cure, f.path, f.mtime "
            "FROM files f LEFT JOIN documents d ON d.id = f.document ORDER BY f.source"
        )
        return [
            Listing(
                document_id or "",
                source,
                title or "",
                date,
                chunks,
                size,
                "failed" if document_id is None else "ready",
                reason,
                *more,
            )
            for document_id, source, title, date, chunks, size, reason, *more in rows
        ]

    def sources(self, document_id: str) -> list[str]:
        """Return the sources of a document, shortest first."""
        rows = self._database.execute(
            "SELECT source FROM files WHERE document = ? ORDER BY length(source), source",
            (document_id,),
        )
        return [row[0] for row in rows]

    def sources_with_text(self) -> dict[str, str]:
        """Return each source of a document with the id of that, by source."""
        rows = self._database.execute(
            "SELECT source, document FROM files WHERE typeof(document) = 'text' ORDER BY source"
        )
        return dict(rows.fetchall())

    def of_document(self, document_id: str, source: str | None = None) -> list[KnownFile]:
        """Return the records of the files that a document is in; of `source` alone if given."""
        rows = self._database.execute(f"{SELECT_FILES} WHERE document = ?", (document_id,))
        return [row for row in (KnownFile(*r) for r in rows) if source in (None, row.source)]

    def document_at(self, place: Place) -> str | None:
        """Return the id of the document of a place, None if there is none."""
        row = self._database.execute(
            "SELECT document FROM files WHERE path = ? AND member = ?", place
        ).fetchone()
        return row[0] if row else None

    def document_ids(self) -> set[str]:
        """Return the ids of all documents that a file is known for."""
        rows = self._database.execute(
            "SELECT DISTINCT document FROM files WHERE typeof(document) = 'text'"
        )
        return {row[0] for row in rows}

    # -- writing

    def put(self, file: KnownFile, document_id: str) -> None:
        """Record a file that was read, in a transaction of the caller's."""
        self._database.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL) "
            "ON CONFLICT(path, member) DO UPDATE SET source = excluded.source, "
            "document = excluded.document, size = excluded.size, mtime = excluded.mtime, "
            "sha256 = excluded.sha256, reason = NULL, cure = NULL",
            (*file.place, file.source, document_id, file.size, file.mtime, file.sha256),
        )

    def forget_contents(self, paths: Iterable[str] | None = None) -> None:
        """Forget what was in the files, in a transaction of the caller's: all are read again.

        With `paths`, these alone.
        """
        forget = "UPDATE files SET size = 0, mtime = 0, sha256 = ''"
        if paths is None:
            self._database.execute(forget)
        else:
            self._database.executemany(f"{forget} WHERE path = ?", [(path,) for path in paths])

    def has_contents(self, place: Place) -> bool:
        """Whether it is known what was in the file of a place, or the place is not known at all."""
        row = self._database.execute(
            "SELECT sha256 FROM files WHERE path = ? AND member = ?", place
        ).fetchone()
        return row is None or bool(row[0])

    def touch(self, path: str, size: int, mtime: int) -> None:
        """Record a new size or time of a file whose content has not changed."""
        with self._database.writing():
            self._database.execute(
                "UPDATE files SET size = ?, mtime = ? WHERE path = ?", (size, mtime, path)
            )

    def move(
        self, files: Iterable[tuple[KnownFile, str]], path: str, size: int, mtime: int
    ) -> None:
        """Record that a file lies at `path` now, in a transaction of the caller's.

        `files` are its records, each with its new source.
        """
        self._database.executemany(
            "UPDATE files SET path = ?, source = ?, size = ?, mtime = ? "
            "WHERE path = ? AND member = ?",
            [(path, source, size, mtime, *known.place) for known, source in files],
        )

    def fail(self, file: KnownFile, reason: str, cure: str) -> None:
        """Record one file that could not be read, as `refuse` does."""
        self.refuse([(replace(file, reason=reason), cure)])

    def refuse(self, files: Iterable[tuple[KnownFile, str]]) -> None:
        """Record files that could not be read, each with its `reason` and a cure.

        Their documents stay. One transaction for all, because each one costs a write to the disk
        and an archive may have 10,000 bad members.
        """
        with self._database.writing():
            self._database.executemany(
                "INSERT INTO files VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?) "
                "ON CONFLICT(path, member) DO UPDATE SET "
                "reason = excluded.reason, cure = excluded.cure, size = excluded.size, "
                "mtime = excluded.mtime, sha256 = excluded.sha256",
                [
                    (
                        *file.place,
                        file.source,
                        file.size,
                        file.mtime,
                        file.sha256,
                        file.reason,
                        cure,
                    )
                    for file, cure in files
                ],
            )

    def forget(self, place: Place) -> str | None:
        """Forget a file, in a transaction of the caller's; return the id of its document."""
        row = self._database.execute(
            "DELETE FROM files WHERE path = ? AND member = ? RETURNING document", place
        ).fetchone()
        return row[0] if row else None
