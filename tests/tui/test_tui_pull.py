"""The chat model that the card of the first run offers: fetched, and used once it is here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.domain import ModelListing, Status
from rag.errors import LibraryMissing
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import HUGE, MODELS, OTHER, READER, ScriptedCommands, ScriptedRun
from tests.tui.stage import SIZES, Stage, perform
from tui.state.models import offered_model

pytestmark = pytest.mark.slow

MISSING = LibraryMissing("There is no library yet.", "footnote add FOLDER")
EMPTY = Status("handbook", 0, 0, "reader")


async def pull(stage: Stage) -> ScriptedRun:
    stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
    await stage.press(*"/pull", "enter")
    await stage.until(lambda: stage.app.commands.runs)
    run = stage.app.commands.runs["fetch"]
    assert isinstance(run, ScriptedRun)
    return run


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("told", [MISSING, EMPTY])
def test_the_model_that_suits_this_computer_is_offered_and_fetched(
    size: tuple[int, int], told: LibraryMissing | Status
) -> None:
    engine = Scripted(told=told, all_models=MODELS)

    async def act(stage: Stage) -> None:
        await stage.sees("/pull")
        await stage.sees("other-3b: 3.0 GB")
        assert "huge-70b" not in stage.text
        await stage.ask("Which bolts?", until="waiting for documents")
        run = await pull(stage)
        assert run.name == "other-3b" and list(run.arguments)[-2:] == ["pull", "other-3b"]
        run.lines.append("other-3b: 41 of 3,000 MB")
        await stage.sees("other-3b: 41 of 3,000 MB")
        assert not engine.asked and len(stage.ask_screen.questions.waiting) == 1
        stage.ask_screen.add("/manuals")
        await stage.until(lambda: engine.asked)  # the question does not wait for the model
        await stage.until(lambda: stage.ask_screen.questions.running is None)
        run.code = 0
        await stage.until(lambda: "use other-3b" in engine.calls)
        await stage.sees("other-3b answers from the next question on")
        assert [question for question, _ in engine.asked] == ["Which bolts?"]

    perform(act, engine, size)


def test_a_fetch_that_fails_says_so_and_uses_nothing() -> None:
    engine = Scripted(told=EMPTY, all_models=MODELS)

    async def act(stage: Stage) -> None:
        await stage.sees("/pull")
        run = await pull(stage)
        run.lines.append("the disk is full")
        run.code = 1
        await stage.sees("the disk is full")
        await stage.pilot.pause(0.3)
        assert "use other-3b" not in engine.calls

    perform(act, engine)


def test_a_fetch_from_the_page_of_models_does_not_change_the_model() -> None:
    engine = Scripted(all_models=MODELS)

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        commands = stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
        run = commands.start("fetch", "other-3b", ["models", "pull", "other-3b"])
        assert isinstance(run, ScriptedRun)
        await stage.sees("fetching other-3b · F4 shows it")
        run.code = 0
        await stage.sees("other-3b is here")
        assert "use other-3b" not in engine.calls
        await stage.ask("Which bolts?")
        await stage.until(lambda: "other-3b is here" not in stage.text)

    perform(act, engine)


def test_without_a_model_to_fetch_the_command_says_so() -> None:
    engine = Scripted(told=EMPTY, all_models=(READER, HUGE))

    async def act(stage: Stage) -> None:
        await stage.sees("There are no documents yet")
        await stage.pilot.pause(0.2)
        assert "/pull" not in stage.text
        await stage.press(*"/pull", "enter")
        await stage.sees("no model that suits this computer is left to fetch")

    perform(act, engine)


@pytest.mark.parametrize(
    ("found", "offered"),
    [
        (MODELS, OTHER),
        ((READER, replace(OTHER, installed=True)), None),
        ((READER, replace(OTHER, needs=9 * OTHER.memory)), None),
        ((), None),
    ],
)
def test_what_is_here_or_does_not_fit_is_not_offered(
    found: tuple[ModelListing, ...], offered: ModelListing | None
) -> None:
    assert offered_model(found) == offered
