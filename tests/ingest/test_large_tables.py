"""Rows of a large table have no vector; every part of a library takes that as valid."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.domain import Chunk, Span, Unit, UnitKind
from rag.errors import LibraryBroken
from rag.ingest.large_tables import MAX_EMBEDDED_ROWS, found_by_words
from rag.library.library import Library
from rag.library.schema import SCHEMA
from rag.search.retrieve import Retriever
from rag.upkeep.explain import explain_passage
from rag.upkeep.repair import repair_library
from tests.library.test_library import House

ROWS = MAX_EMBEDDED_ROWS + 500


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _key(number: int) -> str:
    return f"K{7919 * number % 1_000_003:07}"


def _table(path: Path, rows: int) -> Path:
    """A CSV in which a row can be told from the others by its key alone."""
    draw = random.Random(5)
    lines = ["Key,Material,Shelf,Amount"]
    for number in range(rows):
        material = draw.choice(("oak", "elm", "ash", "yew"))
        lines.append(f"{_key(number)},{material},shelf {draw.randint(1, 9)},{draw.randint(1, 999)}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def _log(path: Path, rows: int) -> Path:
    path.write_text(
        "".join(
            f"2024-05-{1 + n % 28:02} 10:{n % 60:02}:00 INFO job {_key(n)} ended\n"
            for n in range(rows)
        )
    )
    return path


def _json(path: Path, rows: int) -> Path:
    path.write_text(json.dumps([{"key": _key(n), "amount": n, "unit": "kg"} for n in range(rows)]))
    return path


def _chunk(number: int, units: int, kind: UnitKind = UnitKind.ROW, heading: str = "") -> Chunk:
    """A chunk of so many units of ten characters each."""
    start = 1000 * number
    spans = [Span(start + 10 * n, start + 10 * n + 9) for n in range(units)]
    rows = tuple(Unit(kind, span, "") for span in spans)
    span = Span(start, start + 10 * max(1, units))
    return Chunk(str(number), "d", "s", "t", None, heading, span, "x" * 10, 1, None, rows)


def test_a_table_up_to_the_limit_is_embedded_whole() -> None:
    chunks = [_chunk(n, 10) for n in range(MAX_EMBEDDED_ROWS // 10)]
    assert found_by_words(chunks) == set()
    assert len(found_by_words([*chunks, _chunk(999, 1)])) == len(chunks)


def test_the_first_chunk_of_each_heading_and_prose_are_embedded() -> None:
    table = [_chunk(n, 20, heading=f"sheet {n // 50}") for n in range(100)]
    prose = [_chunk(100, 0), _chunk(101, 0)]
    by_words = found_by_words([*table, *prose])
    assert by_words == {str(n) for n in range(100) if n not in (0, 50)}


def test_dated_lines_and_speakers_are_no_rows() -> None:
    assert not found_by_words([_chunk(n, 20, UnitKind.ENTRY) for n in range(100)])


@pytest.mark.slow
@pytest.mark.parametrize(("make", "ending"), [(_table, "csv"), (_log, "log"), (_json, "json")])
def test_rows_without_a_vector_are_valid_and_found(
    house: House, tmp_path: Path, make: Callable[[Path, int], Path], ending: str
) -> None:
    (tmp_path / "docs").mkdir()
    path = make(tmp_path / "docs" / f"large.{ending}", ROWS)
    (tmp_path / "docs" / "small.txt").write_text("The heron sleeps. It is grey.\n")
    report = house.add(tmp_path / "docs")
    assert report.by_words == (f"docs/{path.name}",)
    documents = house.library.documents
    assert len(house.embedded) <= 4 < len(house.library.table_vectors.ids_without_vector())
    assert (
        house.library.table_vectors.ids_with_vector()
        | house.library.table_vectors.ids_without_vector()
        == documents.chunk_ids()
    )
    assert house.library.integrity.wrong() == []
    house.agrees()
    large, small = house.library.files.listings()
    assert 0 < large.by_words < large.chunks and small.by_words == 0
    search = Retriever(house.library, house.vectors.near, house.embedder, 50)
    for number in random.Random(1).sample(range(ROWS), 20):
        first, *_ = search(f"What is the amount of {_key(number)}?", 3)
        assert _key(number) in first.chunk.text
    for number in (3, ROWS - 3):  # the file is named: it alone is searched
        first, *_ = search(f"What is the amount of {_key(number)} in {path.name}?", 3)
        assert _key(number) in first.chunk.text


@pytest.mark.slow
def test_a_table_that_grows_beyond_the_limit_and_shrinks_again(
    house: House, tmp_path: Path
) -> None:
    path = tmp_path / "docs" / "parts.csv"
    for rows, has_rows_by_words in ((400, False), (ROWS, True), (300, False)):
        _table(path, rows)
        report = house.add(path)
        assert bool(report.by_words) == has_rows_by_words
        assert bool(house.library.table_vectors.ids_without_vector()) == has_rows_by_words
        house.agrees()


@pytest.mark.slow
def test_damaged_rows_are_repaired_and_stay_without_a_vector(house: House, tmp_path: Path) -> None:
    house.add(_table(tmp_path / "docs" / "parts.csv", ROWS))
    before = house.library.table_vectors.ids_without_vector()
    lost = sorted(before)[7]
    house.library.database.execute("UPDATE chunks SET vector = x'00' WHERE id = ?", (lost,))
    assert house.library.integrity.wrong()
    house.vectors.close()
    list(repair_library(house.library, house.vectors, house.ingest))
    assert house.library.integrity.wrong() == []
    after = house.library.table_vectors.ids_without_vector()
    assert before - {lost} <= after <= before  # the units of the damaged row are lost with it
    assert house.vectors.chunk_ids() == house.library.table_vectors.ids_with_vector()


@pytest.mark.slow
def test_an_index_made_from_scratch_has_no_vectors_of_rows(house: House, tmp_path: Path) -> None:
    from rag.index.index import renew_index

    house.add(_table(tmp_path / "docs" / "parts.csv", ROWS))
    list(renew_index(house.library, house.vectors, from_scratch=True))
    assert house.vectors.chunk_ids() == house.library.table_vectors.ids_with_vector()
    house.agrees()


@pytest.mark.slow
def test_explain_says_that_a_row_has_no_vector(house: House, tmp_path: Path) -> None:
    house.add(_table(tmp_path / "docs" / "parts.csv", ROWS))
    search = Retriever(house.library, house.vectors.near, house.embedder, 50)
    key = _key(1200)

    def explained(question: str):  # type: ignore[no-untyped-def]
        return explain_passage(
            question, "parts.csv", key, house.library, lambda ids: search.trace(question, 3, ids)
        )

    found = explained(f"What is the amount of {key}?")
    assert found.lost == "" and found.ranks["vectors"] is None and found.ranks["words"] == 1
    missed = explained("Where does the heron sleep?")
    assert missed.lost == "words" and "found by words alone" in missed.says


@pytest.mark.slow
def test_a_library_of_format_5_is_raised_and_an_unknown_one_refused(
    house: House, tmp_path: Path
) -> None:
    house.add(_table(tmp_path / "docs" / "parts.csv", 50))
    house.library.close()
    for version, opens in ((5, True), (SCHEMA + 1, False)):
        with closing(sqlite3.connect(tmp_path / "lib" / "library.db")) as db:
            db.execute(f"PRAGMA user_version = {version}")
        if opens:
            with closing(Library(tmp_path / "lib", identity="test")) as library:
                assert library.database.format_version == SCHEMA
                assert not library.table_vectors.ids_without_vector()
                assert library.integrity.wrong() == []
        else:
            with pytest.raises(LibraryBroken, match=f"format {version}"):
                Library(tmp_path / "lib", identity="test")


@pytest.mark.slow
def test_the_time_of_a_table_grows_as_its_rows(tmp_path: Path) -> None:
    """Processor time of this process: four times the rows take less than seven times as long."""
    seconds = list[float]()
    for rows in (5_000, 20_000):
        house = House(tmp_path / str(rows))
        path = _table(tmp_path / str(rows) / "docs" / "parts.csv", rows)
        begun = time.process_time()
        assert not house.add(path).failed
        seconds.append(time.process_time() - begun)
        assert len(house.embedded) == 1
        house.library.close()
        house.vectors.close()
    assert seconds[1] < 7 * seconds[0]
