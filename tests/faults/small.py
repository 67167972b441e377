"""The real front door with small machines behind it: `Bot` with the embedder that counts words and a writer by rote.

Library, index, ingest, retrieval, check and the writer's lock are the product's own. What is replaced takes no part in
durability and costs seconds to open: the embedder's weights, its tokenizer and the reader.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag import Config
from rag.bot import Bot
from rag.domain import Draft, Model, Passage, Piece, Progress, Quote, Receipt, Span, Turn
from rag.events import Indexing
from rag.index.bm25 import TextSource
from rag.index.chroma import Fetch, VectorIndex
from rag.ingest.ingest import Ingest
from rag.library.library import Library
from rag.library_access import LibraryAccess
from rag.machines import Machines
from rag.protocols import Embedder, Writer
from rag.text.sentences import split_sentences
from tests.support.fakes import JUDGE, WordVectors

if TYPE_CHECKING:
    from rag.answer.check import Judge

IDENTITY = "words of the fault suite"
WINDOW = 6  #: chunks of one transaction: several commits in one `add`


def count(texts: Sequence[str]) -> list[int]:
    """Words of each text: what a chunk's size is measured in here."""
    return [len(text.split()) for text in texts]


class Rote:
    """Fills the seam `Writer`: quotes the first sentence of the first passage."""

    model = Model("rote", "0" * 64)

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        yield Draft(Receipt(context=4096))
        if passages:
            span = next(split_sentences(passages[0].chunk.text))
            start = passages[0].chunk.span.start
            yield Quote(
                span.of(passages[0].chunk.text), 1, Span(start + span.start, start + span.end)
            )


class SmallMachines(Machines):
    """Stand-ins that open at once."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._words = WordVectors()

    def identity(self) -> str:
        return IDENTITY

    def dimension(self) -> int:
        return self._words.dimension

    def question_embedder(self) -> Embedder:
        return self._words

    def writer(self) -> Writer:
        return Rote()

    def judge(self) -> Judge:
        return JUDGE

    def ingest(self, library: Library, vectors: VectorIndex) -> Ingest:
        return Ingest(
            library, vectors, lambda: self._words, count, self.config.chunk_tokens, window=WINDOW
        )


class TellingVectors(VectorIndex):
    """`tell` hears when the index is about to be renewed."""

    def __init__(self, folder: Path, dimension: int, tell: Callable[[str], None]) -> None:
        super().__init__(folder, dimension)
        self._tell = tell

    def renew(
        self,
        ids: set[str],
        fetch: Fetch,
        texts: TextSource,
        revision: int,
        scratch: bool = False,
        without: Collection[str] = (),
    ) -> Iterator[Indexing]:
        self._tell("mending")
        return super().renew(ids, fetch, texts, revision, scratch, without)


class SmallAccess(LibraryAccess):
    """A `LibraryAccess` with `TellingVectors`."""

    def __init__(self, config: Config, machines: Machines, tell: Callable[[str], None]) -> None:
        super().__init__(config, machines)
        self._telling = TellingVectors(config.folder / "vectors", machines.dimension(), tell)

    @property
    def vectors(self) -> VectorIndex:
        self.open()
        return self._telling

    def close(self) -> None:
        self._telling.close()
        super().close()


class Small(Bot):
    """A `Bot` with machines that open at once. `tell` as in `TellingVectors`."""

    def __init__(self, home: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        config = Config(home=str(home), candidates=20, chunk_tokens=40, rerank=0)
        super().__init__(config, SmallMachines(config))
        self.access = SmallAccess(config, self.machines, tell)

    def __enter__(self) -> Self:
        return self


_ANIMALS = "badger heron otter lynx newt toad weasel marten curlew plover egret stoat shrew adder osprey kestrel".split()
_DEEDS = "sleeps hunts swims digs sings hides runs builds gathers watches".split()
_PLACES = "river forest meadow barn harbour quarry orchard marsh cliff garden".split()


def text(name: str, version: int, seed: int) -> str:
    """A document about itself: its key word (`key`) stands in every paragraph and in no other document."""
    draw = random.Random(f"{seed}-{name}-{version}")
    paragraphs = [f"The report on {key(name, version)}\n"]
    for number in range(draw.randint(1, 3)):
        facts = " ".join(
            f"The {draw.choice(_ANIMALS)} {draw.choice(_DEEDS)} near the {draw.choice(_PLACES)} {draw.randint(2, 999)} times."
            for _ in range(draw.randint(2, 4))
        )
        paragraphs.append(f"Part {number} of {key(name, version)}: {facts}\n")
    return "\n".join(paragraphs)


def key(name: str, version: int) -> str:
    """The word by which a version of a document is found."""
    letters = "".join(
        chr(ord("a") + int(c)) if c.isdigit() else c for c in f"{name}v{version}" if c.isalnum()
    )
    return f"zq{letters}x"  # ends as no suffix of English does: the stemmer leaves it
