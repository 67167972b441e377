"""One SQLite file: transactions that survive a power cut, and errors that name the file.

A file that was removed or replaced while it was open is noticed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named, is_damage
from rag.errors import LibraryMissing


class Database:
    """The open SQLite file at `path`. With `make`, the file is created."""

    #: what helps if the file is gone
    _cure_if_gone = "put it back, or run: footnote add FOLDER"

    def __init__(self, path: Path, *, make: bool = False) -> None:
        self._path = path
        with disk_errors_named(path.parent, path.name):
            if make:
                permissions.create(path)
            self._db = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
            try:
                self._inode = path.stat().st_ino
                # the file keeps its mode: a reader that set it would wait for a lock
                wal = "PRAGMA journal_mode=WAL; " if make else ""
                self._db.executescript(wal + "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Run the block in one transaction. An SQLite error becomes a `RagError` with the file."""
        with disk_errors_named(self._path.parent, self._path.name):
            self.present()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite may have rolled back by itself, on a full disk
                    self._db.execute("ROLLBACK")
                raise
            self.present()

    def present(self) -> None:
        """Raise `LibraryMissing` if the open file is no longer the one at its path."""
        try:
            is_same_file = self._path.stat().st_ino == self._inode
        except OSError:
            is_same_file = False
        if not is_same_file:
            raise LibraryMissing(
                f"{self._path} was removed or replaced while it was in use; "
                "what was added since then is lost",
                self._cure_if_gone,
            )

    def pages(self) -> list[str]:
        """Problems that SQLite's own check reports. Raises `RagError` if it cannot read."""
        with disk_errors_named(self._path.parent, self._path.name):
            return failed_pages(self._db)

    def reindex(self) -> None:
        """Make SQLite's own indices again from their tables."""
        with self.writing():
            self._db.execute("REINDEX")


def failed_pages(db: sqlite3.Connection) -> list[str]:
    """Return the problems that SQLite's own check reports, [] if there are none.

    Raises `sqlite3.Error` if the check cannot read the file.
    """
    try:
        lines = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return [str(error)]
    return [] if lines == ["ok"] else lines
