"""The app: one engine, one screen (more will stand beside it in `MODES`), and a clean end whatever ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from rag.config import Config
from rag.text.sanitize import quote_foreign
from tui.commands import bindings
from tui.palette import CommandPalette
from tui.render import clipboard
from tui.render.glyphs import Glyphs, choose_glyphs
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.state.cursor import AnswerCursor
from tui.widgets import editor

if TYPE_CHECKING:
    from rag.engine import Engine

AGAIN = 2.0  #: seconds in which a second ctrl+c quits


class FootnoteApp(App[int]):
    """Talks to the engine through the screens' workers; closes it when it ends."""

    CSS_PATH = Path(__file__).with_name("tui.tcss")
    TITLE = "footnote"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("app"))
    COMMANDS = App.COMMANDS | {CommandPalette}
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as the base class has it
        (0, "-tiny"),
        (40, "-narrow"),
        (80, "-normal"),
        (112, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-short"), (28, "-tall")]  # noqa: RUF012

    class Copied(Message):
        """The clipboard's answer."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, engine: Engine, glyphs: Glyphs | None = None) -> None:
        if os.environ.get("NO_COLOR") == "":
            del os.environ["NO_COLOR"]  # an empty one counts as unset
        super().__init__()
        self.engine = engine
        self.glyphs = glyphs or choose_glyphs(os.environ)
        self._interrupted = -AGAIN

    def on_mount(self) -> None:
        if not self.is_headless:
            self._mind_signals()
        self.push_screen(AskScreen(self.engine, self.glyphs))

    def _mind_signals(self) -> None:
        """A terminal must be left clean also when somebody else ends us."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, self._leave, 128 + number)

    def _leave(self, code: int) -> None:
        self.engine.close()
        self.exit(code, return_code=code)

    def on_unmount(self) -> None:
        self.engine.close()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)

    @property
    def asking(self) -> AskScreen | None:
        return next((s for s in self.screen_stack if isinstance(s, AskScreen)), None)

    def action_leave(self) -> None:
        self._leave(0)

    async def action_quit(self) -> None:
        self._leave(0)

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.glyphs, self.asking.rates if self.asking else None))

    def action_interrupt(self) -> None:
        """Copies what is selected; else stops what runs; else asks for a second time before it quits."""
        asking = self.asking
        selected = self.screen.get_selected_text()
        if asking is not None and not selected and self.screen is asking:
            selected = asking.prompt.selected_text
        if selected:
            self.copy(selected)
        elif asking is not None and asking.questions.busy:
            asking.action_stop()
        elif monotonic() - self._interrupted < AGAIN:
            self._leave(0)
        else:
            self._interrupted = monotonic()
            self.notify("ctrl+c again quits, or ctrl+q", markup=False, timeout=AGAIN)

    # -- copying -----------------------------------------------------------------------------------------------------

    def copy(self, text: str) -> None:
        """Copy, beside the screen; a line says what became of it."""
        self.run_worker(
            partial(self._copy, text, self._writer()),
            thread=True,
            exit_on_error=False,
            group="copy",
        )

    def _writer(self) -> Callable[[str], None]:
        driver = self._driver
        return driver.write if driver is not None and not self.is_headless else self._keep

    def _keep(self, sequence: str) -> None:
        """Without a terminal the sequence goes nowhere."""

    def _copy(self, text: str, write: Callable[[str], None]) -> None:
        self.post_message(self.Copied(clipboard.copy_to_clipboard(text, write, os.environ)))

    @on(Copied)
    def _copied(self, event: Copied) -> None:
        self.notify(event.words, markup=False, timeout=3)

    def action_copy(self, form: str) -> None:
        text = self.asking.copied(form) if self.asking else ""
        if text:
            self.copy(text)
        else:
            self.notify("nothing to copy yet", markup=False, timeout=3)

    def action_copy_checked(self) -> None:
        self.action_copy("markdown")

    # -- the reader's editor -----------------------------------------------------------------------------------------

    def action_editor(self) -> None:
        place = self.asking.place if self.asking else AnswerCursor()
        passage = place.passage
        if passage is None:
            self.notify("no source is shown", markup=False, timeout=3)
            return
        shown = self.asking.pane.document if self.asking else None
        path = shown.path if shown and shown.path else passage.chunk.source
        words = editor.editor_command(path, place.line, os.environ)
        if isinstance(words, str):
            self.notify(quote_foreign(words), markup=False, severity="warning", timeout=5)
            return
        try:
            with self.suspend():
                done = subprocess.run(words, check=False)  # noqa: S603 - the reader's own editor
        except (SuspendNotSupported, OSError) as error:
            self.notify(
                quote_foreign(f"no editor here: {error}"),
                markup=False,
                severity="warning",
                timeout=5,
            )
            return
        if done.returncode:
            self.notify(
                quote_foreign(f"{words[0]} ended with {done.returncode}"),
                markup=False,
                severity="warning",
                timeout=5,
            )
        self.refresh()


def run(config: Config) -> int:
    """Open the screen on `config`; gives the exit code."""
    if os.environ.get("TERM", "") in ("dumb", "unknown") or not (
        sys.stdin.isatty() and sys.stdout.isatty()
    ):
        print(
            "footnote: this is not a terminal that can show the screen; use: footnote ask QUESTION",
            file=sys.stderr,
        )
        return 2
    from rag.engine import Engine

    engine = Engine(config)
    try:
        app = FootnoteApp(engine)
        code = app.run()
        return int(app.return_code or code or 0)
    finally:
        engine.close()
