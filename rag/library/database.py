"""One SQLite file: transactions that survive a power cut, and its table of single values.

An error names the file. A file that was removed or replaced while it was open is noticed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named, is_damage
from rag.errors import LibraryMissing

_CURE_IF_GONE = "put it back, or run: footnote add FOLDER"


class Database:
    """The open SQLite file at `path`. With `make`, the file is created.

    `connection` is for functions that also run on a temporary database. `cure_if_gone` is the hint
    if the file was removed while it was open.
    """

    def __init__(
        self, path: Path, *, make: bool = False, cure_if_gone: str = _CURE_IF_GONE
    ) -> None:
        self.path, self._cure_if_gone = path, cure_if_gone
        with disk_errors_named(path.parent, path.name):
            if make:
                permissions.create(path)
            #: whether nothing can be written, because this user may not write to file or folder
            self.read_only = not (make or _can_be_written(path))
            uri = _uri(path, self.read_only)
            self.connection = sqlite3.connect(
                uri, uri=True, timeout=10, isolation_level=None, check_same_thread=False
            )
            try:
                self._inode = path.stat().st_ino
                # the file keeps its mode: a reader that set it would wait for a lock
                wal = "PRAGMA journal_mode=WAL; " if make else ""
                self.connection.executescript(
                    wal + "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                )
            except BaseException:
                self.connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one SQL statement with the values of its parameters."""
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one SQL statement for each of `rows`."""
        self.connection.executemany(statement, rows)

    @property
    def format_version(self) -> int:
        """The number of the file's format; 0 for a new file."""
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    @format_version.setter
    def format_version(self, version: int) -> None:
        self.execute(f"PRAGMA user_version = {version}")

    @property
    def state(self) -> tuple[int, int]:
        """A value that differs after any process has written to the file."""
        version = self.execute("PRAGMA data_version").fetchone()[0]
        return int(version), self.connection.total_changes

    def read_leniently(self) -> None:
        """From now on read a text that is not UTF-8 with U+FFFD in place of the invalid bytes.

        Such a text fails its checksum instead of raising an error.
        """
        self.connection.text_factory = _decode_text

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads of the block see the file as it is at the first of them."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            # SQLite may have ended it by itself, on a damaged file
            if self.connection.in_transaction:
                self.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Run the block in one transaction. An SQLite error becomes a `RagError` with the file."""
        with disk_errors_named(self.path.parent, self.path.name):
            self.present()
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, on a full disk
                if self.connection.in_transaction:
                    self.execute("ROLLBACK")
                raise
            self.present()

    def present(self) -> None:
        """Raise `LibraryMissing` if the open file is no longer the one at its path."""
        try:
            is_same_file = self.path.stat().st_ino == self._inode
        except OSError:
            is_same_file = False
        if not is_same_file:
            raise LibraryMissing(
                f"{self.path} was removed or replaced while it was in use; "
                "what was added since then is lost",
                self._cure_if_gone,
            )

    def failed_pages(self) -> list[str]:
        """Return the problems that SQLite's own check reports, [] if there are none.

        Raises `RagError` if the check cannot read the file.
        """
        with disk_errors_named(self.path.parent, self.path.name):
            try:
                lines = [str(row[0]) for row in self.execute("PRAGMA integrity_check(20)")]
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                return [str(error)]
        return [] if lines == ["ok"] else lines

    def reindex(self) -> None:
        """Make SQLite's own indices again from their tables."""
        with self.writing():
            self.execute("REINDEX")


def _can_be_written(path: Path) -> bool:
    """Whether SQLite can write to a file, or would say better than we why it cannot be opened."""
    if not os.access(path, os.R_OK):
        return True
    return permissions.can_write(path) and permissions.can_write(path.parent)


def _uri(path: Path, read_only: bool) -> str:
    """The name of a file for SQLite, which opens it for reading and writing unless `read_only`.

    Without the right to write in the folder SQLite cannot make the files that readers share. A file
    without a journal is read as one that does not change.
    """
    uri = f"file:{quote(os.path.abspath(path))}"
    if not read_only:
        return uri
    journal = Path(f"{path}-wal")
    unchanging = not journal.exists() or not journal.stat().st_size
    return f"{uri}?mode=ro" + ("&immutable=1" if unchanging else "")


def _decode_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


#: keys of single values: embedder and chunker, revision, rule that masked the boilerplate
IDENTITY = "identity"
REVISION = "revision"
MASKING_RULE = "template"
#: no valid revision is higher
_MAX_REVISION = 2**52


class Meta:
    """The table of single values of an open library, by key.

    Methods that write are called inside a transaction of the caller's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str:
        """Return a value, "" if there is none."""
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def put(self, key: str, value: str) -> None:
        """Store a value."""
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def increase(self, key: str) -> None:
        """Add 1 to a value that is a number."""
        self._database.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = ?", (key,)
        )


def is_revision(value: object) -> bool:
    """Whether the value is a valid revision, as text."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) < 17
        and int(value) < _MAX_REVISION
    )
