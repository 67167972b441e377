"""The pages: full screens over the Ask screen, which goes on below them.

A page has an entry in `PAGES` and a command with the action `app.page('NAME')` in the table of
commands. Its key opens it, and closes it again; the key of another page replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from tui.screens.help import HelpScreen

if TYPE_CHECKING:
    from tui.app import FootnoteApp


def _help(app: FootnoteApp) -> Screen[Any]:
    rates = app.ask_screen.rates if app.ask_screen else None
    return HelpScreen(app.glyphs, rates)


#: Each page by name: a function that makes its screen.
PAGES: dict[str, Callable[[FootnoteApp], Screen[Any]]] = {
    "help": _help,
}
