"""The chat model in llama.cpp: takes a prompt as token ids and writes text.

A prompt is processed in pieces of 64 tokens, with progress after each. A stop takes effect within
a piece and within a token: llama.cpp asks between the operations of its graph.

The part that a prompt shares with the one before is in the cache and is not computed again. It is
used up to the last whole piece only. Then every token is computed in the same batch with and
without the cache, and the same prompt gives the same text: results of different batch sizes differ
in their last bits, which can change the likeliest token.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from rag.errors import ModelBroken, TooLong
from rag.inference import chat_template, llama_library
from rag.inference.llama import LoadedModel
from rag.inference.llama_functions import Sampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PREFILL_TOKENS = 64  # tokens of a prompt that are processed in one call
_ABORTED = 2  # what llama_decode returns if its abort callback returned true
#: seconds between two calls of `stop` while llama.cpp computes
_SECONDS_BETWEEN_STOPS = 0.02


def thread_count(threads: int, cores: int | None = None) -> int:
    """`threads` if not 0, else all `cores` (None: those of this computer) but one."""
    return threads or max(1, (cores or os.cpu_count() or 2) - 1)


def _never() -> bool:
    return False


class ChatModel(LoadedModel):
    """A chat model: reads tokens and writes text, one conversation at a time."""

    def __init__(self, path: str, context: int, threads: int = 0) -> None:
        super().__init__(
            path,
            n_ctx=context,
            n_batch=_PREFILL_TOKENS,
            n_ubatch=_PREFILL_TOKENS,
            n_threads=thread_count(threads),
            n_threads_batch=thread_count(threads),
        )
        self.size: int = self.lib.llama_n_ctx(self.context)
        #: tokens of prompts that were computed since the model was opened
        self.tokens_read = 0
        self._cached: list[int] = []
        self._prompt_cached = 0  # of them, those that were computed as pieces of a prompt
        self._stop: Callable[[], bool] = _never
        self._asked_at = 0.0
        # llama.cpp keeps the address of the callback, which must live as long as the context
        self._abort_callback = self.lib.ggml_abort_callback(self._must_abort)
        self.lib.llama_set_abort_callback(self.context, self._abort_callback, ctypes.c_void_p(None))
        if not self.lib.llama_get_memory(self.context):
            self.close()
            raise ModelBroken(
                f"{path} is not a chat model (it has no decoder)",
                "choose a model that was made for chat",
            )

    def use_threads(self, threads: int) -> None:
        """Read and write with this number of threads from now on."""
        self.lib.llama_set_n_threads(self.context, threads, threads)

    def forget(self) -> None:
        """Empty the cache: the next prompt is computed as a whole."""
        self._forget_from(0)

    @property
    def template(self) -> str | None:
        """The chat template (Jinja) that the file carries; None if it has none."""
        template = self.lib.llama_model_chat_template(self.model, None)
        return template.decode("utf-8", "replace") if template else None

    def special(self) -> dict[str, str]:
        """`bos_token` and `eos_token` as text, for chat templates."""
        lib, vocabulary = self.lib, self.vocabulary
        ids = {
            "bos_token": lib.llama_vocab_bos(vocabulary),
            "eos_token": lib.llama_vocab_eos(vocabulary),
        }
        return {
            name: lib.llama_vocab_get_text(vocabulary, token_id).decode("utf-8", "replace")
            if token_id >= 0
            else ""
            for name, token_id in ids.items()
        }

    def conversation(self, slots: int) -> str:
        """The file's chat template around `slots` placeholders. Raises `ModelBroken`."""
        return chat_template.conversation(self.path, self.template, self.special(), slots)

    def tokens(self, text: str, special: bool) -> list[int]:
        """Token ids of `text`, without BOS.

        Without `special`, no part of the text can become a control token.
        """
        return self.tokenize(text, special)

    def begin(self) -> list[int]:
        """The ids that every prompt begins with: BOS if the model asks for it."""
        if not self.lib.llama_vocab_get_add_bos(self.vocabulary):
            return []
        return [self.lib.llama_vocab_bos(self.vocabulary)]

    def read(self, prompt: Sequence[int], stop: Callable[[], bool] = _never) -> Iterator[int]:
        """Process `prompt` and yield the number of tokens processed so far.

        The part that it shares with the previous prompt is not computed again. It ends early once
        `stop` returns True. Raises `TooLong`.
        """
        if len(prompt) >= self.size:
            raise TooLong(
                f"the prompt has {len(prompt)} tokens, the context {self.size}",
                "ask a shorter question or raise context_tokens",
            )
        self._forget_from(self._shared_with(prompt))
        while len(self._cached) < len(prompt):
            done = len(self._cached)
            if not self._decode(prompt[done : done + _PREFILL_TOKENS], stop):
                return
            self._prompt_cached = len(self._cached)
            self.tokens_read += len(self._cached) - done
            yield len(self._cached)

    def _shared_with(self, prompt: Sequence[int]) -> int:
        """Tokens of whole pieces that `prompt` and the cached prompt begin with."""
        shared = 0
        max_shared = min(len(prompt) - 1, self._prompt_cached)
        while shared < max_shared and prompt[shared] == self._cached[shared]:
            shared += 1
        return shared // _PREFILL_TOKENS * _PREFILL_TOKENS

    def _forget_from(self, position: int) -> None:
        """Remove the tokens from `position` on from the cache."""
        memory = self.lib.llama_get_memory(self.context)
        if not self.lib.llama_memory_seq_rm(memory, 0, position, -1):
            self.lib.llama_memory_clear(memory, True)
            position = 0
        del self._cached[position:]
        self._prompt_cached = min(self._prompt_cached, position)

    def write(
        self,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Callable[[], bool] = _never,
    ) -> Generator[str, None, None]:
        """Yield the text that the model writes after the prompt, in pieces.

        It has at most `max_tokens` tokens. Closing the iterator stops the model, as does `stop`
        once it returns True. Raises `ModelBroken`.
        """
        sampler = self._sampler(temperature, seed)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            for _ in range(min(max_tokens, self.size - len(self._cached))):
                self._logits()
                token = self.lib.llama_sampler_sample(sampler, self.context, -1)
                if self.lib.llama_vocab_is_eog(self.vocabulary, token):
                    break
                text = decoder.decode(self._piece(token))
                if text:
                    yield text
                if not self._decode([token], stop):
                    break
            rest = decoder.decode(b"", final=True)
            if rest:
                yield rest
        finally:
            self.lib.llama_sampler_free(sampler)

    def log_odds(self, words: Sequence[str], others: Sequence[str]) -> float:
        """The natural logarithm of how much likelier the text goes on with one of `words`.

        Each word is compared with `others` by its first token, after the prompt that was read last.
        Raises `ModelBroken`.
        """
        import numpy as np

        logits = self._logits().astype(np.float64)
        sums = [
            np.logaddexp.reduce(logits[sorted({self.tokens(word, False)[0] for word in each})])
            for each in (words, others)
        ]
        return float(sums[0] - sums[1])

    def _logits(self) -> NDArray[np.float32]:
        """The logits of the next token: shape (tokens of the vocabulary,).

        Raises `ModelBroken` if one is not finite: no likeliest token can be taken from such.
        """
        import numpy as np

        size = self.lib.llama_vocab_n_tokens(self.vocabulary)
        pointer = self.lib.llama_get_logits_ith(self.context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(size,)) if pointer else None
        if logits is None or not np.isfinite(logits).all():
            raise ModelBroken(
                f"{self.path} computes what is not a number: it is damaged",
                "fetch it again, or use another",
            )
        return logits

    def _decode(self, tokens: Sequence[int], stop: Callable[[], bool]) -> bool:
        """Process the next tokens; False if it was stopped before the end of them."""
        array = (self.lib.llama_token * len(tokens))(*tokens)
        self._stop, self._asked_at = stop, time.monotonic()
        code = self.lib.llama_decode(self.context, self.lib.llama_batch_get_one(array, len(tokens)))
        self._stop = _never
        if code == _ABORTED:
            self._forget_from(len(self._cached))
            return False
        if code:
            self._cached, self._prompt_cached = [], 0
            self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
            raise ModelBroken(
                f"llama.cpp failed in {self.path} (code {code}): {'; '.join(llama_library.LOG)}",
                "try again, or another model",
            )
        self._cached += tokens
        return True

    def _must_abort(self, _: object) -> bool:
        """True once the user has asked to stop; llama.cpp calls it between its operations."""
        now = time.monotonic()
        if now - self._asked_at < _SECONDS_BETWEEN_STOPS:
            return False
        self._asked_at = now
        return self._stop()

    def spell(self) -> None:
        """Convert every token of the vocabulary to text, as a trial of the file."""
        for token in range(self.lib.llama_vocab_n_tokens(self.vocabulary)):
            self._piece(token)

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = self.lib.llama_token_to_piece(self.vocabulary, token, buffer, 256, 0, False)
        return buffer.raw[:size] if size > 0 else b""

    def _sampler(self, temperature: float, seed: int) -> Sampler:
        lib = self.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if temperature > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed))
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return chain
