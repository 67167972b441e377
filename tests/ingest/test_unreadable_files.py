"""What a file that cannot be read, is odd, or is gone does to an ingest: a line of the report, and nothing is forgotten by it."""

from __future__ import annotations

import errno
import importlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rag.disk.paths import gone, within
from rag.domain import Document
from rag.errors import LibraryBroken
from rag.events import Report
from rag.ingest import load as loading
from rag.ingest.formats import sandbox
from rag.ingest.load import File, walk_files
from rag.library.boilerplate import BoilerplateTable
from tests.library.test_library import House, _report

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def _texts(folder: Path, number: int, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(first, first + number):
        (folder / f"{at:02}.txt").write_text(f"The file {folder.name} {at} is of its own.\n")


def _sync(house: House, forget: bool = False) -> Report:
    return _report(list(house.ingest.sync(forget)))


def _sources(house: House) -> list[str]:
    return [i.source for i in house.library.files.listings()]


def _breaks(monkeypatch: pytest.MonkeyPatch, name: str, path: Path, number: int) -> None:
    """`os.NAME` fails for one path."""
    real = getattr(os, name)

    def broken(asked: Any, *more: Any, **named: Any) -> Any:
        if os.fspath(asked) == str(path):
            raise OSError(number, os.strerror(number), str(path))
        return real(asked, *more, **named)

    monkeypatch.setattr(os, name, broken)


# -- unreadable is not vanished --


@pytest.mark.parametrize(
    "number",
    [
        errno.EACCES,
        errno.EIO,
        errno.ENOTDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ESTALE,
        errno.ENOTCONN,
    ],
)
def test_a_folder_that_cannot_be_read_keeps_its_documents(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 1)
    _texts(docs / "sub", 3)
    house.add(docs)
    for call in ("add", "sync"):
        with monkeypatch.context() as broken:
            _breaks(broken, "scandir", docs / "sub", number)
            report = house.add(docs) if call == "add" else _sync(house)
        assert (report.removed, report.kept, report.unchanged) == ((), (), 1)
        (line,) = report.failed
        assert (
            line.source == "docs/sub"
            and "the folder cannot be read" in line.reason
            and "readable" in line.cure
        )
        assert os.strerror(number) in line.reason
    report = _sync(house)
    assert (report.unchanged, report.failed, report.removed) == (4, (), ())
    assert len(_sources(house)) == 4, "the folder is no longer listed as failed"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("name", ["lstat", "open"])
def test_a_file_that_cannot_be_looked_at_keeps_its_document(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, name: str
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 3)
    house.add(docs)
    (docs / "01.txt").write_text("It has another text and another size now.\n")
    with monkeypatch.context() as broken:
        _breaks(broken, name, docs / "01.txt", number)
        report = _sync(house)
    assert report.removed == () and report.unchanged == 2
    assert [f.source for f in report.failed] == ["docs/01.txt"] and os.strerror(
        number
    ) in report.failed[0].reason
    assert "of its own" in house.library.documents.find("01.txt").text
    assert _sync(house).changed == ("docs/01.txt",)


def test_a_root_that_cannot_be_read_is_said_to_be_a_folder_that_cannot(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _texts(tmp_path / "docs", 2)
    (tmp_path / "one.txt").write_text("One file of its own.\n")
    house.add(tmp_path / "docs", tmp_path / "one.txt")
    with monkeypatch.context() as broken:
        _breaks(broken, "scandir", tmp_path / "docs", errno.EACCES)
        _breaks(broken, "lstat", tmp_path / "one.txt", errno.EACCES)
        report = _sync(house)
    assert report.removed == () and len(report.failed) == 2 and len(_sources(house)) == 3
    assert any("the folder cannot be read" in f.reason for f in report.failed)
    assert all("is there" not in f.cure for f in report.failed), "it is there"


_Popen = subprocess.Popen


def _started_by_root(*arguments: Any, **named: Any) -> Any:
    """A process that can read Python's own folder; it opens no file of the test."""
    os.seteuid(0)
    try:
        return _Popen(*arguments, **named)
    finally:
        os.seteuid(65534)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, and for root the rights of nobody while the test runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        if root:
            # What is imported on first use is imported now: Python's own folder may be closed to nobody.
            warm = House(folder / "warm")
            (folder / "warm.txt").write_text("A text.\n")
            warm.add(folder / "warm.txt")
            shutil.rmtree(folder / "warm")
            (folder / "warm.txt").unlink()
            monkeypatch.setattr("rag.ingest.formats.sandbox.subprocess.Popen", _started_by_root)
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            for path in folder.rglob("*"):
                path.chmod(0o700)


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
def test_a_folder_without_rights_keeps_its_documents(nobody: Path, mode: int) -> None:
    docs, house = nobody / "docs", House(nobody / "house")
    _texts(docs, 1)
    _texts(docs / "sub", 2)
    _texts(docs / "sub" / "below", 2)
    house.add(docs, docs / "sub" / "00.txt")
    copy = docs / "copy.txt"
    copy.write_bytes((docs / "sub" / "01.txt").read_bytes())
    (docs / "sub").chmod(mode)
    report = _sync(house)
    (docs / "sub").chmod(0o700)
    assert (report.removed, report.kept) == ((), ())
    assert report.moved == () and report.added == ("docs/copy.txt",), (
        "its original cannot be seen, and may be there"
    )
    assert report.failed and all("denied" in f.reason for f in report.failed)
    assert len(house.library.documents.find("docs/sub/01.txt").text) > 0
    report = _sync(house)
    assert (report.unchanged, report.failed, report.removed) == (6, (), ())
    house.library.close()


def test_what_a_walk_passes_over_is_not_gone(house: House, tmp_path: Path) -> None:
    _texts(tmp_path / "docs", 1)
    _texts(tmp_path / "docs" / ".notes", 2)
    _texts(tmp_path / "docs" / "moved", 2)
    (tmp_path / "docs" / ".one.txt").write_text("A hidden file of its own.\n")
    house.add(tmp_path / "docs" / ".notes", tmp_path / "docs" / ".one.txt")
    house.add(tmp_path / "docs")
    assert len(_sources(house)) == 6
    (tmp_path / "docs" / "moved").rename(tmp_path / "elsewhere")
    (tmp_path / "docs" / "moved").symlink_to(tmp_path / "elsewhere")
    report = house.add(tmp_path / "docs")
    assert report.removed == () and len(_sources(house)) == 6


def test_paths_hold_by_whole_names() -> None:
    assert (
        within("/a/b", {"/a"}) == "/a"
        and within("/a", {"/a"}) == "/a"
        and within("/a", {"/"}) == "/"
    )
    assert (
        within("/a#b", {"/a"}) is None
        and within("/ab/c", {"/a"}) is None
        and within("/a", {"/a/b"}) is None
    )
    assert within("/a/b/c", {"/a", "/a/b"}) == "/a/b"


def test_gone_is_only_what_is_surely_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")
    assert gone(str(tmp_path / "none")) and gone(str(tmp_path / "file" / "below"))
    assert (
        not gone(str(tmp_path / "file")) and not gone(str(tmp_path / "link")) and not gone("a\0b")
    )
    _breaks(monkeypatch, "lstat", tmp_path / "none", errno.EACCES)
    assert not gone(str(tmp_path / "none"))


# -- much is gone at once --


def _without(folder: Path, number: int) -> None:
    for path in sorted(folder.iterdir())[:number]:
        path.unlink()


@pytest.mark.parametrize(
    ("had", "lost", "stay"),
    [
        (3, 1, 0),
        (9, 8, 0),
        (10, 5, 0),
        (10, 6, 6),
        (30, 29, 29),
        (3, 3, 3),
        (1, 1, 1),
        (12, 12, 12),
    ],
)
def test_much_is_forgotten_only_when_it_is_asked_for(
    house: House, tmp_path: Path, had: int, lost: int, stay: int
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, had)
    house.add(docs)
    _without(docs, lost)
    report = _sync(house)
    assert len(report.kept) == stay and len(report.removed) == lost - stay
    assert len(_sources(house)) == had - lost + stay
    assert set(report.kept) <= set(_sources(house)), "they are named as they are listed"
    report = _sync(house, forget=True)
    assert len(report.removed) == stay and len(_sources(house)) == had - lost


def test_each_folder_is_judged_by_itself_and_all_together(house: House, tmp_path: Path) -> None:
    _texts(tmp_path / "large", 40)
    _texts(tmp_path / "small", 12)
    house.add(tmp_path / "large", tmp_path / "small")
    _without(tmp_path / "small", 11)
    _without(tmp_path / "large", 2)
    report = _sync(house)
    assert len(report.kept) == 11 and len(report.removed) == 2
    for path in sorted((tmp_path / "large").iterdir()):
        path.rename(tmp_path / "small" / f"l{path.name}")
    report = _sync(house)
    assert len(report.moved) == 38 and report.removed == (), "what went elsewhere is not gone"


def test_single_files_of_one_folder_are_judged_together(house: House, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    _texts(mount, 4)
    house.add(*sorted(mount.iterdir()))
    (mount / "00.txt").unlink()
    assert _sync(house).removed == ("00.txt",)
    _without(mount, 3)
    report = _sync(house)
    assert report.removed == () and len(report.kept) == 3, (
        "the folder is bare, as a disk that is not mounted"
    )


def test_a_folder_that_became_something_else_keeps_its_documents(
    house: House, tmp_path: Path
) -> None:
    for name in ("link", "file"):
        _texts(tmp_path / name, 3)
    house.add(tmp_path / "link", tmp_path / "file")
    for name in ("link", "file"):
        (tmp_path / name).rename(tmp_path / f"old {name}")
    (tmp_path / "link").symlink_to("/not/mounted")
    (tmp_path / "file").write_text("A file in the place of a folder.\n")
    report = _sync(house)
    assert report.removed == () and len(report.kept) == 6 and len(report.failed) == 2


def test_a_missing_folder_that_was_added_by_itself_keeps_its_documents(
    house: House, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 4)
    _texts(docs / "mount", 3)
    house.add(docs / "mount")
    house.add(docs)
    (docs / "mount").rename(tmp_path / "elsewhere")
    report = _sync(house)
    assert report.removed == () and len(_sources(house)) == 7
    (line,) = report.failed
    assert f"footnote remove {docs}/mount" in line.cure
    files, roots = house.library.names.resolve(str(docs / "mount"))
    house.library.remove([f.place for f in files], roots)
    assert house.library.files.roots() == [str(docs)] and len(_sources(house)) == 4
    assert _sync(house).failed == ()


def test_a_file_that_was_added_by_itself_and_is_gone_can_be_forgotten_for_good(
    house: House, tmp_path: Path
) -> None:
    _texts(tmp_path / "docs", 3)
    one = tmp_path / "docs" / "00.txt"
    house.add(one, tmp_path / "docs" / "01.txt")
    one.unlink()
    assert _sync(house).removed == ("00.txt",)
    assert "footnote remove" in _sync(house).failed[0].cure
    files, roots = house.library.names.resolve(str(one))
    assert (files, roots) == ([], [str(one)])
    house.library.remove([], roots)
    assert _sync(house).failed == ()


def test_a_folder_in_the_place_of_a_file_is_not_that_file(house: House, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 3)
    house.add(docs)
    (docs / "00.txt").rename(docs / "first.txt")
    (docs / "01.txt").unlink()
    for name in ("00.txt", "01.txt"):
        _texts(docs / name, 1)
    report = house.add(docs)
    assert report.moved == (("docs/00.txt", "docs/first.txt"),) and report.removed == (
        "docs/01.txt",
    )
    assert _sources(house) == [
        "docs/00.txt/00.txt",
        "docs/01.txt/00.txt",
        "docs/02.txt",
        "docs/first.txt",
    ]


def test_a_corpus_that_was_read_says_what_it_holds(house: House, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    lines = [f'{{"id": "{at}", "text": "The text number {at}."}}\n' for at in range(30)]
    path.write_text("".join(lines))
    house.add(path)
    path.write_text("".join(lines[:3]))
    report = _sync(house)
    assert len(report.removed) == 27 and report.kept == ()


# -- one bad file is one line --

_TIMES = [
    13_569_465_600, -9_300_000_000, -(2**40), 2**40, 2**33, 16_725_225_600, -1, 9_223_372_037,
]  # fmt: skip


@pytest.mark.parametrize("seconds", _TIMES)
def test_a_date_that_no_number_of_64_bits_holds(house: House, tmp_path: Path, seconds: int) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 3)
    os.utime(docs / "01.txt", ns=(0, seconds * 10**9 + 7))
    assert len(house.add(docs).added) == 3
    assert _sync(house).unchanged == 3
    before = (docs / "01.txt").lstat().st_mtime_ns
    (docs / "01.txt").write_text((docs / "01.txt").read_text().replace("own", "kin"))
    os.utime(docs / "01.txt", ns=(0, seconds * 10**9 + 10**12))
    if (docs / "01.txt").lstat().st_mtime_ns != before:  # else the disk has no such dates
        assert _sync(house).changed == ("docs/01.txt",)


def test_numbers_of_a_file_fit_into_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("x")
    real = os.lstat

    class Odd:
        st_mode = 0o100644
        st_size, st_mtime_ns = 2**70 + 5, -(2**66) - 9

    monkeypatch.setattr(
        os, "lstat", lambda path: Odd() if str(path).endswith("a.txt") else real(path)
    )
    (file,) = walk_files(str(tmp_path / "a.txt"))
    assert (file.size, file.mtime) == (5, -9)


def _vanish(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("become", [_vanish, _folder, _pipe, _link])
@pytest.mark.parametrize("known", [False, True])
def test_a_file_that_becomes_something_else_before_it_is_read(
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    become: Callable[[Path], None],
    known: bool,
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 4)
    if known:
        house.add(docs)
        for path in docs.iterdir():
            path.write_text(path.read_text() + "And it has more to say.\n")
    real = loading.read_bytes

    def late(path: str) -> bytes:
        if path.endswith("01.txt") and not (docs / "done").exists():
            (docs / "done").touch()
            become(docs / "01.txt")
        return real(path)

    monkeypatch.setattr(loading, "read_bytes", late)
    report = house.add(docs)
    assert [f.source for f in report.failed] == ["docs/01.txt"] and report.failed[0].cure
    assert len(report.changed if known else report.added) == 3
    assert house.library.documents.find("docs/01.txt") if known else True


def test_what_vanishes_during_the_walk_is_not_there(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 3)
    _texts(docs / "sub", 1)
    _breaks(monkeypatch, "lstat", docs / "01.txt", errno.ENOENT)
    _breaks(monkeypatch, "scandir", docs / "sub", errno.ENOENT)
    report = house.add(docs)
    assert report.added == ("docs/00.txt", "docs/02.txt") and report.failed == ()


_ERRORS = [
    ValueError("no such thing"), RecursionError("too deep"), OverflowError("too large"), MemoryError(), KeyError("x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), AssertionError(), OSError(errno.EIO, "Input/output error"), IndexError("9"),
    TypeError("\udcff"), ZeroDivisionError("x" * 100_000), AttributeError("n\no"), NotImplementedError(), StopIteration(),
    UnicodeEncodeError("utf-8", "\udc80", 0, 1, "bad"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "error"),
    [
        *(("rag.ingest.clean.clean_document", error) for error in _ERRORS),
        *(
            (where, error)
            for where in ("rag.ingest.load.load_file", "rag.ingest.load.read_bytes")
            for error in _ERRORS[:4]
        ),
        *(("rag.ingest.ingest.chunk_document", error) for error in _ERRORS[3:6]),
    ],
    ids=lambda said: said if isinstance(said, str) else type(said).__name__,
)
def test_any_error_of_one_file_is_one_line_at_every_add(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, where: str
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 3)
    module, _, name = where.rpartition(".")
    owner = importlib.import_module(module)
    real = getattr(owner, name)

    def broken(*asked: Any, **named: Any) -> Any:
        first = asked[0]
        if "docs 1 is" in getattr(first, "text", "") or "01.txt" in str(
            getattr(first, "path", first)
        ):
            raise error
        return real(*asked, **named)

    monkeypatch.setattr(owner, name, broken)
    assert len(house.add(docs).added) == 2
    report = _sync(house)
    assert report.unchanged == 2 and [f.source for f in report.failed] == ["docs/01.txt"]
    line = report.failed[0]
    assert line.reason and line.cure and len(line.reason) < 400 and "\n" not in line.reason
    line.reason.encode()
    monkeypatch.undo()
    report = _sync(house)
    assert report.added == ("docs/01.txt",) and report.failed == (), "it is tried again"


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), LibraryBroken("damaged", "mend"), sqlite3.OperationalError("full")],
)
def test_what_is_no_fault_of_a_file_ends_the_run(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    _texts(tmp_path / "docs", 2)

    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("rag.ingest.clean.clean_document", broken)
    with pytest.raises(type(error)):
        house.add(tmp_path / "docs")


def test_a_member_that_breaks_a_reader_does_not_keep_the_others_out(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("1.txt", "2.md", "3.txt"):
            archive.writestr(name, f"The member {name} is of its own.")

    broken = partial(
        sandbox.parse_in_sandbox, worker="tests.support.sandbox_workers:broken_markdown"
    )
    monkeypatch.setattr(sandbox, "parse_in_sandbox", broken)
    report = house.add(tmp_path / "a.zip")
    sandbox.end_sandbox()
    assert len(report.added) == 2 and [f.source for f in report.failed] == ["a.zip/2.md"]


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("int too large"),
        sqlite3.DataError("string or blob too big"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"),
    ],
)
def test_a_document_that_cannot_be_stored_does_not_keep_its_neighbours_out(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 5)
    real = BoilerplateTable.put  # the last step of storing a document

    def broken(self: BoilerplateTable, document: Document) -> None:
        real(self, document)
        if document.source in ("docs/01.txt", "docs/03.txt"):
            raise error

    monkeypatch.setattr(BoilerplateTable, "put", broken)
    report = house.add(docs)
    assert [f.source for f in report.failed] == ["docs/01.txt", "docs/03.txt"] and len(
        report.added
    ) == 3
    assert {i.source: i.state for i in house.library.files.listings()}["docs/03.txt"] == "failed"
    house.agrees()
    assert _sync(house).unchanged == 3


def test_a_file_whose_size_is_a_lie_is_a_line(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    _texts(docs, 2)
    real = os.fstat

    def lying(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[6] = 3
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", lying)
    report = house.add(docs)
    assert len(report.failed) == 2 and report.added == ()
    assert isinstance(next(iter(walk_files(str(docs)))), File)


def test_documents_behind_a_folder_that_became_a_link_are_kept_and_named(
    house: House, tmp_path: Path
) -> None:
    docs, elsewhere = tmp_path / "docs", tmp_path / "elsewhere"
    _texts(docs, 1)
    _texts(docs / "sub", 2)
    house.add(docs)
    (docs / "sub").rename(elsewhere)
    (docs / "sub").symlink_to(elsewhere)
    for _ in range(2):
        report = _sync(house)
        assert not report.removed and len(_sources(house)) == 3
        assert len(report.failed) == 2 and all("is a link now" in f.reason for f in report.failed)
    elsewhere.rename(tmp_path / "gone")
    assert len(_sync(house).removed) == 2
