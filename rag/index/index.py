"""The index as a search uses it: it follows the library and is made again if it does not agree.

Chroma's vectors and the postings of the words are in one generation (`generations`), made at one
revision of the library. While another process writes, the generation may be older than the
library. Its vectors still answer, and words are then looked up in the library.
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
    """The vectors and words of one library.

    `renew` makes the index agree with the library, from scratch if its argument is true. It returns
    False if another process is writing.
    """

    def __init__(
        self, library: Library, vectors: VectorIndex, renew: Callable[[bool], bool]
    ) -> None:
        self._library, self._vectors, self._renew = library, vectors, renew
        # the library revision that the open generation is known to agree with
        self._agreed: int | None = None

    def behind(self) -> bool:
        """Whether it is of another revision than the library, so that `agree` makes it again."""
        revision = self._library.revision
        if self._agreed != revision and self._vectors.current() == revision:
            self._agreed = revision
        return self._agreed != revision

    def agree(self) -> None:
        """Make an outdated, missing or damaged index again, unless another process is writing."""
        revision = self._library.revision
        if self.behind() and self._follow(revision):
            self._agreed = revision

    def _follow(self, revision: int) -> bool:
        """Whether the index was made again for a library revision."""
        try:
            return self._renew(False)
        except (RagError, OSError):
            if self._vectors.older() != revision:
                raise
            return False  # nothing can be written, but the index of an older version answers

    def near(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, cosine) of the nearest chunks; `vector` has shape (dimension,).

        After a call of `words` it may run in another thread than the one that reads the library.
        Raises `LibraryBroken` if the index is damaged while another process writes.
        """
        try:
            return self._vectors.near(vector, limit)
        except LibraryBroken as broken:
            if not self._renew(True):
                raise LibraryBroken(
                    str(broken),
                    "another process is at work on this library: ask again when it is done",
                ) from broken
            return self._vectors.near(vector, limit)

    def words(self) -> FullText | FastFullText:
        """Return the full-text search: the postings if they are of the library's revision."""
        postings = None
        with suppress(LibraryBroken):
            postings = self._vectors.words()
        if postings and postings[1] == self._library.revision:
            return FastFullText(postings[0], self._library.words)
        return self._library.words
