"""The pages: full screens over the Ask screen, which goes on below them.

A page has an entry in `PAGES` and a command with the action `app.page('NAME')` in the table of
commands. Its key opens it, and closes it again; the key of another page replaces it. A page is
imported when it is first opened: the first paint does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

if TYPE_CHECKING:
    from tui.app import FootnoteApp


def _help(app: FootnoteApp) -> Screen[Any]:
    from tui.screens.help import HelpScreen

    rates = app.ask_screen.rates if app.ask_screen else None
    return HelpScreen(app.glyphs, rates)


def _library(app: FootnoteApp) -> Screen[Any]:
    from tui.screens.library import LibraryScreen

    assert app.ask_screen is not None  # a page lies over it
    return LibraryScreen(app.ask_screen, app.library_work, app.glyphs)


def _models(app: FootnoteApp) -> Screen[Any]:
    from tui.screens.models import ModelsScreen

    return ModelsScreen(app.engine, app.commands, app.glyphs)


def _eval(app: FootnoteApp) -> Screen[Any]:
    from tui.screens.eval import EvalScreen

    status = app.ask_screen.status if app.ask_screen else None
    return EvalScreen(app.runs, app.commands, status.model if status else "", app.glyphs)


#: Each page by name: a function that makes its screen.
PAGES: dict[str, Callable[[FootnoteApp], Screen[Any]]] = {
    "help": _help,
    "library": _library,
    "eval": _eval,
    "models": _models,
}
