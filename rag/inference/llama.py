"""The only module that imports llama_cpp: open, count, embed, complete, stop.

It stands on llama.cpp's C functions rather than on the package's `Llama` class, for four reasons that were measured or
read: `Llama` redirects file descriptors 1 and 2 while it loads (a screen in the same process freezes); it tokenizes a whole
chat prompt with special tokens (a document could forge turns); it cannot be stopped, nor tell how far it is, while it
takes in a prompt; and it turns every failure into "Failed to load model from file". Here a prompt is taken in by pieces of
128 tokens, so that work stops within one piece, and the part of a prompt that is already in the cache is not computed again.
"""

from __future__ import annotations

import codecs
import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rag.errors import ModelBroken, TooLong, WeightsMissing
from rag.inference import llama_library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECE = 128  # tokens of a prompt taken in at once


def thread_count(threads: int) -> int:
    """`threads`, or all cores but one."""
    return threads or max(1, (os.cpu_count() or 2) - 1)


def memory() -> int:
    """Bytes of memory of this computer; 0 where that is not known."""
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


class _Machine:
    """A model and a context of it, closed together."""

    def __init__(self, path: str, **context: Any) -> None:
        self.lib = llama_library.load()
        self.path = path
        llama_library.LOG.clear()
        if not os.path.isfile(path):
            raise WeightsMissing(
                f"there is no file {path}", "give the path of a .gguf file that is there"
            )
        self.model = self.lib.llama_model_load_from_file(
            os.fsencode(path), self.lib.llama_model_default_params()
        )
        self.context: Any = None
        if not self.model:
            said = "; ".join(llama_library.LOG) or "no reason given"
            raise ModelBroken(
                f"llama.cpp cannot load {path}: {said}",
                "fetch the file again and compare its SHA-256",
            )
        self._room(context.get("n_ctx", 0))
        settings = self.lib.llama_context_default_params()
        for key, value in context.items():
            setattr(settings, key, value)
        self.context = self.lib.llama_init_from_model(self.model, settings)
        if not self.context:
            self.close()
            said = "; ".join(llama_library.LOG) or "no reason given"
            raise ModelBroken(
                f"llama.cpp cannot open a context for {path}: {said}",
                "use a smaller context, or another model",
            )
        self.vocabulary = self.lib.llama_model_get_vocab(self.model)

    def _room(self, tokens: int) -> None:
        """Raises `ModelBroken` where keys and values of so many tokens are more than the computer's memory holds."""
        lib, model = self.lib, self.model
        width = (
            lib.llama_model_n_embd(model)
            // max(1, lib.llama_model_n_head(model))
            * lib.llama_model_n_head_kv(model)
        )
        need = 4 * lib.llama_model_n_layer(model) * width * tokens  # two numbers of two bytes each
        have = memory()
        if lib.llama_model_has_decoder(model) and have and need > have:
            self.close()
            raise ModelBroken(
                f"a context of {tokens:,} tokens needs {need / 2**30:,.0f} GB with {self.path}; this computer has {have / 2**30:,.0f} GB",
                "set a smaller context in the settings",
            )

    def _ids(self, text: str, special: bool = False, frame: bool = False) -> list[int]:
        """Token ids of `text`. With `special` off no part of it can become a control token; `frame` adds what the file wants around it."""
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        ids = (self.lib.llama_token * room)()
        found = self.lib.llama_tokenize(self.vocabulary, raw, len(raw), ids, room, frame, special)
        if found < 0:
            raise ModelBroken(f"{self.path} cannot tokenize {text[:40]!r}", "use another model")
        return list(ids[:found])

    def close(self) -> None:
        """Free the memory. Safe to call twice."""
        if self.context:
            self.lib.llama_free(self.context)
        if self.model:
            self.lib.llama_model_free(self.model)
        self.context = self.model = None


