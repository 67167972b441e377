"""Questions and answers, saved: in a file of their own beside the library's, a question as it is asked, its answer when it is whole.

SQLite has one writer at a time, and a thousand passages go into the library in one transaction: in the same file an answer
would wait for that. Here it waits for nobody. Answers are kept as they were given (the object of ``ask --json``) and never
computed again; a turn that was answered has the checksum of both. The file is made with the library; where it is gone or is no longer
a history, that is said, and conversations begin anew when somebody repairs (`anew`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.disk.disk_errors import disk_errors_named, is_damage
from rag.errors import LibraryBroken
from rag.library.database import Database
from rag.library.schema import checksum

FILE = "history.db"
TABLES = (
    "CREATE TABLE IF NOT EXISTS turns(number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, asked TEXT NOT NULL, "
    "question TEXT NOT NULL, answer TEXT, checksum BLOB)",
    "CREATE INDEX IF NOT EXISTS turns_conversation ON turns(conversation)",
)
COLUMNS = ("number", "conversation", "asked", "question", "answer", "checksum")
_CURE = "run: footnote doctor --repair"
_ROW = f"SELECT {', '.join(COLUMNS)} FROM turns"  # noqa: S608
_TEXTS = "typeof(conversation) = 'text' AND typeof(asked) = 'text' AND typeof(question) = 'text'"


class History(Database):
    """Conversations of the library in `folder`. Raises `LibraryBroken` where there is no history."""

    _back = "put it back, then ask again; or: footnote doctor --repair"

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        with disk_errors_named(folder, FILE):
            if not path.exists():
                raise LibraryBroken(f"{path} is gone: what was asked before is not there", _CURE)
        super().__init__(path)
        self._db.text_factory = text
        try:
            with disk_errors_named(folder, FILE):
                columns = columns_of(self._db)
                if not columns:
                    raise LibraryBroken(
                        f"{path} holds no conversations: it was emptied or is another file", _CURE
                    )
                if missing := [name for name in COLUMNS if name not in columns]:
                    raise LibraryBroken(
                        f"{path}: the table of turns has no {', '.join(missing)}", _CURE
                    )
        except BaseException:
            self.close()
            raise

    def ask(self, conversation: str, asked: str, question: str) -> int:
        """Save a question before it is answered. Returns the turn's number."""
        with self.writing():
            row = self._db.execute(
                "INSERT INTO turns(conversation, asked, question) VALUES (?, ?, ?)",
                (conversation, asked, question),
            )
        return int(row.lastrowid or 0)

    def answer(self, turn: int, answer: str) -> None:
        """Save the answer object (JSON) of a turn."""
        with self.writing():
            found = self._db.execute(
                "SELECT question FROM turns WHERE number = ?", (turn,)
            ).fetchone()
            if found is None:
                raise LibraryBroken(
                    f"{self._path}: the question that was just saved is gone", "ask it again"
                )
            row = (answer, checksum(turn, found[0], answer), turn)
            self._db.execute("UPDATE turns SET answer = ?, checksum = ? WHERE number = ?", row)

    def damaged(self) -> dict[int, str]:
        """Number and question of the turns that are no records of a question, or whose answer is
        not the one that was saved."""
        return {row[0]: str(row[3]) for row in self._rows(_ROW) if not _whole(row)}

    def forget(self, turns: Iterable[int]) -> None:
        """The questions stay, as text, their answers go."""
        with self.writing():
            self._db.executemany(
                "UPDATE turns SET answer = NULL, checksum = NULL, question = CAST(question AS TEXT), "
                "conversation = CAST(conversation AS TEXT), asked = CAST(asked AS TEXT) WHERE number = ?",
                [(t,) for t in turns],
            )

    def indexed(self) -> bool:
        """Is the index of the turns there? Made again by `index`."""
        return bool(
            self._rows(
                "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'turns_conversation'"
            )
        )

    def index(self) -> None:
        """Make the index of the turns, where there is none."""
        with self.writing():
            self._db.execute(TABLES[1])

    def turns(self, conversation: str) -> list[tuple[str, str | None]]:
        """Questions and answer objects (JSON, None where none was finished) of a conversation, oldest first.

        Raises `LibraryBroken` for an answer that is not the one that was saved, or is no answer.
        """
        rows = self._rows(_ROW + " WHERE conversation = ? ORDER BY number", conversation)
        for row in rows:
            if not _whole(row):
                what = "does not match its checksum or is no answer"
                raise LibraryBroken(f"{FILE}: the saved answer to {row[3]!r} {what}", _CURE)
        return [(row[3], row[4]) for row in rows]

    def conversations(self, limit: int) -> list[tuple[str, str, str, int]]:
        """(id, first question, time of the last, turns), newest first.

        Rows that are no records are left out.
        """
        rows = self._rows(
            "SELECT t.conversation, q.question, t.asked, t.turns FROM (SELECT conversation, min(number) AS first, "  # noqa: S608
            f"max(number) AS last, max(asked) AS asked, count(*) AS turns FROM turns WHERE {_TEXTS} GROUP BY conversation) t "
            "JOIN turns q ON q.number = t.first ORDER BY t.last DESC LIMIT ?",
            limit,
        )
        return [(i, title, asked, turns) for i, title, asked, turns in rows]

    def questions(self, limit: int) -> list[str]:
        """The last questions, newest first, each once."""
        rows = self._rows(
            f"SELECT question FROM turns WHERE {_TEXTS} GROUP BY question ORDER BY max(number) DESC LIMIT ?",  # noqa: S608
            limit,
        )
        return [row[0] for row in rows]

    def _rows(self, select: str, *values: Any) -> list[Any]:
        with disk_errors_named(self._path.parent, FILE):
            return self._db.execute(select, values).fetchall()


