"""The nouns. Frozen values that know nothing of files, models or screens.

All offsets are characters, half-open, into `Document.text`, which is what a person can see of a file:
``document.text[span.start:span.end]`` is the quote, the chunk or the highlight, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of characters, ``0 <= start <= end``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The slice of `text` that this span names."""
        return text[self.start : self.end]

    def within(self, other: Span) -> bool:
        return other.start <= self.start and self.end <= other.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """One text. `id` is the SHA-256 (hex, first 32) of the text, so the same text is the same document wherever it lies."""

    id: str
    source: str  #: how a person names it: a path as it was given, or the id in a corpus file
    title: str
    date: str | None  #: ISO 8601 day, where the file or the text says one; never the file's mtime
    text: str
    mask: tuple[Span, ...] = ()  #: page furniture: shown, but neither chunked nor quoted
    pages: tuple[Span, ...] = ()  #: one span a page, for formats that have pages
    headings: tuple[tuple[Span, str], ...] = ()  #: sections: the span each heading path holds for
    lines: bool = False  #: a line is a sentence (source code, rows of a table); only cutting asks, it is not stored
    path: str = ""  #: absolute path of the file on this machine; "" for a document of a corpus file


@dataclass(frozen=True, slots=True)
class RawDocument:
    """What a file says before it is cleaned. `masked` are parts that its format shows not to be the article."""

    text: str
    title: str = ""
    date: str | None = None
    pages: tuple[Span, ...] = ()
    masked: tuple[Span, ...] = ()
    name: str = (
        ""  #: of one document of many in a file: its id in a corpus; "/" and its path in an archive
    )
    headings: tuple[tuple[int, int, str], ...] | None = (
        None  #: (where, level, title); None: by the text's own syntax
    )
    lines: bool = False  #: a line is a sentence (source code, rows of a table)
    ruled: RawDocument | None = field(
        default=None, compare=False
    )  #: the same, with what `clean.rule` found


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A part of a file that cannot be taken in while the rest can: a member of an archive (`name` is "/" and its path there), or
    scanned pages of a PDF."""

    name: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole sentences of one document: an exact slice of its text."""

    id: str
    document: str  #: Document.id
    source: str
    title: str
    date: str | None
    heading: (
        str  #: heading path, "" where there is none; context for the embedding, not part of `text`
    )
    span: Span
    text: str
    line: int  #: 1-based line of span.start, lines counted by "\n"
    page: int | None = None  #: 1-based


@dataclass(frozen=True, slots=True)
class Ranks:
    """1-based places in each list; None where the list does not hold the chunk."""

    words: int | None = None
    vectors: int | None = None
    fused: int | None = None
    reranked: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Where else a passage's text stands, or one that says nothing else."""

    source: str
    document: str  #: Document.id
    span: Span


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as it was handed to a writer. `score` is higher for closer."""

    number: int  #: 1..k, what a marker [n] refers to
    chunk: Chunk
    score: float  #: 0..1; 1 is first in every list
    ranks: Ranks = field(default_factory=Ranks)
    copies: tuple[Copy, ...] = ()  #: what says the same and is not shown beside it


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker as written, and where it stands in the answer."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer. `text` is without markers; `span` is its place in the answer, markers included.

    `quote` is set where the sentence is a verbatim quotation whose place in the document is known by construction.
    """

    text: str
    span: Span
    citations: tuple[Citation, ...] = ()
    quote: Span | None = None


