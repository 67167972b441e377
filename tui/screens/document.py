"""A document of the library, to be read as Footnote sees it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from rag.domain import OpenedDocument
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render.answer_text import Part, assemble, counted
from tui.render.excerpt import count_replaced
from tui.render.glyphs import Glyphs
from tui.render.reading import Grid, Hit, Layout, Paragraph, lay_out, make_blocks
from tui.screens.list_page import ListPage
from tui.state import library
from tui.widgets.bars import KeyBar
from tui.widgets.line_list import LineList
from tui.worker import PostMessage

if TYPE_CHECKING:
    from tui.app import FootnoteApp
    from tui.chat_engine import ChatEngine

#: Copies that are named.
_MAX_NAMED = 2


class Laid(Message):
    """The lines of the document at a width."""

    def __init__(self, blocks: list[Paragraph | Grid], layout: Layout, width: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.layout = layout
        self.width = width


def _lay(
    opened: OpenedDocument,
    blocks: list[Paragraph | Grid],
    width: int,
    glyphs: Glyphs,
    post: PostMessage,
) -> None:
    """Lay the document out in a thread: a long one takes a second."""
    blocks = blocks or make_blocks(opened, glyphs)
    post(Laid(blocks, lay_out(blocks, width, glyphs), width))


class DocumentScreen(ListPage):
    """Shows the document called `name`, with a search in it."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("reading"))

    def __init__(self, engine: ChatEngine, name: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._engine, self._source = engine, name
        self.opened: OpenedDocument | None = None
        self.layout_: Layout = Layout()
        self.hits: list[Hit] = []
        self.here: Hit | None = None
        self._of_paragraph: dict[int, list[Hit]] = {}
        self._blocks: list[Paragraph | Grid] = []
        self._wanted = 0  #: the width that is being laid out

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            yield Static(Content(""), id="document-head", markup=False)
            yield Input(placeholder="Words to find in this document", id="page-input")
            yield LineList("page-list")
            yield Static(Content(""), id="document-foot", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self.query_one(KeyBar).show("reading", True, frozenset({"reading_next"}))
        self._show_head()
        self.run_in_thread(partial(library.open_document, self._engine, self._source))

    @on(library.Opened)
    def _document_opened(self, event: library.Opened) -> None:
        event.stop()
        self.opened = event.opened
        self._show_head()
        self._lay_out()

    @on(library.Refused)
    def _refused(self, event: library.Refused) -> None:
        event.stop()
        words = " ".join(filter(None, (str(event.error), event.error.cure)))
        self._say([(quote_foreign(words), "$text-error")])

    @on(LineList.Resized)
    def _lay_out(self) -> None:
        width = self.lines.inner_width
        if self.opened is not None and width != self._wanted:
            self._wanted = width
            self.run_in_thread(partial(_lay, self.opened, self._blocks, width, self.glyphs))

    @on(Laid)
    def _laid(self, event: Laid) -> None:
        event.stop()
        if event.width != self._wanted:
            return
        self._blocks = event.blocks
        at = self._offset_at_top()
        self.layout_ = event.layout
        top = bisect_left([(line.paragraph, line.span.start) for line in event.layout.lines], at)
        self.lines.show(len(event.layout.lines), self._row)
        self.lines.scroll_to(y=top, animate=False, force=True, immediate=True)
        if self.here is not None:
            number = self.hits.index(self.here)
            self._search(self.query_one(Input).value)
            self.here = self.hits[number] if number < len(self.hits) else None

    def _offset_at_top(self) -> tuple[int, int]:
        """Return the place at the top of the screen, to find it in another layout."""
        top, lines = int(self.lines.scroll_offset.y), self.layout_.lines
        return (lines[top].paragraph, lines[top].span.start) if top < len(lines) else (0, 0)

    def _row(self, number: int, width: int) -> Content:
        paragraph = self.layout_.lines[number].paragraph
        return self.layout_.content(number, self._of_paragraph.get(paragraph, ()), self.here)

    def _show_head(self) -> None:
        """Show name, title and size of the document, and where else its text stands."""
        opened = self.opened
        if opened is None:
            self.query_one("#document-head", Static).update(
                assemble([(quote_foreign(self._source), "bold"), (self.glyphs.say(" …"), "")])
            )
            return
        document = opened.document
        parts: list[Part] = [(f"{quote_foreign(document.source)}\n", "bold")]
        facts = [quote_foreign(document.title)] if document.title else []
        facts += [quote_foreign(document.date)] if document.date else []
        facts.append(counted(len(opened.passages), "passage"))
        facts += [counted(len(document.pages), "page")] if len(document.pages) > 1 else []
        parts.append((self.glyphs.say(" · ".join(facts)), "$text-muted"))
        self.query_one("#document-head", Static).update(assemble(parts))
        self._say(self._notes(opened))

    def _notes(self, opened: OpenedDocument) -> list[Part]:
        """Return what has to be known of a document, a line each."""
        notes = list[str]()
        masked = sum(span.end - span.start for span in opened.document.mask)
        if masked:
            sign = self.glyphs.furniture
            words = "characters of menus, notices and repeated lines: neither searched nor quoted"
            notes.append(f"{sign} {masked:,} {words}")
        if replaced := count_replaced(opened.document.text):
            notes.append(f"{self.glyphs.dangling} {counted(replaced, 'character')} replaced")
        same = [name for name in opened.sources if name != opened.document.source]
        if same:
            notes.append(f"= the same text as {self._named(same)}")
        if opened.copies:
            names = [name for name, _ in opened.copies]
            notes.append(f"= passages that say the same stand in {self._named(names)}")
        return [("\n".join(notes), "$text-muted")]

    def _named(self, names: list[str]) -> str:
        shown = ", ".join(quote_foreign(name) for name in names[:_MAX_NAMED])
        more = len(names) - _MAX_NAMED
        return f"{shown} and {more:,} more" if more > 0 else shown

    def _say(self, parts: list[Part]) -> None:
        self.query_one("#document-foot", Static).update(assemble(parts))

    # -- finding --------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._find(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_focus(None)

    def _find(self, words: str) -> None:
        """Find all places of `words`, and go to the first at or below the top of the screen."""
        self._search(words)
        top = self.lines.scroll_offset.y
        below = (hit for hit in self.hits if hit.line >= top)
        self._go(next(below, self.hits[0] if self.hits else None), words)
        hidden = frozenset(() if self.hits else ("reading_next",))
        self.query_one(KeyBar).show("reading", True, hidden)

    def _search(self, words: str) -> None:
        """Find all places of `words`, and go nowhere."""
        self.hits = self.layout_.find(words)
        by_paragraph = defaultdict(list)
        for hit in self.hits:
            by_paragraph[hit.paragraph].append(hit)
        self._of_paragraph = dict(by_paragraph)

    def _go(self, hit: Hit | None, words: str) -> None:
        self.here = hit
        if hit is not None:
            number = self.hits.index(hit) + 1
            self._say([(f"{number:,} of {counted(len(self.hits), 'place')}", "bold")])
            self.lines.reveal(hit.line, centred=True)
        elif words.strip():
            self._say([("these words are not in the document", "$text-warning")])
        elif self.opened is not None:
            self._say(self._notes(self.opened))
        self.lines.refresh()

    # -- actions of the command table -----------------------------------------------------------

    def action_find(self) -> None:
        line = self.query_one(Input)
        line.display = True
        self.set_focus(line)  # at once: keys may follow in a burst

    def action_next(self, by: int = 1) -> None:
        if self.here is not None:
            at = (self.hits.index(self.here) + by) % len(self.hits)
            self._go(self.hits[at], "")

    def action_previous(self) -> None:
        self.action_next(-1)

    def action_close(self) -> None:
        line = self.query_one(Input)
        if line.display:
            line.display = False
            self.set_focus(None)
            line.value = ""
        else:
            self.dismiss()

    def action_editor(self) -> None:
        if self.opened is not None:
            document = self.opened.document
            cast("FootnoteApp", self.app).open_in_editor(document.path or document.source, 1)

    def move_by(self, by: int) -> None:
        top = self.lines.scroll_offset.y + by
        self.lines.scroll_to(y=max(0, top), animate=False, force=True)
