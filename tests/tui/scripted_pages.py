"""What the pages show in tests: models, a file that could not be read, commands that are scripted."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rag.domain import Listing, ModelListing
from tui.state.command_run import CommandRun, Commands

GB = 10**9
READER = ModelListing(
    "reader",
    "the built-in reader",
    True,
    True,
    27_000_000,
    300_000_000,
    8 * GB,
    measured="demo questions right 0.80 [0.55, 0.93], n 15",
)
SMALL = ModelListing("small-1b", "Small 1B", True, False, GB, 2 * GB, 8 * GB, "Apache-2.0")
OTHER = ModelListing("other-3b", "Other 3B", False, False, 3 * GB, 4 * GB, 8 * GB, "MIT", True)
HUGE = ModelListing("huge-70b", "Huge 70B", False, False, 40 * GB, 45 * GB, 8 * GB, "Llama 3.1")
MODELS = (READER, SMALL, OTHER, HUGE)
UNREADABLE = Listing(
    "",
    "manuals/parts.xyz",
    "",
    None,
    0,
    77_000,
    "failed",
    "is of a kind that is not read",
    cure="save it as .csv",
)


class ScriptedRun(CommandRun):
    """A command that prints what the test lets it print, and ends when the test ends it."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self.name, self.arguments = name, arguments
        self.lines, self.code, self.stopped = deque(maxlen=5), None, False

    def stop(self) -> None:
        self.stopped, self.code = True, 130
        self.lines.append("stopped: 120.0 MB are kept")

    def kill(self) -> None:
        self.code = -9


class ScriptedCommands(Commands):
    """Starts `ScriptedRun`s."""

    def make(self, name: str, arguments: Sequence[str]) -> CommandRun:
        return ScriptedRun(name, arguments)
