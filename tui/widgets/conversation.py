"""The conversation: turns, a card before the first one, a badge for lines below the screen."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Static

from rag.domain import ModelListing, Status
from rag.errors import RagError
from tui.render.answer_text import assemble, counted
from tui.render.card import Welcome, card
from tui.render.glyphs import Glyphs
from tui.widgets.exchange import Exchange

#: How many turns are shown. Older ones are in the history.
MAX_TURNS = 20
#: The widest card, and the width of its margins beside it.
_MAX_CARD_CELLS, _CARD_MARGIN_CELLS = 100, 7


class Scroll(VerticalScroll, can_focus=False):
    """Stays at the end while an answer grows, until the user scrolls. Reports changes."""

    class Shifted(Message):
        """The scroll position or the length of the conversation has changed."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Shifted())

    def watch_virtual_size(self) -> None:
        self.post_message(self.Shifted())


class Conversation(Vertical):
    """All turns of the open conversation, the newest at the end."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="talk")
        self.glyphs = glyphs
        self.dropped = 0
        #: the turns of the open conversation; a turn that is being removed is not among them
        self.turns: list[Exchange] = []
        self._seen = 0
        self._welcome = Welcome()

    def compose(self) -> ComposeResult:
        with Scroll(id="turns"), Vertical(id="inner"):
            yield Static(Content(""), id="card", markup=False)
        yield Static(Content(""), id="badge", markup=False)

    def on_mount(self) -> None:
        self.query_one("#badge").display = False
        self.welcome(None, None)

    @property
    def scroller(self) -> Scroll:
        return self.query_one("#turns", Scroll)

    @property
    def newest(self) -> Exchange | None:
        return self.turns[-1] if self.turns else None

    async def add(self, turn: Exchange) -> None:
        """Add a new question at the end and scroll there."""
        self.query_one("#card").display = False
        old = [t for t in self.turns if not t.running][: max(0, len(self.turns) + 1 - MAX_TURNS)]
        for old_turn in old:
            self.dropped += 1
            self.turns.remove(old_turn)
            old_turn.remove()
        if self.dropped:
            words = f"{counted(self.dropped, 'earlier question')} not shown here"
            self._show_card(assemble([(words, "$text-muted")]))
        self.turns.append(turn)
        await self.query_one("#inner").mount(turn)
        self.to_end()

    def to_end(self) -> None:
        self.scroller.anchor()
        self.scroller.scroll_end(animate=False)

    def show_from_its_question(self, turn: Exchange) -> None:
        """Scroll until the question of `turn` is at the top, if as much is below it."""
        if turn in self.turns:
            self.scroller.anchor(False)
            self.scroller.scroll_to_widget(turn, animate=False, top=True, force=True)

    def reveal(self, turn: Exchange) -> None:
        """Scroll until the cursor of `turn` is on the screen; a turn that was removed has none."""
        if turn not in self.turns:
            return
        region = turn.virtual_region
        place = Region(
            0, region.y + turn.cursor_row(), max(1, region.width), min(3, max(1, region.height))
        )
        self.scroller.scroll_to_region(place, animate=False, force=True)

    async def clear(self) -> None:
        """Remove all turns."""
        self.dropped = 0
        turns, self.turns = self.turns, []
        await self.query_one("#inner").remove_children(turns)

    def neighbour(self, turn: Exchange, by: int) -> Exchange | None:
        """Return the turn `by` places after `turn`; None beyond either end."""
        turns = self.turns
        at = turns.index(turn) + by if turn in turns else -1
        return turns[at] if 0 <= at < len(turns) else None

    def welcome(self, status: Status | None, error: RagError | None) -> None:
        """Show the card of an empty conversation: how to begin, or why the engine did not start.

        Both arguments are None while the engine is starting.
        """
        self._show_welcome(replace(self._welcome, status=status, error=error))

    def offer(self, model: ModelListing | None) -> None:
        """Offer a chat model on the card of the first run."""
        self._show_welcome(replace(self._welcome, offered=model))

    def show_adding(self, adding: str) -> None:
        """Show on the card how far the first documents are; "" when none are being added."""
        if adding != self._welcome.adding:
            self._welcome = replace(self._welcome, adding=adding)
            self._paint_welcome()

    @property
    def is_first_run(self) -> bool:
        """Whether the card says how to get the first documents."""
        return self._welcome.is_first_run

    def _show_welcome(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._paint_welcome()
        if not self.turns:
            self.scroller.anchor(False)
            # a deferred scroll would release the anchor of a question that comes first
            self.scroller.scroll_home(animate=False, immediate=True)

    def _paint_welcome(self) -> None:
        """Show the card as it is now, unless it says that turns were removed."""
        if not self.dropped:
            width = min(_MAX_CARD_CELLS, self.app.size.width) - _CARD_MARGIN_CELLS
            self._show_card(card(self._welcome, width, self.glyphs))

    def on_resize(self, event: events.Resize) -> None:
        if not self.turns:
            self._show_welcome(self._welcome)
        self.call_after_refresh(self._note_new_height)

    def _note_new_height(self) -> None:
        """Lines that came by another layout are not new."""
        self._seen = max(self._seen, self.scroller.virtual_size.height)
        self.query_one("#badge").display = False

    def _show_card(self, content: Content) -> None:
        card = self.query_one("#card", Static)
        card.update(content)
        card.display = not self.turns or bool(self.dropped)

    def on_scroll_shifted(self, event: Scroll.Shifted) -> None:
        event.stop()
        scroller, badge = self.scroller, self.query_one("#badge", Static)
        below = scroller.max_scroll_y - scroller.scroll_y
        if below <= 0:
            self._seen = scroller.virtual_size.height
        new = scroller.virtual_size.height - self._seen
        badge.display = below > 0 and new > 0 and bool(self.turns)
        if badge.display:
            words = f"{self.glyphs.down} {counted(int(new), 'new line')} (End)"
            badge.update(assemble([(words, "bold $text-accent")]))

    def on_click(self) -> None:
        badge = self.query_one("#badge")
        if badge.display and badge.mouse_hover:
            self.to_end()
