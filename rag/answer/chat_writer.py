"""Writes an answer with a chat model, any GGUF, whose citations a grammar restricts.

The grammar allows any text except a citation of a passage that the model was not given. Whether the
passage supports the sentence is judged later, by the check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rag.domain import Draft, Model, Passage, Piece, Progress, Reason, Turn

if TYPE_CHECKING:
    from rag.answer.prompt import Prompt
    from rag.inference.llama_chat import ChatModel

BuildPrompt = Callable[[str, Sequence[Passage], Sequence[Turn], "ChatModel", int], "Prompt"]
BuildGrammar = Callable[[frozenset[int]], str]
BuildRewritePrompt = Callable[[str, Sequence[Turn], "ChatModel", int], "tuple[int, ...]"]
_MAX_REWRITE_TOKENS = 64  # tokens of a rewritten question


class ChatWriter:
    """A `Writer` that asks a chat model.

    `build_prompt` makes the prompt and `build_grammar` the grammar for its passages.
    `build_rewrite_prompt` makes the prompt that rewrites a follow-up question; without it the rules
    of `rag.answer.followup` alone complete a question. An answer has at most `max_tokens` tokens.
    """

    def __init__(
        self,
        chat: ChatModel,
        model: Model,
        build_prompt: BuildPrompt,
        build_grammar: BuildGrammar,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        build_rewrite_prompt: BuildRewritePrompt | None = None,
    ) -> None:
        self.model = model
        self._chat = chat
        self._build_prompt, self._build_grammar = build_prompt, build_grammar
        self._build_rewrite_prompt = build_rewrite_prompt
        self._max_tokens, self._temperature, self._seed = max_tokens, temperature, seed

    def prompt(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()
    ) -> Prompt:
        """The model's input, with a receipt of which passages fit and which were dropped.

        Raises `TooLong`, `ModelBroken`.
        """
        return self._build_prompt(question, passages, history, self._chat, self._max_tokens)

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """Yield a draft, then progress while the prompt is read, then the text as it comes.

        Raises `TooLong`, `ModelBroken`.
        """
        prompt = self.prompt(question, passages, history)
        if not prompt.numbers:
            yield Draft(prompt.receipt, abstained=True, reason=Reason.TOO_LONG)
            return
        yield Draft(prompt.receipt, numbers=prompt.numbers)
        for tokens_read in self._chat.read(prompt.ids):
            yield Progress(tokens_read, len(prompt.ids))
        grammar = self._build_grammar(prompt.numbers)
        yield from self._chat.write(self._max_tokens, self._temperature, self._seed, grammar)

    def rewrite(self, question: str, history: Sequence[Turn], stop: Callable[[], bool]) -> str:
        """The first line of the model's rewrite of a follow-up question; "" if it was stopped."""
        if self._build_rewrite_prompt is None:
            return ""
        ids = self._build_rewrite_prompt(question, history, self._chat, _MAX_REWRITE_TOKENS)
        if not ids:
            return ""
        for _ in self._chat.read(ids):
            if stop():
                return ""
        text = ""
        for piece in self._chat.write(_MAX_REWRITE_TOKENS, 0.0, 0):
            text += piece
            if stop() or "\n" in text.lstrip():
                break
        return "" if stop() else text.strip().partition("\n")[0]
