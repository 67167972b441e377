"""Let a plain function write the answer; Footnote retrieves before it and checks after it.

    python examples/custom_writer.py "How many individual sanctions has Russia faced?"

Whatever fills the `Writer` protocol may write: a function like `write_answer`, a local model, a
service. It gets the numbered passages and cites them by markers such as [1]. Every sentence that it
writes is checked against the passages that it cites, with the same verdicts as any other
answer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence

from rag import Bot, Config
from rag.answer.answer import answer_question
from rag.domain import Draft, Model, Passage, Piece, Progress, Receipt, Turn
from rag.events import Answered
from rag.text.sentences import split_sentences


def write_answer(question: str, passages: Sequence[Passage]) -> str:
    """Quote the sentence nearest the question, and add a claim that no passage makes."""
    wanted = set(re.findall(r"\w+", question.lower()))
    candidates = [
        (span.of(p.chunk.text), p.number)
        for p in passages
        for span in split_sentences(p.chunk.text)
    ]
    best, number = max(
        candidates, key=lambda c: len(wanted & set(re.findall(r"\w+", c[0].lower())))
    )
    return f"{best.strip()} [{number}] The moon is made of 77 cheeses [{number}]."


class FunctionWriter:
    """Fill the `Writer` protocol with a function of a question and passages that gives a text."""

    model = Model("my-function", "")

    def __init__(self, function: Callable[[str, Sequence[Passage]], str]) -> None:
        self._function = function

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """A `Draft` first, then the text; it may come in many pieces."""
        yield Draft(Receipt())
        yield self._function(question, passages)


def main(question: str) -> int:
    """Ask the default library; print each sentence with its verdict and reasons."""
    config = Config.read()
    with Bot.open(config) as bot:
        events = answer_question(
            question,
            bot.search,
            FunctionWriter(write_answer),
            bot.machines.judge(),
            limit=config.passages,
            searched=bot.status().passages,
        )
        for event in events:
            if isinstance(event, Answered):
                for claim in event.answer.claims:
                    print(f"{claim.verdict}: {claim.sentence.text}")
                    print(f"    {'; '.join(claim.reasons)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
