"""Letters that are typed in an answer or a source and are no commands: they go to the prompt."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widget import Widget


class Typed(Message):
    """The user typed `text` while another widget than the prompt had focus."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class TypedLetters(Widget):
    """A widget that posts `Typed` for letters without a command of their own.

    It is the last base of a class: Textual takes the default style of the first.
    """

    _typing = False  #: whether a letter has sent the focus to the prompt

    def on_focus(self) -> None:
        self._typing = False

    def on_key(self, event: events.Key) -> None:
        is_bound = not self._typing and event.key in self.screen.active_bindings
        if event.is_printable and event.character and not is_bound:
            event.stop()
            event.prevent_default()
            self._typing = True  # letters that follow in a burst are no commands
            self.post_message(Typed(event.character))