class _Bert(_Machine):
    """A BERT encoder: rows of token ids, several at a time, through the trunk."""

    def __init__(self, path: str, threads: int, most: int, together: int) -> None:
        self.most, self._together = most, together
        bursts = (
            threads or os.cpu_count() or 1
        )  # its work is over in tenths of a second: it may have every core
        super().__init__(
            path, n_ctx=most, n_batch=most, n_ubatch=most, n_seq_max=together, kv_unified=True, embeddings=True,
            n_threads=bursts, n_threads_batch=bursts,
        )  # fmt: skip
        self.dimension: int = self.lib.llama_model_n_embd(self.model)
        self._batch = self.lib.llama_batch_init(most, 0, 1)

    def close(self) -> None:
        if self.context:
            self.lib.llama_batch_free(self._batch)
        super().close()

    def _batches(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
        """Run all rows; after each batch, which of them it held. Raises `TooLong`."""
        at = 0
        while at < len(rows):
            end, used = at, 0
            while (
                end < len(rows) and end - at < self._together and used + len(rows[end]) <= self.most
            ):
                used += len(rows[end])
                end += 1
            if end == at:
                raise TooLong(
                    f"{len(rows[at])} tokens are more than the encoder takes ({self.most})"
                )
            self._encode(rows[at:end])
            yield at, end
            at = end

    def _encode(self, rows: Sequence[Sequence[int]]) -> None:
        batch, at = self._batch, 0
        for number, row in enumerate(rows):
            for position, token in enumerate(row):
                batch.token[at], batch.pos[at] = token, position
                batch.n_seq_id[at], batch.seq_id[at][0], batch.logits[at] = 1, number, True
                at += 1
        batch.n_tokens = at
        memory = self.lib.llama_get_memory(
            self.context
        )  # a decoder has one, and must forget the rows before
        if memory:
            self.lib.llama_memory_clear(memory, True)
        if (self.lib.llama_decode if memory else self.lib.llama_encode)(self.context, batch) != 0:
            raise ModelBroken(
                f"llama.cpp failed in {self.path}: {'; '.join(llama_library.LOG)}",
                "make the file again: remove it and add a document",
            )


class Encoder(_Bert):
    """With the file's own pooling: rows of token ids to unit vectors."""

    def __init__(self, path: str, threads: int = 0, most: int = 512) -> None:
        super().__init__(path, threads, most, together=32)

    def embed(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(rows), dimension). A row holds at most `most` ids."""
        import numpy as np

        out = np.empty((len(rows), self.dimension), dtype=np.float32)
        for at, end in self._batches(rows):
            for row in range(at, end):
                pointer = self.lib.llama_get_embeddings_seq(self.context, row - at)
                out[row] = np.ctypeslib.as_array(pointer, shape=(self.dimension,))
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


class TextEncoder(Encoder):
    """Somebody else's embedder: tokenizer, pooling, dimension and limit are all the file's own. Raises `ModelBroken` where it is none."""

    def __init__(self, path: str, threads: int = 0, most: int = 1024) -> None:
        super().__init__(path, threads, most)
        lib = self.lib
        self.longest = min(
            most, lib.llama_model_n_ctx_train(self.model)
        )  #: tokens of a text, those around it included
        self.dimension = lib.llama_model_n_embd_out(self.model)
        if lib.llama_pooling_type(self.context) not in (
            1,
            2,
            3,
        ):  # the mean, the first token, the last one
            self.close()
            raise ModelBroken(
                f"{path} is not an embedder: it does not say how the vectors of tokens become one of a text",
                "give a GGUF that was made for embedding (its pooling type is mean, cls or last)",
            )
        bare, framed = self._ids("a"), self._ids("a", frame=True)
        self._closed = int(framed[-1:] != bare[-1:])  # does a [SEP] or EOS end every text?
        self.around = len(framed) - len(bare)  #: tokens that are put before and behind every text

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, those around it not counted."""
        return [len(self._ids(text)) for text in texts]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, float32, shape (len(texts), dimension); a longer text is cut, its last token kept."""
        rows = [self._ids(text, frame=True) or self._ids(".") for text in texts]
        end = self.longest - self._closed
        return self.embed(
            [r if len(r) <= self.longest else r[:end] + r[len(r) - self._closed :] for r in rows]
        )


class TokenEncoder(_Bert):
    """Without pooling: rows of token ids to a vector for each token. `arrays` are the file's own (see `convert.write`)."""

    def __init__(self, path: str, threads: int = 0, most: int = 512, together: int = 1) -> None:
        super().__init__(path, threads, most, together)
        from rag.inference.gguf_arrays import read_arrays

        self.arrays = read_arrays(path)

    def vectors(self, rows: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """One array for each row, float32, shape (len(row), dimension). A row holds at most `most` ids."""
        import numpy as np

        out: list[NDArray[np.float32]] = []
        for at, end in self._batches(rows):
            lengths = [len(row) for row in rows[at:end]]
            pointer = self.lib.llama_get_embeddings(self.context)
            found = np.ctypeslib.as_array(pointer, shape=(sum(lengths), self.dimension)).copy()
            out += np.split(found, np.cumsum(lengths)[:-1])
        return out


class ChatModel(_Machine):
    """A chat model: tokens in, text out, one conversation at a time."""

    def __init__(self, path: str, context: int, threads: int = 0) -> None:
        super().__init__(
            path,
            n_ctx=context,
            n_batch=_PIECE,
            n_ubatch=_PIECE,
            n_threads=thread_count(threads),
            n_threads_batch=thread_count(threads),
        )
        self.size: int = self.lib.llama_n_ctx(self.context)
        self._cached: list[int] = []
        if not self.lib.llama_get_memory(self.context):
            self.close()
            raise ModelBroken(
                f"{path} is not a chat model (it has no decoder)",
                "choose a model that was made for chat",
            )

    @property
    def template(self) -> str | None:
        """The chat template that the file carries (Jinja), None where it has none."""
        found = self.lib.llama_model_chat_template(self.model, None)
        return found.decode("utf-8", "replace") if found else None

    def special(self) -> dict[str, str]:
        """`bos_token` and `eos_token` as text, as templates want them."""
        lib, vocabulary = self.lib, self.vocabulary
        ids = {
            "bos_token": lib.llama_vocab_bos(vocabulary),
            "eos_token": lib.llama_vocab_eos(vocabulary),
        }
        return {
            n: lib.llama_vocab_get_text(vocabulary, i).decode("utf-8", "replace") if i >= 0 else ""
            for n, i in ids.items()
        }

    def tokens(self, text: str, special: bool) -> list[int]:
        """Token ids of `text`. With `special` off no part of it can become a control token. No BOS is added."""
        return self._ids(text, special)

    def begin(self) -> list[int]:
        """The ids every prompt begins with: BOS, where the model wants one."""
        lib = self.lib
        return (
            [lib.llama_vocab_bos(self.vocabulary)]
            if lib.llama_vocab_get_add_bos(self.vocabulary)
            else []
        )

    def read(self, prompt: Sequence[int]) -> Iterator[int]:
        """Take in `prompt`, yielding how many of its tokens are in. What an earlier prompt shares is not computed again."""
        if len(prompt) >= self.size:
            raise TooLong(
                f"the prompt has {len(prompt)} tokens, the context {self.size}",
                "ask a shorter question or raise context",
            )
        shared = 0
        while (
            shared < min(len(prompt) - 1, len(self._cached))
            and prompt[shared] == self._cached[shared]
        ):
            shared += 1
        memory = self.lib.llama_get_memory(self.context)
        if not self.lib.llama_memory_seq_rm(memory, 0, shared, -1):
            self.lib.llama_memory_clear(memory, True)
            shared = 0
        self._cached = list(prompt[:shared])
        while len(self._cached) < len(prompt):
            self._decode(prompt[len(self._cached) : len(self._cached) + _PIECE])
            yield len(self._cached)

    def write(self, most: int, temperature: float, seed: int, grammar: str = "") -> Iterator[str]:
        """Text after what was read: at most `most` tokens, until the model ends. Closing the iterator stops it."""
        sampler = self._sampler(temperature, seed, grammar)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            for _ in range(min(most, self.size - len(self._cached))):
                self._sound()
                token = self.lib.llama_sampler_sample(sampler, self.context, -1)
                if self.lib.llama_vocab_is_eog(self.vocabulary, token):
                    break
                text = decoder.decode(self._piece(token))
                if text:
                    yield text
                self._decode([token])
            last = decoder.decode(b"", final=True)
            if last:
                yield last
        finally:
            self.lib.llama_sampler_free(sampler)

    def _sound(self) -> None:
        """Raises `ModelBroken` where the last numbers are none: a grammar then accepts nothing, and ends the process."""
        import numpy as np

        size = self.lib.llama_vocab_n_tokens(self.vocabulary)
        logits = self.lib.llama_get_logits_ith(self.context, -1)
        if not logits or not np.isfinite(np.ctypeslib.as_array(logits, shape=(size,))).all():
            raise ModelBroken(
                f"{self.path} computes what is not a number: it is damaged",
                "fetch it again, or use another",
            )

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (self.lib.llama_token * len(tokens))(*tokens)
        failed = self.lib.llama_decode(
            self.context, self.lib.llama_batch_get_one(array, len(tokens))
        )
        if failed:
            self._cached = []
            self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
            raise ModelBroken(
                f"llama.cpp failed in {self.path} (code {failed}): {'; '.join(llama_library.LOG)}",
                "try again, or another model",
            )
        self._cached += tokens

    def spell(self) -> None:
        """Every token of the vocabulary as text, to see whether that can be done."""
        for token in range(self.lib.llama_vocab_n_tokens(self.vocabulary)):
            self._piece(token)

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = self.lib.llama_token_to_piece(self.vocabulary, token, buffer, 256, 0, False)
        return buffer.raw[:size] if size > 0 else b""

    def _sampler(self, temperature: float, seed: int, grammar: str) -> Any:
        lib = self.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar:
            rules = lib.llama_sampler_init_grammar(self.vocabulary, grammar.encode(), b"root")
            if not rules:
                lib.llama_sampler_free(chain)
                raise ModelBroken(f"{self.path} cannot be held to a grammar", "use another model")
            lib.llama_sampler_chain_add(chain, rules)
        if temperature > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed))
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return chain
