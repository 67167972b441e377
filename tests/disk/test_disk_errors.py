"""Disk errors in words: the path, the cause and the cure."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rag.config import Config
from rag.disk.disk_errors import (
    describe_disk_error,
    disk_errors_named,
    is_damage,
    no_folder,
    reports_disk_errors,
)
from rag.errors import LibraryBroken, LibraryBusy, LibraryMissing, RagError, Usage
from rag.events import Event, Repaired
from tests.faults.child import Tell, run
from tests.faults.disks import _as_nobody
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
        (
            _sqlite("SQLITE_FULL", "database or disk is full"),
            RagError,
            "MB are needed",
            "make room",
        ),
        (_system(errno.ENOSPC), RagError, "MB are needed", "make room"),
        (
            shutil.Error([("a", "b", "[Errno 28] No space left on device")]),
            RagError,
            "MB are needed",
            "make room",
        ),
        (_system(errno.EFBIG), RagError, "larger than it may be", "ulimit"),
        (_sqlite("SQLITE_IOERR_WRITE", "disk I/O error"), RagError, "MB are free", "make room"),
        (
            _sqlite("SQLITE_READONLY", "attempt to write a readonly database"),
            RagError,
            "cannot be written",
            "writable",
        ),
        (_system(errno.EROFS), RagError, "cannot be written", "writable"),
        (_system(errno.EACCES), RagError, "cannot be written", "writable"),
        (_sqlite("SQLITE_BUSY", "database is locked"), LibraryBusy, "another process", "wait"),
        (
            sqlite3.DatabaseError("database disk image is malformed"),
            LibraryBroken,
            "damaged",
            "doctor --repair",
        ),
        (_system(errno.EIO), RagError, "Input/output error", "doctor"),
        (MemoryError(), RagError, "not enough memory", "close other programs"),
        (_system(errno.ENOMEM), RagError, "not enough memory", "close other programs"),
        (_system(errno.EMFILE), RagError, "too many files", "ulimit -n"),
        (
            _sqlite("SQLITE_NOTADB", "file is not a database"),
            LibraryBroken,
            "damaged",
            "doctor --repair",
        ),
        (
            _sqlite("SQLITE_CORRUPT_VTAB", "database disk image is malformed"),
            LibraryBroken,
            "damaged",
            "--repair",
        ),
        (
            _sqlite("SQLITE_ERROR", "no such table: words"),
            LibraryBroken,
            "no such table",
            "doctor --repair",
        ),
        (
            sqlite3.OperationalError("Could not decode to UTF-8 column 'text'"),
            LibraryBroken,
            "damaged",
            "--repair",
        ),
        (
            _sqlite("SQLITE_ERROR", "LIKE or GLOB pattern too complex"),
            RagError,
            "not damaged",
            "shorten",
        ),
        (
            _sqlite("SQLITE_ERROR", 'fts5: syntax error near "x"'),
            RagError,
            "not damaged",
            "shorten",
        ),
        (_sqlite("SQLITE_TOOBIG", "string or blob too big"), RagError, "not damaged", "shorten"),
        (_sqlite("SQLITE_RANGE", "column index out of range"), RagError, "not damaged", "shorten"),
        (
            _sqlite("SQLITE_MISUSE", "bad parameter or other API misuse"),
            RagError,
            "not damaged",
            "shorten",
        ),
        (
            _sqlite("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed"),
            RagError,
            "not damaged",
            "shorten",
        ),
        (
            sqlite3.ProgrammingError("Cannot operate on a closed database."),
            RagError,
            "not damaged",
            "shorten",
        ),
    ],
)
def test_every_error_has_its_path_and_its_cure(
    tmp_path: Path, error: Exception, kind: type[RagError], said: str, cure: str
) -> None:
    found = describe_disk_error(error, tmp_path)
    assert type(found) is kind and str(tmp_path) in str(found)
    assert said in str(found) and cure in found.cure


def test_a_missing_folder_is_reported_whatever_sqlite_calls_it(tmp_path: Path) -> None:
    for error in (
        _sqlite("SQLITE_IOERR", "disk I/O error"),
        _sqlite("SQLITE_READONLY_DBMOVED", "readonly"),
        _system(2),
    ):
        found = describe_disk_error(error, tmp_path / "gone")
        assert (
            isinstance(found, LibraryMissing)
            and "is gone" in str(found)
            and "footnote add" in found.cure
        )


def test_only_wrong_content_is_damage() -> None:
    """Of all SQLite error codes; the two that matter most come from real errors."""
    codes = {
        name
        for name in dir(sqlite3)
        if name.startswith("SQLITE_") and isinstance(getattr(sqlite3, name), int)
    }
    found = {name for name in codes if is_damage(_sqlite(name, "said"))}
    assert found == {name for name in codes if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))}
    with pytest.raises(sqlite3.OperationalError) as error:
        sqlite3.connect(":memory:").execute("SELECT 1 WHERE 'x' LIKE ?", ("%" * 60_000,))
    assert not is_damage(error.value)


@pytest.mark.parametrize(
    "command", ["add", "sync", "status", "search", "questions", "repair", "rebuild"]
)
@pytest.mark.parametrize("what", ["home", "above", "libraries", "library", "dangling"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, what: str, command: str) -> None:
    home = tmp_path / "home"
    blocked = {
        "home": home,
        "above": tmp_path / "above",
        "libraries": home / "libraries",
        "library": home / "libraries" / "default",
        "dangling": home,
    }[what]
    blocked.parent.mkdir(parents=True, exist_ok=True)
    if what == "dangling":
        blocked.symlink_to(tmp_path / "nothing")
    else:
        blocked.write_text("a file")
    with Small(blocked / "home" if what == "above" else home) as bot:
        calls: dict[str, Callable[[], object]] = {
            "add": lambda: list(bot.add([str(tmp_path)])),
            "sync": lambda: list(bot.sync()),
            "status": bot.status,
            "search": lambda: bot.search("x"),
            "questions": bot.questions,
            "rebuild": lambda: list(bot.rebuild()),
        }
        if command == "repair":
            (left,) = [event for event in bot.repair() if isinstance(event, Repaired)]
            assert not left.done and str(blocked) in left.says and left.cure
            return
        with pytest.raises(Usage, match=r"is a file|is a link to nothing") as error:
            calls[command]()
    assert str(blocked) in str(error.value) and error.value.cure


@pytest.mark.slow
def test_a_folder_that_another_process_is_making_is_no_file(tmp_path: Path) -> None:
    folder, ended = tmp_path / "library", threading.Event()

    def make_and_remove() -> None:
        while not ended.is_set():
            folder.mkdir()
            folder.rmdir()

    other = threading.Thread(target=make_and_remove)
    other.start()
    try:
        assert not [blocked for _ in range(30_000) if (blocked := no_folder(folder))]
    finally:
        ended.set()
        other.join()


def test_a_path_that_is_too_long_is_reported(tmp_path: Path) -> None:
    with Small(tmp_path / ("x" * 300)) as bot, pytest.raises(Usage, match="too long"):
        list(bot.add([str(tmp_path)]))


@pytest.mark.slow
def test_memory_is_not_taken_for_the_disk_nor_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d.txt").write_text("The report on zqx says that it rains.\n")
    with Small(tmp_path / "home") as bot:
        list(bot.add([str(tmp_path / "d.txt")]))

    def full(*_: object) -> list[str]:
        raise MemoryError

    monkeypatch.setattr("rag.library.database.Database.failed_pages", full)
    with Small(tmp_path / "home") as bot, pytest.raises(RagError, match="not enough memory"):
        list(bot.repair())
    assert not list(tmp_path.rglob("*damaged*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="rights as Linux has them")
@pytest.mark.parametrize("shut", ["library.db", "history.db", "", "vectors"])
def test_an_unreadable_file_is_reported_and_not_taken_for_damage(shut: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "d.txt").write_text("The report on zqx says that it rains.\n")
        with Small(place / "home") as bot:
            list(bot.add([str(place / "d.txt")]))
            list(bot.ask("What of zqx?"))
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", folder], check=True)
        library = place / "home" / "libraries" / "default"
        (library / shut).chmod(0)
        names = sorted(str(path) for path in place.rglob("*"))

        def work(tell: Tell) -> None:
            with Small(place / "home") as bot:
                with suppress(LibraryMissing):
                    for event in bot.repair():
                        if isinstance(event, Repaired):
                            tell([event.what, event.done, event.says, event.cure])
                list(bot.ask("What of zqx?"))

        found = run(_as_nobody(work))
        assert found.fault is None
        said = [found.error[1:]] if found.error else []
        said += [(line[2], line[3]) for line in found.told]
        assert said and all(not line[1] for line in found.told)
        for what, cure in said:
            assert "denied" in what or "right" in what, said
            assert (
                "damaged" not in what
                and f"chmod u+rw{'' if shut.endswith('db') else 'x'} {library / shut}".rstrip("/")
                in cure
            )
        assert names == sorted(str(path) for path in place.rglob("*"))


def test_a_closed_output_is_no_error_of_the_library(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), disk_errors_named(tmp_path):
        raise BrokenPipeError


class _Door:
    def __init__(self, home: Path) -> None:
        self.config = Config(home=str(home))
        self.closed = False

    @reports_disk_errors
    def look(self) -> int:
        raise _system(errno.ENOSPC)

    @reports_disk_errors
    def work(self) -> Iterator[int]:
        try:
            yield 1
            raise _system(errno.ENOSPC)
        finally:
            self.closed = True


def test_methods_that_return_and_methods_that_yield_report_alike(tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_a_folder_removed_in_the_middle_is_noticed_before_more_is_reported_as_added(
    tmp_path: Path,
) -> None:
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
