"""Copying to the clipboard, with a message that says how it was copied.

On a local desktop a program of the desktop is tried first, because it reports success. Otherwise,
as over ssh, the text is sent to the terminal as OSC 52, which is never acknowledged. Under tmux or
screen that sequence is wrapped. A text that is too long for it is written to a file.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping

from rag.text.sanitize import sanitize

#: The most bytes that terminals take in one OSC 52 sequence.
MAX_OSC52_BYTES = 100 * 1024
#: Characters in one piece of a sequence that GNU screen passes on.
_SCREEN_PIECE_CHARS = 76
#: Seconds that a program may take.
_TOOL_SECONDS = 2

#: A variable that must be set ("" for none), and the command of a program that copies.
_TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
    ("", ("clip.exe",)),
)


def copy_to_clipboard(text: str, write: Callable[[str], None], environ: Mapping[str, str]) -> str:
    """Copy `text`, sanitized, and return a message for the user. `write` writes to the terminal."""
    clean = sanitize(text)
    is_remote = environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")
    if not is_remote and _copy_by_tool(clean, environ):
        return "copied"
    raw = clean.encode("utf-8", "replace")
    if len(raw) > MAX_OSC52_BYTES:
        return f"too long for the terminal's clipboard: written to {_write_file(raw)}"
    write(sequence(raw, environ))
    return "sent to the terminal's clipboard"


def sequence(raw: bytes, environ: Mapping[str, str]) -> str:
    """Return the bytes as an OSC 52 sequence, wrapped for tmux or screen if one of them runs."""
    osc = f"\x1b]52;c;{base64.b64encode(raw).decode('ascii')}\x07"
    if environ.get("TMUX"):
        return "\x1bPtmux;" + osc.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        pieces = [
            osc[at : at + _SCREEN_PIECE_CHARS] for at in range(0, len(osc), _SCREEN_PIECE_CHARS)
        ]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return osc


def _copy_by_tool(text: str, environ: Mapping[str, str]) -> bool:
    """Copy `text` by the first program that works. Returns whether one did."""
    for variable, command in _TOOLS:
        program = shutil.which(command[0], path=environ.get("PATH"))
        if program is None or (variable and not environ.get(variable)):
            continue
        try:
            done = subprocess.run(  # noqa: S603 - a command of _TOOLS
                [program, *command[1:]],
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TOOL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _write_file(raw: bytes) -> str:
    """Write `raw` to a new temporary file and return its path."""
    handle, path = tempfile.mkstemp(prefix="footnote-", suffix=".md")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    return path
