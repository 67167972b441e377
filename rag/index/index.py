"""The index as a search sees it: it follows the library, and is mended when it does not.

Chroma's vectors and the postings of the words lie in one generation (`vectors`), made at one revision of the library. While another
process writes, that may be an older one: its vectors still answer, and words are looked up in the library itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import LibraryBroken, RagError
from rag.index.bm25 import FastFullText
from rag.index.chroma import VectorIndex
from rag.library.fulltext import FullText
from rag.library.library import Library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Index:
    """`mend` makes the index agree with the library (from scratch, if so asked), or says that somebody else is writing."""

    def __init__(
        self, library: Library, vectors: VectorIndex, mend: Callable[[bool], bool]
    ) -> None:
        self._library, self._vectors, self._mend = library, vectors, mend
        self._agreed: int | None = (
            None  # the library revision that the open generation is known to agree with
        )

    def behind(self) -> bool:
        """Is it of another revision than the library, so that `agree` would make it again?"""
        now = self._library.revision
        if self._agreed != now and self._vectors.current() == now:
            self._agreed = now
        return self._agreed != now

    def agree(self) -> None:
        """Let the index follow the library: one that is behind, missing or broken is made again, where nobody else is writing."""
        now = self._library.revision
        if self.behind() and self._follow(now):
            self._agreed = now

    def _follow(self, now: int) -> bool:
        try:
            return self._mend(False)
        except (RagError, OSError):
            if self._vectors.older() != now:
                raise
            return False  # what an older program made answers where nothing can be written

    def near(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Ids of the nearest chunks with their cosine. May run beside what reads the library (`retrieve`), once `words` was asked."""
        try:
            return self._vectors.near(vector, limit)
        except LibraryBroken as broken:
            if not self._mend(True):
                raise LibraryBroken(
                    str(broken),
                    "another process is at work on this library: ask again when it is done",
                ) from broken
            return self._vectors.near(vector, limit)

    def words(self) -> FullText | FastFullText:
        """What ranks by words: the postings, where they are of the library's revision."""
        found = None
        with suppress(LibraryBroken):
            found = self._vectors.words()
        return (
            FastFullText(found[0], self._library.words)
            if found and found[1] == self._library.revision
            else self._library.words
        )
