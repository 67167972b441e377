"""The app: an engine, the Ask screen, and an orderly end in every case."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.theme import Theme

from rag.config import LAST, Config
from rag.errors import RagError
from rag.text.foreign_marks import quote_foreign
from tui import background
from tui.commands import bindings
from tui.palette import CommandPalette
from tui.render import clipboard, themes
from tui.render.glyphs import Glyphs, choose_glyphs
from tui.screens.ask import AskScreen
from tui.screens.pages import PAGES
from tui.state import preferences
from tui.state.command_run import Commands
from tui.state.cursor import AnswerCursor
from tui.state.library import LibraryWork
from tui.state.runs import NoRuns, RunSource
from tui.state.watching import Changed, Watcher
from tui.terminal import handle_signals
from tui.widgets import editor

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine

#: Seconds in which a second ctrl+c quits.
QUIT_SECONDS = 2.0
#: The classes of a screen by its columns and by its lines.
_WIDTHS = [(0, "-tiny"), (40, "-narrow"), (80, "-normal"), (112, "-wide")]
_HEIGHTS = [(0, "-flat"), (10, "-short"), (28, "-tall")]


class FootnoteApp(App[int]):
    """Owns the engine, which the workers of the screens call, and closes it at the end."""

    CSS_PATH = Path(__file__).with_name("tui.tcss")
    TITLE = "footnote"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("app"))
    COMMANDS = App.COMMANDS | {CommandPalette}
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS

    class Copied(Message):
        """A text was copied; `message` says how."""

        def __init__(self, message: str) -> None:
            super().__init__()
            self.message = message

    def __init__(
        self,
        engine: ChatEngine,
        glyphs: Glyphs | None = None,
        demo: Callable[[], Path] | None = None,
        home: Path | None = None,
        is_light: bool = False,
        reopen: bool = False,
        commands: Commands | None = None,
        runs: Callable[[], RunSource] = NoRuns,
        watch_seconds: float = 10.0,
    ) -> None:
        if os.environ.get("NO_COLOR") == "":
            del os.environ["NO_COLOR"]  # an empty value counts as unset
        self._readable: dict[str, Theme] = {}  #: the themes that were shown, by name
        super().__init__()
        self.engine = engine
        self._demo = demo
        self.glyphs = glyphs or choose_glyphs(os.environ)
        self.set_class(self.glyphs.ascii, "-ascii")
        self.reopen = reopen  #: whether the last conversation is opened at the start
        self.commands = commands or Commands(home or Path(), "default")
        self._make_runs = runs
        self.library_work = LibraryWork(engine, self._run_in_thread)
        self.watcher = Watcher(engine, self.library_work, self._run_in_thread, self.post_message)
        self._watch_seconds = watch_seconds
        self._interrupted = -QUIT_SECONDS
        self._home = home  #: the folder that keeps the theme; None keeps it nowhere
        remembered = preferences.remembered_theme(home) if home else ""
        self.theme = themes.choose_theme(self.available_themes, remembered, is_light)

    def get_theme(self, theme_name: str) -> Theme | None:
        """Return a theme in colours that can be read. They are found when it is first shown."""
        theme = super().get_theme(theme_name)
        if theme is not None and theme.name not in self._readable:
            self._readable[theme.name] = themes.readable(theme)
        return self._readable[theme.name] if theme is not None else None

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from tui.quick_escape import QuickEscapeDriver

        return QuickEscapeDriver

    def get_default_screen(self) -> Screen[Any]:
        """Return the Ask screen, in the shape of the terminal's size from its first frame on."""
        screen = AskScreen(self.engine, self.glyphs)
        screen.add_class(_shape(self.size.width, _WIDTHS), _shape(self.size.height, _HEIGHTS))
        return screen

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        if not self.is_headless:
            self._handle_signals()
        self.call_after_refresh(_collect_garbage_again)
        self.set_interval(self._watch_seconds, self._watch)

    def _handle_signals(self) -> None:
        """Restore the terminal also when a signal ends the process, or when the terminal goes."""
        loop = asyncio.get_running_loop()

        def leave(code: int) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._leave, code)

        handle_signals(leave, self.engine.close)

    def _run_in_thread(self, work: partial[None]) -> object:
        """Run `work` in a thread of the app, which outlives the screen that began it."""
        return self.run_worker(work, thread=True, exit_on_error=False, group="library")

    def _watch(self) -> None:
        """Look for changes in watched folders while the engine has nothing else to do."""
        if self.ask_screen is not None and not self.ask_screen.works:
            self.watcher.look()

    @on(Changed)
    def _files_changed(self, event: Changed) -> None:
        self.watcher.read(event.roots)

    def _leave(self, code: int) -> None:
        self.engine.close()
        self.exit(code, return_code=code)

    def on_unmount(self) -> None:
        self.commands.close()
        self.engine.close()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)

    def _theme_changed(self, theme: Theme) -> None:
        if self._home is not None:
            preferences.remember_theme(self._home, theme.name)

    @cached_property
    def runs(self) -> RunSource:
        """What reads the measured runs."""
        return self._make_runs()

    @property
    def ask_screen(self) -> AskScreen | None:
        """The Ask screen, also below other screens."""
        return next((s for s in self.screen_stack if isinstance(s, AskScreen)), None)

    def action_command_palette(self) -> None:
        from textual.command import CommandPalette as Palette

        if not isinstance(self.screen, Palette):
            placeholder = self.glyphs.say("Search for commands…")
            self.push_screen(Palette(placeholder=placeholder, id="--command-palette"))

    def action_leave(self) -> None:
        self._leave(0)

    async def action_quit(self) -> None:
        self._leave(0)

    @property
    def page(self) -> str:
        """The name of the page on top; "" for the Ask screen and for dialogs."""
        return next((name for name in PAGES if self.screen.id == _page_id(name)), "")

    def action_close_page(self) -> None:
        """Go back from a page to the Ask screen."""
        if self.page:
            self.pop_screen()

    def action_page(self, name: str) -> None:
        """Open page `name`, or go back to it if it lies below; close it if it is on top."""
        if self.page == name:
            self.pop_screen()
        elif not isinstance(self.screen, ModalScreen):
            if name != "help":  # help lies over what it was asked about
                while self.screen is not self.ask_screen and self.page != name:
                    self.pop_screen()
            if self.page != name:
                screen = PAGES[name](self)
                screen.id = _page_id(name)
                self.push_screen(screen)

    def action_interrupt(self) -> None:
        """Copy the selection; otherwise stop the answer; otherwise quit at the second time."""
        ask_screen = self.ask_screen
        selected = self.screen.get_selected_text()
        if ask_screen is not None and not selected and self.screen is ask_screen:
            selected = ask_screen.prompt.selected_text
        if selected:
            self.copy(selected)
        elif ask_screen is not None and ask_screen.questions.busy:
            ask_screen.action_stop()
        elif monotonic() - self._interrupted < QUIT_SECONDS:
            self._leave(0)
        else:
            self._interrupted = monotonic()
            self.notify("ctrl+c again quits, or ctrl+q", markup=False, timeout=QUIT_SECONDS)

    def action_demo(self) -> None:
        """Add the demonstration documents to the library."""
        if self.ask_screen is None or self._demo is None:
            self.notify("there are no demonstration documents", markup=False, timeout=3)
            return
        try:
            self.ask_screen.add(str(self._demo()))
        except RagError as error:
            self._warn(str(error))

    # -- copying --------------------------------------------------------------------------------

    def copy(self, text: str) -> None:
        """Copy `text` in a thread, and notify the user how it was copied."""
        work = partial(self._copy, text, self._writer())
        self.run_worker(work, thread=True, exit_on_error=False, group="copy")

    def _writer(self) -> Callable[[str], None]:
        driver = self._driver
        return driver.write if driver is not None and not self.is_headless else self._keep

    def _keep(self, sequence: str) -> None:
        """Ignore a sequence when there is no terminal."""

    def _copy(self, text: str, write: Callable[[str], None]) -> None:
        self.post_message(self.Copied(clipboard.copy_to_clipboard(text, write, os.environ)))

    @on(Copied)
    def _copied(self, event: Copied) -> None:
        self.notify(event.message, markup=False, timeout=3)

    def action_copy(self, form: str) -> None:
        text = self.ask_screen.text_to_copy(form) if self.ask_screen else ""
        if text:
            self.copy(text)
        else:
            self.notify("nothing to copy yet", markup=False, timeout=3)

    def action_copy_checked(self) -> None:
        self.action_copy("markdown")

    # -- the editor of the user -----------------------------------------------------------------

    def action_editor(self) -> None:
        cursor = self.ask_screen.place if self.ask_screen else AnswerCursor()
        passage = cursor.passage
        if passage is None:
            self.notify("no source is shown", markup=False, timeout=3)
            return
        document = self.ask_screen.pane.document if self.ask_screen else None
        path = document.path if document and document.path else passage.chunk.source
        self.open_in_editor(path, cursor.line)

    def open_in_editor(self, path: str, line: int) -> None:
        """Open a file in the editor of the user; say it if that is not possible."""
        command = editor.editor_command(path, line, os.environ)
        if isinstance(command, str):
            self._warn(command)
            return
        try:
            with self.suspend():
                done = subprocess.run(command, check=False)  # noqa: S603 - the editor of the user
        except (SuspendNotSupported, OSError) as error:
            self._warn(f"the editor cannot be started: {error}")
            return
        if done.returncode:
            self._warn(f"{command[0]} ended with {done.returncode}")
        self.refresh()

    def _warn(self, message: str) -> None:
        """Show a warning, which may contain foreign text."""
        self.notify(quote_foreign(message), markup=False, severity="warning", timeout=5)


