"""Upgrade of format 3, which has one key for a file and a name in it; no document is lost."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.domain import Listing, UnitKind
from rag.errors import LibraryBroken
from rag.ingest.ingest import Ingest
from rag.library.library import Library
from rag.library.schema import checksum
from rag.library.upgrade import split_members
from tests.library.test_library import House, _count, _report

pytestmark = pytest.mark.slow

_OLD = """
ALTER TABLE files RENAME TO new;
CREATE TABLE files(
    path TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, document TEXT,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL,
    sha256 TEXT NOT NULL, reason TEXT, cure TEXT) WITHOUT ROWID;
INSERT INTO files SELECT path || iif(member = '', '', '#' || member), source, document, size, mtime,
    sha256, reason, cure FROM new;
DROP TABLE new;
CREATE INDEX files_document ON files(document);
PRAGMA user_version = 3;
"""


def _older(folder: Path) -> None:
    """Make the library one of format 3."""
    with closing(sqlite3.connect(folder / "library.db", isolation_level=None)) as db:
        db.executescript(_OLD)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Every way in which '#' may stand in a key."""
    docs = tmp_path / "docs"
    for name in (
        "a.txt",
        "#.txt",
        "a#b.txt",
        "C#/x.txt",
        "c.jsonl#x.txt",
        "a.zip#/deep.txt",
        "b.zip#.txt",
        "C#/#",
        "e.jsonl#",
    ):
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"The file {name} is of its own.\n")
    for place in ("c.jsonl", "C#/c#.jsonl", "d.jsonl"):
        ids = ["one", "two", "x.txt.", "a#b", "#"] if place != "d.jsonl" else ["only"]
        lines = [
            json.dumps({"id": f"{place} {name}", "text": f"The text {name} of {place}."})
            for name in ids
        ]
        (docs / place).write_text("\n".join(lines))
    with zipfile.ZipFile(docs / "b#.zip", "w") as archive:
        for name in ("1.txt", "C#/2.txt", "#"):
            archive.writestr(name, f"The member {name} is of its own.")
    return docs


def _listed(house: House) -> list[Listing]:
    """What the library lists, without the paths, which an older one did not have."""
    return [replace(entry, path="") for entry in house.library.files.listings()]


@pytest.mark.parametrize("left", ["all", "none", "no roots"])
def test_an_older_library_keeps_every_document_under_its_name(
    tmp_path: Path, docs: Path, left: str
) -> None:
    house = House(tmp_path / "house")
    house.add(docs)
    before, rows = _listed(house), set(house.library.files.by_place())
    revision = house.library.revision
    house.library.close()
    _older(house.library.folder)
    if left != "all":
        docs.rename(tmp_path / "elsewhere")
    if left == "no roots":
        with closing(
            sqlite3.connect(house.library.folder / "library.db", isolation_level=None)
        ) as db:
            db.execute("DELETE FROM roots")
    house = House(tmp_path / "house")
    assert _listed(house) == before and house.library.revision == revision
    if left == "all":
        assert set(house.library.files.by_place()) == rows
    else:  # what only the disk could tell is told by the ending, and nothing is lost
        assert {f"{a}#{b}" if b else a for a, b in house.library.files.by_place()} == {
            f"{a}#{b}" if b else a for a, b in rows
        }
        (tmp_path / "elsewhere").rename(docs)
    report = _report(list(house.ingest.add([str(docs)])))
    assert report.removed == () or left != "all"
    assert {i.id for i in house.library.files.listings()} == {i.id for i in before}
    if left == "all":
        assert (report.added, report.changed, report.moved) == ((), (), ())
    house.agrees()


def test_an_upgrade_that_fails_changes_nothing(
    tmp_path: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "house")
    house.add(docs)
    number = len(house.library.files.by_place())
    house.library.close()
    _older(house.library.folder)

    def broken(db: sqlite3.Connection) -> None:
        split_members(db)
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("rag.library.opening.split_members", broken)
        with pytest.raises(Exception, match="killed"):
            Library(house.library.folder, identity="test")
    with closing(sqlite3.connect(house.library.folder / "library.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 3
        assert db.execute("SELECT count(*) FROM files").fetchone()[0] == number
    library = Library(house.library.folder, identity="test")
    assert len(library.files.by_place()) == number
    library.close()


# -- passages of an earlier chunker --


def _is_old(library: Library) -> bool:
    return library.chunked_by_earlier_version


def _made_by_earlier_chunker(house: House, folder: Path) -> None:
    """Store what a library of format 4 has: no units, and the version of the chunker before."""
    house.library.close()
    with closing(sqlite3.connect(folder / "lib" / "library.db", isolation_level=None)) as db:
        db.executescript(
            "ALTER TABLE chunks DROP COLUMN units; PRAGMA user_version = 4;"
            "UPDATE meta SET value = 'e chunks 1' WHERE key = 'identity'"
        )
        columns = "id, document, start, end, heading, line, page, key, vector"
        for row in db.execute(f"SELECT {columns} FROM chunks").fetchall():
            db.execute("UPDATE chunks SET checksum = ? WHERE id = ?", (checksum(*row), row[0]))


def test_files_of_an_earlier_chunker_are_searched_and_read_again_at_the_next_sync(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("Pack for the trip:\n\n- a hat\n- soup\n")
    (folder / "gone.txt").write_text("This file goes away before it is read again.")
    house = House(tmp_path)
    house.add(folder)
    _made_by_earlier_chunker(house, tmp_path)

    library = Library(tmp_path / "lib", identity="e chunks 2")
    assert _is_old(library)
    assert library.integrity.damaged() == [], "rows without units keep their checksums"
    before = library.documents.chunk_ids()
    assert before and all(not c.units for c in library.documents.chunks(list(before)).values())

    (folder / "gone.txt").unlink()
    house.library = library
    house.ingest = Ingest(library, house.vectors, lambda: house, _count, 40)
    embedded = len(house.embedded)
    report = _report(list(house.ingest.sync()))
    assert report.removed == (f"{folder.name}/gone.txt",) and not report.failed
    (chunk,) = library.documents.chunks(list(library.documents.chunk_ids())).values()
    assert [unit.kind for unit in chunk.units] == [UnitKind.LIST, UnitKind.ITEM, UnitKind.ITEM]
    assert len(house.embedded) == embedded, "the text of a chunk that stays is not embedded again"
    assert not _is_old(library)
    assert library.integrity.damaged() == []
    house.agrees()


def test_a_library_of_a_later_chunker_is_refused(tmp_path: Path) -> None:
    Library(tmp_path / "lib", make=True, identity="e chunks 3").close()
    with pytest.raises(LibraryBroken):
        Library(tmp_path / "lib", identity="e chunks 2")
