"""Builds the text of a document that a person writes: paragraphs, lists, tables, notes.

Readers of Word, OpenDocument, RTF and slides say what comes next; here it becomes lines and units.
Items that follow one another are a list with the paragraph before it as introduction. A table has
the caption above or below it as context. Numbers and bullets of lists are no text of the file, so
they are left out; items are in order and nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rag.domain import Cell, RawDocument, Span, Unit, UnitKind
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import add_form, add_table
from rag.ingest.structure.fields import read_field
from rag.ingest.structure.find import find_units
from rag.ingest.structure.lines import Line

#: characters of an introduction, a caption, or what a note belongs to
_MAX_CONTEXT_CHARS = 300
#: characters before a note that it may belong to, and pieces of text that are looked at
_MAX_PLACE_CHARS, _MAX_PLACE_PIECES = 200, 40
#: characters of paragraphs in a list that belong to the item before them
_MAX_CONTINUED_CHARS = 400
_MAX_ITEM_LINE_CHARS = 2000
#: characters of a line in bold type that may be a heading
_MAX_BOLD_HEADING = 80
#: characters of a line above a table that may name it
_MAX_LABEL_CHARS = 100
_CAPTION = re.compile(
    r"(?:Table|Tab\.|Tabelle|Tableau|Tabla|Tabella|Tabel|Figure|Exhibit)\s*[\dIVX]+\b", re.I
)
#: a sentence, or an item of a list that was typed
_NO_LABEL = re.compile(r"[.!?;,]$|^[-*•+–] ")
#: a line of a header or footer that gives the page only
_PAGE_NUMBER = re.compile(
    r"[\W\d]*(?:(?:page|seite|p\.|of|von|sur|de|to)\b[\W\d]*){0,3}|\W*[ivx]{1,6}\W*", re.I
)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, merged cells filled.

    `header_rows`: how many rows the file calls headers, None if it does not say. `form`: the cells
    on the left look like names of the values beside them.
    """

    rows: Sequence[Sequence[str]]
    header_rows: int | None = None
    form: bool = False


class _Item(NamedTuple):
    depth: int
    span: Span
    text: str


@dataclass(slots=True)
class _List:
    """A list that is not closed: `key` tells its numbering, `after` are paragraphs since."""

    introduction: str
    key: str
    items: list[_Item] = field(default_factory=list)
    after: list[Span] = field(default_factory=list)
    gap: bool = False  #: a blank line stands after the last item


