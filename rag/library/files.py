"""What was added to a library: roots, and files by their paths. The other half of `library`, without the documents' content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rag.domain import Listing
from rag.library.database import Database

Place = tuple[str, str]  #: absolute path of a file, and a name in it ("": the file itself)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the library remembers of a file, or of a document in a corpus or an archive.

    Enough to see that it has not changed. `size` in bytes, `mtime` in ns, both as `load.File` has
    them; `member` as in `Place`.
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
        return self.path, self.member


class SourceFiles(Database):
    """The files of an open library. `Library` is one of these."""

    _counted: tuple[tuple[int, int], tuple[int, int]] | None = (
        None  # who had written by then, and what was counted
    )

    def roots(self) -> list[str]:
        """Absolute paths of all that was ever added, for `sync`."""
        return [row[0] for row in self._db.execute("SELECT path FROM roots ORDER BY path")]

    def remember_roots(self, paths: Iterable[str]) -> None:
        with self.writing():
            self._db.executemany("INSERT OR IGNORE INTO roots VALUES (?)", [(p,) for p in paths])

    def files(self) -> dict[Place, KnownFile]:
        """Every file, and every document of one that holds many."""
        rows = self._db.execute(
            "SELECT path, source, document, size, mtime, sha256, reason, member FROM files"
        )
        return {(row[0], row[7]): KnownFile(*row) for row in rows}

    def touch(self, path: str, size: int, mtime: int) -> None:
        """The file's bytes are the same, its size or time on record was not."""
        with self.writing():
            self._db.execute(
                "UPDATE files SET size = ?, mtime = ? WHERE path = ?", (size, mtime, path)
            )

    def fail(self, file: KnownFile, reason: str, cure: str) -> None:
        """As `refuse`, for one file."""
        self.refuse([(replace(file, reason=reason), cure)])

    def refuse(self, files: Iterable[tuple[KnownFile, str]]) -> None:
        """Record files that could not be taken in, each with its `reason` and a cure. Their documents stay.

        One transaction for all: each costs a write to the disk, and an archive may have 10,000 bad members.
        """
        with self.writing():
            self._db.executemany(
                "INSERT INTO files VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?) ON CONFLICT(path, member) DO UPDATE SET "
                "reason = excluded.reason, cure = excluded.cure, size = excluded.size, mtime = excluded.mtime, "
                "sha256 = excluded.sha256",
                [
                    (*f.place, f.source, f.size, f.mtime, f.sha256, f.reason, cure)
                    for f, cure in files
                ],
            )

    def listings(self) -> list[Listing]:
        """The table of contents, by source."""
        rows = self._db.execute(
            "SELECT f.document, f.source, d.title, d.date, (SELECT count(*) FROM chunks c WHERE c.document = f.document), f.size, f.reason "
            "FROM files f LEFT JOIN documents d ON d.id = f.document ORDER BY f.source"
        )
        return [
            Listing(
                i or "",
                source,
                title or "",
                date,
                chunks,
                size,
                "failed" if i is None else "ready",
                reason,
            )
            for i, source, title, date, chunks, size, reason in rows
        ]

    def counts(self) -> tuple[int, int]:
        """Documents and chunks. SQLite counts row by row: what was counted holds until anybody writes."""
        one = self._db.execute
        now = (one("PRAGMA data_version").fetchone()[0], self._db.total_changes)
        if self._counted is None or self._counted[0] != now:
            found = [
                one(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("documents", "chunks")
            ]
            self._counted = now, (found[0], found[1])
        return self._counted[1]

    def sources(self, document: str) -> list[str]:
        """All names of a document, shortest first."""
        rows = self._db.execute(
            "SELECT source FROM files WHERE document = ? ORDER BY length(source), source",
            (document,),
        )
        return [row[0] for row in rows]
