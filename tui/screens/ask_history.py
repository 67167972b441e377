"""The part of the Ask screen that opens saved conversations and exports the open one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on

from rag.domain import Conversation as SavedConversation
from rag.text.foreign_marks import quote_foreign
from tui.screens.ask_models import AskModels
from tui.state import saved
from tui.widgets.conversation import MAX_TURNS
from tui.widgets.saved_exchange import SavedExchange

if TYPE_CHECKING:
    from tui.app import FootnoteApp
    from tui.screens.history import HistoryScreen


class AskHistory(AskModels):
    """Opens saved conversations in place of the open one."""

    _sought = ""  #: the words by which the conversation was found that is being opened

    def reopen_last(self) -> None:
        """Open the last conversation, if the setting says so and nothing was asked meanwhile."""
        if cast("FootnoteApp", self.app).reopen and not self.talk.turns:
            self._in_thread(partial(saved.open_last, self.engine, MAX_TURNS))

    def action_history(self) -> None:
        from tui.screens.history import HistoryScreen

        screen = HistoryScreen(self.engine, self.glyphs, self.questions.conversation_id)
        self.app.push_screen(screen, partial(self._conversation_chosen, screen))

    def _conversation_chosen(self, screen: HistoryScreen, entry: SavedConversation | None) -> None:
        if entry is not None:
            self._sought = screen.words
            self._in_thread(partial(saved.open_conversation, self.engine, entry, MAX_TURNS))

    def _in_thread(self, work: partial[None]) -> None:
        """Run a function of `saved`, which posts its result to this screen."""
        self.app.run_worker(
            partial(work, self.post_message),
            thread=True,
            exit_on_error=False,
            group="history",
            description="history",
        )

    @on(saved.Opened)
    async def _conversation_opened_again(self, event: saved.Opened) -> None:
        """Show a saved conversation. The next question is asked in it."""
        self.questions.resume(event.entry.id)
        self.prompt.focus()  # before its turn is removed: Textual would choose another widget
        self.shown = None
        await self.talk.clear()
        self.talk.dropped = max(0, event.entry.turns - len(event.turns))
        shown = [SavedExchange(turn, self.glyphs, event.states) for turn in event.turns]
        with self.app.batch_update():  # all are mounted before the first layout
            await asyncio.gather(*map(self.talk.add, shown))
        sought, self._sought = self._sought, ""
        if shown:
            from tui.render.history_rows import turn_with

            turn = shown[turn_with(event.turns, sought)]
            self._follow(turn)
            turn.focus(scroll_visible=False)
            self.call_after_refresh(self.talk.show_from_its_question, turn)
        else:
            self._arrange()

    @on(saved.Refused)
    def _history_refused(self, event: saved.Refused) -> None:
        words = ". ".join(filter(None, (str(event.error), event.error.cure)))
        self.app.notify(quote_foreign(words), markup=False, severity="error", timeout=8)

    def action_export(self) -> None:
        conversation_id = self.questions.conversation_id
        if conversation_id is None:
            self.app.notify("nothing to export yet: ask a question first", markup=False, timeout=3)
            return
        from tui.screens.export import ExportScreen

        title = self.talk.turns[0].question if self.talk.turns else "conversation"
        self.app.push_screen(ExportScreen(self.engine, conversation_id, title, self.glyphs))
