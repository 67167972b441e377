"""Documents and their parts: spans, units, chunks, passages.

All offsets are characters into `Document.text`, half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of characters, ``0 <= start <= end``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The slice of `text` at this span."""
        return text[self.start : self.end]

    def within(self, other: Span) -> bool:
        return other.start <= self.start and self.end <= other.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


class UnitKind(StrEnum):
    """What a unit of a text is."""

    ROW = "row"  #: of a table
    RECORD = "record"  #: fields of one thing, each a name and a value
    ENTRY = "entry"  #: one name and what is said of it: a term, a speaker's words, a dated line
    LIST = "list"  #: the items of a list, whole
    ITEM = "item"  #: one item of a list
    ANSWER = "answer"  #: to a question that the text itself asks
    SECTION = "section"  #: what stands under a heading; the context is the path of headings


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a unit and the name of its column or field."""

    header: str  #: "" if the column has none; levels are divided by " / "
    span: Span  #: the value
    name: Span | None = None  #: where the name stands, if it stands in the unit itself


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a text, read together with what it belongs to. Units may lie in each other."""

    kind: UnitKind
    span: Span
    context: str = ""  #: what it belongs to and does not say itself: caption, label, introduction
    cells: tuple[Cell, ...] = ()
    row: int = 0  #: its number in the sheet, as a spreadsheet counts; 0 outside of sheets


@dataclass(frozen=True, slots=True)
class Document:
    """The visible text of one file, or of one entry of a corpus file."""

    id: str  #: SHA-256 of the text (hex, first 32 digits): equal texts are one document
    source: str  #: its name for the user: the path as given, or the id in a corpus file
    title: str
    date: str | None  #: ISO 8601 day, if the file or the text names one; not the mtime
    text: str
    mask: tuple[Span, ...] = ()  #: page furniture: shown, but neither searched nor quoted
    pages: tuple[Span, ...] = ()  #: one span for each page, if the format has pages
    headings: tuple[tuple[Span, str], ...] = ()  #: spans of the sections and their heading paths
    #: each line is a sentence (source code, rows of a table); for the chunker, not stored
    lines: bool = False
    path: str = ""  #: absolute path of the file; "" for a document of a corpus file
    units: tuple[Unit, ...] = ()  #: sorted by place; for the chunker


@dataclass(frozen=True, slots=True)
class RawDocument:
    """The text of a file before cleaning. `masked` are parts that the format marks as furniture."""

    text: str
    title: str = ""
    date: str | None = None
    pages: tuple[Span, ...] = ()
    masked: tuple[Span, ...] = ()
    #: of a document in a file of several: its id in a corpus, or "/" and its path in an archive
    name: str = ""
    #: (offset, level, title) of each heading; None: headings by the syntax of the text
    headings: tuple[tuple[int, int, str], ...] | None = None
    lines: bool = False  #: each line is a sentence (source code, rows of a table)
    #: sorted by place; None: units by the syntax of the text
    units: tuple[Unit, ...] | None = None
    #: the same document with the result of `clean.rule`
    ruled: RawDocument | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A member of an archive (`name` is "/" and its path) or scanned pages that were not added."""

    name: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive whole sentences of one document: an exact slice of its text."""

    id: str
    document: str  #: Document.id
    source: str
    title: str
    date: str | None
    heading: str  #: heading path or ""; embedded with the text, but not part of it
    span: Span
    text: str
    line: int  #: 1-based line of span.start, lines counted by "\n"
    page: int | None = None  #: 1-based
    units: tuple[Unit, ...] = ()  #: those that overlap the span, sorted by place


@dataclass(frozen=True, slots=True)
class Ranks:
    """1-based ranks in the lists of a search; None if the chunk is not in the list."""

    words: int | None = None
    vectors: int | None = None
    fused: int | None = None
    reranked: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Another place with the same text, or with a text that says nothing more."""

    source: str
    document: str  #: Document.id
    span: Span


class FileState(StrEnum):
    """What has become of a file since it was read, by its size and time; it is not read again."""

    SAME = "same"
    CHANGED = "changed"  #: another size or time
    MOVED = "moved"  #: the same text is in the library under another name
    GONE = "gone"
    REMOVED = "removed"  #: from the library; what became of the file is not known
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a writer got, or that a search found."""

    number: int  #: 1..k, what a marker [n] refers to
    chunk: Chunk
    score: float  #: 0..1, higher is better; 1 is first in every list
    ranks: Ranks = field(default_factory=Ranks)
    copies: tuple[Copy, ...] = ()  #: equal texts that are not shown as passages
    file: FileState = FileState.UNKNOWN  #: of the file that it was read from
