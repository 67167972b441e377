"""The part of the Ask screen that needs no engine: focus, the source pane, copying."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.screen import Screen
from textual.widget import Widget

from tui.render.answer_text import error_rates
from tui.render.glyphs import Glyphs
from tui.state.cursor import AnswerCursor
from tui.widgets.bars import KeyBar
from tui.widgets.conversation import Conversation
from tui.widgets.exchange import Exchange
from tui.widgets.prompt import Prompt
from tui.widgets.source_pane import SourceList, SourcePane, SourceScroll
from tui.widgets.typed_letters import Typed

if TYPE_CHECKING:
    from rag.domain import Answer
    from rag.protocols import ErrorRates


class AskLayout(Screen[None]):
    """Moves the user through sentences and sources. The source pane follows the turn `shown`."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.shown: Exchange | None = None
        self.rates: ErrorRates | None = None  #: the error rates of the check, once they are known
        self._wants_pane: bool | None = (
            None  #: whether the user wants the pane; None follows the width
        )

    @property
    def talk(self) -> Conversation:
        return self.query_one(Conversation)

    @property
    def pane(self) -> SourcePane:
        return self.query_one(SourcePane)

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)

    def _place(self) -> str:
        """Return which part of the screen has focus, as in `PLACES`."""
        match self.focused:
            case Exchange():
                return "answer"
            case SourceScroll():
                return "source"
            case _:
                return "prompt"

    def _follow(self, turn: Exchange) -> None:
        """Let the source pane show where the user is in `turn`."""
        if self.shown is not turn:
            if self.shown is not None:
                self.shown.mark_current(False)
            self.shown = turn
            turn.mark_current(True)
        self.pane.show(turn.cursor, pending=turn.running)
        self._arrange()

    @on(Exchange.Moved)
    def _moved(self, event: Exchange.Moved) -> None:
        turn = event.turn
        if turn not in self.talk.turns:
            return  # it was removed since
        if event.past:
            neighbour = self.talk.neighbour(turn, event.past)
            if neighbour is None:
                return
            cursor = neighbour.cursor
            neighbour.cursor = cursor.start() if event.past > 0 else cursor.end()
            neighbour.focus()
            turn = neighbour
        self._follow(turn)
        if event.opened:
            self._wants_pane = True
            self._arrange()
        self.talk.reveal(turn)

    @on(Typed)
    def _typed(self, event: Typed) -> None:
        self.to_prompt()
        self.prompt.insert(event.text)

    @on(SourceList.Chosen)
    def _source_chosen(self, event: SourceList.Chosen) -> None:
        if self.shown is not None:
            self.shown.go(self.shown.cursor.source(event.number))

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        """Open the source pane if it has a passage and the width or the user asks for it."""
        is_wide = self.has_class("-wide")
        is_wanted = is_wide if self._wants_pane is None else self._wants_pane
        is_open = is_wanted and self.shown is not None and bool(self.shown.cursor.passages)
        if is_open != self.has_class("-open"):
            self.set_class(is_open, "-open")
            self.query_one(KeyBar).refresh()  # it names the part that Tab leads to
            if isinstance(self.focused, Exchange):
                self.call_after_refresh(self.talk.reveal, self.focused)
        self.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """Move the focus out of a part of the screen that is hidden."""
        is_open, source = self.has_class("-open"), self.query_one(SourceScroll)
        if not self.is_current or self.has_class("-tiny") or self.has_class("-flat"):
            return
        if is_open and self.has_class("-narrow"):
            source.focus()
        elif self.focused is source and not is_open:
            (self.shown or self.prompt).focus()
        elif self.focused is None:
            self.prompt.focus()

    def to_prompt(self) -> None:
        """Give the focus to the prompt, which a source in full size would hide."""
        if self.has_class("-narrow") and self.has_class("-open"):
            self._wants_pane = None
            self._arrange()
        self.prompt.focus()

    # -- actions of the command table -----------------------------------------------------------

    def _close(self) -> None:
        """Close the source pane, and move the focus out of it."""
        self._wants_pane = None if not self.has_class("-wide") else False
        self._arrange()
        self._focus_instead_of_source()

    def _focus_instead_of_source(self) -> None:
        """Give the focus of the source to its answer."""
        if isinstance(self.focused, SourceScroll):
            (self.shown or self.prompt).focus()
        else:
            self.prompt.focus()

    def action_sources(self) -> None:
        if self.has_class("-open"):
            self._wants_pane = False
            self._arrange()
            if isinstance(self.focused, SourceScroll) and self.shown is not None:
                self.shown.focus()
        elif self.shown is None or not self.shown.cursor.passages:
            self.app.notify("no sources yet: ask a question first", markup=False, timeout=3)
        else:
            self.action_open()

    def action_open(self) -> None:
        """Open the source; go into one that is open already, and into one that hides the rest."""
        if self.shown is None or not self.shown.cursor.passages:
            self.app.notify("this answer has no source to show", markup=False, timeout=3)
            return
        was_open = self.has_class("-open")
        self._wants_pane = True
        self._arrange()
        if was_open or self.has_class("-narrow"):
            self.query_one(SourceScroll).focus()

    def action_ring(self, by: int) -> None:
        answer = self.shown if isinstance(self.focused, SourceScroll) else self.talk.newest
        stops: list[Widget] = [self.prompt, *([answer] if answer else [])]
        if self.has_class("-open"):
            stops.append(self.query_one(SourceScroll))
        place = {"answer": 1, "source": len(stops) - 1}.get(self._place(), 0)
        self.set_focus(stops[(place + by) % len(stops)])  # at once: keys may follow in a burst

    def action_along(self, by: int) -> None:
        if self.shown is not None:
            self.shown.go(self.shown.cursor.along(by))

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

    @property
    def place(self) -> AnswerCursor:
        """Where the user is. The source pane may lag behind."""
        turn = self._target()
        return turn.cursor if turn is not None else AnswerCursor()

    def _target(self) -> Exchange | None:
        """Return the turn that commands apply to."""
        return (
            self.focused if isinstance(self.focused, Exchange) else self.shown or self.talk.newest
        )

    def action_edit(self) -> None:
        turn = self._target()
        if turn is not None:
            self.prompt.put(turn.question)
            self.to_prompt()

    def action_check(self) -> None:
        """Show the check of an answer; of a refusal, why there is none."""
        turn = self._target()
        if turn is None or turn.answer is None:
            self.app.notify("there is no answer yet that could be checked", markup=False, timeout=3)
        elif turn.answer.claims:
            self._show_check(turn, turn.answer)
        elif turn.answer.abstained and turn.answer.passages:
            self._show_refusal(turn, turn.answer)
        elif turn.answer.abstained:
            words = "no passage was found: e changes the question, /add adds documents"
            self.app.notify(words, markup=False, timeout=5)
        else:
            words = "no sentence of this answer has been checked: r asks again"
            self.app.notify(words, markup=False, timeout=5)

    def _show_check(self, turn: Exchange, answer: Answer) -> None:
        from tui.screens.check import CheckScreen

        screen = CheckScreen(answer, self.glyphs, turn.cursor.at or 0, error_rates(self.rates))
        self.app.push_screen(screen, partial(self._sentence_chosen, turn))

    def _show_refusal(self, turn: Exchange, answer: Answer) -> None:
        from tui.screens.refusal import RefusalScreen

        numbers = [passage.number for passage in answer.passages]
        at = numbers.index(turn.cursor.number) if turn.cursor.number in numbers else 0
        note = "After esc: e changes the question, /add adds documents."
        screen = RefusalScreen(answer, self.glyphs, at, note)
        self.app.push_screen(screen, partial(self._passage_chosen, turn))

    def _passage_chosen(self, turn: Exchange, at: int | None) -> None:
        if at is not None and turn in self.talk.turns:
            turn.focus()
            turn.go(turn.cursor.source(turn.cursor.passages[at].number), opened=True)

    def _sentence_chosen(self, turn: Exchange, at: int | None) -> None:
        if at is not None and turn in self.talk.turns:
            turn.focus()
            turn.go(turn.cursor.sentence(at), opened=True)

    def text_to_copy(self, form: str) -> str:
        """Return the text to copy as "markdown", "plain" or "sentence"; "" without one."""
        from rag.export.markdown import answer_markdown
        from tui.render.export import plain, sentence

        turn = self._target()
        if turn is None or turn.answer is None:
            return ""
        if form == "sentence":
            return sentence(turn.cursor.claim) if turn.cursor.claim else ""
        return answer_markdown(turn.answer) if form == "markdown" else plain(turn.answer)

    async def action_copy(self, form: str) -> None:
        await self.run_action(f"app.copy('{form}')")

    async def action_editor(self) -> None:
        await self.run_action("app.editor")
