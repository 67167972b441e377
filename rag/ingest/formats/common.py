"""Helpers of all formats: decoding bytes, building a text from lines, finding a stated date."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from rag.domain import Cell, RawDocument, Span, Unit, UnitKind
from rag.errors import Unreadable
from rag.text.facts import find_dates
from rag.text.units import unit_order

#: what stands between the values of a row
DIVIDER = " | "
#: characters of one document; about 5,000 pages
MAX_TEXT_CHARS = 20 * 2**20
#: lines of one document
MAX_LINES = 2**20
#: byte order marks; those of UTF-32 stand first, because they begin like those of UTF-16
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_HIGH_BYTES = bytes(range(128, 256))
_HIGH_BYTE_PATTERN = re.compile(rb"[\x80-\xff]")
#: encodings that `charset-normalizer` is not to consider
_WIDE_ENCODINGS = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
#: encodings that are preferred to Windows-1252 if they are the best match
_NOT_WESTERN = {
    *("cp1251", "cp1253", "cp1254", "koi8_r"),
    *("cp932", "euc_jp", "cp949", "gb18030", "big5"),
}


def decode(content: bytes) -> str:
    """Decode by the byte order mark, else as UTF-8, else as `charset-normalizer` guesses.

    UTF-8 with a few broken bytes stays UTF-8, each of them shown as U+FFFD. Linear in time and
    memory: the guess reads a million bytes. Raises `Unreadable` for binary content.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding).removeprefix("\ufeff")
            except UnicodeDecodeError as error:
                raise Unreadable(
                    f"says {encoding} and is not: {error.reason}", "save it again as UTF-8"
                ) from error
    if b"\0" in content:
        return _decode_without_mark(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
    high = len(text) - len(text.encode("ascii", "ignore"))
    if high >= 2 * text.count("\ufffd"):
        return text
    del text
    return content.decode(_detect_encoding(content), errors="replace")


def _detect_encoding(content: bytes) -> str:
    """Guess the encoding of text that is not UTF-8; prefer Windows-1252 to its rarer relatives."""
    from charset_normalizer import from_bytes

    first = next(match.start() for match in _HIGH_BYTE_PATTERN.finditer(content))
    sample = content[max(0, first - 1000) : first + 1_000_000]
    high = _count_high_bytes(sample)
    if high < 6 and 3 * high <= len(sample):  # too little to guess from
        return "cp1252"
    matches = from_bytes(sample, cp_exclusion=_WIDE_ENCODINGS)
    best = matches.best()
    if best is None:
        raise Unreadable("is in no encoding that can be told", "save it again as UTF-8")
    likely = {name for match in matches for name in (match.encoding, *match.could_be_from_charset)}
    western = "cp1252" in likely and best.encoding not in _NOT_WESTERN
    return "cp1252" if western else best.encoding


def _count_high_bytes(content: bytes) -> int:
    """Return how many bytes are not ASCII."""
    return len(content) - len(content.translate(None, _HIGH_BYTES))


def _decode_without_mark(content: bytes) -> str:
    """Decode UTF-16 without a byte order mark, whose zeros are all in odd or all in even places.

    Raises `Unreadable` for any other content with zeros: it is binary.
    """
    head = content[:4096]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    for zeros, other, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > len(head) // 4 and other == 0 and len(content) % 2 == 0:
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                break
    raise Unreadable("is binary (it contains zero bytes)", "convert it to text")


def check_length(length: int, lines: int = 0) -> None:
    """Raise `Unreadable` if a document of `length` characters in `lines` lines is too long."""
    if length > MAX_TEXT_CHARS:
        raise Unreadable(
            f"has more than {MAX_TEXT_CHARS / 2**20:.0f} million characters of text", "split it"
        )
    if lines > MAX_LINES:
        raise Unreadable(f"has more than {MAX_LINES / 2**20:.0f} million lines", "split it")


def iso_day(text: str) -> str | None:
    """Return the first complete date in `text` as an ISO 8601 day."""
    return next((date.iso for date in find_dates(text)[0] if date.iso), None)


def stated_date(text: str) -> str | None:
    """Return the date of a text: the first in a short line of its first 15 that is no sentence.

    Such a line is a dateline or a header.
    """
    for line in text.split("\n", 15)[:15]:
        if len(line) <= 120 and not line.rstrip().endswith((".", "!", "?", "”", '"')):
            day = iso_day(line)
            if day:
                return day
    return None


class LineBuilder:
    """Builds a text line by line and records where its headings and pages begin."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._starts: list[int] = []
        self._headings: list[tuple[int, int, str]] = []
        self._pages: list[int] = []
        self._units: list[Unit] = []
        self._length = 0

    def add(self, line: str = "", level: int = 0) -> None:
        """Append a line. With `level` 1 or more it is a heading.

        Raises `Unreadable` if the text gets too long.
        """
        if level and line.strip():
            self._headings.append((self._length, level, " ".join(line.split())))
        self._lines.append(line + "\n")
        self._starts.append(self._length)
        self._length += len(line) + 1
        check_length(self._length, len(self._lines))

    def row(
        self, names: Sequence[str], values: Sequence[str], context: str = "", number: int = 0
    ) -> None:
        """Append a row of a table: a line of its values, which are the cells of a unit.

        `names` are those of the columns, as far as they have any; an empty value has no cell.
        `number` is that of the row in its sheet, 0 outside of sheets.
        """
        cells, at = list[Cell](), self._length
        for column, value in enumerate(values):
            if value:
                name = names[column] if column < len(names) else ""
                cells.append(Cell(name, Span(at, at + len(value))))
                at += len(value) + len(DIVIDER)
        start = self._length
        self.add(DIVIDER.join(value for value in values if value))
        if cells:
            span = Span(start, cells[-1].span.end)
            self._units.append(Unit(UnitKind.ROW, span, context, tuple(cells), number))

    def unit(self, unit: Unit) -> None:
        """Record a unit of lines that were added."""
        self._units.append(unit)

    @property
    def length(self) -> int:
        """Characters so far: the offset of the next line."""
        return self._length

    @property
    def count(self) -> int:
        """Lines so far."""
        return len(self._lines)

    def mark(self, title: str, level: int = 1, at: int | None = None) -> None:
        """Add a heading that is not a line of the text itself, from here on or from offset `at`."""
        self._headings.append((self._length if at is None else at, level, " ".join(title.split())))

    def page(self, at: int | None = None) -> int:
        """Begin a new page, here or at offset `at` inside the last line. Returns its offset."""
        self._pages.append(self._length if at is None else at)
        return self._pages[-1]

    def find(self, words: str, start: int, end: int | None = None) -> int:
        """Return the offset of a line from `start` to `end` of `words` and little else, or -1."""
        for number in range(bisect_left(self._starts, start), len(self._lines)):
            if end is not None and self._starts[number] >= end:
                break
            line = " ".join(self._lines[number].split())
            if words in line and len(line) <= len(words) + 20:
                return self._starts[number]
        return -1

    def _first_row(self) -> int:
        """Where the rows of a table begin, whose dates are not the document's; else the end."""
        rows = (unit.span.start for unit in self._units if unit.kind is UnitKind.ROW)
        return min(rows, default=self._length)

    def raw(self, title: str = "", date: str | None = None, *, lines: bool = False) -> RawDocument:
        """Return the document. Raises `Unreadable` if all lines are blank."""
        text = "".join(self._lines)
        if not text.strip():
            raise Unreadable("has no text", "remove it, or check that it was saved whole")
        ends = [*self._pages[1:], len(text)]
        pages = tuple(Span(start, end) for start, end in zip(self._pages, ends, strict=False))
        return RawDocument(
            text,
            title.strip(),
            date or stated_date(text[: self._first_row()]),
            pages,
            headings=tuple(sorted(self._headings)),
            lines=lines,
            units=tuple(sorted(self._units, key=unit_order)) if self._units else None,
        )
