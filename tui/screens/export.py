"""The dialog that writes a conversation to a file."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rag.export.bundle import FORMATS
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble
from tui.render.glyphs import Glyphs
from tui.state import saved

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine

_NAMES = {
    "markdown": "text with footnotes (Markdown)",
    "html": "a web page (HTML) with the quotes in their passages",
    "json": "JSON, which footnote verify checks",
}
#: characters of the title in the name of a file
_MAX_NAME_CHARS = 40


class ExportScreen(ModalScreen[None]):
    """Asks for format and file, writes the file, and says where it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("tab,down", "form(1)", show=False, priority=True),
        Binding("shift+tab,up", "form(-1)", show=False, priority=True),
    ]
    AUTO_FOCUS = "#export-path"

    def __init__(
        self, engine: ChatEngine, conversation_id: str, title: str, glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._engine, self._conversation_id = engine, conversation_id
        self._file_name = file_name(title)
        self._replaced = ""  #: the file that may be replaced: the user was told that it is there
        self.glyphs = glyphs
        self.form = "markdown"

    def compose(self) -> ComposeResult:
        with Vertical(id="export"):
            yield Static(assemble([("EXPORT THIS CONVERSATION", "bold")]), markup=False)
            yield Static(self._forms(), id="export-forms", markup=False)
            yield Static(Content("File:"), markup=False)
            yield Input(self._path(), id="export-path")
            yield Static(Content(""), id="export-error", markup=False)
            keys = "enter writes   tab changes the format   esc back"
            yield Static(assemble([(keys, "$text-muted")]), markup=False)

    def _forms(self) -> Content:
        """Return the formats, one a line, with a sign at the chosen one."""
        parts: list[Part] = []
        for form, words in _NAMES.items():
            is_chosen = form == self.form
            sign = self.glyphs.ask if is_chosen else " "
            parts.append((f"{sign} {words}\n", "bold $text-accent" if is_chosen else ""))
        return assemble(parts)

    def _path(self) -> str:
        return self._file_name + FORMATS[self.form][0]

    def action_form(self, by: int) -> None:
        """Choose another format; the ending of the file follows."""
        forms = list(_NAMES)
        path, old = self.query_one(Input), FORMATS[self.form][0]
        self.form = forms[(forms.index(self.form) + by) % len(forms)]
        if path.value.endswith(old):
            path.value = path.value.removesuffix(old) + FORMATS[self.form][0]
            path.cursor_position = len(path.value)
        self.query_one("#export-forms", Static).update(self._forms())

    @on(Input.Submitted)
    def _write(self, event: Input.Submitted) -> None:
        event.stop()
        path = event.value
        if path != self._replaced and os.path.lexists(os.path.expanduser(path)):
            self._replaced = path
            self._show_error("a file of this name is there: enter again replaces it")
            return
        work = partial(
            saved.export,
            self._engine,
            self._conversation_id,
            self.form,
            path,
            self.post_message,
        )
        self.app.run_worker(
            work, thread=True, exit_on_error=False, group="history", description="history"
        )

    @on(saved.Written)
    def _written(self, event: saved.Written) -> None:
        self.app.notify(f"written: {quote_foreign(event.path)}", markup=False, timeout=5)
        self.dismiss()

    @on(saved.Refused)
    def _refused(self, event: saved.Refused) -> None:
        event.stop()
        words = "\n".join(filter(None, (str(event.error), event.error.cure)))
        self._show_error("\n".join(quote_foreign(line) for line in words.split("\n")))

    def _show_error(self, words: str) -> None:
        self.query_one("#export-error", Static).update(assemble([(words, "$text-error")]))


def file_name(title: str) -> str:
    """Return a name for a file, without its ending, from the words of a title."""
    words = re.findall(r"[^\W_]+", title[: 4 * _MAX_NAME_CHARS].lower())
    return "-".join(["footnote", *words])[:_MAX_NAME_CHARS].rstrip("-")
