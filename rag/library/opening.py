"""Opening of a library: checks of its folder, creation, upgrade of older formats, identity."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from rag.disk import permissions
from rag.disk.disk_errors import REPAIR, no_folder
from rag.errors import LibraryBroken, LibraryMissing
from rag.library import table_check
from rag.library.boilerplate import BOILERPLATE_TABLES, RULE
from rag.library.database import IDENTITY, MASKING_RULE, REVISION, Database, Meta
from rag.library.duplicates import DUPLICATE_TABLES
from rag.library.history import TurnRow, columns_of, create_history
from rag.library.schema import SCHEMA, UNITS_COLUMN
from rag.library.upgrade import enter_unspaced_words, split_members

#: SQL of the tables that a library of each older format lacks; format 0 is an empty file.
#: An upgrade runs in one transaction: it adds these tables, moves conversations to their own file
#: and splits the keys of files in two (`upgrade`).
TABLES_SINCE = {
    0: table_check.ALL,
    1: DUPLICATE_TABLES + BOILERPLATE_TABLES,
    2: "",
    3: "",
    4: "",
    5: "",
}

#: Names what helps if the embedder or chunker differs: (identity of the library, identity of this
#: program) -> a sentence for the user.
Cure = Callable[[str, str], str]

_ADD = "run: footnote add FOLDER"
_RECREATED = (
    "the library's file was missing or empty; a new one is begun: add its other documents again. "
    "Conversations are kept"
)
_MANIFESTS = "vectors/gen-*.json"


def suggest_another_library(library_identity: str, identity: str) -> str:
    """The cure of a caller that knows no better one."""
    return "use another --library and add the documents again"


def check_folder(folder: Path, path: Path, create: bool) -> str:
    """Check that the library file `path` can be opened in `folder`, or created if `create`.

    Returns a notice for the user if a new file replaces one that was lost, else "". Raises
    `LibraryMissing`, `LibraryBroken` or the error of a folder that cannot be used.
    """
    if blocked := no_folder(folder):
        raise blocked
    if path.is_symlink() and not path.exists():
        raise LibraryMissing(
            f"{path} is a link to nothing",
            f"put back what it points to; or: rm {path}, then: footnote add FOLDER",
        )
    # listed before the size is read: not the index of a process that creates the library now
    manifests = [manifest for manifest in folder.glob(_MANIFESTS) if not manifest.is_dir()]
    size = path.stat().st_size if path.exists() else None
    if size:
        return ""
    if create:
        permissions.make_folder(folder)
        # An index of a lost library must not be taken for that of the new one. The next writer
        # removes a generation without a manifest.
        for manifest in manifests:
            manifest.unlink(missing_ok=True)
        return _RECREATED if manifests else ""
    if size is None and manifests:
        raise LibraryMissing(
            f"{path} is gone, but the index of it is there",
            "put it back from a copy, or: footnote add FOLDER",
        )
    if size is None:
        raise LibraryMissing(f"there is no library in {folder}", _ADD)
    if manifests:
        raise LibraryBroken(
            f"{path} is empty, but there is an index of its documents",
            "put it back from a copy; or create a new one, which keeps conversations: "
            f"{_ADD.removeprefix('run: ')}",
        )
    return ""


def prepare_tables(database: Database, folder: Path, identity: str, create: bool) -> None:
    """Create the tables of an empty file, upgrade those of an older format, check what is there.

    `identity` names the embedder and chunker of a new library. Raises `LibraryMissing` for an empty
    file unless `create`, `LibraryBroken` for a file of another program or format, or a damaged one.
    """
    with database.snapshot():  # another process may be creating the tables
        if database.format_version == 0:
            _check_new(database, folder, create)
    while (version := database.format_version) in TABLES_SINCE:
        with database.writing():
            if version == database.format_version:  # otherwise another process has upgraded it
                _upgrade(database, folder, version, identity)
    if (version := database.format_version) != SCHEMA:
        raise LibraryBroken(
            f"the library has format {version}, this program reads format {SCHEMA}",
            "use the version that made it, or another --library and add the documents again",
        )
    if problems := table_check.missing_parts(database.connection, indices=False):
        raise LibraryBroken(f"{database.path} is damaged: {'; '.join(problems)}", REPAIR)


def _check_new(database: Database, folder: Path, create: bool) -> None:
    """Raise unless a file without a format number may become a library."""
    if table_check.ours(database.connection):
        raise LibraryBroken(f"{database.path} no longer says which format it has", REPAIR)
    if database.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise LibraryBroken(f"{database.path} is the file of another program", REPAIR)
    if not create:  # a first `add` was killed before its first document
        raise LibraryMissing(f"the library in {folder} is still empty", _ADD)


def _upgrade(database: Database, folder: Path, version: int, identity: str) -> None:
    """Upgrade the tables from format `version`, in a transaction of the caller's."""
    for statement in TABLES_SINCE[version].split(";\n"):
        database.execute(statement)
    if not any(row[1] == "units" for row in database.execute("PRAGMA table_info(chunks)")):
        database.execute(f"ALTER TABLE chunks ADD COLUMN {UNITS_COLUMN}")
    split_members(database.connection)
    _move_turns(database.connection, folder)
    if version:
        enter_unspaced_words(database)
    else:
        meta = Meta(database)
        for key, value in ((IDENTITY, identity), (REVISION, "0"), (MASKING_RULE, RULE)):
            meta.put(key, value)
    database.format_version = SCHEMA


def _move_turns(db: sqlite3.Connection, folder: Path) -> None:
    """Move conversations into their own file, inside the caller's transaction."""
    columns = columns_of(db)
    mark = "checksum" if "checksum" in columns else "NULL"  # the oldest format has no checksum
    select = (
        "SELECT number, conversation, asked, question, answer, "  # noqa: S608
        f"{mark} FROM turns"
    )
    try:
        create_history(folder, map(TurnRow._make, db.execute(select)) if columns else ())
    except LibraryBroken:
        if columns:
            raise
        # otherwise the damaged file is of an earlier library; it is reported when it is used
    db.execute("DROP TABLE IF EXISTS turns")


def check_identity(database: Database, stored: str, identity: str, cure: Cure) -> None:
    """Compare `stored`, the identity in the library, with `identity`, that of this program.

    Raises `LibraryBroken` if they differ, with the advice of `cure`. A library whose identity was
    lost takes the present one. Passages that an earlier chunker made are used until the files are
    read again (`Library.chunked_by_earlier_version`).
    """
    if not identity or stored == identity or is_earlier_chunker(stored, identity):
        return
    if not stored:
        raise LibraryBroken(
            f"{database.path} does not say what its passages were embedded with", REPAIR
        )
    if stored == table_check.UNKNOWN:
        _adopt_identity(database, identity)
        return
    raise LibraryBroken(
        f"the library was made with {stored!r}, this program embeds with {identity!r}",
        cure(stored, identity),
    )


def is_earlier_chunker(stored: str, identity: str) -> bool:
    """Whether two identities differ in the version of the chunker alone, and `stored` is older."""
    (embedder, version), (own_embedder, own_version) = (
        (name, number) for name, _, number in (i.rpartition(" chunks ") for i in (stored, identity))
    )
    return (
        embedder == own_embedder
        and version.isdigit()
        and own_version.isdigit()
        and int(version) < int(own_version)
    )


def _adopt_identity(database: Database, identity: str) -> None:
    """Store `identity`; mark all vectors damaged, as another embedder may have made them."""
    with database.writing():
        database.execute("UPDATE chunks SET checksum = x''")
        Meta(database).put(IDENTITY, identity)
