"""Names of files and their documents: none stands for another, and a document reported is in."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import Usage
from rag.events import Event, Report
from rag.index.index import renew_index
from rag.ingest.ingest import Ingest
from rag.library.library import Library
from tests.library.test_library import House, _count, _report
from tests.support.fakes import WordVectors

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def _corpus(path: Path, ids: Sequence[str]) -> Path:
    records = (
        {"id": name, "text": f"The text number {at} is of its own."} for at, name in enumerate(ids)
    )
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def _zip(path: Path, names: Sequence[str]) -> Path:
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w") as archive:
        for at, name in enumerate(names):
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            archive.writestr(entry, f"The member number {at} is of its own.")
    return path


def _texts(folder: Path, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"The file number {at} is of its own.\n")


def _lawful(house: House, report: Report) -> None:
    """What is said to be in is in, under that name; the same once more changes nothing."""
    ready = [i.source for i in house.library.files.listings() if i.state == "ready"]
    assert sorted(report.added) == ready and len(set(ready)) == len(ready)
    for source in ready:
        assert house.library.documents.find(source).source == source
    again = _report(list(house.ingest.sync()))
    assert (again.added, again.changed, again.moved, again.removed, again.kept) == (
        (),
        (),
        (),
        (),
        (),
    )
    assert again.unchanged == len(ready)
    assert sorted(f.source for f in again.failed) == sorted(f.source for f in report.failed)


# -- '#' --


def test_a_folder_whose_name_begins_with_that_of_another_is_another(
    house: House, tmp_path: Path
) -> None:
    names = ["C", "C#", "C#.net", "C++", "Cx", "C .", "c", "C#/C"]
    for at, name in enumerate(names):
        _texts(tmp_path / name, [f"{at}.txt"])
        house.add(tmp_path / name)
    for name in (*names, "C/", "C/../C", "C#/./"):
        report = _report(list(house.ingest.add([f"{tmp_path}/{name}"])))
        assert (report.removed, report.added, report.changed) == (
            (),
            (),
            (),
        ) and report.unchanged >= 1
    assert len(house.library.files.listings()) == len(names)


def test_a_path_with_a_hash_is_unchanged_and_has_a_path(house: House, tmp_path: Path) -> None:
    names = ["a#.txt", "#.txt", "a#b.txt", "x/y#z/1.txt", "a.zip#x.txt", "a.zip/1.txt"]
    _texts(tmp_path / "docs", names)
    _corpus(tmp_path / "docs" / "c#1.jsonl", ["a#b", "#", "x"])
    _lawful(house, house.add(tmp_path / "docs"))
    for name in names:
        assert house.library.documents.find(f"docs/{name}").path == str(tmp_path / "docs" / name)
    assert house.library.documents.find("a#b").path == ""


def test_a_file_beside_a_corpus_that_is_called_like_a_document_of_it(
    house: House, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, ["c.jsonl#x.txt", "a.txt"])
    ids = [
        "x.txt",
        "docs/a.txt",
        "docs/c.jsonl",
        "/docs/a.txt",
        "/x.txt",
        "../a.txt",
        "c.jsonl#x.txt",
        str(docs / "a.txt"),
    ]
    _corpus(docs / "c.jsonl", ids)
    report = house.add(docs)
    assert len(report.added) == len(ids) + 2 and not report.failed
    _lawful(house, report)
    (docs / "c.jsonl").unlink()
    assert len(_report(list(house.ingest.sync(forget=True))).removed) == len(ids)
    assert len(house.library.files.listings()) == 2


# -- archives and corpora --


def test_members_that_are_the_same_name_in_other_letters(house: House, tmp_path: Path) -> None:
    names = [
        "a.txt",
        "./a.txt",
        "d/b.txt",
        "d//b.txt",
        "d/./b.txt",
        "A.txt",
        "\u00e9.txt",
        "e\u0301.txt",
        "d\\b.txt",
        " a.txt",
        "a.txt ",
    ]
    report = house.add(_zip(tmp_path / "a.zip", [*names, "d/../a.txt", "/a.txt"]))
    assert set(report.added) >= {
        "a.zip/a.txt",
        "a.zip/A.txt",
        "a.zip/d/b.txt",
        "a.zip/d\\b.txt",
        "a.zip/ a.txt",
    }
    assert len(report.added) + len(report.failed) == len(names) + 2
    assert sum("twice" in f.reason for f in report.failed) == 3
    _lawful(house, report)


def test_a_tar_and_a_corpus_in_an_archive(house: House, tmp_path: Path) -> None:
    corpus = b'{"id": "x", "text": "One."}\n{"id": "/x", "text": "Two."}\n{"id": "x.txt", "text": "Three."}\n'
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, content in (
            ("c.jsonl", corpus),
            ("c.jsonl/x.txt", b"Four."),
            ("./c.jsonl/x.txt", b"Five."),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    report = house.add(tmp_path / "a.tar")
    assert len(report.added) == 4 and len(report.failed) == 1
    _lawful(house, report)


def test_ids_that_a_reader_makes_equal_stay_two_documents(house: House, tmp_path: Path) -> None:
    ids = [
        "a\0",
        "a\ufffd",
        "a\ufffd (2)",
        "a",
        "a ",
        " a",
        "A",
        "a\n",
        "a\x1b[31m",
        ".",
        "..",
        "/",
        "a/",
        "a/b",
        "%",
        "_",
        "\u202ea",
    ]
    report = house.add(_corpus(tmp_path / "c.jsonl", ids))
    assert len(report.added) == len(ids)
    _lawful(house, report)


_NAME = st.text(st.sampled_from("aAb#./\\ %_\0\ufffd\u00e9\n(2)"), min_size=1, max_size=6)


class _Bare(House):
    """Without an index: what a name stands for is in the library."""

    def __init__(self, folder: Path) -> None:
        self.embedder, self.embedded = WordVectors(), list[str]()
        self.library = Library(folder, make=True, identity="test")
        self.ingest = Ingest(self.library, _Nothing(), lambda: self, _count, 40)  # type: ignore[arg-type]


class _Nothing:
    def revision(self) -> None:
        return None

    def renew(self, *_: object) -> Iterator[Event]:
        yield from ()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_NAME, max_size=5, unique=True),
    st.lists(_NAME, max_size=5),
    st.lists(_NAME, max_size=5),
)
def test_every_name_keeps_its_document(
    ids: list[str], members: list[str], files: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        house, docs = _Bare(Path(name) / "house"), Path(name) / "docs"
        docs.mkdir()
        _corpus(docs / "c.jsonl", ids or ["one"])
        _zip(docs / "a.zip", [f"{member}.txt" for member in members])
        for at, file in enumerate(files):
            safe = file.replace("/", "-").replace("\0", "-")
            (docs / f"{at % 2}{safe}.txt").write_text(f"The file {at} is of its own.\n")
        _lawful(house, house.add(docs))
        house.library.close()


def test_a_damaged_document_is_read_again_from_a_file_with_a_hash(
    house: House, tmp_path: Path
) -> None:
    docs = tmp_path / "C#"
    docs.mkdir()
    _corpus(docs / "c#.jsonl", ["a\0", "a\ufffd", "b#"])
    _zip(docs / "a#.zip", ["1.txt", "x/2#.txt"])
    report = house.add(docs)
    for known in list(house.library.files.by_place().values()):
        before = house.library.documents.load(known.document or "").text
        assert house.ingest.restore(known)
        assert house.library.documents.load(known.document or "").text == before
    for _ in renew_index(house.library, house.vectors):
        pass
    house.agrees()
    _lawful(house, report)


# -- moves --


def test_of_two_copies_of_a_file_that_is_gone_one_is_it_and_the_other_is_new(
    house: House, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, ["a.txt", "b.txt"])
    house.add(docs)
    (docs / "copy.txt").write_bytes((docs / "a.txt").read_bytes())
    (docs / "a.txt").rename(docs / "again.txt")
    report = house.add(docs)
    assert report.moved == (("docs/a.txt", "docs/again.txt"),) and report.added == (
        "docs/copy.txt",
    )
    assert [i.source for i in house.library.files.listings()] == [
        "docs/again.txt",
        "docs/b.txt",
        "docs/copy.txt",
    ]


def test_a_corpus_or_an_archive_that_got_another_name_keeps_its_documents(
    house: House, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    _corpus(docs / "c.jsonl", ["one", "two"])
    _zip(docs / "a.zip", ["1.txt", "b.png"])
    house.add(docs)
    (docs / "c.jsonl").rename(docs / "d.jsonl")
    (docs / "a.zip").rename(docs / "b.zip")
    report = house.add(docs)
    assert (report.added, report.removed, len(report.moved)) == ((), (), 3)
    assert [i.source for i in house.library.files.listings()] == [
        "docs/b.zip/1.txt",
        "docs/b.zip/b.png",
        "one",
        "two",
    ]
    assert [f.source for f in house.add(docs).failed] == ["docs/b.zip/b.png"]


# -- what a name means --


@pytest.mark.parametrize("name", ["", " ", "\t\n", "/", "//", ".", "./", "..", "../..", " / . "])
def test_a_name_of_nothing_removes_nothing(house: House, tmp_path: Path, name: str) -> None:
    _texts(tmp_path / "docs", ["a.txt"])
    house.add(tmp_path / "docs")
    with pytest.raises(Usage) as error:
        house.library.names.resolve(name)
    assert error.value.cure
    with pytest.raises(Usage):
        house.library.documents.find(name)


def test_a_blank_path_is_no_folder(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _texts(tmp_path, ["a.txt"])
    monkeypatch.chdir(tmp_path)
    for paths in ([""], [" "], ["a.txt", ""]):
        with pytest.raises(Usage, match="path is empty"):
            list(house.ingest.add(paths))
    assert house.library.files.listings() == [] and house.library.files.roots() == []


def test_a_name_means_whole_names_and_no_pattern(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        "C/1.txt",
        "C#/2.txt",
        "Cx/3.txt",
        "a%.txt",
        "ab.txt",
        "a_.txt",
        "a[b].txt",
        "a*.txt",
        ".../4.txt",
        "sub/ab.txt",
    ]
    _texts(tmp_path / "docs", names)
    house.add(tmp_path / "docs")

    def meant(name: str) -> list[str]:
        return sorted(known.source for known in house.library.names.resolve(name)[0])

    assert (
        meant("docs/C")
        == meant("docs/C/")
        == meant(str(tmp_path / "docs" / "C"))
        == ["docs/C/1.txt"]
    )
    assert meant("docs/C#") == ["docs/C#/2.txt"]
    for name in ("a%.txt", "a_.txt", "a[b].txt", "a*.txt"):
        assert meant(name) == [f"docs/{name}"]
        assert house.library.documents.find(name).source == f"docs/{name}"
    monkeypatch.chdir(tmp_path / "docs" / "sub")
    assert meant("../C/../C") == ["docs/C/1.txt"] and meant("./ab.txt") == ["docs/sub/ab.txt"]
    for name in (
        "%",
        "_.txt",
        "a?.txt",
        "A%.TXT",
        "../1.txt",
        ".1.txt",
        "%" * 100_000,
        "x" * 100_000,
        "C\0",
    ):
        with pytest.raises(Usage):
            house.library.names.resolve(name)
    assert house.library.documents.chunk_ids_named(["%" * 100_000, "_.txt", "*"]) == []
    assert len(house.library.documents.chunk_ids_named(["a%.txt"])) == 1


def test_one_document_of_a_corpus_goes_and_the_corpus_stays_known(
    house: House, tmp_path: Path
) -> None:
    path = _corpus(tmp_path / "c.jsonl", ["x", "y", "x/z"])
    house.add(path)
    files, roots = house.library.names.resolve("y")
    assert [f.source for f in files] == ["y"] and roots == []
    house.library.remove([f.place for f in files], roots)
    assert [i.source for i in house.library.files.listings()] == ["x", "x/z"]
    files, roots = house.library.names.resolve(str(path))
    assert len(files) == 2 and roots == [str(path)]


def test_names_that_are_no_text_are_lines(house: House, tmp_path: Path) -> None:
    (tmp_path / "ok").mkdir()
    _texts(tmp_path / "ok", ["a.txt"])
    bad = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(bad)
    report = _report(
        list(house.ingest.add([os.fsdecode(bad), f"{tmp_path}/a\0b", str(tmp_path / "ok")]))
    )
    assert report.added == ("ok/a.txt",) and len(report.failed) == 2
    assert all(f.reason and f.cure for f in report.failed)