def columns_of(db: sqlite3.Connection) -> list[str]:
    """The names of the columns of the table of turns; none where there is no such table."""
    table = db.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'turns'"
    ).fetchone()
    return [row[1] for row in db.execute("PRAGMA table_info(turns)")] if table else []


def text(raw: bytes) -> str:
    """A stored text; bytes that are no UTF-8 become U+FFFD, so that a checksum tells that they
    were changed."""
    return raw.decode("utf-8", "replace")


def _whole(row: tuple[Any, ...]) -> bool:
    """Is a row (of `COLUMNS`) a question, and its answer the one that was saved?"""
    number, *texts, answer, mark = row
    if not all(isinstance(part, str) for part in texts):
        return False
    if mark is not None and (
        not isinstance(mark, bytes) or checksum(number, texts[2], answer) != mark
    ):
        return False
    return answer is None or _answers(answer)


def _answers(answer: Any) -> bool:
    """Is this the JSON of an answer object? One that an older version saved may lack fields."""
    try:
        found = json.loads(answer)
    except (ValueError, TypeError, RecursionError):
        return False
    if not isinstance(found, dict) or not isinstance(found.get("answer", ""), str):
        return False
    return all(isinstance(found.get(name, ""), str | None) for name in ("asked", "short"))


def create_history(folder: Path, turns: Iterable[tuple[Any, ...]] = (), name: str = FILE) -> None:
    """Make the file, where there is none, and put in the `turns` (rows) that a library of an older format holds.

    A begin that was killed is done again by the next one: what is in already stays as it is.
    """
    made = Database(folder / name, make=True)
    try:
        with made.writing():
            for statement in TABLES:
                made._db.execute(statement)
            made._db.executemany("INSERT OR IGNORE INTO turns VALUES (?, ?, ?, ?, ?, ?)", turns)
    finally:
        made.close()


def salvaged(folder: Path) -> list[tuple[Any, ...]]:
    """The turns (rows of `COLUMNS`) that can be read of a damaged history; of one whose answer
    is damaged, the question.

    Raises `RagError` where the disk, not the file's content, is what keeps them from being read.
    """
    rows: dict[int, tuple[Any, ...]] = {}
    try:
        store = Database(folder / FILE)
    except LibraryBroken:
        return []
    try:
        store._db.text_factory = text
        for order in ("ASC", "DESC"):  # what lies behind a damaged page is read from the other end
            with disk_errors_named(folder, FILE):
                try:
                    _read(store._db, order, rows)
                except sqlite3.Error as error:
                    if not is_damage(error):
                        raise
    finally:
        store.close()
    return [rows[number] for number in sorted(rows)]


def _read(db: sqlite3.Connection, order: str, rows: dict[int, tuple[Any, ...]]) -> None:
    have = set(columns_of(db))
    if not {"number", "question"} <= have:
        return
    fills = {"conversation": "'recovered'", "asked": "''", "answer": "NULL", "checksum": "NULL"}
    columns = ", ".join(name if name in have else fills[name] for name in COLUMNS)
    for row in db.execute(f"SELECT {columns} FROM turns NOT INDEXED ORDER BY number {order}"):  # noqa: S608
        if _whole(row):
            rows[row[0]] = tuple(row)
        elif isinstance(row[3], str):
            said = (part if isinstance(part, str) else "" for part in row[1:3])
            rows.setdefault(row[0], (row[0], *said, row[3], None, None))
