"""Puts the lines, tables and furniture of the pages of a PDF together as one text.

A line of the text is a paragraph: its lines on the page with a blank between them, or nothing where
a hyphen divides a word. A sentence that goes on in the next column or on the next page is not
divided: running heads, notes and tables between its parts stand before or after its paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rag.domain import RawDocument, Span
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import Header, add_table
from rag.ingest.formats.pdf_contents import (
    CONTENTS_NAMES,
    contents_lines,
    is_contents_heading,
    leader_row,
)
from rag.ingest.formats.pdf_furniture import Furniture
from rag.ingest.formats.pdf_layout import TextLine, ends_sentence
from rag.ingest.formats.pdf_tables import Table
from rag.ingest.formats.pdf_words import Word
from rag.text.header_rows import count_header_rows, is_value
from rag.text.units import KnownWords, divided_word, keeps_hyphen

Item = TextLine | Table | Furniture

#: heights that are one
_SAME_HEIGHT = 0.1
#: items between the parts of a sentence
_MAX_BETWEEN = 40
#: characters of a paragraph
_MAX_PARAGRAPH_CHARS = 20_000
_MARK = re.compile(r"(?:[•●○▪◦‣■□*–—-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\[\d+\])\s")
_CAPTION = re.compile(
    r"(?:table|tabelle|tab\.|tableau|tabla|tabella|exhibit|schedule)\s?[\dIVXA-Z]", re.I
)
_MAX_CAPTION_CHARS, _MAX_LABEL_CHARS, _MAX_HEADING_CHARS = 160, 80, 120
#: how much higher than the text a heading is, by its level
_HEADING_HEIGHTS = (1.7, 1.35, 1.14)


class _Between(NamedTuple):
    """An item that stands between the parts of a paragraph, and its page."""

    page: int
    item: Item


class _Paragraph:
    """A paragraph that may go on."""

    def __init__(self, line: TextLine, page: int) -> None:
        self.first = self.last = line
        self.page = self.last_page = page
        self.text = line.text
        self.breaks: list[tuple[int, int]] = []  #: offset and number of each page that begins in it

    @property
    def is_unfinished(self) -> bool:
        """May it go on elsewhere?"""
        return not ends_sentence(self.text) and " " in self.text

    def add(self, line: TextLine, page: int, known: KnownWords) -> None:
        """Add a line, without the hyphen that divides a word."""
        if divided_word(self.text, line.text):
            if not keeps_hyphen(self.text, line.text, known):
                self.text = self.text[:-1]
        elif self.text[-1] not in "-–/" or not self.text[-2:-1].isalnum():
            self.text += " "
        if page > self.last_page:
            self.breaks += [(len(self.text), n) for n in range(self.last_page + 1, page + 1)]
            self.last_page = page
        self.text += line.text
        self.last = line


class PdfText:
    """The text of a PDF, page by page."""

    def __init__(self, *, headings: bool) -> None:
        """With `headings`, higher lines are headings."""
        self.lines = LineBuilder()
        self.page_starts: list[int] = []
        self.words = KnownWords()
        self._number = -1
        self._headings = headings
        self._heights = Counter[float]()
        self._masked: list[Span] = []
        self._open: _Paragraph | None = None
        self._between: list[_Between] = []
        self._table: tuple[Header, Table] | None = None
        self._label = ""  #: the last line, if a table may be about it
        self._contents = False  #: the last heading is that of a table of contents

    def finish(self) -> None:
        """Add what is left."""
        self._close()
        self._begin_page(self._number)

    def learn(self, words: Sequence[Word]) -> None:
        """Count the heights of words and keep the words of a page that is added later."""
        for height, count in Counter([word.y1 - word.y0 for word in words]).items():
            self._heights[round(height, 1)] += count
        self.words.learn([word.text for word in words])

    def add_page(self, number: int, items: Sequence[Item]) -> None:
        """Add the items of page `number` (from 0)."""
        self._number = number
        rows = [leader_row(item) for item in items]
        pages = contents_lines(items, rows)
        for at, item in enumerate(items):
            row = rows[at]
            if row:
                self._close()
                self._begin_page(number)
                names = CONTENTS_NAMES if pages[at] or self._contents else ()
                self.lines.row(names, row, self._label if self._contents else "")
            elif isinstance(item, TextLine):
                self._add_line(item, number)
            elif isinstance(item, Table) and not (self._open and self._open.is_unfinished):
                self._close()
                below = items[at + 1] if at + 1 < len(items) else None
                self._add_table(item, number, below)
            elif self._open and len(self._between) < _MAX_BETWEEN:
                self._between.append(_Between(number, item))
            else:
                self._close()
                self._emit(item, number)
        if not (self._open and self._open.is_unfinished):
            self._close()
            self._begin_page(number)

    def raw(self, title: str, date: str | None) -> RawDocument:
        """Return the document. Raises `Unreadable` without text."""
        raw = self.lines.raw(title, date)
        return replace(raw, masked=tuple(self._masked))

    # -- paragraphs

    def _add_line(self, line: TextLine, number: int) -> None:
        paragraph = self._open
        if paragraph:
            if self._goes_on(paragraph, line, number):
                paragraph.add(line, number, self.words)
                return
            if (
                paragraph.is_unfinished
                and line.height < (1 - _SAME_HEIGHT) * paragraph.last.height
                and len(self._between) < _MAX_BETWEEN
            ):  # a note at the foot of the page, a caption
                self._between.append(_Between(number, line))
                return
            self._close()
        self._open = _Paragraph(line, number)

    def _goes_on(self, paragraph: _Paragraph, line: TextLine, number: int) -> bool:
        """Does the line go on with the paragraph?"""
        last, text = paragraph.last, paragraph.text
        height = last.height
        if abs(line.height - height) > _SAME_HEIGHT * height or len(text) > _MAX_PARAGRAPH_CHARS:
            return False
        elsewhere = line.top or number > paragraph.last_page or bool(self._between)
        if (
            elsewhere
            and len(paragraph.breaks)
            and any(
                between.page < number and not isinstance(between.item, Furniture)
                for between in self._between
            )
        ):
            return False  # it would be moved to another page
        full = last.room < line.first_width + 0.3 * height
        lower = line.text[:1].islower()
        ended = ends_sentence(text)
        if divided_word(text, line.text):
            return elsewhere or not line.apart
        if _MARK.match(line.text) and (ended or not full or not last.wrapped):
            return False
        if elsewhere:
            return not ended and (lower or (full and last.wrapped and line.wrapped))
        marked = _MARK.match(paragraph.first.text)
        runs_on = lower and not ended and (marked or last.room < 0.4 * last.column)
        if line.apart or not (full or runs_on):
            return False
        hangs = marked and last is paragraph.first
        if line.indent > last.indent + 0.8 * height and not hangs:
            return False
        if line.indent < last.indent - 0.8 * height and last is not paragraph.first:
            return False
        return last.wrapped or bool(runs_on)

    def _close(self) -> None:
        """Emit the paragraph that is open, and what stands between its parts and after it."""
        paragraph, between = self._open, self._between
        self._open, self._between = None, []
        if paragraph is None:
            return
        first = 0
        if paragraph.breaks:
            while first < len(between) and between[first].page == paragraph.page:
                first += 1
        self._emit_all(between[:first])
        self._emit_paragraph(paragraph)
        self._emit_all(between[first:])

    def _emit_all(self, between: Sequence[_Between]) -> None:
        """Emit items; lines of text among them are paragraphs of their own."""
        notes: _Paragraph | None = None
        for page, item in between:
            if isinstance(item, TextLine):
                if notes and self._goes_on(notes, item, page):
                    notes.add(item, page, self.words)
                    continue
                if notes:
                    self._emit_paragraph(notes)
                notes = _Paragraph(item, page)
                continue
            if notes:
                self._emit_paragraph(notes)
            notes = None
            self._emit(item, page)
        if notes:
            self._emit_paragraph(notes)

    def _emit_paragraph(self, paragraph: _Paragraph) -> None:
        self._begin_page(paragraph.page)
        line, text = paragraph.first, paragraph.text
        at_top = bool(self.page_starts) and self.page_starts[-1] == self.lines.length
        if line.apart and not line.top and not at_top:
            self.lines.add()
        start = self.lines.length
        for offset, number in paragraph.breaks:
            while len(self.page_starts) <= number:
                self.page_starts.append(self.lines.page(start + offset))
        level = self._level(paragraph)
        self.lines.add(text, level)
        self._table = None
        ended = ends_sentence(text) and not _CAPTION.match(text)
        self._label = "" if ended or len(text) > _MAX_CAPTION_CHARS else text.rstrip(":")
        self._contents = is_contents_heading(text)

    def _level(self, paragraph: _Paragraph) -> int:
        """Return the level of a heading by its height, or 0."""
        text = paragraph.text
        if not self._headings or len(text) > _MAX_HEADING_CHARS or text.endswith((".", ",", ";")):
            return 0
        if not self._heights or not re.search(r"[^\W\d_]{2}", text):
            return 0
        usual = self._heights.most_common(1)[0][0]
        for level, ratio in enumerate(_HEADING_HEIGHTS, 1):
            if paragraph.first.height >= ratio * usual:
                return level
        return 0

    # -- tables and furniture

    def _emit(self, item: Item, number: int) -> None:
        if isinstance(item, Table):
            self._add_table(item, number, None)
        elif isinstance(item, Furniture):
            self._begin_page(number)
            start = self.lines.length
            self.lines.add(item.text)
            if item.repeats:
                self._masked.append(Span(start, start + len(item.text)))

    def _add_table(self, table: Table, number: int, below: Item | None) -> None:
        """Add a table, which may go on with the last one."""
        self._begin_page(number)
        header = self._table[0] if self._table and _same_columns(self._table[1], table) else None
        if header and header.rows and table.rows[0] != tuple(header.rows[0]):
            header = header if not _has_own_header(table) else None
        context = self._label
        if not _CAPTION.match(context):
            context = context if len(context) <= _MAX_LABEL_CHARS else ""
            if isinstance(below, TextLine) and _CAPTION.match(below.text):
                context = below.text[:_MAX_CAPTION_CHARS]
        names = CONTENTS_NAMES if self._contents and len(table.edges) == 2 else ()
        if names and header is None:
            header = Header([], list(names), self._label)
        self._table = add_table(self.lines, table.rows, context, header=header), table

    def _begin_page(self, number: int) -> None:
        while len(self.page_starts) <= number:  # a missing page has its number too
            self.page_starts.append(self.lines.page())


def _same_columns(a: Table, b: Table) -> bool:
    """Do two tables have the same columns?"""
    return len(a.edges) == len(b.edges) and (
        a.rows[0] == b.rows[0]
        or all(abs(x - y) <= 12 for x, y in zip(a.edges, b.edges, strict=True))
    )


def _has_own_header(table: Table) -> bool:
    rows = [list(row) for row in table.rows]
    return bool(count_header_rows(rows)) and any(is_value(cell) for row in rows[1:] for cell in row)
