"""What the pages with a list have in common: a cursor, a line below, and work in threads."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.screen import Screen

from tui.render.glyphs import Glyphs
from tui.widgets.line_list import LineList

#: More lines than any list has.
FAR = 10**9


class ListPage(Screen[None]):
    """A page with one `LineList`, whose cursor the keys and the mouse move."""

    AUTO_FOCUS = ""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.glyphs = glyphs

    @property
    def lines(self) -> LineList:
        return self.query_one(LineList)

    def run_in_thread(self, work: partial[None]) -> None:
        """Run a function that posts its result to this screen."""
        self.app.run_worker(
            partial(work, post=self.post_message), thread=True, exit_on_error=False, group="page"
        )

    def moved(self) -> None:
        """Show what belongs to the line of the cursor."""

    @on(LineList.Clicked)
    def _line_clicked(self, event: LineList.Clicked) -> None:
        """Put the cursor on a line that is clicked; a second click chooses it."""
        event.stop()
        if event.number == self.lines.at:
            self.action_choose()
        else:
            self.lines.move_to(event.number)
            self.moved()

    def action_choose(self) -> None:
        """Open what is at the cursor."""

    def action_move(self, key: str) -> None:
        """Move the cursor as `key` says: by a line, by a page, or to an end."""
        page = max(1, self.lines.size.height - 1)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "home": -FAR, "g": -FAR}
        steps |= {"pagedown": page, "space": page, "end": FAR, "G": FAR}
        self.move_by(steps[key])

    def move_by(self, by: int) -> None:
        """Move the cursor by lines, within the list."""
        if self.lines.count:
            self.lines.move_to((self.lines.at or 0) + by)
            self.moved()
