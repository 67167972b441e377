"""The Ask screen: conversation, sources, prompt. It owns the line of questions and gives each to the engine in turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from rag.domain import Status
from rag.events import Answered, Checked, Loading, Retrieved
from tui import worker
from tui.bars import Bottom, Top
from tui.chat import Conversation
from tui.check import CheckScreen
from tui.commands import bindings
from tui.export import markdown, plain, sentence
from tui.glyphs import Glyphs
from tui.prompt import Prompt
from tui.questions import Questions
from tui.sources import Reader, SourcePane
from tui.turn import Turn

if TYPE_CHECKING:
    from rag.engine import Engine

TICK = 0.1  #: seconds between two paintings of a running answer
CHECKER = "how often the check errs on this library is not measured yet: footnote eval --checker"


class AskScreen(Screen[None]):
    """One question runs at a time; further ones wait their turn in the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("ask"))
    AUTO_FOCUS = "#prompt"

    def __init__(self, engine: Engine, glyphs: Glyphs) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.questions = Questions(engine, self._beside, self.post_message)
        self.status: Status | None = None
        self.shown: Turn | None = None  #: the turn that the pane shows
        self._open: bool | None = None  #: the reader's wish for the pane; None follows the width

    def compose(self) -> ComposeResult:
        yield Top(self.glyphs)
        with Container(id="middle"):
            yield Conversation(self.glyphs)
            yield SourcePane(self.glyphs)
        with Container(id="ask"):
            yield Static(Content(self.glyphs.ask), id="sign", markup=False)
            yield Prompt(self.glyphs.say("Ask your documents…"))
        yield Bottom(self.glyphs)
        yield Static(
            Content("This terminal is too small: 40 columns and 10 lines are needed."), id="small", markup=False
        )

    def on_mount(self) -> None:
        self.set_class(self.glyphs.ascii, "-ascii")
        self.set_interval(TICK, self._tick)
        self.watch(self, "focused", self._focus_moved, init=False)
        self.call_after_refresh(self.questions.start)
        self._arrange()

    # -- parts -------------------------------------------------------------------------------------------------------

    @property
    def talk(self) -> Conversation:
        return self.query_one(Conversation)

    @property
    def pane(self) -> SourcePane:
        return self.query_one(SourcePane)

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)

    def _beside(self, work: partial[None]) -> None:
        """Run in a thread of the app, which outlives this screen."""
        self.app.run_worker(work, thread=True, exit_on_error=False, group="engine")

    # -- questions ---------------------------------------------------------------------------------------------------

    @on(Prompt.Asked)
    async def _asked(self, event: Prompt.Asked) -> None:
        await self.put(event.question)

    async def put(self, question: str) -> None:
        """Ask, now or after the questions before."""
        turn = Turn(question, self.glyphs)
        await self.talk.add(turn)
        self.questions.put(turn)
        self._next()

    def _next(self) -> None:
        self.questions.next()
        self._say()

    @on(worker.Ready)
    def _ready(self, event: worker.Ready) -> None:
        self.questions.up, self.status = True, event.status
        self.prompt.remember(*event.questions)
        self.talk.welcome(event.status, None)
        self._next()

    @on(worker.NotReady)
    def _not_ready(self, event: worker.NotReady) -> None:
        self.questions.up = True  # a question may go all the same: its own error says more
        self.talk.welcome(None, event.error)
        self._next()

    @on(worker.Opened)
    def _opened(self, event: worker.Opened) -> None:
        self.questions.opened(event.conversation, event.epoch)

    @on(worker.Heard)
    def _heard(self, event: worker.Heard) -> None:
        turn = event.turn
        if not turn.is_mounted:
            return
        turn.hear(event.event)
        follow = self.shown is turn or not isinstance(self.focused, Turn | Reader)
        if isinstance(event.event, Retrieved | Answered) and follow:
            self._look(turn)
        if isinstance(event.event, Loading | Checked | Answered):
            self._say()

    @on(worker.Over)
    def _over(self, event: worker.Over) -> None:
        turn = event.turn
        self.questions.over(turn)
        if turn.is_mounted and turn.running:
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

    # -- where the reader is -----------------------------------------------------------------------------------------

    def _look(self, turn: Turn) -> None:
        """Let the pane show where the reader is in `turn`."""
        if self.shown is not turn:
            if self.shown is not None and self.shown.is_mounted:
                self.shown.mark_current(False)
            self.shown = turn
            turn.mark_current(True)
        self.pane.show(turn.look, pending=turn.running)
        self._arrange()

    @on(Turn.Moved)
    def _moved(self, event: Turn.Moved) -> None:
        turn = event.turn
        if event.past:
            other = self.talk.neighbour(turn, event.past)
            if other is None:
                return
            other.look = other.look.start() if event.past > 0 else other.look.end()
            other.focus()
            turn = other
        self._look(turn)
        if event.opened:
            self._open = True
            self._arrange()
        self.talk.reveal(turn)

    @on(Turn.Typed)
    def _typed(self, event: Turn.Typed) -> None:
        self.prompt.focus()
        self.prompt.insert(event.text)

    @on(SourcePane.Needs)
    def _needs(self, event: SourcePane.Needs) -> None:
        self.questions.fetch(event.document)

    @on(worker.Kept)
    def _kept(self, event: worker.Kept) -> None:
        self.pane.keep(event.name, event.document)

    def _focus_moved(self, focused: Widget | None) -> None:
        self._say()

    def _place(self) -> str:
        match self.focused:
            case Turn():
                return "answer"
            case Reader():
                return "source"
            case _:
                return "prompt"

    def _say(self) -> None:
        """The two bars."""
        state = (
            "starting"
            if not self.questions.up
            else "answering"
            if self.questions.running
            else "ready"
            if self.status
            else "not ready"
        )
        self.query_one(Top).show(self.status, state)
        self.query_one(Bottom).show(self._place(), self.questions.busy)

    # -- room --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        """The pane is there when it has something to show and the width or the reader wants it."""
        wide = self.has_class("-wide")
        wanted = wide if self._open is None else self._open
        open_ = wanted and self.shown is not None and bool(self.shown.look.passages)
        if open_ != self.has_class("-open"):
            self.set_class(open_, "-open")
            if isinstance(self.focused, Turn):
                self.call_after_refresh(self.talk.reveal, self.focused)

    # -- actions, as the command table names them --------------------------------------------------------------------

    def action_back(self) -> None:
        if self.has_class("-narrow") and self.has_class("-open"):
            self._close()
        elif self.questions.busy:
            self.action_stop()
        elif self.has_class("-open") and not self.has_class("-wide"):
            self._close()
        else:
            self.prompt.focus()

    def _close(self) -> None:
        self._open = None if not self.has_class("-wide") else False
        self._arrange()
        (self.shown if isinstance(self.focused, Reader) and self.shown else self.prompt).focus()

    def action_sources(self) -> None:
        if self.has_class("-open"):
            self._open = False
            self._arrange()
            if isinstance(self.focused, Reader) and self.shown is not None:
                self.shown.focus()
        elif self.shown is None or not self.shown.look.passages:
            self.app.notify("no sources yet: ask a question first", markup=False, timeout=3)
        else:
            self.action_open()

    def action_open(self) -> None:
        self._open = True
        self._arrange()
        if self.has_class("-narrow"):
            self.query_one(Reader).focus()

    def action_ring(self, by: int) -> None:
        answer = self.shown if isinstance(self.focused, Reader) else self.talk.newest
        stops: list[Widget] = [self.prompt, *([answer] if answer else [])]
        if self.has_class("-open"):
            stops.append(self.query_one(Reader))
        place = {"prompt": 0, "answer": 1, "source": len(stops) - 1}[self._place()]
        stops[(place + by) % len(stops)].focus()

    def action_along(self, by: int) -> None:
        if self.shown is not None:
            self.shown.go(self.shown.look.along(by))

    def action_scroll(self, where: str) -> None:
        scroller = self.talk.scroller
        if where == "end":
            self.talk.to_end()
        else:
            moves = {
                "up": scroller.scroll_page_up,
                "down": scroller.scroll_page_down,
                "home": scroller.scroll_home,
                "line_up": scroller.scroll_up,
                "line_down": scroller.scroll_down,
            }
            moves[where](animate=False)

    async def action_new(self) -> None:
        self.questions.leave()
        self.shown = None
        self._arrange()
        await self.talk.clear()
        self.talk.welcome(self.status, None)
        self.prompt.focus()

    def _target(self) -> Turn | None:
        return self.focused if isinstance(self.focused, Turn) else self.shown or self.talk.newest

    async def action_again(self) -> None:
        turn = self._target()
        if turn is not None:
            await self.put(turn.question)

    def action_edit(self) -> None:
        turn = self._target()
        if turn is not None:
            self.prompt.put(turn.question)
            self.prompt.focus()

    def action_check(self) -> None:
        turn = self._target()
        if turn is None or turn.answer is None or not turn.answer.claims:
            self.app.notify("no sentence of this answer has been checked", markup=False, timeout=3)
            return
        self.app.push_screen(
            CheckScreen(turn.answer, self.glyphs, turn.look.at or 0, CHECKER), partial(self._checked, turn)
        )

    def _checked(self, turn: Turn, at: int | None) -> None:
        if at is not None and turn.is_mounted:
            turn.focus()
            turn.go(turn.look.sentence(at), opened=True)

    def copied(self, form: str) -> str:
        """What `y`, `Y` or `c` copies; empty where there is nothing."""
        turn = self._target()
        if turn is None or turn.answer is None:
            return ""
        if form == "sentence":
            return sentence(turn.look.claim) if turn.look.claim else ""
        return markdown(turn.answer) if form == "markdown" else plain(turn.answer)

    async def action_copy(self, form: str) -> None:
        await self.run_action(f"app.copy('{form}')")

    async def action_editor(self) -> None:
        await self.run_action("app.editor")
