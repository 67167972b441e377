"""Lists and definitions of web pages as units of the lines that they become."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.fields import read_field
from rag.ingest.structure.lines import Line

_MAX_CONTEXT_CHARS = 300
_MAX_NAME_CHARS = 80
#: words from which a value is a statement
_MIN_STATEMENT_WORDS = 4
#: definitions that are one record; of more, each is an entry
_MAX_FIELDS = 20
#: share of the characters of a menu that are links
_LINKED = 0.8


@dataclass(slots=True)
class _Item:
    start: int
    end: int = 0  #: of its own lines, without those of a list in it
    text: str = ""  #: its first line


@dataclass(slots=True)
class WebList:
    """A list (ul, ol) that is read. `around` is the item of another list that it lies in."""

    introduction: str
    around: str
    start: int
    items: list[_Item] = field(default_factory=list)
    last: int = 0
    chars: int = 0
    linked: int = 0
    _is_in_item: bool = False

    def begin(self, at: int) -> None:
        """Begin an item."""
        self.items.append(_Item(at))
        self._is_in_item = True

    def end(self, at: int) -> None:
        """End an item; `at` is where the next line begins."""
        self._is_in_item = False
        self.last = at - 1

    def line(self, text: str, at: int) -> None:
        """Take a line of the list."""
        if self.items and self._is_in_item:
            item = self.items[-1]
            item.text = item.text or text
            item.end = at + len(text)

    def count(self, chars: int, is_link: bool) -> None:
        """Count characters of its text."""
        self.chars += chars
        self.linked += chars if is_link else 0

    @property
    def path(self) -> str:
        """The introduction and the present item: what a list in this item belongs to."""
        item = self.items[-1].text.strip(": ") if self.items else ""
        return " / ".join(part for part in (self.context, item) if part)

    @property
    def context(self) -> str:
        """What the items belong to."""
        return (self.around or self.introduction)[-_MAX_CONTEXT_CHARS:]

    @property
    def span(self) -> Span | None:
        """Its lines."""
        return Span(self.start, self.last) if self.last > self.start else None

    @property
    def is_menu(self) -> bool:
        """Is nearly all of it links?"""
        return self.linked > _LINKED * self.chars

    def units(self) -> list[Unit]:
        """Return the list and its items."""
        full = [item for item in self.items if item.end > item.start]
        if len(full) < 2 or self.span is None:
            return []
        whole = Span(full[0].start, max(self.last, full[-1].end))
        items = [Unit(UnitKind.ITEM, _own(item), self.context, _cells(item)) for item in full]
        return [Unit(UnitKind.LIST, whole, self.context), *items]


def _own(item: _Item) -> Span:
    return Span(item.start, item.end)


def _cells(item: _Item) -> tuple[Cell, ...]:
    """Return the field of an item such as "Deadline: 5 May"."""
    if item.end - item.start != len(item.text):
        return ()
    found = read_field(Line(item.start, item.end, item.text, 0, item.start))
    return (Cell(found.name, found.value, found.name_span),) if found else ()


@dataclass(slots=True)
class _Part:
    is_term: bool
    start: int
    end: int = 0
    text: str = ""


@dataclass(slots=True)
class Definitions:
    """A list of definitions (dl) that is read: terms (dt) and what is said of them (dd)."""

    introduction: str
    parts: list[_Part] = field(default_factory=list)

    def begin(self, name: str, at: int) -> None:
        """Begin a term or a definition."""
        self.parts.append(_Part(name == "dt", at))

    def end(self, at: int) -> None:
        """End it; `at` is where the next line begins."""

    def line(self, text: str, at: int) -> None:
        """Take a line of it."""
        if self.parts:
            part = self.parts[-1]
            part.text = f"{part.text} {text}".strip() if len(part.text) < 10_000 else part.text
            part.end = at + len(text)

    def count(self, chars: int, is_link: bool) -> None:
        """Definitions are no menus."""

    is_menu = False

    @property
    def span(self) -> Span | None:
        """Its lines."""
        full = [part for part in self.parts if part.end > part.start]
        return Span(full[0].start, full[-1].end) if full else None

    def units(self) -> list[Unit]:
        """Return a record if the values are short, else an entry for each term."""
        fields = list(self._fields())
        if not fields:
            return []
        context = self.introduction[-_MAX_CONTEXT_CHARS:]
        names = [cell.header for _, cell, _ in fields]
        statements = all(len(text.split()) >= _MIN_STATEMENT_WORDS for _, _, text in fields)
        if 1 < len(fields) <= _MAX_FIELDS and len({*names}) == len(names) and not statements:
            whole = Span(fields[0][0].start, fields[-1][0].end)
            return [Unit(UnitKind.RECORD, whole, context, tuple(cell for _, cell, _ in fields))]
        return [Unit(UnitKind.ENTRY, span, context, (cell,)) for span, cell, _ in fields]

    def _fields(self) -> list[tuple[Span, Cell, str]]:
        """Return place, cell and value of each term with its definitions."""
        full = [part for part in self.parts if part.end > part.start]
        begins = [
            n for n, part in enumerate(full) if part.is_term and (not n or not full[n - 1].is_term)
        ]
        fields = []
        for begin, end in pairwise([*begins, len(full)]):
            terms = [part for part in full[begin:end] if part.is_term]
            said = [part for part in full[begin:end] if not part.is_term]
            if said:
                name = " / ".join(term.text.rstrip(" :") for term in terms)[:_MAX_NAME_CHARS]
                value = Span(said[0].start, said[-1].end)
                cell = Cell(name, value, Span(terms[0].start, terms[-1].end))
                text = " ".join(part.text for part in said)
                fields.append((Span(terms[0].start, value.end), cell, text))
        return fields
