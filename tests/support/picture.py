"""Write pictures of the screens (SVG): seeds/ in a library of its own, the built-in reader.

``python -m tests.support.picture docs`` writes docs/screen.svg and docs/screens/*.svg.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from rag import Bot, Config, Engine
from tui.app import FootnoteApp
from tui.screens.ask import AskScreen
from tui.widgets.exchange import Exchange

ROOT = Path(__file__).resolve().parents[2]
SIZE = (116, 32)  # columns and lines
#: of a narrow terminal
NARROW = (60, 20)
QUESTIONS = (
    "How many diplomats are posted in Washington?",
    "How many individual sanctions has Russia faced?",
)
NAMED = "What did Lavrov say about sanctions? @000_bac51fb96c89603d.txt"
PATIENCE = 240  # seconds until an answer must be there

#: what is done on the way to a picture, after the questions were answered
Steps = Callable[[Pilot[Any]], Awaitable[None]]


def _screen(pilot: Pilot[Any]) -> AskScreen:
    app = pilot.app
    assert isinstance(app, FootnoteApp) and app.ask_screen is not None
    return app.ask_screen


async def _nothing(pilot: Pilot[Any]) -> None:
    """Leave the screen as it is."""


async def _check(pilot: Pilot[Any]) -> None:
    _screen(pilot).action_check()


async def _find(pilot: Pilot[Any]) -> None:
    _screen(pilot).action_find("sanctions")


async def _history(pilot: Pilot[Any]) -> None:
    _screen(pilot).action_history()
    await asyncio.sleep(2)


async def _help(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, FootnoteApp)
    app.action_page("help")


async def _narrow(pilot: Pilot[Any]) -> None:
    await pilot.resize_terminal(*NARROW)


#: the file of each picture, and the way to it; the last ones change the size
PICTURES: dict[str, Steps] = {
    "screen.svg": _nothing,
    "screens/check.svg": _check,
    "screens/find.svg": _find,
    "screens/history.svg": _history,
    "screens/help.svg": _help,
    "screens/narrow.svg": _narrow,
}


async def screenshots(home: str) -> dict[str, str]:
    """The pictures after the questions have been answered over the library in `home`, by file."""
    pictures = dict[str, str]()
    engine = Engine(Config(home=home))
    try:
        app = FootnoteApp(engine)
        async with app.run_test(size=SIZE) as pilot:
            for count, question in enumerate(QUESTIONS, 1):
                await _until(lambda: app.ask_screen is not None and app.ask_screen.questions.up)
                await _screen(pilot).put(question)
                await _until(partial(_has_answered, _screen(pilot), count))
            await asyncio.sleep(2)  # the source is fetched and scrolled to
            for file, steps in PICTURES.items():
                pictures[file] = await _picture(pilot, steps)
            await pilot.resize_terminal(*SIZE)
            await _screen(pilot).put(NAMED)
            await _until(partial(_has_answered, _screen(pilot), len(QUESTIONS) + 1))
            await asyncio.sleep(2)
            pictures["screens/one-document.svg"] = await _picture(pilot, _nothing)
    finally:
        engine.close()
    return pictures


async def _picture(pilot: Pilot[Any], steps: Steps) -> str:
    """Take a picture after `steps`, and go back to the conversation."""
    await steps(pilot)
    await pilot.pause()
    await asyncio.sleep(1)
    picture = pilot.app.export_screenshot(title="footnote")
    if steps is not _nothing and steps is not _narrow:
        await pilot.press("escape")
        await pilot.pause()
    return picture


def without_downloads(picture: str) -> str:
    """The SVG without its `@font-face` rules: who looks at it opens no connection. The local font is used."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", picture, flags=re.S)


def _has_answered(screen: AskScreen, questions: int) -> bool:
    turns = screen.query(Exchange)
    return sum(turn.answer is not None and not turn.running for turn in turns) == questions


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 10):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the screen did not answer in time")


def main(folder: str) -> None:
    """Make the library in a scratch folder, take the pictures, write them below `folder`."""
    with tempfile.TemporaryDirectory() as home:
        with Bot.open(Config(home=home)) as bot:
            for _ in bot.add([str(ROOT / "seeds")]):
                pass
        pictures = asyncio.run(screenshots(home))
    for file, picture in pictures.items():
        path = Path(folder) / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(without_downloads(picture), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
