"""A folder of hostile files: good ones are taken in, bad ones reported, memory stays in bounds."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from rag.events import Report
from tests.ingest.test_formats_archive import GOOD, zipped
from tests.ingest.test_formats_office import _book, _report, _slides, changed, saved
from tests.ingest.test_formats_pdf import PAGES
from tests.ingest.test_formats_web import CHAPTERS, epub
from tests.library.test_library import House
from tests.support.pdf_files import pdf

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _entities(name: str, part: bytes) -> bytes:
    laugh = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )
    return b"<!DOCTYPE x [" + laugh + b"]><x>&l9;</x>" if name == "word/document.xml" else part


def _encrypted() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(PAGES)))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _bomb_pdf() -> bytes:
    packed = zlib.compress(b"(word) Tj " * 100_000_000, 1)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    return pdf([("word",)], more=[stream]).replace(b"/Contents 6 0 R", b"/Contents 7 0 R")


def _tar_out() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("../../out.txt")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"evil"))
    return out.getvalue()


NAMES = (
    b"new\nline.txt",
    b"esc\x1b[31m.txt",
    b"-dash.txt",
    b"[red].txt",
    "\u202egpj.txt".encode(),
    b"n" * 251 + b".txt",
)
WORDS = "Grüße aus Köln, schrieb der Müller über die Brücke am Fluß. "


def good_files() -> dict[str, bytes]:
    """What must be in."""
    return {
        "good.txt": b"Bees make honey.",
        "good.md": b"# Bees\n\nThey fly.",
        "good.rst": b"Bees\n====\n\nThey buzz.",
        "good.py": b"bees = 12\n",
        "good.html": b"<p>Bees sleep.</p>",
        "good.pdf": pdf(PAGES),
        "good.docx": saved(_report()),
        "good.xlsx": saved(_book()),
        "good.csv": b"Bee,Age\nMaya,3\n",
        "good.epub": epub(CHAPTERS),
        "good.eml": b"Subject: Bees\n\nThey left.",
        "good.json": b'{"bees": 3}',
        "utf16.txt": WORDS.encode("utf-16"),
        "latin1.txt": WORDS.encode("latin-1"),
        "mixed.txt": WORDS.encode() * 3 + WORDS.encode("latin-1"),
        "lies.pdf": pdf([("Honest words.",)], count=2_000_000_000),
        "bom.txt": WORDS.encode("utf-8-sig"),
        "cr.txt": b"one\rtwo\x0bthree\x85four",
    }


def bad_files() -> dict[str, tuple[bytes, str]]:
    """What must be refused, and a word of the reason."""
    docx = saved(_report())
    zeros = b"\0" * (300 * 2**20)
    return {
        "line.txt": (b"x" * (200 * 2**20), "million characters"),
        "zeros.txt": (b"\0" * 100, "binary"),
        "nul.txt": (b"words\0words", "binary"),
        "empty.txt": (b"", "no text"),
        "empty.pdf": (b"", "no text"),
        "blank.md": (b" \n", "no text"),
        "bomb.zip": (zipped({"a.txt": zeros}), "unpacks to 300 MB"),
        "bomb.txt.gz": (gzip.compress(zeros, 1), "unpacks"),
        "entities.docx": (changed(docx, _entities), "entities"),
        "cut.docx": (docx[:-300], "zip"),
        "cut.pdf": (pdf(PAGES)[:400], "damaged"),
        "locked.pdf": (_encrypted(), "encrypted"),
        "scan.pdf": (pdf([(), ()]), "no text"),
        "old.doc": (b"\xd0\xcf\x11\xe0", "old binary kind"),
        "photo.png": (b"\x89PNG", "OCR"),
        "what.xyz": (b"words", "of a kind"),
        "noend": (b"words", "of a kind"),
        "out.tar.gz": (_tar_out(), "points out"),
        "deep.ipynb": (b'{"cells":' + b"[" * 100_000, "nesting"),
        "broken.html": (b"<script>draw()</script>", "shows no text"),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "in"
    made.mkdir()
    for name, content in good_files().items():
        (made / name).write_bytes(content)
    (made / "good.pptx").write_bytes(saved(_slides()))
    (made / "nested.zip").write_bytes(
        zipped({**GOOD, "inner.zip": zipped(GOOD), "../up.txt": b"evil"})
    )
    for name, (content, _) in bad_files().items():
        (made / name).write_bytes(content)
    for odd in NAMES:
        Path(os.fsdecode(os.path.join(os.fsencode(made), odd))).write_bytes(
            b"It is there: " + odd.hex().encode()
        )
    Path(os.fsdecode(os.path.join(os.fsencode(made), b"bad\xff.txt"))).write_bytes(b"It is there.")
    os.mkfifo(made / "pipe.txt")
    (made / "up").symlink_to("..")
    (made / "loop.txt").symlink_to("loop.txt")
    (made / "passwd.txt").symlink_to("/etc/passwd")
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s")
        os.rename(f"{short}/s", made / "socket.txt")
        yield made


def test_a_hostile_folder(house: House, folder: Path) -> None:
    report = house.add(folder)
    _is_right(report, folder)
    again = house.add(folder)
    assert again.added == () and again.changed == () and again.removed == ()
    assert {f.source for f in again.failed} == {f.source for f in report.failed}
    assert again.unchanged == len(report.added)
    house.agrees()


def _is_right(report: Report, folder: Path) -> None:
    added = set(report.added)
    failed = {f.source: f for f in report.failed}
    assert all(f.reason and f.cure for f in report.failed)
    assert {f"in/{name}" for name in (*good_files(), "good.pptx")} <= added
    assert {f"in/{os.fsdecode(name)}" for name in NAMES} <= added
    assert {f"in/nested.zip/{name}" for name in GOOD} <= added
    for name, (_, says) in bad_files().items():
        found = [
            f
            for source, f in failed.items()
            if source == f"in/{name}" or source.startswith(f"in/{name}/")
        ]
        assert found and says in found[0].reason, (name, found)
        assert not any(source.startswith(f"in/{name}") for source in added), name
    for name, says in {
        "pipe.txt": "regular file",
        "socket.txt": "regular file",
        "loop.txt": "symbolic link",
        "passwd.txt": "symbolic link",
        "bad\\xff.txt": "UTF-8",
        "good.pptx/slide 2": "without text",
        "nested.zip/inner.zip": "archive in an archive",
        "nested.zip/../up.txt": "points out",
    }.items():
        assert says in failed[f"in/{name}"].reason, name
    assert sorted(p.name for p in folder.parent.iterdir()) == ["in", "lib"], (
        "nothing is written beside it"
    )


MEASURE = """
import resource, sys
from pathlib import Path
from tests.library.test_library import House

