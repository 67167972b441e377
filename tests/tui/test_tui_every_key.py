"""Every key of the table, in every focus and state: the app stays open and shows no traceback."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rag.domain import Answer, Status
from rag.errors import EngineStopped, LibraryMissing, RagError
from tests.tui import scripted as script
from tests.tui.random_keys import press_random_keys
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import MODELS, UNREADABLE, ScriptedCommands
from tests.tui.stage import SIZES, Stage, perform
from tui.commands import COMMANDS

pytestmark = pytest.mark.slow

#: The keys that end the app, which is what they are for.
ENDS = {"ctrl+q", "ctrl+c"}
KEYS = sorted({key for c in COMMANDS if c.keys for key in c.keys.split(",")} - ENDS)
Act = Callable[[Stage], Awaitable[None]]


def engine() -> Scripted:
    """An engine with a slow answer, an abstention and a failure."""
    answers: dict[str, Answer | RagError] = {
        "warranty": script.ABSTAINED,
        "break": EngineStopped("the engine stopped", "ask again"),
        "": script.EVERY,
    }
    made = Scripted({"zzz": script.MIXED, **answers})
    made.failed, made.all_models = (UNREADABLE,), MODELS
    return made


async def prompt(stage: Stage) -> None:
    stage.ask_screen.prompt.focus()


async def answer(stage: Stage) -> None:
    await stage.ask("Which bolts?")
    stage.turn.focus()


async def drawer(stage: Stage) -> None:
    await answer(stage)
    stage.ask_screen.action_open()
    await stage.pilot.pause()


async def source(stage: Stage) -> None:
    await drawer(stage)
    stage.ask_screen.query_one("#source-body").focus()


async def writing(stage: Stage) -> None:
    stage.engine.pause = 0.05
    await stage.ask("a slow one", until=None)
    await stage.sees("writing")
    stage.turn.focus()
    await stage.pilot.pause()


async def waiting(stage: Stage) -> None:
    await writing(stage)
    await stage.ask_screen.put("a second question")


async def abstained(stage: Stage) -> None:
    await stage.ask("the warranty?", until="abstained")
    stage.turn.focus()


async def failed(stage: Stage) -> None:
    await stage.ask("break", until="NOT ANSWERED")
    stage.turn.focus()


async def check(stage: Stage) -> None:
    await answer(stage)
    stage.ask_screen.action_check()
    await stage.pilot.pause()


async def finding(stage: Stage) -> None:
    await drawer(stage)
    stage.ask_screen.action_find("bolts")
    await stage.pilot.pause()


async def typing_words(stage: Stage) -> None:
    await answer(stage)
    stage.ask_screen.action_find()
    await stage.pilot.pause()


async def help_page(stage: Stage) -> None:
    stage.app.action_page("help")
    await stage.pilot.pause()


async def library(stage: Stage) -> None:
    stage.app.action_page("library")
    await stage.sees("parts.xyz")


async def reading(stage: Stage) -> None:
    await library(stage)
    await stage.press("home", "enter")
    await stage.sees("find")


async def models(stage: Stage) -> None:
    stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
    stage.app.action_page("models")
    await stage.sees("huge-70b")


async def runs(stage: Stage) -> None:
    stage.app.action_page("eval")
    await stage.sees("no run here yet")


async def palette(stage: Stage) -> None:
    stage.app.action_command_palette()
    await stage.pilot.pause()


async def clean(stage: Stage) -> None:
    """Close what is open, and begin a new conversation."""
    while len(stage.app.screen_stack) > 1:
        stage.app.pop_screen()
        await stage.pilot.pause()
    stage.engine.pause = 0.0
    await stage.ask_screen.action_new()
    await stage.until(lambda: not stage.ask_screen.questions.busy)
    stage.ask_screen.prompt.text = ""


def looks(stage: Stage) -> tuple[object, ...]:
    """What a key may have changed: the next key is pressed in the state that is meant."""
    screen = stage.ask_screen
    turns = [(turn, turn.progress.phase) for turn in screen.talk.turns]
    found = screen.finding, screen.find.words
    return stage.app.screen, stage.app.focused, turns, screen.classes, screen.prompt.text, found


PAGES = (library, reading, models, runs)
STATES = (prompt, answer, drawer, source, writing, waiting, abstained, failed, check)


@pytest.mark.parametrize(
    ("state", "size"),
    [
        *(
            (state, (80, 24))
            for state in (*STATES, *PAGES, finding, typing_words, help_page, palette)
        ),
        *((state, (60, 20)) for state in (source, writing, finding)),
        (drawer, (120, 40)),
    ],
    ids=lambda value: value.__name__ if callable(value) else "x".join(map(str, value)),
)
def test_every_key_of_the_table_leaves_the_app_open(state: Act, size: tuple[int, int]) -> None:
    """Each state gets a third of the keys; all of them with EVERY_KEY=1 (`make random-keys`)."""
    all_states = (*STATES, *PAGES)
    third = all_states.index(state) % 3 if state in all_states else 0
    keys = KEYS if os.environ.get("EVERY_KEY") else KEYS[third::3]

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        before = None
        for key in keys:
            if before is None or before != looks(stage):
                await clean(stage)
                await state(stage)
                before = looks(stage)
            await stage.press(key)
            await asyncio.sleep(0)
            assert stage.app.is_running, f"{key} ended the app"

    perform(act, engine(), size)


@pytest.mark.parametrize("told", [LibraryMissing("no library", "add"), Status("x", 0, 0, "m")])
def test_every_key_without_a_library_leaves_the_app_open(told: LibraryMissing | Status) -> None:
    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        for key in KEYS:
            await clean(stage)
            await stage.press(key)
            assert stage.app.is_running, f"{key} ended the app"

    perform(act, Scripted(told=told), (80, 24))


@pytest.mark.parametrize("size", SIZES)
def test_random_keys_leave_the_app_open(size: tuple[int, int]) -> None:
    assert press_random_keys(size, seconds=2.0, seed=size[0]) > 2  # a slow machine presses few
