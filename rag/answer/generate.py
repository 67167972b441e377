"""A chat model (any GGUF) -> pieces of text, its citations held to a grammar.

The grammar lets the model write whatever it likes except a marker of a passage it was not given; whether the passage
says what the sentence says is not for the writer to judge.
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
_MOST = 64  # tokens of a question that is put anew


class ChatWriter:
    """Fills the seam `Writer` with a chat model. `build` makes the prompt, `rules` the grammar for its passages.

    `rewriting` makes the prompt that puts a question anew; without it a question is completed by the rules alone.
    """

    def __init__(
        self, chat: ChatModel, model: Model, build: BuildPrompt, rules: BuildGrammar, most: int, temperature: float = 0.0, seed: int = 0,
        rewriting: BuildRewritePrompt | None = None,
    ) -> None:  # fmt: skip
        self._chat, self.model, self._build, self._rules = chat, model, build, rules
        self._most, self._temperature, self._seed, self._rewriting = (
            most,
            temperature,
            seed,
            rewriting,
        )

    def prompt(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()
    ) -> Prompt:
        """What the model would read: which passages fit, and which were dropped. Raises `TooLong`, `ModelBroken`."""
        return self._build(question, passages, history, self._chat, self._most)

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """A draft, progress while the prompt is taken in, then text as it comes. Raises `TooLong`, `ModelBroken`."""
        made = self.prompt(question, passages, history)
        if not made.numbers:
            yield Draft(made.receipt, abstained=True, reason=Reason.TOO_LONG)
            return
        yield Draft(made.receipt, numbers=made.numbers)
        for done in self._chat.read(made.ids):
            yield Progress(done, len(made.ids))
        yield from self._chat.write(
            self._most, self._temperature, self._seed, self._rules(made.numbers)
        )

    def rewrite(self, question: str, history: Sequence[Turn], stop: Callable[[], bool]) -> str:
        """The question as the model would ask it by itself: the first line that it writes. "" where it was stopped."""
        ids = self._rewriting(question, history, self._chat, _MOST) if self._rewriting else ()
        if not ids:
            return ""
        text = ""
        for _ in self._chat.read(ids):
            if stop():
                return ""
        for piece in self._chat.write(_MOST, 0.0, 0):
            text += piece
            if stop() or "\n" in text.lstrip():
                break
        return "" if stop() else text.strip().partition("\n")[0]
