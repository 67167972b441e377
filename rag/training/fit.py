"""The last few numbers: what turns readings and judgements into probabilities, and where a verdict begins.

Logistic regressions (scikit-learn) on documents kept for tuning, which neither the weights nor the figures have seen. Every
class of every set weighs the same, so that a set's own rate of true claims is not learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from rag.answer.check import SIGNAL_NAMES
from rag.training import figures

_AS_GOOD = 0.01  # of balanced accuracy


def regression(
    signals: Sequence[Sequence[float]], truth: Sequence[bool], sets: Sequence[str]
) -> tuple[list[float], float]:
    """Weights and constant. `sets` names where each row comes from."""
    x, y = np.array(signals, dtype=float), np.array(truth, dtype=bool)
    names = np.array(sets)
    weight = np.zeros(len(y))
    for name in set(sets):
        for value in (True, False):
            mine = (names == name) & (y == value)
            if mine.any():
                weight[mine] = 1.0 / mine.sum()
    model = LogisticRegression(C=1.0, max_iter=2000).fit(
        x, y, sample_weight=weight * len(y) / weight.sum()
    )
    return [float(w) for w in model.coef_[0]], float(model.intercept_[0])


def threshold(
    scores: Sequence[float], truth: Sequence[bool], sets: Sequence[str]
) -> tuple[float, float]:
    """The score from which to say yes, and the mean balanced accuracy over the sets that it gives.

    Of the scores that come within a hundredth of the best accuracy, about its standard error, the one where both error rates
    are nearest to each other: the best one by a hair may doubt twice as many true claims as it lets false ones pass.
    """
    found = []
    for at in np.arange(0.2, 0.81, 0.01):
        calls = [s >= at for s in scores]
        yes, no = (figures.recall(calls, truth, sets, kind) for kind in (True, False))
        found.append(((yes + no) / 2, -abs(yes - no), float(at)))
    best = max(accuracy for accuracy, _, _ in found)
    accuracy, _, at = max(
        (row for row in found if row[0] >= best - _AS_GOOD), key=lambda row: (row[1], row[0])
    )
    return at, accuracy


def check_fit(
    signals: Sequence[Sequence[float]],
    refused: Sequence[bool],
    truth: Sequence[bool],
    sets: Sequence[str],
) -> dict[str, Any]:
    """``fit.check``: weights of `SIGNALS`, constant, and the scores from which a claim is supported, or partly.

    `refused` are the claims that the exact judge refuses: they are not supported from any score on.
    """
    assert all(len(row) == len(SIGNAL_NAMES) for row in signals)
    weights, constant = regression(signals, truth, sets)
    logits = np.array(signals) @ np.array(weights) + constant
    scores = np.where(refused, 0.0, 1 / (1 + np.exp(-logits)))
    at, _ = threshold(scores.tolist(), truth, sets)
    return {"fit.check": np.array([*weights, constant, at, at * 0.6], dtype=np.float32)}


def read_fit(
    logits: Sequence[float], truth: Sequence[bool], sets: Sequence[str], least: float
) -> dict[str, Any]:
    """``fit.read``: weight and constant of the logit, and the probability `least` from which the reader answers."""
    weights, constant = regression([(logit,) for logit in logits], truth, sets)
    return {"fit.read": np.array([*weights, constant, least], dtype=np.float32)}
