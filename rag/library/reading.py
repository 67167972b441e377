"""Reading of a library: documents, chunks and vectors, each compared with its checksum.

`library` writes what this module reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.disk.paths import within
from rag.domain import Chunk, Document, Span
from rag.errors import LibraryBroken, Usage
from rag.library.files import KnownFile, SourceFiles
from rag.library.schema import checksum, spans_from_pairs
from rag.text.units import units_from_json, units_within
from rag.text.view import view_of

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
_COLUMNS = "id, document, start, end, heading, line, page, key, vector, checksum"


class Documents(SourceFiles):
    """The documents of an open library. `Library` is one of these."""

    def __init__(self, path: Path, *, make: bool) -> None:
        super().__init__(path, make=make)
        self._texts: dict[str, Document] = {}  # document id -> document
        self._has_large_cache = False

    def find(self, name: str) -> Document:
        """Return a document by its id, source, path, or the end of its source.

        Raises `Usage` if no document or more than one fits.
        """
        conditions = "source = ?1", "document = ?1", "path = ?1"
        rows = next(
            (rows for condition in conditions if (rows := self._select(condition, name))), []
        ) or self._select_by_ending(name)
        if not rows and (ending := _ending_of(name)):
            rows = self._select("lower(substr(source, -length(?1))) = lower(?1)", ending)
        document_ids = {row[0] for row in rows}
        if len(document_ids) != 1:
            raise _unclear_name(name, len(document_ids))
        source = rows[0][1]
        path, member = self._db.execute(
            "SELECT path, member FROM files WHERE source = ?", (source,)
        ).fetchone()
        return replace(self.document(rows[0][0]), source=source, path="" if member else path)

    def _select(self, condition: str, name: str) -> list[tuple[str, str]]:
        """Document ids and sources of the files that meet an SQL condition on ?1, the name."""
        select = (
            "SELECT DISTINCT document, source FROM files "  # noqa: S608
            f"WHERE document IS NOT NULL AND {condition}"
        )
        return self._db.execute(select, (name,)).fetchall()

    def _select_by_ending(self, name: str) -> list[tuple[str, str]]:
        """Document ids and sources of the files whose source ends with "/" and the name.

        Compared as text: LIKE would take the name for a pattern and refuses a long one.
        """
        ending = _ending_of(name)
        return self._select("substr(source, -length(?1)) = ?1", ending) if ending else []

    def files_named(self, name: str) -> tuple[list[KnownFile], list[str]]:
        """Return the files and the roots that `name` means to a user who removes it.

        `name` is the id, source or path of a document, or a folder above it; else a path from the
        current folder; else the end of one source. Raises `Usage` if none of these fits, or if the
        sources of several documents end with it.
        """
        if all(part.strip() in ("", ".", "..") for part in name.split("/")):
            raise Usage(
                f"{name!r} names no document and no folder",
                "footnote list shows the names that can be removed",
            )
        known_files = list(self.files().values())
        top = name.rstrip("/")
        files = [known for known in known_files if _is_named(name, known)]
        if not files and (path := _absolute_path(name)):
            files, top = [known for known in known_files if within(known.path, {path})], path
        roots = [root for root in self.roots() if within(root, {top})]
        if not files and not roots:
            rows = self._select_by_ending(name)
            if len({document_id for document_id, _ in rows}) != 1:
                raise _unclear_name(name, len(rows))
            files = [known for known in known_files if known.source == rows[0][1]]
        places = {known.place for known in files}
        kept_paths = {known.path for known in known_files if known.place not in places}
        removed_paths = {known.path for known in files} - kept_paths
        emptied = {
            root
            for root in self.roots()
            if root in removed_paths
            or (
                os.path.basename(root)
                == name.rstrip("/")  # the folder by the name that it has here
                and any(within(path, {root}) for path in removed_paths)
                and not any(within(path, {root}) for path in kept_paths)
            )
        }
        return files, sorted({*roots, *emptied})

    def document(self, document_id: str) -> Document:
        """Return a document by its id. Raises `Usage` if there is none.

        Raises `LibraryBroken` naming the document if it does not match its checksum.
        """
        if document_id in self._texts:
            return self._texts[document_id]
        select = "SELECT id, title, date, text, spans, checksum FROM documents WHERE id = ?"
        row = self._db.execute(select, (document_id,)).fetchone()
        sources = self.sources(document_id)
        if row is None and sources:  # another process may have stored it in between
            row = self._db.execute(select, (document_id,)).fetchone()
        if row is None and not sources:
            raise Usage(f"there is no document {document_id!r}", "footnote list shows them all")
        if row is None or checksum(*row[:5]) != row[5]:
            names = ", ".join(sources) or document_id
            raise LibraryBroken(
                f"{self._path}: the text of {names} is missing or does not match its checksum",
                _CURE,
            )
        if len(self._texts) > _MAX_CACHED_DOCUMENTS:
            self._texts.clear()
        document = _document_from_row(row, sources[0] if sources else document_id)
        self._texts[document_id] = document
        return document

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Return chunks by id; an unknown id is left out.

        Raises `LibraryBroken` for a row that does not match its checksum.
        """
        chunks = {}
        for chunk_id in chunk_ids:
            row = next(self._chunk_rows("id", [chunk_id]), None)
            if row is None:
                continue
            self._check_row(row)
            try:
                document = self.document(row[1])
            except Usage:  # another process has removed it since
                continue
            span = Span(row[2], row[3])
            text, about = span.of(document.text), (document.source, document.title, document.date)
            units = units_within(document.units, span)
            chunks[chunk_id] = Chunk(
                row[0], row[1], *about, row[4], span, text, row[5], row[6], units
            )
        return chunks

    def _check_row(self, row: Sequence[Any]) -> None:
        """Raise `LibraryBroken` if a row of `_COLUMNS` does not match its checksum."""
        if checksum(*row[:9]) != row[9]:
            names = ", ".join(self.sources(row[1])) or row[1]
            raise LibraryBroken(
                f"{self._path}: a passage of {names} does not match its checksum", _CURE
            )

    def reuse(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return stored vectors (bytes) by the keys of their texts, without damaged ones."""
        rows = self._chunk_rows("key", keys)
        return {row[7]: row[8] for row in rows if checksum(*row[:9]) == row[9]}

    def _chunk_rows(
        self, column: str, values: Sequence[Any], select: str = _COLUMNS
    ) -> Iterator[Any]:
        """Rows of chunks that have one of `values` in `column`."""
        for start in range(0, len(values), _MAX_VALUES):
            part = list(values[start : start + _MAX_VALUES])
            marks = ",".join("?" * len(part))
            yield from self._db.execute(
                f"SELECT {select} FROM chunks WHERE {column} IN ({marks})",  # noqa: S608
                part,
            ).fetchall()

    def ids(self) -> set[str]:
        """Return the ids of all chunks; the index must have the same."""
        return {row[0] for row in self._db.execute("SELECT id FROM chunks")}

    def texts(self, chunk_ids: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
        """Yield (chunk id, title, heading, text) of chunks, document by document.

        Raises `LibraryBroken` for a damaged one.
        """
        wanted = set(chunk_ids)
        rows = self._chunk_rows("id", list(chunk_ids), "document")
        for document_id in sorted({row[0] for row in rows}):
            document = self.document(document_id)
            for row in self._chunk_rows("document", [document_id]):
                if row[0] in wanted:
                    self._check_row(row)
                    span = Span(row[2], row[3])
                    chunk = Chunk(
                        row[0], row[1], "", "", None, row[4], span, span.of(document.text), 1, 1,
                        units_within(document.units, span),
                    )
                    yield row[0], document.title, row[4], view_of(chunk).text

    def vectors(self, chunk_ids: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of chunks in the given order, float32, shape (n, dimension).

        Raises `LibraryBroken` for a damaged one.
        """
        import numpy as np

        stored = {}
        for row in self._chunk_rows("id", chunk_ids):
            self._check_row(row)
            stored[row[0]] = row[8]
        joined = b"".join(stored[chunk_id] for chunk_id in chunk_ids)
        return np.frombuffer(joined, dtype=np.float32).reshape(len(chunk_ids), -1)

    def cosines(self, chunk_ids: Sequence[str], vector: NDArray[np.float32]) -> dict[str, float]:
        """Return the cosines of chunks with a unit vector, shape (dimension,).

        An unknown id and a vector of another length are left out. Checksums are not compared: a
        search shows few of a hundred rows, and `chunks` reads those again.
        """
        import numpy as np

        if not self._has_large_cache:
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            self._has_large_cache = True
        rows = [
            row
            for row in self._chunk_rows("id", chunk_ids, "id, vector")
            if len(row[1]) == vector.nbytes
        ]
        joined = b"".join(row[1] for row in rows)
        matrix = np.frombuffer(joined, dtype=np.float32).reshape(-1, len(vector))
        return dict(zip((row[0] for row in rows), (matrix @ vector).tolist(), strict=True))


def _document_from_row(row: Sequence[Any], source: str) -> Document:
    """Make a document of a row (id, title, date, text, spans as JSON, checksum)."""
    document_id, title, date, text, spans, _ = row
    mask, pages, headings, *units = json.loads(spans)
    return Document(
        document_id,
        source,
        title,
        date,
        text,
        spans_from_pairs(mask),
        spans_from_pairs(pages),
        tuple((Span(start, end), heading) for start, end, heading in headings),
        units=units_from_json(units[0], len(text)) if units else (),
    )


def _is_named(name: str, known: KnownFile) -> bool:
    """Whether `name` is the id, source or path of a file, or a folder above it."""
    return (
        name in (known.document, known.source)
        or known.source.startswith(name.rstrip("/") + "/")
        or within(known.path, {name.rstrip("/")}) is not None
    )


def _absolute_path(name: str) -> str:
    """The absolute path of `name` from the current folder; "" if it has none."""
    try:
        return os.path.abspath(name)
    except (OSError, ValueError):
        return ""


def _ending_of(name: str) -> str:
    """The end of every source that `name` may stand for; "" if the name is blank."""
    while name.startswith(("./", "/")):
        name = name[1 + name.startswith("./") :]
    return f"/{name}" if name.strip() else ""


def _unclear_name(name: str, count: int) -> Usage:
    """The error for a name that `count` documents have."""
    problem = f"{count} documents are called" if count else "there is no document called"
    return Usage(f"{problem} {name!r}", "footnote list shows them all")
