"""Saved questions and answers, in a file of their own next to the library's.

SQLite has one writer at a time, and an ingest writes a thousand passages in one transaction. In the
same file a question would wait for that. A question is saved when it is asked, its answer sentence
by sentence (`answer_recorder`). Answers are kept as they were given (the object of ``ask --json``)
and never computed again; a turn with an answer has a checksum of both. The file is created with the
library. A file that is missing or is no history raises an error, and a repair creates a new one
(`replace_history`). `conversations` finds, renames and removes what is saved here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from rag import serialize
from rag.disk.disk_errors import disk_errors_named, is_damage
from rag.domain import Turn
from rag.errors import LibraryBroken
from rag.library.database import Database
from rag.library.schema import checksum

FILE = "history.db"
TABLES = (
    "CREATE TABLE IF NOT EXISTS turns(number INTEGER PRIMARY KEY, "
    "conversation TEXT NOT NULL, asked TEXT NOT NULL, "
    "question TEXT NOT NULL, answer TEXT, checksum BLOB)",
    "CREATE INDEX IF NOT EXISTS turns_conversation ON turns(conversation)",
)
_CURE = "run: footnote doctor --repair"
_CURE_IF_GONE = "put it back, then ask again; or: footnote doctor --repair"
_IS_RECORD = (
    "typeof(conversation) = 'text' AND typeof(asked) = 'text' AND typeof(question) = 'text'"
)


class TurnRow(NamedTuple):
    """A row of the table of turns. A value of a damaged row may be of another type."""

    number: int
    conversation: str
    asked: str  #: time
    question: str
    answer: str | None  #: JSON
    checksum: bytes | None

    @property
    def is_valid(self) -> bool:
        """Whether it is a question, with the answer that was saved if it has one."""
        texts = self.conversation, self.asked, self.question
        if not all(isinstance(part, str) for part in texts):
            return False
        mark = self.checksum
        if mark is not None and (
            not isinstance(mark, bytes) or checksum(self.number, self.question, self.answer) != mark
        ):
            return False
        return self.answer is None or _is_answer(self.answer)


_SELECT = f"SELECT {', '.join(TurnRow._fields)} FROM turns"  # noqa: S608


class History:
    """The conversations of the library in `folder`. Raises `LibraryBroken` without a history."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        with disk_errors_named(folder, FILE):
            if not path.exists():
                raise LibraryBroken(f"{path} is gone, and with it the earlier conversations", _CURE)
        self.database = Database(path, cure_if_gone=_CURE_IF_GONE)
        self.database.read_leniently()
        try:
            with disk_errors_named(folder, FILE):
                columns = columns_of(self.database.connection)
                if not columns:
                    raise LibraryBroken(
                        f"{path} has no conversations: it was emptied or is another file", _CURE
                    )
                if missing := [name for name in TurnRow._fields if name not in columns]:
                    raise LibraryBroken(
                        f"{path}: the table of turns has no {', '.join(missing)}", _CURE
                    )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def ask(self, conversation: str, asked: str, question: str) -> int:
        """Save a question before it is answered, at time `asked`; return the number of the turn."""
        with self.database.writing():
            row = self.database.execute(
                "INSERT INTO turns(conversation, asked, question) VALUES (?, ?, ?)",
                (conversation, asked, question),
            )
        return int(row.lastrowid or 0)

    def answer(self, turn: int, answer: str) -> None:
        """Save the answer object (JSON) of a turn."""
        with self.database.writing():
            saved = self.database.execute(
                "SELECT question FROM turns WHERE number = ?", (turn,)
            ).fetchone()
            if saved is None:
                raise LibraryBroken(
                    f"{self.database.path}: the question that was just saved is gone",
                    "ask it again",
                )
            row = (answer, checksum(turn, saved[0], answer), turn)
            self.database.execute("UPDATE turns SET answer = ?, checksum = ? WHERE number = ?", row)

    def damaged(self) -> dict[int, str]:
        """Return number and question of turns that are invalid or have a changed answer."""
        rows = map(TurnRow._make, self._rows(_SELECT))
        return {row.number: str(row.question) for row in rows if not row.is_valid}

    def forget(self, turns: Iterable[int]) -> None:
        """Remove the answers of turns. The questions stay, converted to text."""
        with self.database.writing():
            self.database.execute("DROP TABLE IF EXISTS summaries")  # made again from the answers
            self.database.executemany(
                "UPDATE turns SET answer = NULL, checksum = NULL, "
                "question = CAST(question AS TEXT), conversation = CAST(conversation AS TEXT), "
                "asked = CAST(asked AS TEXT) WHERE number = ?",
                [(turn,) for turn in turns],
            )

    def indexed(self) -> bool:
        """Whether the SQLite index of the turns exists; `index` makes it again."""
        return bool(
            self._rows(
                "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'turns_conversation'"
            )
        )

    def index(self) -> None:
        """Make the SQLite index of the turns if there is none."""
        with self.database.writing():
            self.database.execute(TABLES[1])

    def turns(self, conversation: str) -> list[tuple[str, str | None]]:
        """Return (question, answer object) of the turns of a conversation, as `turn_rows`."""
        return [(row.question, row.answer) for row in self.turn_rows(conversation)]

    def turn_rows(self, conversation: str) -> list[TurnRow]:
        """Return the turns of a conversation, oldest first.

        The answer object is JSON, None if no word was written. Raises `LibraryBroken` for an
        answer that has changed since it was saved or is no answer.
        """
        select = f"{_SELECT} WHERE conversation = ? ORDER BY number"
        rows = [TurnRow(*row) for row in self._rows(select, conversation)]
        for row in rows:
            if not row.is_valid:
                problem = "does not match its checksum or is no answer"
                raise LibraryBroken(
                    f"{FILE}: the saved answer to {row.question!r} {problem}", _CURE
                )
        return rows

    def answered(self, conversation: str) -> list[Turn]:
        """Return the answered questions of a conversation, oldest first. Raises as `turns`."""
        saved = [
            (question, json.loads(text)) for question, text in self.turns(conversation) if text
        ]
        return [
            serialize.turn(question, answer) for question, answer in saved if "answer" in answer
        ]

    def questions(self, limit: int) -> list[str]:
        """Return the last questions, newest first, each once."""
        rows = self._rows(
            f"SELECT question FROM turns WHERE {_IS_RECORD} "  # noqa: S608
            "GROUP BY question ORDER BY max(number) DESC LIMIT ?",
            limit,
        )
        return [row[0] for row in rows]

    def _rows(self, select: str, *values: Any) -> list[Any]:
        with disk_errors_named(self.database.path.parent, FILE):
            return self.database.execute(select, values).fetchall()


