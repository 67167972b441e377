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
from tui.render.glyphs import Glyphs
from tui.state.completion import Completion, completions, parse_command, typed_path

#: How the path of a file begins that was dropped on the terminal.
_PATH_STARTS = ("/", "~", "'", '"', "f")


#: The keys that leave the prompt, and their direction.
_RING = {"tab": 1, "shift+tab": -1}


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

    class CommandGiven(Message):
        """The user gives the command `/name argument`; `text` is what was typed."""

        def __init__(self, name: str, argument: str, text: str) -> None:
            super().__init__()
            self.name = name
            self.argument = argument
            self.text = text

    def __init__(self, glyphs: Glyphs) -> None:
        self._invites = glyphs.say("Ask your documents…"), "esc, then type a question"
        super().__init__(
            id="prompt", compact=True, placeholder=self._invites[0], highlight_cursor_line=False
        )
        self.sources: tuple[str, ...] = ()  #: the names of the documents, which `@` completes
        self.models: tuple[str, ...] = ()  #: the names of the models, which `/model` completes
        self._earlier: list[str] = []
        self._at = 0  #: 0 is the draft, 1 the newest question
        self._draft = ""

    def on_focus(self) -> None:
        self.placeholder = self._invites[0]

    def on_blur(self) -> None:
        self.placeholder = self._invites[1]

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
            self._submit(question)

    def _submit(self, text: str) -> None:
        """Post a question or a `/` command, and empty the prompt."""
        self.remember(text)
        self._draft = ""
        self._show("")
        command = parse_command(text)
        self.post_message(self.CommandGiven(*command, text) if command else self.Asked(text))

    def replace_text(self, text: str) -> None:
        """Replace what was typed."""
        self._show(text)

    def update_suggestion(self) -> None:
        """Suggest the rest of a command, a path or a document, while the cursor is at the end."""
        completed = self._completed()
        begun = completed.startswith(self.text)
        self.suggestion = sanitize(completed[len(self.text) :]) if begun else ""

    def _completed(self) -> str:
        """Return the text with what is before the cursor completed; "" for nothing."""
        at_end = self.cursor_location == self.document.end
        found = self.completions() if at_end else []
        return found[0].text if found else ""

    def completions(self) -> list[Completion]:
        """Return what the text may become."""
        return completions(self.text, self.sources, self.models)

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
        """Handle these keys in the order of typing: bindings are run after keys that follow.

        A key that follows Tab in a burst still comes here, but is for the widget that Tab went to.
        """
        focused = self.screen.focused
        if focused is not None and focused is not self:
            event.prevent_default()
            event.stop()
            focused.post_message(events.Key(event.key, event.character))
            return
        actions = {
            "enter": self.action_submit,
            "ctrl+j": self.action_newline,
            "shift+enter": self.action_newline,
        }
        if event.key == "tab" and self._completed() not in ("", self.text):
            actions["tab"] = self.action_complete
        if event.key in actions:
            event.prevent_default()
            event.stop()
            actions[event.key]()
        elif event.key in _RING:
            event.prevent_default()
            event.stop()
            await self.run_action(f"screen.ring({_RING[event.key]})")

    def action_complete(self) -> None:
        """Complete the command, the path, or the name of the document."""
        self._show(_clean(self._completed()))

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if len(event.text) > MAX_QUESTION_CHARS:  # megabytes would block the screen
            self._warn_too_long(len(event.text))
        elif not self.text and event.text.strip()[:1] in _PATH_STARTS and typed_path(event.text):
            self._show(f"/add {_clean(event.text.strip())}")
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
