"""What can be clicked, and words of the screen that must agree with each other."""

from __future__ import annotations

import pytest

from rag.domain import Status
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.stage import Stage, perform
from tui.screens.check import CheckScreen
from tui.screens.help import HelpScreen

pytestmark = pytest.mark.slow


async def click(stage: Stage, words: str) -> None:
    """Click the first place of `words` on the screen."""
    y = next(y for y, line in enumerate(stage.lines) if words in line)
    await stage.pilot.click(offset=(stage.lines[y].index(words) + 1, y))


def test_a_row_of_the_source_list_shows_its_source() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("SOURCE 1 of 3")
        y = max(y for y, line in enumerate(stage.lines) if "Torque table" in line)
        await stage.pilot.click(offset=(stage.lines[y].index("Torque table") + 1, y))
        await stage.sees("SOURCE 3 of 3")

    perform(act)


def test_a_number_of_the_narrow_source_list_shows_its_source() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        stage.turn.focus()
        await stage.press("enter")
        await stage.sees("SOURCE 1 of 3")
        pane = stage.ask_screen.pane.query_one("#source-list").region
        row = stage.lines[pane.bottom - 1]
        await stage.pilot.click(offset=(row.index("3", pane.x), pane.bottom - 1))
        await stage.sees("SOURCE 3 of 3")

    perform(act, size=(60, 20))


def test_the_help_of_the_header_and_the_check_of_an_answer_are_clicks() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await click(stage, "F1 help")
        await stage.until(lambda: isinstance(stage.app.screen, HelpScreen))
        await stage.press("escape")
        await click(stage, "v see the check")
        await stage.until(lambda: isinstance(stage.app.screen, CheckScreen))

    perform(act)


def test_the_path_of_a_model_leaves_room_for_the_library() -> None:
    path = "/data/models/of/chat/a-chat-model-Q4_K_M.gguf"

    async def act(stage: Stage) -> None:
        await stage.sees("handbook · 48 documents")
        assert "a-chat-model-Q4_K_M · ready" in stage.lines[0] and "/data" not in stage.lines[0]

    perform(act, Scripted(told=Status("handbook", 48, 3112, path)), (80, 24))


def test_the_header_says_that_text_is_sent_to_a_server() -> None:
    async def act(stage: Stage) -> None:
        await stage.sees("handbook · 48 documents")
        assert "text is sent to models.example:8000 · ready" in stage.lines[0]

    told = Status("handbook", 48, 3112, "tale", "models.example:8000")
    perform(act, Scripted(told=told), (100, 24))


def test_the_counts_under_an_answer_agree() -> None:
    parts = [script.LEAD, script.GOOD_1, script.GOOD_2]

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("all 2 sentences supported")
        await stage.sees("2 sentences · 2 sources")

    perform(act, Scripted({"": script.answer("q", parts)}))


def test_ranks_are_told_in_words() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("1st match: 1st by words, 2nd by meaning")

    perform(act)
