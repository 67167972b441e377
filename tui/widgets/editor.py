"""The command that opens a source in the editor of the user, at its line."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

#: Formats whose lines are not the lines of a text file.
_BINARY_SUFFIXES = {".pdf", ".docx", ".odt", ".epub", ".rtf"}
#: Editors that take FILE:LINE, and editors that take it after --goto.
_COLON_EDITORS = {"hx", "helix", "subl", "zed"}
_GOTO_EDITORS = {"code", "codium", "code-insiders", "cursor"}
_DEFAULT_EDITORS = ("nano", "vi", "less")


def editor_command(source: str, line: int, environ: Mapping[str, str]) -> list[str] | str:
    """Return the words of the command, or a sentence that says why there is none.

    The editor is that of VISUAL or EDITOR, or else the first of nano, vi and less.
    """
    path = Path(source).expanduser().absolute()
    search_path = environ.get("PATH")
    if not path.is_file():
        return f"{source} is not a file on this computer"
    if path.suffix.lower() in _BINARY_SUFFIXES:
        return f"{source} is not a text file: an editor cannot show its line {line}"
    setting = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(setting)
    except ValueError:
        return f"EDITOR cannot be parsed: {setting}"
    if not words:
        editors = [name for name in _DEFAULT_EDITORS if shutil.which(name, path=search_path)]
        if not editors:
            return "no editor found: set EDITOR"
        words = editors[:1]
    if not shutil.which(words[0], path=search_path):
        return f"the editor {words[0]} is not on this computer: set EDITOR"
    program = os.path.basename(words[0])
    if program in _GOTO_EDITORS:
        return [*words, "--wait", "--goto", f"{path}:{line}"]
    if program in _COLON_EDITORS:
        return [*words, f"{path}:{line}"]
    return [*words, f"+{line}", str(path)]
