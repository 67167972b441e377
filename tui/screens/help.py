"""The help screen: keys, marks, and the error rates of the check, in a text that scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.commands import bindings
from tui.render.answer_text import assemble
from tui.render.glyphs import Glyphs
from tui.render.help_text import help_text

if TYPE_CHECKING:
    from rag.protocols import ErrorRates


class HelpText(Static):
    """The text, laid out for its width: one widget, so that the screen opens at once."""

    def __init__(self, rates: ErrorRates | None, glyphs: Glyphs) -> None:
        super().__init__(Content(""), id="help-text", markup=False)
        self._rates, self._glyphs = rates, glyphs

    def on_resize(self, event: events.Resize) -> None:
        self.update(help_text(self._rates, event.size.width, self._glyphs))


class HelpScreen(Screen[None]):
    """Shows the help until it is closed. `rates` are None if they are not known."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("page"))

    def __init__(self, glyphs: Glyphs, rates: ErrorRates | None = None) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.rates = rates

    def compose(self) -> ComposeResult:
        keys = self.glyphs.say("   esc back · / in the prompt lists commands")
        with Vertical(id="help"):
            head = assemble([("KEYS AND MARKS", "bold"), (keys, "$text-muted")])
            yield Static(head, markup=False)
            with VerticalScroll(id="help-body"):
                yield HelpText(self.rates, self.glyphs)

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()
