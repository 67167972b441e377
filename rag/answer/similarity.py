"""Similarity of sentences in meaning, as cosines of their vectors; used by judge and check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag.protocols import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_CACHED_VECTORS = 5000


class SentenceSimilarity:
    """Cosines of one text with others. The vectors of sentences are cached.

    `embedder` opens the model; it is called when vectors are first needed.
    """

    def __init__(self, embedder: Callable[[], Embedder]) -> None:
        self._embedder = embedder
        self._cache: dict[str, NDArray[np.float32]] = {}

    def __call__(self, text: str, others: Sequence[str]) -> list[float]:
        """The cosine of `text` with each of `others`, in their order, -1..1."""
        cache = self._cache
        if len(cache) > _MAX_CACHED_VECTORS:
            cache.clear()
        missing = [t for t in dict.fromkeys([text, *others]) if t not in cache]
        for one in missing:  # alone: in a batch a vector depends a little on the others
            (cache[one],) = self._embedder().embed([one])
        return [float(cache[text] @ cache[other]) for other in others]
