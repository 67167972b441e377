"""A command of the chat, and the places where commands work.

Some keys are never bound: terminals send another key for them, or multiplexers take them. They are
ctrl+h, ctrl+i, ctrl+m, ctrl+b, ctrl+a, alt+enter, and alt with a digit.
"""

from __future__ import annotations

from dataclasses import dataclass

UNUSABLE_KEYS = frozenset({"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+b", "ctrl+a", "alt+enter"})


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `place` is the part of the screen that must have focus, as in `PLACES`."""

    id: str
    keys: str  #: names of keys, as Textual has them, separated by commas; "" for none
    label: str
    help: str
    place: str
    action: str
    rank: int = 0  #: its order in the footer, 1 is first; 0 if it is not there
    in_palette: bool = True
    priority: bool = False  #: whether it comes before the widget that has focus
    takes: str = ""  #: what follows its name after `/`, such as "PATH"; "" for nothing
    keys_shown: str = ""  #: the keys in words, if they differ from `keys`


#: For each place of the focus, the places whose commands work there, nearest first.
FOCUS_CHAINS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "ask", "app"),
    "answer": ("answer", "ask", "app"),
    "source": ("source", "ask", "app"),
    "find": ("find", "app"),
    "check": ("check", "app"),
    "history": ("history", "app"),
    "library": ("library", "app"),
    "reading": ("reading", "app"),
    "models": ("models", "app"),
    "eval": ("eval", "app"),
    "run": ("run", "app"),
    "page": ("page", "app"),
}

#: The title of each place on the help screen.
PLACES = {
    "app": "Anywhere",
    "ask": "Ask",
    "prompt": "Prompt",
    "answer": "Answer",
    "source": "Source",
    "find": "Find",
    "check": "Check",
    "history": "History",
    "library": "Library",
    "reading": "Document of the library",
    "models": "Models",
    "eval": "Measured runs",
    "run": "Figures of a run, and a comparison",
    "page": "Help and other pages",
}
