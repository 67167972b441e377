"""The points of a report's plots, from the records of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.eval.metrics import Hit, recall, risk_coverage
from rag.eval.records import CaseRecord, retrieved_sources

if TYPE_CHECKING:
    from rag.json_objects import AnswerObject

DEPTH = 10

Points = list[tuple[float, float]]


def recall_by_depth(cases: Sequence[CaseRecord]) -> dict[str, Points]:
    """Return the recall of gold documents at 1 to 10, and of gold quotes at the measured depths.

    Return {} if no case has gold evidence.
    """
    known = [case for case in cases if case["gold"]["evidence"]]
    if not known:
        return {}
    documents = []
    for k in range(1, DEPTH + 1):
        marks = [
            recall(_hits(case), {gold["source"] for gold in case["gold"]["evidence"]}, k)
            for case in known
        ]
        documents.append((float(k), sum(marks) / len(marks)))
    quotes = []
    for k in (5, 10):
        marks = [
            found
            for case in known
            if (found := case["scores"].get("retrieval", {}).get(f"quote_recall@{k}")) is not None
        ]
        quotes += [(float(k), sum(marks) / len(marks))] if marks else []
    return {"documents": documents, "quotes": quotes}


def _hits(case: CaseRecord) -> list[Hit]:
    return [Hit(retrieved_sources(found)) for found in case["retrieved"]]


def risk_coverage_points(cases: Sequence[CaseRecord]) -> tuple[Points, float]:
    """Return risk against coverage, and the area under it divided by the coverage reached.

    Return ([], 0) if nothing was answered.
    """
    marked = [
        (answer, case["scores"]["overall"]["f1"])
        for case in cases
        if (answer := case["answer"]) and "f1" in case["scores"].get("overall", {})
    ]
    answered = [(sure, f1) for answer, f1 in marked if (sure := _sure(answer)) is not None]
    points = risk_coverage(answered, len(marked)) if answered else []
    area = at = 0.0
    for coverage, risk in points:
        area, at = area + (coverage - at) * risk, coverage
    return points, area / at if at else 0.0


def _sure(answer: AnswerObject) -> float | None:
    """Return the reader's probability, or for a chat model the lowest score of the check.

    Return None for an abstention.
    """
    if answer["abstained"]:
        return None
    if (chance := answer.get("chance")) is not None:
        return float(chance)
    return min((float(claim["score"]) for claim in answer["claims"]), default=0.0)


def latency_points(cases: Sequence[CaseRecord]) -> dict[str, Points]:
    """Return seconds and the share of questions done by then, for search and for whole answers."""
    points: dict[str, Points] = {}
    for name, part in (("found", "retrieve"), ("answer", "total")):
        times = sorted(
            times[part] for case in cases if part in (times := case["scores"].get("seconds", {}))
        )
        if times:
            points[name] = [(time, place / len(times)) for place, time in enumerate(times, 1)]
    return points
