"""The table of commands of the library and of a document that is read."""

from __future__ import annotations

from tui.command import Command


def moves(place: str, noun: str) -> Command:
    """Return the command that moves the cursor of a list, or scrolls a text, by its many keys."""
    return Command(
        f"{place}_up",
        "up,k,down,j,pageup,pagedown,space,home,g,end,G",
        "move",
        f"Go to another {noun}: by one, by a page (PgUp, PgDn), to the ends (Home, End)",
        place,
        "screen.move('{key}')",
        rank=8,
        in_palette=False,
        keys_shown="up down",
    )


def page_command(
    place: str, name: str, keys: str, label: str, words: str, rank: int = 0, shown: str = ""
) -> Command:
    """Return a command of a page that is done by the screen and is not in the palette."""
    return Command(
        f"{place}_{name}",
        keys,
        label,
        words,
        place,
        f"screen.{name}",
        rank=rank,
        in_palette=False,
        keys_shown=shown,
    )


LIBRARY_COMMANDS: tuple[Command, ...] = (
    Command(
        "library",
        "f2",
        "library",
        "Show the documents: their states, reading, adding, removing",
        "app",
        "app.page('library')",
        rank=8,
    ),
    page_command("library", "close", "escape", "back", "Go back to the conversation", 7),
    page_command("library", "choose", "enter", "read", "Read the document as Footnote sees it", 1),
    page_command("library", "add", "a", "add", "Add a file or a folder by its path", 2),
    page_command(
        "library", "remove", "delete", "remove", "Remove the document, after a question", 3
    ),
    page_command(
        "library",
        "remove_folder",
        "D",
        "remove folder",
        "Remove its added folder with all documents of it, after a question",
    ),
    page_command(
        "library", "again", "r", "read again", "Read the file again, also a failed one", 4
    ),
    page_command("library", "update", "u", "update", "Read all that is new, changed or gone", 5),
    page_command("library", "filter", "slash", "filter", "Show the files with these words", 6),
    page_command("library", "watch", "w", "watch", "Watch its folder, or watch it no longer", 9),
    page_command("library", "sort", "s", "sort", "Sort by name, state, passages, size or date"),
    page_command("library", "stop", "x", "stop", "Stop adding or updating; finished files stay"),
    moves("library", "document"),
    page_command("reading", "close", "escape,q", "back", "Close the search, or go back", 5, "esc"),
    page_command("reading", "find", "slash", "find", "Find words in the document", 1),
    page_command("reading", "next", "n", "next", "Go to the next place found", 2),
    page_command("reading", "previous", "N", "previous", "Go to the place found before", 0),
    page_command("reading", "editor", "o", "edit file", "Open the file in your text editor", 3),
    moves("reading", "line"),
)
