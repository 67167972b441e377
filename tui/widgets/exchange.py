"""One question and its answer in the conversation, from the first waiting line to the last mark."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.domain import Answer, Span
from rag.errors import RagError
from rag.events import Answered, Event, Retrieved, Token
from rag.text.sanitize import AnswerStream, quote_foreign, spell_marks
from tui.commands import bindings
from tui.render.answer_text import abstention, assemble, looked_up, notes, total
from tui.render.glyphs import Glyphs
from tui.render.marks import MarkedText, hide_partial_marker, mark_answer
from tui.state.cursor import AnswerCursor
from tui.state.progress import RUNNING, Phase, Progress
from tui.widgets.text_view import TextView


class Exchange(Vertical, can_focus=True):
    """Takes events; shows them at each `tick`. `look` is where the reader is in the answer."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("answer"))

    class Moved(Message):
        """The reader is at another sentence or source of `turn`."""

        def __init__(self, turn: Exchange, past: int = 0, opened: bool = False) -> None:
            super().__init__()
            self.turn = turn
            self.past = past  #: -1 or 1 where the move would leave the answer
            self.opened = opened  #: the reader asked to see the source

    class Typed(Message):
        """The reader began to type while the answer had focus."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, question: str, glyphs: Glyphs) -> None:
        super().__init__(classes="turn")
        self.question = question
        self.glyphs = glyphs
        self.progress = Progress()
        self.answer: Answer | None = None
        self.error: RagError | None = None
        self.look = AnswerCursor()
        self.current = False  #: the pane shows this turn
        self._marked: MarkedText | None = None
        self._text = AnswerStream()
        self._fresh = False
        self._asked = datetime.now().strftime("%H:%M")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="question"):
            yield TextView(classes="asked")
            yield Static(Content(self._asked), classes="time", markup=False)
        yield Static(Content(""), classes="looked", markup=False)
        yield TextView(classes="text")
        yield Static(Content(""), classes="card", markup=False)
        yield Static(Content(""), classes="state", markup=False)

    def on_mount(self) -> None:
        self._asked_sheet.show(
            spell_marks(self.question), (), ((Span(0, 1), self.glyphs.ask, "bold $text-accent"),)
        )
        self._paint()

    @property
    def running(self) -> bool:
        return self.progress.phase in RUNNING

    @property
    def _asked_sheet(self) -> TextView:
        return self.query_one(".asked", TextView)

    def hear(self, event: Event) -> None:
        """Take in one event of this question. Painting waits for the tick, but for the end."""
        if isinstance(event, Answered):
            self._end(event.answer)
            return
        if isinstance(event, Token) and self.progress.phase is not Phase.STOPPING:
            self._text.add(event.text, event.quoted)
            self._fresh = True
        if isinstance(event, Retrieved):
            self.look = AnswerCursor(event.passages).start()
            self._looked_up(event.asked)
        self.progress.hear(event)

    def begin(self) -> None:
        """The engine has taken the question."""
        self.progress.begin()
        self._state()

    def stop(self) -> None:
        """Say at once that the answer is being stopped."""
        if self.running:
            self.progress.phase = Phase.STOPPING
            self._paint()

    def withdraw(self) -> None:
        """The question was stopped before the engine took it."""
        self.progress.phase = Phase.DONE
        self._show(
            ".state", assemble([(f"{self.glyphs.stopped} stopped before it was asked", "bold")])
        )

    def halt(self) -> None:
        """The question was stopped, and its engine with it; what was written stays."""
        self.progress.phase = Phase.DONE
        kept = "what was written is kept" if self._text.text.strip() else "nothing was written yet"
        self._show(
            ".state",
            assemble([(self.glyphs.say(f"{self.glyphs.stopped} stopped by you · {kept}"), "bold")]),
        )
        self._paint_text()

    def fail(self, error: RagError) -> None:
        """The question has no answer because something broke; what was written stays."""
        self.error = error
        self.progress.phase = Phase.FAILED
        cure = f"      {quote_foreign(error.cure)}\n" if error.cure else ""
        parts = [
            (self.glyphs.say(f"{self.glyphs.wrong} NOT ANSWERED — "), "bold $text-error"),
            (quote_foreign(str(error)) or type(error).__name__, ""),
            ("\nYour question is kept. What helps:\n", ""),
            (cure, "bold"),
            ("      r  ask again    e  edit the question", ""),
        ]
        self._show(".card", assemble(parts))
        self._show(".state", Content(""))
        self._paint_text()

    def tick(self, still: bool) -> None:
        """Paint what has come since the last tick."""
        if self.running and self.is_mounted:
            if self._fresh:
                self._paint_text()
            self._state(still)

    def _end(self, answer: Answer) -> None:
        self.answer = answer
        self._looked_up(answer.asked)
        self.progress.phase = Phase.DONE
        self._marked = mark_answer(answer, self.glyphs)
        here = self.look.number
        self.look = AnswerCursor(answer.passages, answer.claims, short=answer.short or "").start()
        if not answer.claims and here is not None:
            self.look = self.look.source(here)
        self._paint()

    def _looked_up(self, asked: str) -> None:
        """What a follow-up question was taken to ask."""
        self._show(".looked", looked_up(asked))

    def _paint(self) -> None:
        self._paint_text()
        if self.answer is not None:
            width = max(20, self.size.width - 4)
            card = (
                abstention(self.answer, self.glyphs, width)
                if self.answer.abstained
                else notes(self.answer, self.glyphs)
            )
            self._show(".card", card)
            self._show(".state", total(self.answer, self.glyphs, self.progress.elapsed, width))
        elif self.error is None:
            self._state()

    def _paint_text(self) -> None:
        self._fresh = False
        sheet = self.query_one(".text", TextView)
        if self._marked is None:
            sheet.show(hide_partial_marker(self._text.text) if self.running else self._text.text)
        else:
            sheet.show(self._marked.text, self._looks(), self._cursor())
        sheet.display = bool(sheet.text.strip())

    def _looks(self) -> tuple[tuple[Span, str], ...]:
        """The marks' styles, and the citation the pane shows turned over."""
        assert self._marked is not None
        if not self.current or self.look.at is None or self.look.at >= len(self._marked.sentences):
            return self._marked.styles
        here = self._marked.sentences[self.look.at]
        chosen = [s for s, n in self._marked.citations if n == self.look.number and s.within(here)]
        return (*self._marked.styles, *((span, "reverse") for span in chosen))

    def _cursor(self) -> tuple[tuple[Span, str, str], ...]:
        assert self._marked is not None
        if not self.current or self.look.at is None or self.look.at >= len(self._marked.sentences):
            return ()
        style = "bold $text-accent" if self.has_focus else "$text-muted"
        return ((self._marked.sentences[self.look.at], self.glyphs.cursor, style),)

    def _state(self, still: bool = False) -> None:
        if self.running and self.is_mounted:
            self._show(".state", self.progress.say(self.glyphs, still))

    def _show(self, where: str, content: Content) -> None:
        static = self.query_one(where, Static)
        static.display = bool(content.plain)
        old = static.content
        if not isinstance(old, Content) or not old.is_same(content):
            room = static.content_size.width
            flat = all(
                "\n" not in c.plain and 0 < c.cell_length <= room
                for c in (old, content)
                if isinstance(c, Content)
            )
            static.update(content, layout=not flat)

    def go(self, look: AnswerCursor, opened: bool = False) -> None:
        """Stand somewhere else in the answer."""
        self.look = look
        self._paint_text()
        self.post_message(self.Moved(self, opened=opened))

    def mark_current(self, current: bool) -> None:
        """Whether the pane shows this turn."""
        self.current = current
        self._paint_text()

    def cursor_row(self) -> int:
        """The row of the sentence cursor inside this turn."""
        if (
            self._marked is None
            or self.look.at is None
            or self.look.at >= len(self._marked.sentences)
        ):
            return 0
        sheet = self.query_one(".text", TextView)
        return sheet.virtual_region.y + sheet.row_of(self._marked.sentences[self.look.at].start)

    def action_move(self, by: int) -> None:
        moved = self.look.down(by)
        if moved is None:
            self.post_message(self.Moved(self, past=by))
        else:
            self.go(moved)

    def action_across(self, by: int) -> None:
        self.go(self.look.across(by))

    def action_source(self, number: int) -> None:
        self.go(self.look.source(number), opened=True)

    def on_text_view_clicked(self, event: TextView.Clicked) -> None:
        event.stop()
        self.focus(scroll_visible=False)
        if self._marked is None or event.sheet.has_class("asked"):
            return
        at, number = self._marked.sentence_at(event.offset), self._marked.citation_at(event.offset)
        if at is not None:
            look = self.look.sentence(at)
            self.go(look if number is None else look.source(number), opened=number is not None)

    def on_focus(self) -> None:
        self.post_message(self.Moved(self))
        self._paint_text()

    def on_blur(self) -> None:
        if self.is_mounted:
            self._paint_text()

    def on_resize(self, event: events.Resize) -> None:
        if self.answer is not None:
            self._paint()

    def on_key(self, event: events.Key) -> None:
        bound = event.key in self.screen.active_bindings
        if event.is_printable and event.character and not bound:
            event.stop()
            event.prevent_default()
            self.post_message(self.Typed(event.character))
