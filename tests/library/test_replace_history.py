"""A damaged history is replaced without losing a readable turn, whatever fails or is killed."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rag.errors import LibraryBroken, RagError
from rag.events import Event, Repaired
from rag.library.conversations import Conversations
from rag.library.database import Database
from rag.library.history import History, TurnRow, salvage_turns
from rag.library.library import Library
from rag.library.replace_history import Disk, replace_history
from rag.library.schema import checksum
from rag.upkeep.repair_history import repair_history
from tests.faults.child import Tell, run

_TURNS = 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library with many saved answers."""
    folder = tmp_path / "libraries" / "lib"
    Library(folder, make=True, identity="test").close()
    with closing(History(folder)) as history, history.database.writing():
        for number in range(1, _TURNS + 1):
            question, answer = (
                f"Who signed {number}?",
                json.dumps({"answer": f"Ada {number} " + "x" * 300}),
            )
            row = (
                number,
                f"talk{number % 7}",
                "2024-05-01",
                question,
                answer,
                checksum(number, question, answer),
            )
            history.database.execute("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?)", row)
    return folder


def _hurt(folder: Path) -> bytes:
    """One page of the turns all zeros. Returns the damaged file."""
    path = folder / "history.db"
    content = bytearray(path.read_bytes())
    content[4096 * 9 : 4096 * 10] = bytes(4096)
    path.write_bytes(content)
    return bytes(content)


def _repaired(folder: Path) -> list[Repaired]:
    return [event for event in repair_history(folder) if isinstance(event, Repaired)]


def _questions(folder: Path) -> list[str]:
    with closing(History(folder)) as history:
        return history.questions(_TURNS)


def test_what_can_be_read_of_a_damaged_history_is_taken_over(folder: Path) -> None:
    hurt = _hurt(folder)
    (mended,) = _repaired(folder)
    kept = folder / "history-damaged-1.db"
    assert mended.done and str(kept) in mended.says and kept.read_bytes() == hurt
    assert (
        _TURNS - 20 <= len(_questions(folder)) < _TURNS
    )  # on either side of the page that is lost
    assert _repaired(folder) == []
    with closing(History(folder)) as history:
        assert all(answer and "Ada" in answer for _, answer in history.turns("talk3"))


def test_a_copy_that_was_kept_before_is_never_replaced(folder: Path) -> None:
    (folder / "history-damaged-1.db").write_text("an earlier one")
    (folder / "history-damaged-2.db-wal").write_text("of an earlier one")
    (folder / "history-damaged-3.db").symlink_to("nowhere")
    _hurt(folder)
    (mended,) = _repaired(folder)
    assert str(folder / "history-damaged-4.db") in mended.says
    assert (folder / "history-damaged-1.db").read_text() == "an earlier one"
    assert (folder / "history-damaged-2.db-wal").read_text() == "of an earlier one"


_CALLS = ("link", "unlink", "replace", "fsync", "open")


class _FailingDisk(Disk):
    """A disk on which the `at`-th of the calls named `call` does what `fault` does."""

    def __init__(self, call: str, at: int, fault: Callable[[], object]) -> None:
        self._call, self._left, self._fault = call, at, fault

    def _count(self, call: str) -> None:
        self._left -= call == self._call
        if call == self._call and self._left == 0:
            self._fault()

    def link(self, old: str, new: str) -> None:
        self._count("link")
        super().link(old, new)

    def unlink(self, path: str | Path) -> None:
        self._count("unlink")
        super().unlink(path)

    def replace(self, old: Path, new: Path) -> None:
        self._count("replace")
        super().replace(old, new)

    def open(self, path: Path) -> int:
        self._count("open")
        return super().open(path)

    def fsync(self, descriptor: int) -> None:
        self._count("fsync")
        super().fsync(descriptor)


