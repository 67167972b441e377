"""Search: two lists are fused, and for a question the reader's model reranks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Chunk, Copy, Span
from rag.library.library import Library
from rag.search.candidates import blend_scores, fuse_scores, spread_over_documents
from rag.search.retrieve import Retriever, is_question

NAMES = ["a", "b", "c", "d", "e"]


FALLING = (
    2.0,
    1.95,
    1.9,
    1.85,
    1.8,
)  # scores of a list, best first, so near each other that the model may turn them round


class FakeLibrary:
    """A fake library whose words always rank the chunks in their order.

    Chunks in `gone` are in the index alone. A word with a "k" is in no chunk, and the same word
    with a "c" is. `cosine` and `document` give those of a chunk id; the defaults are 0.1 and the
    id itself. With a `label`, all chunks are copies of one.
    """

    def __init__(
        self,
        gone: Sequence[str] = (),
        cosine: Mapping[str, float] | None = None,
        document: Mapping[str, str] | None = None,
        label: str = "",
    ) -> None:
        self._gone, self._cosine, self._document, self._label = (
            gone,
            cosine or {},
            document or {},
            label,
        )
        self.asked: list[str] = []
        self.loaded = 0

    @property
    def documents(self) -> FakeLibrary:
        return self

    files = fulltext = spelling = duplicates = table_vectors = documents

    def hold(self, words: Sequence[str]) -> set[str]:
        return {word for word in words if "k" not in word}

    def __call__(self, words: Sequence[str], depth: int) -> list[tuple[str, float]]:
        self.asked += words
        return [(name, score) for name, score in zip(NAMES, FALLING, strict=True)][:depth]

    def cosines(self, names: Sequence[str], vector: Any) -> dict[str, float]:
        return {name: self._cosine.get(name, 0.1) for name in names}

    def spelt(self, word: str) -> list[str]:
        return [word.replace("k", "c")]

    def chunk_ids_named(self, names: Sequence[str]) -> list[str]:
        return [name.removesuffix(".txt") for name in names if name.removesuffix(".txt") in NAMES]

    def chunks(self, names: Sequence[str]) -> dict[str, Chunk]:
        self.loaded += 1
        return {
            n: Chunk(n, self._document.get(n, n), f"{n}.txt", n, None, "", Span(0, 1), n, 1)
            for n in names
            if n not in self._gone
        }

    def sources(self, document: str) -> list[str]:
        return [f"{document}.txt"]

    def labels(self, names: Sequence[str]) -> set[str]:
        return {self._label} if self._label else set(names)

    def copies(self, name: str) -> list[Copy]:
        return []


class ZeroEmbedder:
    """An embedder whose vectors nobody looks at."""

    def embed(self, texts: Sequence[str]) -> Any:
        return np.zeros((len(texts), 1), dtype=np.float32)


def _retrieve(
    likes: str = "",
    rerank: int = 0,
    gone: Sequence[str] = (),
    seen: list[str] | None = None,
    nearest: str = "bacde",
) -> Retriever:
    def useful(question: str, texts: Sequence[str]) -> list[float]:
        if seen is not None:
            seen.extend(texts)
        return [6.0 if text == likes else -6.0 for text in texts]

    def near(vector: Any, depth: int) -> list[tuple[str, float]]:
        return list(zip(nearest, FALLING, strict=False))[:depth]

    return Retriever(
        cast(Library, FakeLibrary(gone)),
        near,
        cast(Any, ZeroEmbedder()),
        5,
        useful if rerank else None,
        rerank,
    )


def _chunk_ids(retrieve: Retriever, question: str = "Where is it?", limit: int = 5) -> list[str]:
    return [p.chunk.id for p in retrieve(question, limit)]


def test_two_lists_that_agree_are_the_answer() -> None:
    found = _retrieve(nearest="abcde")("Where is it?", 3)
    assert [p.chunk.id for p in found] == ["a", "b", "c"] and [p.number for p in found] == [1, 2, 3]
    assert (
        found[0].score == pytest.approx(1.0) and found[0].ranks.fused == found[0].ranks.words == 1
    )
    assert found[0].ranks.reranked is None


def test_what_is_useful_comes_to_the_front_and_says_where_it_was() -> None:
    found = _retrieve("d", rerank=5)("Where is it?", 2)
    assert found[0].chunk.id == "d" and (found[0].ranks.fused, found[0].ranks.reranked) == (4, 1)
    assert found[0].score > found[1].score


def test_what_leads_both_lists_stays_first() -> None:
    assert _chunk_ids(_retrieve("d", rerank=5, nearest="abcde")) == ["a", "d", "b", "c", "e"]


def test_what_lies_deeper_than_the_model_reads_stays_behind() -> None:
    seen: list[str] = []
    assert _chunk_ids(_retrieve("e", rerank=3, seen=seen)) == NAMES and seen == ["a", "b", "c"]


def test_what_is_no_question_is_left_as_it_was_fused() -> None:
    seen: list[str] = []
    assert (
        _chunk_ids(_retrieve("e", rerank=5, seen=seen), "wing flutter at high speed") == NAMES
        and not seen
    )


def test_a_chunk_that_only_the_index_knows_is_passed_over() -> None:
    assert _chunk_ids(_retrieve("c", rerank=5, gone=["a"]), limit=2) == ["c", "b"]


@pytest.mark.parametrize(
    "text",
    ["Where is it?", "who sold it", "In which year was it", "is it", " What", "it is where?\n"],
)
def test_a_question_is_told_by_its_mark_or_its_first_word(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    ["", "wing flutter", "the man who sold it", "island tours", "whole wheat", "Isotopes decay."],
)
def test_what_is_no_question_is_none(text: str) -> None:
    assert not is_question(text)


ORDERS = st.permutations(NAMES)
LOGITS = st.lists(st.floats(-30, 30), min_size=5, max_size=5)


SCORES = st.lists(st.floats(0, 50), min_size=5, max_size=5, unique=True).map(
    lambda s: sorted(s, reverse=True)
)


@given(ORDERS, ORDERS, SCORES, LOGITS)
def test_scores_lie_between_0_and_1(
    one: list[str], two: list[str], scores: list[float], logits: list[float]
) -> None:
    fused = fuse_scores(dict(zip(one, scores, strict=True)), dict(zip(two, FALLING, strict=True)))
    for read in (dict(zip(NAMES, logits, strict=True)), {}):
        assert all(0 < score <= 1 + 1e-9 for score in blend_scores(NAMES, fused, read).values())
    assert (blend_scores(NAMES, fused, {})[one[0]] == pytest.approx(1.0)) == (one[0] == two[0])


@given(ORDERS, LOGITS, st.integers(0, 5))
def test_reranking_never_puts_what_it_read_behind_what_it_did_not(
    one: list[str], logits: list[float], depth: int
) -> None:
    fused = fuse_scores(dict(zip(one, FALLING, strict=True)), {})
    read = sorted(NAMES, key=lambda n: -fused[n])[:depth]
    scores = blend_scores(NAMES, fused, dict(zip(read, logits, strict=False)))
    assert min((scores[n] for n in read), default=2) > max(
        (scores[n] for n in NAMES if n not in read), default=0
    )


@given(ORDERS, st.lists(st.floats(-30, 30), min_size=2, max_size=2))
def test_of_two_alike_the_more_useful_is_first(one: list[str], logits: list[float]) -> None:
    fused = dict.fromkeys(one, 0.01)
    a, b = (blend_scores(one, fused, dict(zip(one[:2], logits, strict=True)))[n] for n in one[:2])
    assert (a >= b) if logits[0] >= logits[1] else (a <= b)


def test_by_how_much_one_is_ahead_counts_and_not_only_its_rank() -> None:
    words = {"a": 9.0, "b": 8.9, "c": 1.0}
    fused = fuse_scores(words, {"c": 0.80, "b": 0.79, "a": 0.2})
    assert max(fused, key=fused.__getitem__) == "b"
    assert fuse_scores({}, {"a": 0.5, "b": 0.25}) == {
        "a": 0.5,
        "b": 0.25,
    }  # no word of it stands anywhere: the other half is nobody's
    assert fuse_scores({}, {"a": -0.5}) == {"a": 0.0}


@given(ORDERS, SCORES, st.integers(1, 5))
def test_passages_are_spread_over_documents_where_that_costs_little(
    order: list[str], scores: list[float], limit: int
) -> None:
    by_name = dict(zip(order, (s / 50 for s in scores), strict=True))
    alone = spread_over_documents({name: name for name in order}, by_name, limit)
    assert alone == order[:limit]  # each its own document: as they were
    one = spread_over_documents(dict.fromkeys(order, "d"), by_name, limit)
    assert one == order[:limit]  # one document has all: nobody else to give way to


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_what_is_settled_is_what_would_be_chosen_among_all(
    documents_and_scores: list[tuple[str, int]], limit: int
) -> None:
    ranked = sorted(documents_and_scores, key=lambda pair: -pair[1])
    documents = {str(n): document for n, (document, _) in enumerate(ranked)}
    scores = {str(n): score / 50 for n, (_, score) in enumerate(ranked)}
    names = list(documents)
    for count in range(1, len(names)):
        first = {name: documents[name] for name in names[:count]}
        settled = spread_over_documents(first, scores, limit, scores[names[count]])
        assert settled == spread_over_documents(documents, scores, limit)[: len(settled)]
    assert spread_over_documents(
        {"x": "a", "y": "a", "z": "a"}, {"x": 0.9, "y": 0.89, "z": 0.2}, 2, 0.86
    ) == ["x"]


def test_a_third_passage_of_one_document_gives_way_to_one_nearly_as_near() -> None:
    documents = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "c1": "c"}
    scores = {"a1": 0.90, "a2": 0.88, "a3": 0.87, "b1": 0.85, "c1": 0.30}
    assert spread_over_documents(documents, scores, 5) == ["a1", "b1", "a2", "a3", "c1"]


def test_a_question_that_names_a_file_is_looked_up_in_it_alone() -> None:
    assert _chunk_ids(_retrieve(nearest="abcde"), "What does d.txt say?") == ["d"]
    assert _chunk_ids(_retrieve(nearest="abcde"), "What does missing.txt say?") == NAMES


def test_a_word_that_stands_nowhere_is_looked_up_as_its_neighbours_too() -> None:
    library = FakeLibrary()
    Retriever(cast(Library, library), lambda vector, depth: [], cast(Any, ZeroEmbedder()), 5)(
        "the sanktions of Iran", 2
    )
    assert library.asked == ["sanktions", "sanctions", "iran"]


def _search(library: FakeLibrary, nearest: str, limit: int, depth: int = 5) -> list[str]:
    def near(vector: Any, depth: int) -> list[tuple[str, float]]:
        return list(zip(nearest, FALLING, strict=False))[:depth]

    return _chunk_ids(
        Retriever(cast(Library, library), near, cast(Any, ZeroEmbedder()), depth),
        "Where is it?",
        limit,
    )


def test_what_is_not_in_the_list_of_the_index_has_its_cosine_all_the_same() -> None:
    assert _search(FakeLibrary(), "e", 2) == ["e", "a"]
    assert _search(FakeLibrary(cosine={"b": 1.99}), "e", 2) == ["b", "e"]


def test_passages_are_looked_at_until_none_to_come_could_be_shown_before_those() -> None:
    library = FakeLibrary(document=dict.fromkeys("abc", "x"))
    assert _search(library, "adbce", 2) == ["a", "d"]  # b, which is before d, gives way to it
    assert _search(FakeLibrary(), "adbce", 2) == ["a", "b"]
    library = FakeLibrary()
    assert _search(library, "abcde", 2) == ["a", "b"] and library.loaded == 2


class LibraryOfCopies(FakeLibrary):
    """A hundred chunks of the same words, and one of others behind them."""

    def __call__(self, words: Sequence[str], depth: int) -> list[tuple[str, float]]:
        names = [*(f"{n:03}" for n in range(100)), "other"]
        return [(name, 2 - at / 1000) for at, name in enumerate(names)][:depth]

    def chunks(self, names: Sequence[str]) -> dict[str, Chunk]:
        self.loaded += 1
        texts = {n: "another thing" if n == "other" else "the same thing" for n in names}
        return {
            n: Chunk(n, n, f"{n}.txt", "", None, "", Span(0, 1), text, 1)
            for n, text in texts.items()
        }


def test_lists_full_of_copies_are_not_compared_where_their_labels_tell() -> None:
    labelled, unlabelled = LibraryOfCopies(label="one"), LibraryOfCopies()
    assert (
        _search(labelled, "", 2, depth=50)
        == _search(unlabelled, "", 2, depth=50)
        == ["000", "other"]
    )
    assert labelled.loaded < unlabelled.loaded - 20
