"""One question and its answer in the conversation, from waiting to the finished answer."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.domain import Answer, Span
from rag.errors import RagError
from rag.events import Answered, Event, Notice, Retrieved, Token
from rag.text.foreign_marks import AnswerStream, spell_marks
from tui.commands import bindings
from tui.render.answer_text import abstention, assemble, failure, looked_up, notes, total
from tui.render.glyphs import Glyphs
from tui.render.indent import indent_rows
from tui.render.marks import MarkedText, hide_partial_marker, mark_answer
from tui.state.cursor import AnswerCursor
from tui.state.progress import RUNNING, Phase, Progress
from tui.widgets.find_bar import Searchable, SearchableStatic
from tui.widgets.text_view import TextView
from tui.widgets.turn_parts import TurnParts
from tui.widgets.typed_letters import TypedLetters

#: The narrowest width that a card is laid out for, in cells, and the width of its margins.
MIN_CARD_CELLS, CARD_MARGIN_CELLS = 20, 4


class Exchange(TurnParts, TypedLetters, can_focus=True):
    """Receives the events of one question and shows them at each `tick`.

    `cursor` is the sentence and source where the user is in the answer.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("answer"))

    class Moved(Message):
        """The user is at another sentence or source of `turn`."""

        def __init__(self, turn: Exchange, past: int = 0, opened: bool = False) -> None:
            super().__init__()
            self.turn = turn
            self.past = past  #: -1 or 1 if the move would leave the answer
            self.opened = opened  #: whether the user wants to see the source

    def __init__(
        self,
        question: str,
        glyphs: Glyphs,
        refresh: bool = False,
        within: tuple[str, ...] = (),
    ) -> None:
        super().__init__(datetime.now().strftime("%H:%M"))
        self.question = question
        self.within = within  #: the documents that alone are searched; () for all
        self.glyphs = glyphs
        self.refresh_sources = refresh  #: whether changed files are read again first
        self.progress = Progress()
        self.answer: Answer | None = None
        self.error: RagError | None = None
        self.cursor = AnswerCursor()
        self.current = False  #: whether the source pane shows this turn
        self._marked: MarkedText | None = None
        self._stream = AnswerStream()
        self._has_new_text = False
        self._notices: list[str] = []

    def on_mount(self) -> None:
        sign = (Span(0, 1), self.glyphs.ask, "bold $text-accent")
        self._asked.show(spell_marks(self.question), (), (sign,))
        self._paint()

    @property
    def running(self) -> bool:
        """Whether the answer is not finished."""
        return self.progress.phase in RUNNING

    # -- the question ---------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Receive one event of this question. Only the end is painted before the next tick."""
        if isinstance(event, Answered):
            self._end(event.answer)
            return
        if isinstance(event, Token) and self.progress.phase is not Phase.STOPPING:
            self._stream.add(event.text, event.quoted)
            self._has_new_text = True
        if isinstance(event, Notice):
            self._notices.append(event.says)
            _show(self._looked, looked_up("", (), self._notices))
        if isinstance(event, Retrieved):
            self.cursor = AnswerCursor(event.passages).start()
            _show(self._looked, looked_up(event.asked, event.within, self._notices))
        self.progress.hear(event)

    def begin(self) -> None:
        """Show that the engine works on the question."""
        self.progress.begin()
        self._paint_progress()

    def stop(self) -> None:
        """Show at once that the answer is being stopped."""
        if self.running:
            self.progress.phase = Phase.STOPPING
            self._paint()

    def withdraw(self) -> None:
        """Show that the question was stopped before the engine took it."""
        self._show_stopped("stopped before it was asked")

    def halt(self) -> None:
        """Show that the question was stopped together with its engine. Its text stays."""
        kept = "its text is kept" if self._stream.text.strip() else "nothing was written yet"
        self._show_stopped(self.glyphs.say(f"stopped by you · {kept}"))
        self._paint_text()

    def fail(self, error: RagError) -> None:
        """Show that the question has no answer because of an error. Its text stays."""
        self.error = error
        self.progress.phase = Phase.FAILED
        _show(self._card, failure(error, self.glyphs))
        _show(self._state, Content(""))
        self._paint_text()

    def tick(self, still: bool) -> None:
        """Paint the changes since the last tick. `still` stops the animation."""
        if self.running:
            if self._has_new_text:
                self._paint_text()
            self._paint_progress(still)

    def _end(self, answer: Answer) -> None:
        """Show the finished answer."""
        self.answer = answer
        _show(self._looked, looked_up(answer.asked, answer.within, self._notices))
        self.progress.phase = Phase.DONE
        self._marked = mark_answer(answer, self.glyphs)
        number = self.cursor.number
        cursor = AnswerCursor(answer.passages, answer.claims, short=answer.short or "").start()
        if not answer.claims and number is not None:
            cursor = cursor.source(number)
        self.cursor = cursor
        self._paint()

    # -- painting -------------------------------------------------------------------------------

    def _paint(self) -> None:
        self._paint_text()
        if self.answer is not None:
            width = max(MIN_CARD_CELLS, self.size.width - CARD_MARGIN_CELLS)
            card = (
                abstention(self.answer, self.glyphs, width)
                if self.answer.abstained
                else notes(self.answer, self.glyphs)
            )
            _show(self._card, indent_rows(card, max(MIN_CARD_CELLS, self.size.width)))
            _show(self._state, total(self.answer, self.glyphs, self.progress.elapsed, width))
        elif self.error is None:
            self._paint_progress()

    def _paint_text(self) -> None:
        """Show the text so far, or the marked text with the cursor."""
        self._has_new_text = False
        view = self._text
        if self._marked is not None:
            position = self.cursor if self.current else AnswerCursor()
            style = "bold $text-accent" if self.has_focus else "$text-muted"
            sentence = self._marked.sentence_span(position.at)
            marks = [(sentence, self.glyphs.cursor, style)] if sentence else []
            styles = self._marked.styles_at(position.at, position.number)
            view.show(self._marked.text, styles, marks)
        else:
            text = self._stream.text
            view.show(hide_partial_marker(text) if self.running else text)
        view.display = bool(view.text.strip())

    def _paint_progress(self, still: bool = False) -> None:
        if self.running:
            _show(self._state, self.progress.say(self.glyphs, still))

    def _show_stopped(self, words: str) -> None:
        self.progress.phase = Phase.DONE
        _show(self._state, assemble([(f"{self.glyphs.stopped} {words}", "bold")]))

    # -- the cursor -----------------------------------------------------------------------------

    def go(self, cursor: AnswerCursor, opened: bool = False) -> None:
        """Move the cursor, and report the move."""
        self.cursor = cursor
        self._paint_text()
        self.post_message(self.Moved(self, opened=opened))

    def mark_current(self, current: bool) -> None:
        """Set whether the source pane shows this turn."""
        self.current = current
        self._paint_text()

    def go_to_found(self, view: Searchable, offset: int) -> None:
        """Move the cursor to the sentence at `offset` of one of `searchable`, if there is one."""
        at = self._marked.sentence_at(offset) if self._marked and view is self._text else None
        if at is not None:
            self.go(self.cursor.sentence(at))

    def cursor_row(self) -> int:
        """Return the row of the cursor inside this turn; 0 without one."""
        sentence = self._marked.sentence_span(self.cursor.at) if self._marked else None
        if sentence is None:
            return 0
        return self._text.virtual_region.y + self._text.row_of(sentence.start)

    def action_move(self, by: int) -> None:
        moved = self.cursor.down(by)
        if moved is None:
            self.post_message(self.Moved(self, past=by))
        else:
            self.go(moved)

    def action_across(self, by: int) -> None:
        self.go(self.cursor.across(by))

    def action_source(self, number: int) -> None:
        self.go(self.cursor.source(number), opened=True)

    # -- input ----------------------------------------------------------------------------------

    def on_text_view_clicked(self, event: TextView.Clicked) -> None:
        event.stop()
        self.focus(scroll_visible=False)
        if self._marked is None or event.view is self._asked:
            return
        at, number = self._marked.sentence_at(event.offset), self._marked.citation_at(event.offset)
        if at is not None:
            cursor = self.cursor.sentence(at)
            opened = number is not None
            self.go(cursor if number is None else cursor.source(number), opened=opened)

    async def on_click(self, event: events.Click) -> None:
        """Run the command of the words that were clicked, such as "v see the check"."""
        command = event.style.meta.get("command")
        if command is not None:
            event.stop()
            self.focus(scroll_visible=False)
            await self.app.run_action(f"screen.{command}", self.screen)

    def on_focus(self) -> None:
        self.post_message(self.Moved(self))
        self._paint_text()

    def on_blur(self) -> None:
        self._paint_text()

    def on_resize(self, event: events.Resize) -> None:
        if self.answer is not None:
            self._paint()


def _show(static: Static, content: Content) -> None:
    """Show `content`, without a new layout if old and new are one line that fits."""
    static.display = bool(content.plain)
    old = static.base if isinstance(static, SearchableStatic) else static.content
    if not isinstance(old, Content) or not old.is_same(content):
        width = static.content_size.width
        fits = all(
            "\n" not in c.plain and 0 < c.cell_length <= width
            for c in (old, content)
            if isinstance(c, Content)
        )
        if isinstance(static, SearchableStatic):
            static.put(content, layout=not fits)
        else:
            static.update(content, layout=not fits)
