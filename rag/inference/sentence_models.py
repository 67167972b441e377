"""Embedders in sentence-transformers: the built-in one for whole documents, and external folders.

Nothing else imports torch to embed. Importing it takes seconds, so a question does without it
(`minilm`). The built-in embedder runs in bfloat16 if the processor multiplies it natively, an
external folder in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.errors import ModelBroken
from rag.inference import weights
from rag.inference.llama import native_bfloat16

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

#: of the built-in embedder
DIMENSION = 384
MAX_TOKENS = 256  #: tokens of a text that count, [CLS] and [SEP] included
_MAX_FOLDER_TOKENS = 8192  # the limit of a model that has none


class _Encode(Protocol):
    """A method of a `SentenceTransformer` that makes vectors of texts."""

    def __call__(
        self,
        texts: list[str],
        /,
        *,
        show_progress_bar: bool,
        prompt: str = ...,
        batch_size: int = ...,
        normalize_embeddings: bool = ...,
        convert_to_numpy: bool = ...,
    ) -> NDArray[np.floating]: ...


class SentenceModel(Protocol):
    """The parts of a `SentenceTransformer` that are used here."""

    max_seq_length: int | None
    encode: _Encode
    encode_query: _Encode
    encode_document: _Encode

    def to(self, dtype: torch.dtype, /) -> SentenceModel: ...
    def float(self) -> SentenceModel: ...
    def eval(self) -> SentenceModel: ...
    def __getitem__(self, number: int, /) -> object: ...


class PassageEmbedder:
    """The embedder in sentence-transformers, for whole documents."""

    dimension = DIMENSION

    def __init__(self, batch: int = 32) -> None:
        import torch

        self._model = open_sentence_transformer(weights.verified_embedder_folder())
        self._batch = batch
        self._exact = not native_bfloat16()
        if not self._exact:
            self._model = self._model.to(torch.bfloat16)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), 384), in the order of `texts`."""
        vectors = self._model.encode(
            list(texts),
            batch_size=self._batch,
            normalize_embeddings=False,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return _unit(vectors)


class FolderEmbedder:
    """An external sentence-transformers folder, in float32.

    Raises `ModelBroken` if it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        try:
            options = {"use_safetensors": True}
            model = open_sentence_transformer(folder, None, model_kwargs=options)
            self._model = model.float().eval()
            length = self._model.max_seq_length or _MAX_FOLDER_TOKENS
            self.max_tokens = int(min(length, _positions(self._model), _MAX_FOLDER_TOKENS))
            with suppress(AttributeError):  # a static embedding of words has no limit
                self._model.max_seq_length = self.max_tokens
        except Exception as error:  # the files are of unknown origin and may raise anything
            raise ModelBroken(
                f"sentence-transformers cannot open the embedder {folder}: {error}",
                "fetch the folder again; one that needs code of its own is never run",
            ) from error
        self.dimension = int(self.embed(["a"]).shape[1])

    def embed(
        self, texts: Sequence[str], prefix: str = "", asks: bool = False
    ) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), dimension).

        `prefix` is put before each text; `asks` says that the texts are questions.
        """
        encode = self._model.encode_query if asks else self._model.encode_document
        vectors = encode(
            list(texts),
            prompt=prefix,
            batch_size=32,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return _unit(vectors)


def open_sentence_transformer(
    folder: Path, max_tokens: int | None = MAX_TOKENS, **options: dict[str, bool]
) -> SentenceModel:
    """A `SentenceTransformer` on the CPU, from a folder, without progress bars."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, trust_remote_code=False, **options
    )
    if max_tokens:
        model.max_seq_length = max_tokens
    return model


def _positions(model: SentenceModel) -> int:
    """Number of positions of a transformer; RoBERTa and its variants reserve the first two."""
    config = getattr(model[0], "config", None)
    positions = getattr(config, "max_position_embeddings", None) or _MAX_FOLDER_TOKENS
    model_type = str(getattr(config, "model_type", ""))
    reserved = any(family in model_type for family in ("roberta", "mpnet", "camembert"))
    return int(positions) - (2 if reserved else 0)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    import numpy as np

    rows: NDArray[np.float32] = vectors.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
