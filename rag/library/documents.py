"""The documents of a library, their chunks and vectors, each compared with its checksum."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.disk.paths import is_storable
from rag.domain import Chunk, Document
from rag.errors import LibraryBroken, Usage
from rag.library.database import Database
from rag.library.files import SourceFiles
from rag.library.names import Names
from rag.library.schema import SELECT_CHUNKS, SELECT_DOCUMENTS, ChunkRow, DocumentRow
from rag.text.units import units_to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: KB of pages that SQLite caches once vectors are compared; its default is 2,048 KB
_CACHE_KB = 32_768
#: documents kept in memory
_MAX_CACHED_DOCUMENTS = 64
#: values in one SQL statement
_MAX_VALUES = 500
_CURE = "run: footnote doctor --repair"


class Counts(NamedTuple):
    """The numbers of documents and chunks in a library."""

    documents: int
    chunks: int


class ChunkText(NamedTuple):
    """A chunk as it is entered in a full-text index."""

    id: str
    title: str
    heading: str
    text: str


class Documents:
    """The documents of an open library.

    Methods that write are called inside a transaction of the caller's.
    """

    def __init__(self, database: Database, files: SourceFiles, names: Names) -> None:
        self._database, self._files, self._names = database, files, names
        self._loaded: dict[str, Document] = {}  # by id
        self._has_large_cache = False
        #: (state of the database, the last count)
        self._counted: tuple[tuple[int, int], Counts] | None = None

    # -- documents

    def find(self, name: str) -> Document:
        """Return a document by its id, source, path, or the end of its source.

        Raises `Usage` if no document or more than one fits.
        """
        file = self._names.find(name)
        document = self.load(file.document or "")
        return replace(document, source=file.source, path="" if file.member else file.path)

    def load(self, document_id: str) -> Document:
        """Return a document by its id. Raises `Usage` if there is none.

        Raises `LibraryBroken` naming the document if it does not match its checksum.
        """
        if document_id in self._loaded:
            return self._loaded[document_id]
        row = self._row(document_id)
        sources = self._files.sources(document_id)
        if row is None and sources:  # another process may have stored it in between
            row = self._row(document_id)
        if row is None and not sources:
            raise Usage(f"there is no document {document_id!r}", "footnote list shows them all")
        if row is None or not row.is_intact:
            names = ", ".join(sources) or document_id
            raise LibraryBroken(
                f"{self._database.path}: the text of {names} is missing or does not match its "
                "checksum",
                _CURE,
            )
        if len(self._loaded) > _MAX_CACHED_DOCUMENTS:
            self._loaded.clear()
        document = row.document(sources[0] if sources else document_id)
        self._loaded[document_id] = document
        return document

    def _row(self, document_id: str) -> DocumentRow | None:
        select = f"{SELECT_DOCUMENTS} WHERE id = ?"
        row = self._database.execute(select, (document_id,)).fetchone()
        return DocumentRow(*row) if row else None

    def rows(self) -> Iterator[DocumentRow]:
        """Yield the rows of all documents, damaged or not."""
        return map(DocumentRow._make, self._database.execute(SELECT_DOCUMENTS))

    def has(self, document_id: str) -> bool:
        """Whether there is a document of this id."""
        if not is_storable(document_id):
            return False
        select = "SELECT 1 FROM documents WHERE id = ?"
        return self._database.execute(select, (document_id,)).fetchone() is not None

    def ids(self) -> list[str]:
        """Return the ids of all documents."""
        return [row[0] for row in self._database.execute("SELECT id FROM documents")]

    def counts(self) -> Counts:
        """Return the numbers of documents and chunks.

        SQLite counts row by row, so the result is kept until a process writes.
        """
        state = self._database.state
        if self._counted is None or self._counted[0] != state:
            self._counted = state, Counts(self._count("documents"), self._count("chunks"))
        return self._counted[1]

    def _count(self, table: str) -> int:
        select = f"SELECT count(*) FROM {table}"  # noqa: S608
        return int(self._database.execute(select).fetchone()[0])

    def add(self, document: Document) -> None:
        """Store a document without its chunks."""
        self._database.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", DocumentRow.of(document)
        )

    def remask(self, document: Document) -> None:
        """Replace the mask of a stored document."""
        row = DocumentRow.of(document)
        self._database.execute(
            "UPDATE documents SET spans = ?, checksum = ? WHERE id = ?",
            (row.spans, row.checksum, row.id),
        )

    def delete(self, document_id: str) -> None:
        """Remove a document and its chunks."""
        self._database.execute("DELETE FROM chunks WHERE document = ?", (document_id,))
        self._database.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._loaded.pop(document_id, None)

    def forget_loaded(self) -> None:
        """Read every document from the file again when it is loaded next."""
        self._loaded.clear()

    # -- chunks

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Return chunks by id; an unknown id is left out.

        Raises `LibraryBroken` for a row that does not match its checksum.
        """
        chunks = {}
        for chunk_id in chunk_ids:
            row = next(self._rows_with("id", [chunk_id]), None)
            if row is None:
                continue
            self.check(row)
            try:
                document = self.load(row.document)
            except Usage:  # another process has removed it since
                continue
            chunks[chunk_id] = row.chunk(document)
        return chunks

    def check(self, row: ChunkRow) -> None:
        """Raise `LibraryBroken` if a row does not match its checksum."""
        if not row.is_intact:
            names = ", ".join(self._files.sources(row.document)) or row.document
            raise LibraryBroken(
                f"{self._database.path}: a passage of {names} does not match its checksum", _CURE
            )

    def chunk_rows(self, document_id: str | None = None) -> Iterator[ChunkRow]:
        """Yield the rows of a document's chunks, or of all chunks by number, damaged or not."""
        if document_id is not None:
            return self._rows_with("document", [document_id])
        rows = self._database.execute(f"{SELECT_CHUNKS} ORDER BY number")
        return map(ChunkRow._make, rows)

    def _rows_with(self, column: str, values: Sequence[Any]) -> Iterator[ChunkRow]:
        """The rows of chunks that have one of `values` in `column`."""
        return map(ChunkRow._make, self._select_with(SELECT_CHUNKS, column, values))

    def _select_with(self, select: str, column: str, values: Sequence[Any]) -> Iterator[Any]:
        """The rows of `select` that have one of `values` in `column`."""
        for start in range(0, len(values), _MAX_VALUES):
            part = list(values[start : start + _MAX_VALUES])
            marks = ",".join("?" * len(part))
            yield from self._database.execute(
                f"{select} WHERE {column} IN ({marks})", part
            ).fetchall()

    def chunk_ids(self) -> set[str]:
        """Return the ids of all chunks; the postings of the index must have the same."""
        return {row[0] for row in self._database.execute("SELECT id FROM chunks")}

    def chunk_ids_named(self, names: Collection[str]) -> list[str]:
        """Return chunk ids of the documents whose source is, or ends with, one of the names."""
        document_ids = self._names.documents_named(names)
        return [
            chunk_id for document_id in document_ids for chunk_id in self.chunk_ids_of(document_id)
        ]

    def chunk_ids_of(self, document_id: str) -> list[str]:
        """Return the ids of the chunks of a document."""
        select = "SELECT id FROM chunks WHERE document = ?"
        return [row[0] for row in self._database.execute(select, (document_id,))]

    def texts(self, chunk_ids: Collection[str]) -> Iterator[ChunkText]:
        """Yield the texts of chunks, document by document.

        Raises `LibraryBroken` for a damaged one.
        """
        wanted = set(chunk_ids)
        rows = self._select_with("SELECT document FROM chunks", "id", list(chunk_ids))
        for document_id in sorted({row[0] for row in rows}):
            document = self.load(document_id)
            for row in self.chunk_rows(document_id):
                if row.id in wanted:
                    self.check(row)
                    yield ChunkText(row.id, document.title, row.heading, row.words_of(document))

    def add_chunk(self, chunk: Chunk, vector: NDArray[np.float32], key: bytes) -> int:
        """Store a chunk with its vector and the key of the embedded text; return its number."""
        place = (chunk.span.start, chunk.span.end, chunk.heading, chunk.line, chunk.page)
        content = (chunk.id, chunk.document, *place, key, vector.tobytes())
        units = json.dumps(units_to_json(chunk.units), ensure_ascii=False, separators=(",", ":"))
        cursor = self._database.execute(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*content, ChunkRow.checksum_of(content, units), units),
        )
        return int(cursor.lastrowid or 0)

    def delete_chunks(self, numbers: Iterable[int]) -> None:
        """Remove chunks by number."""
        self._database.executemany(
            "DELETE FROM chunks WHERE number = ?", [(number,) for number in numbers]
        )

    # -- vectors

    def reuse(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return stored vectors (bytes) by the keys of their texts, without damaged ones."""
        return {row.key: row.vector for row in self._rows_with("key", keys) if row.is_intact}

    def vectors(self, chunk_ids: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of chunks in the given order, float32, shape (n, dimension).

        Each of the chunks has a vector. Raises `LibraryBroken` for a damaged one.
        """
        import numpy as np

        stored = {}
        for row in self._rows_with("id", chunk_ids):
            self.check(row)
            stored[row.id] = row.vector
        joined = b"".join(stored[chunk_id] for chunk_id in chunk_ids)
        return np.frombuffer(joined, dtype=np.float32).reshape(len(chunk_ids), -1)

    def cosines(self, chunk_ids: Sequence[str], vector: NDArray[np.float32]) -> dict[str, float]:
        """Return the cosines of chunks with a unit vector, shape (dimension,).

        An unknown id, and a chunk without a vector or with one of another length, are left out.
        Checksums are not compared: a search shows few of a hundred rows, and `chunks` reads those
        again.
        """
        import numpy as np

        if not self._has_large_cache:
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            self._has_large_cache = True
        select = "SELECT id, vector FROM chunks"
        rows = [
            (chunk_id, stored)
            for chunk_id, stored in self._select_with(select, "id", chunk_ids)
            if len(stored) == vector.nbytes
        ]
        joined = b"".join(stored for _, stored in rows)
        matrix = np.frombuffer(joined, dtype=np.float32).reshape(-1, len(vector))
        cosines = (matrix @ vector).tolist()
        return dict(zip((chunk_id for chunk_id, _ in rows), cosines, strict=True))
