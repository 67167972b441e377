"""Chunks -> vectors, in a thread beside: while one window is embedded, the next is read and cut and the one before is written.

Embedding costs twenty times what the rest does, and leaves a tenth of two cores idle; there the rest has room. What the library holds, or the
window before has just made, is not embedded again. Texts go to the embedder few at a time, so that a stop waits for no more than one batch,
and those of most tokens first: a batch is padded to its longest, and sentence-transformers sorts by characters, which says little where
code stands beside prose (a fifth of the time on such a corpus).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.domain import Chunk, Embedder
from rag.events import Event, Loading, Notice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.library.library import Library

Rows = tuple[
    "NDArray[np.float32]", list[bytes]
]  #: vectors of a document's chunks, and the keys of what was embedded
_BATCH_TEXTS = 16  # texts


@dataclass(slots=True)
class EmbeddingJob:
    """A window that is being embedded. Vectors by the key of the text they were made of, as bytes."""

    keys: list[list[bytes]]  #: of each document's chunks
    have: dict[bytes, bytes]
    fresh: frozenset[bytes]  #: what is made of it
    making: Future[dict[bytes, bytes]]
    before: EmbeddingJob | None  #: the window before, where that makes some of its vectors

    def rows(self) -> list[Rows]:
        """For each document the vectors of its chunks; waits until they are there."""
        import numpy as np

        have = (
            self.have | self.making.result() | (self.before.making.result() if self.before else {})
        )
        self.before = None
        out = list[Rows]()
        for keys in self.keys:
            found = np.frombuffer(b"".join(have[key] for key in keys), dtype=np.float32)
            out.append((found.reshape(len(keys), -1 if keys else 0), keys))
        return out


class EmbedAhead:
    """Embeds for an ingest. `embedder` is opened when the first chunk needs it; `prefix` and `room` are tokens, as in `Ingest`."""

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
        self._machine: Embedder | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._last: EmbeddingJob | None = None
        self._stopped = False

    def begin(self, documents: Sequence[Sequence[Chunk]]) -> Generator[Event, None, EmbeddingJob]:
        """Begin to embed the chunks of some documents."""
        texts = [[self._context(c) + c.text for c in chunks] for chunks in documents]
        keys = [[_key(text) for text in some] for some in texts]
        known = {
            key: text
            for ks, some in zip(keys, texts, strict=True)
            for key, text in zip(ks, some, strict=True)
        }
        have = self._library.reuse(list(known))
        last = self._last
        coming = last.fresh & known.keys() if last else frozenset[bytes]()
        fresh = [key for key in known if key not in have and key not in coming]
        tokens = dict(
            zip(fresh, self._count([known[key] for key in fresh]) if fresh else (), strict=True)
        )
        long = (
            sum(count > self._room for count in tokens.values()) if self._room else 0
        )  # white space, where it counts
        if long:
            yield Notice(
                f"of {long} passages the embedder sees only {self._room} tokens; the rest is found by words"
            )
        missing = {key: known[key] for key in sorted(fresh, key=lambda key: -tokens[key])}
        if missing and self._machine is None:
            yield Loading("the embedder")
            self._machine = self._embedder()
        self._worker = self._worker or ThreadPoolExecutor(1, "embedder")
        making = self._worker.submit(self._made, missing)
        self._last = EmbeddingJob(keys, have, frozenset(fresh), making, last if coming else None)
        return self._last

    def _made(self, missing: Mapping[bytes, str]) -> dict[bytes, bytes]:
        """In the thread: the vectors of these texts, batch by batch in their order; fewer where it was stopped."""
        out, keys = dict[bytes, bytes](), list(missing)
        for at in range(0, len(keys), _BATCH_TEXTS):
            if self._stopped or self._machine is None:
                break
            some = keys[at : at + _BATCH_TEXTS]
            found = self._machine.embed([missing[key] for key in some])
            out |= zip(some, (row.tobytes() for row in found), strict=True)
        return out

    def stop(self) -> None:
        """End the thread, after the batch that it is at. What was begun and not waited for is lost; one may begin again."""
        self._stopped = True
        if self._worker:
            self._worker.shutdown(cancel_futures=True)
        self._worker = self._last = None
        self._stopped = False

    def _context(self, chunk: Chunk) -> str:
        """Title and heading in front of what is embedded, at most `prefix` tokens of them."""
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
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
