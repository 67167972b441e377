"""The line of a search on the screen, and the texts that it looks through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from rag.domain import Span
from rag.text.sanitize import sanitize
from tui.commands import bindings
from tui.render.answer_text import assemble
from tui.render.glyphs import Glyphs
from tui.widgets.text_view import FOUND_STYLE, HERE_STYLE


class Searchable(Protocol):
    """A widget whose text can be searched."""

    @property
    def text(self) -> str: ...

    def row_of(self, offset: int) -> int: ...

    def show_found(self, found: Sequence[Span], here: Span | None) -> None: ...


class SearchableStatic(Static):
    """A text with styles, of which places that were found are marked."""

    def __init__(self, content: Content, *, classes: str) -> None:
        super().__init__(content, markup=False, classes=classes)
        self._base = content

    def put(self, content: Content, layout: bool = True) -> None:
        """Replace the text."""
        self._base = content
        self.update(content, layout=layout)

    @property
    def base(self) -> Content:
        """The text without the marks of what was found."""
        return self._base

    @property
    def text(self) -> str:
        return self._base.plain

    def row_of(self, offset: int) -> int:
        """Return the number of the line of the character at `offset`, from 0."""
        width = max(1, self.content_size.width)
        return len(self._base[: offset + 1].wrap(width)) - 1

    def show_found(self, found: Sequence[Span], here: Span | None) -> None:
        """Mark the places that were found, and the one where the user is."""
        content = self._base
        for span in found:
            style = HERE_STYLE if span == here else FOUND_STYLE
            content = content.stylize(style, span.start, span.end)
        self.update(content, layout=False)


class FindBar(Horizontal, can_focus=True):
    """Takes the words of a search. After Enter, keys move from match to match."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("find"))

    class Changed(Message):
        """The user typed other words."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="find")
        self.display = False
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield Static(Content("find: "), id="find-label", markup=False)
        yield Input(id="find-words", compact=True)
        yield Static(Content(""), id="find-count", markup=False)

    @property
    def words(self) -> Input:
        return self.query_one("#find-words", Input)

    @property
    def is_typing(self) -> bool:
        """Whether the words are being typed."""
        return self.words.has_focus

    def open(self, words: str) -> None:
        """Show the line, with words that are looked for at once."""
        self.display = True
        with self.prevent(Input.Changed):
            self.words.value = words
        self.words.cursor_position = len(words)
        self.words.focus()

    def count(self, says: str) -> None:
        """Show which match this is, and while words are typed how to go on."""
        hint = self._glyphs.say(" · enter, then n N") if says and self.is_typing else ""
        words = f"  {self._glyphs.say(says)}{hint}"
        self.query_one("#find-count", Static).update(assemble([(words, "$text-muted")]))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        clean = sanitize(event.value).replace("\n", " ").replace("\t", " ")
        if clean != event.value:  # pasted
            self.words.value = clean
        else:
            self.post_message(self.Changed(clean))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus()

    def action_edit(self) -> None:
        """Type other words."""
        self.words.focus()

    def on_click(self, event: events.Click) -> None:
        event.stop()
