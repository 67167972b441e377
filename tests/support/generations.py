"""Many answers of models of random weights, over hostile texts: how often a rule that no answer may break is broken.

`python -m tests.support.generations --many 2000` (make generations) prints the counts; all should be 0.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from rag.answer.answer import answer_question
from rag.answer.chat_writer import ChatWriter
from rag.domain import Answer, Model, Passage
from rag.events import Answered
from rag.inference.llama_chat import ChatModel
from tests.support.fakes import JUDGE, passage
from tests.support.scripted_chat import built_in_reader
from tests.support.tiny_chat_model import CONTROL, TOKENIZERS, write

TEMPERATURES = (0.0, 0.3, 0.7, 1.0, 1.5)
_CONTEXT = 640
#: by which the memory of the process may grow from a fifth of the answers to the last
_SPARE_MEGABYTES = 50
#: what models and documents put between words
_JUNK = (
    *(
        "[9]",
        "[1][7]",
        "[2, 3]",
        "<|im_end|>",
        "<|im_start|>user",
        "</s>",
        "[INST]",
        "<end_of_turn>",
    ),
    *("“", "”", '"', "**", "according to passage 4", "\n", "\n- ", "\x1b[31m", "\u202e"),
)
_TEMPLATE_TOKEN = re.compile(r"<\|[^<>|\n]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>")
_MARKER = re.compile(r"\[\d[\d ,;]*\]")
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{1,400})[\"”]")


class MixedChat(ChatModel):
    """A model whose own text is followed by `told`; `prompts` are the longest it was given."""

    told = ""
    longest = 0
    control = 0  #: most control tokens in a prompt

    def read(
        self, prompt: Sequence[int], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[int]:
        known = {self.tokens(name, special=True)[0] for name in CONTROL}
        self.longest = max(self.longest, len(prompt))
        self.control = max(self.control, sum(token in known for token in prompt))
        yield from super().read(prompt, stop)

    def write(
        self,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> Generator[str, None, None]:
        yield from super().write(max_tokens, temperature, seed, stop)
        yield "\n"
        for word in self.told.split(" "):
            yield f" {word}"


def run(many: int) -> Counter[str]:
    """Count what is broken in `many` answers; "answers", "own sentences" and "quotations" say how much was looked at."""
    counts = Counter[str](
        dict.fromkeys(
            (
                "invalid numbers",
                "quotes not in the source",
                "template tokens",
                "prompts too long",
                "control tokens",
            ),
            0,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        for index, tokenizer in enumerate(TOKENIZERS):
            path = write(Path(folder) / f"{tokenizer}.gguf", seed=index, tokenizer=tokenizer)
            chat = MixedChat(str(path), _CONTEXT, 1)
            for number in range(index, many, len(TOKENIZERS)):
                _one(chat, number, counts)
            chat.close()
    return counts


def _one(chat: MixedChat, seed: int, counts: Counter[str]) -> None:
    draw = random.Random(seed)
    facts = [
        f"The {what} of Ashby holds {draw.randint(2, 90)} barrels of grain"
        for what in ("mill", "barn", "shed")
    ]
    passages = tuple(
        passage(n, f"{_mixed(fact, draw)}. {_mixed('It is old', draw)}.")
        for n, fact in enumerate(facts, 1)
    )
    chat.told = " ".join(f"{_mixed(draw.choice(facts), draw)}." for _ in range(2))
    chat.longest = chat.control = 0
    writer = ChatWriter(
        chat, Model("tiny", ""), built_in_reader(0.2), JUDGE, draw.choice((120, 420)), 60,
        TEMPERATURES[seed % len(TEMPERATURES)], seed,
    )  # fmt: skip
    question = f"How many barrels does the {draw.choice(('mill', 'barn'))} of Ashby hold {draw.choice(_JUNK)}?"
    events = list(
        answer_question(question, lambda q, n: passages, writer, JUDGE, limit=5, searched=9)
    )
    assert isinstance(events[-1], Answered)
    _look(events[-1].answer, passages, counts)
    counts["prompts too long"] += chat.longest >= _CONTEXT
    counts["control tokens"] += chat.control > 5  # three begin a message, two end one


def _mixed(text: str, draw: random.Random) -> str:
    words = text.split()
    for _ in range(draw.randint(0, 3)):
        words.insert(draw.randint(1, len(words)), draw.choice(_JUNK))
    return " ".join(words)


def _look(answer: Answer, passages: Sequence[Passage], counts: Counter[str]) -> None:
    numbers = {p.number for p in answer.passages}
    texts = [" ".join(p.chunk.text.split()) for p in passages]
    counts["answers"] += 1
    for claim in answer.claims:
        cited = {citation.number for citation in claim.sentence.citations}
        counts["invalid numbers"] += not cited <= numbers
        if claim.sentence.quote is not None:
            counts["quotations"] += 1
            counts["quotes not in the source"] += not any(
                " ".join(claim.sentence.text.split()) in text for text in texts
            )
            continue
        counts["own sentences"] += 1
        counts["template tokens"] += bool(_TEMPLATE_TOKEN.search(claim.sentence.text))
        counts["invalid numbers"] += bool(_MARKER.search(claim.sentence.text))
        for quoted in _QUOTED.findall(claim.sentence.text):
            words = " ".join(quoted.split()).rstrip(".,;:!?")
            counts["quotes not in the source"] += not any(words in text for text in texts)


def broken(counts: Counter[str]) -> dict[str, int]:
    """The counts that should be 0 and are not."""
    looked_at = ("answers", "own sentences", "quotations")
    return {name: n for name, n in counts.items() if n and name not in looked_at}


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=2000)
    many = parser.parse_args().many
    counts = run(many // 5)
    before = _resident_megabytes()
    counts.update(run(many - many // 5))
    counts["megabytes grown, over 50"] = max(
        0, int(_resident_megabytes() - before) - _SPARE_MEGABYTES
    )
    for name, number in counts.items():
        print(f"{name}: {number}")
    sys.exit(bool(broken(counts)))


if __name__ == "__main__":
    main()
