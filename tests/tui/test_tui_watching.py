"""Watched folders: switched on the library page and in the prompt, looked at, and read anew."""

from __future__ import annotations

import pytest

from rag.domain import AddedRoot
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.test_tui_library import engine, open_library
from tui.app import FootnoteApp
from tui.state.watching import root_of

pytestmark = pytest.mark.slow


class Watching(FootnoteApp):
    """Looks for changes ten times a second."""

    def __init__(self, scripted: Scripted, glyphs: object = None) -> None:
        super().__init__(scripted, watch_seconds=0.1)


@pytest.mark.parametrize("size", SIZES)
def test_a_folder_is_watched_from_the_library_and_no_longer(size: tuple[int, int]) -> None:
    scripted = engine()

    async def act(stage: Stage) -> None:
        await open_library(stage)
        await stage.press("down")
        assert "↻" not in stage.text, "off by default"
        await stage.press("w")
        await stage.sees("↻ /manuals is watched")
        assert scripted.calls.count("watch /manuals True") == 1
        assert sum("↻" in row for row in stage.lines) >= 4, "three files and the line below"
        if size[0] >= 80:
            assert "1 watched" in stage.lines[0]
        await stage.press("w")
        await stage.until(lambda: "watch /manuals False" in scripted.calls)
        await stage.until(lambda: "↻" not in stage.text)

    perform(act, scripted, size)


def test_a_file_outside_of_the_added_folders_is_not_watched() -> None:
    scripted = engine(root_paths=("/elsewhere",))

    async def act(stage: Stage) -> None:
        await open_library(stage)
        await stage.press("down", "w")
        await stage.sees("was not added. add it first")
        assert not scripted.watched

    perform(act, scripted)


def test_the_prompt_watches_too() -> None:
    scripted = Scripted()

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press(*"/watch /manuals/pumps", "enter")
        await stage.sees("/manuals is watched")
        assert scripted.watched == {"/manuals"}
        await stage.press(*"/watch /nowhere", "enter")
        await stage.sees("/nowhere was not added")
        await stage.press(*"/watch", "enter")
        await stage.until(lambda: stage.ask_screen.prompt.text == "/watch ")

    perform(act, scripted)


def test_a_change_is_read_once_while_the_user_types() -> None:
    scripted = Scripted(watched={"/manuals"}, pause=0.1, files=3)

    async def act(stage: Stage) -> None:
        await stage.until(lambda: scripted.calls.count("look for changes") > 2)
        assert not syncs(scripted)
        scripted.changes = {"/manuals": "a", "/unwatched": "b"}
        await stage.sees("reading changes of manuals")
        await stage.press(*"typed meanwhile")
        assert stage.ask_screen.prompt.text == "typed meanwhile"
        await stage.sees("0 documents added · 3 unchanged")
        looks = scripted.calls.count("look for changes")
        await stage.until(lambda: scripted.calls.count("look for changes") > looks + 2)
        assert syncs(scripted) == ["sync /manuals"], "what a sync does not settle is not read again"
        scripted.changes = {"/manuals": "c"}
        await stage.until(lambda: len(syncs(scripted)) == 2)

    perform(act, scripted, kind=Watching)


def test_nothing_is_looked_for_while_an_answer_is_written() -> None:
    scripted = Scripted(watched={"/manuals"}, changes={"/manuals": "a"}, pause=0.3)

    async def act(stage: Stage) -> None:
        scripted.changes, before = {}, dict(scripted.changes)
        await stage.ask("Which bolts?", until=None)
        await stage.until(lambda: stage.ask_screen.questions.running)
        await stage.until(lambda: not stage.app.watcher._looking)
        scripted.changes, looks = before, scripted.calls.count("look for changes")
        await stage.sees("writing")
        assert scripted.calls.count("look for changes") == looks
        await stage.press("escape")
        await stage.until(lambda: syncs(scripted))

    perform(act, scripted, kind=Watching)


def syncs(scripted: Scripted) -> list[str]:
    return [call for call in scripted.calls if call.startswith("sync")]


def test_the_nearest_added_path_holds_a_file() -> None:
    roots = (AddedRoot("/a"), AddedRoot("/a/b"), AddedRoot("/a/b.txt"), AddedRoot("/"))
    assert root_of("/a/b/c.txt", roots) == AddedRoot("/a/b")
    assert root_of("/a/b.txt", roots) == AddedRoot("/a/b.txt")
    assert root_of("/a/bc/d", roots) == AddedRoot("/a")
    assert root_of("/x", roots) == AddedRoot("/")
    assert root_of("x", roots) is None
