"""The models: which one answers, what each needs and is worth; choosing, fetching, removing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rag.domain import ModelListing
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render import model_rows
from tui.render.answer_text import assemble
from tui.render.glyphs import Glyphs
from tui.screens.confirm import ConfirmDialog
from tui.screens.list_page import ListPage
from tui.state import models
from tui.widgets.bars import KeyBar
from tui.widgets.line_list import LineList
from tui.widgets.page_head import PageHead

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine
    from tui.state.command_run import CommandRun, Commands

TICK_SECONDS = 0.25


class ModelsScreen(ListPage):
    """Lists the models. `commands` fetch them, in a program of their own."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("models"))

    def __init__(self, engine: ChatEngine, commands: Commands, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._engine, self._commands = engine, commands
        self.found: tuple[ModelListing, ...] = ()
        self.choosing = False  #: whether a model is being tried
        self._said = ""  #: what was done last
        self._was_fetching = self.fetching

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            yield PageHead("models", "MODELS", self.glyphs)
            yield Static(Content(""), id="page-work", markup=False)
            yield Static(Content(""), id="page-columns", markup=False)
            yield LineList("page-list")
            yield Static(Content(""), id="page-detail", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self.run_in_thread(partial(models.list_models, self._engine))
        self._tick()
        self.set_interval(TICK_SECONDS, self._tick)

    # -- what is shown --------------------------------------------------------------------------

    @property
    def _fetch(self) -> CommandRun | None:
        return self._commands.runs.get(models.FETCH)

    @property
    def fetching(self) -> bool:
        return self._fetch is not None and self._fetch.running

    def _tick(self) -> None:
        """Show how far a fetch is, and list the models again when it has ended."""
        words = self._said or self._fetch_words()
        self.query_one("#page-work", Static).update(
            assemble([(self.glyphs.say(words), "$text-accent")])
        )
        hidden = frozenset(() if self.fetching else ("models_stop",))
        self.query_one(KeyBar).show("models", True, hidden)
        if self._was_fetching and not self.fetching:
            self.run_in_thread(partial(models.list_models, self._engine))
        self._was_fetching = self.fetching

    def _fetch_words(self) -> str:
        """Return how far the fetch is, or how it ended; "" without one."""
        run = self._fetch
        if run is None:
            return ""
        done = "; enter lets it answer" if run.code == 0 else ""
        return models.fetch_words(run, self.glyphs, "x stops") + done

    @on(models.Listed)
    def _listed(self, event: models.Listed) -> None:
        event.stop()
        self.choosing = False
        self.found = event.found
        used = next((n for n, entry in enumerate(self.found) if entry.in_use), 0)
        self.lines.show(
            len(self.found), self._row, used if self.lines.at is None else self.lines.at
        )
        name = next((entry.name for entry in self.found if entry.in_use), "")
        self.query_one(PageHead).show(f"{quote_foreign(name)} answers" if name else "")
        self._show_columns()
        self.moved()

    @on(models.Said)
    def _something_said(self, event: models.Said) -> None:
        event.stop()
        self._said, self.choosing = quote_foreign(event.words), event.running
        self._tick()

    @on(models.Refused)
    def _refused(self, event: models.Refused) -> None:
        event.stop()
        self._said, self.choosing = "", False
        words = ". ".join(filter(None, (str(event.error), event.error.cure)))
        self.query_one("#page-detail", Static).update(
            assemble([(quote_foreign(words), "$text-error")])
        )

    @on(LineList.Resized)
    def _show_columns(self) -> None:
        heads = model_rows.column_heads(self.lines.inner_width)
        self.query_one("#page-columns", Static).update(assemble([(heads, "$text-muted")]))

    def _row(self, number: int, width: int) -> Content:
        return model_rows.row(self.found[number], number == self.lines.at, width, self.glyphs)

    @property
    def entry(self) -> ModelListing | None:
        """The model at the cursor."""
        at = self.lines.at
        return self.found[at] if at is not None and at < len(self.found) else None

    def moved(self) -> None:
        entry = self.entry
        if entry is not None:
            detail = model_rows.detail(entry, self.glyphs)
            self.query_one("#page-detail", Static).update(detail)

    # -- actions of the command table -----------------------------------------------------------

    async def action_close(self) -> None:
        await self.run_action("app.close_page")

    def action_choose(self) -> None:
        entry = self.entry
        if entry is None or self.choosing:
            return
        if entry.in_use:
            self._say(f"{quote_foreign(entry.name)} answers already")
        elif not entry.installed:
            self._say("it is not on this computer: p fetches it")
        else:
            self.choosing = True
            self.run_in_thread(partial(models.use_model, self._engine, entry.name))

    def action_pull(self) -> None:
        if self.entry is not None:
            self._say(models.start_fetch(self._commands, self.entry))

    def action_stop(self) -> None:
        if self.fetching and self._fetch is not None:
            self._fetch.stop()

    def action_remove(self) -> None:
        entry = self.entry
        if entry is None or not (entry.installed or entry.fetched):
            self._say("there is no file of it here")
            return
        words = "Remove the file of this model?"
        dialog = ConfirmDialog(words, entry.name, "It can be fetched again.")
        self.app.push_screen(dialog, partial(self._confirmed, entry.name))

    def _confirmed(self, name: str, agreed: bool | None) -> None:
        if agreed:
            self.run_in_thread(partial(models.remove_model, self._engine, name))

    def _say(self, words: str) -> None:
        """Show words of our own above the list until something else is done."""
        self._said = words
        self._tick()
