"""Opening of a library while another process creates it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import LibraryMissing
from rag.library.database import Database
from rag.library.library import Library
from rag.library.opening import prepare_tables


@pytest.mark.parametrize("read", ["user_version", "sqlite_master"])
@pytest.mark.parametrize("create", [True, False])
def test_a_library_that_appears_between_two_reads_is_no_damage(
    tmp_path: Path, read: str, create: bool
) -> None:
    """The format number and the tables are read at one moment.

    Another process commits the tables right before the named read.
    """
    folder = tmp_path / "lib"
    folder.mkdir()
    database = Database(folder / "library.db", make=True)
    others = list[Library]()

    def other_process(statement: str) -> None:
        if read in statement and not others:
            others.append(Library(folder, make=True, identity="test"))

    database.connection.set_trace_callback(other_process)
    try:
        prepare_tables(database, folder, "test", create)
    except LibraryMissing:
        # a reader that came first sees an empty library, and says so
        assert not create
        assert read == "sqlite_master"
    finally:
        database.connection.set_trace_callback(None)
        database.close()
        assert others
        for other in others:
            other.close()
    assert Library(folder, identity="test").revision == 0
