"""The chat model in llama.cpp: takes a prompt as token ids and writes text.

A prompt is processed in batches of 128 tokens, so that the work can stop after each batch. The part
that a prompt shares with the previous one is in the cache and is not computed again.
"""

from __future__ import annotations

import codecs
import ctypes
import os
from collections.abc import Iterator, Sequence

from rag.errors import ModelBroken, TooLong
from rag.inference import llama_library
from rag.inference.llama import LoadedModel
from rag.inference.llama_functions import Sampler

_PREFILL_TOKENS = 128  # tokens of a prompt that are processed in one call


def thread_count(threads: int) -> int:
    """`threads` if not 0, else all cores but one."""
    return threads or max(1, (os.cpu_count() or 2) - 1)


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
        self._cached: list[int] = []
        if not self.lib.llama_get_memory(self.context):
            self.close()
            raise ModelBroken(
                f"{path} is not a chat model (it has no decoder)",
                "choose a model that was made for chat",
            )

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

    def read(self, prompt: Sequence[int]) -> Iterator[int]:
        """Process `prompt` and yield the number of tokens processed so far.

        The part that it shares with the previous prompt is not computed again. Raises `TooLong`.
        """
        if len(prompt) >= self.size:
            raise TooLong(
                f"the prompt has {len(prompt)} tokens, the context {self.size}",
                "ask a shorter question or raise context",
            )
        shared = 0
        max_shared = min(len(prompt) - 1, len(self._cached))
        while shared < max_shared and prompt[shared] == self._cached[shared]:
            shared += 1
        memory = self.lib.llama_get_memory(self.context)
        if not self.lib.llama_memory_seq_rm(memory, 0, shared, -1):
            self.lib.llama_memory_clear(memory, True)
            shared = 0
        self._cached = list(prompt[:shared])
        while len(self._cached) < len(prompt):
            self._decode(prompt[len(self._cached) : len(self._cached) + _PREFILL_TOKENS])
            yield len(self._cached)

    def write(
        self, max_tokens: int, temperature: float, seed: int, grammar: str = ""
    ) -> Iterator[str]:
        """Yield the text that the model writes after the prompt, in pieces.

        It has at most `max_tokens` tokens. Closing the iterator stops the model. Raises
        `ModelBroken`.
        """
        sampler = self._sampler(temperature, seed, grammar)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            for _ in range(min(max_tokens, self.size - len(self._cached))):
                self._require_finite_logits()
                token = self.lib.llama_sampler_sample(sampler, self.context, -1)
                if self.lib.llama_vocab_is_eog(self.vocabulary, token):
                    break
                text = decoder.decode(self._piece(token))
                if text:
                    yield text
                self._decode([token])
            rest = decoder.decode(b"", final=True)
            if rest:
                yield rest
        finally:
            self.lib.llama_sampler_free(sampler)

    def _require_finite_logits(self) -> None:
        """Raise `ModelBroken` if a logit is not finite.

        With such logits a grammar accepts no token, and llama.cpp ends the process.
        """
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
        code = self.lib.llama_decode(self.context, self.lib.llama_batch_get_one(array, len(tokens)))
        if code:
            self._cached = []
            self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
            raise ModelBroken(
                f"llama.cpp failed in {self.path} (code {code}): {'; '.join(llama_library.LOG)}",
                "try again, or another model",
            )
        self._cached += tokens

    def spell(self) -> None:
        """Convert every token of the vocabulary to text, as a trial of the file."""
        for token in range(self.lib.llama_vocab_n_tokens(self.vocabulary)):
            self._piece(token)

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = self.lib.llama_token_to_piece(self.vocabulary, token, buffer, 256, 0, False)
        return buffer.raw[:size] if size > 0 else b""

    def _sampler(self, temperature: float, seed: int, grammar: str) -> Sampler:
        lib = self.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar:
            rules = lib.llama_sampler_init_grammar(self.vocabulary, grammar.encode(), b"root")
            if not rules:
                lib.llama_sampler_free(chain)
                raise ModelBroken(
                    f"{self.path} cannot be restricted by a grammar", "use another model"
                )
            lib.llama_sampler_chain_add(chain, rules)
        if temperature > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed))
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return chain
