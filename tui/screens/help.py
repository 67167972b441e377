"""The help screen: keys, marks, and the error rates of the check, in a list that scrolls."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from rag.domain import Verdict
from rag.phrases import VERDICT_PHRASES
from rag.protocols import ErrorRates
from tui.command import PLACES, Command
from tui.commands import COMMANDS, all_key_labels, bindings, slash_name
from tui.render.answer_text import Part, assemble, error_rates
from tui.render.glyphs import SHORT_ANSWER_STYLE, VERDICT_STYLES, Glyphs

#: The width of the column of marks, in cells.
MARK_CELLS = 11


class HelpScreen(Screen[None]):
    """Shows the help until it is closed. `rates` are None if they are not known."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("page"))

    def __init__(self, glyphs: Glyphs, rates: ErrorRates | None = None) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.rates = rates

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(
                assemble(
                    [
                        ("KEYS AND MARKS", "bold"),
                        (
                            self.glyphs.say("   esc back · / in the prompt lists commands"),
                            "$text-muted",
                        ),
                    ]
                ),
                markup=False,
            )
            with VerticalScroll(id="help-body"):
                for place, title in PLACES.items():
                    yield _title(title)
                    for command in COMMANDS:
                        if command.place == place and (command.keys or command.in_palette):
                            yield _key_row(command)
                yield _title("Marks")
                yield Static(self._marks(), markup=False)
                yield _title("The check")
                yield Static(
                    assemble([(self.glyphs.say(error_rates(self.rates)), "")]), markup=False
                )

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()

    def _marks(self) -> Content:
        """Return the marks and their meanings, one a line."""
        examples = {Verdict.UNCITED: "[?]", Verdict.DANGLING: "[9]!", Verdict.NEEDS_NONE: "nothing"}
        examples[Verdict.LISTED] = self.glyphs.listed
        parts: list[Part] = []
        for verdict in Verdict:
            example = examples.get(verdict, f"[1]{self.glyphs.of(verdict)}")
            parts += [
                (f"{example:<{MARK_CELLS}}", VERDICT_STYLES[verdict]),
                (f"{VERDICT_PHRASES[verdict]}\n", ""),
            ]
        for example, style, meaning in (
            ("[1]", "", "not checked yet\n"),
            ("words", SHORT_ANSWER_STYLE, "the short answer in its sentence\n"),
        ):
            parts += [(example, style), (" " * (MARK_CELLS - len(example)) + meaning, "")]
        differ = self.glyphs.say("≠")
        parts += [
            (f"{differ:<{MARK_CELLS}}", "bold $text-warning"),
            ("two sources give different answers", ""),
        ]
        return assemble(parts)


def _title(text: str) -> Static:
    return Static(assemble([(text, "bold $text-accent")]), classes="place", markup=False)


def _key_row(command: Command) -> Horizontal:
    """Return the row of a command: its keys, its help, and what can be typed for it."""
    typed = f"   {slash_name(command)}" if command.in_palette else ""
    keys = all_key_labels(command) if command.keys else slash_name(command)
    return Horizontal(
        Static(assemble([(keys, "bold")]), classes="keys", markup=False),
        Static(
            assemble([(command.help, ""), (typed if command.keys else "", "$text-muted")]),
            classes="what",
            markup=False,
        ),
        classes="key",
    )
