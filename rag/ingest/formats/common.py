"""What the formats share: bytes -> characters, lines put together with their headings and pages, the day a text gives itself."""

from __future__ import annotations

import re
from bisect import bisect_left

from rag.domain import RawDocument, Span
from rag.errors import Unreadable
from rag.text.facts import find_dates

MAX_TEXT_CHARS = 20 * 2**20  #: characters of one document; about 5,000 pages
MAX_LINES = 2**20  #: lines of one document
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
)
_BOMS += ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(content: bytes) -> str:
    """Bytes -> text: a byte order mark, else UTF-8, else what `charset-normalizer` takes it for.

    UTF-8 with a few broken bytes stays UTF-8, each of them shown as U+FFFD. Raises `Unreadable` for binary content. Linear in
    time and memory: the encoding is told from a part of a million bytes.
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
    """The encoding of text that is not UTF-8. Where Windows-1252 may be it, that is taken before its rarer relatives."""
    from charset_normalizer import from_bytes

    first = next(m.start() for m in _HIGH_BYTE_PATTERN.finditer(content))
    near = content[max(0, first - 1000) : first + 1_000_000]
    high = _count_high_bytes(near)
    if high < 6 and 3 * high <= len(near):  # too little to tell
        return "cp1252"
    found = from_bytes(near, cp_exclusion=_WIDE_ENCODINGS)
    best = found.best()
    if best is None:
        raise Unreadable("is in no encoding that can be told", "save it again as UTF-8")
    likely = {name for match in found for name in (match.encoding, *match.could_be_from_charset)}
    return "cp1252" if "cp1252" in likely and best.encoding not in _NOT_WESTERN else best.encoding


def _count_high_bytes(content: bytes) -> int:
    """How many bytes are not ASCII."""
    return len(content) - len(content.translate(None, _HIGH_BYTES))


_HIGH_BYTES = bytes(range(128, 256))
_HIGH_BYTE_PATTERN = re.compile(rb"[\x80-\xff]")
_WIDE_ENCODINGS = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
_NOT_WESTERN = {
    "cp1251",
    "cp1253",
    "cp1254",
    "koi8_r",
    "cp932",
    "euc_jp",
    "cp949",
    "gb18030",
    "big5",
}


def _decode_without_mark(content: bytes) -> str:
    """UTF-16 that lost its byte order mark has its zeros all in odd, or all in even places; anything else is binary."""
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
    """Raises `Unreadable` where a document of `length` characters in so many `lines` would be too long."""
    if length > MAX_TEXT_CHARS:
        raise Unreadable(
            f"has more than {MAX_TEXT_CHARS / 2**20:.0f} million characters of text", "split it"
        )
    if lines > MAX_LINES:
        raise Unreadable(f"has more than {MAX_LINES / 2**20:.0f} million lines", "split it")


def iso_day(said: str) -> str | None:
    """The first whole date of `said`, as an ISO 8601 day."""
    return next((d.iso for d in find_dates(said)[0] if d.iso), None)


def stated_date(text: str) -> str | None:
    """The day a text gives itself: in a short line of its first 15 that is not a sentence (a dateline, a header)."""
    for line in text.split("\n", 15)[:15]:
        if len(line) <= 120 and not line.rstrip().endswith((".", "!", "?", "”", '"')):
            found = iso_day(line)
            if found:
                return found
    return None


class LineBuilder:
    """A text that is put together line by line, with the places where its headings and pages begin."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._starts: list[int] = []
        self._headings: list[tuple[int, int, str]] = []
        self._pages: list[int] = []
        self._length = 0

    def add(self, line: str = "", level: int = 0) -> None:
        """One more line; with `level` 1 or more it is a heading. Raises `Unreadable` where the text gets too long."""
        if level and line.strip():
            self._headings.append((self._length, level, " ".join(line.split())))
        self._lines.append(line + "\n")
        self._starts.append(self._length)
        self._length += len(line) + 1
        check_length(self._length, len(self._lines))

    def mark(self, title: str, level: int = 1, at: int | None = None) -> None:
        """A heading that is not a line of the text itself, from here on (or from `at`)."""
        self._headings.append((self._length if at is None else at, level, " ".join(title.split())))

    def page(self) -> int:
        """A new page begins here, at this place in the text."""
        self._pages.append(self._length)
        return self._length

    def find(self, words: str, start: int, end: int | None = None) -> int:
        """Where a line between two places says `words` and little else; -1 where none does."""
        for at in range(bisect_left(self._starts, start), len(self._lines)):
            if end is not None and self._starts[at] >= end:
                break
            line = " ".join(self._lines[at].split())
            if words in line and len(line) <= len(words) + 20:
                return self._starts[at]
        return -1

    def raw(self, title: str = "", date: str | None = None, *, lines: bool = False) -> RawDocument:
        """The document. Raises `Unreadable` where no line holds anything."""
        text = "".join(self._lines)
        if not text.strip():
            raise Unreadable("has no text", "remove it, or check that it was saved whole")
        ends = [*self._pages[1:], len(text)]
        pages = tuple(Span(start, end) for start, end in zip(self._pages, ends, strict=False))
        return RawDocument(
            text,
            title.strip(),
            date or stated_date(text),
            pages,
            headings=tuple(sorted(self._headings)),
            lines=lines,
        )
