"""The trace of a search: the search itself is the same, and what it says of a chunk holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from rag.domain import Chunk, Document, Span
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.search.retrieve import Followed, Retriever

NOUNS = "heron otter lynx newt toad weasel curlew plover egret stoat shrew adder osprey".split()
PLACES = "river forest meadow barn harbour quarry orchard marsh cliff garden".split()
QUESTIONS = (
    "Where does the heron sleep in the marsh?",
    "otter and lynx near the quarry",
    "Which toads live by the harbour?",
    "What does 7.txt say of the adder?",
    "Is there a plovre in the orchard?",
    "zebra",
)
SIZE = 8  # numbers in a vector


class WordsAsVectors:
    """Fills the seam `Embedder`: random numbers drawn from the text."""

    dimension = SIZE

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([_vector(text) for text in texts])


def _vector(text: str) -> np.ndarray:
    vector = np.random.default_rng(list(text.encode())).normal(size=SIZE).astype(np.float32)
    return vector / np.linalg.norm(vector)


def _text(draw: random.Random, number: int) -> str:
    return f"Number {number}: {' '.join(draw.choices(NOUNS + PLACES, k=14))}."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Twenty-four documents of five chunks, every eighth of them a copy of the one before."""
    library = Library(tmp_path_factory.mktemp("trace") / "library", make=True)
    draw, texts, items = random.Random(5), list[str](), []
    for number in range(24):
        if number % 8 != 7:
            texts = [_text(draw, 5 * number + part) for part in range(5)]
        text = f"Copy {number}\n" * (number % 8 == 7) + "\n".join(texts)
        name = f"d{number:02}"
        document = Document(name, f"{number}.txt", "", None, text)
        chunks, start = list[Chunk](), text.index(texts[0])
        for part, content in enumerate(texts):
            span = Span(start, start + len(content))
            place = (document.source, "", None, "", span, content, 1)
            chunks.append(Chunk(f"{name}-{part}", name, *place))
            start += len(content) + 1
        known = KnownFile(f"/{name}", document.source, name, 1, 1, "0" * 64, None)
        vectors = np.stack([_vector(content) for content in texts])
        items.append((known, document, chunks, vectors, [c.id.encode() for c in chunks]))
    library.put(items)
    return library


def retriever(library: Library, depth: int, rerank: int) -> Retriever:
    names = sorted(library.documents.chunk_ids())
    vectors = library.documents.vectors(names)

    def near(vector: np.ndarray, limit: int) -> list[tuple[str, float]]:
        cosines = vectors @ vector
        nearest = np.argsort(-cosines, kind="stable")[:limit]
        return [(names[place], float(cosines[place])) for place in nearest]

    def useful(question: str, texts: Sequence[str]) -> list[float]:
        return [float(4 * _vector(text)[0]) for text in texts]

    embedder, rate = WordsAsVectors(), useful if rerank else None
    return Retriever(library, near, embedder, depth, rate, rerank)


def follow(search: Retriever, question: str, limit: int, *chunk_ids: str) -> Followed:
    followed = search.trace(question, limit, chunk_ids).followed
    assert followed is not None
    return followed


@pytest.mark.parametrize("rerank", [0, 6])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_trace_has_the_passages_of_the_plain_search(
    library: Library, question: str, rerank: int
) -> None:
    for depth, limit in ((4, 2), (10, 5), (30, 20)):
        search = retriever(library, depth, rerank)
        plain = search(question, limit)
        assert search.trace(question, limit).passages == plain
        for document in ("d03", "d07", "d20"):
            trace = search.trace(question, limit, library.documents.chunk_ids_of(document))
            assert trace.passages == plain and trace.limit == limit and trace.followed is not None


@pytest.mark.slow
@pytest.mark.parametrize("rerank", [0, 6])
@pytest.mark.parametrize("question", QUESTIONS[:2])
def test_the_limit_and_the_depth_that_a_trace_names_return_the_chunk(
    library: Library, question: str, rerank: int
) -> None:
    search, checked = retriever(library, 20, rerank), Counter[str]()
    for chunk_id in sorted(library.documents.chunk_ids())[::4]:
        followed = follow(search, question, 3, chunk_id)
        assert followed.chunk_id == chunk_id
        depth, limit = followed.kept_by or (20, followed.final)
        if not limit:  # it is a copy, or nothing that can be set returns it
            continue
        trace = retriever(library, depth, rerank).trace(question, limit)
        if trace.lists.depth == depth:  # else so many passages needed deeper lists
            assert chunk_id in {passage.chunk.id for passage in trace.passages}
            checked["listed" if followed.final else "beyond"] += 1
    assert checked["listed"] > 2 and checked["beyond"] > 2, checked


def test_ranks_beyond_the_lists_are_those_in_the_whole_library(library: Library) -> None:
    question, names = QUESTIONS[0], sorted(library.documents.chunk_ids())
    shallow, whole = retriever(library, 5, 0), retriever(library, 1000, 0)
    lists = whole.trace(question, 3).lists
    by_words, by_vectors = list(lists.by_words), list(lists.by_vectors)
    assert len(by_vectors) == len(names) > len(by_words) > 5
    for chunk_id in names[::5]:
        ranks = follow(shallow, question, 3, chunk_id).ranks
        assert ranks.vectors == by_vectors.index(chunk_id) + 1
        assert ranks.words == (by_words.index(chunk_id) + 1 if chunk_id in by_words else None)


def test_of_several_chunks_the_one_that_got_furthest_is_followed(library: Library) -> None:
    search, question = retriever(library, 20, 0), QUESTIONS[1]
    shown = [passage.chunk.id for passage in search(question, 6)]
    assert follow(search, question, 3, shown[2], shown[1]).chunk_id == shown[1]
    assert follow(search, question, 3, shown[5], shown[4]).chunk_id == shown[4]
    ends = search.trace(question, 3).lists
    beyond = [name for name in sorted(library.documents.chunk_ids()) if name not in ends.fused()]
    ranks = {name: follow(search, question, 3, name).ranks for name in beyond[:9]}
    best = min(ranks, key=lambda name: min(filter(None, (ranks[name].words, ranks[name].vectors))))
    assert follow(search, question, 3, *ranks).chunk_id == best


def test_a_question_that_names_a_file_has_ranks_in_that_file(library: Library) -> None:
    search, question = retriever(library, 20, 0), QUESTIONS[3]
    trace = search.trace(question, 5, ["d20-0"])
    assert trace.lists.in_files and set(trace.lists.by_vectors) == set(
        library.documents.chunk_ids_of("d07")
    )
    ranks = {p.chunk.id: p.ranks.vectors for p in trace.passages}
    cosines = trace.lists.by_vectors
    assert sorted(ranks, key=lambda name: ranks[name] or 0) == sorted(
        ranks, key=lambda name: -cosines[name]
    )
    assert trace.followed and trace.followed.final is None
    assert trace.followed.ranks.words is trace.followed.ranks.vectors is None