def most():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

house = House(Path(sys.argv[2]))
house.add(Path(sys.argv[3]))
idle = most()
report = house.add(Path(sys.argv[1]))
print([f.reason for f in report.failed if "pages.pdf" in f.source])
print(len(house.library.files.listings()), most() - idle, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
def test_a_hostile_folder_takes_less_than_a_gigabyte(folder: Path, tmp_path: Path) -> None:
    (folder / "pages.pdf").write_bytes(_bomb_pdf())
    tiny = folder / "tiny"
    tiny.mkdir()
    for n in range(5000):
        (tiny / f"{n}.txt").write_text(f"Note {n} says that bee number {n} came home.")
    (tmp_path / "small.txt").write_text("One small file.")
    home = tmp_path / "home"
    home.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), str(home), str(tmp_path / "small.txt")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=280,
    )
    listings, grown, child = (int(word) for word in run.stdout.split()[-3:])
    assert listings > 5050
    print(run.stdout)
    assert grown * 1024 < 2**29 and child * 1024 < 2**30, (grown, child)


def test_an_archive_and_a_scan_that_get_better(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(
        zipped({"a.txt": b"Bees make honey.", "b.docx": b"broken", "c.txt": b"Ants do not."})
    )
    (folder / "s.pdf").write_bytes(pdf([PAGES[0], ()]))
    report = house.add(folder)
    assert set(report.added) == {"in/a.zip/a.txt", "in/a.zip/c.txt", "in/s.pdf"}
    assert {f.source for f in report.failed} == {"in/a.zip/b.docx", "in/s.pdf/page 2"}
    states = {i.source: i.state for i in house.library.files.listings()}
    assert states["in/a.zip/b.docx"] == states["in/s.pdf/page 2"] == "failed"
    assert house.library.documents.find("in/a.zip/a.txt").text == "Bees make honey."

    (folder / "a.zip").write_bytes(zipped({"a.txt": b"Bees make wax.", "b.docx": saved(_report())}))
    (folder / "s.pdf").write_bytes(pdf(PAGES))
    report = house.add(folder)
    assert set(report.changed) == {"in/a.zip/a.txt", "in/s.pdf"} and report.added == (
        "in/a.zip/b.docx",
    )
    assert report.removed == ("in/a.zip/c.txt",) and report.failed == ()
    assert {i.state for i in house.library.files.listings()} == {"ready"}
    house.agrees()
    (folder / "a.zip").unlink()
    assert set(house.add(folder).removed) == {"in/a.zip/a.txt", "in/a.zip/b.docx"}
    house.agrees()


def test_what_could_not_be_read_by_an_earlier_version_is_tried_again(
    house: House, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(PAGES))
    known = os.stat(path)
    house.add(path)
    (file,) = house.library.files.by_place().values()
    house.library.remove([file.place])
    from dataclasses import replace

    old = replace(
        file, document=None, mtime=known.st_mtime_ns, reason="is of a kind that is not read yet"
    )
    house.library.files.fail(old, old.reason or "", "save it as .txt")
    assert house.add(path).failed == () and [i.state for i in house.library.files.listings()] == [
        "ready"
    ]
