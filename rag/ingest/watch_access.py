"""The methods of `Bot` for watched folders: switch watching on or off, and find what changed."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from rag.disk import regular_files
from rag.disk.atomic_files import replace_file
from rag.disk.disk_errors import reports_disk_errors
from rag.domain import AddedRoot
from rag.errors import LibraryMissing, Unreadable, Usage

if TYPE_CHECKING:
    from rag.config import Config
    from rag.library.files import KnownFile
    from rag.library.library import Library

_FILE = "watched.json"


class WatchAccess(ABC):
    """Methods of `Bot` over the paths that were added. Looking for changes changes nothing."""

    config: Config

    @property
    @abstractmethod
    def library(self) -> Library:
        """The library. Raises `LibraryMissing` if there is none."""

    @reports_disk_errors
    def added_roots(self) -> tuple[AddedRoot, ...]:
        """The paths that were added, with whether they are watched; none without a library."""
        try:
            added = self.library.files.roots()
        except LibraryMissing:
            return ()
        watched = _read(self.config.folder)
        return tuple(AddedRoot(path, path in watched) for path in added)

    @reports_disk_errors
    def watch(self, path: str, watched: bool = True) -> None:
        """Watch a path that was added, or watch it no longer. Raises `Usage` for another path."""
        roots = self.added_roots()
        if all(root.path != path for root in roots):
            raise Usage(f"{path} was not added", "add it first, then watch it")
        kept = [root.path for root in roots if root.watched and root.path != path]
        names = sorted([*kept, *([path] if watched else [])])
        replace_file(self.config.folder / _FILE, json.dumps(names))

    @reports_disk_errors
    def changed_roots(self) -> tuple[tuple[str, str], ...]:
        """The watched paths with files that a sync would read or forget.

        Each comes with a hash of these files, which tells whether a later look finds others. A
        path that cannot be listed, as on a disk that is not mounted, counts as unchanged.
        """
        watched = [root.path for root in self.added_roots() if root.watched]
        known = self.library.files.by_place().values() if watched else ()
        found = ((path, _differences(path, known)) for path in watched)
        return tuple((path, hash_) for path, hash_ in found if hash_)


def _differences(root: str, known: Iterable[KnownFile]) -> str:
    """Return a hash of the files under `root` that are not as they are known; "" for none."""
    from rag.disk.paths import within
    from rag.ingest.load import walk_files

    try:
        now = {(file.path, file.size, file.mtime) for file in walk_files(root)}
    except Unreadable:
        return ""
    before = {(row.path, row.size, row.mtime) for row in known if within(row.path, {root})}
    if now == before:
        return ""
    differing = sorted(now - before), sorted(before - now)
    return sha256(repr(differing).encode("utf-8", "replace")).hexdigest()


def _read(folder: Path) -> frozenset[str]:
    """Return the watched paths; none if their file is missing or damaged."""
    names: object = []
    with suppress(Unreadable, ValueError, RecursionError):
        text = regular_files.read_text_file(folder / _FILE, regular_files.MAX_SETTINGS_BYTES)
        names = json.loads(text)
    return frozenset(filter(_is_name, names)) if isinstance(names, list) else frozenset()


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str)
