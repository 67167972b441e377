"""How near sentences are in meaning: cosines of one with others, as the check asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag.domain import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_REMEMBERED = 5000  # vectors that are remembered


class SentenceSimilarity:
    """Cosines by an embedder that is opened when it is first asked. Vectors of sentences that come again are remembered."""

    def __init__(self, embedder: Callable[[], Embedder]) -> None:
        self._embedder = embedder
        self._memory: dict[str, NDArray[np.float32]] = {}

    def __call__(self, text: str, others: Sequence[str]) -> list[float]:
        memory = self._memory
        missing = [t for t in dict.fromkeys([text, *others]) if t not in memory]
        if len(memory) > _MAX_REMEMBERED:
            memory.clear()
            missing = list(dict.fromkeys([text, *others]))
        if missing:
            memory.update(zip(missing, self._embedder().embed(missing), strict=True))
        return [float(memory[text] @ memory[other]) for other in others]
