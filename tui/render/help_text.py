"""The text of the help: keys by place, marks, and the error rates of the check."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from rag.domain import Verdict
from rag.phrases import VERDICT_PHRASES
from tui.command import PLACES, Command
from tui.commands import COMMANDS, all_key_labels, slash_name
from tui.render.answer_text import Part, assemble, error_rates
from tui.render.glyphs import SHORT_ANSWER_STYLE, VERDICT_STYLES, Glyphs

if TYPE_CHECKING:
    from rag.protocols import ErrorRates

#: The widths of the columns of keys and of marks, and the least width beside them, in cells.
KEY_CELLS, MARK_CELLS, _MIN_CELLS = 12, 11, 16
#: A blank at which no line is broken.
_FIXED_BLANK = "\N{NO-BREAK SPACE}"


def help_text(rates: ErrorRates | None, width: int, glyphs: Glyphs) -> Content:
    """Return the whole help for a width in cells. `rates` are None if they are not known."""
    parts = list[Part]()
    for place, title in PLACES.items():
        parts.append((f"\n{title}\n", "bold $text-accent"))
        for command in COMMANDS:
            if command.place == place and (command.keys or command.in_palette):
                parts += _key_row(command, width)
    parts += [("\nMarks\n", "bold $text-accent"), *_marks(glyphs)]
    rated = glyphs.say(error_rates(rates))
    return assemble([*parts, ("\nThe check\n", "bold $text-accent"), (rated, "")])


def _key_row(command: Command, width: int) -> Iterator[Part]:
    """Yield the row of a command: its keys, its help, and what can be typed for it."""
    name = slash_name(command).replace(" ", _FIXED_BLANK)
    typed = name if command.in_palette and command.keys else ""
    yield f"{all_key_labels(command) if command.keys else slash_name(command):<{KEY_CELLS}}", "bold"
    beside = max(_MIN_CELLS, width - KEY_CELLS)
    lines = textwrap.wrap(f"{command.help} {typed}", beside)
    words = ("\n" + " " * KEY_CELLS).join(lines).removesuffix(typed)
    yield words, ""
    yield f"{typed.replace(_FIXED_BLANK, ' ')}\n", "$text-muted"


def _marks(glyphs: Glyphs) -> Iterator[Part]:
    """Yield the marks and their meanings, one a line."""
    examples = {Verdict.UNCITED: "[?]", Verdict.DANGLING: "[9]!", Verdict.NEEDS_NONE: "nothing"}
    examples[Verdict.LISTED] = glyphs.listed
    for verdict in Verdict:
        example = examples.get(verdict, f"[1]{glyphs.of(verdict)}")
        yield f"{example:<{MARK_CELLS}}", VERDICT_STYLES[verdict]
        yield f"{VERDICT_PHRASES[verdict]}\n", ""
    for example, style, meaning in (
        ("[1]", "", "not checked yet"),
        ("words", SHORT_ANSWER_STYLE, "the short answer in its sentence"),
        (glyphs.say("≠"), "bold $text-warning", "two sources give different answers"),
    ):
        yield example, style
        yield " " * (MARK_CELLS - len(example)) + f"{meaning}\n", ""
