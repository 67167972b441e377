"""Watched paths: which they are, what has changed under them, and a sync of them alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Bot, Config
from rag.domain import AddedRoot
from rag.errors import Usage
from rag.events import Event, Report

pytestmark = pytest.mark.slow


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"The {name} pump has six bolts.\n")
    with Bot.open(Config(home=str(tmp_path / "home"))) as opened:
        assert not opened.added_roots() and not opened.changed_roots()
        list(opened.add([str(tmp_path / "first"), str(tmp_path / "second")]))
        yield opened


def report(events: Iterator[Event]) -> Report:
    last = list(events)[-1]
    assert isinstance(last, Report)
    return last


def test_a_path_is_watched_or_not_and_remembered(bot: Bot, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    assert bot.added_roots() == (AddedRoot(first), AddedRoot(second)), "off by default"
    bot.watch(first)
    bot.watch(first)
    with Bot.open(bot.config) as other:
        assert other.added_roots() == (AddedRoot(first, True), AddedRoot(second))
    bot.watch(first, False)
    assert bot.added_roots() == (AddedRoot(first), AddedRoot(second))
    with pytest.raises(Usage, match="was not added"):
        bot.watch(str(tmp_path))
    for damaged in ("{", "7", '["x", 7]', "\x00", "[" * 5000):
        (bot.config.folder / "watched.json").write_text(damaged)
        assert bot.added_roots() == (AddedRoot(first), AddedRoot(second))


def test_changes_are_found_under_watched_paths_alone(bot: Bot, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    bot.watch(str(first))
    assert bot.changed_roots() == ()
    (second / "a.txt").write_text("Changed where nobody watches.\n")
    assert bot.changed_roots() == ()
    (first / "new.txt").write_text("The gasket is of copper.\n")
    ((path, state),) = bot.changed_roots()
    assert path == str(first) and bot.changed_roots() == ((path, state),), "a state has one hash"
    found = report(bot.sync(roots=[path]))
    assert [Path(source).name for source in found.added] == ["new.txt"] and not found.changed
    assert bot.changed_roots() == ()
    (first / "new.txt").unlink()
    assert bot.changed_roots() not in ((), ((path, state),))
    report(bot.sync(roots=[path]))
    assert bot.changed_roots() == ()
    assert len(report(bot.sync()).changed) == 1, "a sync of all finds the other one too"


def test_a_path_that_cannot_be_listed_counts_as_unchanged(bot: Bot, tmp_path: Path) -> None:
    bot.watch(str(tmp_path / "first"))
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    assert bot.changed_roots() == ()
    (tmp_path / "elsewhere").rename(tmp_path / "first")
    assert bot.changed_roots() == ()
