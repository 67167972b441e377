"""Stand-ins for the machines: an embedder and a reader that count words, a writer that says what it was told to, passages from texts."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from rag.answer.check import CheckFit, Judge, word_overlap
from rag.answer.spans import answer_kind
from rag.domain import (
    Chunk,
    Draft,
    Model,
    Passage,
    Piece,
    Progress,
    Quote,
    Receipt,
    Span,
    Turn,
)
from rag.protocols import AnswerSpan, PassageReading, Support
from rag.text import facts, quantities
from rag.text.sentences import split_sentences


class WordVectors:
    """Fills the seam `Embedder`: a bag of the content words, each hashed to one of the axes, as a unit vector."""

    dimension = 64

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in facts.content_stems(text) or ["", text]:
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


class WordPairs:
    """Fills the seam `Pairs`: the more content words of the one text the other has, the surer. `asked` is what it has read."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]:
        self.asked += passages
        return [_found(question, text) for text in passages]

    def support(self, sentence: str, passages: Sequence[str]) -> list[Support]:
        mine, out = set(facts.content_stems(sentence)), []
        for text in passages:
            said = 8 * word_overlap(sentence, text) - 4
            shared = (
                m for m in re.finditer(r"\w+", text) if mine & set(facts.content_stems(m.group()))
            )
            out.append(Support(said, said + 2, -6.0, next((Span(*m.span()) for m in shared), None)))
        return out


def _found(question: str, text: str) -> PassageReading:
    """The sentence with most words of the question; of several the one that has the kind of thing it asks for."""
    found = [
        (word_overlap(question, s.of(text)), *_short(question, s.of(text)), s.start)
        for s in split_sentences(text)
    ]
    if not found:
        return PassageReading(-3.0, (), -3.0)
    share, _, short, at = max(found, key=lambda f: f[:2])
    spot = AnswerSpan(Span(at + short.start, at + short.end), 0.0)
    return PassageReading(6 * share - 3, (spot,), 6 * share - 3)


def _short(question: str, sentence: str) -> tuple[bool, Span]:
    """Is there a thing of the kind that is asked for? Its place, or that of the longest run of words that the question lacks."""
    asked, given = (
        answer_kind(question),
        {facts.stem(w) for w in facts.word_tokens(facts.fold_text(question))},
    )
    days, rest = facts.find_dates(sentence)
    things = {
        "date": [d.shown for d in days],
        "number": [n.shown for n in quantities.find_numbers(rest)],
        "name": facts.find_names(sentence),
    }
    for shown in things.get(asked, []):
        if shown in sentence and not given & set(facts.content_stems(shown)):
            return True, Span(sentence.index(shown), sentence.index(shown) + len(shown))
    words = groupby(
        re.finditer(r"[^\W_]+", sentence), lambda m: facts.stem(facts.fold_text(m.group())) in given
    )
    runs = [[m.span() for m in run] for known, run in words if not known]
    best = max(runs, key=len, default=[(0, len(sentence))])
    return False, Span(best[0][0], best[-1][1])


#: the check by words alone: near, in words and to `WordPairs` a sentence must be mostly there
JUDGE = Judge(
    WordVectors().similar,
    WordPairs().support,
    CheckFit((0.5, 0.0, 0.0, 4.0, 4.0, 0.0, 0.0, 0.0), -5.0, 0.5, 0.2),
)


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
