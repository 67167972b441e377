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
    CHANGED = "changed"
    GONE = "gone"
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


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker such as [1] and its place in the answer."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class ComputedRow:
    """A row of a table that a computed answer uses: its place, and that of the value in it."""

    number: int  #: of the passage
    span: Span
    value: Span | None = None  #: None if the row is counted
    weight: int = 1  #: -1 for the side that is taken away


@dataclass(frozen=True, slots=True)
class Computed:
    """A sentence of our own that gives the result of a computation over rows of a table."""

    text: str
    operation: str  #: "count", "sum", "average" or "difference"
    rows: tuple[ComputedRow, ...]
    result: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: `text` without markers, `span` in the answer with markers."""

    text: str
    span: Span
    citations: tuple[Citation, ...] = ()
    quote: Span | None = None  #: of a verbatim quotation: its place in the document
    computed: Computed | None = None  #: of the result of a computation


class Verdict(StrEnum):
    """The result of the check for one sentence."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCITED = "uncited"
    DANGLING = "dangling"
    NEEDS_NONE = "needs_none"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of passage `number` that support a sentence: ``text == document.text[span]``."""

    number: int
    document: str
    source: str
    span: Span
    text: str
    line: int
    page: int | None = None
    context: str = ""  #: headings, introduction, names of columns; not part of `text`
    sheet: str = ""  #: of a workbook; `sheet` and `row` are the place for a person, not `line`
    row: int | None = None
    file: FileState = FileState.UNKNOWN  #: as in `Passage`


class Answers(StrEnum):
    """Whether a sentence answers what was asked."""

    YES = "yes"
    PART = "in part"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a sentence answers the question, apart from whether it stands in its source.

    `chance` is the probability that it does, 0..1; None if it was not estimated.
    """

    answers: Answers
    chance: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with its verdict. `score` is in 0..1, higher is better supported."""

    sentence: Sentence
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()
    judgement: Judgement | None = None  #: None if the sentence states nothing


class Reason(StrEnum):
    """The reason why there is no answer."""

    EMPTY_LIBRARY = "empty_library"
    NOTHING_FOUND = "nothing_found"
    NOT_ANSWERED = "not_answered"
    UNSUPPORTED = "unsupported"
    TOO_LONG = "too_long"
    OTHER_LANGUAGE = "other_language"


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
    languages: tuple[str, ...] = ()  #: as in `Draft`
    #: sentences that stand in a source and are not surely an answer, likeliest first
    related: tuple[Claim, ...] = ()
    withheld: tuple[Claim, ...] = ()  #: sentences of a chat model that the check did not let pass


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim piece of an answer: `span` of the document of passage `number`.

    Markers inside `text` are words of the document, not citations.
    """

    text: str
    number: int
    span: Span
    judgement: Judgement | None = None  #: whether it answers, if the writer judged that


#: a part of an answer: a writer's own words, in which markers count, a verbatim quotation, or the
#: result of a computation
Piece = str | Quote | Computed


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
    #: of an abstention: codes of the languages that the writer does not read (ISO 639-1)
    languages: tuple[str, ...] = ()
    related: tuple[Quote, ...] = ()  #: near the question, and not surely an answer


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
    by_words: int = 0  #: of the chunks, rows of a large table: without a vector, found by words


@dataclass(frozen=True, slots=True)
class Status:
    """Names and counts for the header of a screen."""

    library: str
    documents: int
    passages: int
    model: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A saved conversation; `asked` is the time of its last question, ISO 8601 in UTC."""

    id: str
    title: str
    asked: str
    turns: int
