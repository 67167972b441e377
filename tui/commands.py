"""Every command once: its keys, its words, where it works. Bindings, footer, palette and help are made from this table.

Never bound, because terminals send something else for them or multiplexers take them: ctrl+h, ctrl+i, ctrl+m, ctrl+b,
ctrl+a, alt+enter, alt with a digit.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

UNUSABLE_KEYS = frozenset({"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+b", "ctrl+a", "alt+enter"})


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be done. `where` is what must have focus; `rank` is its place in the footer, 0 for none."""

    id: str
    keys: str
    word: str
    help: str
    where: str
    action: str
    rank: int = 0
    listed: bool = True  #: in the palette
    first: bool = False  #: before the widget that has focus sees the key
    shown: str = ""  #: the keys in words, where they are not plain


COMMANDS: tuple[Command, ...] = (
    Command(
        "quit",
        "ctrl+q",
        "quit",
        "Quit; conversations are saved as they happen",
        "app",
        "app.leave",
        9,
    ),
    Command(
        "interrupt",
        "ctrl+c",
        "copy or stop",
        "Copy what is selected; else stop; else twice quits",
        "app",
        "app.interrupt",
        first=True,
        listed=False,
    ),
    Command(
        "palette",
        "ctrl+p",
        "commands",
        "All commands, by name",
        "app",
        "app.command_palette",
        listed=False,
        first=True,
    ),
    Command("help", "f1", "help", "Keys and marks explained", "app", "app.help", 10),
    Command(
        "back",
        "escape",
        "stop",
        "Stop the answer and keep the part; else close the source; else to the prompt",
        "ask",
        "screen.back",
        2,
        listed=False,
    ),
    Command("new", "ctrl+n", "new", "Begin a new conversation", "ask", "screen.new", 8),
    Command(
        "sources", "ctrl+o", "sources", "Show or hide the source pane", "ask", "screen.sources", 4
    ),
    Command(
        "next",
        "tab",
        "answer",
        "Prompt, newest answer, source, and round",
        "ask",
        "screen.ring(1)",
        4,
        listed=False,
    ),
    Command(
        "previous",
        "shift+tab",
        "back",
        "The other way round",
        "ask",
        "screen.ring(-1)",
        listed=False,
    ),
    Command(
        "page_up",
        "pageup",
        "page up",
        "Scroll the conversation, also from the prompt",
        "ask",
        "screen.scroll('up')",
        listed=False,
    ),
    Command(
        "page_down",
        "pagedown",
        "page down",
        "Scroll the conversation, also from the prompt",
        "ask",
        "screen.scroll('down')",
        listed=False,
    ),
    Command(
        "top",
        "ctrl+home",
        "oldest",
        "Go to the beginning of the conversation",
        "ask",
        "screen.scroll('home')",
    ),
    Command(
        "bottom",
        "ctrl+end",
        "newest",
        "Go to the end of the conversation (End, in an empty prompt)",
        "ask",
        "screen.scroll('end')",
    ),
    Command("stop", "", "stop", "Stop the answer and keep the part", "ask", "screen.stop"),
    Command("ask", "enter", "ask", "Ask the question", "prompt", "submit", 1, listed=False),
    Command(
        "newline",
        "ctrl+j,shift+enter",
        "new line",
        "Begin a new line in the question",
        "prompt",
        "newline",
        5,
        listed=False,
        shown="^J",
    ),
    Command(
        "earlier",
        "up",
        "earlier question",
        "On the first line: earlier questions",
        "prompt",
        "earlier",
        listed=False,
    ),
    Command(
        "later",
        "down",
        "later question",
        "On the last line: later questions",
        "prompt",
        "later",
        listed=False,
    ),
    Command(
        "up",
        "up,k",
        "sentence",
        "The sentence before; the source follows",
        "answer",
        "move(-1)",
        1,
        listed=False,
        shown="up k",
    ),
    Command(
        "down",
        "down,j",
        "sentence",
        "The next sentence; the source follows",
        "answer",
        "move(1)",
        listed=False,
        shown="down j",
    ),
    Command(
        "left", "left", "citation", "The citation before", "answer", "across(-1)", 2, listed=False
    ),
    Command("right", "right", "citation", "The next citation", "answer", "across(1)", listed=False),
    Command(
        "source",
        "1,2,3,4,5,6,7,8,9",
        "source n",
        "Show source n",
        "answer",
        "source({key})",
        listed=False,
        shown="1-9",
    ),
    Command(
        "open",
        "enter",
        "open source",
        "Show the source of this sentence",
        "answer",
        "screen.open",
        6,
    ),
    Command(
        "check",
        "v",
        "check",
        "Every sentence with its verdict, in words",
        "answer",
        "screen.check",
        5,
    ),
    Command(
        "copy",
        "y",
        "copy",
        "Copy the answer as Markdown, with its sources",
        "answer",
        "screen.copy('markdown')",
        6,
    ),
    Command(
        "plain",
        "Y",
        "copy plain",
        "Copy the answer as plain text",
        "answer",
        "screen.copy('plain')",
    ),
    Command(
        "quote",
        "c",
        "copy sentence",
        "Copy this sentence with its quotation",
        "answer",
        "screen.copy('sentence')",
    ),
    Command("again", "r", "ask again", "Ask the same question again", "answer", "screen.again", 7),
    Command(
        "edit",
        "e",
        "edit question",
        "Put the question back into the prompt",
        "answer",
        "screen.edit",
        8,
    ),
    Command(
        "editor",
        "o",
        "edit file",
        "Open the source in $EDITOR at the line",
        "answer",
        "screen.editor",
    ),
    Command(
        "source_check",
        "v",
        "check",
        "Every sentence with its verdict, in words",
        "source",
        "screen.check",
        3,
        listed=False,
    ),
    Command(
        "source_next",
        "n,right",
        "next source",
        "The next source of the answer",
        "source",
        "screen.along(1)",
        2,
        shown="n right",
    ),
    Command(
        "source_back",
        "p,left",
        "source before",
        "The source before",
        "source",
        "screen.along(-1)",
        shown="p left",
    ),
    Command(
        "source_editor",
        "o",
        "edit file",
        "Open the source in $EDITOR at the line",
        "source",
        "screen.editor",
        1,
        listed=False,
    ),
    Command(
        "source_quote",
        "c,y",
        "copy quote",
        "Copy this sentence with its quotation",
        "source",
        "screen.copy('sentence')",
        6,
        listed=False,
        shown="c y",
    ),
    Command(
        "check_close",
        "escape,v,q",
        "back",
        "Back to the answer",
        "check",
        "close",
        1,
        listed=False,
        shown="esc",
    ),
    Command(
        "check_up",
        "up,k",
        "sentence",
        "The sentence before",
        "check",
        "move(-1)",
        2,
        listed=False,
        shown="up k",
    ),
    Command(
        "check_down",
        "down,j",
        "sentence",
        "The next sentence",
        "check",
        "move(1)",
        listed=False,
        shown="down j",
    ),
    Command(
        "check_open",
        "enter",
        "open source",
        "Back to the answer, at this sentence",
        "check",
        "choose",
        3,
        listed=False,
    ),
    Command(
        "check_copy",
        "y",
        "copy",
        "Copy the answer with verdicts and sources",
        "check",
        "copy",
        4,
        listed=False,
    ),
)

