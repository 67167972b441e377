"""The source pane: the document around the evidence, which is highlighted, and the check."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.domain import Document
from tui.commands import bindings
from tui.render import caption
from tui.render.excerpt import Excerpt, make_excerpt
from tui.render.glyphs import Glyphs
from tui.state.cursor import AnswerCursor
from tui.widgets.text_view import TextView, laid_width
from tui.widgets.typed_letters import TypedLetters

if TYPE_CHECKING:
    from rag.protocols import ErrorRates

#: The style of the evidence.
EVIDENCE_STYLE = "bold underline $text-warning on $warning-muted"
#: The style of the short answer, on top of `EVIDENCE_STYLE`. It is visible without colours too.
SHORT_ANSWER_ON_EVIDENCE = "reverse"
#: How many documents are kept. Others are fetched again.
MAX_DOCUMENTS = 32
#: The narrowest text, in cells.
MIN_CELLS = 20


class SourceScroll(VerticalScroll, TypedLetters, can_focus=True):
    """The part of the pane that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("source"))

    class Laid(Message):
        """The text that scrolls has a new size."""

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Laid())

    def watch_virtual_size(self) -> None:
        self.post_message(self.Laid())


class SourceList(Static):
    """The sources of the answer. A click chooses one."""

    class Chosen(Message):
        """The user chose source `number`."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def on_click(self, event: events.Click) -> None:
        number = event.style.meta.get("source")
        if isinstance(number, int):
            self.post_message(self.Chosen(number))


class SourcePane(Vertical):
    """Shows the source at a cursor, in a shape that depends on the size of the screen."""

    class Needs(Message):
        """The pane needs the text of a document."""

        def __init__(self, document_id: str) -> None:
            super().__init__()
            self.document_id = document_id

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="pane")
        self.glyphs = glyphs
        self.cursor = AnswerCursor()
        self.pending = False  #: whether verdicts are still to come
        self.rates: ErrorRates | None = None  #: the error rates of the check, once they are known
        #: whether a search has scrolled the source: it stays there until another one is shown
        self.holds_place = False
        self._documents: dict[str, Document | None] = {}
        self._excerpt: Excerpt | None = None  #: what is shown

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="source-head", markup=False)
        with SourceScroll(id="source-body"):
            yield TextView(name="source-text")
        yield Static(Content(""), id="source-claim", markup=False)
        yield SourceList(Content(""), id="source-list", markup=False)

    def on_mount(self) -> None:
        self.paint()

    def show(self, cursor: AnswerCursor, pending: bool = False) -> None:
        """Show the source at `cursor`. Asks for its document if it was not fetched yet.

        `pending` is set while verdicts are still to come.
        """
        if cursor != self.cursor:
            self.holds_place = False
        self.cursor, self.pending = cursor, pending
        passage = cursor.passage
        if passage is not None and passage.chunk.document not in self._documents:
            self._documents[passage.chunk.document] = None
            self.post_message(self.Needs(passage.chunk.document))
        self.paint()

    def show_rates(self, rates: ErrorRates) -> None:
        """Show the error rates of the check, without scrolling the source."""
        self.rates = rates
        if self.is_mounted:
            self._show_claim()

    @property
    def document(self) -> Document | None:
        """The document that is shown; None until it has arrived."""
        passage = self.cursor.passage
        return self._documents.get(passage.chunk.document) if passage is not None else None

    def keep(self, document_id: str, document: Document | None) -> None:
        """Keep a document that has arrived. If it is None it is fetched again the next time."""
        self._documents.pop(document_id, None)
        if document is None:
            return
        while len(self._documents) >= MAX_DOCUMENTS:
            self._documents.pop(next(iter(self._documents)))
        self._documents[document_id] = document
        passage = self.cursor.passage
        if passage is not None and passage.chunk.document == document_id:
            self.paint()

    @property
    def _width(self) -> int:
        """The width of the texts, in cells."""
        return max(MIN_CELLS, laid_width(self))

    @property
    def shape(self) -> str:
        """Return "side", "drawer" or "full".

        On a wide screen of few rows it is "full", because the source needs the rows.
        """
        if self.screen.has_class("-wide"):
            return "full" if self.screen.has_class("-short") else "side"
        return "drawer" if self.screen.has_class("-normal") else "full"

    def on_resize(self, event: events.Resize) -> None:
        self.paint()

    def on_show(self, event: events.Show) -> None:
        self.call_after_refresh(self.paint)  # painted while it was hidden, it had no width

    @on(SourceScroll.Laid)
    def _text_laid(self, event: SourceScroll.Laid) -> None:
        event.stop()
        if self._excerpt is not None:
            self.call_after_refresh(self._scroll_to_evidence, self._excerpt)

    def paint(self) -> None:
        """Show everything again for the current size."""
        if not self.is_mounted:
            return
        cursor, shape, width = self.cursor, self.shape, self._width
        passage = cursor.passage
        excerpt = None
        if passage is not None:
            excerpt = make_excerpt(
                passage,
                cursor.evidence,
                self._documents.get(passage.chunk.document),
                cursor.answered,
            )
        self._put("#source-head", caption.head(cursor, excerpt, self.glyphs, shape, width))
        self._show_text(excerpt)
        self._show_claim()
        self._put("#source-list", caption.listing(cursor, self.glyphs, shape, width, self.pending))

    def _show_claim(self) -> None:
        width = self._width
        self._put(
            "#source-claim",
            caption.claim(self.cursor, self.glyphs, self.shape, width, self.pending, self.rates),
        )

    def _put(self, selector: str, content: Content) -> None:
        static = self.query_one(selector, Static)
        static.display = bool(content.plain)
        static.update(content)

    def _show_text(self, excerpt: Excerpt | None) -> None:
        view = self.query_one("#source-text", TextView)
        self._excerpt = excerpt
        if excerpt is None:
            view.show(caption.missing(self.cursor))
            return
        styles = [(span, "$text-muted italic") for span in excerpt.masked] + [
            (span, EVIDENCE_STYLE) for span in excerpt.lit
        ]
        styles += [(excerpt.short, SHORT_ANSWER_ON_EVIDENCE)] if excerpt.short else []
        view.show(
            excerpt.text,
            styles,
            [(span, self.glyphs.lit, "bold $text-warning") for span in excerpt.lit],
        )
        self.call_after_refresh(self._scroll_to_evidence, excerpt)

    def _scroll_to_evidence(self, excerpt: Excerpt) -> None:
        """Scroll until the evidence begins in the third line, in a drawer in the second.

        A short answer that would be below the pane is in its last line.
        """
        if self.is_mounted and excerpt is self._excerpt and not self.holds_place:
            view, reader = (
                self.query_one("#source-text", TextView),
                self.query_one("#source-body", SourceScroll),
            )
            top = view.row_of(excerpt.lit[0].start if excerpt.lit else excerpt.passage.start)
            top -= 1 if self.shape == "drawer" else 2
            if excerpt.short is not None:
                top = max(top, view.row_of(excerpt.short.end - 1) + 1 - reader.outer_size.height)
            reader.scroll_to(y=max(0, top), animate=False, immediate=True)
