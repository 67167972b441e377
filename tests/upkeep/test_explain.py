"""Where an expected passage was lost: each stage by hand, with its ranks and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import Bot, Config
from rag.answer.prompt import Prompt
from rag.domain import Chunk, Document, Passage, Ranks, Receipt, Span
from rag.errors import Usage
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.search.fusion import fuse_scores
from rag.search.retrieve import query_words
from rag.upkeep.explain import Explanation, SearchSteps, explain_passage
from rag.upkeep.search_loss import SearchSettings

HEAD = "Please Wait...\n"
WORDS = "one two three four five six seven eight nine ten".split()


def unit(at: float) -> np.ndarray:
    return np.array([np.cos(at), np.sin(at)], dtype=np.float32)


def document(name: str, parts: list[str]) -> tuple[Document, list[Chunk]]:
    text = HEAD + " ".join(parts)
    found = Document(name, f"dir/{name}.txt", name, None, text, (Span(0, len(HEAD) - 1),))
    chunks, at = [], len(HEAD)
    for number, part in enumerate(parts):
        span = Span(at, at + len(part))
        chunks.append(Chunk(f"{name}{number}", name, found.source, name, None, "", span, part, 2))
        at += len(part) + 1
    return found, chunks


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Ten documents, the n-th n tenths of a radian from the question. Only the number differs."""
    made = Library(tmp_path / "library", make=True)
    items = []
    for n, word in enumerate(WORDS):
        doc, chunks = document(word, [f"Bees number {word}.", f"Wasps number {word}."])
        vectors = np.stack([unit(n / 10), unit(2 + n / 10)])
        known = KnownFile(f"/here/{word}", doc.source, doc.id, 1, 1, "0" * 64, None)
        items.append((known, doc, chunks, vectors, [c.id.encode() for c in chunks]))
    made.put(items)
    made.fail(
        KnownFile("/here/bad.pdf", "dir/bad.pdf", None, 1, 1, "0" * 64, None),
        "it is locked",
        "unlock it",
    )
    return made


def searching(
    library: Library, missing: str = "", order: dict[str, int] | None = None, room: int = 99
) -> SearchSteps:
    """Search by words and exact vectors: `missing` is not in the index; `order` sets ranks."""

    def near(vector: np.ndarray, depth: int) -> list[tuple[str, float]]:
        names = sorted(library.ids() - {missing})
        cosines = library.vectors(names) @ vector
        return [
            (names[at], float(cosines[at])) for at in np.argsort(-cosines, kind="stable")[:depth]
        ]

    def fused(question: str, depth: int) -> tuple[Passage, ...]:
        scores = fuse_scores(
            dict(library.words(query_words(question), depth)), dict(near(unit(0), depth))
        )
        names = sorted(scores, key=lambda n: (-scores[n], n))
        places = {name: place for place, name in enumerate(names, 1)}
        last = sorted(names, key=lambda n: (order or {}).get(n, places[n]))
        chunks = library.chunks(names)
        return tuple(
            Passage(number, chunks[n], 0.5, Ranks(None, None, places[n], number if order else None))
            for number, n in enumerate(last, 1)
        )

    def prompt(question: str, passages: Sequence[Passage]) -> Prompt:
        left = tuple(
            f"passage {p.number} ({p.chunk.source}): 99 tokens, 3 left" for p in passages[room:]
        )
        return Prompt((), Receipt(dropped=left), frozenset(p.number for p in passages[:room]))

    return SearchSteps(library, lambda text: unit(0), fused, near, prompt)


def followed(
    library: Library,
    name: str,
    quote: str | None = None,
    question: str = "How do bees fly?",
    *,
    depth: int = 4,
    rerank: int = 0,
    passages: int = 2,
    **search: Any,
) -> Explanation:
    return explain_passage(
        question, name, quote, searching(library, **search), SearchSettings(depth, rerank, passages)
    )


def test_what_is_handed_on_is_not_lost(library: Library) -> None:
    found = followed(library, "one.txt", "Bees  number\none")
    assert found.lost == "" and found.cure == "" and "passage 1 of 2" in found.says
    assert (
        found.ranks == {"words": 1, "vectors": 1, "fused": 1, "reranked": None, "final": 1}
        and found.of == 20
    )
    assert found.span is not None
    assert found.span.of(library.find("one.txt").text) == found.text == "Bees number one."


