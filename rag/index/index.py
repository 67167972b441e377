"""The index as a search uses it: it follows the library and renews itself if it does not agree.

Chroma's vectors and the postings of the words are in one generation (`generations`), made at one
revision of the library. While another process writes, the generation may be older than the
library. Its vectors still answer, and words are then looked up in the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import LibraryBroken, LibraryBusy, RagError
from rag.events import Indexing
from rag.index.bm25 import FastFullText
from rag.index.chroma import VectorIndex
from rag.library.fulltext import FullText
from rag.library.library import Library
from rag.library.lock import first_documents_awaited, writer_lock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def renew_index(
    library: Library, vectors: VectorIndex, from_scratch: bool = False
) -> Iterator[Indexing]:
    """Renew the index if it does not agree with the library, or make it anew `from_scratch`.

    Nothing is embedded. Only for the writer. Raises `LibraryMissing` if the library was removed
    while it was open.
    """
    library.database.present()
    if from_scratch or vectors.revision() != library.revision:
        documents = library.documents
        yield from vectors.renew(
            documents.chunk_ids(),
            documents.vectors,
            documents.texts,
            library.revision,
            from_scratch,
            library.table_vectors.ids_without_vector(),
        )


class Index:
    """The vectors and words of one library."""

    def __init__(self, library: Library, vectors: VectorIndex) -> None:
        self._library, self._vectors = library, vectors
        # the library revision that the open generation is known to agree with
        self._agreed: int | None = None

    def behind(self) -> bool:
        """Whether it is of another revision than the library, so that `agree` makes it again."""
        revision = self._library.revision
        if self._agreed != revision and self._vectors.current() == revision:
            self._agreed = revision
        return self._agreed != revision

    def catch_up(self, stop: Callable[[], bool]) -> Iterator[Indexing]:
        """Renew an index that is behind the library, yielding the progress, until `stop()`.

        Does nothing while another process writes. An error is not raised: the search that follows
        tries again and raises it.
        """
        if not self._library.documents.counts().chunks or not self.behind():
            return
        with suppress(RagError, OSError), writer_lock(self._library.folder, 0):
            for event in renew_index(self._library, self._vectors):
                yield event
                if stop():
                    return

    def agree(self) -> None:
        """Make an outdated, missing or damaged index again, unless another process is writing."""
        revision = self._library.revision
        if self.behind() and self._follow(revision):
            self._agreed = revision

    def _follow(self, revision: int) -> bool:
        """Whether the index was made again for a library revision."""
        try:
            return self._renew()
        except (RagError, OSError):
            if self._vectors.older() != revision:
                raise
            return False  # nothing can be written, but the index of an older version answers

    def _renew(self, from_scratch: bool = False) -> bool:
        """Make the index agree with the library. False if another process is writing."""
        with suppress(LibraryBusy), writer_lock(self._library.folder, 0):
            for _ in renew_index(self._library, self._vectors, from_scratch):
                pass
            return True
        return False

    def near(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, cosine) of the nearest chunks; `vector` has shape (dimension,).

        After a call of `words` it may run in another thread than the one that reads the library.
        Raises `LibraryBroken` if the index is damaged while another process writes, and
        `LibraryBusy` if there is none because it adds the first documents.
        """
        try:
            return self._vectors.near(vector, limit)
        except LibraryBroken as broken:
            if not self._renew(from_scratch=True):
                documents = self._library.documents.counts().documents
                busy = first_documents_awaited(self._library.folder, documents)
                if busy and not self._vectors.exists():
                    raise busy from broken
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
            return FastFullText(postings[0], self._library.fulltext)
        return self._library.fulltext
