"""The steps of one search as values: what each step passed on and where it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rag.domain import Chunk, Passage, Ranks
from rag.search.candidates import Lists, Query, ranks_of
from rag.search.fold import Folded


class Ranking(NamedTuple):
    """Candidates in their order after each step. Scores are by chunk id."""

    fused: dict[str, float]  #: fused scores of all candidates
    folded: Folded  #: the best candidates without copies, in the order of their fused scores
    widened: dict[str, Chunk]  #: the first of these, as the reader's model read them again
    logits: dict[str, float]  #: of that reading; empty if nothing was read again
    scores: dict[str, float]  #: fused scores with the logits blended in
    best: list[str]  #: chunk ids in the final order, spread over their documents

    def reranked(self) -> dict[str, int]:
        """Chunk id -> rank by its logit."""
        return ranks_of(sorted(self.logits, key=lambda chunk_id: -self.logits[chunk_id]))


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a chunk got that was looked for, in the lists or beyond their ends.

    The ranks by words and by vectors are those in the whole library, or in the files that the
    question names. `final` is the smallest limit with which the search returns the chunk.
    """

    chunk_id: str
    ranks: Ranks
    final: int | None  #: None if it is in neither list, or was folded
    in_index: bool  #: it is in the list of the index
    original: Chunk | None = None  #: the chunk that it is a copy of, which stands for it
    kept_by: tuple[int, int] | None = None  #: depth and limit of a search that returns it


@dataclass(frozen=True, slots=True)
class SearchTrace:
    """One search: its question, what each step passed on, and the passages that it returned.

    Every list is as long as the search itself made it: `ranking` ends where the first `limit`
    passages were certain.
    """

    query: Query
    lists: Lists
    ranking: Ranking
    rerank: int  #: how many candidates are read again: 0 if this is no question
    limit: int  #: how many passages were asked for
    passages: tuple[Passage, ...]
    followed: Followed | None = None
