"""The models: their list with memory and worth, choosing, fetching with progress, removing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import (
    HUGE,
    MODELS,
    OTHER,
    READER,
    SMALL,
    ScriptedCommands,
    ScriptedRun,
)
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.test_tui_hostile import HOSTILE, harmless
from tui.screens.confirm import ConfirmDialog
from tui.screens.models import ModelsScreen
from tui.state.command_run import Commands

pytestmark = pytest.mark.slow


def scripted(**more: object) -> Scripted:
    made = Scripted(all_models=MODELS)
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def open_models(stage: Stage) -> ModelsScreen:
    stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
    await stage.until(lambda: stage.ask_screen.questions.up)
    await stage.press("f4")
    await stage.until(lambda: isinstance(stage.app.screen, ModelsScreen))
    screen = stage.app.screen
    assert isinstance(screen, ModelsScreen)
    await stage.until(lambda: screen.found)
    return screen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [False, True])
def test_models_are_listed_with_memory_and_worth(size: tuple[int, int], ascii_: bool) -> None:
    async def act(stage: Stage) -> None:
        await open_models(stage)
        await stage.sees("demo questions right 0.80")
        for words in ("small-1b", "in use", "here", "recommended", "too big"):
            assert words in stage.text, words
        if size[0] >= 80:
            assert any("other-3b" in row and "4.0 GB" in row for row in stage.lines)
        await stage.press("end")
        await stage.sees("needs about 45 GB of 8.0 GB")
        await stage.press("p")
        await stage.sees("too big for the memory")
        assert not stage.app.commands.runs
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)

    perform(act, scripted(), size, ascii_)


def test_another_model_answers_without_a_restart() -> None:
    engine = scripted(pause=1.0)

    async def act(stage: Stage) -> None:
        screen = await open_models(stage)
        await stage.press("enter")
        await stage.sees("reader answers already")
        await stage.press("down", "enter")
        await stage.sees("opening small-1b")
        await stage.sees("small-1b answers from now on; it writes 12 tokens")
        await stage.until(lambda: [e.name for e in screen.found if e.in_use] == ["small-1b"])
        await stage.press("down", "enter")
        await stage.sees("p fetches it")
        assert engine.calls.count("use other-3b") == 0

    perform(act, engine)


def test_a_model_that_cannot_be_used_says_why() -> None:
    async def act(stage: Stage) -> None:
        await open_models(stage)
        await stage.press("end", "enter")
        await stage.sees("huge-70b needs more memory. take a smaller one")

    perform(act, scripted(all_models=(*MODELS[:3], replace(HUGE, installed=True))))


def test_a_model_is_fetched_with_progress_and_stopped() -> None:
    engine = scripted()

    async def act(stage: Stage) -> None:
        screen = await open_models(stage)
        await stage.press("down", "down", "p")
        run = stage.app.commands.runs["fetch"]
        assert isinstance(run, ScriptedRun)
        assert [*run.arguments] == [
            "--home", "/home", "--library", "handbook", "models", "pull", "other-3b",
        ]  # fmt: skip
        run.lines.append("other-3b: 41 of 3,000 MB · 6.1 MB a second · 8:05 left")
        await stage.sees("41 of 3,000 MB")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)
        await stage.press("f4")
        await stage.sees("41 of 3,000 MB")
        screen = stage.app.screen  # type: ignore[assignment]
        await stage.press("x")
        await stage.sees("stopped: 120.0 MB are kept")
        assert run.stopped and not screen.fetching
        await stage.until(lambda: screen.found)
        await stage.press("down", "down", "p")
        again = stage.app.commands.runs["fetch"]
        assert again is not run
        engine.all_models = (READER, SMALL, replace(OTHER, installed=True), HUGE)
        again.code = 0
        await stage.sees("other-3b is here")
        await stage.until(lambda: screen.found[2].installed)

    perform(act, engine)


def test_a_file_is_removed_after_a_question() -> None:
    engine = scripted()

    async def act(stage: Stage) -> None:
        await open_models(stage)
        await stage.press("down", "delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.press("escape")
        assert "remove small-1b" not in engine.calls
        await stage.until(lambda: isinstance(stage.app.screen, ModelsScreen))
        await stage.press("delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.press("y")
        await stage.sees("small-1b was removed: 2,500.0 MB")

    perform(act, engine)


@pytest.mark.parametrize("number", range(0, len(HOSTILE), 2))
def test_strangers_text_among_the_models_is_text(number: int) -> None:
    hostile = HOSTILE[number]
    bad = replace(SMALL, name=hostile, title=hostile, licence=hostile, speed=hostile)
    engine = scripted(all_models=(READER, bad))

    async def act(stage: Stage) -> None:
        await open_models(stage)
        await stage.press("down")
        await stage.still("MODELS", 1.0)
        harmless(stage.lines)
        await stage.press("delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        harmless(stage.lines)
        await stage.press("y")
        await stage.sees("2,500.0 MB")
        harmless(stage.lines)

    perform(act, engine, ((120, 40), (60, 20))[number % 4 // 2])


def test_a_command_runs_as_a_program_of_its_own(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "home", "default")
    run = commands.start("fetch", "no-such-model", ["models", "pull", "no-such-model"])
    assert run is not None and commands.start("fetch", "x", ["--help"]) is None
    end = time.monotonic() + 120
    while run.running and time.monotonic() < end:
        time.sleep(0.05)
    assert run.code == 5 or (run.code or 0) > 0, run.lines
    assert "no-such-model" in " ".join(run.lines)
    commands.close()
