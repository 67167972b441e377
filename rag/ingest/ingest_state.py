"""The state of one ingest: sources in use, files that moved, documents to forget, the report.

A document is forgotten only if its file is certainly gone: nothing is at its path, or the file was
read and no longer contains it. A folder or a file that cannot be read is no evidence about its
documents. If many documents are gone at once, the likely reason is a disk that is not mounted: they
are kept until the caller asks to forget them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rag.disk.paths import gone, printable_path, within
from rag.events import Failed, Report
from rag.ingest.load import File, document_source, file_format
from rag.library.files import KnownFile, Place

#: documents of a folder from which more than half of them are not forgotten without consent
MIN_MASS_REMOVAL = 10


@dataclass(slots=True)
class IngestState:
    """The state of one run. `known` is what the library knew when it began. Paths are absolute."""

    known: dict[Place, KnownFile]
    sources: set[str] = field(default_factory=set)  #: in use
    #: by path; a corpus file has many
    of_file: dict[str, list[KnownFile]] = field(default_factory=dict)
    by_bytes: dict[str, list[KnownFile]] = field(default_factory=dict)  #: by SHA-256
    seen: set[Place] = field(default_factory=set)  #: places that exist
    closed: set[str] = field(default_factory=set)  #: paths that cannot be read
    # sources, for the report
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    by_words: list[str] = field(default_factory=list)  #: large tables
    failed: list[Failed] = field(default_factory=list)
    unchanged: int = 0
    given: dict[Place, str] = field(default_factory=dict)  #: sources of new documents
    digests: dict[str, str] = field(
        default_factory=dict
    )  #: SHA-256 of files that were read, by path
    done: int = 0  #: files
    total: int = 0  #: files

    def __post_init__(self) -> None:
        for known in self.known.values():
            self.sources.add(known.source)
            self.of_file.setdefault(known.path, []).append(known)
            self.by_bytes.setdefault(known.sha256, []).append(known)

    def refused(self, failed: Failed) -> Failed:
        """Add a failure to the report and return it."""
        self.failed.append(failed)
        return failed

    def source(self, file: File, member: str = "") -> str:
        """Return the source of a file, or of `member` in it: the known one, else a new one."""
        place = file.path, member
        if place in self.known:
            return self.known[place].source
        if place not in self.given:
            self.given[place] = self._free(document_source(file, member), file.path)
        return self.given[place]

    def _free(self, source: str, path: str) -> str:
        """Return a source that no other document has, with as many folders in front as it takes."""
        folders = os.path.dirname(path).split(os.sep)
        free_source, depth = source, source.count("/") + 1
        while free_source in self.sources:
            front = folders[-depth] if depth <= len(folders) else str(len(self.sources))
            free_source, depth = f"{front}/{free_source}", depth + 1
        self.sources.add(free_source)
        return free_source

    def origin(self, path: str, digest: str) -> list[KnownFile]:
        """Return the rows of a known file that moved to `path`, or none.

        It has the same format and the same bytes, and is certainly gone from its old path.
        """
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
        """Return each row of a file that moved to `file`, with its new source; report the moves."""
        moves: list[tuple[KnownFile, str]] = []
        for known in rows:
            source = document_source(file, known.member)
            if source != known.source:
                source = self._free(source, file.path)
            moves.append((known, source))
            self.seen |= {known.place, (file.path, known.member)}
            if known.document:
                self.moved.append((known.source, source))
        return moves

    def forget(self, roots: Collection[str], unasked: bool) -> list[KnownFile]:
        """Return the known files below the `roots` that are to be forgotten; adds to the report.

        With `unasked`, many documents that vanished at once are `kept`.
        """
        lost = self._lost(roots)
        if unasked and lost:
            read_paths = {path for path, _ in self.seen}
            vanished = [known for known in lost if known.path not in read_paths]
            spared = self._spared_folders(vanished, roots)
            kept = {
                known.place: known for known in vanished if _root_folder(known, roots) in spared
            }
            self.kept += sorted(known.source for known in kept.values() if known.document)
            lost = [known for known in lost if known.place not in kept]
        self.removed += [known.source for known in lost if known.document]
        return lost

    def _lost(self, roots: Collection[str]) -> list[KnownFile]:
        """Return the known files below the `roots` that are certainly gone."""
        read_paths = {path for path, _ in self.seen}
        return [
            known
            for place, known in self.known.items()
            if place not in self.seen
            and within(known.path, roots)
            and not within(known.path, self.closed)
            and (known.document is None or known.path in read_paths or _is_gone(known.path))
        ]

    def linked(self, paths: Sequence[str], root: str) -> Iterator[Failed]:
        """Report and yield each link to a folder below `root`, unless `behind_links` reports it."""
        reason = "is a link to a folder, and links are not followed"
        for path in paths:
            if not any(within(known.path, {path}) for known in self.known.values()):
                source = os.path.relpath(path, os.path.dirname(root))
                yield self.refused(
                    Failed(printable_path(source), reason, "add the folder that it leads to")
                )

    def behind_links(self, roots: Collection[str]) -> Iterator[Failed]:
        """Report and yield each document whose folder below its root has become a link.

        Links are not followed, so its file is not read again; nothing shows that it is gone.
        """
        reason = "a folder above it is a link now, and links are not followed: it is kept as it was"
        cure = "add the folder that the link leads to, or: footnote remove"
        for place, known in self.known.items():
            root = within(known.path, roots)
            if known.document and root and place not in self.seen and _is_behind_link(known, root):
                yield self.refused(Failed(known.source, reason, f"{cure} '{known.source}'"))

    def _spared_folders(self, lost: Sequence[KnownFile], roots: Collection[str]) -> set[str]:
        """Return the folders that lost so many documents that these are kept without consent."""
        totals = Counter(
            _root_folder(known, roots)
            for known in self.known.values()
            if known.document and within(known.path, roots)
        )
        vanished = Counter(_root_folder(known, roots) for known in lost if known.document)
        seen_roots = {within(os.path.dirname(path), roots) for path, _ in self.seen}
        spared = set()
        for folder, count in vanished.items():
            empty = folder not in seen_roots if folder in roots else _is_empty(folder)
            if (empty and count == totals[folder]) or _is_mass_removal(count, totals[folder]):
                spared.add(folder)
        return set(vanished) if _is_mass_removal(vanished.total(), totals.total()) else spared

    def report(self, seconds: float) -> Report:
        """Return the report of a run that took `seconds`."""
        return Report(
            tuple(self.added),
            self.unchanged,
            tuple(self.changed),
            tuple(self.moved),
            tuple(self.removed),
            tuple(self.failed),
            seconds,
            kept=tuple(self.kept),
            by_words=tuple(self.by_words),
        )


def _is_gone(path: str) -> bool:
    """Is the file certainly gone? It is, too, if a folder is in its place."""
    return gone(path) or (os.path.isdir(path) and not os.path.islink(path))


def _is_behind_link(known: KnownFile, root: str) -> bool:
    folder = os.path.dirname(known.path)
    while len(folder) > len(root):
        if os.path.islink(folder):
            return os.path.lexists(known.path)
        folder = os.path.dirname(folder)
    return False


def _is_mass_removal(vanished: int, total: int) -> bool:
    return total >= MIN_MASS_REMOVAL and 2 * vanished > total


def _root_folder(known: KnownFile, roots: Collection[str]) -> str:
    """Return the root that a file was found in, or its folder if it is a root itself."""
    root = within(known.path, roots) or ""
    return os.path.dirname(root) if root == known.path else root


def _is_empty(folder: str) -> bool:
    """Is the folder empty? The mount point of a disk that is not mounted is."""
    with suppress(OSError), os.scandir(folder) as entries:
        return next(entries, None) is None
    return False