class _WithoutLinks(Disk):
    """A disk whose file system has no hard links."""

    def link(self, old: str, new: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")


def _nothing(_: Path) -> list[TurnRow]:
    return []


@pytest.mark.slow
@pytest.mark.parametrize("state", ["damaged", "damaged with a journal"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", _CALLS)
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_whatever_fails_the_old_file_is_there_whole(
    folder: Path, call: str, number: int, at: int, state: str
) -> None:
    hurt = _hurt(folder)
    salvage: Callable[[Path], list[TurnRow]] = salvage_turns
    if "journal" in state:
        salvage = _nothing  # SQLite would remove a journal that it cannot use
        (folder / "history.db-wal").write_bytes(b"a journal that nobody can read")

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    with suppress(RagError):
        replace_history(folder, salvage, _FailingDisk(call, at, fail))
    copies = sorted(folder.glob("history-damaged-*.db"))
    there = (folder / "history.db").read_bytes()
    assert there == hurt or [copy.read_bytes() for copy in copies] == [hurt]
    if "journal" in state:
        here = (folder / "history.db") if there == hurt else copies[0]
        assert here.with_name(f"{here.name}-wal").exists()
    assert not list(folder.glob(".history*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a child that is killed")
@pytest.mark.parametrize("call", ["link", "unlink", "replace", "fsync"])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_wherever_it_is_killed_the_old_file_is_there_whole(
    folder: Path, call: str, at: int
) -> None:
    hurt = _hurt(folder)

    def work(_: Tell) -> None:
        def kill() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        replace_history(folder, disk=_FailingDisk(call, at, kill))

    run(work)
    copies = sorted(folder.glob("history-damaged-*.db"))
    assert (folder / "history.db").read_bytes() == hurt or copies[0].read_bytes() == hurt
    assert all(event.done for event in _repaired(folder))
    assert len(_questions(folder)) >= _TURNS - 20 and not list(folder.glob(".history*"))


def test_where_there_are_no_second_names_the_old_file_is_copied(folder: Path) -> None:
    hurt = _hurt(folder)
    (mended,) = repair_history(folder, disk=_WithoutLinks())
    assert isinstance(mended, Repaired)
    assert mended.done and (folder / "history-damaged-1.db").read_bytes() == hurt
    assert (folder / "history-damaged-1.db").stat().st_mode & 0o077 == 0


_NOT_DAMAGE = [
    ("SQLITE_FULL", "database or disk is full"),
    ("SQLITE_IOERR_WRITE", "disk I/O error"),
    ("SQLITE_BUSY", "locked"),
    ("SQLITE_CANTOPEN", "unable to open database file"),
    ("SQLITE_READONLY", "attempt to write a readonly database"),
    ("SQLITE_IOERR_SHMSIZE", "disk I/O error"),
    ("SQLITE_PERM", "access permission denied"),
    ("", ""),
]


class _FailingDatabase(Database):
    """A database of which one step fails; before `reindex` its indices do not agree."""

    def __init__(self, path: Path, step: str, error: RagError) -> None:
        super().__init__(path)
        self._step, self._error = step, error

    def failed_pages(self) -> list[str]:
        if self._step == "failed_pages":
            raise self._error
        disagree = ["row 3 missing from index turns_conversation"]
        return disagree if self._step == "reindex" else super().failed_pages()

    def reindex(self) -> None:
        assert self._step == "reindex"
        raise self._error


class _FailingHistory(History):
    """A history of which one step fails."""

    def __init__(self, folder: Path, step: str, error: RagError) -> None:
        super().__init__(folder)
        self.database.close()
        self.database = _FailingDatabase(folder / "history.db", step, error)
        self._step, self._error = step, error

    def damaged(self) -> dict[int, str]:
        if self._step == "damaged":
            raise self._error
        return super().damaged()

    def forget(self, turns: Iterable[int]) -> None:
        assert self._step == "forget"
        raise self._error


@pytest.mark.parametrize(("name", "said"), _NOT_DAMAGE)
@pytest.mark.parametrize("step", ["failed_pages", "reindex", "damaged", "forget"])
def test_an_error_that_is_no_damage_leaves_the_history_where_it_is(
    folder: Path, name: str, said: str, step: str
) -> None:
    from rag.disk.disk_errors import describe_disk_error

    error = sqlite3.OperationalError(said)
    error.sqlite_errorname = name
    foreseen = describe_disk_error(error if name else MemoryError(), folder, "history.db")
    assert not isinstance(foreseen, LibraryBroken)

    before = (folder / "history.db").read_bytes()
    (left,) = repair_history(folder, lambda path: _FailingHistory(path, step, foreseen))
    assert isinstance(left, Repaired)
    assert left.what == "history" and not left.done and left.cure
    assert (folder / "history.db").read_bytes() == before and not list(folder.glob("*damaged*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files, in a child")
@pytest.mark.parametrize("state", ["well", "damaged"])
@pytest.mark.parametrize("size", [0, 4096, 20_000, 32_768, 36_000, 45_000, 60_000, 100_000])
def test_with_little_room_every_turn_stays_readable(folder: Path, size: int, state: str) -> None:
    before = _hurt(folder) if state == "damaged" else (folder / "history.db").read_bytes()

    def work(tell: Tell) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        for event in repair_history(folder):
            assert isinstance(event, Repaired)
            tell([event.done, event.says, event.cure])

    found = run(work)
    assert found.fault is None and found.error is None
    copies = list(folder.glob("history-damaged-*"))
    if state == "well" or copies == []:
        assert copies == [] and (folder / "history.db").read_bytes() == before
        assert all(not line[0] and line[2] for line in found.told)
        assert state == "well" or found.told
    else:
        ((done, says, _),) = found.told
        assert done and str(copies[0]) in says and copies[0].read_bytes() == before
    for event in _last(folder):
        assert event.done
    assert len(_questions(folder)) >= (_TURNS if state == "well" else _TURNS - 20)


def _last(folder: Path) -> list[Repaired]:
    """There is room again."""
    return _repaired(folder)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


_HARMS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("hello"),
    "folder": _a_folder,
    "gone": lambda path: path.unlink(),
    "link to nothing": _a_link_to_nothing,
}


@pytest.mark.parametrize("harm", _HARMS.values(), ids=_HARMS)
def test_what_is_no_history_gets_another_name_and_conversations_begin(
    folder: Path, harm: Callable[[Path], object]
) -> None:
    harm(folder / "history.db")
    (mended,) = _repaired(folder)
    assert mended.done and _questions(folder) == [] and _repaired(folder) == []


@pytest.mark.parametrize("column", ["conversation", "asked", "answer", "checksum"])
def test_a_lost_column_does_not_cost_the_questions(folder: Path, column: str) -> None:
    with closing(sqlite3.connect(folder / "history.db", isolation_level=None)) as db:
        db.execute("DROP INDEX turns_conversation")
        db.execute(f"ALTER TABLE turns DROP COLUMN {column}")
    (mended,) = _repaired(folder)
    assert mended.done and len(_questions(folder)) == _TURNS


def _events(folder: Path) -> list[Event]:
    return list(repair_history(folder))


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "null",
        '"x"',
        "3",
        '{"answer": 3}',
        "no JSON",
        "[" * 100_000,
        '{"answer": "a", "asked": [1]}',
        "",
        "{" * 9,
    ],
)
def test_a_saved_answer_that_is_none_is_damage_and_is_removed_by_name(
    folder: Path, answer: str
) -> None:
    with closing(sqlite3.connect(folder / "history.db", isolation_level=None)) as db:
        mark = checksum(3, "Who signed 3?", answer)
        db.execute("UPDATE turns SET answer = ?, checksum = ? WHERE number = 3", (answer, mark))
    with closing(History(folder)) as history, pytest.raises(LibraryBroken) as error:
        history.turns("talk3")
    assert "Who signed 3?" in str(error.value) and "--repair" in error.value.cure
    (mended,) = _events(folder)
    assert isinstance(mended, Repaired) and mended.done and "Who signed 3?" in mended.says
    with closing(History(folder)) as history:
        assert history.turns("talk3")[0] == ("Who signed 3?", None)


@pytest.mark.parametrize("column", ["conversation", "asked", "question"])
@pytest.mark.parametrize("value", ["x'ff00'", "CAST(x'ff41' AS TEXT)"])
def test_a_turn_that_is_no_text_is_left_out_and_mended(
    folder: Path, column: str, value: str
) -> None:
    with closing(sqlite3.connect(folder / "history.db", isolation_level=None)) as db:
        db.execute(f"UPDATE turns SET {column} = {value} WHERE number = 3")
    with closing(History(folder)) as history:
        assert all(
            isinstance(part, str)
            for row in Conversations(history).find(limit=9)
            for part in (row.id, row.title, row.asked)
        )
        assert all(isinstance(question, str) for question in history.questions(_TURNS))
    _events(folder)
    assert _events(folder) == [] and len(_questions(folder)) == _TURNS
