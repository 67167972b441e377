"""What the reader's model found in one passage, and the fit of its logit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rag.domain import Passage, Span


@dataclass(frozen=True, slots=True)
class ReaderFit:
    """Turns the model's logit into the probability that a passage answers."""

    weight: float
    constant: float
    least: float  #: the probability from which the reader answers

    def chance(self, logit: float) -> float:
        """Probability that the passage answers, 0..1."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.constant + self.weight * logit))))


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer of one passage. Spans are characters of the document."""

    passage: Passage
    short: str  #: the shortest answer
    span: Span  #: where `short` is
    sentence: str  #: the sentence around it
    around: Span  #: where `sentence` is
    logit: float  #: of the model, for "the passage answers"
    chance: float = 0.0  #: probability that the sentence answers, 0..1, once it is judged
    in_context: bool = False  #: one part was read alone, after the path of what it belongs to
    helps: float = 0.0  #: logit of "it helps to answer"
    sharp: float = 0.0  #: log-probability of the place, up to a constant
    margin: float = 0.0  #: by how much it is likelier than the best place of another sentence
