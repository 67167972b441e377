"""A widget for many lines, of which only those on the screen are made."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

#: Returns the content of a line by its number and the width in cells.
MakeLine = Callable[[int, int], Content]


class LineList(ScrollView, can_focus=False):
    """Shows `count` lines, each of one row. `at` is the line of the cursor; None without one."""

    class Clicked(Message):
        """A click on line `number`."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Resized(Message):
        """The list has a new width."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.count = 0
        self.at: int | None = None
        self._line: MakeLine = lambda number, width: Content("")

    def show(self, count: int, line: MakeLine, at: int | None = None) -> None:
        """Replace the lines."""
        self.count, self._line = count, line
        self.virtual_size = Size(self.inner_width, count)
        self.move_to(at)

    @property
    def inner_width(self) -> int:
        """The width of a line, in cells."""
        return max(1, self.scrollable_content_region.width)

    def move_to(self, at: int | None) -> None:
        """Put the cursor on a line that exists, and scroll to it."""
        self.at = None if at is None or not self.count else min(max(0, at), self.count - 1)
        if self.at is not None:
            self.reveal(self.at)
        self.refresh()

    def reveal(self, number: int, centred: bool = False) -> None:
        """Scroll until line `number` is on the screen; to its middle if it was not there."""
        height = max(1, self.scrollable_content_region.height)
        top = self.scroll_offset.y
        if top <= number < top + height:
            return
        above = height // 3 if centred else (0 if number < top else height - 1)
        self.scroll_to(y=max(0, number - above), animate=False, force=True, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.inner_width, self.count)
        if self.at is not None:
            self.reveal(self.at)
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        number, width = self.scroll_offset.y + y, self.inner_width
        if not 0 <= number < self.count:
            return Strip.blank(width, self.rich_style)
        content = self._line(number, width)
        if number == self.at:
            content = content.stylize_before("on $boost")
        strips = Visual.to_strips(self, content, width, 1, self.visual_style)
        strip = strips[0] if strips else Strip.blank(width, self.rich_style)
        return strip.adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        number = self.scroll_offset.y + place.y
        if 0 <= number < self.count:
            event.stop()
            self.post_message(self.Clicked(number))
