"""Presses random keys and clicks random cells: python -m tests.tui.random_keys SECONDS [SEED].

Each size of the screen gets the same time. A failure prints the seed and the last keys.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from rag.domain import Answer
from rag.errors import EngineStopped, RagError
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import MODELS, UNREADABLE, ScriptedCommands
from tests.tui.stage import SIZES, Stage, perform
from tui.commands import COMMANDS

#: The keys that end the app.
_ENDS = {"ctrl+q", "ctrl+c"}
_TABLE_KEYS = sorted({key for c in COMMANDS if c.keys for key in c.keys.split(",")} - _ENDS)
_OTHER_KEYS = [
    "q",
    "x",
    "space",
    "backspace",
    "delete",
    "end",
    "home",
    "[",
    "slash",
    "@",
    "n",
    "é",
    "f6",
]
#: How many keys are printed after a failure.
_LAST_KEYS = 40


def press_random_keys(size: tuple[int, int], seconds: float, seed: int) -> int:
    """Press keys for `seconds` and return how many; raise what the app raises."""
    chance = random.Random(seed)
    pressed: list[str] = []
    answers: dict[str, Answer | RagError] = {
        "x": EngineStopped("the engine stopped", "ask again"),
        "q": script.ABSTAINED,
        "é": replace(script.MIXED, stopped=True),
        "": script.EVERY,
    }

    async def act(stage: Stage) -> None:
        stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pressed.append(await _press(stage, chance))
            assert stage.app.is_running, "the app has ended"

    try:
        engine = Scripted(answers, pause=0.01, failed=(UNREADABLE,), all_models=MODELS)
        perform(act, engine, size)
    except BaseException:
        last = " ".join(pressed[-_LAST_KEYS:])
        print(f"size {size}, seed {seed}, {len(pressed)} keys, the last: {last}", file=sys.stderr)
        raise
    return len(pressed)


async def _press(stage: Stage, chance: random.Random) -> str:
    """Press one key, ask a question, click a cell, or resize the screen; return its name."""
    kind = chance.random()
    width, height = stage.app.size
    if kind < 0.08:
        at = (chance.randrange(width), chance.randrange(height))
        await stage.pilot.click(offset=at)
        return f"click{at}"
    if kind < 0.10:
        new = chance.choice(SIZES)
        await stage.pilot.resize_terminal(*new)
        return f"resize{new}"
    key = chance.choice(_TABLE_KEYS if kind < 0.8 else _OTHER_KEYS)
    await stage.press(key)
    return key


def main(seconds: float, seed: int) -> int:
    for size in SIZES:
        count = press_random_keys(size, seconds / len(SIZES), seed)
        print(f"{size[0]}x{size[1]}: {count:,} keys, no failure (seed {seed})")
    return 0


if __name__ == "__main__":
    _seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    sys.exit(main(float(sys.argv[1]), _seed))
