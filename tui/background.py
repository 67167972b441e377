"""The background of the terminal: it is asked for its colour before the app starts."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Mapping
from contextlib import suppress

#: Seconds that the answer may take, as over a slow line.
_SECONDS = 0.3
#: OSC 11 asks for the colour; every terminal answers the second request, for its attributes.
_REQUEST = b"\x1b]11;?\x07\x1b[c"
_COLOR = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_ATTRIBUTES = re.compile(rb"\x1b\[\?[0-9;]*c")
_MAX_BYTES = 4096
#: The last numbers of COLORFGBG that name a light background.
_LIGHT_NUMBERS = {"7", "15"}


def is_light(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Whether the background is light, by the terminal's answer or else by COLORFGBG."""
    answer = b""
    with suppress(OSError, ImportError):
        answer = _ask(descriptor)
    found = _COLOR.search(answer)
    if found is None:
        return environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_NUMBERS
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


def _ask(descriptor: int) -> bytes:
    """Send the request and return what the terminal answers within `_SECONDS`."""
    import termios
    import tty

    try:
        before = termios.tcgetattr(descriptor)
    except termios.error as error:
        raise OSError(str(error)) from error
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        os.write(descriptor, _REQUEST)
        answer, end = b"", time.monotonic() + _SECONDS
        while len(answer) < _MAX_BYTES and not _ATTRIBUTES.search(answer):
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                break
            answer += os.read(descriptor, _MAX_BYTES)
        return answer
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
