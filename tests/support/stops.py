"""Stops at random moments of an answer of a chat model: how long each takes to have an effect.

`python -m tests.support.stops --many 200` prints them. The model has random weights and many layers, so that both its
reading and its writing take a while.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag.answer.answer import answer_question
from rag.answer.chat_writer import ChatWriter
from rag.domain import Model
from rag.inference.llama_chat import ChatModel
from tests.support.fakes import JUDGE, passage
from tests.support.scripted_chat import built_in_reader
from tests.support.tiny_chat_model import write

_LAYERS, _WRITTEN_TOKENS = 48, 200
_LONGEST_SECONDS = 0.3


def run(many: int, seed: int = 0) -> list[float]:
    """Seconds between each stop and the end of the answer."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        chat = ChatModel(str(write(Path(folder) / "m.gguf", layers=_LAYERS, ends=False)), 2048, 1)
        whole = _seconds(chat, lambda: False)
        taken = [_stopped(chat, draw.uniform(0, whole)) for _ in range(many)]
        chat.close()
    return taken


def _stopped(chat: ChatModel, after: float) -> float:
    """Seconds that a stop after so many seconds takes; 0.0 if the answer had ended before."""
    started_at, asked_at = time.perf_counter(), 0.0

    def stop() -> bool:
        nonlocal asked_at
        late = time.perf_counter() - started_at >= after
        if late and not asked_at:
            asked_at = max(started_at + after, 0.0)
        return late

    _seconds(chat, stop)
    return time.perf_counter() - asked_at if asked_at else 0.0


def _seconds(chat: ChatModel, stop: Callable[[], bool]) -> float:
    """Seconds of a whole answer, with nothing in the cache."""
    chat.forget()
    text = " ".join(f"The mill of Ashby number {n} holds {n} sacks of grain." for n in range(30))
    writer = ChatWriter(
        chat, Model("tiny", ""), built_in_reader(), JUDGE, 420, _WRITTEN_TOKENS, 1.0
    )
    started_at = time.perf_counter()
    for _ in answer_question(
        "How many sacks of grain does the mill of Ashby hold?",
        lambda question, limit: (passage(1, text),),
        writer,
        JUDGE,
        limit=1,
        searched=1,
        stop=stop,
    ):
        pass
    return time.perf_counter() - started_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=200)
    taken = sorted(run(parser.parse_args().many))
    late = sum(seconds > _LONGEST_SECONDS for seconds in taken)
    print(f"half within {taken[len(taken) // 2]:.3f} s, the slowest {taken[-1]:.3f} s")
    print(f"over {_LONGEST_SECONDS} s: {late} of {len(taken)}")
    sys.exit(bool(late))


if __name__ == "__main__":
    main()
