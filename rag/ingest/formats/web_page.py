"""Walks through a web page: its lines, headings, tables, lists, definitions and addresses.

Not recursive, because pages nest deeply, and in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from rag.domain import RawDocument, Span, Unit
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.web_lists import Definitions, WebList
from rag.ingest.formats.web_tables import add_web_table, read_table
from rag.ingest.structure.find import find_units

_HIDDEN_TAGS = {"script", "style", "noscript", "template", "svg", "head", "iframe"}
_HEADING_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCK_TAGS = frozenset(
    (
        "p div section article header footer nav aside main h1 h2 h3 h4 h5 h6 li ul ol dl dt dd "
        "table tr td th blockquote pre figure figcaption form fieldset hr br address option "
        "button label"
    ).split()
)
#: parts of a page whose lists are menus
_FURNITURE_TAGS = {"nav", "footer", "aside"}
_FURNITURE_ROLES = {"navigation", "contentinfo", "banner", "complementary", "search", "menu"}
#: classes that say that an element is an address (microformats)
_ADDRESS_CLASSES = {"vcard", "h-card", "adr", "h-adr"}
#: characters of a line that may introduce a list or a table without a colon
_MAX_INTRODUCTION_CHARS = 120
_MAX_CONTEXT_CHARS = 300


def page_blocks(content: bytes) -> tuple[str, list[tuple[str, int]]]:
    """Return the title of a page and its lines with text, each with its heading level or 0."""
    soup = _parse(content)
    lines = _block_lines(_shown_strings(soup))
    return _title(soup), [(line, level) for line, level in lines if line]


class Page:
    """Adds the lines of a page, and notes the units in them."""

    def __init__(self, lines: LineBuilder) -> None:
        self.title = ""
        self._lines = lines
        self._units: list[Unit] = []
        self._tables: list[Span] = []
        self._kept: list[Span] = []
        self._words: list[str] = []
        self._level = self._furniture = self._links = 0
        self._last = ""  #: the line above, if it may introduce what follows
        self._open: list[WebList | Definitions] = []
        self._todo: list[tuple[Any, bool, int]] = []

    def read(self, content: bytes) -> None:
        """Add all that a browser shows."""
        soup = _parse(content)
        self.title = _title(soup)
        self._todo = [(soup, False, 0)]
        while self._todo:
            node, preformatted, level = self._todo.pop()
            if callable(node) and not hasattr(node, "contents"):
                node()
            elif type(node).__name__ in ("str", "NavigableString", "CData"):
                self._add(node if preformatted else re.sub(r"\s+", " ", node), level)
            elif getattr(node, "contents", None) is not None and node.name not in _HIDDEN_TAGS:
                self._element(node, preformatted, level)
        self._end_line()
        for unit in self._units:
            self._lines.unit(unit)

    @property
    def kept(self) -> list[Span]:
        """The tables, lists, definitions and addresses outside of menus, sorted by place."""
        return sorted(self._kept)

    def units(self, raw: RawDocument) -> tuple[Unit, ...]:
        """Return the units of the page, those of its prose too."""
        return find_units(raw.text, raw.units or (), skip=self._tables)

    def _element(self, node: Any, preformatted: bool, level: int) -> None:
        name = node.name
        if name == "table" and self._table(node):
            return
        if name in _BLOCK_TAGS:
            self._end_line()
            self._todo.append((self._end_line, True, level))
        close = self._opened(node)
        if close:
            self._todo.append((close, True, level))
        preformatted = preformatted or name in ("pre", "textarea")
        level = int(name[1]) if name in _HEADING_TAGS else level
        self._todo += [(child, preformatted, level) for child in node.contents[::-1]]

    def _opened(self, node: Any) -> Callable[[], None] | None:
        """Note that an element begins. Returns what is to be done at its end."""
        name, inner = node.name, self._open[-1] if self._open else None
        if name == "a":
            self._links += 1
            return self._end_link
        if name in _FURNITURE_TAGS or node.get("role") in _FURNITURE_ROLES:
            self._furniture += 1
            return self._end_furniture
        if name == "address" or _ADDRESS_CLASSES & {*(node.get("class") or ())}:
            start = self._lines.length
            return lambda: self._end_address(start)
        if name in ("ul", "ol"):
            self._open.append(WebList(self._introduction(), _around(inner), self._lines.length))
            return self._end_group
        if name == "dl":
            self._open.append(Definitions(self._introduction()))
            return self._end_group
        if name == "li" and isinstance(inner, WebList):
            inner.begin(self._lines.length)
            return lambda: self._end_part(inner)
        if name in ("dt", "dd") and isinstance(inner, Definitions):
            inner.begin(name, self._lines.length)
            return lambda: self._end_part(inner)
        return None

    def _end_link(self) -> None:
        self._links -= 1

    def _end_furniture(self) -> None:
        self._furniture -= 1

    def _end_address(self, start: int) -> None:
        self._end_line()
        self._keep(start)

    def _end_part(self, group: WebList | Definitions) -> None:
        self._end_line()
        group.end(self._lines.length)

    def _end_group(self) -> None:
        self._end_line()
        group = self._open.pop()
        if not self._furniture:
            self._units += group.units()
            if group.span and not group.is_menu:
                self._kept.append(group.span)
        self._last = ""

    def _keep(self, start: int) -> None:
        if self._lines.length > start:
            self._kept.append(Span(start, self._lines.length))

    def _table(self, node: Any) -> bool:
        """Add a table of data. Returns False for one that lays out the page."""
        table = read_table(node, _line_of)
        if table is None:
            return False
        self._end_line()
        start = self._lines.length
        add_web_table(self._lines, table, self._introduction())
        self._tables.append(Span(start, self._lines.length))
        if not self._furniture:
            self._keep(start)
        self._last = ""
        return True

    def _introduction(self) -> str:
        """Return the line above if it introduces what follows."""
        last = self._last
        if last.endswith(":") or len(last) <= _MAX_INTRODUCTION_CHARS:
            return last[-_MAX_CONTEXT_CHARS:].rstrip(" :")
        return ""

    def _add(self, text: str, level: int) -> None:
        for number, piece in enumerate(text.split("\n")):
            if number:
                self._end_line()
            self._words.append(piece)
            if piece.strip():
                self._level = max(self._level, level)
                if self._open:
                    self._open[-1].count(len(piece), bool(self._links))

    def _end_line(self) -> None:
        line = " ".join("".join(self._words).split())
        if line:
            if self._open:
                self._open[-1].line(line, self._lines.length)
            self._lines.add(line, self._level)
            self._last = "" if self._level else line
        self._words.clear()
        self._level = 0


def _around(outer: WebList | Definitions | None) -> str:
    """Return what a list in an item of another list belongs to."""
    return outer.path if isinstance(outer, WebList) else ""


def _parse(content: bytes) -> Any:
    from bs4 import BeautifulSoup

    return BeautifulSoup(content, "lxml")


def _title(soup: Any) -> str:
    return str(soup.title.get_text(" ", strip=True)) if soup.title else ""


def _line_of(node: Any) -> str:
    """Return the text of an element on one line."""
    if len(node.contents) == 1 and type(node.contents[0]).__name__ == "NavigableString":
        return " ".join(node.contents[0].split())
    return " ".join("".join(text for text, _ in _shown_strings(node)).split())


def _block_lines(parts: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    words: list[str] = []
    deepest = 0
    for part, level in parts:
        for number, piece in enumerate(part.split("\n")):
            if number:
                yield " ".join("".join(words).split()), deepest
                words, deepest = [], 0
            words.append(piece)
            if piece.strip():
                deepest = max(deepest, level)
    yield " ".join("".join(words).split()), deepest


def _shown_strings(soup: Any) -> Iterator[tuple[str, int]]:
    """Yield the strings that a browser shows, each with its heading level or 0.

    A line break stands where a block begins and where it ends. Not recursive: pages nest deeply.
    """
    todo = [(soup, False, 0)]
    while todo:
        node, preformatted, level = todo.pop()
        if type(node).__name__ in ("str", "NavigableString", "CData"):
            yield node if preformatted else re.sub(r"\s+", " ", node), level
        elif getattr(node, "contents", None) is not None and node.name not in _HIDDEN_TAGS:
            if node.name in _BLOCK_TAGS:
                yield "\n", level
                todo.append(("\n", True, level))
            preformatted = preformatted or node.name in ("pre", "textarea")
            level = int(node.name[1]) if node.name in _HEADING_TAGS else level
            todo += [(child, preformatted, level) for child in node.contents[::-1]]
