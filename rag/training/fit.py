"""The last fitted numbers: they turn logits and signals into probabilities and set thresholds.

They are logistic regressions (scikit-learn) on the tuning documents, which are used neither for the
weights nor for the figures. Every class of every set has the same weight, so that the rate of true
claims of a set is not learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from rag.answer.check import SIGNAL_NAMES
from rag.training import figures

_ACCURACY_TOLERANCE = 0.01  # of balanced accuracy; about its standard error


def regression(
    signals: Sequence[Sequence[float]], truth: Sequence[bool], sets: Sequence[str]
) -> tuple[list[float], float]:
    """(weights, constant) of a logistic regression.

    `sets` names the set of each row.
    """
    x, y = np.array(signals, dtype=float), np.array(truth, dtype=bool)
    names = np.array(sets)
    weight = np.zeros(len(y))
    for name in set(sets):
        for value in (True, False):
            members = (names == name) & (y == value)
            if members.any():
                weight[members] = 1.0 / members.sum()
    model = LogisticRegression(C=1.0, max_iter=2000).fit(
        x, y, sample_weight=weight * len(y) / weight.sum()
    )
    return [float(w) for w in model.coef_[0]], float(model.intercept_[0])


def threshold(
    scores: Sequence[float], truth: Sequence[bool], sets: Sequence[str]
) -> tuple[float, float]:
    """(threshold of the score, mean balanced accuracy over the sets at this threshold).

    Of the thresholds within a hundredth of the best accuracy, about its standard error, this is the
    one with the most equal error rates: the threshold that is best by a small margin may doubt
    twice as many true claims as it accepts false ones.
    """
    results = []
    for at in np.arange(0.2, 0.81, 0.01):
        calls = [score >= at for score in scores]
        yes, no = (figures.recall(calls, truth, sets, kind) for kind in (True, False))
        results.append(((yes + no) / 2, -abs(yes - no), float(at)))
    best = max(accuracy for accuracy, _, _ in results)
    accuracy, _, at = max(
        (row for row in results if row[0] >= best - _ACCURACY_TOLERANCE),
        key=lambda row: (row[1], row[0]),
    )
    return at, accuracy


def check_fit(
    signals: Sequence[Sequence[float]],
    refused: Sequence[bool],
    truth: Sequence[bool],
    sets: Sequence[str],
) -> dict[str, NDArray[np.float32]]:
    """``fit.check``: weights of `SIGNAL_NAMES`, constant, thresholds of supported and of partly.

    `refused` says which claims the exact judge refuses: they are never supported.
    """
    assert all(len(row) == len(SIGNAL_NAMES) for row in signals)
    weights, constant = regression(signals, truth, sets)
    logits = np.array(signals) @ np.array(weights) + constant
    scores = np.where(refused, 0.0, 1 / (1 + np.exp(-logits)))
    at, _ = threshold(scores.tolist(), truth, sets)
    return {"fit.check": np.array([*weights, constant, at, at * 0.6], dtype=np.float32)}


def read_fit(
    logits: Sequence[float], truth: Sequence[bool], sets: Sequence[str], least: float
) -> dict[str, NDArray[np.float32]]:
    """``fit.read``: weight and constant of the logit, and `least`.

    `least` is the probability from which the reader answers.
    """
    weights, constant = regression([(logit,) for logit in logits], truth, sets)
    return {"fit.read": np.array([*weights, constant, least], dtype=np.float32)}
