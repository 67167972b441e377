"""A dialog that asks before something is removed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import assemble


class ConfirmDialog(ModalScreen[bool]):
    """Asks `question` about the thing called `name`, with a `note`; True for yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,enter", "answer(False)", show=False),
    ]

    def __init__(self, question: str, name: str, note: str = "", verb: str = "remove") -> None:
        super().__init__()
        self._question, self._thing, self._note, self._verb = question, name, note, verb

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm"):
            yield Static(Content(self._question), markup=False)
            yield Static(assemble([(quote_foreign(self._thing), "bold")]), markup=False)
            if self._note:
                yield Static(assemble([(self._note, "$text-muted")]), markup=False)
            keys = f"y {self._verb}   esc keep"
            yield Static(assemble([(keys, "$text-muted")]), id="confirm-keys", markup=False)

    def action_answer(self, agreed: bool) -> None:
        self.dismiss(agreed)
