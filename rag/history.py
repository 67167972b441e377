"""Questions and answers, saved: in the library's own file, a question as it is asked, its answer when it is whole.

Answers are kept as they were given (the object of ``ask --json``) and never computed again; a turn that was answered has
the checksum of both. Libraries that were made before there was one get the column with their next answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from rag.errors import LibraryBroken
from rag.rows import checksum

TABLES = """
CREATE TABLE turns(
    number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, asked TEXT NOT NULL, question TEXT NOT NULL, answer TEXT,
    checksum BLOB);
CREATE INDEX turns_conversation ON turns(conversation);
"""


class History:
    """Conversations in an open library. `writing` is the library's transaction."""

    def __init__(self, db: sqlite3.Connection, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._db, self._writing = db, writing

    def ask(self, conversation: str, asked: str, question: str) -> int:
        """Save a question before it is answered. Returns the turn's number."""
        with self._writing():
            row = self._db.execute(
                "INSERT INTO turns(conversation, asked, question) VALUES (?, ?, ?)", (conversation, asked, question)
            )
        return int(row.lastrowid or 0)

    def answer(self, turn: int, answer: str) -> None:
        """Save the answer object (JSON) of a turn."""
        with self._writing():
            if not self._checked():
                self._db.execute("ALTER TABLE turns ADD COLUMN checksum BLOB")
            (question,) = self._db.execute("SELECT question FROM turns WHERE number = ?", (turn,)).fetchone()
            row = (answer, checksum(turn, question, answer), turn)
            self._db.execute("UPDATE turns SET answer = ?, checksum = ? WHERE number = ?", row)

    def _checked(self) -> bool:
        return any(row[1] == "checksum" for row in self._db.execute("PRAGMA table_info(turns)"))

    def damaged(self) -> dict[int, str]:
        """Number and question of the turns whose answer is not the one that was saved."""
        if not self._checked():
            return {}
        rows = self._db.execute("SELECT number, question, answer, checksum FROM turns WHERE checksum IS NOT NULL")
        return {row[0]: row[1] for row in rows if checksum(*row[:3]) != row[3]}

    def forget(self, turns: Iterable[int]) -> None:
        """The questions stay, their answers go."""
        with self._writing():
            self._db.executemany(
                "UPDATE turns SET answer = NULL, checksum = NULL WHERE number = ?", [(t,) for t in turns]
            )

    def turns(self, conversation: str) -> list[tuple[str, str | None]]:
        """Questions and answer objects (JSON, None where none was finished) of a conversation, oldest first.

        Raises `LibraryBroken` for an answer that is not the one that was saved.
        """
        mark = "checksum" if self._checked() else "NULL"
        rows = self._db.execute(
            f"SELECT number, question, answer, {mark} FROM turns WHERE conversation = ? ORDER BY number",  # noqa: S608
            (conversation,),
        ).fetchall()
        for row in rows:
            if row[3] is not None and checksum(*row[:3]) != row[3]:
                raise LibraryBroken(
                    f"library.db: the saved answer to {row[1]!r} does not match its checksum",
                    "run: footnote doctor --repair",
                )
        return [(question, answer) for _, question, answer, _ in rows]

    def conversations(self, limit: int) -> list[tuple[str, str, str, int]]:
        """(id, first question, time of the last, turns), newest first."""
        rows = self._db.execute(
            "SELECT t.conversation, q.question, t.asked, t.turns FROM (SELECT conversation, min(number) AS first, "
            "max(number) AS last, max(asked) AS asked, count(*) AS turns FROM turns GROUP BY conversation) t "
            "JOIN turns q ON q.number = t.first ORDER BY t.last DESC LIMIT ?",
            (limit,),
        )
        return [(i, title, asked, turns) for i, title, asked, turns in rows]

    def questions(self, limit: int) -> list[str]:
        """The last questions, newest first, each once."""
        rows = self._db.execute(
            "SELECT question FROM turns GROUP BY question ORDER BY max(number) DESC LIMIT ?", (limit,)
        )
        return [row[0] for row in rows]
