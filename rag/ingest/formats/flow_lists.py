"""A list of a document that a person writes, while its items are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.fields import read_field
from rag.ingest.structure.lines import Line

#: characters of an introduction, or of another context
MAX_CONTEXT_CHARS = 300
#: characters of paragraphs in a list that belong to the item before them
_MAX_CONTINUED_CHARS = 400
_MAX_ITEM_LINE_CHARS = 2000


class Item(NamedTuple):
    """An item, how deep it is nested, and its text on one line."""

    depth: int
    span: Span
    text: str


@dataclass(slots=True)
class OpenList:
    """A list that is not closed: `key` tells its numbering, `after` are paragraphs since."""

    introduction: str
    key: str
    items: list[Item] = field(default_factory=list)
    after: list[Span] = field(default_factory=list)
    gap: bool = False  #: a blank line stands after the last item

    def takes(self, key: str, numbered: bool) -> bool:
        """May an item belong to the list? Paragraphs before it become part of the last item."""
        if not self.after:
            return not self.gap or key == self.key
        if not numbered or key != self.key:
            return False
        self._extend(self.after[-1].end)
        self.after.clear()
        return True

    def add(self, depth: int, span: Span, text: str) -> None:
        """Add an item."""
        self.items.append(Item(depth, span, text))
        self.gap = False

    def goes_on(self, span: Span, ends: bool, indented: bool) -> bool:
        """Take a paragraph after an item. Returns whether the list may go on after it.

        `ends`: it introduces something new. An indented one is a part of the item.
        """
        if indented and not ends and not self.after:
            self._extend(span.end)
            return True
        self.after.append(span)
        return not ends and span.end - self.after[0].start <= _MAX_CONTINUED_CHARS

    def _extend(self, end: int) -> None:
        last = self.items[-1]
        self.items[-1] = last._replace(span=Span(last.span.start, end))

    def units(self) -> Iterator[Unit]:
        """Yield the list and its items; none for a single item."""
        if len(self.items) < 2:
            return
        whole = Span(self.items[0].span.start, self.items[-1].span.end)
        yield Unit(UnitKind.LIST, whole, self.introduction)
        around: list[Item] = []
        for item in self.items:
            while around and around[-1].depth >= item.depth:
                around.pop()
            path = [self.introduction, *(outer.text.strip(": ") for outer in around)]
            context = " / ".join(part for part in path if part)[-MAX_CONTEXT_CHARS:]
            yield Unit(UnitKind.ITEM, item.span, context, _item_cells(item))
            around.append(item._replace(text=item.text[:MAX_CONTEXT_CHARS]))


def _item_cells(item: Item) -> tuple[Cell, ...]:
    """Return the cell of an item such as "Deadline: 5 May"."""
    if item.span.end - item.span.start != len(item.text) or len(item.text) > _MAX_ITEM_LINE_CHARS:
        return ()
    found = read_field(Line(item.span.start, item.span.end, item.text, 0, item.span.start))
    return (Cell(found.name, found.value, found.name_span),) if found else ()


def introduction(paragraph: str) -> str:
    """Return what introduces a list in the paragraph above it, else ""."""
    if len(paragraph) > MAX_CONTEXT_CHARS:
        if not paragraph.endswith(":"):
            return ""
        paragraph = re.split(r"(?<=[.!?]) ", paragraph[-MAX_CONTEXT_CHARS:])[-1]
    return paragraph.rstrip(": ")
