"""Paths as a library stores them: absolute, and compared name by name."""

from __future__ import annotations

import os
from collections.abc import Collection

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
