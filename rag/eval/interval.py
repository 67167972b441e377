"""Figures with their 95 % percentile bootstrap interval and the number of their cases.

Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13. Whole cases are resampled, so
a ratio such as precision is resampled with numerator and denominator together. Rows are sorted
before they are drawn: the same cases in another order give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.eval.records import Figure, Row

Array: TypeAlias = "NDArray[np.float64]"

#: Resamples.
ROUNDS = 1000
#: Numbers drawn at a time, so that a long run needs no more memory than a short one.
_BLOCK_NUMBERS = 1_000_000

#: Computes a figure for many resamples at once. Each stratum has the shape (resamples, cases) or
#: (resamples, cases, 2).
Statistic = Callable[..., Array]


def ratio(rows: Array) -> Array:
    """Return the ratio of the sums, or the mean if the rows are plain numbers."""
    if rows.ndim == 2:
        return rows.sum(axis=1) / rows.shape[1]
    sums = rows.sum(axis=1)
    return sums[:, 0] / sums[:, 1]


def quantile(share: float) -> Statistic:
    """Return the statistic below which `share` of the numbers lie.

    It is linear between neighbours (Hyndman and Fan's type 7).
    """

    def statistic(rows: Array) -> Array:
        import numpy as np

        return np.quantile(rows, share, axis=1)

    return statistic


def bootstrap_interval(
    *strata: Sequence[Row], statistic: Statistic = ratio, seed: int = 0, rounds: int = ROUNDS
) -> Figure:
    """Return `statistic` over the cases with its 95 % interval.

    Each stratum is resampled separately, so none is ever empty.
    """
    import numpy as np

    if not all(len(stratum) for stratum in strata):
        return {"value": None, "low": None, "high": None, "n": 0}
    rows = [_sorted(np.array(stratum, dtype=np.float64)) for stratum in strata]
    value = float(statistic(*(stratum[None] for stratum in rows))[0])
    draws = _resampled(rows, statistic, seed, rounds)
    low, high = np.quantile(draws, [0.025, 0.975])
    # By rounding, or in very small or skewed samples, the percentiles can miss the value. The
    # interval is extended to it.
    return {
        "value": value,
        "low": min(float(low), value),
        "high": max(float(high), value),
        "n": sum(len(stratum) for stratum in strata),
    }


def _sorted(rows: Array) -> Array:
    import numpy as np

    return np.sort(rows) if rows.ndim == 1 else rows[np.lexsort(rows.T)]


def _resampled(rows: Sequence[Array], statistic: Statistic, seed: int, rounds: int) -> Array:
    """Return the statistic of `rounds` resamples, each as large as the sample."""
    import numpy as np

    random = np.random.default_rng(seed)
    block = max(1, _BLOCK_NUMBERS // max(len(stratum) for stratum in rows))
    statistics = []
    for start in range(0, rounds, block):
        count = min(block, rounds - start)
        samples = (s[random.integers(len(s), size=(count, len(s)))] for s in rows)
        statistics.append(statistic(*samples))
    return np.concatenate(statistics)
