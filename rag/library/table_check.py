"""The tables that a library must have, held against those that it has; and what is missing of them
made again.

A table that was dropped is made empty, one that lacks a column is copied into a whole one. What was
in them is then made again by the rest of a repair: words, labels and hashes of templates from the
texts, passages from the texts, texts from the user's files. Rows that lost a value fail their
checksum, which is how that repair finds them.
"""

from __future__ import annotations

import sqlite3
import time
from functools import cache

from rag.disk.disk_errors import disk_errors_named
from rag.errors import LibraryBroken
from rag.library.boilerplate import BOILERPLATE_TABLES
from rag.library.database import Database
from rag.library.duplicates import DUPLICATE_TABLES
from rag.library.schema import FULLTEXT_TABLE, SCHEMA, TABLES

ALL = TABLES + DUPLICATE_TABLES + BOILERPLATE_TABLES
UNKNOWN = "?"  #: the identity of a library that no longer says what it was made with: its vectors are made again
_MOST = 2**52  # a revision beyond it is none of ours
_EMPTY = {"TEXT": "''", "INTEGER": "0", "BLOB": "x''"}
_FILLS = {
    "document": "NULL",
    "page": "NULL",
    "date": "NULL",
    "reason": "NULL",
    "cure": "NULL",
    "source": "path",
}
_TOGETHER = ({"twins", "bands"}, {"templates"}, {"meta"})  # made again, all of a kind or nothing

_NAMELESS = "it does not say what its passages were embedded with"
Column = tuple[str, str]


def missing_parts(db: sqlite3.Connection, indices: bool = True) -> list[str]:
    """What is missing of tables, columns, indices and what the library says of itself; nothing
    where all is there."""
    tables, indexes = _expected()
    there = _there(db)
    said = []
    for name, columns in tables.items():
        if there.get(name) != "table":
            said.append(f"the table {name} is missing")
        elif [c for c in columns if c not in _columns(db, name)]:
            said.append(f"the table {name} lacks a column")
        elif columns and _columns(db, name) != list(columns):
            said.append(f"the table {name} has other columns")
    if indices:
        said += [f"the index {name} is missing" for name in indexes if there.get(name) != "index"]
    return said or _unsaid(db)


def _unsaid(db: sqlite3.Connection) -> list[str]:
    """What is missing of identity and revision."""
    meta = _said(db)
    said = []
    if meta.get("identity") is None:
        said.append(_NAMELESS)
    if not is_revision(meta.get("revision")):
        said.append(f"its revision is {meta.get('revision')!r}")
    return said


def _said(db: sqlite3.Connection) -> dict[str, str | None]:
    """What the library says of itself; None for what is no text."""
    found = {}
    for key, value, kind in db.execute(
        "SELECT CAST(key AS BLOB), CAST(value AS BLOB), typeof(value) FROM meta"
    ):
        try:
            found[(key or b"").decode("utf-8", "replace")] = (
                value.decode() if kind == "text" else None
            )
        except UnicodeDecodeError:
            found[key.decode("utf-8", "replace")] = None
    return found


def is_revision(value: object) -> bool:
    """Is it a revision, as text?"""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) < 17
        and int(value) < _MOST
    )


@cache
def _expected() -> tuple[dict[str, tuple[Column, ...]], dict[str, tuple[str, str]]]:
    """Of each table its columns (none of `words`, which SQLite reads through its shadow tables);
    of each index (table, SQL)."""
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(ALL)
        rows = db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        tables = {
            n: tuple(_columns(db, n)) if n != "words" else ()
            for kind, n, _, _ in rows
            if kind == "table"
        }
        return tables, {name: (table, sql) for kind, name, table, sql in rows if kind == "index"}
    finally:
        db.close()


def _there(db: sqlite3.Connection) -> dict[str, str]:
    """Name and kind of all that is in the file.

    `words` counts as a table only where it is a virtual one.
    """
    rows = db.execute("SELECT name, type, sql FROM sqlite_master").fetchall()
    return {n: "other" if n == "words" and not _virtual(sql) else kind for n, kind, sql in rows}


def _virtual(sql: object) -> bool:
    return isinstance(sql, str) and sql.upper().startswith("CREATE VIRTUAL TABLE")


def _columns(db: sqlite3.Connection, table: str) -> list[Column]:
    return [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]


