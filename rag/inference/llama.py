"""Models in llama.cpp: loading, tokenizing and the encoders. `llama_chat` has the chat model.

Both modules call llama.cpp's C functions and not the `Llama` class of llama-cpp-python, which has
four disadvantages: it redirects file descriptors 1 and 2 while it loads, which freezes a screen in
the same process; it tokenizes a whole chat prompt with special tokens, so that a document could
forge turns; it can neither be stopped nor report progress while it processes a prompt; and it
reports every failure as "Failed to load model from file".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelBroken, TooLong, WeightsMissing
from rag.inference import llama_library
from rag.inference.llama_functions import Context, Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: llama.cpp's pooling types that give one vector for a text: mean, first token, last token
_TEXT_POOLINGS = (1, 2, 3)


def total_memory() -> int:
    """Bytes of memory of this computer; 0 if unknown."""
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


class LoadedModel:
    """A model and one context of it, closed together.

    The keyword arguments are fields of `llama_context_params`. Raises `WeightsMissing` if there is
    no file at `path`, `ModelBroken` if llama.cpp refuses it.
    """

    def __init__(self, path: str, **context: int) -> None:
        self.lib = llama_library.load()
        self.path = path
        llama_library.LOG.clear()
        if not os.path.isfile(path):
            raise WeightsMissing(
                f"there is no file {path}", "give the path of a .gguf file that is there"
            )
        model = self.lib.llama_model_load_from_file(
            os.fsencode(path), self.lib.llama_model_default_params()
        )
        if not model:
            raise ModelBroken(
                f"llama.cpp cannot load {path}: {_log()}",
                "fetch the file again and compare its SHA-256",
            )
        self.model, self.context = model, Context(0)
        self._require_memory(context.get("n_ctx", 0))
        settings = self.lib.llama_context_default_params()
        for key, value in context.items():
            setattr(settings, key, value)
        opened = self.lib.llama_init_from_model(self.model, settings)
        if not opened:
            self.close()
            raise ModelBroken(
                f"llama.cpp cannot open a context for {path}: {_log()}",
                "use a smaller context, or another model",
            )
        self.context = opened
        self.vocabulary = self.lib.llama_model_get_vocab(self.model)

    def _require_memory(self, tokens: int) -> None:
        """Raise `ModelBroken` if the keys and values of `tokens` tokens exceed the memory."""
        lib, model = self.lib, self.model
        head_size = lib.llama_model_n_embd(model) // max(1, lib.llama_model_n_head(model))
        width = head_size * lib.llama_model_n_head_kv(model)
        # a key and a value, two bytes each
        needed = 4 * lib.llama_model_n_layer(model) * width * tokens
        available = total_memory()
        if lib.llama_model_has_decoder(model) and available and needed > available:
            self.close()
            raise ModelBroken(
                f"a context of {tokens:,} tokens needs {needed / 2**30:,.0f} GB with {self.path}; "
                f"this computer has {available / 2**30:,.0f} GB",
                "set a smaller context in the settings",
            )

    def tokenize(self, text: str, special: bool = False, frame: bool = False) -> list[int]:
        """Token ids of `text`.

        Without `special`, no part of the text can become a control token. `frame` adds the tokens
        that the file asks for at both ends of a text, such as BOS. Raises `ModelBroken`.
        """
        content = text.encode("utf-8", "replace")
        capacity = len(content) + 8
        ids = (self.lib.llama_token * capacity)()
        count = self.lib.llama_tokenize(
            self.vocabulary, content, len(content), ids, capacity, frame, special
        )
        if count < 0:
            raise ModelBroken(f"{self.path} cannot tokenize {text[:40]!r}", "use another model")
        return list(ids[:count])

    def close(self) -> None:
        """Free the memory. Safe to call twice."""
        if self.context:
            self.lib.llama_free(self.context)
        if self.model:
            self.lib.llama_model_free(self.model)
        self.context, self.model = Context(0), Model(0)


def _log() -> str:
    """The last warnings of llama.cpp in one line."""
    return "; ".join(llama_library.LOG) or "no reason given"


class _BatchEncoder(LoadedModel):
    """An encoder that runs rows of token ids in batches.

    A batch has at most `max_tokens` tokens and `max_rows` rows.
    """

    def __init__(self, path: str, threads: int, max_tokens: int, max_rows: int) -> None:
        self.max_tokens, self._max_rows = max_tokens, max_rows
        # a batch takes tenths of a second, so it may use every core
        threads = threads or os.cpu_count() or 1
        super().__init__(
            path,
            n_ctx=max_tokens,
            n_batch=max_tokens,
            n_ubatch=max_tokens,
            n_seq_max=max_rows,
            kv_unified=True,
            embeddings=True,
            n_threads=threads,
            n_threads_batch=threads,
        )
        self.dimension: int = self.lib.llama_model_n_embd(self.model)
        self._batch = self.lib.llama_batch_init(max_tokens, 0, 1)

    def close(self) -> None:
        if self.context:
            self.lib.llama_batch_free(self._batch)
        super().close()

    def _batches(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
        """Run all rows; after each batch, yield the half-open range of its rows.

        Raises `TooLong` if a row has more than `max_tokens` ids.
        """
        start = 0
        while start < len(rows):
            end, tokens = start, 0
            while (
                end < len(rows)
                and end - start < self._max_rows
                and tokens + len(rows[end]) <= self.max_tokens
            ):
                tokens += len(rows[end])
                end += 1
            if end == start:
                raise TooLong(
                    f"{len(rows[start])} tokens are more than the encoder takes ({self.max_tokens})"
                )
            self._encode(rows[start:end])
            yield start, end
            start = end

    def _encode(self, rows: Sequence[Sequence[int]]) -> None:
        batch, index = self._batch, 0
        for row_number, row in enumerate(rows):
            for position, token in enumerate(row):
                batch.token[index], batch.pos[index] = token, position
                batch.n_seq_id[index], batch.seq_id[index][0] = 1, row_number
                batch.logits[index] = True
                index += 1
        batch.n_tokens = index
        # only a decoder has a memory; it must not contain earlier rows
        memory = self.lib.llama_get_memory(self.context)
        if memory:
            self.lib.llama_memory_clear(memory, True)
        if (self.lib.llama_decode if memory else self.lib.llama_encode)(self.context, batch) != 0:
            raise ModelBroken(
                f"llama.cpp failed in {self.path}: {'; '.join(llama_library.LOG)}",
                "make the file again: remove it and add a document",
            )


class Encoder(_BatchEncoder):
    """An encoder with the file's own pooling: one unit vector for each row of token ids."""

    def __init__(self, path: str, threads: int = 0, max_tokens: int = 512) -> None:
        super().__init__(path, threads, max_tokens, max_rows=32)

    def embed(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(rows), dimension).

        A row has at most `max_tokens` ids.
        """
        import numpy as np

        vectors = np.empty((len(rows), self.dimension), dtype=np.float32)
        for start, end in self._batches(rows):
            for row in range(start, end):
                pointer = self.lib.llama_get_embeddings_seq(self.context, row - start)
                vectors[row] = np.ctypeslib.as_array(pointer, shape=(self.dimension,))
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


class TextEncoder(Encoder):
    """An external embedder: tokenizer, pooling, dimension and limit are the file's own.

    Raises `ModelBroken` if the file is not an embedder.
    """

    def __init__(self, path: str, threads: int = 0, max_tokens: int = 1024) -> None:
        super().__init__(path, threads, max_tokens)
        lib = self.lib
        #: tokens of a text, special tokens included
        self.max_text_tokens = min(max_tokens, lib.llama_model_n_ctx_train(self.model))
        self.dimension = lib.llama_model_n_embd_out(self.model)
        if lib.llama_pooling_type(self.context) not in _TEXT_POOLINGS:
            self.close()
            raise ModelBroken(
                f"{path} is not an embedder: "
                "it does not say how the vectors of tokens become one of a text",
                "give a GGUF that was made for embedding (its pooling type is mean, cls or last)",
            )
        bare, framed = self.tokenize("a"), self.tokenize("a", frame=True)
        self._final_tokens = int(framed[-1:] != bare[-1:])  # 1 if [SEP] or EOS ends every text
        self.special_tokens = len(framed) - len(bare)  #: number of tokens added to every text

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        return [len(self.tokenize(text)) for text in texts]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), dimension).

        A text that is too long is cut; its final special token is kept.
        """
        rows = [self.tokenize(text, frame=True) or self.tokenize(".") for text in texts]
        limit, final = self.max_text_tokens, self._final_tokens
        return self.embed(
            [
                row if len(row) <= limit else row[: limit - final] + row[len(row) - final :]
                for row in rows
            ]
        )


class TokenEncoder(_BatchEncoder):
    """An encoder without pooling: one vector for each token.

    `arrays` are those that the file carries as metadata (see `gguf_writer.write_gguf`).
    """

    def __init__(
        self, path: str, threads: int = 0, max_tokens: int = 512, max_rows: int = 1
    ) -> None:
        super().__init__(path, threads, max_tokens, max_rows)
        from rag.inference.gguf_arrays import read_arrays

        self.arrays = read_arrays(path)

    def vectors(self, rows: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """One array for each row, float32, shape (len(row), dimension).

        A row has at most `max_tokens` ids.
        """
        import numpy as np

        row_vectors: list[NDArray[np.float32]] = []
        for start, end in self._batches(rows):
            lengths = [len(row) for row in rows[start:end]]
            pointer = self.lib.llama_get_embeddings(self.context)
            vectors = np.ctypeslib.as_array(pointer, shape=(sum(lengths), self.dimension)).copy()
            row_vectors += np.split(vectors, np.cumsum(lengths)[:-1])
        return row_vectors


def native_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively (AVX512-BF16, AMX, or SVE/NEON BF16)."""
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))
    return False
