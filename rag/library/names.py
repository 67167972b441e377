"""The files and documents that a name means: one that a user types or a question mentions."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from rag.disk.paths import is_storable, plain_name, within
from rag.errors import Usage
from rag.library.database import Database
from rag.library.files import SELECT_FILES, KnownFile, SourceFiles

#: conditions on ?1: the end of a source, compared as text (LIKE would take a name for a pattern and
#: refuses a long one), exactly or without regard to case
_ENDS_WITH = "substr(source, -length(?1)) = ?1"
_ENDS_WITH_ANY_CASE = "lower(substr(source, -length(?1))) = lower(?1)"
#: the same in any spelling; ?1 is a `plain_name` after a slash
_ENDS_PLAINLY = (
    "(substr('/' || plain_name(source), -length(?1)) = ?1 OR '/' || plain_name(path) = ?1)"
)
#: what a path from the current folder, or from the top, begins with
_LEADING_FOLDERS = re.compile(r"\A(?:\.?/)+")
#: file names that are looked up for a question, and documents of one name
_MAX_NAMES = 16


class Names:
    """The names of the files of an open library."""

    def __init__(self, database: Database, files: SourceFiles) -> None:
        self._database, self._files = database, files
        database.connection.create_function("plain_name", 1, plain_name, deterministic=True)

    def find(self, name: str) -> KnownFile:
        """Return the file of a document by its id, source, path, or the end of its source.

        Raises `Usage` if no document or more than one fits.
        """
        if isinstance(name, str) and not is_storable(name):  # a damaged row has bytes
            raise _unclear_name(name, 0)
        conditions = "source = ?1", "document = ?1", "path = ?1"
        files = next(
            (files for condition in conditions if (files := self._select(condition, name))), []
        ) or self._select_by_ending(name)
        if not files and (ending := _ending_of(name)):
            files = self._select(_ENDS_WITH_ANY_CASE, ending) or self._select_plainly(ending)
        document_ids = {file.document for file in files}
        if len(document_ids) != 1:
            raise _unclear_name(name, len(document_ids))
        return files[0]

    def _select(self, condition: str, name: str) -> list[KnownFile]:
        """The files with a document that meet an SQL condition on ?1, the name."""
        select = f"{SELECT_FILES} WHERE document IS NOT NULL AND {condition}"
        return [KnownFile(*row) for row in self._database.execute(select, (name,))]

    def _select_by_ending(self, name: str) -> list[KnownFile]:
        """The files with a document whose source ends with "/" and the name."""
        ending = _ending_of(name)
        return self._select(_ENDS_WITH, ending) if ending else []

    def _select_plainly(self, name: str) -> list[KnownFile]:
        """The files with a document whose source or path ends with a name in any spelling."""
        plain = plain_name(name.lstrip("/"))
        return self._select(_ENDS_PLAINLY, f"/{plain}") if plain else []

    def resolve(self, name: str) -> tuple[list[KnownFile], list[str]]:
        """Return the files and the roots that `name` means to a user who removes it.

        `name` is the id, source or path of a document, or a folder above it; else a path from the
        current folder; else the end of one source. Raises `Usage` if none of these fits, or if the
        sources of several documents end with it.
        """
        if isinstance(name, str) and not is_storable(name):  # a damaged row has bytes
            raise _unclear_name(name, 0)
        if all(part.strip() in ("", ".", "..") for part in name.split("/")):
            raise Usage(
                f"{name!r} names no document and no folder",
                "footnote list shows the names that can be removed",
            )
        known_files = list(self._files.by_place().values())
        if not any(_is_named(name, known) for known in known_files):
            name = _stored_name(name, known_files)
        top = name.rstrip("/")
        files = [known for known in known_files if _is_named(name, known)]
        if not files and (path := _absolute_path(name)):
            files, top = [known for known in known_files if within(known.path, {path})], path
        roots = [root for root in self._files.roots() if within(root, {top})]
        if not files and not roots:
            ending = self._select_by_ending(name) or self._select_plainly(name)
            if len({file.document for file in ending}) != 1:
                raise _unclear_name(name, len(ending))
            files = [known for known in known_files if known.source == ending[0].source]
        return files, sorted({*roots, *self._emptied_roots(name, files, known_files)})

    def _emptied_roots(
        self, name: str, files: Collection[KnownFile], known_files: Collection[KnownFile]
    ) -> set[str]:
        """The roots of which no file is left when `files` are removed under the name `name`."""
        places = {known.place for known in files}
        kept_paths = {known.path for known in known_files if known.place not in places}
        removed_paths = {known.path for known in files} - kept_paths
        return {
            root
            for root in self._files.roots()
            if root in removed_paths
            or (
                os.path.basename(root)
                == name.rstrip("/")  # the folder by the name that it has here
                and any(within(path, {root}) for path in removed_paths)
                and not any(within(path, {root}) for path in kept_paths)
            )
        }

    def documents_named(self, names: Collection[str]) -> list[str]:
        """Return ids of the documents whose source is, or ends with, one of the names."""
        document_ids: dict[str, None] = {}
        for name in list(names)[:_MAX_NAMES]:
            document_ids |= dict.fromkeys(
                self._documents(f"(source = ?2 OR {_ENDS_WITH_ANY_CASE})", f"/{name}", name)
                or self._documents(f"(source = ?2 OR {_ENDS_PLAINLY})", f"/{plain_name(name)}", "")
            )
        return list(document_ids)

    def _documents(self, condition: str, ending: str, name: str) -> list[str]:
        """The ids of the first documents whose file meets an SQL condition on ?1 and ?2."""
        named = f"document IS NOT NULL AND {condition}"
        rows = self._database.execute(
            f"SELECT document FROM files WHERE {named} LIMIT ?3",  # noqa: S608
            (ending, name, _MAX_NAMES),
        )
        return [row[0] for row in rows]


def _is_named(name: str, known: KnownFile) -> bool:
    """Whether `name` is the id, source or path of a file, or a folder above it."""
    return (
        name in (known.document, known.source)
        or known.source.startswith(name.rstrip("/") + "/")
        or within(known.path, {name.rstrip("/")}) is not None
    )


def _stored_name(name: str, known_files: Collection[KnownFile]) -> str:
    """The source or path of a file, or of a folder above one, that is `name` in any spelling.

    Returns `name` itself if there is none, or more than one.
    """
    plain, parts = plain_name(name.rstrip("/")), len(name.rstrip("/").split("/"))
    stored = {
        start
        for known in known_files
        for text in (known.source, known.path)
        if plain_name(start := "/".join(text.split("/")[:parts])) == plain
    }
    return stored.pop() if len(stored) == 1 else name


def _absolute_path(name: str) -> str:
    """The absolute path of `name` from the current folder; "" if it has none."""
    try:
        return os.path.abspath(name)
    except (OSError, ValueError):
        return ""


def _ending_of(name: str) -> str:
    """The end of every source that `name` may stand for; "" if the name is blank."""
    name = _LEADING_FOLDERS.sub("", name)
    return f"/{name}" if name.strip() else ""


def _unclear_name(name: str, count: int) -> Usage:
    """The error for a name that `count` documents have."""
    problem = f"{count} documents are called" if count else "there is no document called"
    return Usage(f"{problem} {name!r}", "footnote list shows them all")