#: who sees a key, nearest first
FOCUS_CHAINS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "ask", "app"),
    "answer": ("answer", "ask", "app"),
    "source": ("source", "ask", "app"),
    "check": ("check", "app"),
}

PLACES = {
    "app": "Anywhere",
    "ask": "Ask",
    "prompt": "Prompt",
    "answer": "Answer",
    "source": "Source",
    "check": "Check",
}

_SIGNS = {"escape": "esc", "pageup": "PgUp", "pagedown": "PgDn", "f1": "F1"}


def bindings(*places: str) -> list[Binding]:
    """The bindings of the widgets or screens that stand for `places`."""
    return [
        Binding(
            key,
            c.action.replace("{key}", key),
            c.word,
            show=False,
            priority=c.first,
            id=f"{c.id}.{key}",
        )
        for c in COMMANDS
        if c.where in places and c.keys
        for key in c.keys.split(",")
    ]


def key_label(command: Command) -> str:
    """The key as a person reads it."""
    if command.shown:
        return command.shown
    key = command.keys.split(",")[0]
    return _SIGNS.get(
        key, key.replace("ctrl+", "^").upper() if key.startswith("ctrl+") and len(key) == 6 else key
    )


def footer_hints(place: str) -> list[Command]:
    """What the footer offers while `place` has focus, most useful first."""
    chain = FOCUS_CHAINS.get(place, ("app",))
    found = [c for c in COMMANDS if c.rank and c.where in chain]
    return sorted(found, key=lambda c: (c.rank, chain.index(c.where)))


class Palette(Provider):
    """The commands of the table, by name."""

    async def discover(self) -> Hits:
        for command in COMMANDS:
            if command.listed:
                yield DiscoveryHit(_title(command), self._run(command), command.word, command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in COMMANDS:
            score = (
                max(matcher.match(command.word), matcher.match(command.help))
                if command.listed
                else 0
            )
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.word),
                    self._run(command),
                    command.word,
                    command.help,
                )

    def _run(self, command: Command):  # type: ignore[no-untyped-def]
        async def run() -> None:
            await self.app.run_action(command.action)

        return run


def _title(command: Command) -> str:
    return f"{command.word}  {key_label(command)}" if command.keys else command.word
