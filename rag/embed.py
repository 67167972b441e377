"""Texts -> unit vectors: sentence-transformers for passages, the same weights in llama.cpp for questions.

Both sides are fed by the same tokenizer (`tokenizers`, from the model's own tokenizer.json), so a question takes neither
torch nor sentence-transformers: importing them costs seconds, llama.cpp opens in a tenth of one. When the GGUF is
made it is held against sentence-transformers on probe sentences; a cosine below 0.9999 refuses it.

Passages are embedded in batches of about equal length, the longest first over a large window, with the weights in
bfloat16 where the processor multiplies it natively. Both are measured by ``make bench`` against the library's defaults.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import weights
from rag.convert import convert
from rag.errors import ModelBroken
from rag.llama import Encoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSION = 384
MOST = 256  #: tokens of a text that count, [CLS] and [SEP] included
IDENTITY = f"{weights.MINILM.name} {weights.MINILM.sha256[:16]} {MOST}"  #: what a library's vectors were made with
_LEAST_COSINE = 0.9999
_PROBES = (
    "How many individual sanctions has Russia faced?",
    "The meeting was held on 24 February 2022 in Genève, at 9 o'clock.",
    "a",
    "Section 4.2: tighten the six M8×25 bolts to 22 Nm (±5 %), crosswise; never use thread lock!",
    "Заголовок открываемого материала",
    "東京は日本の首都です。",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness. "
    * 6,
)


class Tokenizer:
    """The embedder's tokenizer: counts, and ids cut at `MOST`."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer as Machine

        self.machine = Machine.from_file(str(weights.minilm_folder() / "tokenizer.json"))  #: cuts and pads nothing
        self.machine.no_padding()
        self.machine.no_truncation()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        return [len(e.ids) for e in self.machine.encode_batch_fast(list(texts), add_special_tokens=False)]

    def ids(self, texts: Sequence[str], most: int = MOST) -> list[list[int]]:
        """Ids of each text, [CLS] first and [SEP] last, at most `most`."""
        rows = [e.ids for e in self.machine.encode_batch_fast(list(texts))]
        return [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]


class Questions:
    """The embedder in llama.cpp. Holds the model open; thread-compatible, not thread-safe."""

    dimension = DIMENSION

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._encoder = Encoder(str(path), threads)
        self.tokenizer = Tokenizer()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (n, 384). Bit-identical for one text alone or among others is not promised."""
        return self._encoder.embed(self.tokenizer.ids(texts))

    def close(self) -> None:
        self._encoder.close()


class Passages:
    """The embedder in sentence-transformers, for whole documents."""

    dimension = DIMENSION

    def __init__(self, batch: int = 32) -> None:
        import torch

        self._model: Any = _transformer(weights.minilm())
        self._batch = batch
        self._exact = not native_bfloat16()
        if not self._exact:
            self._model = self._model.to(torch.bfloat16)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (n, 384), in the order of `texts`."""
        import numpy as np

        found = self._model.encode(
            list(texts),
            batch_size=self._batch,
            normalize_embeddings=False,
            convert_to_numpy=True,
            show_progress_bar=False,
        ).astype(np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _transformer(folder: Path) -> Any:
    """sentence-transformers on the CPU, from a folder, quiet."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.max_seq_length = MOST
    return model


def native_bfloat16() -> bool:
    """Does this processor multiply bfloat16 natively (AVX512-BF16, AMX, or SVE/NEON BF16)?"""
    with suppress(OSError):
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return any(flag in said for flag in ("avx512_bf16", "amx_bf16", " bf16"))
    return False


def questions_file(home: str) -> Path:
    """Where the GGUF of the embedder lies."""
    kind = "bf16" if native_bfloat16() else "f16"
    return Path(home) / "models" / f"{weights.MINILM.name}.{weights.MINILM.sha256[:12]}.{kind}.gguf"


def open_questions(home: str, threads: int = 0) -> Questions:
    """The embedder for questions, its file verified against the checksum that was written down when it was made."""
    path = questions_file(home)
    if not path.exists() or not path.with_suffix(".json").exists():
        make_questions(home)
    verify_questions(home)
    return Questions(path, threads)


def verify_questions(home: str) -> None:
    """Raises `ModelBroken` where the GGUF is not the one that was made, `OSError`, `ValueError` or `KeyError` where its record is not."""
    path = questions_file(home)
    said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    try:
        weights.verify(path, said["sha256"])
    except ModelBroken as error:
        raise ModelBroken(str(error), "run: footnote doctor --repair") from error


def make_questions(home: str) -> None:
    """Write the GGUF from the packaged weights and hold it against sentence-transformers. Raises `ModelBroken`."""
    path = questions_file(home)
    for old in (path.with_suffix(".json"), path):  # who has it open keeps his; a half-written one has no record
        old.unlink(missing_ok=True)
    convert(weights.minilm(), path, "bfloat16" if native_bfloat16() else "float16")
    reference = _transformer(weights.minilm_folder())
    expected = reference.encode(list(_PROBES), normalize_embeddings=True, show_progress_bar=False)
    made = Questions(path)
    try:
        cosine = float((made.embed(_PROBES) * expected).sum(axis=1).min())
    finally:
        made.close()
    if not cosine >= _LEAST_COSINE:
        path.unlink()
        raise ModelBroken(
            f"the embedder in llama.cpp does not agree with sentence-transformers (cosine {cosine:.6f}, at least {_LEAST_COSINE})",
            "install the pinned versions of llama-cpp-python and sentence-transformers again",
        )
    record = {"sha256": weights.sha256(path), "source": weights.MINILM.sha256, "cosine": round(cosine, 7)}
    weights.replace_file(path.with_suffix(".json"), json.dumps(record) + "\n")
