"""Questions and answers, saved: in a file of their own beside the library's, a question as it is asked, its answer when it is whole.

SQLite has one writer at a time, and a thousand passages go into the library in one transaction: in the same file an answer
would wait for that. Here it waits for nobody. Answers are kept as they were given (the object of ``ask --json``) and never
computed again; a turn that was answered has the checksum of both. The file is made with the library; where it is gone or is no longer
a history, that is said, and conversations begin anew when somebody repairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.errors import LibraryBroken
from rag.rows import checksum
from rag.store import Store
from rag.told import naming

FILE = "history.db"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS turns(number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, asked TEXT NOT NULL, "
    "question TEXT NOT NULL, answer TEXT, checksum BLOB)",
    "CREATE INDEX IF NOT EXISTS turns_conversation ON turns(conversation)",
)
_CURE = "run: footnote doctor --repair"


class History(Store):
    """Conversations of the library in `folder`. Raises `LibraryBroken` where there is no history."""

    _back = "put it back, then ask again; or: footnote doctor --repair"

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        if not path.exists():
            raise LibraryBroken(f"{path} is gone: what was asked before is not there", _CURE)
        super().__init__(path)
        with naming(folder, FILE):
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'turns'").fetchone():
                self.close()
                raise LibraryBroken(f"{path} holds no conversations: it was emptied or is another file", _CURE)

    def ask(self, conversation: str, asked: str, question: str) -> int:
        """Save a question before it is answered. Returns the turn's number."""
        with self.writing():
            row = self._db.execute(
                "INSERT INTO turns(conversation, asked, question) VALUES (?, ?, ?)", (conversation, asked, question)
            )
        return int(row.lastrowid or 0)

    def answer(self, turn: int, answer: str) -> None:
        """Save the answer object (JSON) of a turn."""
        with self.writing():
            (question,) = self._db.execute("SELECT question FROM turns WHERE number = ?", (turn,)).fetchone()
            row = (answer, checksum(turn, question, answer), turn)
            self._db.execute("UPDATE turns SET answer = ?, checksum = ? WHERE number = ?", row)

    def damaged(self) -> dict[int, str]:
        """Number and question of the turns whose answer is not the one that was saved."""
        rows = self._rows("SELECT number, question, answer, checksum FROM turns WHERE checksum IS NOT NULL")
        return {row[0]: row[1] for row in rows if checksum(*row[:3]) != row[3]}

    def forget(self, turns: Iterable[int]) -> None:
        """The questions stay, their answers go."""
        with self.writing():
            self._db.executemany(
                "UPDATE turns SET answer = NULL, checksum = NULL WHERE number = ?", [(t,) for t in turns]
            )

    def turns(self, conversation: str) -> list[tuple[str, str | None]]:
        """Questions and answer objects (JSON, None where none was finished) of a conversation, oldest first.

        Raises `LibraryBroken` for an answer that is not the one that was saved.
        """
        rows = self._rows(
            "SELECT number, question, answer, checksum FROM turns WHERE conversation = ? ORDER BY number", conversation
        )
        for row in rows:
            if row[3] is not None and checksum(*row[:3]) != row[3]:
                raise LibraryBroken(f"{FILE}: the saved answer to {row[1]!r} does not match its checksum", _CURE)
        return [(question, answer) for _, question, answer, _ in rows]

    def conversations(self, limit: int) -> list[tuple[str, str, str, int]]:
        """(id, first question, time of the last, turns), newest first."""
        rows = self._rows(
            "SELECT t.conversation, q.question, t.asked, t.turns FROM (SELECT conversation, min(number) AS first, "
            "max(number) AS last, max(asked) AS asked, count(*) AS turns FROM turns GROUP BY conversation) t "
            "JOIN turns q ON q.number = t.first ORDER BY t.last DESC LIMIT ?",
            limit,
        )
        return [(i, title, asked, turns) for i, title, asked, turns in rows]

    def questions(self, limit: int) -> list[str]:
        """The last questions, newest first, each once."""
        rows = self._rows("SELECT question FROM turns GROUP BY question ORDER BY max(number) DESC LIMIT ?", limit)
        return [row[0] for row in rows]

    def _rows(self, select: str, *values: Any) -> list[Any]:
        with naming(self._path.parent, FILE):
            return self._db.execute(select, values).fetchall()


def begin(folder: Path, turns: Iterable[tuple[Any, ...]] = ()) -> None:
    """Make the file, where there is none, and put in the `turns` (rows) that a library of an older format holds.

    A begin that was killed is done again by the next one: what is in already stays as it is.
    """
    made = Store(folder / FILE, make=True)
    try:
        with made.writing():
            for statement in _TABLES:
                made._db.execute(statement)
            made._db.executemany("INSERT OR IGNORE INTO turns VALUES (?, ?, ?, ?, ?, ?)", turns)
    finally:
        made.close()


def aside(folder: Path) -> Path | None:
    """Give what is there of a history another name, which is returned; None where there is nothing."""
    path = folder / FILE
    if not path.exists():
        return None
    number = 1
    while (kept := folder / f"history-damaged-{number}.db").exists():
        number += 1
    for end in ("-wal", "-shm", ""):
        beside = folder / (FILE + end)
        if beside.exists():
            beside.rename(folder / (kept.name + end))
    return kept
