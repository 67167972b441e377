"""Paths as a library keeps them: absolute, compared by whole names, and surely gone or not."""

from __future__ import annotations

import os
from collections.abc import Collection

from rag.errors import Usage


def absolute(path: str) -> str:
    """The absolute form of a path that somebody typed. Raises `Usage` for an empty or blank one."""
    if not path.strip():
        raise Usage(
            f"a path is empty ({path!r})",
            "give the path of a file or folder; . is the current folder, and ./ goes before a name of blanks",
        )
    return os.path.abspath(path)


def within(path: str, folders: Collection[str]) -> str | None:
    """The nearest of `folders` (absolute paths) that is `path` or holds it; None where none does.

    Whole names are compared: `/a/b` does not hold `/a/b#c`.
    """
    while path not in folders:
        above = os.path.dirname(path)
        if above == path:
            return None
        path = above
    return path


def gone(path: str) -> bool:
    """Is there surely nothing at `path`? False where that cannot be told (no permission, a bad disk)."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        pass
    return False
