"""Two runs over the same cases: what a figure changed by, between which bounds, and how easily chance alone does that.

A case is drawn again with both its runs (the paired bootstrap: Efron and Tibshirani 1993, ch. 8 and 13; for systems on one
test set Koehn 2004, Berg-Kirkpatrick, Burkett and Klein 2012), answerable and unanswerable cases each by themselves, so that
neither runs empty. A yes/no figure has the exact test of McNemar instead of the bootstrap's p-value; its interval is the
bootstrap's too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.eval.interval import Row
from rag.eval.metrics import mcnemar

if TYPE_CHECKING:
    from rag.eval.interval import Array

ROUNDS = 5000
_BLOCK = 4_000_000  # numbers drawn at a time

#: what one case adds to a figure: its part of the old run and of the new one; None where it has none
Pair = tuple[Row | None, Row | None]


@dataclass(frozen=True, slots=True)
class Shift:
    """A figure in two runs. `change` is new minus old, `low` and `high` bound it with 95 %; `p` is two-sided.

    `n` counts the cases that have a part in either run; `test` is "McNemar" or "bootstrap".
    """

    old: float
    new: float
    change: float
    low: float
    high: float
    p: float
    n: int
    test: str


def paired_shifts(
    figures: Sequence[Sequence[Pair]], strata: Sequence[bool], rounds: int = ROUNDS
) -> list[Shift | None]:
    """The shift of each figure. Each has one pair for each case, in the order of `strata`. None where one run has no part."""
    import numpy as np

    old, new = (
        np.array([[_row(pair[side]) for pair in figure] for figure in figures]) for side in (0, 1)
    )
    if not old.size:
        return [None] * len(figures)
    drawn = np.concatenate([*_draws(old, new, np.array(strata), rounds)], axis=1)
    found: list[Shift | None] = []
    for figure, before, after, draws in zip(
        figures, old.sum(axis=1), new.sum(axis=1), drawn, strict=True
    ):
        if not (before[1] and after[1]):
            found.append(None)
            continue
        was, now = float(before[0] / before[1]), float(after[0] / after[1])
        found.append(_shift(figure, was, now, draws[np.isfinite(draws)]))
    return found


def _shift(figure: Sequence[Pair], was: float, now: float, draws: Array) -> Shift:
    import numpy as np

    change = now - was
    low, high = (
        (float(q) for q in np.quantile(draws, [0.025, 0.975])) if len(draws) else (change, change)
    )
    n = sum(any(row is not None and _row(row)[1] for row in pair) for pair in figure)
    flips = _flips(figure)
    if flips is not None:
        p, test = mcnemar(*flips), "McNemar"
    else:  # the share of resamples on the other side of nothing, both ways (Efron and Tibshirani 1993, section 15.4)
        sides = (int((draws <= 0).sum()), int((draws >= 0).sum()))
        p, test = min(1.0, 2 * (1 + min(sides)) / (1 + len(draws))), "bootstrap"
    return Shift(was, now, change, min(low, change), max(high, change), p, n, test)


def _flips(figure: Sequence[Pair]) -> tuple[int, int] | None:
    """How many cases went from yes to no and from no to yes; None where a case is more than a yes or a no in either run."""
    worse = better = 0
    for pair in figure:
        old, new = (_row(row) for row in pair)
        if (old[1], new[1]) == (0.0, 0.0):
            continue
        if (
            old[1] != new[1]
            or any(top not in (0.0, bottom) for top, bottom in (old, new))
            or old[1] != 1.0
        ):
            return None
        worse += old[0] > new[0]
        better += old[0] < new[0]
    return worse, better


def _row(row: Row | None) -> tuple[float, float]:
    if row is None:
        return 0.0, 0.0
    return (float(row[0]), float(row[1])) if isinstance(row, list | tuple) else (float(row), 1.0)  # type: ignore[arg-type]


def _draws(old: Array, new: Array, strata: Any, rounds: int) -> Iterator[Array]:
    """Blocks of (figures, resamples): the change in each resample, not a number where a run has no part in it."""
    import numpy as np

    random = np.random.default_rng(0)
    members = [np.flatnonzero(strata == which) for which in (True, False)]
    cases = len(strata)
    parts = (
        np.concatenate([old, new], axis=0).transpose(1, 0, 2).reshape(cases, -1)
    )  # case -> all sums of all figures
    block = max(1, _BLOCK // cases)
    for start in range(0, rounds, block):
        count = min(block, rounds - start)
        times = np.zeros((count, cases))
        for mine in members:
            if len(mine):
                picks = (
                    random.integers(len(mine), size=(count, len(mine)))
                    + len(mine) * np.arange(count)[:, None]
                )
                times[:, mine] = np.bincount(picks.ravel(), minlength=count * len(mine)).reshape(
                    count, -1
                )
        sums = (times @ parts).reshape(count, 2, len(old), 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = sums[..., 0] / sums[..., 1]
        yield np.round(
            (shares[:, 1] - shares[:, 0]).T, 12
        )  # a change of nothing is nothing, however it was summed