class Flow:
    """Takes paragraphs, items and tables in the order in which they are read."""

    def __init__(self) -> None:
        self.lines = LineBuilder()
        self._masked: list[Span] = []
        self._known: list[Span] = []  #: lines whose structure is known
        self._list: _List | None = None
        self._waiting: Table | None = None  #: a table whose caption may follow
        self._label = ""  #: a line above that table, which names it if no caption does
        self._before = ""  #: the last paragraph, if it may be an introduction or a caption
        self._before_is_caption = False
        self._captions_above = False
        self._said = set[str]()  #: the lines and cells so far, to know what a header repeats

    # -- what is read

    def paragraph(
        self,
        text: str,
        level: int = 0,
        *,
        caption: bool = False,
        indented: bool = False,
        masked: bool = False,
    ) -> None:
        """Add a paragraph; with `level` it is a heading. Line breaks in it stay.

        `caption`: its style is that of captions. `indented`: it may belong to the item before it.
        """
        bare = " ".join(text.split())
        caption = caption or (bool(_CAPTION.match(bare)) and len(bare) <= _MAX_CONTEXT_CHARS)
        taken = caption and self._caption_below(bare)
        self._said.add(bare)
        self._end_table()
        start = self.lines.length
        if level:
            self.end_list()
            self.lines.add(bare, level)
            self._known.append(Span(start, self.lines.length))
        else:
            for line in text.strip("\n").split("\n"):
                self.lines.add(line.rstrip())
        end = self.lines.length - 1
        if masked and bare:
            self._masked.append(Span(start, end))
        if self._list and not bare:
            self._list.gap = True
        if not bare or masked:
            return
        if self._list and not level:
            self._continue_list(Span(start, end), bare, indented)
        self._before = "" if level or taken else bare
        self._before_is_caption = caption and not taken

    def item(self, text: str, depth: int = 0, key: str = "", numbered: bool = False) -> None:
        """Add an item of a list. `key` is that of the list; numbered items of one may lie apart."""
        if not text.strip():
            return
        self._end_table()
        found = self._list
        if found and found.after and numbered and key == found.key:
            last = found.items[-1]
            found.items[-1] = last._replace(span=Span(last.span.start, found.after[-1].end))
            found.after.clear()
        elif found and (found.after or (found.gap and key != found.key)):
            self.end_list()
        if not self._list:
            self._list = _List(_introduction(self._before), key)
        start = self.lines.length
        for line in text.strip("\n").split("\n"):
            self.lines.add(line.strip())
        span = Span(start, self.lines.length - 1)
        bare = " ".join(text.split())
        self._said.add(bare)
        self._list.items.append(_Item(depth, span, bare))
        self._list.gap, self._before = False, ""

    def table(self, table: Table) -> None:
        """Add a table. Its lines are written when it is known whether a caption follows."""
        self.end_list()
        self._end_table()
        self._waiting = table
        self._said |= {value for row in table.rows for value in row}
        before, is_caption = self._before, self._before_is_caption
        self._captions_above = self._captions_above or is_caption
        if is_caption or before.endswith(":"):
            self._end_table(_introduction(before))
        elif 0 < len(before) <= _MAX_LABEL_CHARS and not _NO_LABEL.search(before):
            self._label = before

    def entry(self, name: str, text: str, context: str) -> None:
        """Add a note as a line. `name` is who says it, `context` what it belongs to."""
        self._end()
        text = " ".join(text.split())
        if not text:
            return
        start = self.lines.length
        self.lines.add(f"{name}: {text}" if name else text)
        value = Span(start + (len(name) + 2) * bool(name), self.lines.length - 1)
        cells = (Cell(name, value, Span(start, start + len(name))),) if name else ()
        context = context[-_MAX_CONTEXT_CHARS:]
        self.lines.unit(Unit(UnitKind.ENTRY, Span(start, value.end), context, cells))

    def page(self) -> None:
        """Begin a new page."""
        self._end()
        self.lines.page()

    def section(self, title: str) -> None:
        """Begin a part that stands outside of the pages, such as the footnotes."""
        self._end()
        start = self.lines.length
        self.lines.add(title, 1)
        self._known.append(Span(start, self.lines.length))

    def margins(self, lines: Iterable[str]) -> None:
        """Add headers and footers. One that repeats a line, or gives the page only, is masked."""
        shown = [line for line in (" ".join(line.split()) for line in lines) if line]
        repeated = [line in self._said or _is_page_number(line) for line in shown]
        if not all(repeated):
            self.section("Headers and footers")
        for line in shown:
            self.paragraph(line, masked=line in self._said or _is_page_number(line))

    def raw(self, title: str = "", date: str | None = None) -> RawDocument:
        """Return the document. Raises `Unreadable` if there is no text."""
        self._end()
        raw = self.lines.raw(title, date)
        done = [Unit(UnitKind.SECTION, span) for span in self._known]
        known = list(raw.units or ())
        units = {*find_units(raw.text, known=[*known, *done]), *known} - {*done}
        ordered = tuple(sorted(units, key=lambda unit: (unit.span.start, -unit.span.end)))
        return replace(raw, masked=tuple(self._masked), units=ordered)

    # -- what it becomes

    def _end(self) -> None:
        self.end_list()
        self._end_table()
        self._before, self._before_is_caption = "", False

    def _caption_below(self, text: str) -> bool:
        """Take `text` as the caption of the table above it, if that waits for one."""
        if self._waiting is None or self._captions_above:
            return False
        self._end_table(text)
        return True

    def _end_table(self, context: str = "") -> None:
        table, self._waiting = self._waiting, None
        if table is None:
            return
        start = self.lines.length
        context = (context or self._label)[:_MAX_CONTEXT_CHARS]
        self._label = ""
        if table.form:
            add_form(self.lines, table.rows, context)
        else:
            add_table(self.lines, table.rows, context, table.header_rows)
        self._known.append(Span(start, self.lines.length))
        self.lines.add()
        self._before, self._before_is_caption = "", False

    def _continue_list(self, span: Span, text: str, indented: bool) -> None:
        """Take a paragraph after an item as a part of it, as one that may be, or end the list."""
        assert self._list
        ends = text.endswith(":")
        last = self._list.items[-1]
        if indented and not ends and not self._list.after:
            self._list.items[-1] = last._replace(span=Span(last.span.start, span.end))
            return
        self._list.after.append(span)
        if ends or span.end - self._list.after[0].start > _MAX_CONTINUED_CHARS:
            self.end_list()

    def end_list(self) -> None:
        """Let a following item be one of another list."""
        ended, self._list = self._list, None
        if ended is None or len(ended.items) < 2:
            return
        whole = Span(ended.items[0].span.start, ended.items[-1].span.end)
        self.lines.unit(Unit(UnitKind.LIST, whole, ended.introduction))
        around: list[_Item] = []
        for item in ended.items:
            while around and around[-1].depth >= item.depth:
                around.pop()
            path = [ended.introduction, *(outer.text.strip(": ") for outer in around)]
            context = " / ".join(part for part in path if part)[-_MAX_CONTEXT_CHARS:]
            self.lines.unit(Unit(UnitKind.ITEM, item.span, context, _item_cells(item)))
            around.append(item._replace(text=item.text[:_MAX_CONTEXT_CHARS]))


