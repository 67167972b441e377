"""One setting of ``config.toml`` changed, everything else in it kept: other settings, comments, line ends, order.

TOML is read by `tomllib`; there is no writer in the standard library. The statement to replace is found by trying: lines are
taken out, and what is left must mean the same without that setting. So text in a multi-line string is never mistaken for a
statement, and a key may be written in quotes. The new text is read again before the file is replaced.
"""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.errors import RagError, Usage

_LARGEST = 2**20  # bytes
_LONGEST = 40  # lines of one statement
_BY_HAND = "change the setting by hand in an editor"


def set_setting(path: Path, key: str, value: str) -> None:
    """Set the top-level `key` of the file at `path` to a string. Raises `Usage` or `RagError`; then the file is as it was."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Usage(
            f"{value!r} is not UTF-8, and config.toml holds nothing else",
            "rename the file or folder",
        )
    try:
        place, old = _read(path)
        _replace(place, _with(old, key, value, path))
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror or error}; it is as it was"
        raise RagError(why, "make room, make it writable, or use another --home") from error


def _read(path: Path) -> tuple[Path, str]:
    """Where the file really lies (a link is followed), and its text; "" where there is none."""
    if path.is_symlink() and not path.exists():
        raise Usage(
            f"{path} is a link to a file that is not there", "remove the link, or make the file"
        )
    place = Path(os.path.realpath(path))
    try:
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return place, ""
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise Usage(f"{path} is not a regular file", "remove it")
        if not mode & 0o222:
            raise Usage(f"{path} is read-only", f"make it writable: chmod u+w {path}")
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise Usage(f"{path} is larger than {_LARGEST >> 20} MB", _BY_HAND)
    try:
        return place, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Usage(
            f"{path} is not UTF-8 (byte {error.start})", f"mend or remove {path}"
        ) from error


def _with(old: str, key: str, value: str, path: Path) -> str:
    """The text with the setting in it. Raises `Usage` where it cannot be read, or no way was found to change it."""
    said = _parsed(old)
    if said is None:
        raise Usage(f"{path} is not TOML", f"mend or remove {path}")
    end = "\r\n" if "\r\n" in old else "\n"
    statement = f"{key} = {quoted(value)}"
    if key not in said:
        new = f"{statement}{end}{old}"
    else:
        lines = old.split("\n")
        first, behind = _place(lines, key, said, path)
        comment = _comment(lines[first:behind], key, said[key])
        tail = "\r" if lines[behind - 1].endswith("\r") else ""
        new = "\n".join([*lines[:first], statement + comment + tail, *lines[behind:]])
    if _parsed(new) != said | {key: value}:
        raise Usage(f"{path} cannot be changed without changing more in it", _BY_HAND)
    return new


def _parsed(text: str) -> dict[str, Any] | None:
    """What a text of TOML says; None where it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _place(lines: list[str], key: str, said: dict[str, Any], path: Path) -> tuple[int, int]:
    """The lines of the statement that sets `key`: without them everything else says the same."""
    rest = {name: value for name, value in said.items() if name != key}
    for first, line in enumerate(lines):
        if line.lstrip().startswith((key, '"', "'")):
            for behind in range(first + 1, min(first + _LONGEST, len(lines)) + 1):
                if _parsed("\n".join(lines[:first] + lines[behind:])) == rest:
                    return first, behind
    raise Usage(f"{path}: the setting {key!r} was not found", _BY_HAND)


def _comment(lines: list[str], key: str, value: object) -> str:
    """The comment behind a statement of one line, with the space before it."""
    line = lines[0].rstrip("\r")
    for at, char in enumerate(line):
        if len(lines) == 1 and char == "#" and _parsed(line[:at]) == {key: value}:
            return line[len(line[:at].rstrip()) :]
    return ""


def quoted(text: str) -> str:
    """A basic string of TOML: quotes, backslashes and control characters escaped."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029":
            out.append(f"\\u{ord(char):04X}")
        else:
            out.append(char)
    return f'"{"".join(out)}"'


def _replace(place: Path, text: str) -> None:
    """Write beside, sync, read again, rename; the mode of the file is kept. Raises `OSError`, and leaves nothing."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".tmp", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                os.chmod(beside, stat.S_IMODE(os.stat(place).st_mode))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if Path(beside).read_bytes() != text.encode():
            raise OSError(0, "what was written is not what is there")
        os.replace(beside, place)
    finally:
        with suppress(OSError):
            os.unlink(beside)