def ours(db: sqlite3.Connection) -> bool:
    """Does the file hold any table of ours?"""
    return bool(
        set(_expected()[0]) & {name for name, kind in _there(db).items() if kind == "table"}
    )


def restore_missing(store: Database) -> list[str]:
    """Make again what is missing in the library file that `store` has open; one transaction.
    Returns what was missing.

    Nothing is done in a file of another format, or of another program. What is in tables that
    were dropped is not brought back.
    """
    db = store._db
    with disk_errors_named(store._path.parent, store._path.name):
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, SCHEMA) or not ours(db):
            return []
        said = missing_parts(db) + (["it does not say its format"] if version == 0 else [])
        if not said and not _said(db)["identity"]:
            said.append(_NAMELESS)
        if not said:
            return []
        db.execute(
            "PRAGMA legacy_alter_table = ON"
        )  # a table may be renamed while others are missing
        with store.writing():
            _tables(db)
            _meta(db)
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            if left := missing_parts(db):
                raise LibraryBroken(f"{store._path}: {'; '.join(left)}", "put it back from a copy")
    return said


def _tables(db: sqlite3.Connection) -> None:
    tables, indexes = _expected()
    there = _there(db)
    for name in (n for n in tables if there.get(n) == "view" and not n.startswith("words")):
        db.execute(f"DROP VIEW {name}")
    whole = {
        n
        for n, c in tables.items()
        if there.get(n) == "table" and (not c or _columns(db, n) == list(c))
    }
    words = {name for name in tables if name.startswith("words")}
    if not words <= whole:
        empty_words(db)
    for kind in _TOGETHER:
        if not kind <= whole:
            for name in kind:
                db.execute(f"DROP TABLE IF EXISTS {name}")
    for name, columns in tables.items():
        if name not in words and name not in whole and _there(db).get(name) == "table":
            _copied(db, name, columns)
    for statement in ALL.split(";\n"):
        if "TABLE" in statement and "words" not in statement:
            db.execute(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))
    for name, (_, statement) in indexes.items():
        if _there(db).get(name) != "index":
            db.execute(statement)


def empty_words(db: sqlite3.Connection) -> None:
    """The table of words again, empty. It cannot be dropped in the usual way where what it lies
    in is missing or damaged.

    Inside a transaction of the caller's.
    """
    row = db.execute("SELECT type, sql FROM sqlite_master WHERE name = 'words'").fetchone()
    if row and not _virtual(row[1]):
        db.execute(f"DROP {'VIEW' if row[0] == 'view' else 'TABLE'} words")
    elif row:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = 'words'")
        db.execute("PRAGMA writable_schema = RESET")
    for name in (n for n in _expected()[0] if n.startswith("words_")):
        db.execute(f"DROP {'VIEW' if _there(db).get(name) == 'view' else 'TABLE'} IF EXISTS {name}")
    db.execute(FULLTEXT_TABLE)


def _copied(db: sqlite3.Connection, name: str, columns: tuple[Column, ...]) -> None:
    """A table with all its columns, the rows of the one that lacks some.

    What is missing in a row is empty.
    """
    have = {column for column, _ in _columns(db, name)}
    before = f"{name}_before"
    db.execute(f"DROP TABLE IF EXISTS {before}")
    db.execute(f"ALTER TABLE {name} RENAME TO {before}")
    for (index,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql NOT NULL",
        (before,),
    ).fetchall():
        db.execute(f'DROP INDEX "{index}"')
    statement = next(s for s in ALL.split(";\n") if f"CREATE TABLE {name}(" in s)
    db.execute(statement)
    values = [
        column if column in have else _FILLS.get(column, _EMPTY.get(kind, "NULL"))
        for column, kind in columns
    ]
    if name == "files" and "document" not in have:  # each is read again by the next sync
        values = [
            "''" if column == "sha256" else "0" if column == "mtime" else v
            for (column, _), v in zip(columns, values, strict=True)
        ]
    db.execute(f"INSERT OR IGNORE INTO {name} SELECT {', '.join(values)} FROM {before}")  # noqa: S608
    db.execute(f"DROP TABLE {before}")


def _meta(db: sqlite3.Connection) -> None:
    meta = _said(db)
    if not meta.get("identity"):
        db.execute("INSERT OR REPLACE INTO meta VALUES ('identity', ?)", (UNKNOWN,))
    if not is_revision(meta.get("revision")):  # greater than any that an index was made from
        db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('revision', ?)", (str(time.time_ns() // 10**6),)
        )
