"""The files of a library: the paths that were added (roots), and the known files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rag.domain import Listing
from rag.library.database import Database

#: absolute path of a file, and the name of a document in it ("": the file itself)
Place = tuple[str, str]


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

    @property
    def place(self) -> Place:
        """Path and member, the key of the record."""
        return self.path, self.member


class SourceFiles(Database):
    """The files of an open library. `Library` inherits from it."""

    #: (state of the database, (documents, chunks)) of the last count
    _counted: tuple[tuple[int, int], tuple[int, int]] | None = None

    def roots(self) -> list[str]:
        """Return the absolute paths that were added, for `sync`."""
        return [row[0] for row in self._db.execute("SELECT path FROM roots ORDER BY path")]

    def remember_roots(self, paths: Iterable[str]) -> None:
        """Store paths that were added."""
        with self.writing():
            self._db.executemany(
                "INSERT OR IGNORE INTO roots VALUES (?)", [(path,) for path in paths]
            )

    def files(self) -> dict[Place, KnownFile]:
        """Return the records of all files and of all documents inside files."""
        rows = self._db.execute(
            "SELECT path, source, document, size, mtime, sha256, reason, member FROM files"
        )
        return {(row[0], row[7]): KnownFile(*row) for row in rows}

    def touch(self, path: str, size: int, mtime: int) -> None:
        """Record a new size or time of a file whose content has not changed."""
        with self.writing():
            self._db.execute(
                "UPDATE files SET size = ?, mtime = ? WHERE path = ?", (size, mtime, path)
            )

    def fail(self, file: KnownFile, reason: str, cure: str) -> None:
        """Record one file that could not be read, as `refuse` does."""
        self.refuse([(replace(file, reason=reason), cure)])

    def refuse(self, files: Iterable[tuple[KnownFile, str]]) -> None:
        """Record files that could not be read, each with its `reason` and a cure.

        Their documents stay. One transaction for all, because each one costs a write to the disk
        and an archive may have 10,000 bad members.
        """
        with self.writing():
            self._db.executemany(
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

    def listings(self) -> list[Listing]:
        """Return the list of documents and unreadable files, by source."""
        rows = self._db.execute(
            "SELECT f.document, f.source, d.title, d.date, "
            "(SELECT count(*) FROM chunks c WHERE c.document = f.document), f.size, f.reason "
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
            )
            for document_id, source, title, date, chunks, size, reason in rows
        ]

    def counts(self) -> tuple[int, int]:
        """Return the numbers of documents and chunks.

        SQLite counts row by row, so the result is kept until a process writes.
        """
        state = (self._number("PRAGMA data_version"), self._db.total_changes)
        if self._counted is None or self._counted[0] != state:
            documents = self._number("SELECT count(*) FROM documents")
            self._counted = state, (documents, self._number("SELECT count(*) FROM chunks"))
        return self._counted[1]

    def _number(self, select: str) -> int:
        return int(self._db.execute(select).fetchone()[0])

    def sources(self, document_id: str) -> list[str]:
        """Return the sources of a document, shortest first."""
        rows = self._db.execute(
            "SELECT source FROM files WHERE document = ? ORDER BY length(source), source",
            (document_id,),
        )
        return [row[0] for row in rows]
