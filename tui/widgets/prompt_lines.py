"""The lines above the prompt: the progress of an ingest, and what the prompt can complete."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble, clickable
from tui.render.glyphs import Glyphs
from tui.state.completion import MAX_LISTED, Completion
from tui.state.ingest import IngestProgress


class IngestLine(Static):
    """Shows the ingest that runs, or how the last one ended; hidden before the first."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(Content(""), id="ingest", markup=False)
        self.display = False
        self._glyphs = glyphs
        self._shown = ""

    def show(self, progress: IngestProgress) -> None:
        """Show the progress, if it has changed."""
        words = progress.say()
        if words != self._shown:
            self._shown = words
            sign = self._glyphs.waiting if progress.running else self._glyphs.here
            self.display = bool(words)
            self.update(assemble([(self._glyphs.say(f"{sign} {words}"), "$text-accent")]))


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
            parts.append((f"  {completion.help}", "$text-muted"))
            rows.append(clickable(assemble(parts), completion=number))
        more = len(found) - len(self._listed)
        if more:
            rows.append(assemble([(self._glyphs.say(f"… {more:,} more"), "$text-muted")]))
        self.update(Content("\n").join(rows))

    def on_click(self, event: events.Click) -> None:
        number = event.style.meta.get("completion")
        if isinstance(number, int) and number < len(self._listed):
            self.post_message(self.Chosen(self._listed[number].text))
