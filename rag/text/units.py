"""Units of a text, and the text as it is read: with names of columns, without line-end hyphens.

`units_to_json` writes units for the library and for the pipe of a child process. In the view of a
chunk each value of a row stands after the name of its column, and a word that a hyphen divides at
the end of a line is one word. The view is longer than the chunk; `View.span` maps a place in it
back to the text of the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rag.domain import Cell, Chunk, Span, Unit, UnitKind

#: characters of a name or context
_MAX_CONTEXT_CHARS = 300
_KINDS = list(UnitKind)


def unit_order(unit: Unit) -> tuple[int, int]:
    """The order of units by place, the outer one first."""
    return unit.span.start, -unit.span.end


def units_to_json(units: Sequence[Unit]) -> list[Any]:
    """Return units as JSON: a list of their texts, each once, and flat numbers for each unit.

    A unit is its kind, start, length, context and row, then its cells. A cell is its header, the
    gap to its value from the end of the value before it, and the length of the value; a header
    below 0 is the name at -1 - header, and start and length of the name follow. Small and repeated
    numbers keep a table of 100,000 rows small, on the pipe, in memory and in the library.
    """
    numbers = dict[str, int]()

    def number(text: str) -> int:
        return numbers.setdefault(text[:_MAX_CONTEXT_CHARS], len(numbers))

    rows = []
    for unit in units:
        at = unit.span.start
        flat = [_KINDS.index(unit.kind), at, unit.span.end - at, number(unit.context), unit.row]
        for cell in unit.cells:
            header, span = number(cell.header), cell.span
            flat += (-1 - header if cell.name else header, span.start - at, span.end - span.start)
            if cell.name:
                flat += (cell.name.start - unit.span.start, cell.name.end - cell.name.start)
            at = span.end
        rows.append(flat)
    return [list(numbers), rows] if rows else []


def units_from_json(value: Any, length: int) -> tuple[Unit, ...]:
    """Return the units of `units_to_json` for a text of `length` characters.

    Raises `ValueError` for any other value and for places outside of the text.
    """
    if not value:
        return ()
    try:
        texts, rows = value
        return tuple(_unit(texts, row, length) for row in rows)
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError("no units of a text") from error


def _unit(texts: Sequence[str], flat: Sequence[int], length: int) -> Unit:
    if not {*map(type, flat)} <= {int}:
        raise ValueError("numbers that are none")
    kind, start, size, context, row = flat[:5]
    span, at, place = _span(start, size, length), start, 5
    cells = list[Cell]()
    while place < len(flat):
        header, name = flat[place], None
        value = _span(at + flat[place + 1], flat[place + 2], length)
        place += 3
        if header < 0:
            header = -1 - header
            name = _span(start + flat[place], flat[place + 1], length)
            place += 2
        cells.append(Cell(_text(texts, header), value, name))
        at = value.end
    if kind < 0 or row < 0:
        raise ValueError("a unit of no kind or row")
    return Unit(_KINDS[kind], span, _text(texts, context), tuple(cells), row)


def _text(texts: Sequence[str], number: int) -> str:
    text = texts[number]
    if number < 0 or not isinstance(text, str):
        raise ValueError("a text that is none")
    return text


def _span(start: int, size: int, length: int) -> Span:
    if not (0 <= start <= start + size <= length):
        raise ValueError("a place outside of the text")
    return Span(start, start + size)


def sheet_rows(chunk: Chunk, span: Span | None = None) -> tuple[str, int, int]:
    """Return the sheet of a passage of a workbook and its first and last row; zeros for another.

    Only the rows in `span` count, if it is given.
    """
    span = span or chunk.span
    rows = [unit.row for unit in chunk.units if unit.row and unit.span.overlaps(span)]
    if not rows:
        return "", 0, 0
    return chunk.heading.partition(" › ")[0], rows[0], max(rows)


class UnitsInOrder:
    """The units of a text, asked for span by span from its beginning to its end."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units, self._next = units, 0
        self._open: list[Unit] = []

    def within(self, span: Span) -> tuple[Unit, ...]:
        """Return the units that overlap `span`, which begins no earlier than the last one."""
        while self._next < len(self._units) and self._units[self._next].span.start < span.end:
            self._open.append(self._units[self._next])
            self._next += 1
        self._open = [unit for unit in self._open if unit.span.end > span.start]
        return tuple(unit for unit in self._open if unit.span.start < span.end)


