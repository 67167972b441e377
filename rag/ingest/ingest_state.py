"""What an ingest knows and has found so far: names in use, files that moved, documents to forget.

A document is forgotten only where its file is surely gone: nothing is at its path, or the file was
read and no longer holds it. A folder or a file that cannot be read says nothing about its documents.
Where many documents are gone at once, a disk that is not mounted is the likelier reason: they are kept
until the caller asks to forget them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rag.disk.paths import gone, within
from rag.events import Failed, Report
from rag.ingest.load import File, document_source, file_format
from rag.library.files import KnownFile, Place

MIN_MASS_REMOVAL = (
    10  #: of so many documents or more, more than half are not forgotten unless it is asked for
)


@dataclass(slots=True)
class IngestState:
    """`known` is what the library knew when the run began. Paths are absolute."""

    known: dict[Place, KnownFile]
    sources: set[str] = field(default_factory=set)
    of_file: dict[str, list[KnownFile]] = field(
        default_factory=dict
    )  #: by path; a corpus file holds many
    by_bytes: dict[str, list[KnownFile]] = field(default_factory=dict)
    seen: set[Place] = field(default_factory=set)  #: what is there
    closed: set[str] = field(default_factory=set)  #: paths below which nothing can be known
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    unchanged: int = 0
    given: dict[Place, str] = field(default_factory=dict)  #: sources of what is new
    digests: dict[str, str] = field(default_factory=dict)  #: of the files that were read
    done: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        for known in self.known.values():
            self.sources.add(known.source)
            self.of_file.setdefault(known.path, []).append(known)
            self.by_bytes.setdefault(known.sha256, []).append(known)

    def refused(self, failed: Failed) -> Failed:
        """Put it on the report."""
        self.failed.append(failed)
        return failed

    def source(self, file: File, member: str = "") -> str:
        """The source of a file, or of `member` in it: as the library has it, else one that is free."""
        place = file.path, member
        if place in self.known:
            return self.known[place].source
        if place not in self.given:
            self.given[place] = self._free(document_source(file, member), file.path)
        return self.given[place]

    def _free(self, source: str, path: str) -> str:
        """A source that no other document has: as many folders of the path in front as it takes."""
        folders = os.path.dirname(path).split(os.sep)
        name, depth = source, source.count("/") + 1
        while name in self.sources:
            front = folders[-depth] if depth <= len(folders) else str(len(self.sources))
            name, depth = f"{front}/{name}", depth + 1
        self.sources.add(name)
        return name

    def origin(self, path: str, digest: str) -> list[KnownFile]:
        """The rows of a known file that moved to `path`: same kind, same bytes, and surely gone from its old path."""
        for known in self.by_bytes.get(digest, []):
            if (
                known.document
                and known.place not in self.seen
                and file_format(known.path) == file_format(path)
                and _is_gone(known.path)
            ):
                rows = self.of_file[known.path]
                if all(row.sha256 == digest for row in rows):
                    return rows
        return []

    def moves(self, rows: Sequence[KnownFile], file: File) -> list[tuple[KnownFile, str]]:
        """Each row of a file that moved to `file`, with its new source. Puts them on the report."""
        found = []
        for known in rows:
            source = document_source(file, known.member)
            if source != known.source:
                source = self._free(source, file.path)
            found.append((known, source))
            self.seen |= {known.place, (file.path, known.member)}
            if known.document:
                self.moved.append((known.source, source))
        return found

    def forget(self, roots: Collection[str], unasked: bool) -> list[KnownFile]:
        """What was known below the `roots` and is to be forgotten.

        With `unasked`, many that vanished at once are `kept`, and put on the report.
        """
        lost = self._lost(roots)
        if unasked and lost:
            read = {path for path, _ in self.seen}
            spared = self._much([k for k in lost if k.path not in read], roots)
            kept = {
                k.place: k for k in lost if k.path not in read and _root_folder(k, roots) in spared
            }
            self.kept += sorted(k.source for k in kept.values() if k.document)
            lost = [k for k in lost if k.place not in kept]
        self.removed += [k.source for k in lost if k.document]
        return lost

    def _lost(self, roots: Collection[str]) -> list[KnownFile]:
        read = {path for path, _ in self.seen}
        return [
            known
            for place, known in self.known.items()
            if place not in self.seen
            and within(known.path, roots)
            and not within(known.path, self.closed)
            and (known.document is None or known.path in read or _is_gone(known.path))
        ]

    def _much(self, lost: Sequence[KnownFile], roots: Collection[str]) -> set[str]:
        """The folders of which so many documents are gone that they are not forgotten unasked."""
        had = Counter(
            _root_folder(k, roots)
            for k in self.known.values()
            if k.document and within(k.path, roots)
        )
        vanished = Counter(_root_folder(k, roots) for k in lost if k.document)
        there = {within(os.path.dirname(path), roots) for path, _ in self.seen}
        spared = set()
        for folder, number in vanished.items():
            bare = folder not in there if folder in roots else _is_empty(folder)
            if (bare and number == had[folder]) or _is_mass_removal(number, had[folder]):
                spared.add(folder)
        return set(vanished) if _is_mass_removal(vanished.total(), had.total()) else spared

    def report(self, seconds: float) -> Report:
        return Report(
            tuple(self.added),
            self.unchanged,
            tuple(self.changed),
            tuple(self.moved),
            tuple(self.removed),
            tuple(self.failed),
            seconds,
            kept=tuple(self.kept),
        )


def _is_gone(path: str) -> bool:
    """Is the file surely gone? So it is where a folder has its place."""
    return gone(path) or (os.path.isdir(path) and not os.path.islink(path))


def _is_mass_removal(number: int, of: int) -> bool:
    return of >= MIN_MASS_REMOVAL and 2 * number > of


def _root_folder(known: KnownFile, roots: Collection[str]) -> str:
    """The root that a file was found in; of a file that is a root itself, its folder."""
    root = within(known.path, roots) or ""
    return os.path.dirname(root) if root == known.path else root


def _is_empty(folder: str) -> bool:
    """Is there nothing at all in the folder, as where a disk would be mounted?"""
    with suppress(OSError), os.scandir(folder) as entries:
        return next(entries, None) is None
    return False
