"""Help: the keys of the command table, the marks, and how often the check errs, in one list that scrolls."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.domain import Rates, Verdict
from tui.commands import COMMANDS, PLACES, Command, sign
from tui.glyphs import SHORT, STYLES, WORDS, Glyphs
from tui.words import errs, join


class HelpScreen(ModalScreen[None]):
    """Escape, F1 or q goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", show=False)]

    def __init__(self, glyphs: Glyphs, rates: Rates | None = None) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.rates = rates

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(join([("KEYS AND MARKS", "bold"), ("   esc back", "$text-muted")]), markup=False)
            with VerticalScroll(id="help-body"):
                for place, title in PLACES.items():
                    yield Static(join([(title, "bold $text-accent")]), classes="place", markup=False)
                    for command in COMMANDS:
                        if command.where == place and command.keys:
                            yield self._row(command)
                yield Static(join([("Marks", "bold $text-accent")]), classes="place", markup=False)
                yield Static(self._marks(), markup=False)
                yield Static(join([("The check", "bold $text-accent")]), classes="place", markup=False)
                yield Static(join([(self.glyphs.say(errs(self.rates)), "")]), markup=False)

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()

    def _row(self, command: Command) -> Horizontal:
        keys = sign(command)
        return Horizontal(
            Static(join([(keys, "bold")]), classes="keys", markup=False),
            Static(join([(command.help, "")]), classes="what", markup=False),
            classes="key",
        )

    def _marks(self) -> Content:
        parts: list[tuple[str, str]] = []
        for verdict in Verdict:
            mark = self.glyphs.of(verdict)
            shown = {Verdict.UNCITED: "[?]", Verdict.DANGLING: "[9]!", Verdict.NEEDS_NONE: "nothing"}.get(
                verdict, f"[1]{mark}"
            )
            parts += [(f"{shown:<11}", STYLES[verdict]), (f"{WORDS[verdict]}\n", "")]
        parts += [("[1]", ""), (" " * 8 + "not checked yet\n", "")]
        parts += [("words", SHORT), (" " * 6 + "the short answer in its sentence\n", "")]
        differ = self.glyphs.say("≠")
        return join([*parts, (f"{differ:<11}", "bold $text-warning"), ("two sources give different answers", "")])
