"""Embeds and writes the documents of a run window by window, about a thousand chunks at a time.

While one window is embedded in a thread, the next is prepared by the caller and the one before is
written. A window is written in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rag.errors import Unreadable
from rag.events import Added, Event, Failed
from rag.ingest.embed_ahead import EmbedAhead, EmbeddingJob, Rows
from rag.ingest.ingest_state import IngestState
from rag.ingest.prepare import Chunker, PreparedDocument
from rag.library.files import Place
from rag.library.library import Library
from rag.text import boilerplate


class _Window(NamedTuple):
    """Documents that are being embedded."""

    documents: list[PreparedDocument]
    job: EmbeddingJob
    anew: bool


class WindowWriter:
    """Masks, embeds and writes the documents of one run."""

    def __init__(
        self, library: Library, embed_ahead: EmbedAhead, chunker: Chunker, run: IngestState
    ) -> None:
        self._library, self._embed_ahead, self._chunker = library, embed_ahead, chunker
        self._run = run
        self._embedding: _Window | None = None

    def store(self, documents: Sequence[PreparedDocument], anew: bool = False) -> Iterator[Event]:
        """Begin to embed whole documents, then write those that were begun before.

        With `anew`, documents that the library has are written again.
        """
        masked = self._mask(documents)
        job = yield from self._embed_ahead.begin([prepared.chunks for prepared in masked])
        yield from self.finish()
        self._embedding = _Window(masked, job, anew)

    def finish(self) -> Iterator[Event]:
        """Wait for the documents that are being embedded and write them. `Added` is the commit."""
        if self._embedding is None:
            return
        (documents, job, anew), self._embedding = self._embedding, None
        rows = job.rows() if documents else []
        failures = self._commit(list(zip(documents, rows, strict=True)), anew)
        run = self._run
        for prepared, (_, keys) in zip(documents, rows, strict=True):
            file = prepared.file
            if error := failures.get(file.place):
                self._library.files.fail(file, str(error), error.cure)
                yield run.refused(Failed(file.source, str(error), error.cure))
            elif prepared.replaces == prepared.document.id:
                # another member of the file changed, or the file could not be read for a while
                run.unchanged += 1
            else:
                (run.changed if prepared.replaces else run.added).append(file.source)
                run.by_words += [] if all(keys) else [file.source]
                yield Added(file.source, len(prepared.chunks), run.done, run.total)

    def _commit(
        self, items: list[tuple[PreparedDocument, Rows]], anew: bool
    ) -> dict[Place, Unreadable]:
        """Write documents in one transaction, or each in its own if one of them cannot be stored.

        Returns the errors of those that were not stored.
        """
        if not items:
            return {}
        try:
            self._library.put(
                [
                    (prepared.file, prepared.document, prepared.chunks, *rows)
                    for prepared, rows in items
                ],
                anew,
            )
        except Unreadable as error:
            if len(items) == 1:
                return {items[0][0].file.place: error}
            failures = dict[Place, Unreadable]()
            for item in items:
                failures |= self._commit([item], anew)
            return failures
        return {}

    def _mask(self, documents: Sequence[PreparedDocument]) -> list[PreparedDocument]:
        """Return the documents with the boilerplate of their folders masked."""
        masked = list(documents)
        for folder in {prepared.folder for prepared in documents}:
            numbers = [
                number
                for number, prepared in enumerate(documents)
                if prepared.folder == folder and not prepared.document.lines
            ]
            recurring = self._recurring(folder, [documents[number] for number in numbers])
            for number in numbers:
                prepared = documents[number]
                document = boilerplate.mask_boilerplate(
                    prepared.document, recurring & prepared.line_hashes
                )
                if document is not prepared.document:
                    chunks = self._chunker(document)
                    masked[number] = replace(prepared, document=document, chunks=chunks)
        return masked

    def _recurring(self, folder: str, documents: Sequence[PreparedDocument]) -> set[int]:
        """Return the hashes of lines that recur in a folder.

        The folder has the documents of the library, those being embedded, and `documents`.
        """
        hashes = {
            document_id: line_hashes.all
            for document_id, line_hashes in self._library.boilerplate.beside(folder).items()
        }
        embedding = self._embedding.documents if self._embedding else []
        neighbours = [prepared for prepared in embedding if prepared.folder == folder]
        for prepared in (*neighbours, *documents):
            hashes[prepared.document.id] = set(prepared.line_hashes)
        return boilerplate.recurring_hashes(list(hashes.values()))
