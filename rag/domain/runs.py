"""Evaluation runs and comparisons as they are shown: figures, and questions that changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FigureValue:
    """A figure of a run with its 95 % interval; the values are None if no question has it."""

    name: str  #: with a dot, as "citation.precision"
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class RunListing:
    """A finished run. `changed` is the time of its file in ns."""

    path: str
    changed: int
    questions: int
    model: str
    library: str  #: its name, or "a corpus"
    figures: tuple[FigureValue, ...]


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure in two runs over the same questions. `verdict` is "better", "worse" or ""."""

    name: str
    old: float
    new: float
    low: float | None  #: 95 % interval of the change; None if it is not judged
    high: float | None
    n: int
    verdict: str

    @property
    def change(self) -> float:
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question that two runs answer otherwise, with both answers and the reasons in words."""

    id: str
    question: str
    why: tuple[str, ...]
    old: str
    new: str
    right: tuple[str, ...]  #: the right answers; none for a question that cannot be answered
    sources: tuple[str, ...]  #: the documents with the answer


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs compared. `notes` say what was compared, and which settings differ."""

    notes: tuple[str, ...]
    figures: tuple[FigureChange, ...]
    worse: tuple[QuestionChange, ...]
    better: tuple[QuestionChange, ...]
    otherwise: tuple[QuestionChange, ...]
