"""Compares two run files: each figure with interval and test, each question with reasons.

Only questions that both runs asked, with the same words and the same gold, are compared. With some
twenty figures, one would fall below 0.05 by chance in most comparisons of equal runs. So a figure
counts as better or worse only if its p-value is below 0.05 after Holm's adjustment. Seconds depend
on what else the machine did: they are shown and never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.errors import Usage
from rag.eval.case_changes import case_changes
from rag.eval.metrics import holm
from rag.eval.paired_tests import Pair, Shift, paired_shifts
from rag.eval.records import CaseRecord, Comparison, Run, ShiftRecord, score_of
from rag.eval.run import FIGURES, QUANTILES, SECONDS

if TYPE_CHECKING:
    from rag.disk.strict_json import Json

#: A figure is better or worse if its adjusted p-value is below this.
LEVEL = 0.05
#: Figures of which less is better.
LOWER = frozenset({"abstention.answered_wrongly"})


def compare_runs(old: Run, new: Run) -> Comparison:
    """Return the comparison as a JSON object.

    Raises `Usage` if one object is no run, or if the runs share no question.
    """
    before, after = _cases(old, "the old run"), _cases(new, "the new run")
    in_both = [case_id for case_id in after if case_id in before]
    shared = [case_id for case_id in in_both if _posed(before[case_id]) == _posed(after[case_id])]
    if not shared:
        raise Usage(
            "the runs asked the same questions with other answers or evidence"
            if in_both
            else "the two runs share no question",
            "compare runs over the same file of questions",
        )
    pairs = [(before[case_id], after[case_id]) for case_id in shared]
    worse, better, other = case_changes(pairs)
    return {
        "shared": len(shared),
        "only_old": [case_id for case_id in before if case_id not in after],
        "only_new": [case_id for case_id in after if case_id not in before],
        "altered": [case_id for case_id in in_both if case_id not in set(shared)],
        "settings": dict(_settings(old, new)),
        "figures": _figures(pairs),
        "seconds": _seconds(pairs),
        "worse": worse,
        "better": better,
        "otherwise": other,
    }


def _cases(run: Run, which: str) -> dict[str, CaseRecord]:
    """Return the cases of a run by their id."""
    try:
        return {
            case["id"]: case
            for case in run["cases"]
            if case["question"] is not None and case["scores"] is not None
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise Usage(
            f"{which} is no run file: it has no cases with questions and scores",
            "give the --out of an earlier run",
        ) from error


def _posed(case: CaseRecord) -> tuple[object, ...]:
    """Return what must be equal for a question to be compared."""
    return case["question"], case.get("answerable"), case.get("gold")


def _settings(old: Run, new: Run) -> Iterator[tuple[str, list[Json]]]:
    """Yield each setting, weights file or version that differs, as name and [old, new]."""
    parts: tuple[tuple[str, Mapping[str, Json], Mapping[str, Json]], ...] = (
        ("config", old.get("config") or {}, new.get("config") or {}),
        ("weights", old.get("weights") or {}, new.get("weights") or {}),
    )
    for part, before, after in parts:
        for key in dict.fromkeys([*before, *after]):
            if before.get(key) != after.get(key):
                yield f"{part}.{key}", [before.get(key), after.get(key)]
    if old.get("version") != new.get("version"):
        yield "version", [old.get("version"), new.get("version")]


def _figures(pairs: Sequence[tuple[CaseRecord, CaseRecord]]) -> dict[str, ShiftRecord]:
    """Return every figure that both runs have, with its verdict: "better", "worse" or ""."""
    names = [(group, name) for group, members in FIGURES.items() for name in members]
    parts = [[(score_of(old, *name), score_of(new, *name)) for old, new in pairs] for name in names]
    shifts = paired_shifts(parts, [bool(new.get("answerable")) for _, new in pairs])
    measured = [
        (f"{group}.{name}", shift)
        for (group, name), shift in zip(names, shifts, strict=True)
        if shift
    ]
    adjusted = holm([shift.p for _, shift in measured])
    return {
        name: _shift_record(shift, p, _verdict(name, shift, p))
        for (name, shift), p in zip(measured, adjusted, strict=True)
    }


def _shift_record(shift: Shift, adjusted_p: float, verdict: str) -> ShiftRecord:
    return {
        "old": shift.old,
        "new": shift.new,
        "change": shift.change,
        "low": shift.low,
        "high": shift.high,
        "p": shift.p,
        "n": shift.n,
        "test": shift.test,
        "adjusted": adjusted_p,
        "verdict": verdict,
    }


def _verdict(name: str, shift: Shift, adjusted_p: float) -> str:
    if adjusted_p >= LEVEL or not shift.change:
        return ""
    return "better" if (shift.change > 0) != (name in LOWER) else "worse"


def _seconds(pairs: Sequence[tuple[CaseRecord, CaseRecord]]) -> dict[str, dict[str, float]]:
    """Return the 50th and 95th percentiles over the questions that have the time in both runs."""
    import numpy as np

    percentiles = {}
    for part in SECONDS:
        times: list[Pair] = [
            (score_of(old, "seconds", part), score_of(new, "seconds", part)) for old, new in pairs
        ]
        paired = [pair for pair in times if None not in pair]
        for name, share in QUANTILES.items():
            if paired:
                old_time, new_time = (
                    float(np.quantile([pair[side] for pair in paired], share)) for side in (0, 1)
                )
                percentiles[f"seconds.{part}.{name}"] = {
                    "old": old_time,
                    "new": new_time,
                    "change": new_time - old_time,
                }
    return percentiles
