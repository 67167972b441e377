"""The embedder of a library: the built-in one, a sentence-transformers folder, or a GGUF file.

One setting selects it. All three satisfy the Protocol `Embedding`. Its `identity` is stored in the
library, so that one library never mixes the vectors of two embedders. `chunk_sizes` keeps chunks
within its `room`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rag.config import EMBEDDER, Config
from rag.errors import Usage, WeightsMissing
from rag.inference import minilm, sentence_models, weights
from rag.inference.external import GgufEmbedder, OpenEmbedder, last_known_path
from rag.inference.st_folder import SentenceTransformersFolder
from rag.protocols import Embedder

_MAX_CONTEXT_TOKENS = 40  # of title and heading before a passage
_MIN_CHUNK_TOKENS = 32


class Embedding(Protocol):
    """One embedder. No model is open until `questions` or `passages` is called."""

    name: str  #: for the user
    sha256: str  #: of the weights; for a folder, of the checksums of its files
    identity: str  #: stored with the vectors that it makes
    dimension: int
    max_tokens: int  #: tokens of a text; the rest is cut

    @property
    def room(self) -> int:
        """Tokens of a text that are left for the passage, without prefix and special tokens."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        ...

    def questions(self) -> OpenEmbedder:
        """The embedder of questions, open."""
        ...

    def passages(self) -> Embedder:
        """The embedder of passages."""
        ...

    def check(self) -> str:
        """A description in words.

        Raises `RagError`, `OSError`, `ValueError` or `KeyError` if something is damaged.
        """
        ...

    def made(self) -> bool:
        """Whether a file was made of this embedder in this home."""
        ...

    def verify(self) -> None:
        """Raise as `check` does if that file has changed since it was made."""
        ...

    def remake(self) -> None:
        """Make that file again."""
        ...

    def close(self) -> None: ...


class BuiltIn:
    """all-MiniLM-L6-v2.

    sentence-transformers embeds passages; llama.cpp embeds questions and small numbers of passages.
    """

    name, sha256 = weights.EMBEDDER_FILE.name, weights.EMBEDDER_FILE.sha256
    identity, dimension = minilm.IDENTITY, sentence_models.DIMENSION
    max_tokens, room = sentence_models.MAX_TOKENS, sentence_models.MAX_TOKENS - 2

    def __init__(self, home: str, threads: int = 0) -> None:
        self._home, self._threads = home, threads
        self._tokenizer: minilm.Tokenizer | None = None
        self._passages: minilm.PassageEmbedderPair | None = None

    def count(self, texts: Sequence[str]) -> list[int]:
        self._tokenizer = self._tokenizer or minilm.Tokenizer()
        return self._tokenizer.count(texts)

    def questions(self) -> minilm.QuestionEmbedder:
        return minilm.open_question_embedder(self._home, self._threads)

    def passages(self) -> Embedder:
        if not minilm.question_embedder_file(self._home).exists():
            self.remake()
        self.close()
        self._passages = minilm.PassageEmbedderPair(self.questions, sentence_models.PassageEmbedder)
        return self._passages

    def check(self) -> str:
        weights.verified_embedder_folder()
        path = minilm.question_embedder_file(self._home)
        record = path.with_suffix(".json")
        if not path.exists() or not record.exists():
            return f"{self.name}: weights verified; its GGUF is made when documents are added"
        cosine = json.loads(record.read_text(encoding="utf-8"))["cosine"]
        minilm.verify_question_embedder(self._home)
        return f"{self.name}: weights and GGUF verified, cosine to sentence-transformers {cosine}"

    def made(self) -> bool:
        path = minilm.question_embedder_file(self._home)
        return any(path.parent.glob(f"{path.stem}*"))

    def verify(self) -> None:
        minilm.verify_question_embedder(self._home)

    def remake(self) -> None:
        minilm.make_question_embedder(self._home)

    def close(self) -> None:
        """Close the embedder of passages; a caller of `questions` closes the result itself."""
        if self._passages:
            self._passages.close()


def open_embedder(config: Config) -> Embedding:
    """The embedder that the setting names.

    Raises `WeightsMissing`, `ModelBroken` or `Usage` with its path.
    """
    if not config.embedder:
        return BuiltIn(config.home, config.threads)
    path = Path(config.embedder)
    if not path.exists():
        raise WeightsMissing(
            f"there is no embedder {path}",
            "give the path of a sentence-transformers folder or of a GGUF file; "
            f"or --embedder {EMBEDDER}, the built-in one",
        )
    if path.is_dir():
        return SentenceTransformersFolder(path, config.home, config.threads)
    return GgufEmbedder(path, config.home, config.threads)


def chunk_sizes(embedding: Embedding, size: int) -> tuple[int, int, str]:
    """(tokens of a chunk, tokens of title and heading before it, note).

    The note says why a chunk is smaller than `size`; it is "" if it is not. Raises `Usage` if the
    embedder takes too few tokens.
    """
    context = min(_MAX_CONTEXT_TOKENS, embedding.room // 5)
    room = embedding.room - context - 1
    if room < _MIN_CHUNK_TOKENS:
        raise Usage(
            f"the embedder {embedding.name} takes {embedding.max_tokens} tokens, "
            f"of which {max(room, 0)} are left for a passage: too few",
            "use an embedder that takes longer texts, or a shorter prefix",
        )
    if size <= room:
        return size, context, ""
    note = (
        f"chunk_tokens = {size} is more than the embedder {embedding.name} takes; "
        f"passages have at most {room} tokens, so that nothing is cut off unseen"
    )
    return room, context, note


def embedder_mismatch_cure(config: Config, library: str, program: str) -> str:
    """The cure if the identities stored in the `library` and of this `program` differ.

    An identity names the embedder and the version of the chunks.
    """
    embedder, _, version = library.rpartition(" chunks ")
    if embedder == program.rpartition(" chunks ")[0] or not version:
        return "use another --library and add the documents again"
    path = EMBEDDER if embedder == minilm.IDENTITY else last_known_path(config.home, embedder)
    previous = f"--embedder {path}" if path else "--embedder with the path it had"
    current = config.embedder or EMBEDDER
    return (
        f"footnote --library OTHER --embedder {current} add FOLDER embeds the documents again; "
        f"or set it back: {previous}"
    )
