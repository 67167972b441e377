"""Copying, and saying truly what became of it.

On this computer a tool of the desktop is asked first, because it reports success. Elsewhere, as over ssh, the text is
sent to the terminal as OSC 52, which nobody acknowledges; wrapped, where tmux or screen stands between. A text too long
for that goes to a file.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping

from rag.text.sanitize import sanitize

MOST = 100 * 1024  #: bytes that terminals take in one OSC 52

_TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
    ("", ("clip.exe",)),
)


def copy_to_clipboard(text: str, write: Callable[[str], None], environ: Mapping[str, str]) -> str:
    """Copy `text` made safe; returns what to tell the reader."""
    clean = sanitize(text)
    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")) and _native(clean, environ):
        return "copied"
    raw = clean.encode("utf-8", "replace")
    if len(raw) > MOST:
        return f"too long for the terminal's clipboard: written to {_filed(raw)}"
    write(sequence(raw, environ))
    return "sent to the terminal's clipboard"


def sequence(raw: bytes, environ: Mapping[str, str]) -> str:
    """The bytes as OSC 52, wrapped for what stands between us and the terminal."""
    osc = f"\x1b]52;c;{base64.b64encode(raw).decode('ascii')}\x07"
    if environ.get("TMUX"):
        return "\x1bPtmux;" + osc.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        pieces = [osc[at : at + 76] for at in range(0, len(osc), 76)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return osc


def _native(text: str, environ: Mapping[str, str]) -> bool:
    for needs, command in _TOOLS:
        program = shutil.which(command[0], path=environ.get("PATH"))
        if program is None or (needs and not environ.get(needs)):
            continue
        try:
            done = subprocess.run(  # noqa: S603 - the words of _TOOLS, nothing typed
                [program, *command[1:]],
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=2,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _filed(raw: bytes) -> str:
    handle, path = tempfile.mkstemp(prefix="footnote-", suffix=".md")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    return path
