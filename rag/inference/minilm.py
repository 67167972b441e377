"""Texts -> unit vectors: sentence-transformers for passages, the same weights in llama.cpp for questions and a few passages.

Both sides are fed by the same tokenizer (`tokenizers`, from the model's own tokenizer.json), so a question takes neither
torch nor sentence-transformers: importing them costs seconds, llama.cpp opens in a tenth of one. When the GGUF is
made it is held against sentence-transformers on probe sentences; a cosine below 0.9999 refuses it.

Passages are embedded in batches of about equal length (`aside` puts them in order), with the weights in bfloat16 where the
processor multiplies it natively. Both are measured by ``make bench``.

Somebody else's folder (`Sentences`) runs in float32, its questions in llama.cpp too where `fast` finds that both agree.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.disk import atomic_files
from rag.errors import ModelBroken, RagError
from rag.inference import weights
from rag.inference.gguf_writer import convert_to_gguf
from rag.inference.llama import Encoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSION = 384
MAX_TOKENS = 256  #: tokens of a text that count, [CLS] and [SEP] included
IDENTITY = f"{weights.EMBEDDER_FILE.name} {weights.EMBEDDER_FILE.sha256[:16]} {MAX_TOKENS}"  #: what a library's vectors were made with
_LEAST_COSINE = 0.9999
_FEW = 64  # passages: what llama.cpp embeds in the time that torch takes to open
_LONGEST = 8192  # tokens; a model of no limit gets this one
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
    """The tokenizer of the built-in embedder, or of the model in `folder`: counts, and ids cut at `most`."""

    def __init__(self, folder: Path | None = None, most: int = MAX_TOKENS) -> None:
        from tokenizers import Tokenizer as Machine

        self.most = most
        self.machine = Machine.from_file(
            str((folder or weights.embedder_folder()) / "tokenizer.json")
        )
        self.machine.no_padding()  #: cuts and pads nothing
        self.machine.no_truncation()

    @property
    def around(self) -> int:
        """Special tokens of every text."""
        return len(self.machine.encode("a").ids) - len(
            self.machine.encode("a", add_special_tokens=False).ids
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        return [
            len(e.ids)
            for e in self.machine.encode_batch_fast(list(texts), add_special_tokens=False)
        ]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, [CLS] first and [SEP] last, at most `most`."""
        most = self.most
        rows = [e.ids for e in self.machine.encode_batch_fast(list(texts))]
        return [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]


