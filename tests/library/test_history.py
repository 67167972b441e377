"""The history file: made from an older library, and written while another process writes."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import LibraryBroken, LibraryMissing
from rag.library.history import History, TurnRow, create_history
from rag.library.library import Library
from rag.library.schema import checksum

TURN = (7, "talk", "2024-05-01T10:00:00+00:00", "Who signed?", '{"answer": "Ada"}')
_WAITS = 0.5  # seconds; the transaction that is open would take ten


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Library(tmp_path / "lib", make=True, identity="test").close()
    return tmp_path / "lib"


def _older(folder: Path, version: int, mark: bool, *turns: tuple[object, ...]) -> None:
    """Make a library of an older format with conversations in it; `mark` adds checksums."""
    (folder / "history.db").unlink()
    with closing(sqlite3.connect(folder / "library.db", isolation_level=None)) as db:
        column = ", checksum BLOB" if mark else ""
        db.executescript(
            "CREATE TABLE turns(number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, "
            "asked TEXT NOT NULL, "
            f"question TEXT NOT NULL, answer TEXT{column}); "
            "CREATE INDEX turns_conversation ON turns(conversation);"
            f"PRAGMA user_version = {version};"
        )
        if version == 1:
            db.executescript("DROP TABLE twins; DROP TABLE bands; DROP TABLE templates;")
        for turn in turns:
            db.execute(f"INSERT INTO turns VALUES ({', '.join('?' * len(turn))})", turn)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("mark", [True, False])
def test_conversations_of_an_older_library_are_moved_as_they_are(
    folder: Path, version: int, mark: bool
) -> None:
    whole = checksum(TURN[0], TURN[3], TURN[4])
    _older(folder, version, mark, (*TURN, whole) if mark else TURN)
    with closing(Library(folder, identity="test")) as library:
        assert library.history.turns("talk") == [(TURN[3], TURN[4])]
        assert library.history.damaged() == {} and library.integrity.wrong() == []
        assert library.history.ask("talk", "2024-05-02", "And who else?") == 8
    with closing(sqlite3.connect(folder / "library.db")) as db:
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name LIKE 'turns%'").fetchall()


def test_a_damaged_answer_is_damaged_still_when_it_was_moved(folder: Path) -> None:
    _older(folder, 2, True, (*TURN, b"another"))
    with closing(Library(folder, identity="test")) as library:
        assert library.history.damaged() == {7: TURN[3]}
        with pytest.raises(LibraryBroken, match="saved answer"):
            library.history.turns("talk")


def test_a_move_that_was_killed_is_done_again_without_a_turn_twice(folder: Path) -> None:
    _older(folder, 2, True, (*TURN, checksum(TURN[0], TURN[3], TURN[4])))
    create_history(
        folder, [TurnRow(*TURN, checksum(TURN[0], TURN[3], TURN[4]))]
    )  # killed after this, before the library knew
    with closing(Library(folder, identity="test")) as library:
        assert library.history.turns("talk") == [(TURN[3], TURN[4])]


def test_an_answer_is_saved_while_documents_are_written(folder: Path) -> None:
    with (
        closing(Library(folder, identity="test")) as writer,
        closing(Library(folder, identity="test")) as reader,
    ):
        with writer.database.writing():
            started = time.monotonic()
            turn = reader.history.ask("talk", "2024-05-01", "Who signed?")
            reader.history.answer(turn, "{}")
            assert time.monotonic() - started < _WAITS
        assert writer.history.turns("talk") == [("Who signed?", "{}")]


def test_what_was_asked_stays_where_the_library_is_made_again(folder: Path) -> None:
    with closing(History(folder)) as history:
        history.ask("talk", "2024-05-01", "Who signed?")
    (folder / "library.db").unlink()
    with closing(Library(folder, make=True, identity="test")) as library:
        assert library.history.questions(5) == ["Who signed?"]


def test_a_history_that_is_taken_away_while_it_is_in_use_is_missed(folder: Path) -> None:
    with closing(Library(folder, identity="test")) as library:
        turn = library.history.ask("talk", "2024-05-01", "Who signed?")
        shutil.move(folder / "history.db", folder / "elsewhere.db")
        with pytest.raises(LibraryMissing, match=r"history\.db was removed"):
            library.history.answer(turn, "{}")
