"""Check of the tables of a library file, and recreation of missing ones.

A table that was dropped is made empty; one that lacks a column is copied into a complete one. The
other steps of a repair then restore the content: words, labels and boilerplate hashes from the
texts, passages from the texts, texts from the user's files. Rows that lost a value fail their
checksum, which is how those steps find them.
"""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from typing import NamedTuple

from rag.disk.disk_errors import disk_errors_named
from rag.errors import LibraryBroken
from rag.library.boilerplate import BOILERPLATE_TABLES
from rag.library.database import IDENTITY, REVISION, Database, Meta, is_revision
from rag.library.duplicates import DUPLICATE_TABLES
from rag.library.schema import FULLTEXT_TABLE, SCHEMA, TABLES

ALL = TABLES + DUPLICATE_TABLES + BOILERPLATE_TABLES
#: identity of a library whose identity was lost; its vectors are made again
UNKNOWN = "?"
#: values of a missing column, as SQL: by type
_VALUES_BY_TYPE = {"TEXT": "''", "INTEGER": "0", "BLOB": "x''"}
#: and by name
_VALUES_BY_NAME = {
    "document": "NULL",
    "page": "NULL",
    "date": "NULL",
    "reason": "NULL",
    "cure": "NULL",
    "source": "path",
}
#: sets of tables that are recreated together, empty
_TABLE_SETS = ({"twins", "bands"}, {"templates"}, {"meta"})
_NO_IDENTITY = "it does not say what its passages were embedded with"


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: str


def missing_parts(db: sqlite3.Connection, indices: bool = True) -> list[str]:
    """Return a sentence for each missing table or column, and each missing index if `indices`.

    If none is missing, return sentences about a missing identity and revision.
    """
    tables, indexes = _expected()
    present = _present(db)
    problems = []
    for name, columns in tables.items():
        if present.get(name) != "table":
            problems.append(f"the table {name} is missing")
        elif [column for column in columns if column not in _columns(db, name)]:
            problems.append(f"the table {name} lacks a column")
        elif columns and _columns(db, name) != list(columns):
            problems.append(f"the table {name} has other columns")
    if indices:
        problems += [
            f"the index {name} is missing" for name in indexes if present.get(name) != "index"
        ]
    return problems or _missing_meta(db)


def _missing_meta(db: sqlite3.Connection) -> list[str]:
    """Sentences about a missing identity and a missing or invalid revision."""
    meta = _read_meta(db)
    problems = []
    if meta.get(IDENTITY) is None:
        problems.append(_NO_IDENTITY)
    if not is_revision(meta.get(REVISION)):
        problems.append(f"its revision is {meta.get(REVISION)!r}")
    return problems


def _read_meta(db: sqlite3.Connection) -> dict[str, str | None]:
    """The table of identity and revision by key; None for a value that is not UTF-8 text."""
    meta = {}
    for key, value, kind in db.execute(
        "SELECT CAST(key AS BLOB), CAST(value AS BLOB), typeof(value) FROM meta"
    ):
        try:
            meta[(key or b"").decode("utf-8", "replace")] = (
                value.decode() if kind == "text" else None
            )
        except UnicodeDecodeError:
            meta[key.decode("utf-8", "replace")] = None
    return meta


@cache
def _expected() -> tuple[dict[str, tuple[Column, ...]], dict[str, tuple[str, str]]]:
    """Return the columns of each table and (table, SQL) of each index.

    `words` has no columns here: SQLite keeps it in shadow tables.
    """
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(ALL)
        rows = db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        tables = {
            name: tuple(_columns(db, name)) if name != "words" else ()
            for kind, name, _, _ in rows
            if kind == "table"
        }
        return tables, {name: (table, sql) for kind, name, table, sql in rows if kind == "index"}
    finally:
        db.close()


def _present(db: sqlite3.Connection) -> dict[str, str]:
    """Name and kind of everything in the file.

    `words` counts as a table only if it is a virtual one.
    """
    rows = db.execute("SELECT name, type, sql FROM sqlite_master").fetchall()
    return {
        name: "other" if name == "words" and not _is_virtual(sql) else kind
        for name, kind, sql in rows
    }


def _is_virtual(sql: object) -> bool:
    return isinstance(sql, str) and sql.upper().startswith("CREATE VIRTUAL TABLE")


