"""The stage of a search at which a passage was lost, by its ranks, with a hint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rag.answer.prompt import Prompt
from rag.domain import Passage

ASK_OTHERWISE = "ask with words of the passage"


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The settings that decide how far a passage gets.

    Both candidate lists have `depth` entries. The first `rerank` fused passages are read again, the
    first `passages` go to the writer, each with `beside` sentences on either side.
    """

    depth: int
    rerank: int
    passages: int
    beside: int = 0


class Loss(NamedTuple):
    """The stage that lost a passage ("" for none), what happened, and a hint."""

    stage: str
    says: str
    cure: str


def find_loss(
    ranks: dict[str, int | None], settings: SearchSettings, in_index: Callable[[], bool]
) -> Loss:
    """The loss that the ranks show. `in_index` is whether the index finds the chunk."""
    words, vectors, final = ranks["words"], ranks["vectors"], ranks["final"]
    by_words = f"rank {words} by words" if words else "no word of the question stands in it"
    places = f"{by_words}, rank {vectors} by vectors"
    if final is not None:
        return _find_late_loss(final, ranks, places, settings)
    if vectors and vectors <= settings.depth and not in_index():
        return Loss("vectors", f"{places}, but the index does not find it", "footnote rebuild")
    stage = "words" if words and (not vectors or words < vectors) else "vectors"
    return Loss(stage, f"{places}; both lists end at {settings.depth}", ASK_OTHERWISE)


def _find_late_loss(
    final: int, ranks: dict[str, int | None], places: str, settings: SearchSettings
) -> Loss:
    """The loss of a passage that was in a candidate list and has a `final` rank."""
    fused, reranked, limit = ranks["fused"], ranks["reranked"], settings.passages
    sent, enough = f"{limit} go to the writer", f"passages = {final} would have kept it"
    if final <= limit:
        says = f"it went to the writer as passage {final} of {limit} ({places}, {fused} when fused)"
        return Loss("", says, "")
    if reranked and fused and fused <= limit:
        says = f"rank {fused} when fused ({places}), but {final} after it was read again: {sent}"
        return Loss("reranked", says, f"rerank = 0 would have kept it, or passages = {final}")
    if settings.rerank and not reranked and fused and fused > settings.rerank:
        says = f"rank {fused} when fused ({places}): the first {settings.rerank} are read again"
        cure = f"rerank = {fused} would have read it, or passages = {final} would have kept it"
        return Loss("fused", says, cure)
    if reranked:
        says = f"rank {final} after it was read again ({places}, {fused} when fused): {sent}"
        return Loss("reranked", says, enough)
    return Loss("fused", f"rank {fused} when fused ({places}): {sent}", enough)


def find_overflow(prompt: Prompt, passage: Passage, total: int) -> Loss | None:
    """The loss of a passage that did not fit into the prompt; None if it did."""
    number = passage.number
    if number in prompt.numbers:
        return None
    dropped = (part for part in prompt.receipt.dropped if part.startswith(f"passage {number} "))
    says = f"passage {number} of {total}, but the context was full: {next(dropped, 'no room')}"
    cure = "raise `context`, or lower `answer` or `passages`, so that it fits"
    return Loss("over budget", says, cure)
