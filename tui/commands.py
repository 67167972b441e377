"""All commands of the chat, and their bindings, key labels and footer hints."""

from __future__ import annotations

from textual.binding import Binding

from tui.answer_commands import ANSWER_COMMANDS
from tui.command import FOCUS_CHAINS, Command
from tui.eval_commands import EVAL_COMMANDS
from tui.find_commands import FIND_COMMANDS
from tui.history_commands import HISTORY_COMMANDS
from tui.library_commands import LIBRARY_COMMANDS
from tui.model_commands import MODEL_COMMANDS
from tui.screen_commands import SCREEN_COMMANDS

COMMANDS = (
    *SCREEN_COMMANDS,
    *ANSWER_COMMANDS,
    *FIND_COMMANDS,
    *HISTORY_COMMANDS,
    *LIBRARY_COMMANDS,
    *EVAL_COMMANDS,
    *MODEL_COMMANDS,
)

_KEY_LABELS = {
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "f1": "F1",
    "f2": "F2",
    "f3": "F3",
    "f4": "F4",
}
_KEY_LABELS |= {"slash": "/", "delete": "del"}


def bindings(*places: str) -> list[Binding]:
    """Return the bindings of the widgets or screens that stand for `places`."""
    return [
        Binding(
            key,
            command.action.replace("{key}", key),
            command.label,
            show=False,
            priority=command.priority,
            id=f"{command.id}.{key}",
        )
        for command in COMMANDS
        if command.place in places and command.keys
        for key in command.keys.split(",")
    ]


def key_label(command: Command) -> str:
    """Return the first key of a command as people read it, such as "^P" or "esc"."""
    return command.keys_shown or _label_of(command.keys.split(",")[0])


def slash_name(command: Command) -> str:
    """Return what is typed in the prompt to run the command, such as "/add PATH"."""
    return f"/{command.id} {command.takes}".strip()


def all_key_labels(command: Command) -> str:
    """Return all keys of a command as people read them, with commas."""
    if command.keys_shown:
        return command.keys_shown
    return ", ".join(_label_of(key) for key in command.keys.split(","))


def _label_of(key: str) -> str:
    """Return a key as people read it."""
    if key.startswith("ctrl+") and len(key) == len("ctrl+") + 1:
        return key.replace("ctrl+", "^").upper()
    return _KEY_LABELS.get(key, key)


def footer_hints(place: str) -> list[Command]:
    """Return the commands of the footer while `place` has focus, in the order of their ranks."""
    chain = FOCUS_CHAINS.get(place, ("app",))
    commands = [c for c in COMMANDS if c.rank and c.place in chain]
    return sorted(commands, key=lambda c: (c.rank, chain.index(c.place)))
