"""Builds the text of a document that a person writes: paragraphs, lists, tables, notes.

Readers of Word, OpenDocument, RTF and slides say what comes next; here it becomes lines and units.
Items that follow one another are a list with the paragraph before it as introduction. A table has
the caption above or below it as context. Numbers and bullets of lists are no text of the file, so
they are left out; items are in order and nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.domain import Cell, RawDocument, Span, Unit, UnitKind
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.flow_lists import MAX_CONTEXT_CHARS, OpenList, introduction
from rag.ingest.formats.grid import add_form, add_table
from rag.ingest.structure.find import find_units

#: characters before a note that it may belong to, and pieces of text that are looked at
_MAX_PLACE_CHARS, _MAX_PLACE_PIECES = 200, 40
#: cells of all tables of a document
_MAX_CELLS = 2_000_000
#: characters of a line in bold type that may be a heading
_MAX_BOLD_HEADING = 80
#: characters of a line above a table that may name it
_MAX_LABEL_CHARS = 100
_CAPTION = re.compile(
    r"(?:Table|Tab\.|Tabelle|Tableau|Tabla|Tabella|Tabel|Exhibit)\s*[\dIVX]+\b", re.I
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


class Flow:
    """Takes paragraphs, items and tables in the order in which they are read."""

    def __init__(self) -> None:
        self.lines = LineBuilder()
        self._masked: list[Span] = []
        self._known: list[Span] = []  #: lines whose structure is known
        self._list: OpenList | None = None
        self._waiting: Table | None = None  #: a table whose caption may follow
        self._label = ""  #: a line above that table, which names it if no caption does
        self._before = ""  #: the last paragraph, if it may be an introduction or a caption
        self._before_is_caption = False
        self._captions_above = False
        self._cells = 0
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
        caption = caption or (bool(_CAPTION.match(bare)) and len(bare) <= MAX_CONTEXT_CHARS)
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
        if self._list and not self._list.goes_on(Span(start, end), bare.endswith(":"), indented):
            self.end_list()
        self._before = "" if level or taken else bare
        self._before_is_caption = caption and not taken

    def item(self, text: str, depth: int = 0, key: str = "", numbered: bool = False) -> None:
        """Add an item of a list. `key` is that of the list; numbered items of one may lie apart."""
        if not text.strip():
            return
        self._end_table()
        if self._list and not self._list.takes(key, numbered):
            self.end_list()
        if not self._list:
            self._list = OpenList(introduction(self._before), key)
        start = self.lines.length
        for line in text.strip("\n").split("\n"):
            self.lines.add(line.strip())
        span = Span(start, self.lines.length - 1)
        bare = " ".join(text.split())
        self._said.add(bare)
        self._list.add(depth, span, bare)
        self._before = ""

    def table(self, table: Table) -> None:
        """Add a table. Its lines are written when it is known whether a caption follows."""
        self.end_list()
        self._end_table()
        self._waiting = table
        self._said |= {value for row in table.rows for value in row}
        before, is_caption = self._before, self._before_is_caption
        self._captions_above = self._captions_above or is_caption
        if is_caption or before.endswith(":"):
            self._end_table(introduction(before))
        elif 0 < len(before) <= _MAX_LABEL_CHARS and not _NO_LABEL.search(before):
            self._label = before

    def count_cells(self, number: int) -> None:
        """Count cells of tables before they are made: one element may stand for many of them."""
        self._cells += number
        if self._cells > _MAX_CELLS:
            raise Unreadable(
                f"has tables of more than {_MAX_CELLS:,} cells", "save its tables as .csv"
            )

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
        context = context[-MAX_CONTEXT_CHARS:]
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
        units = find_units(raw.text, raw.units or (), skip=self._known)
        return replace(raw, masked=tuple(self._masked), units=units)

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

    @property
    def has_table_waiting(self) -> bool:
        """Is there a table whose lines are not written yet?"""
        return self._waiting is not None

    def _end_table(self, context: str = "") -> None:
        table, self._waiting = self._waiting, None
        if table is None:
            return
        start = self.lines.length
        context = (context or self._label)[:MAX_CONTEXT_CHARS]
        self._label = ""
        if table.form:
            add_form(self.lines, table.rows, context)
        else:
            add_table(self.lines, table.rows, context, table.header_rows)
        self._known.append(Span(start, self.lines.length))
        self.lines.add()
        self._before, self._before_is_caption = "", False

    def end_list(self) -> None:
        """Let a following item be one of another list."""
        ended, self._list = self._list, None
        for unit in ended.units() if ended else ():
            self.lines.unit(unit)


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
