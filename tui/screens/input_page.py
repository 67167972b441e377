"""Base of the pages Library and Eval: a list, and an input line that is shown when needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Input, Static

from rag.text.sanitize import sanitize_line
from tui.render.glyphs import Glyphs
from tui.screens.list_page import ListPage
from tui.state.completion import MAX_LISTED, complete_path


class InputPage(ListPage):
    """Shows the line for one purpose at a time; for some of them a path is typed and completed."""

    #: What is typed for each purpose.
    PLACEHOLDERS: ClassVar[Mapping[str, str]]
    #: The purposes for which it is a path.
    PATHS: ClassVar[frozenset[str]]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self.typing = ""  #: the purpose, a key of `PLACEHOLDERS`; "" while the line is hidden

    @property
    def line(self) -> Input:
        return self.query_one(Input)

    def on_mount(self) -> None:
        self.line.display = False

    def submitted(self, text: str) -> None:
        """Use the text that was typed for the purpose `typing`."""

    def typed(self) -> None:
        """Show the page again: another purpose is typed for, or other words for this one."""

    def type_for(self, purpose: str) -> None:
        """Show the line of input for a purpose; "" hides it."""
        line, self.typing = self.line, ""
        line.value = ""
        self.typing, line.display = purpose, bool(purpose)
        line.placeholder = self.PLACEHOLDERS.get(purpose, "")
        self.set_focus(line if purpose else None)  # at once: keys may follow in a burst
        self.typed()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.typing in self.PATHS:
            found = complete_path(event.value) if event.value else []
            rows = [sanitize_line(path) for path in found[:MAX_LISTED]]
            more = [self.glyphs.say(f"… {len(found) - len(rows):,} more")]
            shown = "\n".join([*rows, *(more if len(found) > len(rows) else [])])
            self.query_one("#page-detail", Static).update(Content(shown))
        elif self.typing:
            self.typed()

    def key_tab(self) -> None:
        """Complete the path that is typed."""
        line = self.line
        found = complete_path(line.value) if self.typing in self.PATHS else []
        if found:
            line.value = found[0]
            line.cursor_position = len(line.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.submitted(event.value)

    async def action_close(self) -> None:
        """Hide the line of input; without it, leave the page."""
        if self.typing:
            self.type_for("")
        else:
            await self.run_action("app.close_page")
