"""Embeds chunks in a thread: while one window is embedded, the next is prepared, the last written.

Embedding takes twenty times as long as the rest and leaves a tenth of two cores idle, which is
enough for the rest. Texts whose vectors the library has, or the window before computes, are not
embedded again. The embedder gets a few texts at a time, so that a stop waits for at most one batch,
and the texts of most tokens first. A batch is padded to its longest text, and
sentence-transformers sorts by characters, which differ from tokens in a corpus of code and prose:
there, sorting by tokens saves a fifth of the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rag.domain import Chunk
from rag.events import Event, Loading, Notice
from rag.ingest.large_tables import found_by_words
from rag.protocols import Embedder
from rag.text.units import view_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.library.library import Library

#: vectors of the chunks of a document and the keys of the embedded texts; both are empty for a
#: chunk that is found by words alone
Rows = tuple[list["NDArray[np.float32]"], list[bytes]]
#: key of a chunk that is not embedded
_NO_KEY = b""
#: texts that the embedder gets at a time
_BATCH_TEXTS = 16


@dataclass(slots=True)
class EmbeddingJob:
    """A window that is being embedded.

    A key is the hash of a text that is embedded. A vector is the bytes of its float32 values.
    """

    keys: list[list[bytes]]  #: of the chunks of each document; `_NO_KEY` if it is not embedded
    stored: dict[bytes, bytes]  #: vectors that the library has, by key
    fresh: frozenset[bytes]  #: keys whose vectors this job computes
    computed: Future[dict[bytes, bytes]]  #: the vectors of `fresh`
    before: EmbeddingJob | None  #: the job before, if it computes some of the vectors

    def rows(self) -> list[Rows]:
        """Wait for the vectors. Returns the vectors and keys of the chunks of each document."""
        import numpy as np

        vectors = self.stored | self.computed.result()
        if self.before:
            vectors |= self.before.computed.result()
        self.before = None
        vectors[_NO_KEY] = b""
        return [
            ([np.frombuffer(vectors[key], dtype=np.float32) for key in keys], keys)
            for keys in self.keys
        ]


class EmbedAhead:
    """Embeds the chunks of an ingest in a thread.

    `embedder` is opened when the first chunk needs it. `prefix` is the limit of the title and
    heading before a chunk, `room` that of both together (0: not checked), in tokens by `count`.
    """

    def __init__(
        self,
        library: Library,
        embedder: Callable[[], Embedder],
        count: Callable[[Sequence[str]], Sequence[int]],
        prefix: int,
        room: int,
    ) -> None:
        self._library, self._embedder, self._count = library, embedder, count
        self._prefix, self._room = prefix, room
        self._opened_embedder: Embedder | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._last: EmbeddingJob | None = None
        self._stopped = False

    def begin(self, documents: Sequence[Sequence[Chunk]]) -> Generator[Event, None, EmbeddingJob]:
        """Begin to embed the chunks of each document. Returns the job."""
        texts = [self._texts(chunks) for chunks in documents]
        keys = [[_key(text) for text in document_texts] for document_texts in texts]
        text_by_key = dict(zip(chain.from_iterable(keys), chain.from_iterable(texts), strict=True))
        text_by_key.pop(_NO_KEY, None)
        stored = self._library.documents.reuse(list(text_by_key))
        last = self._last
        awaited = last.fresh & text_by_key.keys() if last else frozenset[bytes]()
        fresh = [key for key in text_by_key if key not in stored and key not in awaited]
        counts = self._count([text_by_key[key] for key in fresh]) if fresh else ()
        tokens = dict(zip(fresh, counts, strict=True))
        # white space, with a tokenizer that counts it, or a row under long names of columns
        too_long = sum(count > self._room for count in tokens.values()) if self._room else 0
        if too_long:
            yield Notice(
                f"of {too_long} passages the embedder sees only {self._room} tokens; "
                "the rest is found by words"
            )
        longest_first = sorted(fresh, key=lambda key: -tokens[key])
        missing = {key: text_by_key[key] for key in longest_first}
        if missing and self._opened_embedder is None:
            yield Loading("the embedder")
            self._opened_embedder = self._embedder()
        self._worker = self._worker or ThreadPoolExecutor(1, "embedder")
        computed = self._worker.submit(self._embed, missing)
        before = last if awaited else None
        self._last = EmbeddingJob(keys, stored, frozenset(fresh), computed, before)
        return self._last

    def _embed(self, texts: Mapping[bytes, str]) -> dict[bytes, bytes]:
        """Embed texts batch by batch in their order, in the thread; fewer if it was stopped."""
        vectors, keys = dict[bytes, bytes](), list(texts)
        for start in range(0, len(keys), _BATCH_TEXTS):
            if self._stopped or self._opened_embedder is None:
                break
            batch = keys[start : start + _BATCH_TEXTS]
            rows = self._opened_embedder.embed([texts[key] for key in batch])
            vectors |= zip(batch, (row.tobytes() for row in rows), strict=True)
        return vectors

    def stop(self) -> None:
        """End the thread after its current batch. `begin` may be called again.

        Jobs whose rows were not read are lost.
        """
        self._stopped = True
        if self._worker:
            self._worker.shutdown(cancel_futures=True)
        self._worker = self._last = None
        self._stopped = False

    def _texts(self, chunks: Sequence[Chunk]) -> list[str]:
        """Return the text of each chunk that is embedded, "" for one that is not."""
        by_words = found_by_words(chunks)
        return [
            "" if chunk.id in by_words else self._context(chunk) + view_of(chunk).text
            for chunk in chunks
        ]

    def _context(self, chunk: Chunk) -> str:
        """Return the title and heading to put before the text, at most `prefix` tokens of them."""
        context = " › ".join(
            part
            for part in (chunk.title, chunk.heading)
            if part and not chunk.text.startswith(part)
        )
        if len(context) > 3 * self._prefix:
            context = context[: 3 * self._prefix].rsplit(" ", 1)[0]
        while len(context) > self._prefix and self._count([context])[0] > self._prefix:
            context = context[: len(context) * 3 // 4]
        return context + "\n" if context else ""


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16] if text else _NO_KEY
