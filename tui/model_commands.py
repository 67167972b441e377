"""The table of commands of the models."""

from __future__ import annotations

from tui.command import Command
from tui.library_commands import moves, page_command

MODEL_COMMANDS: tuple[Command, ...] = (
    Command(
        "models",
        "f4",
        "models",
        "Show the models: which one answers, fetching, removing",
        "app",
        "app.page('models')",
        rank=9,
    ),
    page_command("models", "close", "escape,q", "back", "Go back to the conversation", 6, "esc"),
    page_command("models", "choose", "enter", "use", "Let this model answer from now on", 1),
    page_command("models", "pull", "p", "fetch", "Fetch the model; it goes on where it ended", 2),
    page_command("models", "stop", "x", "stop", "Stop fetching; what is here is kept", 3),
    page_command("models", "remove", "delete", "remove", "Remove its file, after a question", 4),
    moves("models", "model"),
)
