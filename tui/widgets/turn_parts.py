"""The parts of a turn: question, how it was looked up, text, card, state."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.widgets.find_bar import Searchable, SearchableStatic
from tui.widgets.text_view import TextView


class TurnParts(Vertical):
    """Lays the parts of a turn out.

    They are kept as attributes: a turn can be painted before it is mounted, and while it is
    removed.
    """

    def __init__(self, time: str) -> None:
        super().__init__(classes="turn")
        self._time = time
        self._asked = TextView(classes="asked")
        self._looked = _hidden_static("looked")
        self._text = TextView(classes="text")
        self._card = SearchableStatic(Content(""), classes="card")
        self._card.display = False
        self._state = _hidden_static("state")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="question"):
            yield self._asked
            yield Static(Content(self._time), classes="time", markup=False)
        yield self._looked
        yield self._text
        yield self._card
        yield self._state

    def searchable(self) -> list[Searchable]:
        """Return the texts of this turn that are on the screen, in order."""
        views: list[Searchable] = [self._asked]
        views += [view for view in (self._text, self._card) if view.display]
        return views


def _hidden_static(name: str) -> Static:
    """Return a part of a turn, which is hidden until it shows something."""
    static = Static(Content(""), classes=name, markup=False)
    static.display = False
    return static
