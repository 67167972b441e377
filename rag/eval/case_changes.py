"""Which questions a second run answers worse or better than the first, and why: what the two records say of each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.eval.metrics import Hit, same

Record = Mapping[str, Any]
Change = dict[str, Any]

#: in this order: the first mark that differs says whether a question got worse
_MARKS = (
    ("overall", "f1"), ("overall", "em"), ("citation", "precision"), ("citation", "recall"), ("citation", "quote_exact"),
    ("citation", "valid"), ("citation", "supported"), ("retrieval", "quote_recall@5"), ("retrieval", "quote_recall@10"),
    ("retrieval", "ndcg@10"),
)  # fmt: skip
_LEAST = 1e-9


def case_changes(
    pairs: Sequence[tuple[Record, Record]],
) -> tuple[list[Change], list[Change], list[Change]]:
    """The questions that got worse, that got better (most first), and those whose answer is another of the same worth."""
    worse: list[Change] = []
    better: list[Change] = []
    other: list[Change] = []
    for old, new in pairs:
        by, mark = _moved(old, new)
        why = list(reasons(old, new))
        if mark or why:
            change = {
                "id": new["id"],
                "question": new["question"],
                "mark": mark,
                "change": by,
                "why": why,
            }
            (worse if by < 0 else better if by > 0 else other).append(change)
    rank = {f"{group}.{name}": place for place, (group, name) in enumerate(_MARKS)}
    for found in (worse, better):
        found.sort(key=lambda change: (rank[change["mark"]], -abs(change["change"])))
    return worse, better, other


def _moved(old: Record, new: Record) -> tuple[float, str]:
    """By how much the first mark that differs changed, and its name; 0 and "" where all are the same."""
    for group, name in _MARKS:
        was, now = _share(old, group, name), _share(new, group, name)
        if was is not None and now is not None and abs(now - was) > _LEAST:
            return now - was, f"{group}.{name}"
    return 0.0, ""


def _share(case: Record, group: str, name: str) -> float | None:
    found = case["scores"].get(group, {}).get(name)
    if isinstance(found, list | tuple):
        return found[0] / found[1] if found[1] else None
    return found


def reasons(old: Record, new: Record) -> Iterator[str]:
    """What is otherwise, from the search to the check, each in a few words."""
    yield from _retrieved(old, new)
    before, after = old.get("answer"), new.get("answer")
    if not before or not after:
        return
    yield from _abstained(before, after, bool(new.get("answerable")))
    if before["abstained"] or after["abstained"]:
        return
    yield from _said(before, after)


def _retrieved(old: Record, new: Record) -> Iterator[str]:
    for source in dict.fromkeys(gold["source"] for gold in new.get("gold", {}).get("evidence", [])):
        was, now = _rank(old, source), _rank(new, source)
        if was != now:
            word = "higher" if was is None or (now is not None and now < was) else "lower"
            yield f"{source} is retrieved {word}: {_place(was)} -> {_place(now)}"
    for depth in (5, 10):
        before, after = (_share(case, "retrieval", f"quote_recall@{depth}") for case in (old, new))
        if before is not None and after is not None and abs(before - after) > _LEAST:
            held = "are no longer" if after < before else "are now"
            yield f"words of the gold quote {held} within the first {depth} passages"
            return


def _rank(case: Record, source: str) -> int | None:
    """The first passage of the document, counted in passages."""
    for place, found in enumerate(case.get("retrieved") or [], 1):
        if any(same(name, source) for name in Hit((found["source"], *found["copies"])).names):
            return place
    return None


def _place(rank: int | None) -> str:
    return "not found" if rank is None else f"passage {rank}"


def _abstained(before: Record, after: Record, answerable: bool) -> Iterator[str]:
    if after["abstained"] and not before["abstained"]:
        right = "" if answerable else " (rightly)"
        yield f"abstained{right}: {after.get('missing') or after['reason']}"
    elif before["abstained"] and not after["abstained"]:
        right = " (rightly)" if answerable else " (it cannot be answered)"
        yield f"answers now{right}: {_short(after)!r}"


def _said(before: Record, after: Record) -> Iterator[str]:
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


def _short(answer: Record) -> str:
    return str(answer["short"] if answer["short"] is not None else answer["answer"])[:120]


def _cited(answer: Record) -> list[tuple[str, str]]:
    found = {
        (cite["source"], cite["quote"]) for claim in answer["claims"] for cite in claim["citations"]
    }
    return sorted(found)


def _sources(cited: Sequence[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(source for source, _ in cited)) or "nothing"