def columns_of(db: sqlite3.Connection) -> list[str]:
    """Return the column names of the table of turns, [] if there is no such table."""
    table = db.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'turns'"
    ).fetchone()
    return [row[1] for row in db.execute("PRAGMA table_info(turns)")] if table else []


def _is_answer(answer: Any) -> bool:
    """Whether this is the JSON of an answer object. Those of older versions may lack fields."""
    if not isinstance(answer, str | bytes):
        return False
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or not isinstance(value.get("answer", ""), str):
        return False
    return all(isinstance(value.get(name, ""), str | None) for name in ("asked", "short"))


def create_history(folder: Path, turns: Iterable[TurnRow] = (), name: str = FILE) -> None:
    """Create the file if it is missing and insert `turns`.

    Rows that are in the file already are kept, so a call that was killed can be repeated.
    """
    database = Database(folder / name, make=True)
    try:
        with database.writing():
            for statement in TABLES:
                database.execute(statement)
            database.executemany("INSERT OR IGNORE INTO turns VALUES (?, ?, ?, ?, ?, ?)", turns)
    finally:
        database.close()


def salvage_turns(folder: Path) -> list[TurnRow]:
    """Return the readable turns of a damaged history, ordered by number.

    A turn with a damaged answer is returned without it. Raises `RagError` if the disk, not the
    content of the file, prevents reading.
    """
    rows: dict[int, TurnRow] = {}
    try:
        database = Database(folder / FILE)
    except LibraryBroken:
        return []
    try:
        database.read_leniently()
        for order in ("ASC", "DESC"):  # the rows after a damaged page are read from the other end
            with disk_errors_named(folder, FILE):
                try:
                    _read_turns(database, order, rows)
                except sqlite3.Error as error:
                    if not is_damage(error):
                        raise
    finally:
        database.close()
    return [rows[number] for number in sorted(rows)]


def _read_turns(database: Database, order: str, rows: dict[int, TurnRow]) -> None:
    """Add the turns to `rows` by number, in SQL order `order`, until a page cannot be read."""
    present = set(columns_of(database.connection))
    if not {"number", "question"} <= present:
        return
    defaults = {"conversation": "'recovered'", "asked": "''", "answer": "NULL", "checksum": "NULL"}
    columns = ", ".join(name if name in present else defaults[name] for name in TurnRow._fields)
    select = f"SELECT {columns} FROM turns NOT INDEXED ORDER BY number {order}"  # noqa: S608
    for row in map(TurnRow._make, database.execute(select)):
        if row.is_valid:
            rows[row.number] = row
        elif isinstance(row.question, str):
            conversation, asked = (
                part if isinstance(part, str) else "" for part in (row.conversation, row.asked)
            )
            rows.setdefault(
                row.number, TurnRow(row.number, conversation, asked, row.question, None, None)
            )
