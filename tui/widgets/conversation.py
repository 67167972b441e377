"""The conversation: turns, a card before the first one, and a badge when the reader has scrolled away."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Static

from rag.domain import Status
from rag.errors import NotSetUp, RagError
from rag.text.sanitize import quote_foreign
from tui.render.answer_text import assemble, counted
from tui.render.glyphs import Glyphs
from tui.widgets.exchange import Exchange

MOST = 20  #: turns mounted; older ones are in the history


class Scroll(VerticalScroll, can_focus=False):
    """Stays at the end while an answer grows, until the reader scrolls; tells when that changes."""

    class Shifted(Message):
        """The reader's place or the length of the conversation has changed."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Shifted())

    def watch_virtual_size(self) -> None:
        self.post_message(self.Shifted())


class Conversation(Vertical):
    """All turns of the open conversation, newest at the end."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="talk")
        self.glyphs = glyphs
        self.dropped = 0
        self._seen = 0

    def compose(self) -> ComposeResult:
        with Scroll(id="turns"), Vertical(id="inner"):
            yield Static(Content(""), id="card", markup=False)
        yield Static(Content(""), id="badge", markup=False)

    def on_mount(self) -> None:
        self.scroller.anchor()
        self.query_one("#badge").display = False
        self.welcome(None, None)

    @property
    def scroller(self) -> Scroll:
        return self.query_one("#turns", Scroll)

    @property
    def turns(self) -> list[Exchange]:
        return list(self.query(Exchange))

    @property
    def newest(self) -> Exchange | None:
        turns = self.turns
        return turns[-1] if turns else None

    async def add(self, turn: Exchange) -> None:
        """A new question at the end; the reader is taken there."""
        self.query_one("#card").display = False
        old = [t for t in self.turns if not t.running][: max(0, len(self.turns) + 1 - MOST)]
        for gone in old:
            self.dropped += 1
            gone.remove()
        if self.dropped:
            self._card(
                assemble(
                    [(f"{counted(self.dropped, 'earlier question')} not shown here", "$text-muted")]
                )
            )
        await self.query_one("#inner").mount(turn)
        self.to_end()

    def to_end(self) -> None:
        self.scroller.anchor()
        self.scroller.scroll_end(animate=False)

    def reveal(self, turn: Exchange) -> None:
        """Scroll so that the reader's place in `turn` is on the screen."""
        region = turn.virtual_region
        place = Region(
            0, region.y + turn.cursor_row(), max(1, region.width), min(3, max(1, region.height))
        )
        self.scroller.scroll_to_region(place, animate=False, force=True)

    async def clear(self) -> None:
        """An empty conversation."""
        self.dropped = 0
        await self.query(Exchange).remove()

    def neighbour(self, turn: Exchange, by: int) -> Exchange | None:
        turns = self.turns
        at = turns.index(turn) + by if turn in turns else -1
        return turns[at] if 0 <= at < len(turns) else None

    def welcome(self, status: Status | None, error: RagError | None) -> None:
        """What stands in an empty conversation: how to begin, or what keeps the engine from starting."""
        say = self.glyphs.say
        parts = [
            ("Ask questions of your own files. ", "bold"),
            (
                "Every sentence of an answer is checked "
                "against the passage it cites. Nothing leaves this computer.\n\n",
                "",
            ),
        ]
        if error is not None and not isinstance(error, NotSetUp):
            parts += [
                (f"{self.glyphs.wrong} The engine did not start: ", "bold $text-error"),
                (f"{quote_foreign(str(error))}\n", ""),
            ]
            parts += [(f"   {quote_foreign(error.cure)}\n", "bold")] if error.cure else []
        elif error is not None:
            parts += [
                (f"{self.glyphs.dangling} {quote_foreign(str(error))}\n\n", ""),
                (f"   {quote_foreign(error.cure)}\n", "bold"),
            ]
        if status is None and error is None:
            parts.append(
                (
                    say("The engine is starting. You can type your question already.\n"),
                    "$text-muted",
                )
            )
        elif status is not None and not status.documents:
            parts += [
                (say("There are no documents yet. Add a folder or a file, in a shell:\n\n"), ""),
                ("   footnote add FOLDER\n", "bold"),
            ]
        elif status is not None:
            size = (
                f"{counted(status.documents, 'document')} and {counted(status.passages, 'passage')}"
            )
            parts.append((f"{size} to look in. Type a question and press Enter.\n", ""))
        self._card(assemble([*parts, *self._legend()]))

    def _legend(self) -> list[tuple[str, str]]:
        g = self.glyphs
        marks = (
            (g.supported, "the source says so", "$text-success"),
            (g.partly, "it says a part of it", "$text-warning"),
            (g.wrong, "it does not, or says otherwise", "bold $text-error"),
            ("[?]", "no source is named", "$text-warning"),
        )
        out = [("\nMarks after a sentence:\n", "$text-muted")]
        for sign, word, style in marks:
            out += [(f"   {sign:<4}", style), (f"{word}\n", "$text-muted")]
        return out

    def _card(self, content: Content) -> None:
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
        badge.display = below > 0 and new > 0
        if badge.display:
            badge.update(
                assemble(
                    [
                        (
                            f"{self.glyphs.down} {counted(int(new), 'new line')} (End)",
                            "bold $text-accent",
                        )
                    ]
                )
            )

    def on_click(self) -> None:
        badge = self.query_one("#badge")
        if badge.display and badge.mouse_hover:
            self.to_end()
