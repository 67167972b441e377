"""Repair the embedder's own file, which is made from the installed weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rag.errors import ModelBroken, RagError, WeightsMissing
from rag.events import Event, Repaired

#: errors of a file that is missing or wrong, as opposed to one that cannot be read
_DAMAGE = (ModelBroken, WeightsMissing, ValueError, KeyError, FileNotFoundError)


def repair_embedder(check: Callable[[], None], remake: Callable[[], None]) -> Iterator[Event]:
    """Make the file again if `check` raises an error of damage.

    `remake` replaces the file only once the new one is complete.
    """
    try:
        check()
        return
    except (RagError, OSError, ValueError, KeyError) as error:
        fault = str(error)
        damaged = isinstance(error, _DAMAGE) and not _unreadable(error.__cause__ or error)
    if not damaged:
        cure = "see that the file can be read, then repair again"
        yield Repaired("embedder", False, f"it cannot be read: {fault}", cure)
        return
    try:
        remake()
        check()
        yield Repaired("embedder", True, f"{fault}; made again")
    except (RagError, OSError, ValueError, KeyError, MemoryError) as error:
        cure = getattr(error, "cure", "") or (
            "install the package again, and make room on the disk of the home folder"
        )
        yield Repaired("embedder", False, f"it cannot be made again: {error}", cure)


def _unreadable(error: BaseException) -> bool:
    """True for an error of the system other than a missing file."""
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
