"""Near duplicates: found when stored, folded in results, kept when one of them is removed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from rag.domain import Passage
from rag.errors import RagError
from rag.library.database import Database
from rag.library.duplicates import DUPLICATE_TABLES, Duplicates
from rag.library.library import Library
from rag.search.retrieve import Retriever
from tests.library.test_library import House
from tests.text.test_copies import OTHER, TEXT

pytestmark = pytest.mark.slow

QUESTION = "How many individual sanctions has the country faced?"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.ingest._size = 120
    return house


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "herald.txt").write_text(f"The Herald reports\n\n{TEXT}\n")
    (folder / "news.txt").write_text(f"From our wire\n\n{TEXT}\n\n# Barley\n\n{OTHER}\n")
    (folder / "barley.txt").write_text(OTHER + "\n")
    return folder


def _search(
    house: House, question: str = QUESTION, limit: int = 5, depth: int = 50
) -> tuple[Passage, ...]:
    house.vectors.close()
    return Retriever(house.library, house.vectors.near, house.embedder, depth)(question, limit)


def _count(house: House, table: str) -> int:
    with sqlite3.connect(house.library.folder / "library.db") as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _labels(house: House) -> int:
    return len(house.library.duplicates.labels(house.library.documents.chunk_ids()))


def test_a_text_in_two_files_is_one_passage_that_names_the_other(house: House, docs: Path) -> None:
    house.add(docs)
    found = _search(house)
    texts = [p.chunk.text for p in found]
    assert (
        sum("5,000" in text for text in texts) == 1
        and sum("What is happening" in text for text in texts) == 1
    )
    told = next(p for p in found if "5,000" in p.chunk.text)
    (copy,) = [
        c
        for c in told.copies
        if "5,000" in c.span.of(house.library.documents.load(c.document).text)
    ]
    assert {told.chunk.source, copy.source} == {"docs/herald.txt", "docs/news.txt"}
    assert copy.document != told.chunk.document


def test_a_number_that_differs_is_shown_beside_the_other(house: House, docs: Path) -> None:
    (docs / "news.txt").write_text(TEXT.replace("5,000", "5,001") + "\n")
    house.add(docs)
    found = [p for p in _search(house) if "individual sanctions" in p.chunk.text]
    assert {p.chunk.source for p in found} == {"docs/herald.txt", "docs/news.txt"}
    assert not any(p.copies for p in found)


def test_a_rewrite_is_named_even_where_the_lists_do_not_hold_it(house: House, docs: Path) -> None:
    (docs / "news.txt").write_text(TEXT + "\n")
    (docs / "herald.txt").write_text(TEXT.replace("lesson", "moral") + "\n")
    house.add(docs)
    (found,) = _search(house, limit=1, depth=1)
    assert {found.chunk.source, *(c.source for c in found.copies)} == {
        "docs/herald.txt",
        "docs/news.txt",
    }


@pytest.mark.parametrize("depth", [4, 5, 7, 10, 50])
def test_copies_do_not_crowd_out_what_else_there_is(house: House, docs: Path, depth: int) -> None:
    for name in (
        first + rest for first in "bdfglm" for rest in ("ale", "ore", "ine", "oon", "ash")
    ):
        (docs / f"{name}.txt").write_text(f"The {name.title()} news desk\n\n{TEXT}\n")
    (docs / "answer.txt").write_text(
        "By May the country had faced seven thousand individual sanctions, the bank said.\n"
    )
    (docs / "far.txt").write_text(
        "A shepherd walked over the moor with his dog and saw no other country all day long.\n"
    )
    house.add(docs)
    found = _search(house, limit=8, depth=depth)
    assert {"docs/answer.txt", "docs/far.txt"} <= {p.chunk.source for p in found}
    assert max(len(p.copies) for p in found) >= 30


@pytest.mark.parametrize("gone", ["herald", "news"])
def test_whichever_copy_goes_the_other_stands_and_the_next_is_known(
    house: House, docs: Path, gone: str
) -> None:
    house.add(docs)
    labels = _labels(house)
    (docs / f"{gone}.txt").unlink()
    house.add(docs)
    assert any("5,000" in p.chunk.text for p in _search(house))
    assert not any(
        "5,000" in c.span.of(house.library.documents.load(c.document).text)
        for p in _search(house)
        for c in p.copies
    )
    (docs / "third.txt").write_text(TEXT + "\n")
    house.add(docs)
    assert any("5,000" in p.chunk.text and p.copies for p in _search(house))
    assert _labels(house) <= labels + 1
    house.agrees()


def test_a_further_copy_adds_no_bands_and_an_empty_library_has_none(
    house: House, docs: Path
) -> None:
    (docs / "news.txt").unlink()
    house.add(docs)
    before = _count(house, "bands"), _labels(house)
    (docs / "again.txt").write_text((docs / "herald.txt").read_text() + "\n")
    house.add(docs)
    assert (_count(house, "bands"), _labels(house)) == before
    house.library.remove(list(house.library.files.by_place()))
    assert _count(house, "bands") == _count(house, "twins") == _count(house, "templates") == 0


def _made_older(house: House, also: str = "") -> None:
    house.library.close()
    with sqlite3.connect(house.library.folder / "library.db") as db:
        db.executescript(
            f"DROP TABLE twins; DROP TABLE bands; DROP TABLE templates; "
            f"PRAGMA user_version = 1; {also}"
        )
    db.close()


def test_a_library_of_the_older_format_is_taken_over_and_labelled_by_the_next_run(
    house: House, docs: Path
) -> None:
    house.add(docs)
    before = (
        {i.source: i.chunks for i in house.library.files.listings()},
        house.library.revision,
        _labels(house),
    )
    _made_older(house)
    house.library = house.ingest._library = Library(house.library.folder, identity="test")
    assert (
        {i.source: i.chunks for i in house.library.files.listings()},
        house.library.revision,
    ) == before[:2]
    assert _labels(house) > before[2] and any(p.copies for p in _search(house))
    house.embedded.clear()
    list(house.ingest.sync())
    assert _labels(house) == before[2] and not house.embedded
    house.agrees()


def test_an_upgrade_that_fails_leaves_the_library_as_it_was(house: House, docs: Path) -> None:
    house.add(docs)
    _made_older(house, "CREATE TABLE templates(there INTEGER);")
    path = house.library.folder / "library.db"
    with pytest.raises(RagError):
        Library(house.library.folder, identity="test")
    db = sqlite3.connect(path)
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    assert db.execute("PRAGMA user_version").fetchone()[0] == 1 and not tables & {"twins", "bands"}
    db.close()


def test_a_band_that_very_many_share_does_not_hide_who_shares_the_others(tmp_path: Path) -> None:
    db = Database(tmp_path / "library.db", make=True)
    db.connection.executescript(DUPLICATE_TABLES)
    db.executemany("INSERT INTO bands VALUES (1, ?)", [(label,) for label in range(2000)])
    db.executemany("INSERT INTO bands VALUES (?, 4000)", [(2,), (3,)])
    db.executemany("INSERT INTO bands VALUES (?, 5000)", [(4,)])
    met = Counter(Duplicates(db)._labels_in([1, 2, 3, 4]))
    assert met.most_common(1) == [(4000, 2)] and met[5000] == 1
    assert Counter(Duplicates(db)._labels_in([2, 3, 4])) == {4000: 2, 5000: 1}
    db.close()


def test_a_copy_in_one_document_gets_the_label_of_its_own_original(
    house: House, tmp_path: Path
) -> None:
    parts = [("Herald", TEXT), ("Barley", OTHER)]
    page = "\n\n".join(f"# {head}\n\n{text}" for head, text in parts * 2)
    (tmp_path / "page.txt").write_text(page)
    house.add(tmp_path / "page.txt")
    assert _count(house, "chunks") == 2 * _labels(house)
