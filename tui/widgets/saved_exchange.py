"""A saved question and its answer, shown as when it was fresh, with what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from rag.domain import FileState, SavedTurn
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import assemble
from tui.render.glyphs import Glyphs
from tui.render.history_rows import changed_files, time_of
from tui.widgets.exchange import Exchange


class SavedExchange(Exchange):
    """Shows the answer of `saved` when it is mounted. `states` are those of cited files."""

    def __init__(
        self, saved: SavedTurn, glyphs: Glyphs, states: Mapping[tuple[str, str], FileState]
    ) -> None:
        super().__init__(saved.question, glyphs)
        self.saved = saved
        self._time = time_of(saved.asked, datetime.now().astimezone())
        from rag.export.conversation import cited_documents

        own = cited_documents([saved])
        self._states = {cited: state for cited, state in states.items() if cited in own}

    def compose(self) -> ComposeResult:
        yield from super().compose()
        since = self._since()
        if since.plain:
            yield Static(since, classes="since", markup=False)

    def on_mount(self) -> None:
        if self.saved.answer is None:
            self._show_stopped("no answer was saved")
        else:
            self._end(self.saved.answer)

    def _since(self) -> Content:
        """Return which version of the answer this is, and the cited files that have changed."""
        saved, parts = self.saved, changed_files(self._states, self.glyphs)
        if saved.versions > 1:
            model = f" by {quote_foreign(saved.answer.model.name)}" if saved.answer else ""
            words = f"answer {saved.version} of {saved.versions} to this question{model}"
            parts.append((words, "$text-muted"))
        return assemble(parts)
