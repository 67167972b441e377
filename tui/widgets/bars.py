"""The header and the footer: the open library, and the keys that work now."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from rag.domain import Status
from rag.phrases import SENT_TO
from rag.text.foreign_marks import quote_foreign
from tui.commands import COMMANDS, footer_hints, key_label
from tui.render.answer_text import clickable
from tui.render.glyphs import Glyphs

_BY_ID = {command.id: command for command in COMMANDS}
#: The width of the gap between two hints.
_GAP_CELLS = 2
#: The widest name of a model.
MODEL_CELLS = 28
#: The widest words about a server.
SERVER_CELLS = 38
#: Ids of the commands that are always in the footer.
_ALWAYS = ("quit", "palette")


class Header(Widget):
    """Shows library, documents, passages, model, and whether the engine is ready."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="top")
        self._glyphs = glyphs
        self.status: Status | None = None
        self.state = "starting"

    def show(self, status: Status | None, state: str) -> None:
        self.status, self.state = status, state
        self.refresh()

    def render(self) -> Content:
        width, screen_width = self.size.width, self.app.size.width
        right = f"{self.state}   "
        help_words = "F1 help"
        left = ["footnote"]
        if self.status is not None:
            left.append(quote_foreign(self.status.library))
            if screen_width >= 80:
                left.append(f"{self.status.documents:,} documents")
            if screen_width >= 112:
                left.append(f"{self.status.passages:,} passages")
            if screen_width >= 70:
                right = f"{self._answering(self.status)} · {right}"
        right = self._glyphs.say(right)
        left_cells = max(1, width - cell_len(right) - cell_len(help_words) - 2)
        shown = self._glyphs.cut(self._glyphs.say(" · ".join(left)), left_cells)
        gap = max(1, width - cell_len(shown) - cell_len(right) - cell_len(help_words))
        words = Content(shown + " " * gap + right).stylize("bold", 0, len("footnote"))
        return words + clickable(Content(help_words), command="help")

    def _answering(self, status: Status) -> str:
        """Return the name of the model that answers; of a server the host that text is sent to."""
        if status.server:
            return self._glyphs.cut(SENT_TO.format(quote_foreign(status.server)), SERVER_CELLS)
        return self._glyphs.cut(model_name(status.model), MODEL_CELLS)

    async def on_click(self, event: events.Click) -> None:
        await run_clicked(self, event)


class KeyBar(Widget):
    """Shows the keys that work now, as many as fit. Each can be clicked."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="bottom")
        self._glyphs = glyphs
        self.place = "prompt"
        self.busy = False
        self.hidden: frozenset[str] = frozenset()

    def show(self, place: str, busy: bool, hidden: frozenset[str] = frozenset()) -> None:
        if (place, busy, hidden) != (self.place, self.busy, self.hidden):
            self.place, self.busy, self.hidden = place, busy, hidden
            self.refresh()

    def offered(self, width: int) -> list[tuple[str, str, str]]:
        """Return id, key and label of each hint that fits into `width` cells.

        The commands that are always there are not among them.
        """
        ids = [
            command.id
            for command in footer_hints(self.place)
            if command.id not in self.hidden and command.id not in _ALWAYS
        ]
        ids = [command_id for command_id in ids if self.busy or command_id != "back"]
        hints: list[tuple[str, str, str]] = []
        used = -_GAP_CELLS + sum(
            _hint_cells(key_label(command), command.label)
            for command in (_BY_ID[command_id] for command_id in _ALWAYS)
        )
        for command_id in ids:
            key, label = self._key(command_id), self._label(command_id)
            cells = _hint_cells(key, label)
            if used + cells > width:
                continue  # a shorter one may fit
            used += cells
            hints.append((command_id, key, label))
        return hints

    def _label(self, command_id: str) -> str:
        """Return the label of a command; of "next" the part of the screen that comes next.

        The source that is open already is read.
        """
        if command_id == "open" and self.screen.has_class("-open"):
            return "read source"
        if command_id != "next" or self.place == "prompt":
            return _BY_ID[command_id].label
        has_source = self.place == "answer" and self.screen.has_class("-open")
        return "source" if has_source else "prompt"

    def _key(self, command_id: str) -> str:
        """Return the key of a command, as a sign where the character set has one."""
        signs = {"ask": "⏎", "open": "⏎", "up": "↑↓", "left": "←→"}
        label = "↑↓" if command_id.endswith("_up") else key_label(_BY_ID[command_id])
        return key_label(_BY_ID[command_id]) if self._glyphs.ascii else signs.get(command_id, label)

    def render(self) -> Content:
        width = self.size.width
        parts: list[tuple[str, str | Style]] = []
        used = 0
        for command_id, key, label in self.offered(width):
            parts += self._hint(command_id, key, label)
            used += _hint_cells(key, label)
        tail = [
            part
            for command_id in _ALWAYS
            for part in self._hint(command_id, self._key(command_id), _BY_ID[command_id].label)
        ]
        tail_cells = sum(cell_len(text) for text, _ in tail) - _GAP_CELLS
        parts.append((" " * max(0, width - used - tail_cells), ""))
        return Content.assemble(*parts, *tail[:-1])

    def _hint(self, command_id: str, key: str, label: str) -> list[tuple[str, str | Style]]:
        click = Style.from_meta({"command": command_id})
        return [(key, Style.parse("bold") + click), (f" {label}", click), (" " * _GAP_CELLS, "")]

    async def on_click(self, event: events.Click) -> None:
        await run_clicked(self, event)


async def run_clicked(widget: Widget, event: events.Click) -> None:
    """Run the command of the words that were clicked, as if its key was pressed."""
    command = _BY_ID.get(event.style.meta.get("command", ""))
    if command is not None:
        focused = widget.screen.focused
        is_local = "." not in command.action and focused is not None
        await widget.app.run_action(command.action, focused if is_local else widget.screen)


def model_name(model: str) -> str:
    """Return the name of a model; of a file its name without its folders and its suffix."""
    return quote_foreign(model.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".gguf"))


def _hint_cells(key: str, label: str) -> int:
    """Return the width of a hint with the gap after it."""
    return cell_len(key) + 1 + len(label) + _GAP_CELLS
