"""Another model answers in a running chat: chosen here, or in another shell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.domain import Status
from rag.events import Notice
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, perform

pytestmark = pytest.mark.slow


def changed(engine: Scripted, model: str) -> None:
    assert isinstance(engine.told, Status)
    engine.told = replace(engine.told, model=model)


@pytest.mark.parametrize("size", SIZES)
def test_a_model_that_another_shell_chose_is_said(size: tuple[int, int]) -> None:
    engine = Scripted(pause=0.05)

    async def act(stage: Stage) -> None:
        await stage.ask("slow", until=None)
        await stage.until(lambda: stage.ask_screen.questions.running)
        changed(engine, "path/to/other [b] model.gguf")
        stage.ask_screen._look()
        await stage.sees("other [b] model answers now")
        assert "by the old one" in " ".join(stage.text.split())
        await stage.until(lambda: not stage.ask_screen.questions.busy, 30)
        assert stage.turn.answer is not None
        if size[0] >= 80:
            await stage.sees("other [b] model · ")

    perform(act, engine, size)


@pytest.mark.parametrize("size", SIZES)
def test_a_model_is_chosen_by_name(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press(*"/model", "space", *"other", "enter")
        await stage.sees("other answers from the next question on")
        await stage.press(*"/model", "space", *"nobody", "enter")
        await stage.sees("there is no model 'nobody'")
        assert stage.engine.calls.count("use nobody") == 1
        await stage.press(*"/model", "enter")
        assert stage.ask_screen.prompt.text == "/model "

    perform(act, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_a_model_that_is_tried_is_named_until_it_answers(size: tuple[int, int]) -> None:
    engine = Scripted()

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        engine.pause = 1.0
        await stage.press(*"/model", "space", *"other", "enter")
        await stage.sees("◌ trying other …")
        await stage.sees("other answers from the next question on")
        assert "trying" not in stage.text

    perform(act, engine, size)


def test_what_the_engine_notes_stands_above_the_answer() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        turn = stage.turn
        turn.hear(Notice("this \x1b[2J is [/] noted"))
        await stage.sees("! this ␛[2J is [/] noted")

    perform(act)
