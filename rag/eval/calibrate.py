"""Fits the reader's threshold to a file of questions, and estimates its figures on new questions.

The reader answers every question without a threshold. Its probability and its answer tell what any
threshold would have done. The threshold maximises one of two aims. "abstention" is the F1 of
abstaining on questions without an answer. "overall" is the SQuAD 2.0 score: F1 of the answer, and 1
for abstaining on a question that cannot be answered. With long gold answers a short answer has few
of their words, so the second aim makes the reader abstain too much (on 300 long-answer questions:
abstention F1 0.72, with the first aim 0.81).

The best threshold of one sample depends on luck, so the median over many resamples is taken
(bagging: Breiman 1996). The figures come from cross-validation with ten folds, into which each kind
of question is dealt separately (Stone 1974; Kohavi 1995): every question is judged by a threshold
that was fitted without it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import Usage
from rag.eval import metrics
from rag.eval.interval import bootstrap_interval
from rag.eval.paired_tests import Pair, paired_shifts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.eval.interval import Array
    from rag.eval.records import CaseRecord, Figure

#: The F1 that a threshold is fitted for.
AIMS = ("abstention", "overall")
#: Questions of each kind that a fit needs.
MIN_QUESTIONS = 20
FOLDS = 10
_RESAMPLES = 200
#: `Trial.sure` of an answer that abstains whatever the threshold.
_NEVER_ANSWERS = -1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A question answered without a threshold.

    `sure` is the reader's probability (0..1), or -1 if it abstains whatever the threshold. `f1` is
    the F1 of its answer.
    """

    sure: float
    f1: float
    answerable: bool


