"""Single values of a library: its identity, its revision, the rule that masked its boilerplate."""

from __future__ import annotations

from rag.library.database import Database

IDENTITY = "identity"
REVISION = "revision"
MASKING_RULE = "template"


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
