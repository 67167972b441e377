"""The built-in embedder, all-MiniLM-L6-v2: its tokenizer, and its weights in llama.cpp.

sentence-transformers embeds passages (`sentence_models`). The same weights in llama.cpp embed
questions and small numbers of passages. Both get the ids of the same tokenizer (`tokenizers`, from
the model's own tokenizer.json). So a question needs neither torch nor sentence-transformers:
importing them takes seconds, llama.cpp opens in a tenth of a second. When the GGUF file is made, it
is compared with sentence-transformers on probe sentences; a cosine below 0.9999 is an error.

Passages are embedded in batches of about equal length (`embed_ahead` sorts them). ``make bench``
measures both. The questions of an external folder run in llama.cpp if `write_fast_copy` finds that
both agree.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk import atomic_files
from rag.errors import ModelBroken, RagError
from rag.inference import weights
from rag.inference.gguf_writer import convert_to_gguf
from rag.inference.llama import Encoder, native_bfloat16
from rag.inference.sentence_models import (
    DIMENSION,
    MAX_TOKENS,
    FolderEmbedder,
    PassageEmbedder,
    open_sentence_transformer,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: stored in a library with the vectors of this embedder
IDENTITY = f"{weights.EMBEDDER_FILE.name} {weights.EMBEDDER_FILE.sha256[:16]} {MAX_TOKENS}"
_MIN_COSINE = 0.9999
_MAX_LLAMA_PASSAGES = 64  # llama.cpp embeds so many in the time that torch takes to open
_PROBES = (
    "How many individual sanctions has Russia faced?",
    "The meeting was held on 24 February 2022 in Genève, at 9 o'clock.",
    "a",
    "Section 4.2: tighten the six M8×25 bolts to 22 Nm (±5 %), crosswise; never use thread lock!",
    "Заголовок открываемого материала",
    "東京は日本の首都です。",
    "It was the best of times, it was the worst of times, "
    "it was the age of wisdom, it was the age of foolishness. " * 6,
)


class Tokenizer:
    """The tokenizer of the built-in embedder, or of the model in `folder`.

    A text has at most `max_tokens` ids.
    """

    def __init__(self, folder: Path | None = None, max_tokens: int = MAX_TOKENS) -> None:
        from tokenizers import Tokenizer as HuggingFaceTokenizer

        self.max_tokens = max_tokens
        path = (folder or weights.embedder_folder()) / "tokenizer.json"
        #: without padding and truncation
        self.machine = HuggingFaceTokenizer.from_file(str(path))
        self.machine.no_padding()
        self.machine.no_truncation()

    @property
    def special_tokens(self) -> int:
        """Number of special tokens of every text."""
        bare = self.machine.encode("a", add_special_tokens=False)
        return len(self.machine.encode("a").ids) - len(bare.ids)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        encodings = self.machine.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, [CLS] first and [SEP] last, at most `max_tokens`."""
        limit = self.max_tokens
        rows = [encoding.ids for encoding in self.machine.encode_batch_fast(list(texts))]
        return [row if len(row) <= limit else [*row[: limit - 1], row[-1]] for row in rows]


class QuestionEmbedder:
    """An open embedder in llama.cpp. Thread-compatible, not thread-safe.

    `tokenizer` is the built-in embedder's by default; `prefix` is put before every text.
    """

    def __init__(
        self, path: Path, threads: int = 0, tokenizer: Tokenizer | None = None, prefix: str = ""
    ) -> None:
        self.tokenizer, self._prefix = tokenizer or Tokenizer(), prefix
        self._encoder = Encoder(str(path), threads, max(512, self.tokenizer.max_tokens))
        self.dimension = self._encoder.dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), dimension).

        The bits of a vector may depend on the other texts of the call.
        """
        return self._encoder.embed(self.tokenizer.ids([self._prefix + text for text in texts]))

    def close(self) -> None:
        self._encoder.close()


class PassageEmbedderPair:
    """The embedder of the passages of one run.

    The first 64 passages go to `open_small` (llama.cpp, opens in a tenth of a second); with more,
    all further ones go to `open_large` (sentence-transformers: opens in seconds, then is faster).
    Each is opened when it is needed. Their vectors agree to a cosine of 0.9999.
    """

    dimension = DIMENSION

    def __init__(
        self,
        open_small: Callable[[], QuestionEmbedder],
        open_large: Callable[[], PassageEmbedder],
    ) -> None:
        self._open_small, self._open_large = open_small, open_large
        self._small: QuestionEmbedder | None = None
        self._large: PassageEmbedder | None = None
        self._passages = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), 384), in the order of `texts`."""
        self._passages += len(texts)
        if self._large is None and self._passages <= _MAX_LLAMA_PASSAGES:
            self._small = self._small or self._open_small()
            return self._small.embed(texts)
        self._large = self._large or self._open_large()
        self.close()
        return self._large.embed(texts)

    def close(self) -> None:
        """Close the embedder in llama.cpp."""
        if self._small:
            self._small.close()
        self._small = None


