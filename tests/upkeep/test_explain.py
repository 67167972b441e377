"""Where an expected passage was lost: each stage by hand, with its ranks and its cure."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import Bot, Config
from rag.answer.prompt import Prompt
from rag.domain import Chunk, Document, Passage, Receipt, Span
from rag.errors import Usage
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.protocols import Embedder
from rag.search.retrieve import Retriever
from rag.upkeep.explain import Explanation, explain_passage
from tests.faults.small import SmallMachines
from tests.support.fakes import WordVectors

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
    made.files.fail(
        KnownFile("/here/bad.pdf", "dir/bad.pdf", None, 1, 1, "0" * 64, None),
        "it is locked",
        "unlock it",
    )
    return made


class Question:
    """Fills the seam `Embedder`: every text points along the first axis."""

    dimension = 2

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.calls += 1
        return np.stack([unit(0)] * len(texts))


def followed(
    library: Library,
    name: str,
    quote: str | None = None,
    question: str = "How do bees fly?",
    *,
    depth: int = 4,
    rerank: int = 0,
    passages: int = 2,
    missing: str = "",
    gone: Sequence[tuple[str, float]] = (),
    useless: str = "",
    room: int = 99,
    embedder: Question | None = None,
) -> Explanation:
    """Explain a search by words and exact vectors.

    The chunk `missing` is not in the index, those of `gone` (with cosines) are there alone. The
    reader's model likes every text but `useless`; `room` passages fit into the prompt.
    """

    def near(vector: np.ndarray, depth: int) -> list[tuple[str, float]]:
        names = sorted(library.documents.chunk_ids() - {missing})
        cosines = zip(names, (library.documents.vectors(names) @ vector).tolist(), strict=True)
        return sorted([*cosines, *gone], key=lambda pair: -pair[1])[:depth]

    def useful(question: str, texts: Sequence[str]) -> list[float]:
        return [-6.0 if text == useless else 6.0 for text in texts]

    def prompt(question: str, passages: Sequence[Passage]) -> Prompt:
        left = tuple(
            f"passage {p.number} ({p.chunk.source}): 99 tokens, 3 left" for p in passages[room:]
        )
        return Prompt((), Receipt(dropped=left), frozenset(p.number for p in passages[:room]))

    retrieve = Retriever(
        library, near, embedder or Question(), depth, useful if rerank else None, rerank
    )
    return explain_passage(
        question,
        name,
        quote,
        library,
        lambda follow: retrieve.trace(question, passages, follow),
        prompt,
    )


def test_what_is_handed_on_is_not_lost(library: Library) -> None:
    found = followed(library, "one.txt", "Bees  number\none")
    assert found.lost == "" and found.cure == "" and "passage 1 of 2" in found.says
    assert (
        found.ranks == {"words": 1, "vectors": 1, "fused": 1, "reranked": None, "final": 1}
        and found.of == 20
    )
    assert found.span is not None
    assert (
        library.documents.find("one.txt").text[found.span.start : found.span.end]
        == found.text
        == "Bees number one."
    )


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
        "candidates = 8 and passages = 8 would have kept it"
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
    found = followed(
        library,
        "one.txt",
        "Bees number one",
        rerank=8,
        gone=[("gone", 1.01)],
        useless="Bees number one.",
    )
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


def test_another_file_than_the_question_names(library: Library) -> None:
    found = followed(library, "two.txt", "Bees number two", question="What is in one.txt?")
    assert found.lost == "other file" and "names a file" in found.says and found.cure
    assert set(found.ranks.values()) == {None}
    named = followed(library, "one.txt", "Wasps number one", question="Are bees in one.txt?")
    assert named.lost == "" and named.ranks["vectors"] == 2


def test_a_copy_of_a_better_passage(library: Library) -> None:
    same, (chunk,) = document("copy", ["Bees number one."])
    same, chunks = replace(same, title="one"), [replace(chunk, title="one")]
    known = KnownFile("/here/copy", same.source, same.id, 1, 1, "0" * 64, None)
    library.put([(known, same, chunks, np.stack([unit(0.01)]), [b"copy0"])])
    found = followed(library, "copy.txt", depth=30, passages=5)
    assert found.lost == "copy" and "it went to the writer as passage 1" in found.says
    assert "dir/one.txt, characters 15 to 31" in found.says and found.cure == ""
    assert found.ranks["vectors"] == 2 and found.ranks["fused"] is found.ranks["final"] is None


def test_a_search_that_is_explained_embeds_its_question_once(library: Library) -> None:
    for name, lost in (("one.txt", ""), ("four.txt", "fused"), ("eight.txt", "vectors")):
        embedder = Question()
        quote = f"Bees number {name.removesuffix('.txt')}"
        depth = 4 if lost == "vectors" else 8
        found = followed(library, name, quote, depth=depth, embedder=embedder)
        assert (found.lost, embedder.calls) == (lost, 1)


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


class CountedVectors(WordVectors):
    """The embedder of the small machines, which counts its calls."""

    calls = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        return super().embed(texts)


class CountedQuestions(SmallMachines):
    """The small machines, with an embedder for questions that counts its calls."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.questions = CountedVectors()

    def question_embedder(self) -> Embedder:
        return self.questions


@pytest.mark.slow
def test_the_front_door_reads_the_chunks_that_it_explains_and_not_all(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    draw = random.Random(3)
    for number in range(150):
        words = ["".join(draw.choices("bcdfglmnprst", k=6)) for _ in range(60)]
        sentences = [f"The {' '.join(words[at : at + 10])} of {number}." for at in range(0, 60, 10)]
        (folder / f"{number}.txt").write_text(" ".join(sentences))
    config = Config(
        home=str(tmp_path / "home"), candidates=10, chunk_tokens=40, rerank=0, passages=2
    )
    machines = CountedQuestions(config)
    statements = list[str]()
    with Bot(config, machines) as bot:
        list(bot.add([str(folder)]))
        all_ids, words = bot.library.documents.chunk_ids(), (folder / "7.txt").read_text().split()
        question = f"Who saw {' '.join(words[1:5])}?"
        nearest = bot.search(question, 10)
        bot.library.database.connection.set_trace_callback(statements.append)
        machines.questions.calls, lost = 0, list[str]()
        for passage in nearest[:1] + nearest[-1:]:
            lost.append(bot.explain(question, passage.chunk.document, passage.chunk.text).lost)
        lost.append(bot.explain(question, "90.txt").lost)
    assert machines.questions.calls == 3 and lost[:2] == ["", "fused"]
    reads = [s for s in statements if "FROM chunks" in s and "count(*)" not in s]
    assert all("WHERE" in statement for statement in reads)
    read = set(re.findall("'([0-9a-f]{32})'", " ".join(reads))) & all_ids
    assert 10 < len(read) < len(all_ids) / 3, (len(read), len(all_ids), lost)
