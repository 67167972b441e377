"""Answers: sentences, claims and their evidence, what a writer yields, saved turns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.domain.documents import FileState, Passage, Span


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
class Remark:
    """A sentence of our own that cites no passage.

    One that is `listed` states something of the library's list of documents; another says what was
    not found or not shown. `reason` says how it is known.
    """

    text: str
    reason: str
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: `text` without markers, `span` in the answer with markers."""

    text: str
    span: Span
    citations: tuple[Citation, ...] = ()
    quote: Span | None = None  #: of a verbatim quotation: its place in the document
    computed: Computed | None = None  #: of the result of a computation
    remark: Remark | None = None  #: of a sentence of our own without a source


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
    LISTED = "listed"


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
    ONLY_QUOTES = "only_quotes"


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
    """The writer of an answer. `sha256` is of the model file, "" for the model of a server."""

    name: str
    sha256: str
    calibrated: str = ""  #: the threshold of this library in words; "" for the shipped one
    server: str = ""  #: the host that question and excerpts were sent to; "" if there was none


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """A chat model that failed while it was to write an answer.

    `what` says what happened, `cure` what to do next. `wrote` is True if sentences that it had
    written before are in the answer.
    """

    name: str
    what: str
    cure: str = ""
    wrote: bool = False


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds: until the passages, until the first words, of the check, in total."""

    retrieve: float = 0.0
    first: float = 0.0
    check: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class AnsweredPart:
    """One part of a question that asks several things. `short` is None if there is no answer."""

    question: str  #: as it was looked up
    answered: bool
    short: str | None = None


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
    parts: tuple[AnsweredPart, ...] = ()  #: of a question that asks several things
    withheld: tuple[Claim, ...] = ()  #: sentences of a chat model that the check did not let pass
    within: tuple[str, ...] = ()  #: sources of the documents that alone were searched; () for all
    #: what the chat model failed with; what it did not write is the built-in reader's
    model_failed: ModelFailure | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim piece of an answer: `span` of the document of passage `number`.

    Markers inside `text` are words of the document, not citations.
    """

    text: str
    number: int
    span: Span
    judgement: Judgement | None = None  #: whether it answers, if the writer judged that


#: a part of an answer: a writer's own words, in which markers count, a verbatim quotation, the
#: result of a computation, or a sentence of our own
Piece = str | Quote | Computed | Remark


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
    parts: tuple[AnsweredPart, ...] = ()  #: as in `Answer`


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """An answer that no writer is asked for: its pieces, and the passages that they cite."""

    passages: tuple[Passage, ...]
    pieces: tuple[Draft | Piece, ...]

    @classmethod
    def abstention(cls, missing: str, reason: Reason = Reason.NOT_ANSWERED) -> FoundAnswer:
        """Return the abstention that says what is `missing`; it cites no passage."""
        draft = Draft(Receipt(), abstained=True, reason=reason, missing=missing)
        return cls((), (draft,))


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