def _item_cells(item: _Item) -> tuple[Cell, ...]:
    """Return the cell of an item such as "Deadline: 5 May"."""
    if item.span.end - item.span.start != len(item.text) or len(item.text) > _MAX_ITEM_LINE_CHARS:
        return ()
    found = read_field(Line(item.span.start, item.span.end, item.text, 0, item.span.start))
    return (Cell(found.name, found.value, found.name_span),) if found else ()


def _introduction(paragraph: str) -> str:
    """Return what introduces a list in the paragraph above it, else ""."""
    if len(paragraph) > _MAX_CONTEXT_CHARS:
        if not paragraph.endswith(":"):
            return ""
        paragraph = re.split(r"(?<=[.!?]) ", paragraph[-_MAX_CONTEXT_CHARS:])[-1]
    return paragraph.rstrip(": ")


def _is_page_number(line: str) -> bool:
    """Does a line of a header or footer give the number of the page only?"""
    return len(line) < 40 and bool(_PAGE_NUMBER.fullmatch(line))


def looks_like_form(rows: Sequence[Sequence[str]], bold_names: bool = False) -> bool:
    """Do the cells on the left name the values beside them?

    `bold_names`: the first column is bold, the others are not.
    """
    wide = [row for row in rows if sum(map(bool, row)) > 1]
    if not wide or any(len(row) % 2 for row in wide) or max(map(len, wide)) > 6:
        return False
    if bold_names:
        return len(wide) > 1 and all(len(row) == 2 for row in wide)
    named = sum(all(name.endswith(":") for name in row[::2] if name) for row in wide)
    return 5 * named >= 4 * len(wide)


def last_sentence(pieces: Sequence[str]) -> str:
    """Return the last words of a paragraph so far, of its last sentence: what a note belongs to."""
    words = "".join(piece[-_MAX_PLACE_CHARS:] for piece in pieces[-_MAX_PLACE_PIECES:])
    words = " ".join(words.split())[-_MAX_PLACE_CHARS:]
    return re.split(r"(?<=[.!?]) (?=\S)", words)[-1]


def is_bold_heading(text: str) -> bool:
    """May a paragraph in bold type be a heading that has no style?"""
    text = text.strip()
    return (
        0 < len(text) <= _MAX_BOLD_HEADING
        and "\n" not in text
        and "\t" not in text
        and text[-1] not in ".,;:!"
        and any(map(str.isalpha, text))
    )
