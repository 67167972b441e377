"""Write a picture of the screen (SVG): seeds/ in a library of its own, the built-in reader, two questions.

``python -m tests.support.picture docs/screen.svg``
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rag import Bot, Config, Engine
from tui.app import FootnoteApp
from tui.widgets.exchange import Exchange

ROOT = Path(__file__).resolve().parents[2]
SIZE = (116, 32)  # columns and lines
QUESTIONS = (
    "How many diplomats are posted in Washington?",
    "How many individual sanctions has Russia faced?",
)
PATIENCE = 120  # seconds until an answer must be there


async def screenshot(home: str) -> str:
    """The screen as SVG after the questions have been answered over the library in `home`."""
    engine = Engine(Config(home=home))
    try:
        app = FootnoteApp(engine)
        async with app.run_test(size=SIZE) as pilot:
            for count, question in enumerate(QUESTIONS, 1):
                await _until(lambda: app.ask_screen is not None and app.ask_screen.questions.up)
                screen = app.ask_screen
                assert screen is not None
                await screen.put(question)
                await _until(partial(_has_answered, app, count))
            await asyncio.sleep(2)  # the source is fetched and scrolled to
            await pilot.pause()
            return app.export_screenshot(title="footnote")
    finally:
        engine.close()


def without_downloads(picture: str) -> str:
    """The SVG without its `@font-face` rules: who looks at it opens no connection. The local font is used."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", picture, flags=re.S)


def _has_answered(app: FootnoteApp, questions: int) -> bool:
    return (
        sum(turn.answer is not None and not turn.running for turn in app.screen.query(Exchange))
        == questions
    )


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 10):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the screen did not answer in time")


def main(path: str) -> None:
    """Make the library in a scratch folder, take the picture, write it to `path`."""
    with tempfile.TemporaryDirectory() as home:
        with Bot.open(Config(home=home)) as bot:
            for _ in bot.add([str(ROOT / "seeds")]):
                pass
        picture = asyncio.run(screenshot(home))
    Path(path).write_text(without_downloads(picture), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
