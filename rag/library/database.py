"""One SQLite file: whole transactions that survive a power cut, errors that name the file, a file noticed that was taken away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named, is_damage
from rag.errors import LibraryMissing


class Database:
    """The open file at `path`. With `make` it is one that is being made."""

    _back = "put it back, or run: footnote add FOLDER"  # what helps where it is gone

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
                # the mode stays with the file: a reader that set it would wait for a lock
                wal = "PRAGMA journal_mode=WAL; " if make else ""
                self._db.executescript(wal + "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all or nothing. An error of SQLite becomes a `RagError` that names the file."""
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
        """Raises `LibraryMissing` where the file we write to is no longer the one that others would open."""
        try:
            here = self._path.stat().st_ino == self._inode
        except OSError:
            here = False
        if not here:
            raise LibraryMissing(
                f"{self._path} was removed or replaced while it was in use; what was added since then is lost",
                self._back,
            )

    def pages(self) -> list[str]:
        """What SQLite's own check says; nothing where all is well. Raises `RagError` where it could not look."""
        with disk_errors_named(self._path.parent, self._path.name):
            return failed_pages(self._db)

    def reindex(self) -> None:
        """SQLite's own indices again from their tables."""
        with self.writing():
            self._db.execute("REINDEX")


def failed_pages(db: sqlite3.Connection) -> list[str]:
    """What SQLite's own check says of a file; nothing where all is well. Raises `sqlite3.Error` where it could not look."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return [str(error)]
    return [] if found == ["ok"] else found
