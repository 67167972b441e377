"""The index as a search uses it: words of each revision, and indexes of older versions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag import Bot, Config
from rag.errors import LibraryBroken, LibraryBusy
from rag.events import Answered, Indexing, Loading
from rag.index.bm25 import FastFullText, TextSource
from rag.index.chroma import Fetch, VectorIndex
from rag.index.index import Index
from rag.library.lock import writer_lock
from tests.library.test_library import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("badgers", "herons", "otters"):
        (docs / f"{name}.txt").write_text(f"All about {name}\n\nThe {name} sleep by day.\n")
    house.add(docs)
    return house


class _Vectors(VectorIndex):
    """Notes of each renewal whether it is from scratch; with an `error` it fails."""

    def __init__(self, folder: Path, dimension: int) -> None:
        super().__init__(folder, dimension)
        self.renewals: list[bool] = []
        self.error: Exception | None = None

    def renew(
        self,
        ids: set[str],
        fetch: Fetch,
        texts: TextSource,
        revision: int,
        scratch: bool = False,
        without: Collection[str] = (),
    ) -> Iterator[Indexing]:
        self.renewals.append(scratch)
        if self.error:
            raise self.error
        return super().renew(ids, fetch, texts, revision, scratch, without)


def _index(house: House, error: Exception | None = None) -> tuple[Index, list[bool]]:
    """An index that is renewed unless there is an `error`, and how each renewal was begun."""
    if not isinstance(house.vectors, _Vectors):
        house.vectors.close()
        house.vectors = _Vectors(house.library.folder / "vectors", house.dimension)
    house.vectors.renewals, house.vectors.error = [], error
    return Index(house.library, house.vectors), house.vectors.renewals


BUSY = LibraryBusy("another process is writing")


def _changed(house: House) -> None:
    """A document is in, and not yet in the index."""
    before = len(house.library.documents.chunk_ids())
    house.library.remove([next(iter(house.library.files.by_place()))])
    assert (
        len(house.library.documents.chunk_ids()) < before
        and house.vectors.revision() != house.library.revision
    )


def _without_words(house: House) -> None:
    """The index as it was made before there were postings in it."""
    folder = house.library.folder / "vectors"
    (manifest,) = folder.glob("gen-*.json")
    shutil.rmtree(folder / manifest.stem / "words")
    held = json.loads(manifest.read_text())
    held["files"] = {
        name: value for name, value in held["files"].items() if not name.startswith("words/")
    }
    manifest.write_text(json.dumps(held))
    house.vectors.close()


def test_words_are_ranked_by_the_postings_and_nothing_is_mended_where_all_agrees(
    house: House,
) -> None:
    index, mended = _index(house)
    index.agree()
    words = index.words()
    assert isinstance(words, FastFullText) and not mended
    assert dict(words(["otters"], 5)) == pytest.approx(dict(house.library.fulltext(["otters"], 5)))


def test_while_somebody_writes_the_older_vectors_answer_and_the_library_s_own_words(
    house: House,
) -> None:
    _changed(house)
    index, mended = _index(house, BUSY)
    index.agree()
    assert mended == [False] and index.words() is house.library.fulltext
    assert len(index.near(house.embedder.embed(["anything"])[0], 10)) > len(
        house.library.documents.chunk_ids()
    )


def test_an_index_that_is_behind_follows(house: House) -> None:
    _changed(house)
    index, mended = _index(house)
    assert index.behind() and not mended
    index.agree()
    assert not index.behind()
    index.agree()
    assert mended == [False] and isinstance(index.words(), FastFullText)
    house.agrees()


def test_while_another_process_has_the_lock_the_index_is_left_as_it_is(house: House) -> None:
    _changed(house)
    index, mended = _index(house)
    with writer_lock(house.library.folder, 0):
        index.agree()
        assert not list(index.catch_up(lambda: False))
        assert index.behind() and not mended
    list(index.catch_up(lambda: False))
    assert mended == [False] and not index.behind()


def test_an_index_of_an_older_program_is_made_again_once_and_nothing_is_embedded(
    house: House,
) -> None:
    _without_words(house)
    embedded = len(house.embedded)
    assert house.vectors.current() is None
    index, mended = _index(house)
    index.agree()
    index.agree()
    assert (
        mended == [False]
        and isinstance(index.words(), FastFullText)
        and len(house.embedded) == embedded
    )
    house.agrees()


def test_an_index_of_an_older_program_answers_where_it_cannot_be_made_again(house: House) -> None:
    _without_words(house)
    index, _ = _index(house, BUSY)
    index.agree()
    assert index.words() is house.library.fulltext
    assert {
        n for n, _ in index.near(house.embedder.embed(["x"])[0], 10)
    } == house.library.documents.chunk_ids()


def test_an_index_of_an_older_program_that_is_open_is_made_again_when_nobody_writes(
    house: House,
) -> None:
    _without_words(house)
    index, _ = _index(house, BUSY)
    index.agree()
    assert index.near(house.embedder.embed(["x"])[0], 1)  # it is open now
    index, mended = _index(house)
    index.agree()
    assert mended == [False] and isinstance(index.words(), FastFullText)


def test_an_index_of_an_older_program_answers_where_nothing_can_be_written(house: House) -> None:
    index, _ = _index(house, PermissionError("read-only"))
    _without_words(house)
    index.agree()
    assert index.words() is house.library.fulltext and index.near(house.embedder.embed(["x"])[0], 1)
    _changed(house)
    with pytest.raises(PermissionError):
        index.agree()


def test_an_index_that_cannot_be_read_leaves_the_words_to_the_library_and_is_made_anew(
    house: House,
) -> None:
    house.vectors.close()
    for store in (house.library.folder / "vectors").rglob("chroma.sqlite3"):
        store.write_bytes(b"")
    index, mended = _index(house)
    index.agree()
    assert index.words() is house.library.fulltext
    assert {
        n for n, _ in index.near(house.embedder.embed(["x"])[0], 10)
    } == house.library.documents.chunk_ids()
    assert mended == [True] and isinstance(index.words(), FastFullText)


def test_a_vector_that_is_damaged_beyond_sense_is_noticed_when_its_passage_is_shown(
    house: House,
) -> None:
    name = sorted(house.library.documents.chunk_ids())[0]
    bad = np.full(house.dimension, 1e30, np.float32).tobytes()
    house.library.database.execute("UPDATE chunks SET vector = ? WHERE id = ?", (bad, name))
    assert house.library.documents.cosines([name], house.embedder.embed(["otters"])[0])[name] > 1
    with pytest.raises(LibraryBroken, match="checksum"):
        house.library.documents.chunks([name])


def test_a_vector_of_another_length_has_no_cosine(house: House) -> None:
    name, other = sorted(house.library.documents.chunk_ids())[:2]
    house.library.database.execute("UPDATE chunks SET vector = x'00000000' WHERE id = ?", (name,))
    assert set(
        house.library.documents.cosines([name, other], house.embedder.embed(["otters"])[0])
    ) == {other}


def test_where_there_is_none_yet_because_somebody_writes_the_cure_is_to_wait(house: House) -> None:
    index, mended = _index(house, BUSY)
    shutil.rmtree(house.library.folder / "vectors")
    house.vectors.close()
    with pytest.raises(LibraryBroken, match="no complete index") as error:
        index.near(house.embedder.embed(["anything"])[0], 10)
    assert mended == [True] and "ask again when it is done" in error.value.cure


QUESTION = "How many individual sanctions has Russia faced?"


def _lost(home: Path) -> None:
    for manifest in home.glob("libraries/default/vectors/gen-*.json"):
        manifest.unlink()


def test_a_question_makes_the_index_where_it_is_behind_and_tells_how_far_it_is(home: Path) -> None:
    _lost(home)
    with Bot.open(Config(home=str(home))) as bot:
        said = [
            [e.what for e in bot.ask(QUESTION, save=False) if isinstance(e, Loading)]
            for _ in range(2)
        ]
    assert said[0] == [
        "the models",
        "the index: vectors of 23 of 23 passages",
        "the index: words of 23 of 23 passages",
    ]
    assert said[1] == []


def test_who_stops_meanwhile_gets_an_empty_answer_and_asks_again(home: Path) -> None:
    _lost(home)
    with Bot.open(Config(home=str(home))) as bot:
        *before, last = bot.ask(QUESTION, stop=lambda: True, save=False)
        assert (
            isinstance(last, Answered)
            and last.answer.stopped
            and not last.answer.text
            and not last.answer.passages
        )
        assert [e.what for e in before if isinstance(e, Loading)][1:] == [
            "the index: vectors of 23 of 23 passages"
        ]
        *_, last = bot.ask(QUESTION, save=False)
        assert isinstance(last, Answered) and "5,000" in last.answer.text
