"""Fits the judge of answering (`rag.answer.judge`) to the lines of `rag.training.near_misses`.

    python -m rag.training.fit_judge LINES.jsonl OUT.json

The figures are of documents kept out: the lines are divided into six parts by document, and each
part is judged by a regression that was fitted to the others. The written one is fitted to all.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from rag.eval.metrics import calibration_error

_FOLDS = 6
_LOSS = 0.03  # of right answers, at which the share of refused near misses is measured
_STRENGTH = 0.003  # of the regression: the inverse of its penalty
#: weights of the lines: of a sentence that answers; of a near miss; of one that a person wrote
_RIGHT, _NEAR_MISS, _WRITTEN = 3.0, 0.55, 1.1
#: probabilities: from the first on a sentence answers, from the second on in part. The first was
#: chosen on everyday folders and the demo questions: more is lost of news above it than is gained
_LEAST, _PART = 0.3, 0.15
Array = NDArray[np.float64]


class Lines(NamedTuple):
    """The lines as arrays. `question` numbers the question and variant of each line."""

    names: tuple[str, ...]
    signals: Array
    answers: NDArray[np.bool_]
    groups: list[str]
    question: NDArray[np.int64]
    variants: list[str]  #: of each question
    everyday: NDArray[np.bool_]  #: of each question: is it about everyday documents?
    ruled_out: NDArray[np.bool_]  #: a rule says that the sentence does not answer
    weights: Array


class Fitted(NamedTuple):
    """The regression on the signals as they are, and its figures on documents kept out."""

    weights: dict[str, float]
    constant: float
    figures: dict[str, float]


def read_lines(rows: Sequence[Mapping[str, object]]) -> Lines:
    """Return the arrays of parsed lines."""
    signals = [dict(row["signals"]) for row in rows]  # type: ignore[call-overload]
    names = tuple(signals[0])
    numbers: dict[tuple[object, ...], int] = {}
    question = np.array(
        [
            numbers.setdefault((r["set"], r["group"], r["id"], r["variant"]), len(numbers))
            for r in rows
        ]
    )
    sizes = np.bincount(question)
    answers = np.array([bool(row["answers"]) for row in rows])
    variants = [str(key[3]) for key in numbers]
    kinds = {"as": 1.0, "natural": _WRITTEN}
    weights = np.array([kinds.get(str(row["variant"]), _NEAR_MISS) for row in rows])
    weights = weights / sizes[question] * np.where(answers, _RIGHT, 1.0)
    x = np.array([[float(s[name]) for name in names] for s in signals])
    return Lines(
        names,
        x,
        answers,
        [str(r["group"]) for r in rows],
        question,
        variants,
        np.array([key[0] == "everyday" for key in numbers]),
        np.array([bool(row["ruled_out"]) for row in rows]),
        weights,
    )


def fit_judge(lines: Lines) -> Fitted:
    """Fit the regression, put its probability right for the best sentence of a question."""
    kept_out = np.zeros(len(lines.answers))
    for train, test in GroupKFold(_FOLDS).split(lines.signals, lines.answers, lines.groups):
        weights, constant = _regression(lines, train)
        kept_out[test] = lines.signals[test] @ weights + constant
    best = best_of_questions(lines, np.where(lines.ruled_out, -np.inf, kept_out))
    judged = best[~lines.ruled_out[best]]
    scale, shift = _scaling(kept_out[judged], lines.answers[judged], _balance(lines, judged))
    weights, constant = _regression(lines, np.arange(len(lines.answers)))
    by_name = dict(zip(lines.names, (float(w) for w in weights * scale), strict=True))
    chances = 1 / (1 + np.exp(-(scale * kept_out[best] + shift)))
    chances = np.where(lines.ruled_out[best], 0.0, chances)
    return Fitted(by_name, float(constant * scale + shift), measure(lines, best, chances))


def best_of_questions(lines: Lines, scores: Array) -> NDArray[np.int64]:
    """The number of the best line of each question and variant."""
    best: dict[int, int] = {}
    for number, question in enumerate(lines.question):
        if question not in best or scores[number] > scores[best[question]]:
            best[int(question)] = number
    return np.array([best[question] for question in sorted(best)])


def _regression(lines: Lines, rows: NDArray[np.int64]) -> tuple[Array, float]:
    """Weights and constant for the signals as they are, fitted to standardised ones."""
    x, weights = lines.signals[rows], lines.weights[rows]
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread < 1e-6, 1.0, spread)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit(
        (x - mean) / spread, lines.answers[rows], sample_weight=weights / weights.mean()
    )
    own = model.coef_[0] / spread
    constant = float(model.intercept_[0] - own @ mean)
    return own, constant


def _balance(lines: Lines, best: NDArray[np.int64]) -> Array:
    """Weights with which questions as they are count as much as all near misses."""
    plain = np.array([lines.variants[lines.question[number]] == "as" for number in best])
    return np.where(plain, 1.0, plain.sum() / max(1, (~plain).sum()))


def _scaling(scores: Array, truth: NDArray[np.bool_], weights: Array) -> tuple[float, float]:
    """Scale and shift that make a score the logit of a probability (Platt 1999)."""
    model = LogisticRegression(C=1e6).fit(scores[:, None], truth, sample_weight=weights)
    return float(model.coef_[0][0]), float(model.intercept_[0])


def measure(lines: Lines, best: NDArray[np.int64], chances: Array) -> dict[str, float]:
    """The figures of the best sentence of each question at the threshold, by kind of document."""
    figures = {
        "calibration_error": calibration_error(
            chances.tolist(), lines.answers[best].tolist(), _balance(lines, best).tolist()
        )
    }
    everyday = lines.everyday[lines.question[best]]
    for name, chosen in (("everyday", everyday), ("encyclopedias", ~everyday)):
        if chosen.any():
            part = _measure(lines, best[chosen], chances[chosen])
            figures |= {f"{name}_{key}": value for key, value in part.items()}
    return {name: round(value, 4) for name, value in figures.items() if math.isfinite(value)}


def _measure(lines: Lines, best: NDArray[np.int64], chances: Array) -> dict[str, float]:
    variants = defaultdict[str, list[int]](list)
    for place, number in enumerate(best):
        variants[lines.variants[lines.question[number]]].append(place)
    truth, answered = lines.answers[best], chances >= _LEAST
    asked, missed = variants["as"], [*variants["out"], *variants["cut"], *variants["natural"]]
    figures = {
        "contains": float((truth & answered)[asked].mean()),
        "contains_always": float(truth[asked].mean()),
        "wrong": float((~truth & answered).mean()),
    }
    for name in ("out", "cut", "natural"):
        if variants[name]:
            figures[f"refused_{name}"] = float((~answered)[variants[name]].mean())
    right = [place for place in asked if truth[place]]
    if right and missed:
        least = np.quantile(chances[right], _LOSS / truth[asked].mean())
        figures["refused_at_loss"] = float((chances[missed] < least).mean())
        scores = chances[[*right, *missed]]
        figures["auc"] = float(roc_auc_score([1] * len(right) + [0] * len(missed), scores))
    return figures | {
        f"n_{name}": float(len(places)) for name, places in variants.items() if places
    }


def main() -> None:
    """Fit to a file of lines and write the judge's file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    text = options.lines.read_text("utf-8")
    fitted = fit_judge(read_lines([json.loads(line) for line in text.splitlines()]))
    record = {
        "weights": {name: round(weight, 5) for name, weight in fitted.weights.items()},
        "constant": round(fitted.constant, 5),
        "least": _LEAST,
        "part": _PART,
        "figures": fitted.figures,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
