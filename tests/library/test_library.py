"""The library: whole documents or none, checksums, and words, vectors and chunks that agree."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.domain import Document, RawDocument
from rag.errors import LibraryBroken, LibraryMissing, RagError, Usage
from rag.events import Added, Event, Report
from rag.index.bm25 import FastFullText
from rag.index.chroma import VectorIndex
from rag.index.index import renew_index
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.ingest import Ingest
from rag.library.files import KnownFile
from rag.library.library import Library
from tests.support.fakes import WordVectors
from tests.support.narrow import close


def _count(texts: Sequence[str]) -> list[int]:
    return [len(t.split()) for t in texts]


class House:
    """A library with its index in a folder, filled with a fake embedder."""

    def __init__(self, folder: Path) -> None:
        self.embedder = WordVectors()
        self.embedded: list[str] = []
        self.library = Library(folder / "lib", make=True, identity="test")
        self.vectors = VectorIndex(folder / "lib" / "vectors", self.embedder.dimension)
        self.ingest = Ingest(self.library, self.vectors, lambda: self, _count, 40)

    dimension = WordVectors.dimension

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        return self.embedder.embed(texts)

    def add(self, *paths: Path) -> Report:
        return _report(list(self.ingest.add([str(p) for p in paths])))

    def agrees(self) -> None:
        """Words, vectors, chunks and documents tell the same story."""
        ids = self.library.documents.chunk_ids()
        assert self.library.integrity.damaged() == []
        assert self.vectors.revision() == self.library.revision
        self.vectors.close()
        embedded = self.library.table_vectors.ids_with_vector()
        assert not ids or self.vectors.chunk_ids() == embedded
        found = (
            self.vectors.near(self.embedder.embed(["anything"])[0], len(ids) + 10) if ids else []
        )
        names = [name for name, _ in found]
        # HNSW is approximate: of thousands of nearly equal rows, one may be unreachable
        assert len(set(names)) == len(names) >= 0.999 * len(embedded)
        assert embedded.issuperset(names)
        for document in {i.id for i in self.library.files.listings() if i.state == "ready"}:
            assert self.library.documents.load(document).id == document
        for number, (name, held) in enumerate(self.library.documents.chunks(sorted(ids)).items()):
            assert held.text == held.span.of(self.library.documents.load(held.document).text)
            if number % max(1, len(ids) // 40):
                continue
            word = next((w for w in held.text.split() if w.isalpha() and len(w) > 3), None)
            assert word is None or name in {n for n, _ in self.library.fulltext([word], 10_000)}
            self.counted([word] if word else [])

    def counted(self, words: Sequence[str]) -> None:
        """The postings in the index rank as the table of words does."""
        found = self.vectors.words()
        assert found is not None and found[1] == self.library.revision
        ranked = dict(FastFullText(found[0], self.library.fulltext)(words, 10_000))
        assert ranked == pytest.approx(dict(self.library.fulltext(words, 10_000)))


def _report(events: Sequence[Event]) -> Report:
    assert isinstance(events[-1], Report)
    return events[-1]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, animal in (("a", "badgers"), ("b", "herons"), ("c", "otters")):
        (folder / f"{name}.txt").write_text(
            f"All about {animal}\n\nThe {animal} sleep by day. They number {ord(name)} in all.\n"
        )
    return folder


@pytest.mark.slow
def test_add_again_touches_nothing(house: House, docs: Path) -> None:
    first = house.add(docs)
    assert first.added == ("docs/a.txt", "docs/b.txt", "docs/c.txt") and not first.failed
    house.agrees()
    before = len(house.embedded), house.library.revision
    again = house.add(docs)
    assert (again.unchanged, again.added, again.changed) == (3, (), ())
    assert (len(house.embedded), house.library.revision) == before


@pytest.mark.slow
def test_touched_but_equal_files_are_unchanged(house: House, docs: Path) -> None:
    house.add(docs)
    os.utime(docs / "a.txt", (1, 1))
    assert house.add(docs).unchanged == 3


@pytest.mark.slow
def test_changed_moved_and_vanished_files(house: House, docs: Path) -> None:
    house.add(docs)
    (docs / "a.txt").write_text("All about badgers\n\nThe badgers sleep by night now.\n")
    (docs / "b.txt").rename(docs / "birds.txt")
    (docs / "c.txt").unlink()
    report = _report(list(house.ingest.sync()))
    assert report.changed == ("docs/a.txt",)
    assert report.moved == (("docs/b.txt", "docs/birds.txt"),)
    assert report.removed == ("docs/c.txt",)
    assert [i.source for i in house.library.files.listings()] == ["docs/a.txt", "docs/birds.txt"]
    assert not house.library.fulltext(["otters"], 5) and not _holding(house, "day") & _holding(
        house, "badgers"
    )
    house.agrees()


def _holding(house: House, word: str) -> set[str]:
    return {name for name, _ in house.library.fulltext([word], 5)}


@pytest.mark.slow
def test_the_texts_of_chunks_are_those_that_were_asked_for(house: House, docs: Path) -> None:
    (docs / "long.txt").write_text(
        "All about moles\n\n" + "The moles dig by night and rest by day, each alone. " * 12
    )
    house.add(docs)
    chunks = house.library.documents.chunks(sorted(house.library.documents.chunk_ids()))
    assert max(Counter(c.document for c in chunks.values()).values()) > 2
    for name, held in chunks.items():
        assert list(house.library.documents.texts([name])) == [
            (name, held.title, held.heading, held.text)
        ]
    assert len(list(house.library.documents.texts(list(chunks)))) == len(chunks)


@pytest.mark.slow
def test_a_folder_that_is_gone_is_a_failure_not_a_removal(house: House, docs: Path) -> None:
    house.add(docs)
    docs.rename(docs.with_name("elsewhere"))
    report = _report(list(house.ingest.sync()))
    assert report.removed == () and report.failed[0].source == str(docs)
    assert len(house.library.files.listings()) == 3


@pytest.mark.slow
def test_a_text_in_two_files_is_one_document_with_two_names(house: House, docs: Path) -> None:
    (docs / "copy.txt").write_text((docs / "a.txt").read_text())
    house.add(docs)
    listed = {i.source: i.id for i in house.library.files.listings()}
    assert listed["docs/a.txt"] == listed["docs/copy.txt"]
    assert house.library.files.sources(listed["docs/a.txt"]) == ["docs/a.txt", "docs/copy.txt"]
    house.library.remove([(str(docs / "a.txt"), "")])
    assert house.library.documents.find("copy.txt").text.startswith("All about badgers")
    assert house.library.fulltext(["badgers"], 5)


@pytest.mark.slow
def test_one_bad_file_does_not_stop_the_others_and_is_listed_with_its_cure(
    house: House, docs: Path
) -> None:
    (docs / "bad.txt").write_bytes(b"\x00\x01\x02binary")
    (docs / "strange.xyz").write_text("what is this")
    report = house.add(docs)
    assert len(report.added) == 3
    assert {f.source for f in report.failed} == {"docs/bad.txt", "docs/strange.xyz"}
    assert all(f.reason and f.cure for f in report.failed)
    assert {i.source: i.state for i in house.library.files.listings()}["docs/bad.txt"] == "failed"
    assert len(house.add(docs).failed) == 2
    (docs / "bad.txt").write_text("Now it is a text about weasels.\n")
    assert "docs/bad.txt" in house.add(docs).added + house.add(
        docs
    ).changed or house.library.fulltext(["weasels"], 2)


@pytest.mark.slow
def test_a_name_that_is_no_text_is_listed_and_the_rest_goes_in(house: House, docs: Path) -> None:
    with open(os.fsencode(docs) + b"/caf\xe9.txt", "w") as file:
        file.write("A file whose name is Latin-1.\n")
    report = house.add(docs)
    assert len(report.added) == 3 and [f.source for f in report.failed] == ["docs/caf\\xe9.txt"]
    house.agrees()


@pytest.mark.slow
def test_an_unchanged_passage_is_not_embedded_again(house: House, docs: Path) -> None:
    parts = [f"Paragraph {n} speaks of {'animals ' * 30}.\n\n" for n in range(4)]
    (docs / "long.txt").write_text("".join(parts))
    house.add(docs)
    house.embedded.clear()
    (docs / "long.txt").write_text("".join([*parts, f"A new one speaks of {'plants ' * 30}.\n"]))
    house.add(docs)
    assert 0 < len(house.embedded) <= 2


@pytest.mark.slow
def test_a_file_named_twice_is_one_file(house: House, docs: Path) -> None:
    report = house.add(docs, docs / "a.txt", docs)
    assert len(report.added) == 3 and len(house.library.files.listings()) == 3


@pytest.mark.slow
def test_a_file_that_went_bad_keeps_its_old_text_and_is_reported_every_time(
    house: House, docs: Path
) -> None:
    house.add(docs)
    (docs / "a.txt").write_bytes(b"\x00\x01 no text any more")
    for _ in range(2):
        assert [f.source for f in house.add(docs).failed] == ["docs/a.txt"]
    assert "badgers" in house.library.documents.find("a.txt").text
    assert {i.source: (i.state, bool(i.reason)) for i in house.library.files.listings()}[
        "docs/a.txt"
    ] == ("ready", True)


@pytest.mark.slow
def test_two_folders_of_one_name_keep_their_files_apart(house: House, tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place / "docs").mkdir(parents=True)
        (tmp_path / place / "docs" / "a.txt").write_text(
            f"The file of {place} is about {place * 5}.\n"
        )
        house.add(tmp_path / place / "docs")
    assert sorted(i.source for i in house.library.files.listings()) == [
        "docs/a.txt",
        "y/docs/a.txt",
    ]


@pytest.mark.slow
def test_closing_the_iterator_stops_and_leaves_whole_documents(house: House, docs: Path) -> None:
    for n in range(300):
        (docs / f"n{n:03}.txt").write_text(
            "".join(
                f"Sentence {k} of text {n} is here to be counted among many.\n\n" for k in range(40)
            )
        )
    work = house.ingest.add([str(docs)])
    for event in work:
        if isinstance(event, Added):
            break
    close(work)
    ready = [i for i in house.library.files.listings() if i.state == "ready"]
    assert 0 < len(ready) < 303
    assert house.vectors.revision() is None  # who stops it does not wait for the index
    for _ in renew_index(house.library, house.vectors):
        pass
    house.agrees()
    house.add(docs)
    assert len(house.library.files.listings()) == 303
    house.agrees()


@pytest.mark.slow
def test_an_error_inside_a_transaction_leaves_no_trace(house: House, docs: Path) -> None:
    house.add(docs)
    document = clean_document(RawDocument("A text that fails. " * 30), "x.txt")
    chunks = list(chunk_document(document, 20, _count))
    rows = house.embed([c.text for c in chunks])
    keys = [b"k%d" % n for n in range(len(chunks))]
    before = house.library.documents.counts(), house.library.revision
    with pytest.raises((RagError, ValueError)):
        house.library.put(
            [
                (
                    KnownFile("/x", "x.txt", document.id, 1, 1, "", None),
                    document,
                    chunks,
                    rows[:-1],
                    keys,
                )
            ]
        )
    assert (house.library.documents.counts(), house.library.revision) == before
    assert not house.library.fulltext(["fails"], 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET text = replace(text, 'sleep', 'slept') WHERE text LIKE '%herons%'",
        "UPDATE chunks SET start = start + 1 WHERE number = 2",
        "UPDATE chunks SET vector = zeroblob(length(vector)) WHERE number = 2",
    ],
)
def test_a_changed_row_is_noticed_and_named(house: House, docs: Path, damage: str) -> None:
    house.add(docs)
    house.library.close()
    with sqlite3.connect(house.library.folder / "library.db") as db:
        db.execute(damage)
    db.close()
    library = Library(house.library.folder, identity="test")
    assert library.integrity.damaged() == ["docs/b.txt"]
    with pytest.raises(LibraryBroken, match=r"docs/b\.txt"):
        library.documents.chunks(sorted(library.documents.chunk_ids()))


@pytest.mark.slow
def test_a_bit_in_the_table_of_words_is_noticed_where_it_hides_a_passage(
    house: House, docs: Path
) -> None:
    house.add(docs)
    house.library.close()
    path = house.library.folder / "library.db"
    texts = (
        "SELECT substr(d.text, c.start + 1, c.end - c.start) "
        "FROM chunks c JOIN documents d ON d.id = c.document"
    )
    hidden = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        words = sorted(
            {w.lower() for (text,) in db.execute(texts) for w in re.findall(r"[A-Za-z]{3,}", text)}
        )
        number, block = db.execute(
            "SELECT id, block FROM words_data ORDER BY length(block) DESC"
        ).fetchone()
        for at in range(
            len(block) // 2, len(block)
        ):  # its second half ends in the page's index of words
            db.execute(
                "UPDATE words_data SET block = ? WHERE id = ?", (_flipped(block, at), number)
            )
            library = Library(house.library.folder, identity="test")
            try:
                there = all(library.fulltext([word], 5) for word in words)
            except sqlite3.Error:
                there = True  # it is said
            if not there:
                hidden += 1
                assert any(
                    "words" in line or "library.db" in line for line in library.integrity.wrong()
                ), at
            library.close()
    assert hidden > 5


def _flipped(block: bytes, at: int) -> bytes:
    return block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]


@pytest.mark.slow
def test_another_embedder_or_a_newer_format_is_refused_and_unchanged(
    house: House, docs: Path
) -> None:
    house.add(docs)
    with pytest.raises(LibraryBroken, match="another"):
        Library(house.library.folder, identity="another embedder")
    house.library.close()
    with sqlite3.connect(house.library.folder / "library.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LibraryBroken, match="format 99"):
        Library(house.library.folder, identity="test")


def test_no_library_and_no_such_document(tmp_path: Path, house: House) -> None:
    with pytest.raises(LibraryMissing):
        Library(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(Usage, match="no document called"):
        house.library.documents.find("x.txt")


@pytest.mark.slow
def test_a_corpus_file_holds_many_documents_and_follows_its_changes(
    house: House, tmp_path: Path
) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(
        '{"id": "one", "text": "The first text is about lynxes."}\n'
        '{"id": "two", "text": "The second is about newts."}\n'
    )
    assert house.add(path).added == ("one", "two")
    path.write_text(
        '{"id": "two", "text": "The second is about toads."}\n'
        '{"id": "three", "text": "The third is about bats."}\n'
    )
    report = house.add(path)
    assert (report.added, report.changed, report.removed) == (("three",), ("two",), ("one",))
    assert house.library.documents.find("two").text == "The second is about toads."
    house.agrees()


@pytest.mark.slow
def test_documents_are_found_by_the_end_of_their_name_but_not_by_a_wildcard(
    house: House, docs: Path
) -> None:
    house.add(docs)
    assert house.library.documents.find("a.txt").source == "docs/a.txt"
    with pytest.raises(Usage):
        house.library.documents.find("_.txt")
    assert isinstance(house.library.documents.find("docs/b.txt"), Document)
