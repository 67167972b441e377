"""Help: the keys of the command table, the marks, and how often the check errs, in one list that scrolls."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.domain import ErrorRates, Verdict
from rag.phrases import VERDICT_PHRASES
from tui.command import PLACES, Command
from tui.commands import COMMANDS, key_label
from tui.render.answer_text import assemble, error_rates
from tui.render.glyphs import SHORT_ANSWER_STYLE, VERDICT_STYLES, Glyphs


class HelpScreen(ModalScreen[None]):
    """Escape, F1 or q goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", show=False)]

    def __init__(self, glyphs: Glyphs, rates: ErrorRates | None = None) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.rates = rates

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(
                assemble([("KEYS AND MARKS", "bold"), ("   esc back", "$text-muted")]), markup=False
            )
            with VerticalScroll(id="help-body"):
                for place, title in PLACES.items():
                    yield Static(
                        assemble([(title, "bold $text-accent")]), classes="place", markup=False
                    )
                    for command in COMMANDS:
                        if command.place == place and command.keys:
                            yield self._row(command)
                yield Static(
                    assemble([("Marks", "bold $text-accent")]), classes="place", markup=False
                )
                yield Static(self._marks(), markup=False)
                yield Static(
                    assemble([("The check", "bold $text-accent")]), classes="place", markup=False
                )
                yield Static(
                    assemble([(self.glyphs.say(error_rates(self.rates)), "")]), markup=False
                )

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()

    def _row(self, command: Command) -> Horizontal:
        keys = key_label(command)
        return Horizontal(
            Static(assemble([(keys, "bold")]), classes="keys", markup=False),
            Static(assemble([(command.help, "")]), classes="what", markup=False),
            classes="key",
        )

    def _marks(self) -> Content:
        parts: list[tuple[str, str]] = []
        for verdict in Verdict:
            mark = self.glyphs.of(verdict)
            shown = {
                Verdict.UNCITED: "[?]",
                Verdict.DANGLING: "[9]!",
                Verdict.NEEDS_NONE: "nothing",
            }.get(verdict, f"[1]{mark}")
            parts += [
                (f"{shown:<11}", VERDICT_STYLES[verdict]),
                (f"{VERDICT_PHRASES[verdict]}\n", ""),
            ]
        parts += [("[1]", ""), (" " * 8 + "not checked yet\n", "")]
        parts += [
            ("words", SHORT_ANSWER_STYLE),
            (" " * 6 + "the short answer in its sentence\n", ""),
        ]
        differ = self.glyphs.say("≠")
        return assemble(
            [
                *parts,
                (f"{differ:<11}", "bold $text-warning"),
                ("two sources give different answers", ""),
            ]
        )
