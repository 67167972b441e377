"""Questions and answers, saved: in the library's own file, a question as it is asked, its answer when it is whole.

Answers are kept as they were given (the object of ``ask --json``) and never computed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

TABLES = """
CREATE TABLE turns(
    number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, asked TEXT NOT NULL, question TEXT NOT NULL, answer TEXT);
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
            self._db.execute("UPDATE turns SET answer = ? WHERE number = ?", (answer, turn))

    def turns(self, conversation: str) -> list[tuple[str, str | None]]:
        """Questions and answer objects (JSON, None where none was finished) of a conversation, oldest first."""
        rows = self._db.execute(
            "SELECT question, answer FROM turns WHERE conversation = ? ORDER BY number", (conversation,)
        )
        return [(question, answer) for question, answer in rows]

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
