"""Which embedder a library is made with: the built-in one, a sentence-transformers folder, or a GGUF file; one setting says it.

What is common to all three is the Protocol `Embedding`. Its `identity` stands in the library, so that vectors of two embedders
never meet in one; `room` is what a text may hold beside prefix and special tokens, and `fitting` keeps chunks within it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rag.config import EMBEDDER, Config
from rag.domain import Embedder
from rag.errors import Usage, WeightsMissing
from rag.inference import minilm as embed
from rag.inference import weights
from rag.inference.external import GgufEmbedder, OpenEmbedder, last_known_path
from rag.inference.st_folder import SentenceTransformersFolder

_CONTEXT = 40  # tokens of title and heading before a passage, where there is room
_LEAST = 32  # tokens; smaller chunks are no passages


class Embedding(Protocol):
    """One embedder. Nothing heavy is open until `questions` or `passages` is called."""

    name: str  #: for a person
    sha256: str  #: of its weights; of a folder, of the checksums of its files
    identity: str  #: what a library's vectors were made with
    dimension: int
    most: int  #: tokens of a text that count

    @property
    def room(self) -> int:
        """Those of them that are left for a passage."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        ...

    def questions(self) -> OpenEmbedder: ...

    def passages(self) -> Embedder: ...

    def check(self) -> str:
        """What it is, in words. Raises `RagError`, `OSError`, `ValueError` or `KeyError` where something is damaged."""
        ...

    def made(self) -> bool:
        """Is there a file that was made of it here?"""
        ...

    def verify(self) -> None:
        """Raises like `check` where that file is not as it was made."""
        ...

    def remake(self) -> None:
        """Make that file again."""
        ...

    def close(self) -> None: ...


class BuiltIn:
    """all-MiniLM-L6-v2: passages by sentence-transformers, questions and a few passages by llama.cpp."""

    name, sha256, identity = (
        weights.EMBEDDER_FILE.name,
        weights.EMBEDDER_FILE.sha256,
        embed.IDENTITY,
    )
    dimension, most, room = embed.DIMENSION, embed.MAX_TOKENS, embed.MAX_TOKENS - 2

    def __init__(self, home: str, threads: int = 0) -> None:
        self._home, self._threads = home, threads
        self._tokenizer: embed.Tokenizer | None = None
        self._ready: embed.PassageEmbedderPair | None = None

    def count(self, texts: Sequence[str]) -> list[int]:
        self._tokenizer = self._tokenizer or embed.Tokenizer()
        return self._tokenizer.count(texts)

    def questions(self) -> embed.QuestionEmbedder:
        return embed.open_question_embedder(self._home, self._threads)

    def passages(self) -> Embedder:
        if not embed.question_embedder_file(self._home).exists():
            self.remake()
        self.close()
        self._ready = embed.PassageEmbedderPair(self.questions, embed.PassageEmbedder)
        return self._ready

    def check(self) -> str:
        weights.verified_embedder_folder()
        path = embed.question_embedder_file(self._home)
        record = path.with_suffix(".json")
        if not path.exists() or not record.exists():
            return f"{self.name}: weights verified; its GGUF is made when documents are added"
        cosine = json.loads(record.read_text(encoding="utf-8"))["cosine"]
        embed.verify_question_embedder(self._home)
        return f"{self.name}: weights and GGUF verified, cosine to sentence-transformers {cosine}"

    def made(self) -> bool:
        path = embed.question_embedder_file(self._home)
        return any(path.parent.glob(f"{path.stem}*"))

    def verify(self) -> None:
        embed.verify_question_embedder(self._home)

    def remake(self) -> None:
        embed.make_question_embedder(self._home)

    def close(self) -> None:
        """Who asked for its questions closes those himself."""
        if self._ready:
            self._ready.close()


def open_embedder(config: Config) -> Embedding:
    """The embedder that the setting names. Raises `WeightsMissing`, `ModelBroken` or `Usage` with its path."""
    if not config.embedder:
        return BuiltIn(config.home, config.threads)
    path = Path(config.embedder)
    if not path.exists():
        raise WeightsMissing(
            f"there is no embedder {path}",
            f"give the path of a sentence-transformers folder or of a GGUF file; or --embedder {EMBEDDER}, the built-in one",
        )
    if path.is_dir():
        return SentenceTransformersFolder(path, config.home, config.threads)
    return GgufEmbedder(path, config.home, config.threads)


def chunk_sizes(embedding: Embedding, size: int) -> tuple[int, int, str]:
    """(tokens of a chunk, tokens of title and heading before it, why a chunk is smaller than `size`: "" where it is not)."""
    context = min(_CONTEXT, embedding.room // 5)
    room = embedding.room - context - 1
    if room < _LEAST:
        raise Usage(
            f"the embedder {embedding.name} takes {embedding.most} tokens, of which {max(room, 0)} are left for a passage: too few",
            "use an embedder that takes longer texts, or a shorter prefix",
        )
    if size <= room:
        return size, context, ""
    said = f"chunk = {size} is more than the embedder {embedding.name} takes; passages have at most {room} tokens, so that nothing is cut off unseen"
    return room, context, said


def embedder_mismatch_cure(config: Config, made: str, now: str) -> str:
    """What to do where a library was `made` with one identity and this program embeds with `now`."""
    before, _, version = made.rpartition(" chunks ")
    if before == now.rpartition(" chunks ")[0] or not version:
        return "use another --library and add the documents again"
    old = EMBEDDER if before == embed.IDENTITY else last_known_path(config.home, before)
    back = f"--embedder {old}" if old else "--embedder with the path it had"
    typed = config.embedder or EMBEDDER
    return f"footnote --library OTHER --embedder {typed} add FOLDER embeds the documents again; or set it back: {back}"
