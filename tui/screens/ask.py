"""The Ask screen: conversation, sources, prompt, and the queue of questions."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from rag.errors import Cancelled
from rag.events import Answered, Checked, Loading, Retrieved
from tui import worker
from tui.commands import bindings
from tui.screens.ask_commands import LOOK_SECONDS
from tui.screens.ask_history import AskHistory
from tui.widgets.bars import Header, KeyBar
from tui.widgets.conversation import Conversation
from tui.widgets.exchange import Exchange
from tui.widgets.find_bar import FindBar
from tui.widgets.prompt import Prompt
from tui.widgets.prompt_lines import CompletionList, WorkLine
from tui.widgets.source_pane import SourcePane, SourceScroll

#: Seconds between two paintings of a running answer.
TICK_SECONDS = 0.1


class AskScreen(AskHistory):
    """Asks one question at a time; the others wait in the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("ask"))
    AUTO_FOCUS = "#prompt"

    def compose(self) -> ComposeResult:
        yield Header(self.glyphs)
        with Container(id="middle"):
            yield Conversation(self.glyphs)
            yield SourcePane(self.glyphs)
        yield WorkLine("ingest", self.glyphs)
        yield WorkLine("fetch", self.glyphs)
        yield CompletionList(self.glyphs)
        yield FindBar(self.glyphs)
        with Container(id="ask"):
            yield Static(Content(self.glyphs.ask), id="sign", markup=False)
            yield Prompt(self.glyphs)
        yield KeyBar(self.glyphs)
        yield Static(
            Content("This terminal is too small: 40 columns and 10 lines are needed."),
            id="small",
            markup=False,
        )

    def on_mount(self) -> None:
        self.set_interval(TICK_SECONDS, self._tick)
        self.set_interval(LOOK_SECONDS, self._look)
        self.watch(self, "focused", self._focus_moved, init=False)
        self.call_after_refresh(self.questions.start)
        self._arrange()
        self._update_bars()

    # -- questions ------------------------------------------------------------------------------

    @on(Prompt.Asked)
    async def _question_asked(self, event: Prompt.Asked) -> None:
        await self.put(event.question)

    async def put(self, question: str, refresh: bool = False, within: tuple[str, ...] = ()) -> None:
        """Add a question, asked after those before it. `refresh` and `within` as in `Bot.ask`."""
        if self.has_class("-narrow"):
            self._wants_pane = None  # a source in full size would hide the answer
            self._arrange()
        self.note_seen()
        turn = Exchange(question, self.glyphs, refresh, within)
        await self.talk.add(turn)
        if self.shown not in self.talk.turns:
            self.shown = None  # it was removed, because there are many turns
            self._arrange()
        self.questions.put(turn)
        self._next()

    def _next(self) -> None:
        super()._next()
        self._update_bars()

    @on(worker.EngineReady)
    def _engine_ready(self, event: worker.EngineReady) -> None:
        self.questions.up, self.status = True, event.status
        self.prompt.remember(*event.questions)
        self.talk.welcome(event.status, None)
        self.offer_model()
        self.list_sources()
        self.reopen_last()
        self._next()

    @on(worker.EngineFailed)
    def _engine_failed(self, event: worker.EngineFailed) -> None:
        self._note_failure(event.error)
        self.questions.up = True  # a question may be asked: its own error says more
        self.talk.welcome(None, event.error)
        self.offer_model()
        self._next()

    @on(worker.RatesKnown)
    def _rates_known(self, event: worker.RatesKnown) -> None:
        self.rates = event.rates
        self.pane.show_rates(event.rates)

    @on(worker.ConversationOpened)
    def _conversation_opened(self, event: worker.ConversationOpened) -> None:
        self.questions.opened(event.conversation_id, event.epoch)

    @on(worker.EventReceived)
    def _event_received(self, event: worker.EventReceived) -> None:
        turn = event.turn
        if turn not in self.talk.turns:
            return
        turn.hear(event.event)
        follow = self.shown is turn or not isinstance(self.focused, Exchange | SourceScroll)
        if isinstance(event.event, Retrieved | Answered) and follow:
            self._follow(turn)
        if isinstance(event.event, Loading | Checked | Answered):
            self._update_bars()

    @on(worker.QuestionEnded)
    def _question_ended(self, event: worker.QuestionEnded) -> None:
        turn = event.turn
        self.questions.over(turn)
        if turn.running and isinstance(event.error, Cancelled):
            turn.halt()
        elif turn.running:
            turn.fail(event.error or worker.no_answer_error())
        self._next()

    def _tick(self) -> None:
        still = self.app.animation_level == "none"
        self._show_ingest()
        self._show_fetch()
        for turn in (self.questions.running, *self.questions.waiting):
            if turn is not None:
                turn.tick(still)

    def action_stop(self) -> None:
        """Stop the running answer and keep its text; questions that wait are withdrawn."""
        self.questions.stop()
        self._update_bars()

    async def action_again(self) -> None:
        turn = self._target()
        if turn is not None:
            await self._put_again(turn)

    async def action_refresh_sources(self) -> None:
        turn = self._target()
        if turn is not None:
            await self._put_again(turn, refresh=True)

    async def _put_again(self, turn: Exchange, refresh: bool = False) -> None:
        """Ask the question of `turn` again; a user who was in an answer goes on in the new one."""
        was_reading = isinstance(self.focused, Exchange | SourceScroll)
        await self.put(turn.question, refresh=refresh, within=_documents_of(turn))
        newest = self.talk.newest
        if was_reading and newest is not None:
            newest.focus(scroll_visible=False)
            self._follow(newest)
            self.call_after_refresh(self.talk.to_end)

    async def action_new(self) -> None:
        self.questions.leave()
        self.shown = self._wants_pane = None
        self._arrange()
        self.prompt.focus()  # before its turn is removed: Textual would choose another widget
        await self.talk.clear()
        self.talk.welcome(self.status, None)

    def action_back(self) -> None:
        if self.has_class("-narrow") and self.has_class("-open"):
            self._close()
        elif self.questions.busy:
            self.action_stop()
        elif self.ingest.running or self._is_reading_changes:
            self._run_in_thread(partial(self.engine.stop))
        elif self.has_class("-open") and not self.has_class("-wide"):
            self._close()
        else:
            self.prompt.focus()

    @on(SourcePane.Needs)
    def _document_needed(self, event: SourcePane.Needs) -> None:
        self.questions.fetch(event.document_id)

    @on(worker.DocumentFetched)
    def _document_fetched(self, event: worker.DocumentFetched) -> None:
        self.pane.keep(event.document_id, event.document)

    def _focus_moved(self, focused: Widget | None) -> None:
        self._end_find_without_focus()
        self._update_bars()

    def _update_bars(self) -> None:
        """Show the state of the engine, and the keys that work here."""
        state = "ready" if self.status else "not ready"
        if not self.questions.up:
            state = "starting"
        elif self.questions.running:
            state = "answering"
        elif self.ingest.running:
            state = "adding"
        self.query_one(Header).show(self.status, state)
        turn = self._target() if self._place() == "answer" else None
        hidden = set(_useless_commands(turn))
        if self.shown is None:
            hidden.add("sources")
        if self.finding and self.focused is self.find_bar.words:
            hidden |= {"find_next", "find_previous", "find_keep", "find_edit"}
        busy = self.questions.busy or bool(self.ingest.running)
        self.query_one(KeyBar).show(self._place(), busy, frozenset(hidden))


def _documents_of(turn: Exchange) -> tuple[str, ...]:
    """Return the documents that were searched alone for a turn; () for all."""
    return turn.answer.within if turn.answer is not None else turn.within


def _useless_commands(turn: Exchange | None) -> frozenset[str]:
    """Return the ids of commands that do nothing in this answer, and are not offered."""
    if turn is None or (turn.answer is not None and turn.answer.claims):
        return frozenset()
    useless = {"left"}
    if turn.answer is None:
        useless.add("copy")
    if turn.answer is None or not (turn.answer.abstained and turn.answer.passages):
        useless.add("check")
    if not turn.cursor.passages:
        useless |= {"up", "open", "sources"}
    return frozenset(useless)