def units_within(units: Sequence[Unit], span: Span) -> tuple[Unit, ...]:
    """Return the units that overlap `span`; `units` are sorted by place."""
    last = bisect_left(units, span.end, key=lambda unit: unit.span.start)
    return tuple(unit for unit in units[:last] if unit.span.end > span.start)


#: characters at the beginning of a text in which its own heading is looked for
_MAX_HEADING_CHARS = 200


class _Part(NamedTuple):
    """A part of the view that is a part of the document."""

    start: int  #: in the view
    span: Span  #: in the document


class View(NamedTuple):
    """A text for reading, and where its parts come from."""

    text: str
    parts: tuple[_Part, ...]

    def span(self, place: Span) -> Span | None:
        """Return the place in the document of a place in the view.

        None if the place has words that are not in the document, such as the name of a column.
        """
        number = bisect_right(self.parts, place.start, key=lambda part: part.start) - 1
        if number < 0:
            return None
        start, span = self.parts[number]
        begin = place.start + span.start - start
        while place.end > start + span.end - span.start:  # over the parts of a divided word
            end = start + span.end - span.start
            number += 1
            if number == len(self.parts) or self.parts[number].start != end:
                return None
            start, span = self.parts[number]
        return Span(begin, place.end + span.start - start)

    def after(self, words: str) -> View:
        """Return the view with `words` before it, which are no part of the document."""
        parts = (_Part(start + len(words), span) for start, span in self.parts)
        return View(words + self.text, tuple(parts))


def view_of(chunk: Chunk) -> View:
    """Return the view of a chunk. Without rows of tables it is the text itself."""
    builder, at = _Builder(chunk.text, chunk.span.start), chunk.span.start
    for unit in chunk.units:
        if unit.kind is UnitKind.ROW and at <= unit.span.start and unit.span.end <= chunk.span.end:
            builder.copy(Span(at, unit.span.start))
            builder.row(unit)
            at = unit.span.end
    builder.copy(Span(at, chunk.span.end))
    return View("".join(builder.texts), tuple(builder.parts))


def context_of(
    chunk: Chunk, span: Span, names: bool = False, units: Sequence[Unit] | None = None
) -> list[str]:
    """Return headings, introduction or caption of a place, without what its text begins with.

    With `names`, those of the columns of a row are the last part. `units` are those that overlap
    the place, if the caller knows them.
    """
    around = [unit for unit in (chunk.units if units is None else units) if span.within(unit.span)]
    section = next((u.context for u in around[::-1] if u.kind is UnitKind.SECTION), chunk.heading)
    parts = section.split(" › ")
    parts += [unit.context for unit in around if unit.kind is not UnitKind.SECTION]
    begin = span.start - chunk.span.start
    text = chunk.text[begin : begin + _MAX_HEADING_CHARS].lstrip("#*_ ")
    parts = [
        part
        for part in dict.fromkeys(parts)
        if part and part != chunk.title and not text.startswith(part)
    ]
    headers = [c.header for u in around if names and u.kind is UnitKind.ROW for c in u.cells]
    if any(headers):
        parts.append(" | ".join(filter(None, headers)))
    return parts


def row_text(unit: Unit, text: str, names: bool = True) -> str:
    """Return a row of the document `text` as it is read, with or without names of columns."""
    builder = _Builder(text, 0)
    builder.row(unit, names)
    return "".join(builder.texts)