def test_without_a_quote_the_passage_that_came_furthest_is_followed(library: Library) -> None:
    assert followed(library, "one.txt").text == "Bees number one."
    wasps = followed(library, "ten.txt", question="Do wasps fly?", depth=2)
    assert wasps.text == "Bees number ten."
    assert (wasps.ranks["words"], wasps.ranks["vectors"]) == (None, 10), (
        "of that passage, not of the document's other one"
    )


def test_not_in_the_library(library: Library) -> None:
    found = followed(library, "nowhere.txt")
    assert (found.lost, found.cure) == ("not in the library", "footnote add nowhere.txt")
    bad = followed(library, "bad.pdf")
    assert bad.lost == "not in the library" and "it is locked" in bad.says and "sync" in bad.cure


def test_not_in_the_document(library: Library) -> None:
    found = followed(library, "one.txt", "Bees number two")
    assert found.lost == "not in the document" and "footnote show" in found.cure


def test_masked(library: Library) -> None:
    found = followed(library, "one.txt", "please wait")
    assert found.lost == "masked" and found.text == "Please Wait"


def test_a_quote_over_the_edge_of_a_chunk(library: Library) -> None:
    found = followed(library, "one.txt", "one. Wasps")
    assert found.lost == "not chunked" and "2 passages" in found.says and "`chunk`" in found.cure


def test_beyond_both_lists(library: Library) -> None:
    found = followed(library, "eight.txt", "Bees number eight", depth=4, passages=2)
    assert found.lost == "words" or found.lost == "vectors"
    assert found.ranks == {"words": 8, "vectors": 8, "fused": None, "reranked": None, "final": None}
    assert "both lists end at 4" in found.says and found.cure.startswith(
        "depth = 8 and passages = 8 would have kept it"
    )
    kept = followed(library, "eight.txt", "Bees number eight", depth=8, passages=8)
    assert kept.lost == "", "the cure holds what it promises"


def test_no_word_of_the_question_and_far_by_vectors(library: Library) -> None:
    found = followed(library, "three.txt", "Wasps number three", depth=2)
    assert found.lost == "vectors" and "no word of the question stands in it" in found.says
    assert found.ranks["words"] is None and found.ranks["vectors"] == 13


def test_near_by_vectors_but_lost_by_the_index(library: Library) -> None:
    found = followed(library, "one.txt", "Bees number one", question="Honey?", missing="one0")
    assert (found.lost, found.cure) == ("vectors", "footnote rebuild") and found.ranks[
        "vectors"
    ] == 1


def test_fused_out(library: Library) -> None:
    found = followed(library, "four.txt", "Bees number four", depth=8)
    assert (
        found.lost == "fused"
        and found.ranks["final"] == 4
        and found.cure == "passages = 4 would have kept it"
    )


def test_reranked_out(library: Library) -> None:
    found = followed(library, "one.txt", "Bees number one", rerank=8, order={"one0": 7})
    assert (
        found.lost == "reranked"
        and found.ranks["fused"] == 1
        and found.ranks["reranked"] == found.ranks["final"]
    )
    assert found.cure.startswith("rerank = 0")


def test_over_the_context(library: Library) -> None:
    found = followed(library, "two.txt", "Bees number two", room=1)
    assert (
        found.lost == "over budget"
        and "99 tokens, 3 left" in found.says
        and "context" in found.cure
    )


def test_wrong_words_are_refused(library: Library) -> None:
    with pytest.raises(Usage, match="quote is empty"):
        followed(library, "one.txt", " ")
    with pytest.raises(Usage, match="2 documents are called"):
        library.put(
            [
                (
                    KnownFile(f"/{n}/x", f"{n}/x.txt", n, 1, 1, "0" * 64, None),
                    *document(n, [f"{n}."]),
                    np.ones((1, 2), np.float32),
                    [b""],
                )
                for n in ("p", "q")
            ]
        )
        followed(library, "x.txt")


def test_the_front_door_finds_what_its_search_finds(seeded: Path) -> None:
    question = "How many individual sanctions has Russia faced?"
    with Bot.open(Config(home=str(seeded), passages=2)) as bot:
        found = bot.search(question, 5)
        for passage in found:
            quote = passage.chunk.text
            seen = bot.explain(question, passage.chunk.document, quote)
            assert seen.ranks["final"] == passage.number and seen.span == passage.chunk.span
            assert (seen.lost == "") == (passage.number <= 2)
            assert (
                seen.ranks["words"] == passage.ranks.words
                and seen.ranks["vectors"] == passage.ranks.vectors
            )
