"""The widget for long foreign text: literal, wrapped by offsets, with styles and a gutter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.content import Span as StyledSpan
from textual.geometry import Size
from textual.message import Message
from textual.selection import Selection
from textual.widget import Widget

from rag.domain import Span
from rag.text.sanitize import sanitize
from tui.render.wrap import wrap_text

#: The styles of a match: where the user is, and elsewhere. They differ without colours too.
HERE_STYLE, FOUND_STYLE = "bold reverse", "bold underline"
#: A span and its style.
Style = tuple[Span, str]
#: A span whose lines are marked in the gutter, the sign, and the style of the sign.
Mark = tuple[Span, str, str]


class TextView(Widget):
    """Shows sanitized text. All offsets are offsets into that text."""

    ALLOW_SELECT: ClassVar[bool] = True
    GUTTER = 2  #: cells

    class Clicked(Message):
        """A click on the character at `offset`."""

        def __init__(self, view: TextView, offset: int) -> None:
            super().__init__()
            self.view = view
            self.offset = offset

    def __init__(
        self, text: str = "", *, name: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=name, classes=classes)
        self._styles: tuple[Style, ...] = ()
        self._marks: tuple[Mark, ...] = ()
        self._found: tuple[Style, ...] = ()
        self._wrapped: tuple[int, list[Span]] = (-1, [])
        self.text = _clean(text)

    def show(self, text: str, styles: Sequence[Style] = (), marks: Sequence[Mark] = ()) -> None:
        """Replace text, styles and marks. The layout changes only if the number of lines does."""
        clean = _clean(text)
        height = len(self.rows())
        if clean != self.text:
            self.text, self._wrapped, self._found = clean, (-1, []), ()
        self._styles, self._marks = tuple(styles), tuple(marks)
        self.refresh(layout=len(self.rows()) != height)

    def show_found(self, found: Sequence[Span], here: Span | None) -> None:
        """Mark the places that were found, and the one where the user is."""
        marked = tuple((span, HERE_STYLE if span == here else FOUND_STYLE) for span in found)
        if marked != self._found:
            self._found = marked
            self.refresh()

    def rows(self, width: int | None = None) -> list[Span]:
        """Return the lines on the screen as spans of the text. `width` is in cells."""
        cells = max(1, (laid_width(self) if width is None else width) - self.GUTTER)
        if self._wrapped[0] != cells:
            self._wrapped = (cells, wrap_text(self.text, cells))
        return self._wrapped[1]

    def row_of(self, offset: int) -> int:
        """Return the number of the line of the character at `offset`, from 0."""
        rows = self.rows()
        return max((n for n, row in enumerate(rows) if row.start <= offset), default=0)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.rows(width)) if width else 0

    def render(self) -> Content:
        parts: list[str] = []
        spans: list[StyledSpan] = []
        at = 0
        for row in self.rows():
            sign, style = self._mark(row)
            if sign:
                spans.append(StyledSpan(at, at + len(sign), style))
            head = sign + " " * (self.GUTTER - cell_len(sign))
            at += len(head)
            shift = at - row.start
            for span, span_style in (*self._styles, *self._found):
                if span.start < row.end and row.start < span.end:
                    start, end = max(span.start, row.start), min(span.end, row.end)
                    spans.append(StyledSpan(shift + start, shift + end, span_style))
            parts.append(head + row.of(self.text))
            at += row.end - row.start + 1
        return Content("\n".join(parts), spans)

    def _mark(self, row: Span) -> tuple[str, str]:
        """Return the sign in the gutter of a line and its style; two empty strings without one."""
        for span, sign, style in self._marks:
            if span.start < max(row.end, row.start + 1) and row.start < span.end:
                return sign, style
        return "", ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, without the gutter and without the newlines of the wrapping."""
        rows = self.rows()
        if not rows:
            return None

        def offset_at(x: int, y: int) -> int:
            row = rows[min(y, len(rows) - 1)]
            return row.start + min(max(0, x - self.GUTTER), row.end - row.start)

        start = offset_at(*selection.start) if selection.start is not None else 0
        end = offset_at(*selection.end) if selection.end is not None else len(self.text)
        return self.text[start:end], "\n"

    def on_click(self, event: events.Click) -> None:
        rows = self.rows()
        if not 0 <= event.y < len(rows):
            return
        row, cells = rows[event.y], max(0, event.x - self.GUTTER)
        offset = row.start
        while offset < row.end and cell_len(self.text[row.start : offset + 1]) <= cells:
            offset += 1
        self.post_message(self.Clicked(self, min(offset, max(row.start, row.end - 1))))


def laid_width(widget: Widget) -> int:
    """Return the width inside a widget at its last layout.

    `Widget.content_size` is empty between the moment a widget is shown and the next layout.
    """
    return widget.outer_size.width - widget.gutter.width


def _clean(text: str) -> str:
    return sanitize(text).replace("\t", " ")