class _Builder:
    """Collects the texts of a view and their places."""

    def __init__(self, text: str, begin: int) -> None:
        """`text` begins at offset `begin` of its document."""
        self._text, self._begin = text, begin
        self.texts: list[str] = []
        self.parts: list[_Part] = []
        self._length = 0

    def copy(self, span: Span) -> None:
        """Add a part of the document, without the hyphens that divide words at line ends."""
        start = span.start - self._begin
        if self._text.find("-", start, span.end - self._begin) < 0:
            self._copy(span)
            return
        for divided in divisions(self._text, start, span.end - self._begin):
            self._copy(Span(start + self._begin, divided.start + self._begin))
            start = divided.end
        self._copy(Span(start + self._begin, span.end))

    def _copy(self, span: Span) -> None:
        start, end = span.start, span.end
        if start < end:
            self.parts.append(_Part(self._length, span))
            self._add(self._text[start - self._begin : end - self._begin])

    def row(self, unit: Unit, names: bool = True) -> None:
        """Add a row: its values, with `names` each after its name, divided by semicolons."""
        at = unit.span.start
        for number, cell in enumerate(unit.cells):
            if cell.span.start < at:
                continue
            between = "; " if number else ""
            self._add(f"{between}{cell.header}: " if names and cell.header else between)
            self.copy(cell.span)
            at = cell.span.end

    def _add(self, text: str) -> None:
        if text:
            self.texts.append(text)
            self._length += len(text)


#: the last word of a line that ends in a hyphen, and the first word of a line
_LAST = re.compile(r"(?P<word>[^\s\W\d_][\w'’\-]*)-$")
_FIRST = re.compile(r"[^\W\d_][\w'’\-]*")
#: a hyphen and a line break inside a word
_BREAK = re.compile(r"(?<=[^\W\d_])-\r?\n[ \t]*(?=[^\W\d_])")
#: parts of a word that keep their hyphen
_KEEPING = frozenset("self well non ex half cross all co-op e x-ray mid semi quasi".split())
#: words of a text that are known, and what may stand around one
_MAX_WORDS, _PUNCTUATION = 500_000, ".,;:!?()[]\"'“”‘’„«»"
#: prefixes after which two equal vowels are divided by a hyphen
_VOWELS = "aeiou"
_PREFIXES = frozenset("re pre co de anti semi multi intra ultra bi tri".split())


class KnownWords:
    """The words of a text in lower case, for `keeps_hyphen`; read when one is looked for."""

    def __init__(self) -> None:
        self._words = set[str]()
        self._unread: list[Sequence[str]] = []
        self._count = 0

    def learn(self, words: Sequence[str]) -> None:
        """Take in words that follow each other."""
        if self._count < _MAX_WORDS:
            self._count += len(words)
            self._unread.append(words)

    def __contains__(self, word: str) -> bool:
        while self._unread:
            divided = False  # the second part of a divided word is no word
            for other in self._unread.pop():
                if not divided:
                    self._words.add(other.lower().strip(_PUNCTUATION))
                divided = other[-1:] == "-"
        return word in self._words


def divided_word(before: str, after: str) -> bool:
    """Does the line `before` end inside a word that the line `after` goes on with?"""
    if before[-1:] != "-":
        return False
    last, first = _LAST.search(before[-80:]), _FIRST.match(after)
    if not last or not first:
        return False
    return first[0][0].islower() or (last["word"].isupper() and first[0].isupper())


def keeps_hyphen(before: str, after: str, known: KnownWords | None = None) -> bool:
    """Is the hyphen at the end of `before` part of the word? `known` are words of the text.

    The text itself decides if it has the word in a line; else a word keeps
    its hyphen if it has more of them, if both parts are words of the text, or after a prefix that
    asks for one.
    """
    last, first = _LAST.search(before[-80:]), _FIRST.match(after)
    if not last or not first:
        return True
    known = known or KnownWords()
    a, b = last["word"].lower(), first[0].lower().rstrip("-'’")
    if a + b in known:
        return False
    if f"{a}-{b}" in known or "-" in a or "-" in b:
        return True
    if len(a) > 2 and len(b) > 3 and a in known and b in known:
        return True
    return a in _KEEPING or (a in _PREFIXES and a[-1] in _VOWELS and a[-1] == b[0])


def divisions(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield what divides words in a part of `text`: hyphen and line break, or the break alone."""
    for match in _BREAK.finditer(text, start, end):
        hyphen = match.start() + 1
        before = text[max(start, match.start() - 79) : hyphen]
        after = text[match.end() : min(end, match.end() + 80)]
        if divided_word(before, after):
            yield Span(hyphen if keeps_hyphen(before, after) else match.start(), match.end())
