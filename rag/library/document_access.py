"""The part of the front door that lists and opens documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.disk.disk_errors import reports_disk_errors
from rag.domain import Document, Listing, OpenedDocument, Span
from rag.errors import LibraryMissing
from rag.library.file_state import listings_with_states
from rag.text.units import unit_order

if TYPE_CHECKING:
    from rag.config import Config
    from rag.library.library import Library

#: other documents that are named as copies
_MAX_COPIES = 100


class DocumentAccess(ABC):
    """Methods of `Bot` over the documents of its library."""

    config: Config

    @property
    @abstractmethod
    def library(self) -> Library:
        """The library. Raises `LibraryMissing` if there is none."""

    @reports_disk_errors
    def documents(self) -> tuple[Listing, ...]:
        """Every document and every file that could not be read, with the state of its file."""
        shared = self.library.duplicates.shared_counts()
        listings = [
            replace(entry, copies=shared.get(entry.id, 0))
            for entry in self.library.files.listings()
        ]
        return tuple(listings_with_states(listings))

    @reports_disk_errors
    def sources(self) -> tuple[str, ...]:
        """The sources of all documents, sorted; none if there is no library yet."""
        try:
            return tuple(self.library.files.sources_with_text())
        except LibraryMissing:
            return ()

    @reports_disk_errors
    def document(self, name: str) -> Document:
        """The document of an id, a source, or the end of a source. Raises `Usage` if unclear."""
        return self.library.documents.find(name)

    @reports_disk_errors
    def open_document(self, name: str) -> OpenedDocument:
        """The same with its units, passages and copies, as it is shown to be read."""
        library = self.library
        document = library.documents.find(name)
        rows = [row for row in library.documents.chunk_rows(document.id) if row.is_intact]
        units = dict.fromkeys(unit for row in rows for unit in row.units_of(document))
        names = library.files.sources
        sharing = list(library.duplicates.sharing(document.id).items())[:_MAX_COPIES]
        return OpenedDocument(
            replace(document, units=tuple(sorted(units, key=unit_order))),
            tuple(sorted(Span(row.start, row.end) for row in rows)),
            tuple(names(document.id)),
            tuple((next(iter(names(other)), other), count) for other, count in sharing),
        )

    @reports_disk_errors
    def roots(self) -> tuple[str, ...]:
        """Absolute paths of the files and folders that were added, which `sync` reads again."""
        return tuple(self.library.files.roots())

    @reports_disk_errors
    def held(self, name: str) -> tuple[str, ...]:
        """Sources of the documents that `remove(name)` would remove."""
        if self.library.is_orphan(name):
            return ()
        return tuple(file.source for file in self.library.names.resolve(name)[0] if file.document)