class Verdict(StrEnum):
    """What the check found for one sentence."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCITED = "uncited"
    DANGLING = "dangling"
    NEEDS_NONE = "needs_none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of passage `number` that a sentence leans on: ``text == document.text[span]``."""

    number: int
    document: str
    source: str
    span: Span
    text: str
    line: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with its verdict. `score` is in 0..1, higher is better supported."""

    sentence: Sentence
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()


class Reason(StrEnum):
    """Why there is no answer."""

    EMPTY_LIBRARY = "empty_library"
    NOTHING_FOUND = "nothing_found"
    NOT_ANSWERED = "not_answered"
    UNSUPPORTED = "unsupported"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Tokens of the prompt by part, by the model's own tokenizer; `dropped` names what did not fit, in words. The built-in reader
    has no prompt: its receipt counts the tokens that it read."""

    context: int = 0
    system: int = 0
    history: int = 0
    passages: int = 0
    answer: int = 0
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """Which writer wrote. `sha256` is of the file that was loaded."""

    name: str
    sha256: str
    calibrated: str = ""  #: what threshold of this library it answers from, in words; "" where it is the shipped one


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds: until the passages, until the first words, in the check, in all."""

    retrieve: float = 0.0
    first: float = 0.0
    check: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """All there is to say about one question. A refusal is a result: `abstained` with its `reason`."""

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
    missing: str = ""  #: where it abstains: what the passages lack, in words
    stopped: bool = False  #: the writer was interrupted; what it had written is here and checked
    differ: bool = False  #: sources of the answer contradict each other; both sides are quoted
    chance: float | None = None  #: as the `Draft` says
    asked: str = ""  #: what was looked up, where it is not the question as it stands: a follow-up is completed
    left_out: tuple[Evidence, ...] = ()  #: masked lines that would answer; `number` is 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of an answer that is verbatim: ``text == passage.chunk.text`` at `span` (offsets into the document).

    Markers inside `text` are the document's own words and are never read as citations.
    """

    text: str
    number: int
    span: Span


#: what a writer yields: words of its own, in which markers count, or verbatim quotations
Piece = str | Quote


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer says before it writes: its context receipt, which passages it was given, or why it will not write."""

    receipt: Receipt
    numbers: frozenset[int] | None = (
        None  #: of the passages it saw; None for all. Any other number is dangling
    )
    abstained: bool = False
    reason: Reason | None = None
    short: str | None = None
    missing: str = ""  #: where it abstains: what the passages lack, in words
    differ: bool = False  #: two sources give different answers
    chance: float | None = (
        None  #: that the surest passage answers, 0..1; None where the writer makes no such estimate
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of what must be read has been read, in tokens."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, as a later question of the same conversation remembers them."""

    question: str  #: as it was looked up: completed, where it leaned on one before it
    answer: str  #: the text
    short: str = ""  #: the short answer; "" where there was none


class Writer(Protocol):
    """The seam that the built-in reader, a chat model and the tests' script fill.

    `write` yields one `Draft`, then pieces, and how far it has read in between; closing the iterator stops the work.
    `rewrite` puts a question that leans on earlier turns as it would be asked by itself; "" where it leaves that to the rules.
    """

    model: Model

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]: ...

    def rewrite(self, question: str, history: Sequence[Turn], stop: Callable[[], bool]) -> str: ...


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A place in a passage where the shortest verbatim answer may stand; `score` is a log-probability but for a constant."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What a reading of one passage for a question gave. The spots lie in the passage; there are none where it holds no word."""

    answers: float  #: logit of "this passage answers the question"
    spots: tuple[AnswerSpan, ...]  #: likeliest first
    helps: float  #: logit of "it helps to answer", which ranks: a passage may help that does not answer


@dataclass(frozen=True, slots=True)
class Support:
    """What holds of a sentence and a passage, as logits, and where the evidence lies (into the passage)."""

    supported: float
    partly: float
    against: float
    evidence: Span | None


class PairModel(Protocol):
    """A text and passages, each pair read together. One result for each passage, in order."""

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]: ...

    def support(self, sentence: str, passages: Sequence[str]) -> list[Support]: ...


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often the checker errs, measured on claims it never saw, each with its 95 % interval."""

    misses: tuple[
        float, float, float
    ]  #: unsupported claims that it calls supported: value, low, high
    false_alarms: tuple[float, float, float]  #: supported claims that it does not call so
    claims: int

    @property
    def says(self) -> str:
        """The rates in words."""
        passed, doubted = (
            f"{100 * r[0]:.{int(0 < r[0] < 0.01)}f} %" for r in (self.misses, self.false_alarms)
        )
        return (
            f"lets {passed} of unsupported claims pass, doubts {doubted} of supported ones "
            f"({self.claims:,} claims; quotations are compared letter by letter)"
        )


class Embedder(Protocol):
    """Texts to unit vectors, float32, shape (n, `dimension`)."""

    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """A line of the library's table of contents. `state` is "ready" or "failed"; `reason` says why it failed."""

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
    """What a screen says in its header."""

    library: str
    documents: int
    passages: int
    model: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A saved conversation, newest first in a list; `asked` is ISO 8601 in UTC, of its last question."""

    id: str
    title: str
    asked: str
    turns: int
