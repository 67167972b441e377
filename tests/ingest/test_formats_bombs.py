"""Bombs of less than 1 MB: each ends within bounds, as a document or as a line of the report.

Seconds are of processor time, in this process and its children, so that other work on the machine
does not count.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats import sandbox
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import MAX_UNPACK_RATIO, MIN_BUDGET, MIN_SECONDS, Budget, gunzip
from rag.ingest.formats.grid import MAX_COLUMNS
from rag.ingest.load import MAX_NAMED_REFUSALS, File, end_sandbox, load_file
from tests.ingest.test_formats_archive import parts, tarred, zipped
from tests.support.bombs import BOMBS, costs, docx, epub, wrong, xlsx
from tests.support.slowness import slowness

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
#: one of each kind, none of which takes seconds
QUICK = (
    "ff.txt.gz",
    "utf16.txt.gz",
    "streams.txt.gz",
    "ff.csv.gz",
    "zeros.zip",
    "overlap.zip",
    "lying.zip",
    "gz.zip",
    "empty.zip",
    "headers.tar.gz",
    "huge.tar.gz",
    "sparse.tar.gz",
    "dictionary.tar.xz",
    "huge.docx",
    "entities.docx",
    "nested.docx",
    "row.xlsx",
    "shared.xlsx",
    "tall.xlsx",
    "repeat.ods",
    "span.ods",
    "deep.ods",
    "merged.html",
    "columns.csv",
    "field.csv",
    "quotes.csv",
    "deep.jsonl",
    "deep.ipynb",
    "laughs.epub",
    "messages.eml",
    "attached.eml",
    "nested.mbox",
    "names.mbox",
    "loop.msg",
    "folded.vcf",
    "nested.ics",
    "loop.pdf",
    "bookmarks.pdf",
    "font.pdf",
)
#: files that use up seconds or memory before they are stopped, and large ones that are read
HEAVY = (
    "slow.zip",
    "pax.tar.gz",
    "paragraphs.docx",
    "cells.xlsx",
    "cells.ods",
    "chapters.epub",
    "deep.epub",
    "comments.eml",
    "quotes.eml",
    "originals.eml",
    "blockquotes.eml",
    "signatures.eml",
    "cells.eml",
    "messages.mbox",
    "cards.vcf",
    "parameters.vcf",
    "soft.vcf",
    "entries.ics",
    "forms.pdf",
    "dust.pdf",
    "grid.pdf",
)


@linux
@pytest.mark.timeout(900)
def test_bombs_of_every_kind(tmp_path: Path) -> None:
    found = costs(tmp_path, QUICK)
    assert set(found) == set(QUICK)
    assert {name: bad for name, said in found.items() if (bad := wrong(said))} == {}


@linux
@pytest.mark.timeout(900)
def test_bombs_that_must_be_stopped(tmp_path: Path) -> None:
    found = costs(tmp_path, HEAVY)
    assert set(found) == set(HEAVY)
    assert {name: bad for name, said in found.items() if (bad := wrong(said))} == {}


def test_every_bomb_has_a_kind_that_is_read(tmp_path: Path) -> None:
    from rag.ingest.load import file_format

    assert set(QUICK) | set(HEAVY) <= set(BOMBS)
    for name in BOMBS:
        file_format(name)


# -- one budget for what comes out --


def test_what_comes_out_of_gzip_is_counted_while_it_comes() -> None:
    words = os.urandom(1000).hex().encode()
    budget = Budget.of(1000)
    assert gunzip(gzip.compress(words), budget) == words and budget.bytes == MIN_BUDGET - len(words)
    assert gunzip(gzip.compress(b"a") + gzip.compress(b"b"), Budget.of(10)) == b"ab"
    with pytest.raises(Unreadable, match="2 MB that its file may unpack to"):
        gunzip(gzip.compress(b"\xff" * (MIN_BUDGET + 1)), Budget.of(1000))
    for broken in (gzip.compress(words)[:-9], b"no gzip", gzip.compress(words)[:-1] + b"x"):
        with pytest.raises(Unreadable, match="not a whole gzip file"):
            gunzip(broken, Budget.of(1000))


def test_the_budget_grows_with_the_file() -> None:
    assert (
        Budget.of(10).max_bytes == MIN_BUDGET
        and Budget.of(10**6).max_bytes == MAX_UNPACK_RATIO * 10**6
        and Budget.of(2**28).max_bytes == 2**30
    )
    assert Budget.of(10**6).seconds == MIN_SECONDS < Budget.of(10**7).seconds


def _text(number: int, size: int) -> bytes:
    return (f"Note {number} says that the bees came home. " * (size // 20))[:size].encode()


@pytest.mark.parametrize("make", [zipped, tarred])
def test_members_that_fit_stay_in_and_the_others_are_named(tmp_path: Path, make: object) -> None:
    size = MIN_BUDGET // 4
    members = {f"{n}.txt": _text(n, size) for n in range(9)}
    content = make(members)  # type: ignore[operator]
    assert len(content) * MAX_UNPACK_RATIO < MIN_BUDGET, "it is small, and has the least budget"
    name = "a.zip" if make is zipped else "a.tar.gz"
    found, refused = {}, {}
    try:
        (tmp_path / name).write_bytes(content)
        for part in load_file(File(str(tmp_path / name), name, 0, 0)):
            assert isinstance(part, RawDocument | RefusedPart)
            if isinstance(part, RawDocument):
                found[part.name] = part
            else:
                refused[part.name] = part.reason
    except Unreadable as error:
        refused["*"] = str(error)
    assert set(found) == {f"/{n}.txt" for n in range(4)}
    assert refused and all("2 MB" in reason for reason in refused.values())
    assert (
        "the rest of it is not read" in refused["*"]
        if make is tarred
        else set(refused) == {f"/{n}.txt" for n in range(4, 9)}
    )


def test_gzip_in_an_archive_counts_too(tmp_path: Path) -> None:
    part = gzip.compress(_text(1, MIN_BUDGET // 2 - 5000))
    found, refused = parts(tmp_path, "a.zip", zipped({f"{n}.txt.gz": part for n in range(4)}))
    assert set(found) == {"/0.txt.gz", "/1.txt.gz"} and set(refused) == {"/2.txt.gz", "/3.txt.gz"}


def test_of_many_members_that_are_not_read_the_number_is_said(tmp_path: Path) -> None:
    members = {f"{n}.png": b"x" for n in range(MAX_NAMED_REFUSALS + 37)} | {
        "last.txt": b"Still here."
    }
    found, refused = parts(tmp_path, "a.zip", zipped(members))
    assert set(found) == {"/last.txt"} and len(refused) == MAX_NAMED_REFUSALS + 1
    assert refused["/*"].startswith("37 more members")


def test_members_that_lie_in_one_another_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"words " * 100)
        archive.writestr("b.txt", b"words " * 100)
        archive.filelist[1].header_offset = archive.filelist[0].header_offset + 10
    with pytest.raises(Unreadable, match="lie one in another"):
        list(sandbox.parse_in_sandbox(".zip", out.getvalue()))


def test_seconds_are_shared_by_all_members(tmp_path: Path) -> None:
    end_sandbox()
    budget = Budget.of(1000)
    assert [
        type(part) for part in sandbox.parse_in_sandbox(".csv", b"a,b\n1,2\n", budget=budget)
    ] == [RawDocument]
    assert 0 < MIN_SECONDS - budget.seconds < 3
    budget.seconds = 0.0
    with pytest.raises(Unreadable, match="takes too long"):
        list(sandbox.parse_in_sandbox(".csv", b"a,b\n1,2\n", budget=budget))


# -- the child --


@linux
def test_processor_time_is_what_counts() -> None:
    end_sandbox()
    page = b"<div><p>x" * 100_000
    before = time.process_time()
    with pytest.raises(Unreadable, match="takes too long"):
        list(sandbox.parse_in_sandbox(".html", page, seconds=0.3))
    assert time.process_time() - before < 2 * slowness() and sandbox._idle == []


@linux
def test_a_child_that_ran_out_of_memory_says_so() -> None:
    end_sandbox()
    budget = Budget.of(10**8)
    with pytest.raises(Unreadable, match="too much memory"):
        list(
            sandbox.parse_in_sandbox(
                ".jsonl",
                b'{"id":"a","text":"x","n":[' + b"[]," * 9_000_000 + b"[]]}\n",
                budget=budget,
            )
        )
    assert [type(part) for part in sandbox.parse_in_sandbox(".csv", b"a,b\n1,2\n")] == [
        RawDocument
    ], "another takes its place"


@pytest.mark.parametrize("times", [1, 2])
def test_a_child_that_another_process_kills_is_replaced_once(tmp_path: Path, times: int) -> None:
    end_sandbox()
    parts = sandbox.parse_in_sandbox(
        ".txt",
        f"{tmp_path}\n{times}".encode(),
        worker="tests.support.sandbox_workers:killed_at_first",
    )
    if times == 1:
        assert [part.text for part in parts if isinstance(part, RawDocument)] == ["read"]
    else:
        with pytest.raises(Unreadable, match=r"stop \(signal 9\)"):
            list(parts)
    assert len(list(tmp_path.iterdir())) == 2
    end_sandbox()


def test_a_child_that_answers_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    end_sandbox()
    endless = "tests.support.sandbox_workers:endless_answers"
    monkeypatch.setattr(sandbox, "_MAX_ANSWER_BYTES", 50 * 2**20)
    told = 0
    with pytest.raises(Unreadable, match="made the reader"):
        for part in sandbox.parse_in_sandbox(".zip", b"", worker=endless):
            assert isinstance(part, Member)
            told += len(part.content)
    assert told <= 50 * 2**20 and sandbox._idle == []


# -- what a parser gives --


def _one(folder: Path, name: str, content: bytes) -> RawDocument:
    (folder / name).write_bytes(content)
    (found,) = load_file(File(str(folder / name), name, 0, 0))
    assert isinstance(found, RawDocument)
    return found


def test_a_table_has_as_many_columns_as_a_sheet(tmp_path: Path) -> None:
    head = b",".join(b"c%d" % n for n in range(MAX_COLUMNS)) + b"\n"
    row = b",".join(b"%d" % n for n in range(MAX_COLUMNS)) + b"\n"
    text = _one(tmp_path, "a.csv", head + row).text
    assert text.split("\n")[1] == " | ".join(str(n) for n in range(MAX_COLUMNS)), (
        "so many headers are not said again"
    )
    assert _one(tmp_path, "b.csv", b"a,b\n1,2" + b"," * 50_000 + b"\n").text == "a | b\n1 | 2\n"
    with pytest.raises(Unreadable, match="more than 16,384 columns"):
        _one(tmp_path, "c.csv", b"a,b\n" + b"1," * MAX_COLUMNS + b"2\n")


def test_honest_files_beside_the_bombs(tmp_path: Path) -> None:
    assert (
        _one(tmp_path, "a.docx", docx(b"<w:p><w:r><w:t>Bees fly.</w:t></w:r></w:p>")).text
        == "Bees fly.\n"
    )
    assert (
        "7"
        in _one(tmp_path, "a.xlsx", xlsx(b"<sheetData><row><c><v>7</v></c></row></sheetData>")).text
    )
    assert "Bees fly." in _one(tmp_path, "a.epub", epub(b"<p>Bees fly.</p>")).text
    log = "".join(
        f"2024-05-{n % 28 + 1:02} bee {n * 7919 % 9973} came home\n" for n in range(20_000)
    ).encode()
    assert _one(tmp_path, "a.log.gz", gzip.compress(log)).text == log.decode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(log)
        archive.addfile(entry, io.BytesIO(log))
    assert parts(tmp_path, "a.tar.gz", out.getvalue())[0]["/a.txt"].text == log.decode()
