"""Finds the questions that a second run answers worse or better, and the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.eval.metrics import same
from rag.eval.records import CaseRecord, ChangeRecord, retrieved_sources, score_of

if TYPE_CHECKING:
    from rag.json_objects import AnswerObject

#: Scores in the order of their weight: the first that differs decides whether a question got worse.
_SCORES = (
    ("overall", "f1"),
    ("overall", "em"),
    ("citation", "precision"),
    ("citation", "recall"),
    ("citation", "quote_exact"),
    ("citation", "valid"),
    ("citation", "supported"),
    ("retrieval", "quote_recall@5"),
    ("retrieval", "quote_recall@10"),
    ("retrieval", "ndcg@10"),
)
#: Smaller differences are errors of rounding.
_MIN_DIFFERENCE = 1e-9


def case_changes(
    pairs: Sequence[tuple[CaseRecord, CaseRecord]],
) -> tuple[list[ChangeRecord], list[ChangeRecord], list[ChangeRecord]]:
    """Return the questions that got worse, that got better, and those with another, equal answer.

    The largest change comes first.
    """
    worse: list[ChangeRecord] = []
    better: list[ChangeRecord] = []
    other: list[ChangeRecord] = []
    for old, new in pairs:
        difference, score_name = _score_change(old, new)
        why = list(reasons(old, new))
        if score_name or why:
            change: ChangeRecord = {
                "id": new["id"],
                "question": new["question"],
                "mark": score_name,
                "change": difference,
                "why": why,
            }
            changes = worse if difference < 0 else better if difference > 0 else other
            changes.append(change)
    rank = {f"{group}.{name}": place for place, (group, name) in enumerate(_SCORES)}
    for changes in (worse, better):
        changes.sort(key=lambda change: (rank[change["mark"]], -abs(change["change"])))
    return worse, better, other


def _score_change(old: CaseRecord, new: CaseRecord) -> tuple[float, str]:
    """Return the change of the first score that differs, and its name, or 0 and ""."""
    for group, name in _SCORES:
        was, now = _share(old, group, name), _share(new, group, name)
        if was is not None and now is not None and abs(now - was) > _MIN_DIFFERENCE:
            return now - was, f"{group}.{name}"
    return 0.0, ""


def _share(case: CaseRecord, group: str, name: str) -> float | None:
    """Return a score as one number, or None if the case does not have it."""
    score = score_of(case, group, name)
    if isinstance(score, list | tuple):
        return score[0] / score[1] if score[1] else None
    return score


def reasons(old: CaseRecord, new: CaseRecord) -> Iterator[str]:
    """Yield the differences of two records in a few words each, from the search to the check."""
    yield from _retrieval_reasons(old, new)
    before, after = old.get("answer"), new.get("answer")
    if not before or not after:
        return
    yield from _abstention_reasons(before, after, bool(new.get("answerable")))
    if before["abstained"] or after["abstained"]:
        return
    yield from _answer_reasons(before, after)


def _retrieval_reasons(old: CaseRecord, new: CaseRecord) -> Iterator[str]:
    for source in dict.fromkeys(gold["source"] for gold in new.get("gold", {}).get("evidence", [])):
        was, now = _rank(old, source), _rank(new, source)
        if was != now:
            word = "higher" if was is None or (now is not None and now < was) else "lower"
            yield f"{source} is retrieved {word}: {_place(was)} -> {_place(now)}"
    for depth in (5, 10):
        before, after = (_share(case, "retrieval", f"quote_recall@{depth}") for case in (old, new))
        if before is not None and after is not None and abs(before - after) > _MIN_DIFFERENCE:
            verb = "are no longer" if after < before else "are now"
            yield f"words of the gold quote {verb} within the first {depth} passages"
            return


def _rank(case: CaseRecord, source: str) -> int | None:
    """Return the 1-based place of the document's first passage, None if it was not retrieved."""
    for place, passage in enumerate(case.get("retrieved") or [], 1):
        if any(same(name, source) for name in retrieved_sources(passage)):
            return place
    return None


def _place(rank: int | None) -> str:
    return "not found" if rank is None else f"passage {rank}"


def _abstention_reasons(
    before: AnswerObject, after: AnswerObject, answerable: bool
) -> Iterator[str]:
    if after["abstained"] and not before["abstained"]:
        right = "" if answerable else " (rightly)"
        yield f"abstained{right}: {after.get('missing') or after['reason']}"
    elif before["abstained"] and not after["abstained"]:
        right = " (rightly)" if answerable else " (it cannot be answered)"
        yield f"answers now{right}: {_short(after)!r}"


def _answer_reasons(before: AnswerObject, after: AnswerObject) -> Iterator[str]:
    if _short(before) != _short(after):
        yield f"answers otherwise: {_short(before)!r} -> {_short(after)!r}"
    was, now = _cited(before), _cited(after)
    if {source for source, _ in was} != {source for source, _ in now}:
        yield f"cites elsewhere: {_sources(was)} -> {_sources(now)}"
    elif was != now:
        yield "cites other words of the same documents"
    verdicts = [
        ", ".join(claim["verdict"] for claim in answer["claims"]) for answer in (before, after)
    ]
    if verdicts[0] != verdicts[1]:
        yield f"verdicts: {verdicts[0]} -> {verdicts[1]}"


def _short(answer: AnswerObject) -> str:
    return str(answer["short"] if answer["short"] is not None else answer["answer"])[:120]


def _cited(answer: AnswerObject) -> list[tuple[str, str]]:
    """Return the source and the quote of each citation, without duplicates."""
    citations = (cite for claim in answer["claims"] for cite in claim["citations"])
    return sorted({(cite["source"], cite["quote"]) for cite in citations})


def _sources(cited: Sequence[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(source for source, _ in cited)) or "nothing"
