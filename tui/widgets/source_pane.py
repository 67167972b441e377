"""The source pane: the cited document around the evidence, the words lit, and what the check says of the sentence."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.domain import Document, ErrorRates
from tui.commands import bindings
from tui.render import caption
from tui.render.excerpt import Excerpt, make_excerpt
from tui.render.glyphs import Glyphs
from tui.state.cursor import AnswerCursor
from tui.widgets.text_view import TextView

LIT = "bold underline $text-warning on $warning-muted"
ANSWER = "reverse"  #: over `LIT`, for the short answer: seen without colours too, and as readable as what is around it
KEPT = 32  #: documents kept here; more are fetched again


class Reader(VerticalScroll, can_focus=True):
    """The scrolling part."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("source"))


class SourcePane(Vertical):
    """Shows one `Look`. Its shape follows the room it is given: beside the conversation, a drawer, the whole screen."""

    class Needs(Message):
        """The pane would show more of this document."""

        def __init__(self, document: str) -> None:
            super().__init__()
            self.document = document

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="pane")
        self.glyphs = glyphs
        self.cursor = AnswerCursor()
        self.pending = False  #: verdicts are still to come
        self.rates: ErrorRates | None = None  #: how often the check errs, once it is known
        self._documents: dict[str, Document | None] = {}

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="source-head", markup=False)
        with Reader(id="source-body"):
            yield TextView(name="source-text")
        yield Static(Content(""), id="source-claim", markup=False)
        yield Static(Content(""), id="source-list", markup=False)

    def on_mount(self) -> None:
        self.paint()

    def show(self, cursor: AnswerCursor, pending: bool = False) -> None:
        """Show another place. Asks for the document where it is not here yet."""
        self.cursor, self.pending = cursor, pending
        passage = cursor.passage
        if passage is not None and passage.chunk.document not in self._documents:
            self._documents[passage.chunk.document] = None
            self.post_message(self.Needs(passage.chunk.document))
        self.paint()

    def measured(self, rates: ErrorRates) -> None:
        """How often the check errs has become known. The source stays where the reader has scrolled it."""
        self.rates = rates
        if self.is_mounted:
            self._claim()

    @property
    def document(self) -> Document | None:
        """The document that is shown, where it has arrived."""
        passage = self.cursor.passage
        return self._documents.get(passage.chunk.document) if passage is not None else None

    def keep(self, name: str, document: Document | None) -> None:
        """A document has arrived. One that could not be had is asked for again the next time."""
        self._documents.pop(name, None)
        if document is None:
            return
        while len(self._documents) >= KEPT:
            self._documents.pop(next(iter(self._documents)))
        self._documents[name] = document
        if self.cursor.passage is not None and self.cursor.passage.chunk.document == name:
            self.paint()

    @property
    def shape(self) -> str:
        """ "side", "drawer" or "full"; also "full" at the side of a short screen, whose rows the source itself needs."""
        if self.screen.has_class("-wide"):
            return "full" if self.screen.has_class("-short") else "side"
        return "drawer" if self.screen.has_class("-normal") else "full"

    def on_resize(self, event: events.Resize) -> None:
        self.paint()

    def paint(self) -> None:
        """Everything anew, for the room there is."""
        if not self.is_mounted:
            return
        cursor, shape, room = self.cursor, self.shape, max(20, self.content_size.width)
        passage = cursor.passage
        piece = None
        if passage is not None:
            piece = make_excerpt(
                passage,
                cursor.evidence,
                self._documents.get(passage.chunk.document),
                cursor.answered,
            )
        self._put("#source-head", caption.head(cursor, piece, self.glyphs, shape, room))
        self._body(piece)
        self._claim()
        self._put("#source-list", caption.listing(cursor, self.glyphs, shape, room, self.pending))

    def _claim(self) -> None:
        room = max(20, self.content_size.width)
        self._put(
            "#source-claim",
            caption.claim(self.cursor, self.glyphs, self.shape, room, self.pending, self.rates),
        )

    def _put(self, where: str, content: Content) -> None:
        static = self.query_one(where, Static)
        static.display = bool(content.plain)
        static.update(content)

    def _body(self, piece: Excerpt | None) -> None:
        sheet = self.query_one("#source-text", TextView)
        if piece is None:
            sheet.show(caption.missing(self.cursor))
            return
        styles = [(span, "$text-muted italic") for span in piece.masked] + [
            (span, LIT) for span in piece.lit
        ]
        styles += [(piece.short, ANSWER)] if piece.short else []
        sheet.show(
            piece.text,
            styles,
            [(span, self.glyphs.lit, "bold $text-warning") for span in piece.lit],
        )
        self.call_after_refresh(self._settle, piece)

    def _settle(self, piece: Excerpt) -> None:
        """The first lit line becomes the third line of the pane; the second, in a drawer. A short answer that would be
        below the pane is its last line."""
        if self.is_mounted:
            sheet, reader = (
                self.query_one("#source-text", TextView),
                self.query_one("#source-body", Reader),
            )
            top = sheet.row_of(piece.lit[0].start if piece.lit else piece.passage.start)
            top -= 1 if self.shape == "drawer" else 2
            if piece.short is not None:
                top = max(top, sheet.row_of(piece.short.end - 1) + 1 - reader.content_size.height)
            reader.scroll_to(y=max(0, top), animate=False, immediate=True)