class QuestionEmbedder:
    """An embedder in llama.cpp, fed by `tokenizer` (the built-in one's), `prefix` before every text.

    Holds the model open; thread-compatible, not thread-safe.
    """

    def __init__(
        self, path: Path, threads: int = 0, tokenizer: Tokenizer | None = None, prefix: str = ""
    ) -> None:
        self.tokenizer, self._prefix = tokenizer or Tokenizer(), prefix
        self._encoder = Encoder(str(path), threads, max(512, self.tokenizer.most))
        self.dimension = self._encoder.dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (n, dimension). Bit-identical for one text alone or among others is not promised."""
        return self._encoder.embed(self.tokenizer.ids([self._prefix + text for text in texts]))

    def close(self) -> None:
        self._encoder.close()


class PassageEmbedder:
    """The embedder in sentence-transformers, for whole documents."""

    dimension = DIMENSION

    def __init__(self, batch: int = 32) -> None:
        import torch

        self._model: Any = _transformer(weights.verified_embedder_folder())
        self._batch = batch
        self._exact = not native_bfloat16()
        if not self._exact:
            self._model = self._model.to(torch.bfloat16)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (n, 384), in the order of `texts`."""
        found = self._model.encode(
            list(texts),
            batch_size=self._batch,
            normalize_embeddings=False,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return _unit(found)


class PassageEmbedderPair:
    """Passages of one run: the first few by `few` (llama.cpp, open in a tenth of a second), from more than `_FEW` on by `many`
    (sentence-transformers: seconds to open, faster from there). Both open when they are needed; their vectors agree to 0.9999.
    """

    dimension = DIMENSION

    def __init__(
        self, few: Callable[[], QuestionEmbedder], many: Callable[[], PassageEmbedder]
    ) -> None:
        self._few, self._many = few, many
        self._open: QuestionEmbedder | None = None
        self._machine: PassageEmbedder | None = None
        self._seen = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (n, 384), in the order of `texts`."""
        self._seen += len(texts)
        if self._machine is None and self._seen <= _FEW:
            self._open = self._open or self._few()
            return self._open.embed(texts)
        self._machine = self._machine or self._many()
        self.close()
        return self._machine.embed(texts)

    def close(self) -> None:
        """Let go of what is open in llama.cpp."""
        if self._open:
            self._open.close()
        self._open = None


class FolderEmbedder:
    """Somebody else's sentence-transformers folder, in float32. Raises `ModelBroken` where it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        try:
            self._model: Any = (
                _transformer(folder, None, model_kwargs={"use_safetensors": True}).float().eval()
            )
            self.most = int(
                min(self._model.max_seq_length or _LONGEST, _places(self._model), _LONGEST)
            )
            with suppress(AttributeError):  # what looks up words in a table has no limit
                self._model.max_seq_length = self.most
        except Exception as error:  # what strangers' files make of it is not to be foreseen
            raise ModelBroken(
                f"sentence-transformers cannot open the embedder {folder}: {error}",
                "fetch the folder again; one that needs code of its own is never run",
            ) from error
        self.dimension = int(self.embed(["a"]).shape[1])

    def embed(
        self, texts: Sequence[str], prefix: str = "", asks: bool = False
    ) -> NDArray[np.float32]:
        """Unit vectors, float32, of `texts` with `prefix` before them; `asks` says that they are questions."""
        encode = self._model.encode_query if asks else self._model.encode_document
        found = encode(
            list(texts),
            prompt=prefix,
            batch_size=32,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return _unit(found)


def _places(model: Any) -> int:
    """Positions that a transformer knows; in RoBERTa and its kin the first are not for text."""
    config = getattr(model[0], "config", None)
    found = getattr(config, "max_position_embeddings", None) or _LONGEST
    shifted = any(
        kin in str(getattr(config, "model_type", "")) for kin in ("roberta", "mpnet", "camembert")
    )
    return int(found) - (2 if shifted else 0)


def write_fast_copy(
    folder: Path, path: Path, slow: FolderEmbedder, prefix: str, first: bool
) -> float:
    """Write the BERT in `folder` as GGUF to `path` and give its least cosine to `slow`; below 0.9999, or where llama.cpp does
    not take it, there is no file."""
    cosine = 0.0
    try:
        convert_to_gguf(folder, path, first=first)
        made = QuestionEmbedder(path, tokenizer=Tokenizer(folder, slow.most), prefix=prefix)
        try:
            cosine = float(
                (made.embed(_PROBES) * slow.embed(_PROBES, prefix, asks=True)).sum(axis=1).min()
            )
        finally:
            made.close()
    except (RagError, LookupError, ValueError, TypeError):
        cosine = 0.0
    if not cosine >= _LEAST_COSINE:
        path.unlink(missing_ok=True)
    return cosine


def _unit(vectors: Any) -> NDArray[np.float32]:
    import numpy as np

    found: NDArray[np.float32] = vectors.astype(np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _transformer(folder: Path, most: int | None = MAX_TOKENS, **more: Any) -> Any:
    """sentence-transformers on the CPU, from a folder, quiet."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, trust_remote_code=False, **more
    )
    if most:
        model.max_seq_length = most
    return model


def native_bfloat16() -> bool:
    """Does this processor multiply bfloat16 natively (AVX512-BF16, AMX, or SVE/NEON BF16)?"""
    with suppress(OSError):
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return any(flag in said for flag in ("avx512_bf16", "amx_bf16", " bf16"))
    return False


def question_embedder_file(home: str) -> Path:
    """Where the GGUF of the embedder lies."""
    kind = "bf16" if native_bfloat16() else "f16"
    return (
        Path(home)
        / "models"
        / f"{weights.EMBEDDER_FILE.name}.{weights.EMBEDDER_FILE.sha256[:12]}.{kind}.gguf"
    )


def open_question_embedder(home: str, threads: int = 0) -> QuestionEmbedder:
    """The embedder for questions, its file verified against the checksum that was written down when it was made."""
    path = question_embedder_file(home)
    if not path.exists() or not path.with_suffix(".json").exists():
        make_question_embedder(home)
    verify_question_embedder(home)
    return QuestionEmbedder(path, threads)


def verify_question_embedder(home: str) -> None:
    """Raises `ModelBroken` where the GGUF is not the one that was made, `OSError`, `ValueError` or `KeyError` where its record is not."""
    path = question_embedder_file(home)
    said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    try:
        weights.verify_file(path, said["sha256"])
    except ModelBroken as error:
        raise ModelBroken(str(error), "run: footnote doctor --repair") from error


def make_question_embedder(home: str) -> None:
    """Write the GGUF from the packaged weights and hold it against sentence-transformers. Raises `ModelBroken`."""
    path = question_embedder_file(home)
    new = path.with_name(
        f".{path.name}.{os.getpid()}.new"
    )  # the old one stays until this one is whole
    try:
        convert_to_gguf(
            weights.verified_embedder_folder(), new, "bfloat16" if native_bfloat16() else "float16"
        )
        reference = _transformer(weights.embedder_folder())
        expected = reference.encode(
            list(_PROBES), normalize_embeddings=True, show_progress_bar=False
        )
        made = QuestionEmbedder(new)
        try:
            cosine = float((made.embed(_PROBES) * expected).sum(axis=1).min())
        finally:
            made.close()
        if not cosine >= _LEAST_COSINE:
            raise ModelBroken(
                f"the embedder in llama.cpp does not agree with sentence-transformers (cosine {cosine:.6f}, at least {_LEAST_COSINE})",
                "install the pinned versions of llama-cpp-python and sentence-transformers again",
            )
        record = {
            "sha256": atomic_files.sha256(new),
            "source": weights.EMBEDDER_FILE.sha256,
            "cosine": round(cosine, 7),
        }
        path.with_suffix(".json").unlink(
            missing_ok=True
        )  # who has the old one open keeps it; without its record none is opened
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    atomic_files.replace_file(path.with_suffix(".json"), json.dumps(record) + "\n")
