"""Paths as a library stores them: absolute, and compared name by name."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Sequence

from rag.errors import Usage


def absolute(path: str) -> str:
    """The absolute form of a path that the user typed. Raises `Usage` for an empty or blank one."""
    if not path.strip():
        raise Usage(
            f"a path is empty ({path!r})",
            "give the path of a file or folder; . is the current folder; "
            "put ./ before a name of blanks",
        )
    return os.path.abspath(path)


def absolute_paths(paths: Sequence[str]) -> list[str]:
    """The absolute forms of paths that the user typed.

    Raises `TypeError` for a single string: its characters would be taken for paths, and "/" is one.
    """
    if isinstance(paths, str):
        raise TypeError(f"a list of paths is needed, not one string: [{paths!r}]")
    return [absolute(path) for path in paths]


def plain_name(name: str) -> str:
    """A name as people compare it: composed letters (NFC) and single blanks."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def as_spelled(path: str) -> str:
    """An absolute path as it is spelled on the disk, if it is there under `plain_name` alone.

    A name may be typed in other Unicode letters than it is stored in, or with its double blanks
    folded. A path that is there, or of which two spellings are, is returned unchanged.
    """
    if os.path.lexists(path):
        return path
    spelled = os.sep
    for name in path.split(os.sep)[1:]:
        below = os.path.join(spelled, name)
        if not os.path.lexists(below):
            try:
                names = [n for n in os.listdir(spelled) if plain_name(n) == plain_name(name)]
            except (OSError, ValueError):
                return path
            if len(names) != 1:
                return path
            below = os.path.join(spelled, names[0])
        spelled = below
    return spelled


def within(path: str, folders: Collection[str]) -> str | None:
    """The nearest of `folders` (absolute paths) that is `path` or contains it, else None.

    Whole names are compared: `/a/b` does not contain `/a/b#c`.
    """
    while path not in folders:
        parent = os.path.dirname(path)
        if parent == path:
            return None
        path = parent
    return path


def gone(path: str) -> bool:
    """Whether `path` is certainly absent. False if unknown (no permission, a failing disk)."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        pass
    return False


def is_storable(name: str) -> bool:
    """Whether a path, or another name, is valid Unicode, which a library stores nothing without."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable_path(path: str) -> str:
    """Return a path as text; bytes that are not UTF-8 are escaped."""
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace").decode()
