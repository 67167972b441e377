"""`large`: a library of many passages: what looking up costs beside Chroma's bare query of the same collection, and opening beside opening that.

The texts are of words drawn as words are in English (Zipf: the r-th has a share of about 1 / r, and the first of them are the stop
words), the vectors unit vectors around topics, of the embedder's dimension. Nothing is embedded; all is written through
`Library` and `Vectors`. A question is words of one passage and a vector near that of it.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import Config
from rag.bot import Bot
from rag.domain import Document, RawDocument
from rag.index.chroma import VectorIndex
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.machines import Machines
from rag.protocols import Embedder
from tests.bench.ratios import BARE_CHROMA, newest, pairs, percentile, seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDENTITY = "a library of the bench"
DIMENSION = 384
LIMIT = 5  #: passages asked for
LIST = Config().candidates  #: rows that Chroma is asked for, as many as `Retriever` asks for
_COMMON = (
    "the of and to in a is that for it was on with as by at from be this are have an not he which or his but they had "
    "their we has were been its more there would what about who if will one all she when can so no"
).split()
_WORDS = 40_000
_TOPICS = 500
_SIZE = 150  # words of a passage
_WINDOW = 1024  # passages of a transaction
_SYLLABLES = (
    "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru".split()
)

_OPEN = """
import sys
from pathlib import Path
import numpy
from tests.bench.large import Standing
with Standing(Path(sys.argv[1])) as bot:
    bot.access.index().near(numpy.ones(384, dtype="float32") / 384**0.5, 50)
