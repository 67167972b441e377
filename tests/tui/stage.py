"""Runs the app with a scripted engine and waits for conditions instead of seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from tests.tui.scripted import Scripted, dump
from tui.app import FootnoteApp
from tui.render.glyphs import ASCII, UNICODE
from tui.screens.ask import AskScreen
from tui.widgets.exchange import Exchange
from tui.widgets.source_pane import EVIDENCE_STYLE
from tui.widgets.text_view import TextView

SIZES = ((120, 40), (80, 24), (60, 20))


class Stage:
    """The running app, as a test sees it."""

    def __init__(self, pilot: Pilot[Any], engine: Scripted) -> None:
        self.pilot = pilot
        self.engine = engine

    @property
    def app(self) -> FootnoteApp:
        assert isinstance(self.pilot.app, FootnoteApp)
        return self.pilot.app

    @property
    def ask_screen(self) -> AskScreen:
        screen = self.app.ask_screen
        assert screen is not None
        return screen

    @property
    def turn(self) -> Exchange:
        turn = self.ask_screen.talk.newest
        assert turn is not None
        return turn

    @property
    def lines(self) -> list[str]:
        return dump(self.app)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def until(self, seen: Callable[[], Any], seconds: float = 8.0) -> None:
        """Wait until `seen()` is true; fails with the screen in the message."""
        end = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > end:
                raise AssertionError("never came true; the screen:\n" + self.text)
            await asyncio.sleep(0.02)

    async def sees(self, words: str) -> None:
        await self.until(lambda: words in self.text)

    async def still(self, words: str, seconds: float = 8.0) -> None:
        """Wait until `words` are on a screen that no longer moves; fail after some seconds."""
        before, end = "", time.monotonic() + seconds
        while (words not in before or before != self.text) and time.monotonic() < end:
            before = self.text
            await self.pilot.pause()
            await asyncio.sleep(0.02)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def ask(self, question: str, until: str | None = "s · v see the check") -> None:
        """Type a question and wait for words on the screen."""
        await self.until(lambda: self.ask_screen.questions.up)
        talk, prompt = self.ask_screen.talk, self.ask_screen.prompt
        before = talk.newest
        prompt.focus()
        prompt.insert(question)
        prompt.action_submit()
        await self.until(lambda: talk.newest is not before and self.turn.is_mounted)
        if until is not None:
            await self.sees(until)
            await self.until(lambda: self.ask_screen.questions.running is None)
            await self.still(until)


def perform(
    act: Callable[[Stage], Awaitable[None]],
    engine: Scripted | None = None,
    size: tuple[int, int] = (120, 40),
    ascii_: bool = False,
    kind: type[FootnoteApp] = FootnoteApp,
) -> FootnoteApp:
    """Run `act` on the app; what broke in the app breaks the test."""
    engine = engine or Scripted()
    app = kind(engine, ASCII if ascii_ else UNICODE)

    async def play() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            stage = Stage(pilot, engine)
            await stage.until(lambda: app.ask_screen is not None and app.ask_screen.is_mounted)
            await act(stage)

    asyncio.run(play())
    return app


def lit(stage: Stage, style: str = EVIDENCE_STYLE) -> list[str]:
    """The words that are lit in the pane."""
    return styled(stage.ask_screen.pane.query_one("#source-text", TextView), style)


def styled(sheet: TextView, style: str) -> list[str]:
    """The words of that style, a string for each line they stand on."""
    shown = sheet.render()
    return [shown.plain[span.start : span.end] for span in shown.spans if span.style == style]
