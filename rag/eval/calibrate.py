"""The reader's threshold, fitted to a file of questions, and what it may be expected to do on new ones.

The reader is asked every question with no threshold at all; from its probability and its answer it is arithmetic what any
threshold would have done. Fitted is the F1 of abstaining where no answer is, or, if that is asked for, what SQuAD 2.0 scores (F1
of the answer, and 1 for abstaining on what cannot be answered): with long gold answers, of which a short one holds few words,
the latter makes the reader abstain too much (on 300 long-answer questions: abstention F1 0.72, where the former has 0.81). One sample has one best threshold by luck, so the median of the best ones of many resamples is taken (bagging: Breiman 1996), which
also is what cross-validation fits: ten folds, each kind of question dealt out by itself (Stone 1974; Kohavi 1995), so that every
question is judged by a threshold that it had no part in.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import Usage
from rag.eval import metrics
from rag.eval.interval import Figure, bootstrap_interval
from rag.eval.paired_tests import paired_shifts

if TYPE_CHECKING:
    from rag.eval.interval import Array

AIMS = ("abstention", "overall")  #: which F1 the threshold is fitted for
LEAST = 20  #: questions of either kind
FOLDS = 10
_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """One question with no threshold: how sure the reader is (0..1), the F1 of what it answers, whether it can be answered.

    `sure` is -1 where it abstains whatever the threshold.
    """

    sure: float
    f1: float
    answerable: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """The threshold, and the figures of new questions: as `fitted` (cross-validated) and as `shipped`; `change` is the
    paired difference of both F1."""

    least: float
    answerable: int
    unanswerable: int
    skipped: int
    fitted: dict[str, Figure]
    shipped: dict[str, Figure]
    change: dict[str, dict[str, float]]


def trial_results(records: Sequence[Mapping[str, Any]]) -> Iterator[Trial]:
    """What a run without a threshold says of each question that can be marked."""
    for record in records:
        answer, marks = record["answer"], record["scores"]["answer"]
        if record["answerable"] and "f1" not in marks:
            continue
        chance = answer["chance"]
        never = answer["abstained"] or chance is None
        yield Trial(
            -1.0 if never else float(chance),
            float(marks.get("f1", 0.0)),
            bool(record["answerable"]),
        )


def fit_threshold(
    records: Sequence[Mapping[str, Any]], shipped: float, aim: str = AIMS[0], seed: int = 0
) -> Fitted:
    """The threshold that fits the records of a run, against the `shipped` one. Raises `Usage` where there are too few."""
    found = list(trial_results(records))
    kinds = {
        answerable: [t for t in found if t.answerable is answerable] for answerable in (True, False)
    }
    check_enough(len(kinds[True]), len(kinds[False]))
    judged = list(_judged(kinds, aim, seed))
    new = [_marks(t, t.sure >= least) for t, least in judged]
    old = [_marks(t, t.sure >= shipped) for t, _ in judged]
    parts = [
        [(a["f1"], b["f1"]) for a, b in zip(old, new, strict=True)],
        [(a["pairs"]["f1"], b["pairs"]["f1"]) for a, b in zip(old, new, strict=True)],
    ]
    found_ = paired_shifts(parts, [t.answerable for t, _ in judged])
    change = {
        name: {"value": shift.change, "low": shift.low, "high": shift.high}
        for name, shift in zip(("overall.f1", "abstention.f1"), found_, strict=True) if shift
    }  # fmt: skip
    return Fitted(
        best_threshold(found, aim, seed), len(kinds[True]), len(kinds[False]), len(records) - len(found), _figures(new), _figures(old), change
    )  # fmt: skip


def check_enough(answerable: int, unanswerable: int) -> None:
    """Raises `Usage` where there are too few of either kind."""
    counts = {"answerable questions with answers": answerable, "unanswerable ones": unanswerable}
    few = [f"{count} {name}" for name, count in counts.items() if count < LEAST]
    if few:
        raise Usage(
            f"too few questions to fit a threshold: {' and '.join(few)}, {LEAST} of each kind are needed",
            "footnote eval --draft 80 --out DRAFT.jsonl drafts some of both kinds from the library",
        )


def best_threshold(found: Sequence[Trial], aim: str = AIMS[0], seed: int = 0) -> float:
    """The median, over resamples, of the threshold that serves `aim` best; of several that do, the lowest."""
    import numpy as np

    random_ = np.random.default_rng(seed)
    ordered = sorted(found, key=lambda t: t.sure)
    sure = np.array([t.sure for t in ordered])
    marks = np.array([(float(not t.answerable), t.f1 if t.answerable else 0.0) for t in ordered])
    places = np.concatenate(
        [[0], np.flatnonzero(np.diff(sure) > 0) + 1, [len(sure)]]
    )  # abstain on all before a place
    places = places[(places == len(sure)) | (sure[np.minimum(places, len(sure) - 1)] >= 0)]
    best = []
    for _ in range(_RESAMPLES):
        times = np.bincount(random_.integers(len(found), size=len(found)), minlength=len(found))
        best.append(_between(sure, int(places[int(np.argmax(_worth(marks, times, aim)[places]))])))
    return float(np.median(best))


def _worth(marks: Array, times: Any, aim: str) -> Array:
    """What abstaining on the first 0, 1, ... questions is worth; `times` is how often each counts."""
    import numpy as np

    missing, right = (np.concatenate([[0.0], np.cumsum(column * times)]) for column in marks.T)
    if aim == "overall":
        return missing - right  # what abstaining wins, and what it loses
    asked = np.concatenate(
        [[0.0], np.cumsum(times)]
    )  # of them `missing` rightly: F1 = 2 TP / (TP + FP + all positives)
    return 2 * missing / np.maximum(1.0, asked + missing[-1])


def _between(sure: Array, place: int) -> float:
    """The threshold half way between the question before the place and the one at it."""
    low = max(0.0, float(sure[place - 1])) if place else 0.0
    high = float(sure[place]) if place < len(sure) else 1.0
    return (low + high) / 2


def _judged(
    kinds: Mapping[bool, Sequence[Trial]], aim: str, seed: int
) -> Iterator[tuple[Trial, float]]:
    """Each question with the threshold fitted on the folds that it is not in."""
    chance = random.Random(seed)  # noqa: S311 - a deal that can be repeated, not a secret
    folds: list[list[Trial]] = [[] for _ in range(FOLDS)]
    for found in kinds.values():
        for place, each in enumerate(chance.sample(list(found), len(found))):
            folds[place % FOLDS].append(each)
    for out in range(FOLDS):
        least = best_threshold(
            [t for place, fold in enumerate(folds) if place != out for t in fold], aim, seed
        )
        yield from ((t, least) for t in folds[out])


def _marks(each: Trial, answers: bool) -> dict[str, Any]:
    pairs = dict(metrics.abstention(not answers, each.answerable))
    return {"f1": metrics.overall(each.f1, not answers, each.answerable), "pairs": pairs}


def _figures(marks: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Precision, recall and F1 of abstaining, and overall F1, each with its interval over the questions."""
    figures = {"overall.f1": bootstrap_interval([mark["f1"] for mark in marks])}
    for name in ("precision", "recall", "f1", "answered_wrongly"):
        figures[f"abstention.{name}"] = bootstrap_interval(
            [mark["pairs"][name] for mark in marks if mark["pairs"][name][1]]
        )
    return figures
