"""The modules of rag/ that a question passes through: those of which it calls a function.

    python -m tests.support.passed_modules HOME [QUESTION ...]

asks the default library of HOME each question in one process and prints the modules of each. A
module that is only imported does not count, and neither does the body of a class. Calls in other
threads count. Functions in C are not followed.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from rag import Bot, Config

ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = str(ROOT / "rag") + "/"
QUESTIONS = (
    "How many individual sanctions has Russia faced?",
    "How many individual sanctions has Russia faced?",
)


def called_modules(run: Callable[[], object]) -> list[str]:
    """Names of the modules of rag/ of which `run` calls a function, sorted."""
    files = set[str]()

    def record(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        is_function = code.co_flags & inspect.CO_OPTIMIZED
        if event == "call" and is_function and code.co_filename.startswith(_PACKAGE):
            files.add(code.co_filename)

    threading.setprofile(record)
    sys.setprofile(record)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return sorted(".".join(Path(file).relative_to(ROOT).with_suffix("").parts) for file in files)


def modules_of_questions(home: str, questions: tuple[str, ...] = QUESTIONS) -> list[list[str]]:
    """The modules of each question; the first one opens library, index and models."""
    passed = list[list[str]]()
    with Bot.open(Config(home=home)) as bot:
        for question in questions:
            passed.append(called_modules(partial(_answer, bot, question)))
    return passed


def _answer(bot: Bot, question: str) -> None:
    for _ in bot.ask(question):
        pass


if __name__ == "__main__":
    for number, modules in enumerate(
        modules_of_questions(sys.argv[1], tuple(sys.argv[2:]) or QUESTIONS), 1
    ):
        print(f"question {number}: {len(modules)} modules", *modules, sep="\n  ")
