"""What the prompt can complete: a `/` command, a path, a model, a document after `@`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rag.text.document_names import complete_name, sources_named, typed_name, written_name
from tui.command import Command
from tui.commands import COMMANDS

#: How many completions are listed, and how many entries of a folder are read for them.
MAX_LISTED, MAX_ENTRIES = 6, 2000
#: The longest text that may be a path.
MAX_PATH_CHARS = 4096
_COMMAND = re.compile(r"/([a-z_]+)(?: +(.*))?\Z")
_SLASH = {command.id: command for command in COMMANDS if command.in_palette}


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion: the whole text of the prompt, and what it means."""

    text: str
    help: str = ""
    shown: str = ""  #: what a list shows of it; "" for the whole text


def parse_command(text: str) -> tuple[str, str] | None:
    """Return the name and the argument of a `/` command; None for a question."""
    match = _COMMAND.match(text.strip())
    return (match[1], (match[2] or "").strip()) if match else None


def slash_command(name: str) -> Command | None:
    """Return the command of a name that was typed after `/`."""
    return _SLASH.get(name)


def completions(
    text: str, sources: Sequence[str] = (), models: Sequence[str] = ()
) -> list[Completion]:
    """Return what `text` may become.

    In a question, the name of one of `sources` is completed, after `/model` one of `models`.
    """
    if parse_command(text) is None and text != "/":
        return _documents(text, sources)
    if not text.startswith("/") or "\n" in text or len(text) > MAX_PATH_CHARS:
        return []
    name, space, argument = text[1:].partition(" ")
    if not space:
        return [
            Completion(f"/{command.id}" + (" " if command.takes else ""), command.help)
            for command in sorted(_SLASH.values(), key=lambda c: c.id)
            if command.id.startswith(name)
        ]
    command = _SLASH.get(name)
    takes = command.takes if command is not None else ""
    if takes == "PATH":
        paths = complete_path(argument.lstrip())
    elif takes == "NAME" and "/" in argument:  # a model, which may be a file
        ends = ("/", ".gguf")
        paths = [path for path in complete_path(argument.lstrip()) if path.endswith(ends)]
    elif takes == "NAME":
        begun = argument.lstrip()
        paths = [model for model in models if model.startswith(begun) and model != begun]
    else:
        return []
    return [Completion(f"/{name} {path}") for path in paths]


def _documents(text: str, sources: Sequence[str]) -> list[Completion]:
    """Return the documents whose name is being typed after an `@` at the end of `text`."""
    typed = typed_name(text)
    if typed is None:
        return []
    start, begin = typed
    found = [s for s in complete_name(begin, sources) if s.isprintable() and '"' not in s]
    if found and sources_named(begin, sources) == found[:1] and len(found) == 1:
        return []  # it is typed already
    names = [written_name(source, sources) for source in found[:MAX_LISTED]]
    listed = [Completion(f"{text[:start]}{name} ", shown=name) for name in names]
    return listed + [Completion(text)] * (len(found) - len(listed))


def complete_path(text: str) -> list[str]:
    """Return the paths that begin with `text`; folders end with a slash. Hidden ones on request."""
    head, _, start = text.rpartition("/")
    folder = head + "/" if "/" in text else ""
    found = list[str]()
    with suppress(OSError, ValueError), os.scandir(os.path.expanduser(folder) or ".") as entries:
        for _count, entry in zip(range(MAX_ENTRIES), entries, strict=False):
            if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
                found.append(folder + entry.name + ("/" if entry.is_dir() else ""))
    return sorted(found)


def typed_path(text: str) -> Path | None:
    """Return the file or folder that a typed, pasted or dropped text names; None without one.

    Terminals drop a path quoted, with backslashes before blanks, or as a file URL.
    """
    stripped = text.strip()
    if not stripped or "\n" in stripped or len(stripped) > MAX_PATH_CHARS:
        return None
    candidates = [stripped]
    with suppress(ValueError):
        words = shlex.split(stripped)
        candidates += words if len(words) == 1 else []
    if stripped.startswith("file://"):
        candidates.append(unquote(urlsplit(stripped).path))
    for candidate in candidates:
        with suppress(OSError, ValueError, RuntimeError):
            path = Path(candidate).expanduser()
            if path.exists():
                return path
    return None
