"""Change one setting of ``config.toml`` and keep the rest: settings, comments, line ends, order.

The standard library reads TOML (`tomllib`) but does not write it. The statement to replace is found
by trial: lines are removed, and the remaining text must have the same settings except that one. So
text in a multi-line string is never mistaken for a statement, and a key may be written in quotes.
The new text is parsed before the file is replaced.
"""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path

from rag.errors import RagError, Usage

_MAX_FILE_BYTES = 2**20
_MAX_STATEMENT_LINES = 40
_EDIT_BY_HAND = "change the setting by hand in an editor"


def set_setting(path: Path, key: str, value: str) -> None:
    """Set the top-level `key` of the file at `path` to a string.

    Raises `Usage` or `RagError`; the file is unchanged then.
    """
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Usage(
            f"{value!r} is not UTF-8, and config.toml must be UTF-8",
            "rename the file or folder",
        )
    try:
        target, old = _read(path)
        _replace(target, _with_setting(old, key, value, path))
    except OSError as error:
        reason = f"{path} cannot be written: {error.strerror or error}; it is as it was"
        raise RagError(reason, "make room, make it writable, or use another --home") from error


def _read(path: Path) -> tuple[Path, str]:
    """The real path of the file (a link is followed) and its text, "" if it does not exist."""
    if path.is_symlink() and not path.exists():
        raise Usage(
            f"{path} is a link to a file that is not there", "remove the link, or make the file"
        )
    target = Path(os.path.realpath(path))
    try:
        descriptor = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return target, ""
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise Usage(f"{path} is not a regular file", "remove it")
        if not mode & 0o222:
            raise Usage(f"{path} is read-only", f"make it writable: chmod u+w {path}")
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise Usage(f"{path} is larger than {_MAX_FILE_BYTES >> 20} MB", _EDIT_BY_HAND)
    try:
        return target, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Usage(
            f"{path} is not UTF-8 (byte {error.start})", f"correct or remove {path}"
        ) from error


def _with_setting(old: str, key: str, value: str, path: Path) -> str:
    """The text with `key` set to `value`. Raises `Usage` if that is not possible."""
    settings = _parsed(old)
    if settings is None:
        raise Usage(f"{path} is not TOML", f"correct or remove {path}")
    line_end = "\r\n" if "\r\n" in old else "\n"
    statement = f"{key} = {quoted(value)}"
    if key not in settings:
        new = f"{statement}{line_end}{old}"
    else:
        lines = old.split("\n")
        start, end = _statement_lines(lines, key, settings, path)
        comment = _comment(lines[start:end], key, settings[key])
        carriage_return = "\r" if lines[end - 1].endswith("\r") else ""
        new = "\n".join([*lines[:start], statement + comment + carriage_return, *lines[end:]])
    if _parsed(new) != settings | {key: value}:
        raise Usage(f"{path} cannot be changed without changing more in it", _EDIT_BY_HAND)
    return new


def _parsed(text: str) -> dict[str, object] | None:
    """The settings of a TOML text; None if it is not TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _statement_lines(
    lines: list[str], key: str, settings: dict[str, object], path: Path
) -> tuple[int, int]:
    """The half-open range of the lines that set `key`.

    Without these lines all other settings are the same.
    """
    others = {name: value for name, value in settings.items() if name != key}
    for start, line in enumerate(lines):
        if line.lstrip().startswith((key, '"', "'")):
            for end in range(start + 1, min(start + _MAX_STATEMENT_LINES, len(lines)) + 1):
                if _parsed("\n".join(lines[:start] + lines[end:])) == others:
                    return start, end
    raise Usage(f"{path}: the setting {key!r} was not found", _EDIT_BY_HAND)


def _comment(lines: list[str], key: str, value: object) -> str:
    """The comment after a statement of one line, with the space before it; else ""."""
    line = lines[0].rstrip("\r")
    for at, char in enumerate(line):
        if len(lines) == 1 and char == "#" and _parsed(line[:at]) == {key: value}:
            return line[len(line[:at].rstrip()) :]
    return ""


def quoted(text: str) -> str:
    """A TOML basic string: quotes, backslashes and control characters are escaped."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029":
            out.append(f"\\u{ord(char):04X}")
        else:
            out.append(char)
    return f'"{"".join(out)}"'


def _replace(target: Path, text: str) -> None:
    """Replace the file atomically and keep its mode.

    The text is written to a temporary file in the same folder, synced, compared and renamed.
    Raises `OSError`; no temporary file remains.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
    )
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if Path(temporary).read_bytes() != text.encode():
            raise OSError(0, "the file differs from the text that was written")
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
