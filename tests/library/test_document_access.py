"""Documents as the front door lists and opens them: states, copies, units; read again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.bot import Bot
from rag.config import Config
from rag.domain import FileState, UnitKind
from rag.events import Report
from rag.index.chroma import VectorIndex
from rag.ingest.ingest import Ingest
from rag.library.library import Library
from rag.machines import Machines
from tests.support.fakes import WordVectors

TABLE = "name,price\nHammer,12.50\nSaw,19.90\n"
LONG = (
    "The pump in the yard has a cover that is held by six bolts of stainless steel. "
    "Its gasket swells with solvent, and is replaced whenever the cover was taken off the pump. "
    "Check it for leaks after ten minutes of running."
)


class Fakes(Machines):
    """Machines with an embedder of words."""

    def identity(self) -> str:
        return "test"

    def dimension(self) -> int:
        return WordVectors.dimension

    def ingest(self, library: Library, vectors: VectorIndex) -> Ingest:
        return Ingest(
            library, vectors, WordVectors, lambda texts: [len(t.split()) for t in texts], 40
        )


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "prices.csv").write_text(TABLE)
    (folder / "a.txt").write_text(LONG)
    (folder / "b.txt").write_text(LONG)
    other = " ".join(f"The {n}th bolt lies in box number {n}." for n in range(3, 12))
    (folder / "c.txt").write_text(f"{LONG}\n\n{other}\n")
    (folder / "bad.xyz").write_bytes(b"\0\1")
    return folder


@pytest.fixture
def bot(docs: Path, tmp_path: Path) -> Iterator[Bot]:
    config = Config(home=str(tmp_path / "home"))
    with Bot(config, Fakes(config)) as bot:
        for _ in bot.add([str(docs)]):
            pass
        yield bot


@pytest.mark.slow
def test_the_list_has_states_and_cures(bot: Bot, docs: Path) -> None:
    (docs / "a.txt").write_text("Something else now.")
    (docs / "c.txt").unlink()
    found = {entry.source: entry for entry in bot.documents()}
    assert found["docs/a.txt"].file is FileState.CHANGED
    assert found["docs/b.txt"].file is FileState.SAME
    assert found["docs/c.txt"].file is FileState.GONE
    bad = found["docs/bad.xyz"]
    assert bad.state == "failed" and bad.reason and bad.cure and bad.path == str(docs / "bad.xyz")


@pytest.mark.slow
def test_a_document_is_opened_with_units_passages_and_files(bot: Bot) -> None:
    opened = bot.open_document("prices.csv")
    rows = [unit for unit in opened.document.units if unit.kind is UnitKind.ROW]
    assert [cell.header for cell in rows[0].cells] == ["name", "price"]
    assert opened.passages and opened.passages[0].end <= len(opened.document.text)
    same = bot.open_document("docs/a.txt")
    assert sorted(same.sources) == ["docs/a.txt", "docs/b.txt"]


@pytest.mark.slow
def test_passages_that_say_the_same_are_counted_and_named(bot: Bot) -> None:
    found = {entry.source: entry.copies for entry in bot.documents()}
    assert found["docs/prices.csv"] == 0 and found["docs/a.txt"] == found["docs/c.txt"] == 1
    assert bot.open_document("docs/a.txt").copies == (("docs/c.txt", 1),)
    assert bot.open_document("docs/prices.csv").copies == ()


@pytest.mark.slow
def test_a_file_is_read_again_though_it_has_not_changed(bot: Bot, docs: Path) -> None:
    before = bot.document("prices.csv").text
    (report,) = [e for e in bot.read_again(["docs/prices.csv"]) if isinstance(e, Report)]
    assert report.added or report.changed or report.unchanged
    assert bot.document("prices.csv").text == before
    (docs / "bad.xyz").rename(docs / "bad.txt")
    os.symlink("bad.txt", docs / "ignored")
    (docs / "bad.xyz").write_text("")
    (report,) = [e for e in bot.read_again(["docs/bad.xyz"]) if isinstance(e, Report)]
    assert report.failed and not report.changed
    assert {e.source for e in bot.documents() if e.state == "failed"} == {"docs/bad.xyz"}
    assert len(bot.documents()) == 5, "the other files are not looked at"