"""


def word(rank: int) -> str:
    """The word of that rank; it is made up, but for the stop words."""
    if rank < len(_COMMON):
        return _COMMON[rank]
    spoken, left = "", rank
    while left or len(spoken) < 4:
        left, part = divmod(left, len(_SYLLABLES))
        spoken += _SYLLABLES[part]
    return spoken


class Texts:
    """A stream of documents, the same for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        import numpy as np

        self.draw, self._numbers = random.Random(seed), np.random.default_rng(seed)
        self._words = [word(rank) for rank in range(_WORDS)]
        shares = 1 / (np.arange(_WORDS) + 2.7)
        self._to = np.cumsum(shares / shares.sum())

    def words(self, count: int) -> list[str]:
        """That many words of running text."""
        return [
            self._words[at] for at in self._to.searchsorted(self._numbers.random(count)).tolist()
        ]

    def text(self, passages: int) -> str:
        """A text of about so many passages, in paragraphs of sentences."""
        words, paragraphs = self.words(passages * _SIZE), list[str]()
        while words:
            sentences = []
            for _ in range(self.draw.randint(3, 8)):
                length = self.draw.randint(8, 25)
                sentences.append(" ".join(words[:length]).capitalize() + ".")
                del words[:length]
            paragraphs.append(" ".join(s for s in sentences if len(s) > 1))
        return "\n\n".join(paragraphs) + "\n"

    def vectors(self, count: int, topics: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors of passages of one document: around a topic."""
        import numpy as np

        about = topics[self.draw.randrange(len(topics))]
        found = about + self._numbers.normal(0, 0.05, (count, DIMENSION)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def count(texts: Sequence[str]) -> list[int]:
    """Words: what a passage's size is measured in here."""
    return [len(text.split()) for text in texts]


def make(folder: Path, passages: int) -> None:
    """A library of so many passages, and its index."""
    import numpy as np

    texts, library = Texts(), Library(folder, make=True, identity=IDENTITY)
    topics = np.random.default_rng(1).normal(0, 0.05, (_TOPICS, DIMENSION)).astype(np.float32)
    window, waiting, done, started = list[Any](), 0, 0, time.perf_counter()
    while done + waiting < passages:
        document = clean_document(
            RawDocument(texts.text(texts.draw.randint(1, 12))), f"d{done + waiting}.txt"
        )
        chunks = list(chunk_document(document, _SIZE, count))[: passages - done - waiting]
        keys = [hashlib.sha256(c.text.encode()).digest()[:16] for c in chunks]
        window.append(
            (_known(document), document, chunks, texts.vectors(len(chunks), topics), keys)
        )
        waiting += len(chunks)
        if waiting >= _WINDOW or done + waiting >= passages:
            library.put(window)
            window, waiting, done = [], 0, done + waiting
    written = time.perf_counter() - started
    vectors = VectorIndex(folder / "vectors", DIMENSION)
    for _ in vectors.renew(
        library.documents.chunk_ids(),
        library.documents.vectors,
        library.documents.texts,
        library.revision,
    ):
        pass
    indexed = time.perf_counter() - started - written
    print(
        f"large    {passages} passages written in {written:.0f} s, indexed in {indexed:.0f} s",
        flush=True,
    )
    vectors.close()
    library.close()


def _known(document: Document) -> KnownFile:
    return KnownFile(
        f"/{document.source}", document.source, document.id, len(document.text), 0, "", None
    )


class Given:
    """Fills the seam `Embedder`: gives the vector that the bench has set."""

    dimension = DIMENSION

    def __init__(self) -> None:
        self.vector: Any = None

    def embed(self, texts: Sequence[str]) -> Any:
        return self.vector[None, :]

    def close(self) -> None:
        """There is nothing open."""


class GivenVectors(Machines):
    """The models of such a library: questions get the vector that was given for them."""

    def __init__(self, config: Config, given: Given) -> None:
        super().__init__(config)
        self._given = given

    def identity(self) -> str:
        return IDENTITY

    def dimension(self) -> int:
        return DIMENSION

    def question_embedder(self) -> Embedder:
        return self._given


class Standing(Bot):
    """The front door of such a library: all but the embedder is the product's own."""

    def __init__(self, home: Path) -> None:
        config = Config(home=str(home), rerank=0)
        self.given = Given()
        super().__init__(config, GivenVectors(config, self.given))


def questions(library: Library, number: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Six to twelve words of one passage, as they come, and a vector near that of it."""
    import numpy as np

    draw, names = random.Random(2), sorted(library.documents.chunk_ids())
    noise = np.random.default_rng(2)
    for name in draw.choices(names, k=number):
        words = library.documents.chunks([name])[name].text.replace(".", "").lower().split()
        size = draw.randint(6, 12)
        at = draw.randrange(max(1, len(words) - size))
        vector = library.documents.vectors([name])[0] + noise.normal(0, 0.03, DIMENSION).astype(
            np.float32
        )
        yield f"What {' '.join(words[at : at + size])}?", vector / np.linalg.norm(vector)


def looking_up(home: Path, number: int) -> None:
    """Words and vectors, fused, beside the bare query, question by question in turn."""
    with Standing(home) as bot:
        asked = list(questions(bot.library, number))
        bot.given.vector = asked[0][1]
        bot.search(asked[0][0])  # opens the index
        collection: Any = bot.access.vectors._collection
        ours, theirs = list[float](), list[float]()

        def search(question: str) -> None:
            bot.search(question, LIMIT)

        def query(vector: Any) -> None:
            collection.query(query_embeddings=[vector], n_results=LIST)

        for at, (question, vector) in enumerate(asked):
            bot.given.vector = vector
            turns = [(ours, search, question), (theirs, query, vector)]
            for times, work, said in turns if at % 2 else reversed(turns):
                times.append(_seconds(work, said))
    shares = [(f"p{int(100 * p)}", percentile(ours, p), percentile(theirs, p)) for p in (0.5, 0.95)]
    for name, mine, bare in shares:
        print(f"look up  {mine / bare:.2f}  of Chroma's bare query at {name} ({number} questions; {1000 * mine:.1f} ms / "
              f"{1000 * bare:.1f} ms)", flush=True)  # fmt: skip


def _seconds(work: Callable[[Any], None], said: Any) -> float:
    started = time.perf_counter()
    work(said)
    return time.perf_counter() - started


def opening(home: Path, number: int) -> None:
    """A fresh process up to its first nearest passages, beside one that opens the bare collection and queries it once."""
    ours = [sys.executable, "-c", _OPEN, str(home)]
    theirs = [sys.executable, "-c", BARE_CHROMA, str(newest(home))]
    pairs("open", lambda: seconds(ours), lambda: seconds(theirs), number)
