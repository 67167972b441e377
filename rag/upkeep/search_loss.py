"""The stage of a search at which a passage was lost, by the trace of the search, with a hint."""

from __future__ import annotations

from typing import NamedTuple

from rag.answer.prompt import Prompt
from rag.domain import Chunk
from rag.search.retrieve import Followed, SearchTrace

_ASK_OTHERWISE = "ask with words of the passage"
_NO_VECTOR = "no vector, as a row of a large table is found by words alone"


class Loss(NamedTuple):
    """The stage that lost a passage ("" for none), what happened, and a hint."""

    stage: str
    says: str
    cure: str


def find_loss(trace: SearchTrace, followed: Followed) -> Loss:
    """The loss of the passage that was `followed`."""
    words, vectors = followed.ranks.words, followed.ranks.vectors
    by_words = f"rank {words} by words" if words else "no word of the question stands in it"
    by_vectors = f"rank {vectors} by vectors" if vectors else _NO_VECTOR
    places = f"{by_words}, {by_vectors}"
    if followed.final is not None:
        return _find_late_loss(followed.final, trace, followed, places)
    if followed.original:
        return _find_copy(followed.original, trace, places)
    depth = trace.lists.depth
    if trace.lists.in_files:
        says = "the question names a file, and no other file is searched"
        return Loss("other file", says, "ask without the name of the file")
    if vectors and vectors <= depth and not followed.in_index:
        return Loss("vectors", f"{places}, but the index does not find it", "footnote rebuild")
    stage = "words" if not vectors or (words and words < vectors) else "vectors"
    cure = _ASK_OTHERWISE
    if followed.kept_by:
        needed, limit = followed.kept_by
        cure = f"candidates = {needed} and passages = {limit} would have kept it; or {cure}"
    return Loss(stage, f"{places}; both lists end at {depth}", cure)


def _find_late_loss(final: int, trace: SearchTrace, followed: Followed, places: str) -> Loss:
    """The loss of a passage that was in a candidate list and has a `final` rank."""
    fused, reranked, limit = followed.ranks.fused, followed.ranks.reranked, trace.limit
    sent, enough = f"{limit} go to the writer", f"passages = {final} would have kept it"
    if final <= limit:
        says = f"it went to the writer as passage {final} of {limit} ({places}, {fused} when fused)"
        return Loss("", says, "")
    if reranked and fused and fused <= limit:
        says = f"rank {fused} when fused ({places}), but {final} after it was read again: {sent}"
        return Loss("reranked", says, f"rerank = 0 would have kept it, or passages = {final}")
    if trace.rerank and not reranked and fused and fused > trace.rerank:
        says = f"rank {fused} when fused ({places}): the first {trace.rerank} are read again"
        cure = f"rerank = {fused} would have read it, or passages = {final} would have kept it"
        return Loss("fused", says, cure)
    if reranked:
        says = f"rank {final} after it was read again ({places}, {fused} when fused): {sent}"
        return Loss("reranked", says, enough)
    return Loss("fused", f"rank {fused} when fused ({places}): {sent}", enough)


def _find_copy(original: Chunk, trace: SearchTrace, places: str) -> Loss:
    """The loss of a passage that was folded into a better one with the same text."""
    span = original.span
    says = (
        f"it says nothing that {original.source}, characters {span.start} to {span.end}, "
        f"does not say, and that passage stands for it ({places})"
    )
    number = next((p.number for p in trace.passages if p.chunk.id == original.id), None)
    if number:
        return Loss("copy", f"{says}: it went to the writer as passage {number}", "")
    return Loss("copy", says, f"see where that passage was lost: --document {original.source}")


def find_overflow(prompt: Prompt, number: int, total: int) -> Loss | None:
    """The loss of passage `number` if it did not fit into the prompt; None if it did."""
    if number in prompt.numbers:
        return None
    dropped = (part for part in prompt.receipt.dropped if part.startswith(f"passage {number} "))
    says = f"passage {number} of {total}, but the context was full: {next(dropped, 'no room')}"
    cure = "raise `context`, or lower `answer` or `passages`, so that it fits"
    return Loss("over budget", says, cure)
