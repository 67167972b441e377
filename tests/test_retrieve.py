"""Search: two lists fused, and for a question the reader's model as a third."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Chunk, Copy, Span
from rag.library import Library
from rag.retrieve import Retrieve, asks, blend, fuse

NAMES = ["a", "b", "c", "d", "e"]


class Shelf:
    """Stands in for a library: its words always rank the chunks in their order; `gone` are in the index alone."""

    def __init__(self, gone: Sequence[str] = ()) -> None:
        self._gone = gone

    def words(self, query: str, depth: int) -> list[tuple[str, float]]:
        return [(name, 1.0) for name in NAMES[:depth]]

    def chunks(self, names: Sequence[str]) -> dict[str, Chunk]:
        return {
            n: Chunk(n, n, f"{n}.txt", n, None, "", Span(0, 1), n, 1) for n in names if n not in self._gone
        }  # fmt: skip

    def sources(self, document: str) -> list[str]:
        return [f"{document}.txt"]

    @property
    def twins(self) -> Shelf:
        return self

    def labels(self, names: Sequence[str]) -> set[str]:
        return set(names)

    def copies(self, name: str) -> list[Copy]:
        return []


class Blank:
    """An embedder whose vectors nobody looks at."""

    def embed(self, texts: Sequence[str]) -> Any:
        return np.zeros((len(texts), 1), dtype=np.float32)


def _retrieve(
    likes: str = "",
    rerank: int = 0,
    gone: Sequence[str] = (),
    seen: list[str] | None = None,
    nearest: str = "bacde",
) -> Retrieve:
    def useful(question: str, texts: Sequence[str]) -> list[float]:
        if seen is not None:
            seen.extend(texts)
        return [6.0 if text == likes else -6.0 for text in texts]

    def near(vector: Any, depth: int) -> list[tuple[str, float]]:
        return [(name, 1.0) for name in nearest[:depth]]

    return Retrieve(cast(Library, Shelf(gone)), near, cast(Any, Blank()), 5, useful if rerank else None, rerank)


def _found(retrieve: Retrieve, question: str = "Where is it?", limit: int = 5) -> list[str]:
    return [p.chunk.id for p in retrieve(question, limit)]


def test_two_lists_that_agree_are_the_answer() -> None:
    found = _retrieve(nearest="abcde")("Where is it?", 3)
    assert [p.chunk.id for p in found] == ["a", "b", "c"] and [p.number for p in found] == [1, 2, 3]
    assert found[0].score == pytest.approx(1.0) and found[0].ranks.fused == found[0].ranks.words == 1
    assert found[0].ranks.reranked is None


def test_what_is_useful_comes_to_the_front_and_says_where_it_was() -> None:
    found = _retrieve("d", rerank=5)("Where is it?", 2)
    assert found[0].chunk.id == "d" and (found[0].ranks.fused, found[0].ranks.reranked) == (4, 1)
    assert found[0].score > found[1].score


def test_what_leads_both_lists_stays_first() -> None:
    assert _found(_retrieve("d", rerank=5, nearest="abcde")) == ["a", "d", "b", "c", "e"]


def test_what_lies_deeper_than_the_model_reads_stays_behind() -> None:
    seen: list[str] = []
    assert _found(_retrieve("e", rerank=3, seen=seen)) == NAMES and seen == ["a", "b", "c"]


def test_what_is_no_question_is_left_as_it_was_fused() -> None:
    seen: list[str] = []
    assert _found(_retrieve("e", rerank=5, seen=seen), "wing flutter at high speed") == NAMES and not seen


def test_a_chunk_that_only_the_index_knows_is_passed_over() -> None:
    assert _found(_retrieve("c", rerank=5, gone=["a"]), limit=2) == ["c", "b"]


@pytest.mark.parametrize(
    "text", ["Where is it?", "who sold it", "In which year was it", "is it", " What", "it is where?\n"]
)
def test_a_question_is_told_by_its_mark_or_its_first_word(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text", ["", "wing flutter", "the man who sold it", "island tours", "whole wheat", "Isotopes decay."]
)
def test_what_is_no_question_is_none(text: str) -> None:
    assert not asks(text)


ORDERS = st.permutations(NAMES)
LOGITS = st.lists(st.floats(-30, 30), min_size=5, max_size=5)


@given(ORDERS, ORDERS, LOGITS)
def test_scores_lie_between_0_and_1(one: list[str], two: list[str], logits: list[float]) -> None:
    fused = fuse(one, two)
    for read in (dict(zip(NAMES, logits, strict=True)), {}):
        assert all(0 < score <= 1 + 1e-9 for score in blend(NAMES, fused, read).values())
    assert (blend(NAMES, fused, {})[one[0]] == pytest.approx(1.0)) == (one[0] == two[0])


@given(ORDERS, LOGITS, st.integers(0, 5))
def test_reranking_never_puts_what_it_read_behind_what_it_did_not(
    one: list[str], logits: list[float], depth: int
) -> None:
    fused = fuse(one)
    read = sorted(NAMES, key=lambda n: -fused[n])[:depth]
    scores = blend(NAMES, fused, dict(zip(read, logits, strict=False)))
    assert min((scores[n] for n in read), default=2) > max((scores[n] for n in NAMES if n not in read), default=0)


@given(ORDERS, st.lists(st.floats(-30, 30), min_size=2, max_size=2))
def test_of_two_alike_the_more_useful_is_first(one: list[str], logits: list[float]) -> None:
    fused = dict.fromkeys(one, 0.01)
    a, b = (blend(one, fused, dict(zip(one[:2], logits, strict=True)))[n] for n in one[:2])
    assert (a >= b) if logits[0] >= logits[1] else (a <= b)
