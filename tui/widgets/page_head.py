"""The line at the top of a page: its name, what it shows, and the other pages."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widget import Widget

from tui.render.answer_text import clickable
from tui.render.glyphs import Glyphs
from tui.widgets.bars import run_clicked

#: The pages that can be clicked: the id of the command, and the word.
TABS = (
    ("close_page", "Ask"),
    ("library", "Library"),
    ("eval", "Eval"),
    ("models", "Models"),
    ("help", "F1 help"),
)


class PageHead(Widget):
    """Shows the title of the page `command_id` and `words` about it, which may not be foreign."""

    def __init__(self, command_id: str, title: str, glyphs: Glyphs) -> None:
        super().__init__(id="page-head")
        self._command_id, self._title, self._glyphs = command_id, title, glyphs
        self.words = ""

    def show(self, words: str) -> None:
        self.words = words
        self.refresh()

    def render(self) -> Content:
        width = self.size.width
        parts = [self._title, *filter(None, self.words.split(" · "))]
        words = self._glyphs.say(" · ".join(parts))
        tabs = self._tabs()
        if cell_len(words) + 2 + tabs.cell_length > width:
            tabs = Content("")  # the keys below name the pages too
        while len(parts) > 2 and cell_len(words) + 1 + tabs.cell_length > width:
            parts.pop()  # the last part says least; a part is not cut
            words = self._glyphs.say(" · ".join(parts))
        shown = self._glyphs.cut(words, max(1, width - tabs.cell_length - 1))
        gap = " " * max(1, width - cell_len(shown) - tabs.cell_length)
        return Content(shown + gap).stylize("bold", 0, len(self._title)) + tabs

    def _tabs(self) -> Content:
        made = []
        for command_id, word in TABS:
            is_here = command_id == self._command_id
            tab = Content(f"[{word}]" if is_here else word)
            made.append(tab.stylize("bold") if is_here else clickable(tab, command=command_id))
        return Content("  ").join(made)

    async def on_click(self, event: events.Click) -> None:
        await run_clicked(self, event)