def _columns(db: sqlite3.Connection, table: str) -> list[Column]:
    return [Column(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]


def ours(db: sqlite3.Connection) -> bool:
    """Whether the file has any table of a library."""
    return bool(
        set(_expected()[0]) & {name for name, kind in _present(db).items() if kind == "table"}
    )


def restore_missing(database: Database) -> list[str]:
    """Recreate what is missing in an open file, in one transaction; return what was.

    A file of another format or of another program is not changed. The content of dropped tables is
    not restored.
    """
    db, path = database.connection, database.path
    with disk_errors_named(path.parent, path.name):
        version = database.format_version
        if version not in (0, SCHEMA) or not ours(db):
            return []
        problems = missing_parts(db) + (["it does not say its format"] if version == 0 else [])
        if not problems and not _read_meta(db)[IDENTITY]:
            problems.append(_NO_IDENTITY)
        if not problems:
            return []
        # a table may be renamed while others are missing
        db.execute("PRAGMA legacy_alter_table = ON")
        with database.writing():
            _restore_tables(db)
            _restore_meta(database)
            database.format_version = SCHEMA
            if left := missing_parts(db):
                raise LibraryBroken(f"{path}: {'; '.join(left)}", "put it back from a copy")
    return problems


def _restore_tables(db: sqlite3.Connection) -> None:
    """Recreate missing and incomplete tables and indices."""
    tables, indexes = _expected()
    complete = _drop_invalid(db)
    for name, columns in tables.items():
        is_words = name.startswith("words")
        if not is_words and name not in complete and _present(db).get(name) == "table":
            _copy_table(db, name, columns)
    for statement in ALL.split(";\n"):
        if "TABLE" in statement and "words" not in statement:
            db.execute(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))
    for name, (_, statement) in indexes.items():
        if _present(db).get(name) != "index":
            db.execute(statement)


def _drop_invalid(db: sqlite3.Connection) -> set[str]:
    """Drop views with the name of a table, and incomplete tables that can only be made empty.

    Makes the table of words again if it is incomplete. Returns the names of the tables that were
    complete before.
    """
    tables, _ = _expected()
    present = _present(db)
    for name in tables:
        if present.get(name) == "view" and not name.startswith("words"):
            db.execute(f"DROP VIEW {name}")
    complete = {
        name
        for name, columns in tables.items()
        if present.get(name) == "table" and (not columns or _columns(db, name) == list(columns))
    }
    if not {name for name in tables if name.startswith("words")} <= complete:
        empty_words(db)
    for name in (name for names in _TABLE_SETS if not names <= complete for name in names):
        db.execute(f"DROP TABLE IF EXISTS {name}")
    return complete


def empty_words(db: sqlite3.Connection) -> None:
    """Recreate the table of words, empty, in a transaction of the caller's.

    It cannot be dropped in the usual way if its shadow tables are missing or damaged.
    """
    row = db.execute("SELECT type, sql FROM sqlite_master WHERE name = 'words'").fetchone()
    if row and not _is_virtual(row[1]):
        db.execute(f"DROP {'VIEW' if row[0] == 'view' else 'TABLE'} words")
    elif row:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = 'words'")
        db.execute("PRAGMA writable_schema = RESET")
    for name in (name for name in _expected()[0] if name.startswith("words_")):
        db.execute(
            f"DROP {'VIEW' if _present(db).get(name) == 'view' else 'TABLE'} IF EXISTS {name}"
        )
    db.execute(FULLTEXT_TABLE)


def _copy_table(db: sqlite3.Connection, name: str, columns: tuple[Column, ...]) -> None:
    """Recreate a table with all columns and its present rows; missing values are empty."""
    present = {column.name for column in _columns(db, name)}
    before = f"{name}_before"
    db.execute(f"DROP TABLE IF EXISTS {before}")
    db.execute(f"ALTER TABLE {name} RENAME TO {before}")
    for (index,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql NOT NULL",
        (before,),
    ).fetchall():
        db.execute(f'DROP INDEX "{index}"')
    statement = next(sql for sql in ALL.split(";\n") if f"CREATE TABLE {name}(" in sql)
    db.execute(statement)
    values = [
        column
        if column in present
        else _VALUES_BY_NAME.get(column, _VALUES_BY_TYPE.get(kind, "NULL"))
        for column, kind in columns
    ]
    if name == "files" and "document" not in present:  # each is read again by the next sync
        values = [
            "''" if column == "sha256" else "0" if column == "mtime" else value
            for (column, _), value in zip(columns, values, strict=True)
        ]
    select = f"SELECT {', '.join(values)} FROM {before}"  # noqa: S608
    db.execute(f"INSERT OR IGNORE INTO {name} {select}")
    db.execute(f"DROP TABLE {before}")


def _restore_meta(database: Database) -> None:
    """Store an identity and a revision if they are missing."""
    stored, meta = _read_meta(database.connection), Meta(database)
    if not stored.get(IDENTITY):
        meta.put(IDENTITY, UNKNOWN)
    if not is_revision(stored.get(REVISION)):  # higher than that of any index
        meta.put(REVISION, str(time.time_ns() // 10**6))
