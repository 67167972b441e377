"""The shared types: frozen values, without files, models or screens.

All offsets are characters into `Document.text`, half-open, so that
``document.text[span.start:span.end]`` is always the quote, the chunk or the highlight.
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
    """A part of a text that is read together with what it belongs to.

    Units may lie in each other: an item in a list.
    """

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


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a writer got, or that a search found."""

    number: int  #: 1..k, what a marker [n] refers to
    chunk: Chunk
    score: float  #: 0..1, higher is better; 1 is first in every list
    ranks: Ranks = field(default_factory=Ranks)
    copies: tuple[Copy, ...] = ()  #: equal texts that are not shown as passages


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker such as [1] and its place in the answer."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: `text` without markers, `span` in the answer with markers.

    `quote` is set for a verbatim quotation: its place in the document.
    """

    text: str
    span: Span
    citations: tuple[Citation, ...] = ()
    quote: Span | None = None


class Verdict(StrEnum):
    """The result of the check for one sentence."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCITED = "uncited"
    DANGLING = "dangling"
    NEEDS_NONE = "needs_none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of passage `number` that support a sentence: ``text == document.text[span]``.

    In a workbook the place for a person is `sheet` and `row`; `line` is that of the text.
    """

    number: int
    document: str
    source: str
    span: Span
    text: str
    line: int
    page: int | None = None
    context: str = ""  #: headings, introduction, names of columns; not part of `text`
    sheet: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with its verdict. `score` is in 0..1, higher is better supported."""

    sentence: Sentence
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()


class Reason(StrEnum):
    """The reason why there is no answer."""

    EMPTY_LIBRARY = "empty_library"
    NOTHING_FOUND = "nothing_found"
    NOT_ANSWERED = "not_answered"
    UNSUPPORTED = "unsupported"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Tokens of each part of the prompt, by the model's own tokenizer.

    `dropped` names in words what did not fit. The built-in reader has no prompt: its receipt counts
    the tokens that it read.
    """

    context: int = 0
    system: int = 0
    history: int = 0
    passages: int = 0
    answer: int = 0
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """The writer of an answer. `sha256` is of the model file."""

    name: str
    sha256: str
    calibrated: str = ""  #: the threshold of this library in words; "" for the shipped one


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds: until the passages, until the first words, of the check, in total."""

    retrieve: float = 0.0
    first: float = 0.0
    check: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one question. An abstention is a result too, with its `reason`."""

    question: str
    text: str
    short: str | None
    claims: tuple[Claim, ...]
    passages: tuple[Passage, ...]
    abstained: bool
    reason: Reason | None
    receipt: Receipt
    model: Model
    seconds: Seconds
    missing: str = ""  #: of an abstention: what the passages lack, in words
    stopped: bool = False  #: the writer was interrupted; the text so far is checked
    differ: bool = False  #: sources of the answer contradict each other; both sides are quoted
    chance: float | None = None  #: as in `Draft`
    asked: str = ""  #: the resolved question that was searched for; "" if it is `question`
    left_out: tuple[Evidence, ...] = ()  #: masked lines that would answer; `number` is 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim piece of an answer: `span` of the document of passage `number`.

    Markers inside `text` are words of the document, not citations.
    """

    text: str
    number: int
    span: Span


#: a part of an answer: a writer's own words, in which markers count, or a verbatim quotation
Piece = str | Quote


@dataclass(frozen=True, slots=True)
class Draft:
    """The first result of a writer: its receipt, the passages it saw, or why it abstains."""

    receipt: Receipt
    #: numbers of the passages that it saw, None for all; a marker with another number is dangling
    numbers: frozenset[int] | None = None
    abstained: bool = False
    reason: Reason | None = None
    short: str | None = None
    missing: str = ""  #: of an abstention: what the passages lack, in words
    differ: bool = False  #: two sources give different answers
    #: probability that the best passage answers, 0..1; None if the writer does not estimate it
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a writer's reading, in tokens."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation and its answer."""

    question: str  #: the resolved question, as it was searched for
    answer: str  #: its text
    short: str = ""  #: the short answer; "" if there was none


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry of the list of documents. `state` is "ready" or "failed", with its `reason`."""

    id: str
    source: str
    title: str
    date: str | None
    chunks: int
    bytes: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Names and counts for the header of a screen."""

    library: str
    documents: int
    passages: int
    model: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A saved conversation; `asked` is the time of its last question, ISO 8601 in UTC.

    `title` is what the user called it, else its first question.
    """

    id: str
    title: str
    asked: str
    turns: int
    #: how many sentences have each verdict, in the order of `Verdict`; none that is 0
    verdicts: tuple[tuple[Verdict, int], ...] = ()
    unanswered: int = 0  #: questions that got an abstention


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """A saved question and its answer, None if nothing was written before the program ended.

    The same question asked again in its conversation has several versions, from 1.
    """

    number: int
    question: str
    asked: str  #: time, ISO 8601 in UTC
    answer: Answer | None
    version: int = 1
    versions: int = 1


class FileState(StrEnum):
    """What became of a cited document since the answer."""

    SAME = "same"
    CHANGED = "changed"  #: the file has other content now, or another size or time
    MOVED = "moved"  #: the same text is in the library under another name
    GONE = "gone"  #: neither the file nor the text is there
