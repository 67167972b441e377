"""The table of commands of the evaluation runs."""

from __future__ import annotations

from tui.command import Command
from tui.library_commands import moves, page_command

EVAL_COMMANDS: tuple[Command, ...] = (
    Command(
        "eval",
        "f3",
        "eval",
        "Show the measured runs: their figures, two runs compared, starting one",
        "app",
        "app.page('eval')",
        rank=9,
    ),
    page_command("eval", "close", "escape", "back", "Go back to the conversation", 6),
    page_command("eval", "choose", "enter", "figures", "Show the figures of the run", 1),
    page_command("eval", "compare", "c", "compare", "Compare with the marked or the run before", 2),
    page_command("eval", "mark", "m", "mark", "Mark the run that others are compared with", 3),
    page_command("eval", "start", "n", "new run", "Start a run over a file of questions", 4),
    page_command("eval", "stop", "x", "stop", "Stop the run; it goes on when started again", 5),
    page_command("eval", "folder", "f", "folder", "Show the runs of another folder", 6),
    moves("eval", "run"),
    page_command("run", "close", "escape,q", "back", "Go back to the list", 5, "esc"),
    page_command(
        "run", "choose", "enter", "open", "On a question: show both answers beside each other", 1
    ),
    moves("run", "line"),
)
