"""Two run files -> what changed: each figure with its interval and its test, and each question with why.

Only questions that both runs asked, with the same words and the same gold, are compared. With some twenty figures one would
fall below 0.05 by chance in most comparisons of a run with itself, so a figure counts as better or worse only where its p-value
is below 0.05 after Holm's adjustment. Seconds depend on what else the machine did: they are shown and never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rag.errors import Usage
from rag.eval.case_changes import case_changes
from rag.eval.interval import Row
from rag.eval.metrics import holm
from rag.eval.paired_tests import Pair, Shift, paired_shifts
from rag.eval.run import FIGURES, QUANTILES, SECONDS

LEVEL = 0.05
LOWER = frozenset({"abstention.answered_wrongly"})  #: figures of which less is better

Record = Mapping[str, Any]


def compare_runs(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison as a JSON object. Raises `Usage` where a run is none, or where no question is in both."""
    before, after = _cases(old, "the old run"), _cases(new, "the new run")
    both = [name for name in after if name in before]
    shared = [name for name in both if _asked(before[name]) == _asked(after[name])]
    if not shared:
        raise Usage(
            "the two runs share no question", "compare runs over the same file of questions"
        )
    pairs = [(before[name], after[name]) for name in shared]
    worse, better, other = case_changes(pairs)
    return {
        "shared": len(shared),
        "only_old": [name for name in before if name not in after],
        "only_new": [name for name in after if name not in before],
        "altered": [name for name in both if name not in set(shared)],
        "settings": dict(_settings(old, new)),
        "figures": _figures(pairs),
        "seconds": _seconds(pairs),
        "worse": worse,
        "better": better,
        "otherwise": other,
    }


def _cases(run: Mapping[str, Any], which: str) -> dict[str, Record]:
    try:
        return {
            case["id"]: case
            for case in run["cases"]
            if case["question"] is not None and case["scores"] is not None
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise Usage(f"{which} is no run file: it has no cases with questions and scores", "give the --out of an earlier run") from error  # fmt: skip


def _asked(case: Record) -> tuple[Any, ...]:
    return case["question"], case.get("answerable"), case.get("gold")


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """What the two runs were made with that differs: name -> [old, new]."""
    for part in ("config", "weights"):
        was, now = old.get(part) or {}, new.get(part) or {}
        for key in dict.fromkeys([*was, *now]):
            if was.get(key) != now.get(key):
                yield f"{part}.{key}", [was.get(key), now.get(key)]
    if old.get("version") != new.get("version"):
        yield "version", [old.get("version"), new.get("version")]


def _figures(pairs: Sequence[tuple[Record, Record]]) -> dict[str, dict[str, Any]]:
    """Every figure that both runs have, with its verdict: "better", "worse" or ""."""
    names = [(group, name) for group, members in FIGURES.items() for name in members]
    parts = [[(_part(old, *name), _part(new, *name)) for old, new in pairs] for name in names]
    found = paired_shifts(parts, [bool(new.get("answerable")) for _, new in pairs])
    known = [
        (f"{group}.{name}", shift)
        for (group, name), shift in zip(names, found, strict=True)
        if shift
    ]
    adjusted = holm([shift.p for _, shift in known])
    return {
        name: asdict(shift) | {"adjusted": chance, "verdict": _verdict(name, shift, chance)}
        for (name, shift), chance in zip(known, adjusted, strict=True)
    }


def _verdict(name: str, shift: Shift, chance: float) -> str:
    if chance >= LEVEL or not shift.change:
        return ""
    return "better" if (shift.change > 0) != (name in LOWER) else "worse"


def _part(case: Record, group: str, name: str) -> Row | None:
    row: Row | None = case["scores"].get(group, {}).get(name)
    return row


def _seconds(pairs: Sequence[tuple[Record, Record]]) -> dict[str, dict[str, float]]:
    """p50 and p95 of the questions that have the time in both runs."""
    import numpy as np

    out = {}
    for part in SECONDS:
        times: list[Pair] = [
            (_part(old, "seconds", part), _part(new, "seconds", part)) for old, new in pairs
        ]
        both = [pair for pair in times if None not in pair]
        for name, share in QUANTILES.items():
            if both:
                was, now = (
                    float(np.quantile([pair[side] for pair in both], share)) for side in (0, 1)
                )
                out[f"seconds.{part}.{name}"] = {"old": was, "new": now, "change": now - was}
    return out
