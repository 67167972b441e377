"""The prompt: it grows with the question and remembers earlier questions."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from rag.limits import MAX_QUESTION_CHARS
from rag.text.sanitize import sanitize
from tui.commands import bindings


class Prompt(TextArea):
    """Enter asks the question. A paste never does, even with several lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("prompt"),
        Binding("shift+up", "screen.scroll('line_up')", show=False),
        Binding("shift+down", "screen.scroll('line_down')", show=False),
        Binding("pageup", "screen.scroll('up')", show=False),
        Binding("pagedown", "screen.scroll('down')", show=False),
        Binding("end,ctrl+e", "line_end", show=False),
    ]

    class Asked(Message):
        """The user asks `question`."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    def __init__(self, placeholder: str) -> None:
        super().__init__(
            id="prompt", compact=True, placeholder=placeholder, highlight_cursor_line=False
        )
        self._earlier: list[str] = []
        self._at = 0  #: 0 is the draft, 1 the newest question
        self._draft = ""

    def remember(self, *questions: str) -> None:
        """Add earlier questions, the newest first, before those already known."""
        for question in reversed(questions):
            text = _clean(question)
            if text in self._earlier:
                self._earlier.remove(text)
            self._earlier.insert(0, text)
        self._at = 0

    def put(self, question: str) -> None:
        """Show `question` for editing. A draft in the prompt becomes an earlier question."""
        if self.text.strip() and self.text != _clean(question):
            self.remember(self.text)
        self._show(_clean(question))

    def action_submit(self) -> None:
        question = self.text.strip()
        if len(question) > MAX_QUESTION_CHARS:
            self._warn_too_long(len(question))
        elif question:
            self.remember(question)
            self._draft = ""
            self._show("")
            self.post_message(self.Asked(question))

    def action_newline(self) -> None:
        self.insert("\n")

    def action_earlier(self) -> None:
        if not self.cursor_at_first_line:
            self.action_cursor_up()
        elif self._at < len(self._earlier):
            if self._at == 0:
                self._draft = self.text
            self._at += 1
            self._show(self._earlier[self._at - 1])

    def action_later(self) -> None:
        if not self.cursor_at_last_line:
            self.action_cursor_down()
        elif self._at:
            self._at -= 1
            self._show(self._earlier[self._at - 1] if self._at else self._draft)

    async def action_line_end(self) -> None:
        if self.text:
            self.action_cursor_line_end()
        else:
            await self.run_action("screen.scroll('end')")

    async def _on_key(self, event: events.Key) -> None:
        """Handle Enter in the order of typing: a priority binding would overtake pending keys."""
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self.action_submit()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if len(event.text) > MAX_QUESTION_CHARS:  # megabytes would block the screen
            self._warn_too_long(len(event.text))
        else:
            self.insert(_clean(event.text))

    def _warn_too_long(self, length: int) -> None:
        warning = f"too long: {length:,} characters; a question has at most {MAX_QUESTION_CHARS:,}"
        self.app.notify(warning, markup=False, severity="warning", timeout=5)

    def _show(self, text: str) -> None:
        self.text = text
        self.move_cursor(self.document.end)


def _clean(text: str) -> str:
    """Return `text` sanitized, with line feeds as its only line ends."""
    return sanitize(text.replace("\r\n", "\n").replace("\r", "\n"))
