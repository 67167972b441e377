"""The lines above the prompt: work that goes on, and what the prompt can complete."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble, clickable
from tui.render.glyphs import Glyphs
from tui.state.completion import MAX_LISTED, Completion

#: The width of the margins of a row.
_MARGIN_CELLS = 2


class WorkLine(Static):
    """Shows work that goes on, or how it ended; hidden before the first."""

    def __init__(self, name: str, glyphs: Glyphs) -> None:
        super().__init__(Content(""), id=name, classes="work", markup=False)
        self.display = False
        self._glyphs = glyphs
        self._shown = ""

    def show(self, words: str) -> None:
        """Show words, if they have changed; "" hides the line."""
        if words != self._shown:
            self._shown = words
            self.display = bool(words)
            self.update(assemble([(self._glyphs.say(words), "$text-accent")]))


class CompletionList(Static):
    """Lists what the prompt can complete. A click chooses one."""

    class Chosen(Message):
        """The user chose `text` for the prompt."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(Content(""), id="completions", markup=False)
        self.display = False
        self._glyphs = glyphs
        self._listed: list[Completion] = []

    def show(self, found: list[Completion]) -> None:
        """Show the first completions; nothing hides the list."""
        self._listed = found[:MAX_LISTED]
        self.display = bool(self._listed)
        width = max((len(c.shown or c.text) for c in self._listed), default=0)
        rows = []
        for number, completion in enumerate(self._listed):
            text = quote_foreign(completion.shown or completion.text)
            parts: list[Part] = [(f"{text:<{width}}", "bold" if number == 0 else "")]
            left = max(1, self.app.size.width - _MARGIN_CELLS - width)
            help_ = self._glyphs.cut(self._glyphs.say(f"  {completion.help}"), left)
            parts.append((help_, "$text-muted"))
            rows.append(clickable(assemble(parts), completion=number))
        more = len(found) - len(self._listed)
        if more:
            rows.append(assemble([(self._glyphs.say(f"… {more:,} more"), "$text-muted")]))
        self.update(Content("\n").join(rows))

    def on_click(self, event: events.Click) -> None:
        number = event.style.meta.get("completion")
        if isinstance(number, int) and number < len(self._listed):
            self.post_message(self.Chosen(self._listed[number].text))
