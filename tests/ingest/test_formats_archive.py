"""Archives as folders, and the child process that opens them: bounds, names, its death."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats import sandbox
from rag.ingest.formats.archive import MAX_MEMBERS, storable_name
from rag.ingest.load import File, end_sandbox, load_file
from tests.ingest.test_formats_office import _report, saved
from tests.ingest.test_formats_pdf import PAGES
from tests.ingest.test_formats_plain import read, refusal
from tests.support.examples import examples
from tests.support.pdf_files import pdf

pytestmark = pytest.mark.slow

GOOD = {
    "a.txt": b"Bees make honey.",
    "sub/b.md": b"# Title\n\nWords.",
    "c.csv": b"Town,Sum\nOslo,7\n",
}


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members: Mapping[str, bytes], how: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=how) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def parts(folder: Path, name: str, content: bytes) -> tuple[dict[str, RawDocument], dict[str, str]]:
    """What is in, and the reasons for what is not."""
    found = read(folder, name, content)
    assert all(part.reason and part.cure for part in found if isinstance(part, RefusedPart))
    assert all(part.name.startswith("/") for part in found)
    return (
        {part.name: part for part in found if isinstance(part, RawDocument)},
        {part.name: part.reason for part in found if isinstance(part, RefusedPart)},
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", zipped(GOOD)),
        ("a.tar", tarred(GOOD, "w")),
        ("a.tar.gz", tarred(GOOD)),
        ("A.TGZ", tarred(GOOD)),
        ("a.tar.bz2", tarred(GOOD, "w:bz2")),
        ("a.tar.xz", tarred(GOOD, "w:xz")),
    ],
)
def test_an_archive_is_a_folder(tmp_path: Path, name: str, content: bytes) -> None:
    found, refused = parts(tmp_path, name, content)
    assert {key: raw.text for key, raw in found.items()} == {
        "/a.txt": "Bees make honey.",
        "/sub/b.md": "# Title\n\nWords.",
        "/c.csv": "Town | Sum\nOslo | 7\n",
    }
    assert refused == {} and found["/sub/b.md"].title == "Title"


def test_members_of_every_kind_go_in_and_the_bad_ones_are_named(tmp_path: Path) -> None:
    found, refused = parts(
        tmp_path,
        "a.zip",
        zipped(
            {
                "report.docx": saved(_report()),
                "scan.pdf": pdf([PAGES[0], ()]),
                "c.jsonl": b'{"id":"x","text":"one"}\n{"id":"y","text":"two"}',
                "t.txt.gz": gzip.compress(b"packed words"),
                "broken.docx": b"PK\x03\x04",
                "photo.jpg": b"\xff\xd8",
                "noend": b"x",
                "empty.txt": b"",
                "inner.zip": zipped(GOOD),
                "inner.tar.gz": tarred(GOOD),
                ".hidden/x.txt": b"x",
                "__MACOSX/a.txt": b"x",
                "last.txt": b"Still here.",
            }
        ),
    )
    assert set(found) == {
        "/report.docx",
        "/scan.pdf",
        "/c.jsonl/x",
        "/c.jsonl/y",
        "/t.txt.gz",
        "/last.txt",
    }
    assert set(refused) == {
        "/scan.pdf/page 2",
        "/broken.docx",
        "/photo.jpg",
        "/noend",
        "/empty.txt",
        "/inner.zip",
        "/inner.tar.gz",
    }
    assert "archive in an archive" in refused["/inner.zip"] and "OCR" in refused["/photo.jpg"]
    assert found["/scan.pdf"].pages and found["/report.docx"].headings


EVIL = (
    "../up.txt",
    "a/../../up.txt",
    "/etc/passwd.txt",
    "C:\\x.txt",
    "..\\up.txt",
    "\\\\server\\x.txt",
)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_point_out_are_refused(tmp_path: Path, make: object) -> None:
    content = make({**dict.fromkeys(EVIL, b"evil"), "good.txt": b"fine"})  # type: ignore[operator]
    found, refused = parts(tmp_path, "a.zip" if make is zipped else "a.tar.gz", content)
    assert set(found) == {"/good.txt"} and len(refused) == len(EVIL)
    assert all("points out" in reason for reason in refused.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.zip" if make is zipped else "a.tar.gz"
    ], "nothing is written"


def test_names_that_bite(tmp_path: Path) -> None:
    names = [
        "new\nline.txt",
        "esc\x1b[31m.txt",
        "[red].txt",
        "\u202egpj.txt",
        "n" * 251 + ".txt",
        "./dot.txt",
        "é.txt",
    ]
    for name, make in (("a.zip", zipped), ("a.tar.gz", tarred)):
        found, refused = parts(tmp_path, name, make(dict.fromkeys(names, b"words")))
        assert set(found) == {"/" + n.removeprefix("./") for n in names} and not refused
    found, refused = parts(tmp_path, "b.tar.gz", tarred({"bad\udcff.txt": b"words"}))
    assert refused == {"/bad\\xff.txt": "has a name that is not valid UTF-8"}


def test_links_and_devices_in_archives(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            entry = tarfile.TarInfo(f"x{kind.decode()}.txt")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    found, refused = parts(tmp_path, "a.tar.gz", out.getvalue())
    assert (
        not found
        and len(refused) == 4
        and all("link or a device" in reason for reason in refused.values())
    )
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zip_archive:
        zip_archive.writestr(link, "/etc/passwd")
    assert "link" in parts(tmp_path, "a.zip", out.getvalue())[1]["/link.txt"]


# -- bombs --


def test_bombs_are_refused_by_their_numbers(tmp_path: Path) -> None:
    large = b"\0" * (20 * 2**20)
    found, refused = parts(tmp_path, "a.zip", zipped({"bomb.txt": large, "good.txt": b"fine"}))
    assert set(found) == {"/good.txt"} and "bomb" in refused["/bomb.txt"]
    honest = zipped({"good.txt": b"fine"})
    at = honest.index(b"PK\x01\x02") + 24
    for size, says in ((2**31, "over 1,024 MB"), (200 * 2**20, "over 128 MB")):
        lying = honest[:at] + struct.pack("<I", size) + honest[at + 4 :]
        told = (
            parts(tmp_path, "b.zip", lying)[1]["/good.txt"]
            if size < 2**30
            else refusal(tmp_path, "b.zip", lying)
        )
        assert says in told
    small = zipped({"bomb.txt": large})
    at = small.index(b"PK\x01\x02") + 24
    lying = small[:at] + struct.pack("<I", 100) + small[at + 4 :]
    assert "damaged" in parts(tmp_path, "c.zip", lying)[1]["/bomb.txt"], (
        "it says 100 bytes and unpacks to 20 MB"
    )


def test_too_many_members(tmp_path: Path) -> None:
    many = {f"{n}.txt": b"" for n in range(MAX_MEMBERS + 1)}
    assert "members" in refusal(tmp_path, "a.zip", zipped(many))
    with pytest.raises(Unreadable, match="members"):
        read(tmp_path, "a.tar.gz", tarred(many))


def test_a_packed_bomb_of_a_tar(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("bomb.txt")
    entry.size = 3 * 2**30
    content = gzip.compress(entry.tobuf() + b"\0" * 2**20)
    assert "unpacks to more than" in refusal(tmp_path, "a.tar.gz", content)
    assert "unpacks to more than the 22 MB" in refusal(
        tmp_path, "b.txt.gz", gzip.compress(b"x" * (257 * 2**20), 1)
    )


@examples(40)
@given(
    st.integers(0, 10_000),
    st.binary(max_size=3),
    st.sampled_from(["zip", "tar.gz", "tar", "docx", "epub", "pdf", "xlsx"]),
)
def test_damage_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes, ending: str
) -> None:
    whole = {"tar.gz": tarred(GOOD), "tar": tarred(GOOD, "w"), "pdf": pdf(PAGES)}.get(
        ending
    ) or zipped(GOOD)
    at %= len(whole)
    try:
        found = read(
            tmp_path_factory.mktemp("d"), f"a.{ending}", whole[:at] + junk + whole[at + 3 :]
        )
    except Unreadable as error:
        assert str(error) and error.cure
    else:
        assert all(part.reason and part.cure for part in found if isinstance(part, RefusedPart))


def test_encrypted_members_and_names_that_stand_twice(tmp_path: Path) -> None:
    out = io.BytesIO()
    with pytest.warns(UserWarning), zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"one")
        archive.writestr("a.txt", b"two")
    found, refused = parts(tmp_path, "a.zip", out.getvalue())
    assert found["/a.txt"].text == "one" and "twice" in refused["/a.txt"]
    plain = zipped({"a.txt": b"one"})
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = plain.index(mark) + place
        plain = plain[:at] + b"\x01\x00" + plain[at + 2 :]
    assert "encrypted" in parts(tmp_path, "b.zip", plain)[1]["/a.txt"]


def test_the_name_of_a_member_can_be_stored() -> None:
    for name in ("a\udcff", "./a", "/a", "é", ""):
        storable_name(name).encode()


# -- the child --


def test_a_child_is_used_again_and_replaced_when_it_is_gone() -> None:
    end_sandbox()
    for _ in range(2):
        assert [type(part) for part in sandbox.parse_in_sandbox(".csv", b"a,b\n1,2\n")] == [
            RawDocument
        ]
    (first,) = sandbox._idle
    first.process.kill()
    first.process.wait()
    assert [type(part) for part in sandbox.parse_in_sandbox(".csv", b"a,b\n1,2\n")] == [RawDocument]
    (second,) = sandbox._idle
    assert second is not first and second.process.poll() is None
    end_sandbox()
    assert second.process.poll() is not None and sandbox._idle == []


def test_a_reader_that_hangs_is_ended() -> None:
    end_sandbox()
    started = time.monotonic()
    slow = b"From: a\n\n" + b"x" * 100_000_000
    with pytest.raises(Unreadable, match="too long") as error:
        list(sandbox.parse_in_sandbox(".eml", slow, seconds=0.05))
    assert error.value.cure and time.monotonic() - started < 20
    assert sandbox._idle == []


def test_a_reader_that_crashes_is_a_reason() -> None:
    end_sandbox()
    reading = sandbox.parse_in_sandbox(
        ".jsonl", b"".join(b'{"id":"%d","text":"x"}\n' % n for n in range(50_000))
    )
    next(reading)
    os.kill(next(iter(_children())), 11)
    with pytest.raises(Unreadable, match=r"made the reader of \.jsonl files stop"):
        list(reading)


def _children() -> list[int]:
    """The children of this process that read files."""
    me, found = os.getpid(), []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = entry.read_text()
            line = (entry.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if (
            int(said.rpartition(")")[2].split()[1]) == me
            and b"rag.ingest.formats.sandbox_worker" in line
        ):
            found.append(int(entry.parent.name))
    return found


def test_a_reader_that_eats_memory_is_a_reason(tmp_path: Path) -> None:
    end_sandbox()
    nested = b'{"id":"a","text":"x","n":[' + b"[]," * 30_000_000 + b"[]]}\n"
    assert "memory" in refusal(tmp_path, "a.jsonl", nested)
    assert sandbox._idle == [], "it is replaced"


def test_closing_the_iterator_ends_the_child() -> None:
    end_sandbox()
    reading = sandbox.parse_in_sandbox(
        ".jsonl", b"".join(b'{"id":"%d","text":"x"}\n' % n for n in range(50_000))
    )
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert sandbox._idle == [] and _children() == []


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"words " * 20_000_000)

    import threading

    stop = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"more ")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(Unreadable, match="changed while") as error:
            list(load_file(File(str(path), "a.txt", 0, 0)))
    finally:
        stop.set()
        writer.join()
    assert error.value.cure
