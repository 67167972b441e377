"""The shapes of the JSON objects: the field names that scripts rely on, and their types."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class PlaceObject(TypedDict):
    """Words of a document and their place in it."""

    source: str
    document: str
    start: int
    end: int
    quote: str
    line: int
    page: int | None
    context: str
    sheet: NotRequired[str]
    row: NotRequired[int]


class CitationObject(PlaceObject):
    """A citation: the place, `n`, the number of the passage, and the state of its file."""

    n: int
    file: str


class JudgementObject(TypedDict):
    """Whether a sentence answers the question: "yes", "in part" or "not shown"."""

    answers: str
    chance: float | None
    reasons: list[str]


class PartObject(TypedDict):
    """One part of a question that asks several things."""

    question: str
    answered: bool
    short: str | None


class ModelFailureObject(TypedDict):
    """What happened to a chat model, and what to do next.

    `wrote` says whether sentences that it had written before are in the answer.
    """

    model: str
    what: str
    cure: str
    wrote: bool


class ComputedObject(TypedDict):
    """A computation over rows of a table; `citations` has the first of them."""

    operation: str
    rows: int
    result: float


class ClaimObject(TypedDict):
    """A sentence of an answer with its verdict; `start` and `end` are its place in the answer.

    `judgement` is present only if it was judged whether the sentence answers. `cited` holds number,
    start and end of each marker in the answer; `quoted` is the place in the document of a sentence
    that is a quotation, else null.
    """

    text: str
    start: int
    end: int
    verdict: str
    score: float
    reasons: list[str]
    markers: list[int]
    cited: list[list[int]]
    quoted: list[int] | None
    citations: list[CitationObject]
    judgement: NotRequired[JudgementObject]
    computed: NotRequired[ComputedObject]


class CopyObject(TypedDict):
    """The place of the same text in another document."""

    source: str
    document: str
    start: int
    end: int


class RetrievedObject(TypedDict):
    """A retrieved passage without its text, as a run of an evaluation keeps it."""

    n: int
    source: str
    document: str
    title: str
    date: str | None
    heading: str
    start: int
    end: int
    line: int
    page: int | None
    score: float
    ranks: dict[str, int | None]
    copies: list[CopyObject]


class PassageObject(RetrievedObject):
    """A passage with its place, its score, its ranks in the lists of the search and its copies.

    `file` is the state of its file; `sheet` and `row` are present only in a workbook.
    """

    text: str
    file: str
    sheet: NotRequired[str]
    row: NotRequired[int]


class AnswerObject(TypedDict):
    """The object of ``ask --json``.

    `left_out` is present only if masked text would answer, `languages` only if the reader does not
    read those of the question or of the nearest passages, `related` only if there are sentences
    near the question that are not surely an answer, `withheld` only if sentences of a chat model
    did not pass the check, `within` only if some documents alone were searched, `model_failed` only
    if a chat model failed, so that the built-in reader's answer is shown.
    """

    schema: int
    question: str
    asked: str | None
    answer: str
    short: str | None
    abstained: bool
    reason: str | None
    missing: str
    stopped: bool
    differ: bool
    chance: float | None
    claims: list[ClaimObject]
    passages: list[PassageObject]
    receipt: dict[str, int | list[str]]
    model: dict[str, str]
    seconds: dict[str, float]
    left_out: NotRequired[list[PlaceObject]]
    languages: NotRequired[list[str]]
    related: NotRequired[list[ClaimObject]]
    withheld: NotRequired[list[ClaimObject]]
    within: NotRequired[list[str]]
    parts: NotRequired[list[PartObject]]
    model_failed: NotRequired[ModelFailureObject]


class SavedAnswer(TypedDict):
    """The fields of a saved answer object that are read. Earlier versions have only `answer`."""

    answer: str
    asked: NotRequired[str | None]
    short: NotRequired[str | None]
