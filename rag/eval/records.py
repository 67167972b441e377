"""The JSON objects of an evaluation, as types: question lines, run files, comparisons.

They are made in this package (`draft`, `run`, `checker`, `calibrate`, `compare`) and read from
files that it wrote. A reader of a file checks that it is of this format, not every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict, cast

if TYPE_CHECKING:
    from rag.disk.strict_json import Json
    from rag.json_objects import AnswerObject, RetrievedObject

#: A number (its mean is taken), or (numerator, denominator) of a ratio of sums.
Row: TypeAlias = float | list[float] | tuple[float, float]


class Figure(TypedDict):
    """One figure of a summary. `value`, `low` and `high` are None if no case has it (`n` is 0)."""

    value: float | None
    low: float | None
    high: float | None
    n: int


#: Figures by name, or such groups by their name.
Summary: TypeAlias = "Mapping[str, Figure | Summary]"


# -- question files --


class PlaceLine(TypedDict):
    """The place that a drafted question was made from; `document` is the hash of its text."""

    source: str
    quote: str
    document: str
    start: int
    end: int


class NearMissLine(PlaceLine):
    """The place that a near miss was made from, and the words that were exchanged: [old, new]."""

    swapped: list[str]


class DraftLine(TypedDict):
    """A drafted question without its id; `near` is the origin of a near miss."""

    question: str
    answers: list[str]
    evidence: list[PlaceLine]
    answerable: bool
    type: str
    review: str
    near: NotRequired[NearMissLine]


class QuestionLine(DraftLine):
    """A line of a drafted question file."""

    id: str


# -- run files --


class CaseScores(TypedDict, total=False):
    """The scores of a case by group and name: numbers, or pairs [numerator, denominator]."""

    retrieval: dict[str, float]
    answer: dict[str, float]
    overall: dict[str, float]
    citation: dict[str, list[float]]
    abstention: dict[str, list[float]]
    seconds: dict[str, float]


class GoldRecord(TypedDict):
    """A document with the answer, and the words of the answer if the author marked them."""

    source: str
    quote: str | None


class GoldFacts(TypedDict):
    """The known facts about the answer to a question."""

    answers: list[str]
    evidence: list[GoldRecord]


def retrieved_sources(passage: RetrievedObject) -> tuple[str, ...]:
    """Return the source of a retrieved passage, then the sources of its copies."""
    return (passage["source"], *(copy["source"] for copy in passage["copies"]))


class CaseRecord(TypedDict):
    """A case of a run. `changed` says how the documents of a drafted question changed."""

    id: str
    question: str
    type: str
    answerable: bool
    gold: GoldFacts
    answer: AnswerObject | None
    retrieved: list[RetrievedObject]
    scores: CaseScores
    changed: NotRequired[str]


def score_of(case: CaseRecord, group: str, name: str) -> Row | None:
    """Return a score of a case, or None if the case does not have it."""
    scores = cast(Mapping[str, Mapping[str, Row]], case["scores"])
    return scores.get(group, {}).get(name)


class Measurement(TypedDict):
    """The part that a run over questions and a measurement of the checker share."""

    schema: int
    version: str
    summary: Summary


class Run(Measurement):
    """The object of RUN.json."""

    config: dict[str, Json]
    weights: dict[str, str]
    cases: list[CaseRecord]


# -- the checker --


class JudgedClaim(TypedDict):
    """A labelled claim with the verdict and the score of the check."""

    supported: bool
    verdict: str
    score: float


# -- two runs --


class ChangeRecord(TypedDict):
    """A question that a second run answers otherwise: the first score that differs, and why."""

    id: str
    question: str
    mark: str
    change: float
    why: list[str]


class ShiftRecord(TypedDict):
    """A figure in two runs (`rag.eval.paired_tests.Shift`), its adjusted p-value and verdict."""

    old: float
    new: float
    change: float
    low: float
    high: float
    p: float
    n: int
    test: str
    adjusted: float
    verdict: str


class Comparison(TypedDict):
    """The comparison of two runs. `settings` are [old, new] of those that differ."""

    shared: int
    only_old: list[str]
    only_new: list[str]
    altered: list[str]
    settings: dict[str, list[Json]]
    figures: dict[str, ShiftRecord]
    seconds: dict[str, dict[str, float]]
    worse: list[ChangeRecord]
    better: list[ChangeRecord]
    otherwise: list[ChangeRecord]


class JurorRecord(TypedDict):
    """The object of ``calibrate --json`` with a chat model; `fit`: `rag.answer.juror.JurorFit`."""

    model: str
    sha256: str
    asked: bool
    says: str
    fit: dict[str, float]


class CalibrationRecord(TypedDict):
    """The object of ``calibrate --json``; see `rag.eval.calibrate.Fitted`."""

    schema: int
    version: str
    least: float
    answerable: int
    unanswerable: int
    skipped: int
    fitted: dict[str, Figure]
    shipped: dict[str, Figure]
    change: dict[str, dict[str, float]]
    shipped_least: float
    aim: str
    seed: int
