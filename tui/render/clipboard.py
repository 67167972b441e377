"""Copying to the clipboard, with a message that claims no more than is known.

The ways are tried in the order of what is known about their success:

1. on a local desktop, a program of the desktop: it reports success;
2. under tmux, `tmux load-buffer -w`: it reports that tmux has the text, and asks the terminal too;
3. the sequence OSC 52 to the terminal, as it is: no terminal acknowledges it. Under tmux it arrives
   if `set-clipboard` is on; under GNU screen it is wrapped. A text that is too long for it is
   written to a file.
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
    raw = clean.encode("utf-8", "replace")
    if not is_remote and _copy_by_tool(raw, environ):
        return "copied"
    if environ.get("TMUX") and _run(("tmux", "load-buffer", "-w", "-"), raw, environ):
        return "copied to the buffer of tmux, and offered to the terminal"
    if len(raw) > MAX_OSC52_BYTES:
        return f"too long for the terminal's clipboard: written to {_write_file(raw)}"
    write(sequence(raw, environ))
    return "offered to the terminal, which does not say whether it took it"


def sequence(raw: bytes, environ: Mapping[str, str]) -> str:
    """Return the bytes as an OSC 52 sequence, wrapped for GNU screen if it runs."""
    osc = f"\x1b]52;c;{base64.b64encode(raw).decode('ascii')}\x07"
    if environ.get("TERM", "").startswith("screen") and not environ.get("TMUX"):
        pieces = [
            osc[at : at + _SCREEN_PIECE_CHARS] for at in range(0, len(osc), _SCREEN_PIECE_CHARS)
        ]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return osc


def _copy_by_tool(raw: bytes, environ: Mapping[str, str]) -> bool:
    """Copy `raw` by the first program of the desktop that works. Returns whether one did."""
    return any(
        _run(command, raw, environ)
        for variable, command in _TOOLS
        if not variable or environ.get(variable)
    )


def _run(command: tuple[str, ...], raw: bytes, environ: Mapping[str, str]) -> bool:
    """Give `raw` to a command, if its program is there. Returns whether it succeeded."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - one of the commands of this module
            [program, *command[1:]],
            input=raw,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            timeout=_TOOL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _write_file(raw: bytes) -> str:
    """Write `raw` to a new temporary file and return its path."""
    handle, path = tempfile.mkstemp(prefix="footnote-", suffix=".md")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    return path
