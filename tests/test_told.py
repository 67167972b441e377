"""What a disk does to a library is said with its path, what is missing, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import LibraryBroken, LibraryBusy, LibraryMissing, RagError
from rag.events import Event
from rag.told import naming, reason, told
from tests.faults.small import Small


def _sqlite(name: str, said: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(said)
    error.sqlite_errorname = name
    return error


def _system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "kind", "said", "cure"),
    [
        (_sqlite("SQLITE_FULL", "database or disk is full"), RagError, "MB are needed", "make room"),
        (_system(errno.ENOSPC), RagError, "MB are needed", "make room"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device")]), RagError, "MB are needed", "make room"),
        (_system(errno.EFBIG), RagError, "larger than it may be", "ulimit"),
        (_sqlite("SQLITE_IOERR_WRITE", "disk I/O error"), RagError, "MB are free", "make room"),
        (_sqlite("SQLITE_READONLY", "attempt to write a readonly database"), RagError, "cannot be written", "writable"),
        (_system(errno.EROFS), RagError, "cannot be written", "writable"),
        (_system(errno.EACCES), RagError, "cannot be written", "writable"),
        (_sqlite("SQLITE_BUSY", "database is locked"), LibraryBusy, "another process", "wait"),
        (sqlite3.DatabaseError("database disk image is malformed"), LibraryBroken, "damaged", "doctor --repair"),
        (_system(errno.EIO), RagError, "Input/output error", "doctor"),
    ],
)
def test_every_error_has_its_path_and_its_cure(
    tmp_path: Path, error: Exception, kind: type[RagError], said: str, cure: str
) -> None:
    found = reason(error, tmp_path)
    assert type(found) is kind and str(tmp_path) in str(found)
    assert said in str(found) and cure in found.cure


def test_a_folder_that_is_gone_is_said_to_be_whatever_sqlite_calls_it(tmp_path: Path) -> None:
    for error in (
        _sqlite("SQLITE_IOERR", "disk I/O error"),
        _sqlite("SQLITE_READONLY_DBMOVED", "readonly"),
        _system(2),
    ):
        found = reason(error, tmp_path / "gone")
        assert isinstance(found, LibraryMissing) and "is gone" in str(found) and "footnote add" in found.cure


def test_a_reader_of_our_output_that_left_is_no_matter_of_the_library(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), naming(tmp_path):
        raise BrokenPipeError


class _Door:
    def __init__(self, home: Path) -> None:
        self.config = Config(home=str(home))
        self.closed = False

    @told
    def look(self) -> int:
        raise _system(errno.ENOSPC)

    @told
    def work(self) -> Iterator[int]:
        try:
            yield 1
            raise _system(errno.ENOSPC)
        finally:
            self.closed = True


def test_methods_that_return_and_methods_that_yield_are_told_alike(tmp_path: Path) -> None:
    door = _Door(tmp_path)
    door.config.folder.mkdir(parents=True)
    with pytest.raises(RagError, match="disk is full"):
        door.look()
    work = door.work()
    assert next(work) == 1
    with pytest.raises(RagError, match="disk is full"):
        next(work)
    work = door.work()
    next(work)
    door.closed = False
    work.close()  # type: ignore[attr-defined]  # a generator all the same
    assert door.closed


def test_a_folder_taken_away_in_the_middle_is_noticed_before_anything_more_is_said_to_be_in(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(30):
        (docs / f"{number}.txt").write_text(f"The number {number} and what is said of it.\n")
    added: list[Event] = []
    with Small(tmp_path / "home") as bot, pytest.raises(LibraryMissing, match="removed"):
        for event in bot.add([str(docs)]):
            added.append(event)
            if type(event).__name__ == "Added" and len(added) < 15:
                shutil.rmtree(tmp_path / "home" / "libraries", ignore_errors=True)
    assert sum(type(event).__name__ == "Added" for event in added) < 15
    assert not (tmp_path / "home" / "libraries").exists()  # the index has not made it again
    with Small(tmp_path / "home") as bot:
        for _ in bot.add([str(docs)]):
            pass
        assert bot.status().documents == 30
