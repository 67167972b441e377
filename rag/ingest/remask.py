"""Renews the masks of stored documents when the boilerplate of their folders has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from rag.domain import Document
from rag.errors import RagError
from rag.events import Event
from rag.ingest import page_furniture
from rag.ingest.embed_ahead import EmbedAhead
from rag.ingest.prepare import Chunker, with_units
from rag.library.library import Library
from rag.text import boilerplate

#: documents that are masked again together
_BATCH_DOCUMENTS = 64


class Remasker:
    """Masks stored documents again; chunks, embeds and writes those whose mask changes."""

    def __init__(self, library: Library, embed_ahead: EmbedAhead, chunker: Chunker) -> None:
        self._library, self._embed_ahead, self._chunker = library, embed_ahead, chunker

    def settle(self) -> Iterator[Event]:
        """Mask boilerplate that only later documents revealed; label chunks without a label.

        Looks at every folder, so that it completes what an interrupted run left undone.
        """
        while self._library.duplicates.catch_up():
            pass
        yield from self._unmask()
        for folder in sorted(
            {boilerplate.neighbourhood(*place) for place in self._library.files.by_place()}
        ):
            hashes = self._library.boilerplate.beside(folder)
            recurring = boilerplate.recurring_hashes([lines.all for lines in hashes.values()])
            late_ids = [
                document_id for document_id, lines in hashes.items() if lines.unmasked & recurring
            ]
            for documents in self._undamaged(late_ids):
                yield from self._remask(
                    [boilerplate.mask_boilerplate(document, recurring) for document in documents]
                )

    def _unmask(self) -> Iterator[Event]:
        """Unmask text that an earlier version masked by a wider rule; record the other masks."""
        table = self._library.boilerplate
        outdated_ids = table.outdated()
        for documents in self._undamaged(outdated_ids):
            changed, unchanged = list[Document](), list[Document]()
            for old in documents:
                furniture = page_furniture.find_furniture(old.text)
                new = boilerplate.unmasked(old, table.stale(old), furniture)
                (unchanged if new is old else changed).append(new)
            yield from self._remask(changed)
            with self._library.database.writing():
                for document in unchanged:
                    table.put(document)
        if outdated_ids:
            with self._library.database.writing():
                table.renewed()

    def _remask(self, documents: Sequence[Document]) -> Iterator[Event]:
        """Write documents with another mask."""
        if documents:
            chunks = [self._chunker(document) for document in documents]
            job = yield from self._embed_ahead.begin(chunks)
            self._library.remask(
                [
                    (document, its_chunks, *rows)
                    for document, its_chunks, rows in zip(
                        documents, chunks, job.rows(), strict=True
                    )
                ]
            )

    def _undamaged(self, document_ids: Sequence[str]) -> Iterator[list[Document]]:
        """Yield the documents with these ids in batches, without those that are damaged."""
        for start in range(0, len(document_ids), _BATCH_DOCUMENTS):
            documents = list[Document]()
            for document_id in document_ids[start : start + _BATCH_DOCUMENTS]:
                with suppress(RagError):
                    document = self._library.documents.load(document_id)
                    documents.append(with_units(self._library, document))
            yield documents
