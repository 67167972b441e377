"""The interfaces of models that can be handed in, and the values that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.domain import Claim, Draft, Model, ModelFailure, Passage, Piece, Progress, Span, Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Writer(Protocol):
    """Interface of whatever writes answers: the built-in reader, a chat model, a script of a test.

    `write` yields a `Draft`, then pieces, with `Progress` between them; closing the iterator stops
    the work. A later `Draft` takes the place of the first. A `Passage` is one that the writer found
    itself and cites from there on; a `Claim` is a sentence that it withheld. A `ModelFailure` says
    that the rest is another writer's.
    """

    model: Model

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece | Claim | Passage | ModelFailure]: ...


@runtime_checkable
class QuotingWriter(Protocol):
    """A writer whose evidence is another writer's, which quotes; `read` is what that one yields."""

    def read(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece | Claim | Passage | ModelFailure]: ...


@runtime_checkable
class SearchingWriter(Protocol):
    """A writer that searches for the sentences that it writes and stops by itself.

    `with_search` makes the writer of one question.
    """

    def with_search(
        self,
        search: Callable[[str, int], Sequence[Passage]],
        stop: Callable[[], bool],
    ) -> Writer: ...


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A candidate for the shortest answer; `score` is a log-probability up to a constant."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """The scores of one passage for a question. A passage without a word has no `spots`."""

    answers: float  #: logit of "this passage answers the question"
    spots: tuple[AnswerSpan, ...]  #: places in the passage, likeliest first
    helps: float  #: logit of "it helps to answer", which may be high without an answer in it


@dataclass(frozen=True, slots=True)
class Support:
    """Logits of how a passage supports a sentence, and the place of the evidence in it."""

    supported: float
    partly: float
    against: float
    evidence: Span | None


class PairModel(Protocol):
    """A model that reads a text together with each passage: one result per passage, in order."""

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]: ...

    def support(self, sentence: str, passages: Sequence[str]) -> list[Support]: ...


#: of a question and texts: the logit of each that it answers
AnswerLogits = Callable[[str, Sequence[str]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Error rates on claims that the check was not fitted on: (value, 95 % low, 95 % high)."""

    misses: tuple[float, float, float]  #: unsupported claims that are called supported
    false_alarms: tuple[float, float, float]  #: supported claims that are not called supported
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
    """A model that turns texts into unit vectors: float32, shape (n, `dimension`)."""

    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
