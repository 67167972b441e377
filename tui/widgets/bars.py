"""The two lines that frame the screen: what is open, and what can be done here."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from rag.domain import Status
from rag.text.sanitize import quote_foreign
from tui.commands import COMMANDS, footer_hints, key_label
from tui.render.glyphs import Glyphs

_BY_ID = {command.id: command for command in COMMANDS}
_ALWAYS = ("palette",)


class Header(Widget):
    """Library, documents, passages, model, and whether the engine is ready."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="top")
        self._glyphs = glyphs
        self.status: Status | None = None
        self.state = "starting"

    def show(self, status: Status | None, state: str) -> None:
        self.status, self.state = status, state
        self.refresh()

    def render(self) -> Content:
        room, wide = self.size.width, self.app.size.width
        right = f"{self.state}   F1 help"
        left = ["footnote"]
        if self.status is not None:
            left.append(quote_foreign(self.status.library))
            if wide >= 80:
                left.append(f"{self.status.documents:,} documents")
            if wide >= 112:
                left.append(f"{self.status.passages:,} passages")
            if wide >= 70:
                right = f"{self._glyphs.cut(quote_foreign(self.status.model), 28)} · {right}"
        shown = self._glyphs.cut(
            self._glyphs.say(" · ".join(left)), max(1, room - cell_len(right) - 2)
        )
        gap = max(1, room - cell_len(shown) - cell_len(right))
        return Content(shown + " " * gap + self._glyphs.say(right)).stylize(
            "bold", 0, len("footnote")
        )


class KeyBar(Widget):
    """The keys that work now, as many as fit, each also a click."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="bottom")
        self._glyphs = glyphs
        self.place = "prompt"
        self.busy = False
        self.without: frozenset[str] = frozenset()

    def show(self, place: str, busy: bool, without: frozenset[str] = frozenset()) -> None:
        if (place, busy, without) != (self.place, self.busy, self.without):
            self.place, self.busy, self.without = place, busy, without
            self.refresh()

    def offered(self, width: int) -> list[tuple[str, str, str]]:
        """Id, key and word of each hint that fits; the palette always does."""
        ids = [
            c.id
            for c in footer_hints(self.place)
            if c.id not in self.without and c.id not in _ALWAYS
        ]
        ids = [i for i in ids if self.busy or i != "back"]
        out: list[tuple[str, str, str]] = []
        used = sum(cell_len(key_label(_BY_ID[i])) + len(_BY_ID[i].label) + 3 for i in _ALWAYS)
        for name in ids:
            key, word = self._key(name), _BY_ID[name].label
            if name == "next" and self.place != "prompt":
                word = (
                    "source"
                    if self.place == "answer" and self.screen.has_class("-open")
                    else "prompt"
                )
            cells = cell_len(key) + len(word) + 3
            if used + cells > width:
                break
            used += cells
            out.append((name, key, word))
        return out

    def _key(self, name: str) -> str:
        keys = {"ask": "⏎", "open": "⏎", "up": "↑↓", "left": "←→", "check_up": "↑↓"}
        return (
            key_label(_BY_ID[name])
            if self._glyphs.ascii
            else keys.get(name, key_label(_BY_ID[name]))
        )

    def render(self) -> Content:
        width = self.size.width
        parts: list[tuple[str, str | Style]] = []
        used = 0
        for name, key, word in self.offered(width):
            parts += self._hint(name, key, word)
            used += cell_len(key) + len(word) + 3
        tail = [
            part
            for name in _ALWAYS
            for part in self._hint(name, self._key(name), _BY_ID[name].label)
        ]
        size = sum(cell_len(text) for text, _ in tail) - 2
        parts.append((" " * max(0, width - used - size), ""))
        return Content.assemble(*parts, *tail[:-1])

    def _hint(self, name: str, key: str, word: str) -> list[tuple[str, str | Style]]:
        click = Style.from_meta({"command": name})
        return [(key, Style.parse("bold") + click), (f" {word}", click), ("  ", "")]

    async def on_click(self, event: events.Click) -> None:
        name = event.style.meta.get("command")
        if name in _BY_ID:
            command = _BY_ID[name]
            focused = self.screen.focused
            local = "." not in command.action and focused is not None
            await self.app.run_action(command.action, focused if local else self.screen)
