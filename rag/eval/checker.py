"""Measures the error rates of the claim checker on labelled claims.

"Supported" is the positive class. The verdict `supported` is a positive call, every other verdict a
negative one. Intervals resample the supported and the unsupported claims separately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag import limits
from rag.errors import Usage
from rag.eval.cases import Entry, read_entries
from rag.eval.interval import bootstrap_interval

if TYPE_CHECKING:
    from rag.eval.interval import Array
    from rag.eval.records import Figure, JudgedClaim

FORM = '{"claim", "passage", "label": "supported" or "unsupported"}'

#: claim, passage -> verdict, score in 0..1 (higher = supported), and the reasons, not used here
Check = Callable[[str, str], tuple[str, float, object]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A claim about a passage, and whether the passage supports it."""

    claim: str
    passage: str
    supported: bool


def read_claims(path: str | Path) -> tuple[Labelled, ...]:
    """Return the claims of a .jsonl or .jsonl.gz file. Raises `Usage` with the wrong line."""
    claims = tuple(_claim(entry) for entry in read_entries(path, FORM))
    if not claims:
        raise Usage(f"{path} holds no claims", f"write a line for each claim: {FORM}")
    return claims


def _claim(entry: Entry) -> Labelled:
    label = entry.text("label")
    if label not in ("supported", "unsupported"):
        raise entry.wrong(f'"label" must be "supported" or "unsupported", not "{label[:40]}"')
    claim, passage = entry.text("claim"), entry.text("passage")
    limits.check_claim(claim, f"{entry.where}: ")
    limits.check_passage(passage, f"{entry.where}: ")
    return Labelled(claim, passage, label == "supported")


def judge_claims(claims: Sequence[Labelled], check: Check) -> Iterator[JudgedClaim]:
    """Yield a record for each claim: whether it is supported, the verdict and the score."""
    for claim in claims:
        verdict, score, _ = check(claim.claim, claim.passage)
        yield {"supported": claim.supported, "verdict": str(verdict), "score": float(score)}


def summarise_checker(records: Sequence[JudgedClaim]) -> dict[str, dict[str, Figure]]:
    """Return the summary. `false_alarms` and `misses` are the error rates that screens show."""
    calls: dict[bool, list[float]] = {True: [], False: []}
    scores: dict[bool, list[float]] = {True: [], False: []}
    for record in records:
        calls[record["supported"]].append(float(record["verdict"] == "supported"))
        scores[record["supported"]].append(record["score"])
    return {
        "checker": {
            "balanced_accuracy": bootstrap_interval(
                calls[True], calls[False], statistic=balanced_accuracy
            ),
            "auc": bootstrap_interval(scores[True], scores[False], statistic=roc_auc),
            "false_alarms": bootstrap_interval([1 - call for call in calls[True]]),
            "misses": bootstrap_interval(calls[False]),
        }
    }


def balanced_accuracy(positives: Array, negatives: Array) -> Array:
    """Return the mean of sensitivity and specificity of calls that are 0 or 1.

    Brodersen et al. 2010.
    """
    return (positives.mean(axis=1) + 1 - negatives.mean(axis=1)) / 2


def roc_auc(positives: Array, negatives: Array) -> Array:
    """Return the area under the ROC curve by ranks (Hanley and McNeil 1982).

    It is the share of pairs in which the supported claim has the higher score; ties count half. It
    is also the Mann-Whitney U over the number of pairs.
    """
    import numpy as np

    def one(above: Array, below: Array) -> float:
        below = np.sort(below)
        wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
        return wins.sum() / (2 * len(above) * len(below))

    return np.array([one(above, below) for above, below in zip(positives, negatives)])
