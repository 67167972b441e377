"""Checks a computed sentence: the computation is made again from the rows that it cites."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rag.answer.evidence import evidence_at, text_at
from rag.answer.tables.rows import has_decimal_comma, number_of
from rag.domain import Claim, Computed, ComputedRow, Passage, Sentence, Verdict

#: rows that are shown as evidence; all of them are computed with
_MAX_SHOWN = 20
_FIGURE = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def check_computed(
    sentence: Sentence, computed: Computed, passages: Mapping[int, Passage]
) -> Claim:
    """Return the claim of a computed sentence.

    Its verdict is "computed" if the same computation over the cited rows, read from the passages
    again, has the same result, and the last number of the sentence is that result, rounded.
    `passages` are by their numbers.
    """
    rows = [row for row in computed.rows if _is_inside(row, passages)]
    evidence = tuple(evidence_at(passages[row.number], row.span) for row in rows[:_MAX_SHOWN])
    if len(rows) < len(computed.rows):
        reason = "a row that was computed with is in no passage"
        return Claim(sentence, evidence, Verdict.UNSUPPORTED, 0.0, (reason,))
    result = compute_again(computed, passages)
    figures = _FIGURE.findall(sentence.text)
    shown = float(figures[-1].replace(",", "")) if figures else math.nan
    if result is None or not math.isclose(result, computed.result, rel_tol=1e-9, abs_tol=1e-9):
        reason = "the computation over the cited rows has another result"
        return Claim(sentence, evidence, Verdict.UNSUPPORTED, 0.0, (reason,))
    if not math.isclose(result, shown, rel_tol=1e-3, abs_tol=1e-3):
        reason = "the sentence gives another result than the computation"
        return Claim(sentence, evidence, Verdict.UNSUPPORTED, 0.0, (reason,))
    counted = f"{len(rows)} row" + ("s" if len(rows) != 1 else "")
    reasons = [f"computed again from {counted}: {computed.operation}"]
    if len(rows) > _MAX_SHOWN:
        reasons.append(f"{_MAX_SHOWN} of the {len(rows)} rows are shown")
    return Claim(sentence, evidence, Verdict.COMPUTED, 1.0, tuple(reasons))


def _is_inside(row: ComputedRow, passages: Mapping[int, Passage]) -> bool:
    passage = passages.get(row.number)
    return (
        passage is not None
        and row.span.within(passage.chunk.span)
        and (row.value is None or row.value.within(row.span))
    )


def compute_again(computed: Computed, passages: Mapping[int, Passage]) -> float | None:
    """Return the result of the computation over the rows; None if a value is no number.

    Raises `KeyError` if a row cites a passage that is not there.
    """
    weights = [row.weight for row in computed.rows]
    if computed.operation == "count":
        return float(abs(sum(weights)))
    texts = [
        text_at(passages[row.number], row.value) for row in computed.rows if row.value is not None
    ]
    comma = has_decimal_comma(texts)
    values = [number_of(text, comma) for text in texts]
    known = [value for value in values if value is not None]
    if len(known) < len(computed.rows) or not known:
        return None
    return combine(computed.operation, known, weights)


def combine(operation: str, values: Sequence[float], weights: Sequence[int]) -> float:
    """Return the sum, the average or the difference of values.

    `weights` are 1 for a value that is added and -1 for one that is subtracted. An average does not
    use them. The difference is not negative.
    """
    if operation == "average":
        return sum(values) / len(values)
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    return abs(total) if operation == "difference" else total