class _Scores(NamedTuple):
    """The scores of a question at a threshold: overall F1, and the pairs of abstention."""

    f1: float
    pairs: dict[str, metrics.Pair]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The threshold `least`, and the expected figures on new questions.

    `fitted` are the figures with the fitted threshold (cross-validated), `shipped` those with the
    shipped one. `change` is the paired difference of both F1. `skipped` counts questions that
    cannot be scored.
    """

    least: float
    answerable: int
    unanswerable: int
    skipped: int
    fitted: dict[str, Figure]
    shipped: dict[str, Figure]
    change: dict[str, dict[str, float]]


def trial_results(records: Sequence[CaseRecord]) -> Iterator[Trial]:
    """Yield a trial for each record of a run without a threshold that can be scored."""
    for record in records:
        answer, marks = record["answer"], record["scores"]["answer"]
        if record["answerable"] and "f1" not in marks:
            continue
        assert answer is not None  # the run was not of retrieval only
        probability = answer["chance"]
        yield Trial(
            _NEVER_ANSWERS if answer["abstained"] or probability is None else float(probability),
            float(marks.get("f1", 0.0)),
            bool(record["answerable"]),
        )


def fit_threshold(
    records: Sequence[CaseRecord], shipped: float, aim: str = AIMS[0], seed: int = 0
) -> Fitted:
    """Fit the threshold to the records of a run and compare it with the `shipped` one.

    Raises `Usage` if there are too few questions.
    """
    trials = list(trial_results(records))
    by_kind = {
        answerable: [trial for trial in trials if trial.answerable is answerable]
        for answerable in (True, False)
    }
    check_enough(len(by_kind[True]), len(by_kind[False]))
    judged = list(_cross_validated(by_kind, aim, seed))
    new = [_scores(trial, trial.sure >= threshold) for trial, threshold in judged]
    old = [_scores(trial, trial.sure >= shipped) for trial, _ in judged]
    return Fitted(
        least=best_threshold(trials, aim, seed),
        answerable=len(by_kind[True]),
        unanswerable=len(by_kind[False]),
        skipped=len(records) - len(trials),
        fitted=_figures(new),
        shipped=_figures(old),
        change=_f1_changes(old, new, [trial.answerable for trial, _ in judged]),
    )


def _f1_changes(
    old: Sequence[_Scores], new: Sequence[_Scores], strata: Sequence[bool]
) -> dict[str, dict[str, float]]:
    """Return the paired change of overall and abstention F1, each with its interval."""
    pairs: list[list[Pair]] = [
        [(a.f1, b.f1) for a, b in zip(old, new, strict=True)],
        [(a.pairs["f1"], b.pairs["f1"]) for a, b in zip(old, new, strict=True)],
    ]
    shifts = zip(("overall.f1", "abstention.f1"), paired_shifts(pairs, strata), strict=True)
    return {
        name: {"value": shift.change, "low": shift.low, "high": shift.high}
        for name, shift in shifts
        if shift
    }


def check_enough(answerable: int, unanswerable: int) -> None:
    """Raise `Usage` if there are too few questions of either kind."""
    counts = {"answerable questions with answers": answerable, "unanswerable ones": unanswerable}
    few = [f"{count} {name}" for name, count in counts.items() if count < MIN_QUESTIONS]
    if few:
        raise Usage(
            f"too few questions to fit a threshold: {' and '.join(few)}, "
            f"{MIN_QUESTIONS} of each kind are needed",
            "footnote eval --draft 80 --out DRAFT.jsonl drafts some of both kinds from the library",
        )


def best_threshold(trials: Sequence[Trial], aim: str = AIMS[0], seed: int = 0) -> float:
    """Return the median, over resamples, of the threshold that serves `aim` best.

    If several are equally good, a resample gives the lowest.
    """
    import numpy as np

    random_ = np.random.default_rng(seed)
    ordered = sorted(trials, key=lambda trial: trial.sure)
    sure = np.array([trial.sure for trial in ordered])
    # Of each question: what abstaining wins, and what it loses.
    gains = np.array([(float(not t.answerable), t.f1 if t.answerable else 0.0) for t in ordered])
    # A threshold lies between two places: the reader abstains on the questions before it.
    places = np.concatenate([[0], np.flatnonzero(np.diff(sure) > 0) + 1, [len(sure)]])
    places = places[(places == len(sure)) | (sure[np.minimum(places, len(sure) - 1)] >= 0)]
    thresholds = []
    for _ in range(_RESAMPLES):
        drawn = random_.integers(len(trials), size=len(trials))
        times = np.bincount(drawn, minlength=len(trials))
        best_place = places[int(np.argmax(_scores_by_place(gains, times, aim)[places]))]
        thresholds.append(_threshold_at(sure, int(best_place)))
    return float(np.median(thresholds))


def _scores_by_place(gains: Array, times: NDArray[np.int64], aim: str) -> Array:
    """Return the score of abstaining on the first 0, 1, ... questions.

    `gains` has two columns: what abstaining on a question wins and loses. `times` is how often each
    question counts.
    """
    import numpy as np

    won, lost = (np.concatenate([[0.0], np.cumsum(column * times)]) for column in gains.T)
    if aim == "overall":
        return won - lost
    abstained = np.concatenate([[0.0], np.cumsum(times)])
    # F1 = 2 TP / (TP + FP + all positives)
    return 2 * won / np.maximum(1.0, abstained + won[-1])


def _threshold_at(sure: Array, place: int) -> float:
    """Return the threshold half way between the question before the place and the one at it."""
    low = max(0.0, float(sure[place - 1])) if place else 0.0
    high = float(sure[place]) if place < len(sure) else 1.0
    return (low + high) / 2


def _cross_validated(
    by_kind: Mapping[bool, Sequence[Trial]], aim: str, seed: int
) -> Iterator[tuple[Trial, float]]:
    """Yield each question with the threshold fitted on the folds that it is not in."""
    random_ = random.Random(seed)  # noqa: S311 - a deal that can be repeated, not a secret
    folds: list[list[Trial]] = [[] for _ in range(FOLDS)]
    for trials in by_kind.values():
        for place, trial in enumerate(random_.sample(list(trials), len(trials))):
            folds[place % FOLDS].append(trial)
    for at, fold in enumerate(folds):
        others = [trial for place, other in enumerate(folds) if place != at for trial in other]
        threshold = best_threshold(others, aim, seed)
        yield from ((trial, threshold) for trial in fold)


def _scores(trial: Trial, answers: bool) -> _Scores:
    pairs = dict(metrics.abstention(not answers, trial.answerable))
    return _Scores(metrics.overall(trial.f1, not answers, trial.answerable), pairs)


def _figures(scores: Sequence[_Scores]) -> dict[str, Figure]:
    """Return overall F1 and the abstention figures, each with its interval over the questions."""
    figures = {"overall.f1": bootstrap_interval([score.f1 for score in scores])}
    for name in ("precision", "recall", "f1", "answered_wrongly"):
        figures[f"abstention.{name}"] = bootstrap_interval(
            [score.pairs[name] for score in scores if score.pairs[name][1]]
        )
    return figures
