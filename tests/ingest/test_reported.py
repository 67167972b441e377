"""What an add says about what it did not take in, and a question about what is being added."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import LibraryBusy
from rag.events import Added, Failed, Report
from rag.index.chroma import VectorIndex
from tests.faults.small import Small


def refused(bot: Small, *paths: Path) -> dict[str, str]:
    """The reasons of one add, by source; the report has each once."""
    events = list(bot.add([str(path) for path in paths]))
    assert isinstance(events[-1], Report)
    failed = [event for event in events if isinstance(event, Failed)]
    assert list(events[-1].failed) == failed and all(event.cure for event in failed)
    assert len({event.source for event in failed}) == len(failed), "each is named once"
    return {event.source: event.reason for event in failed}


@pytest.mark.slow
def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    for name in ("empty", "hidden", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "hidden" / ".x.txt").write_text("hidden")
    (tmp_path / "full" / "x.txt").write_text("zqx")
    with Small(tmp_path / "home") as bot:
        said = refused(bot, *(tmp_path / name for name in ("empty", "hidden", "full")))
        assert said == {
            str(tmp_path / "empty"): "is an empty folder: there is nothing to add",
            str(tmp_path / "hidden"): "is a folder without a file to read: hidden files, links, "
            "empty folders and build outputs are passed over",
        }
        *_, report = bot.sync()
        assert isinstance(report, Report) and not report.failed
        (tmp_path / "empty" / "new.txt").write_text("zqx")
        *_, report = bot.sync()
        assert isinstance(report, Report) and report.added == ("empty/new.txt",), "it is a root"


def test_a_path_that_is_given_twice_is_named_once(tmp_path: Path) -> None:
    with Small(tmp_path / "home") as bot:
        nothing = tmp_path / "nothing"
        assert list(refused(bot, nothing, nothing, tmp_path / "x" / ".." / "nothing")) == [
            str(nothing)
        ]


def test_a_linked_folder_stands_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "docs" / "in").mkdir(parents=True)
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "x.txt").write_text("zqx")
    (tmp_path / "docs" / "in" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "docs" / ".hidden").symlink_to(tmp_path / "far")
    with Small(tmp_path / "home") as bot:
        for _ in range(2):
            said = refused(bot, tmp_path / "docs")
            assert said == {"docs/in/link": "is a link to a folder, and links are not followed"}


@pytest.mark.slow
def test_a_question_during_the_first_add_says_what_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(40):
        (tmp_path / "docs" / f"{number:02}.txt").write_text(f"The zqx lamp {number} is green.\n")
    with Small(tmp_path / "home") as bot, Small(tmp_path / "home") as other:
        events = bot.add([str(tmp_path / "docs")])
        next(events)
        with pytest.raises(LibraryBusy, match=r"being added by process \d+: 0 documents are in"):
            list(other.ask("What colour has the lamp?"))
        added = sum(isinstance(next(events), Added) for _ in range(8))
        assert added and not VectorIndex(bot.config.folder / "vectors", 64).exists()
        with pytest.raises(LibraryBusy, match=r"\d documents? (are|is) in so far") as busy:
            list(other.ask("What colour has the lamp?"))
        assert busy.value.cure == "ask again when it is done"
        list(events)
        assert list(other.ask("What colour has the lamp?"))
