"""Open a source in the reader's own editor, at the line."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

_BOUND = {
    ".pdf",
    ".docx",
    ".odt",
    ".epub",
    ".rtf",
}  #: formats whose lines are not the lines of a text file
_COLON = {"hx", "helix", "subl", "zed"}
_GOTO = {"code", "codium", "code-insiders", "cursor"}


def editor_command(source: str, line: int, environ: Mapping[str, str]) -> list[str] | str:
    """The words of the command, or a sentence that says why there is none."""
    path = Path(source).expanduser().absolute()
    if not path.is_file():
        return f"{source} is not a file on this computer"
    if path.suffix.lower() in _BOUND:
        return f"{source} is not a text file: an editor cannot show its line {line}"
    asked = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(asked)
    except ValueError:
        return f"EDITOR cannot be understood: {asked}"
    if not words:
        found = next(
            (
                name
                for name in ("nano", "vi", "less")
                if shutil.which(name, path=environ.get("PATH"))
            ),
            None,
        )
        if found is None:
            return "no editor found: set EDITOR"
        words = [found]
    if not shutil.which(words[0], path=environ.get("PATH")):
        return f"the editor {words[0]} is not on this computer: set EDITOR"
    program = os.path.basename(words[0])
    if program in _GOTO:
        return [*words, "--wait", "--goto", f"{path}:{line}"]
    if program in _COLON:
        return [*words, f"{path}:{line}"]
    return [*words, f"+{line}", str(path)]
