"""The Ask screen: conversation, sources, prompt. It owns the line of questions and gives each to the engine in turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from rag.domain import Status
from rag.errors import Cancelled
from rag.events import Answered, Checked, Loading, Retrieved
from tui import worker
from tui.commands import bindings
from tui.render.glyphs import Glyphs
from tui.state.queue import QuestionQueue
from tui.widgets.bars import Header, KeyBar
from tui.widgets.conversation import Conversation
from tui.widgets.exchange import Exchange
from tui.widgets.prompt import Prompt
from tui.widgets.reading_bar import AskLayout
from tui.widgets.source_pane import Reader, SourcePane

if TYPE_CHECKING:
    from rag.engine import Engine

TICK = 0.1  #: seconds between two paintings of a running answer


class AskScreen(AskLayout):
    """One question runs at a time; further ones wait their turn in the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("ask"))
    AUTO_FOCUS = "#prompt"

    def __init__(self, engine: Engine, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self.questions = QuestionQueue(engine, self._beside, self.post_message)
        self.status: Status | None = None

    def compose(self) -> ComposeResult:
        yield Header(self.glyphs)
        with Container(id="middle"):
            yield Conversation(self.glyphs)
            yield SourcePane(self.glyphs)
        with Container(id="ask"):
            yield Static(Content(self.glyphs.ask), id="sign", markup=False)
            yield Prompt(self.glyphs.say("Ask your documents…"))
        yield KeyBar(self.glyphs)
        yield Static(
            Content("This terminal is too small: 40 columns and 10 lines are needed."),
            id="small",
            markup=False,
        )

    def on_mount(self) -> None:
        self.set_class(self.glyphs.ascii, "-ascii")
        self.set_interval(TICK, self._tick)
        self.watch(self, "focused", self._focus_moved, init=False)
        self.call_after_refresh(self.questions.start)
        self._arrange()

    def _beside(self, work: partial[None]) -> None:
        """Run in a thread of the app, which outlives this screen."""
        self.app.run_worker(work, thread=True, exit_on_error=False, group="engine")

    # -- questions ---------------------------------------------------------------------------------------------------

    @on(Prompt.Asked)
    async def _asked(self, event: Prompt.Asked) -> None:
        await self.put(event.question)

    async def put(self, question: str) -> None:
        """Ask, now or after the questions before."""
        turn = Exchange(question, self.glyphs)
        await self.talk.add(turn)
        self.questions.put(turn)
        self._next()

    def _next(self) -> None:
        self.questions.next()
        self._say()

    @on(worker.EngineReady)
    def _ready(self, event: worker.EngineReady) -> None:
        self.questions.up, self.status = True, event.status
        self.prompt.remember(*event.questions)
        self.talk.welcome(event.status, None)
        self._next()

    @on(worker.EngineFailed)
    def _not_ready(self, event: worker.EngineFailed) -> None:
        self.questions.up = True  # a question may go all the same: its own error says more
        self.talk.welcome(None, event.error)
        self._next()

    @on(worker.RatesKnown)
    def _measured(self, event: worker.RatesKnown) -> None:
        self.rates = event.rates
        self.pane.measured(event.rates)

    @on(worker.ConversationOpened)
    def _opened(self, event: worker.ConversationOpened) -> None:
        self.questions.opened(event.conversation, event.epoch)

    @on(worker.EventReceived)
    def _heard(self, event: worker.EventReceived) -> None:
        turn = event.turn
        if not turn.is_mounted:
            return
        turn.hear(event.event)
        follow = self.shown is turn or not isinstance(self.focused, Exchange | Reader)
        if isinstance(event.event, Retrieved | Answered) and follow:
            self._follow(turn)
        if isinstance(event.event, Loading | Checked | Answered):
            self._say()

    @on(worker.QuestionEnded)
    def _over(self, event: worker.QuestionEnded) -> None:
        turn = event.turn
        self.questions.over(turn)
        if turn.is_mounted and turn.running and isinstance(event.error, Cancelled):
            turn.halt()
        elif turn.is_mounted and turn.running:
            turn.fail(event.error or worker.lost())
        self._next()

    def _tick(self) -> None:
        still = self.app.animation_level == "none"
        for turn in (self.questions.running, *self.questions.waiting):
            if turn is not None and turn.is_mounted:
                turn.tick(still)

    def action_stop(self) -> None:
        """Stop the running answer, keep its part; questions that wait are withdrawn."""
        self.questions.stop()
        self._say()

    async def action_again(self) -> None:
        turn = self._target()
        if turn is not None:
            await self.put(turn.question)

    async def action_new(self) -> None:
        self.questions.leave()
        self.shown = None
        self._arrange()
        await self.talk.clear()
        self.talk.welcome(self.status, None)
        self.prompt.focus()

    def action_back(self) -> None:
        if self.has_class("-narrow") and self.has_class("-open"):
            self._close()
        elif self.questions.busy:
            self.action_stop()
        elif self.has_class("-open") and not self.has_class("-wide"):
            self._close()
        else:
            self.prompt.focus()

    @on(SourcePane.Needs)
    def _needs(self, event: SourcePane.Needs) -> None:
        self.questions.fetch(event.document)

    @on(worker.DocumentFetched)
    def _kept(self, event: worker.DocumentFetched) -> None:
        self.pane.keep(event.name, event.document)

    def _focus_moved(self, focused: Widget | None) -> None:
        self._say()

    def _say(self) -> None:
        """The two bars."""
        state = "ready" if self.status else "not ready"
        if not self.questions.up:
            state = "starting"
        elif self.questions.running:
            state = "answering"
        self.query_one(Header).show(self.status, state)
        turn = self._target() if self._place() == "answer" else None
        without = _idle(turn) if self.shown is not None else {*_idle(turn), "sources"}
        self.query_one(KeyBar).show(self._place(), self.questions.busy, frozenset(without))


def _idle(turn: Exchange | None) -> frozenset[str]:
    """Commands that mean nothing in this answer, and are not offered."""
    if turn is None or (turn.answer is not None and turn.answer.claims):
        return frozenset()
    without = {"left", "check"}
    if turn.answer is None:
        without.add("copy")
    if not turn.cursor.passages:
        without |= {"up", "open", "sources"}
    return frozenset(without)