def _collect_garbage_again() -> None:
    """Collect cycles from now on, but not among what was made before the first paint."""
    gc.freeze()
    gc.enable()


def _shape(length: int, breakpoints: list[tuple[int, str]]) -> str:
    """Return the class of the last breakpoint that a length reaches."""
    return max((at, name) for at, name in breakpoints if at <= length)[1]


def _page_id(name: str) -> str:
    """Return the id of the screen of a page."""
    return f"page-{name}"


def run(
    config: Config,
    demo: Callable[[], Path] | None = None,
    runs: Callable[[], RunSource] = NoRuns,
) -> int:
    """Open the chat and return its exit code; 2 if this is no terminal that can show it.

    `demo` returns the folder of the demonstration documents, `runs` what reads evaluation runs.
    """
    if os.environ.get("TERM", "") in ("dumb", "unknown") or not (
        sys.stdin.isatty() and sys.stdout.isatty()
    ):
        print(
            "footnote: this is not a terminal that can show the screen; "
            "use: footnote ask QUESTION, or footnote ask -i",
            file=sys.stderr,
        )
        return 2
    from rag.engine import Engine

    engine = Engine(config)
    try:
        light = background.is_light(sys.stdin.fileno(), os.environ)
        app = FootnoteApp(
            engine,
            demo=demo,
            home=Path(config.home),
            is_light=light,
            reopen=config.start == LAST,
            commands=Commands(Path(config.home), config.library),
            runs=runs,
            watch_seconds=config.watch_seconds,
        )
        code = app.run()
        return int(app.return_code or code or 0)
    finally:
        engine.close()
