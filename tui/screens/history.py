"""The history: saved conversations, found as one types, with a preview of the one at the cursor."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rag.domain import Conversation
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render.answer_text import assemble, counted
from tui.render.glyphs import Glyphs
from tui.render.history_rows import preview, row
from tui.screens.confirm import ConfirmDialog
from tui.screens.export import ExportScreen
from tui.state import saved
from tui.widgets.bars import KeyBar

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine

#: Turns, the newest ones, among which the preview looks for the words that were typed.
_PREVIEWED = 20
#: The width of the margins of a row.
_MARGIN_CELLS = 4


class HistoryScreen(Screen[Conversation | None]):
    """Returns the conversation that was chosen, or None. `open_id` is the one that is open."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("history"))
    AUTO_FOCUS = "#history-find"

    def __init__(self, engine: ChatEngine, glyphs: Glyphs, open_id: str | None = None) -> None:
        super().__init__()
        self._engine = engine
        self.glyphs = glyphs
        self.open_id = open_id
        self.found: tuple[Conversation, ...] = ()
        self.words = ""  #: what was looked for when a conversation was chosen
        self._search = 0  #: number of the last search
        self._marked: int | None = None  #: the row that has the sign of the cursor

    def compose(self) -> ComposeResult:
        with Vertical(id="history"):
            yield Static(assemble([("HISTORY", "bold")]), id="history-head", markup=False)
            placeholder = "Words of a question, an answer or a file name"
            yield Input(placeholder=placeholder, id="history-find")
            yield OptionList(id="history-list", markup=False)
            with VerticalScroll(id="history-preview", can_focus=False):
                yield Static(Content(""), id="history-text", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(KeyBar).show("history", False)
        self._find("")

    def _run(self, work: partial[None]) -> None:
        self.app.run_worker(
            partial(work, post=self.post_message),
            thread=True,
            exit_on_error=False,
            group="history",
            description="history",
        )

    # -- the list -------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._find(event.value)

    def _find(self, words: str) -> None:
        self._search += 1
        self._run(partial(saved.find, self._engine, words, self._search))

    @on(saved.Listed)
    def _listed(self, event: saved.Listed) -> None:
        if event.search == self._search:  # a later search is on its way otherwise
            self.found = event.found
            self._show_rows(0)

    def _show_rows(self, at: int) -> None:
        """Show what was found, with the cursor on row `at`."""
        listed = self.query_one(OptionList)
        self._marked = None
        listed.clear_options()
        listed.add_options([Option(self._row(number)) for number in range(len(self.found))])
        listed.highlighted = min(at, len(self.found) - 1) if self.found else None
        words = counted(len(self.found), "conversation")
        if not self.found:
            typed = self.query_one(Input).value
            words = "nothing is found; other words?" if typed else "no conversation is saved yet"
        head = assemble([("HISTORY", "bold"), (self.glyphs.say(f" · {words}"), "$text-muted")])
        self.query_one("#history-head", Static).update(head)
        if not self.found:
            self.query_one("#history-text", Static).update(Content(""))

    def _row(self, number: int, here: bool = False) -> Content:
        width = max(1, self.size.width - _MARGIN_CELLS)
        now = datetime.now().astimezone()
        return row(self.found[number], width, self.glyphs, now, here)

    def _mark_row(self) -> None:
        """Put the sign of the cursor on its row, and take it from the row before."""
        listed = self.query_one(OptionList)
        for number, here in ((self._marked, False), (listed.highlighted, True)):
            if number is not None and number < len(self.found):
                listed.replace_option_prompt_at_index(number, self._row(number, here))
        self._marked = listed.highlighted

    def on_resize(self, event: events.Resize) -> None:
        self._show_rows(self.query_one(OptionList).highlighted or 0)

    @property
    def entry(self) -> Conversation | None:
        """The conversation at the cursor."""
        at = self.query_one(OptionList).highlighted
        return self.found[at] if at is not None and at < len(self.found) else None

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._mark_row()
        if self.entry is not None:
            self._run(partial(saved.open_conversation, self._engine, self.entry, _PREVIEWED))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_choose()

    @on(saved.Opened)
    def _preview(self, event: saved.Opened) -> None:
        if event.entry is self.entry:
            words = self.query_one(Input).value
            text = preview(event.turns, words, event.states, self.glyphs)
            self.query_one("#history-text", Static).update(text)

    @on(saved.Refused)
    def _refused(self, event: saved.Refused) -> None:
        event.stop()
        words = " ".join(filter(None, (str(event.error), event.error.cure)))
        shown = assemble([(quote_foreign(words), "$text-error")])
        self.query_one("#history-text", Static).update(shown)

    # -- actions of the command table -----------------------------------------------------------

    def action_close(self) -> None:
        self.dismiss(None)

    def action_move(self, by: int) -> None:
        listed = self.query_one(OptionList)
        if self.found:
            at = (listed.highlighted or 0) + by
            listed.highlighted = min(max(0, at), len(self.found) - 1)

    def action_choose(self) -> None:
        if self.entry is not None:
            self.words = self.query_one(Input).value
            self.dismiss(self.entry)

    def action_export(self) -> None:
        entry = self.entry
        if entry is not None:
            self.app.push_screen(ExportScreen(self._engine, entry.id, entry.title, self.glyphs))

    def action_delete(self) -> None:
        entry = self.entry
        if entry is None:
            return
        if entry.id == self.open_id:
            words = "this conversation is open: begin a new one (ctrl+n), then delete it"
            self.app.notify(words, markup=False, severity="warning", timeout=5)
            return
        words = f"Delete this conversation with {counted(entry.turns, 'question')}?"
        dialog = ConfirmDialog(words, entry.title, verb="delete")
        self.app.push_screen(dialog, partial(self._confirmed, entry))

    def _confirmed(self, entry: Conversation, agreed: bool | None) -> None:
        if agreed:
            self._run(partial(saved.remove, self._engine, entry))

    @on(saved.Removed)
    def _removed(self, event: saved.Removed) -> None:
        at = self.query_one(OptionList).highlighted or 0
        self.found = tuple(entry for entry in self.found if entry.id != event.entry.id)
        self._show_rows(at)
        self.app.notify("the conversation was deleted", markup=False, timeout=3)
