"""A reader of sentences with models of a test."""

from __future__ import annotations

from rag.answer.sentence_reader import SentenceReader, Similarity
from rag.protocols import PairModel


def reads(
    pairs: PairModel, parts: PairModel | None = None, similarity: Similarity | None = None
) -> SentenceReader:
    """One model for passages and parts unless two are given; all texts are equally near."""
    return SentenceReader(
        pairs, parts or pairs, similarity or (lambda _, texts: [0.0] * len(texts))
    )
