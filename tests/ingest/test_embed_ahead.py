"""While one window is embedded, the next is prepared.

Nothing is embedded twice, and a stop waits for one batch at most.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.events import Added
from rag.index.chroma import VectorIndex
from rag.ingest.chunk import CountTokens
from rag.ingest.ingest import Ingest
from rag.library.library import Library
from tests.support.fakes import WordVectors
from tests.support.narrow import close


class Slow(WordVectors):
    """An embedder that goes on only while `may` is set, and notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.may, self.given, self.threads = threading.Event(), list[str](), set[str]()
        self.may.set()

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        assert self.may.wait(20), "nobody let it go on"
        self.given += texts
        self.threads.add(threading.current_thread().name)
        return super().embed(texts)


@pytest.fixture
def slow() -> Slow:
    return Slow()


def _words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def _ingest(
    folder: Path, slow: Slow, count: CountTokens = _words, window: int = 2
) -> tuple[Ingest, Library]:
    library = Library(folder / "lib", make=True, identity="test")
    vectors = VectorIndex(folder / "lib" / "vectors", slow.dimension)
    return Ingest(library, vectors, lambda: slow, count, 40, window=window), library


def _texts(folder: Path, many: int, same: str = "") -> Path:
    docs = folder / "docs"
    docs.mkdir()
    for n in range(many):
        (docs / f"{n:02}.txt").write_text(
            same or f"Text number {n} tells of bird {n} and of nothing else.\n"
        )
    return docs


@pytest.mark.slow
def test_the_next_window_is_read_while_one_is_embedded(tmp_path: Path, slow: Slow) -> None:
    cut = set[str]()
    slow.may.clear()

    def count(texts: Sequence[str]) -> list[int]:
        cut.update(
            text for text in texts if "\n" not in text
        )  # what has a line more is counted to be embedded
        if (
            len(cut) == 4
        ):  # the second window of two documents is whole: only now may the first be embedded
            slow.may.set()
        return _words(texts)

    ingest, library = _ingest(tmp_path, slow, count)
    added = [e for e in ingest.add([str(_texts(tmp_path, 6))]) if isinstance(e, Added)]
    assert len(added) == 6 and library.documents.counts() == (6, 6) and len(slow.given) == 6
    assert all(name.startswith("embedder") for name in slow.threads)


@pytest.mark.slow
def test_a_batch_is_of_texts_of_as_many_tokens_not_of_as_many_characters(
    tmp_path: Path, slow: Slow
) -> None:
    docs = _texts(tmp_path, 0)
    for n in range(6):
        (docs / f"few{n}.txt").write_text(" ".join(["longest-words-of-all"] * (10 + n)) + "\n")
        (docs / f"many{n}.txt").write_text(" ".join(["w"] * (20 + n)) + "\n")
    ingest, _ = _ingest(tmp_path, slow, window=12)
    list(ingest.add([str(docs)]))
    counts = _words(slow.given)
    assert len(set(counts)) > 3 and counts == sorted(counts, reverse=True)
    assert [len(text) for text in slow.given] != sorted(map(len, slow.given), reverse=True)


@pytest.mark.slow
def test_what_two_windows_in_a_row_have_in_common_is_embedded_once(
    tmp_path: Path, slow: Slow
) -> None:
    ingest, library = _ingest(tmp_path, slow)
    docs = _texts(tmp_path, 0)
    same = " ".join(["The heron stands in the reeds."] * 5)
    for n in range(
        6
    ):  # each is a window of two passages, the first of which is that of all the others
        own = " ".join([f"Bird {n} was seen again by nobody at all."] * 4)
        (docs / f"x{n}.txt").write_text(f"The birds\n\n{same}\n\n{own}\n")
    list(ingest.add([str(docs)]))
    assert library.documents.counts() == (6, 12)
    assert len(slow.given) == len(set(slow.given)) == 7


@pytest.mark.slow
def test_a_stop_loses_only_what_was_begun_and_one_may_go_on(tmp_path: Path, slow: Slow) -> None:
    ingest, library = _ingest(tmp_path, slow)
    docs = _texts(tmp_path, 9)
    work = ingest.add([str(docs)])
    next(event for event in work if isinstance(event, Added))
    close(work)
    before = library.documents.counts().documents
    assert 0 < before < 9 and not any(t.name.startswith("embedder") for t in threading.enumerate())
    list(ingest.add([str(docs)]))
    assert library.documents.counts() == (9, 9) and library.integrity.damaged() == []


@pytest.mark.slow
def test_the_first_documents_are_in_before_many_are_embedded(tmp_path: Path, slow: Slow) -> None:
    ingest, library = _ingest(tmp_path, slow, window=1024)
    work = ingest.add([str(_texts(tmp_path, 500))])
    next(event for event in work if isinstance(event, Added))
    assert library.documents.counts().documents == 128
    close(work)