def write_fast_copy(
    folder: Path, path: Path, slow: FolderEmbedder, prefix: str, first: bool
) -> float:
    """Write the BERT in `folder` as GGUF to `path` and compare it with `slow`.

    `prefix` is put before the probe sentences; `first` pools by the first token. Returns the lowest
    cosine of the probe sentences, 0 if llama.cpp refuses the file. The file is removed if that is
    below 0.9999.
    """
    cosine = 0.0
    try:
        convert_to_gguf(folder, path, first=first)
        fast = QuestionEmbedder(path, tokenizer=Tokenizer(folder, slow.max_tokens), prefix=prefix)
        try:
            expected = slow.embed(_PROBES, prefix, asks=True)
            cosine = float((fast.embed(_PROBES) * expected).sum(axis=1).min())
        finally:
            fast.close()
    except (RagError, LookupError, ValueError, TypeError):
        cosine = 0.0
    if not cosine >= _MIN_COSINE:
        path.unlink(missing_ok=True)
    return cosine


def question_embedder_file(home: str) -> Path:
    """The path of the embedder's GGUF file in a home."""
    kind = "bf16" if native_bfloat16() else "f16"
    file = weights.EMBEDDER_FILE
    return weights.models_folder(home) / f"{file.name}.{file.sha256[:12]}.{kind}.gguf"


def open_question_embedder(home: str, threads: int = 0) -> QuestionEmbedder:
    """The embedder of questions, open, its file verified against its recorded checksum.

    The file is made if it does not exist. Raises `ModelBroken`.
    """
    path = question_embedder_file(home)
    if not path.exists() or not path.with_suffix(".json").exists():
        make_question_embedder(home)
    verify_question_embedder(home)
    return QuestionEmbedder(path, threads)


def verify_question_embedder(home: str) -> None:
    """Raise `ModelBroken` if the GGUF file has changed since it was made.

    Raises `OSError`, `ValueError` or `KeyError` if its record cannot be read.
    """
    path = question_embedder_file(home)
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    try:
        weights.verify_file(path, record["sha256"])
    except ModelBroken as error:
        raise ModelBroken(str(error), "run: footnote doctor --repair") from error


def make_question_embedder(
    home: str, convert: Callable[[Path, Path, str], None] = convert_to_gguf
) -> None:
    """Write the GGUF file from the packaged weights and compare it with sentence-transformers.

    `convert` writes the file, given the folder of the weights, the file and its kind. Raises
    `ModelBroken` if both do not agree.
    """
    path = question_embedder_file(home)
    record_path = path.with_suffix(".json")
    # the old file stays until the new one is complete
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        kind = "bfloat16" if native_bfloat16() else "float16"
        convert(weights.verified_embedder_folder(), new, kind)
        cosine = _lowest_cosine(new)
        if not cosine >= _MIN_COSINE:
            raise ModelBroken(
                "the embedder in llama.cpp does not agree with sentence-transformers "
                f"(cosine {cosine:.6f}, at least {_MIN_COSINE})",
                "install the pinned versions of llama-cpp-python and sentence-transformers again",
            )
        record = {
            "sha256": atomic_files.sha256(new),
            "source": weights.EMBEDDER_FILE.sha256,
            "cosine": round(cosine, 7),
        }
        # a process that has the old file open keeps it; no process opens a file without a record
        record_path.unlink(missing_ok=True)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    atomic_files.replace_file(record_path, json.dumps(record) + "\n")


def _lowest_cosine(path: Path) -> float:
    """The lowest cosine of the probe sentences between the GGUF file and sentence-transformers."""
    reference = open_sentence_transformer(weights.embedder_folder())
    expected = reference.encode(list(_PROBES), normalize_embeddings=True, show_progress_bar=False)
    embedder = QuestionEmbedder(path)
    try:
        return float((embedder.embed(_PROBES) * expected).sum(axis=1).min())
    finally:
        embedder.close()
