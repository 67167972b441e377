"""Stand-ins for the machines: an embedder that counts words, a writer that says what it was told to, passages from texts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag import facts
from rag.domain import Chunk, Draft, Model, Passage, Piece, Progress, Quote, Receipt, Span, Turn


class WordVectors:
    """Fills the seam `Embedder`: a bag of the content words, each hashed to one of the axes, as a unit vector."""

    dimension = 64

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in facts.words(text) or ["", text]:
                digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
                row[digest[0] % self.dimension] += 1.0
            row /= np.linalg.norm(row)
        return vectors

    def similar(self, text: str, others: Sequence[str]) -> list[float]:
        """Cosines of one text with others: what `check` asks for."""
        if not others:
            return []
        vectors = self.embed([text, *others])
        return [float(c) for c in vectors[1:] @ vectors[0]]


class Script:
    """Fills the seam `Writer`: a draft, then `pieces`, with `seconds` before each; then `error` is raised, if there is one."""

    def __init__(
        self,
        *pieces: Piece | Progress,
        draft: Draft | None = None,
        seconds: float = 0.0,
        error: Exception | None = None,
        name: str = "script",
    ) -> None:
        self.model = Model(name, "0" * 64)
        self.closed = False
        self.asked: list[tuple[str, tuple[int, ...], int]] = []
        self._pieces, self._draft, self._seconds, self._error = pieces, draft, seconds, error

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        self.asked.append((question, tuple(p.number for p in passages), len(history)))
        try:
            yield self._draft or Draft(Receipt(context=4096))
            for piece in self._pieces:
                if self._seconds:
                    time.sleep(self._seconds)
                yield piece
            if self._error:
                raise self._error
        finally:
            self.closed = True


def passage(
    number: int,
    text: str,
    *,
    offset: int = 0,
    line: int = 1,
    title: str = "",
    heading: str = "",
    date: str | None = None,
    source: str = "",
    score: float = 1.0,
) -> Passage:
    """Passage `number` of `text`; `offset` is where the text begins in its document, `line` on which line."""
    chunk = Chunk(
        id=f"chunk{number}",
        document=f"document{number}",
        source=source or f"{number}.txt",
        title=title,
        date=date,
        heading=heading,
        span=Span(offset, offset + len(text)),
        text=text,
        line=line,
    )
    return Passage(number, chunk, score)


def quote(found: Passage, words: str) -> Quote:
    """`words`, which stand in the passage, as a verbatim quotation of it."""
    start = found.chunk.span.start + found.chunk.text.index(words)
    return Quote(words, found.number, Span(start, start + len(words)))
