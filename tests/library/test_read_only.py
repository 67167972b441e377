"""A library without the right to write: asked, searched, listed and shown; an add is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.events import Report
from tests.faults.child import Tell, run
from tests.faults.disks import _as_nobody
from tests.faults.small import Small

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rights as Linux has them")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everyone may enter, with a home of one document."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "d.txt").write_text("The report on zqx says that it rains.\n")
        with Small(folder / "home") as bot:
            list(bot.add([str(folder / "d.txt")]))
            list(bot.ask("What of zqx?", "talk"))
        yield folder


def close(folder: Path) -> None:
    """Take the right to write from everyone; let everyone read. Root cannot be told so."""
    subprocess.run(["chmod", "-R", "a+rX,a-w", str(folder / "home")], check=True)


USE = """
import json, sys
from pathlib import Path
from rag.events import Answered, Notice
from tests.faults.small import Small
with Small(Path(sys.argv[1]) / "home") as bot:
    told = [[d.source for d in bot.documents()], bot.document("d.txt").text]
    told.append([p.chunk.source for p in bot.search("zqx")])
    events = list(bot.ask("What of zqx?", "talk"))
    told.append([e.says for e in events if isinstance(e, Notice)])
    told += [events[-1].answer.text, list(bot.questions()), bot.status().documents]
print(json.dumps(told))
"""


def use(folder: Path) -> list[object]:
    """What a user without the right to write gets from each method that only reads.

    In a program of its own, because Chroma does not survive a fork; root runs it without the
    capability to pass over the rights of files.
    """
    bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    done = subprocess.run(
        [*(bound if os.getuid() == 0 else []), sys.executable, "-c", USE, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told: list[object] = json.loads(done.stdout)
    return told


ALL = [
    ["d.txt"],
    "The report on zqx says that it rains.\n",
    ["d.txt"],
    ["the library cannot be written: this conversation is not kept"],
    "The report on zqx says that it rains. [1]",
    ["What of zqx?"],
    1,
]


@pytest.mark.slow
def test_what_only_reads_works_without_the_right_to_write(place: Path) -> None:
    close(place)
    before = {str(p): p.stat().st_mtime_ns for p in place.rglob("*")}
    assert use(place) == ALL
    assert before == {str(p): p.stat().st_mtime_ns for p in place.rglob("*")}


@pytest.mark.slow
def test_a_file_that_may_not_be_written_in_a_folder_that_may(place: Path) -> None:
    close(place)
    library = place / "home" / "libraries" / "default"
    for folder in (library, library / "vectors", *library.glob("vectors/gen-*/")):
        folder.chmod(0o755)
    assert use(place) == ALL


@pytest.mark.slow
def test_what_a_writer_has_not_merged_yet_is_read(place: Path) -> None:
    """The journal of another process that has the library open holds the newest rows."""
    library = place / "home" / "libraries" / "default" / "library.db"
    with closing(sqlite3.connect(library, isolation_level=None)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("UPDATE files SET source = 'new.txt'")
        close(place)

        def work(tell: Tell) -> None:
            with Small(place / "home") as bot:
                tell([d.source for d in bot.documents()])

        found = run(_as_nobody(work))
    assert found.fault is None and found.error is None, found
    assert found.told == [["new.txt"]]


@pytest.mark.slow
def test_an_add_is_refused_with_what_to_do(place: Path) -> None:
    close(place)

    def work(tell: Tell) -> None:
        with Small(place / "home") as bot:
            for event in bot.add([str(place / "d.txt")]):
                tell(isinstance(event, Report))

    found = run(_as_nobody(work))
    assert found.fault is None and found.error and not any(found.told), found
    kind, said, cure = found.error
    library = str(place / "home" / "libraries" / "default")
    assert kind == RagError.__name__ and library in said and "cannot be written" in said
    assert f"make {library} and what is in it writable" in cure
