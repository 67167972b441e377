"""A chat model (any GGUF) -> pieces of text, its citations held to a grammar.

The grammar lets the model write whatever it likes except a marker of a passage it was not given; whether the passage
says what the sentence says is not for the writer to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rag.domain import Draft, Model, Passage, Piece, Progress, Reason, Turn

if TYPE_CHECKING:
    from rag.llama import Chat
    from rag.prompt import Prompt

Build = Callable[[str, Sequence[Passage], Sequence[Turn], "Chat", int], "Prompt"]
Rules = Callable[[frozenset[int]], str]


class Generate:
    """Fills the seam `Writer` with a chat model. `build` makes the prompt, `rules` the grammar for its passages."""

    def __init__(
        self, chat: Chat, model: Model, build: Build, rules: Rules, most: int, temperature: float = 0.0, seed: int = 0
    ) -> None:
        self._chat, self.model, self._build, self._rules = chat, model, build, rules
        self._most, self._temperature, self._seed = most, temperature, seed

    def prompt(self, question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()) -> Prompt:
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
        yield from self._chat.write(self._most, self._temperature, self._seed, self._rules(made.numbers))
