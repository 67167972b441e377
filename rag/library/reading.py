"""What a library holds, read: documents, chunks and vectors, each against its checksum. The other half of `library`, which writes."""

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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CACHE = 32_768  # KB of pages that SQLite keeps for who looks things up, 2,048 for who only adds documents
_CURE = "run: footnote doctor --repair"
_COLUMNS = "id, document, start, end, heading, line, page, key, vector, checksum"


class Documents(SourceFiles):
    """The documents of an open library. `Library` is one of these."""

    def __init__(self, path: Path, *, make: bool) -> None:
        super().__init__(path, make=make)
        self._texts: dict[str, Document] = {}
        self._roomy = False

    def find(self, name: str) -> Document:
        """A document by id, source, path, or the end of a source. Raises `Usage` where none or several fit."""
        wheres = "source = ?1", "document = ?1", "path = ?1"
        rows = next(
            (rows for where in wheres if (rows := self._found(where, name))), []
        ) or self._ending(name)
        if not rows and (tail := _tail(name)):
            rows = self._found("lower(substr(source, -length(?1))) = lower(?1)", tail)
        found = {row[0] for row in rows}
        if len(found) != 1:
            raise _unclear(name, len(found))
        source = rows[0][1]
        path, member = self._db.execute(
            "SELECT path, member FROM files WHERE source = ?", (source,)
        ).fetchone()
        return replace(self.document(rows[0][0]), source=source, path="" if member else path)

    def _found(self, where: str, name: str) -> list[tuple[str, str]]:
        """Ids and sources of the documents for which the condition holds, ?1 being the name."""
        select = (
            f"SELECT DISTINCT document, source FROM files WHERE document IS NOT NULL AND {where}"  # noqa: S608
        )
        return self._db.execute(select, (name,)).fetchall()

    def _ending(self, name: str) -> list[tuple[str, str]]:
        """Those whose source ends with the name, by whole names.

        Compared as text: LIKE would take the name for a pattern, and refuses a long one.
        """
        tail = _tail(name)
        return self._found("substr(source, -length(?1)) = ?1", tail) if tail else []

    def held(self, name: str) -> tuple[list[KnownFile], list[str]]:
        """What `name` means to somebody who removes it, and the roots that go with it.

        It is the id, source or path of a document or a folder above it, else a path from the current
        folder, else the end of one source. Raises `Usage` where none of these fits, or several end so.
        """
        if all(part.strip() in ("", ".", "..") for part in name.split("/")):
            raise Usage(
                f"{name!r} names no document and no folder",
                "footnote list shows the names that can be removed",
            )
        known = list(self.files().values())
        top = name.rstrip("/")
        found = [k for k in known if _means(name, k)]
        if not found and (here := _here(name)):
            found, top = [k for k in known if within(k.path, {here})], here
        roots = [root for root in self.roots() if within(root, {top})]
        if not found and not roots:
            ends = self._ending(name)
            if len({document for document, _ in ends}) != 1:
                raise _unclear(name, len(ends))
            found = [k for k in known if k.source == ends[0][1]]
        places = {k.place for k in found}
        gone = {k.path for k in found} - {k.path for k in known if k.place not in places}
        return found, sorted({*roots, *gone.intersection(self.roots())})

    def document(self, name: str) -> Document:
        """A document by its id, its checksum compared. Raises `LibraryBroken` naming the document."""
        if name in self._texts:
            return self._texts[name]
        select = "SELECT id, title, date, text, spans, checksum FROM documents WHERE id = ?"
        row = self._db.execute(select, (name,)).fetchone()
        sources = self.sources(name)
        if row is None and sources:  # unless another process has put it there in between
            row = self._db.execute(select, (name,)).fetchone()
        if row is None and not sources:
            raise Usage(f"there is no document {name!r}", "footnote list shows them all")
        if row is None or checksum(*row[:5]) != row[5]:
            called = ", ".join(sources) or name
            raise LibraryBroken(
                f"{self._path}: the text of {called} is missing or does not match its checksum",
                _CURE,
            )
        mask, pages, headings = json.loads(row[4])
        document = Document(
            row[0], sources[0] if sources else name, row[1], row[2], row[3], spans_from_pairs(mask), spans_from_pairs(pages),
            tuple((Span(s, e), h) for s, e, h in headings),
        )  # fmt: skip
        if len(self._texts) > 64:
            self._texts.clear()
        self._texts[name] = document
        return document

    def chunks(self, names: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id; an unknown id is left out. Raises `LibraryBroken` for a row that fails its checksum."""
        found = {}
        for name in names:
            row = next(self._many("id", [name]), None)
            if row is None:
                continue
            self._hold(row)
            try:
                document = self.document(row[1])
            except Usage:  # another process removed it since
                continue
            span = Span(row[2], row[3])
            text, about = span.of(document.text), (document.source, document.title, document.date)
            found[name] = Chunk(row[0], row[1], *about, row[4], span, text, row[5], row[6])
        return found

    def _hold(self, row: Sequence[Any]) -> None:
        """Raises `LibraryBroken` where a row of `_COLUMNS` fails its checksum."""
        if checksum(*row[:9]) != row[9]:
            names = ", ".join(self.sources(row[1])) or row[1]
            raise LibraryBroken(
                f"{self._path}: a passage of {names} does not match its checksum", _CURE
            )

    def reuse(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Vectors that are here already, by the key of the text that was embedded. A damaged one is not given."""
        rows = self._many("key", keys)
        return {row[7]: row[8] for row in rows if checksum(*row[:9]) == row[9]}

    def _many(self, column: str, values: Sequence[Any], select: str = _COLUMNS) -> Iterator[Any]:
        for at in range(0, len(values), 500):
            part = list(values[at : at + 500])
            marks = ",".join("?" * len(part))
            yield from self._db.execute(
                f"SELECT {select} FROM chunks WHERE {column} IN ({marks})", part
            ).fetchall()

    def ids(self) -> set[str]:
        """The ids of all chunks: what the index must hold."""
        return {row[0] for row in self._db.execute("SELECT id FROM chunks")}

    def texts(self, names: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
        """Id, title, heading and text of chunks, document by document. Raises `LibraryBroken` where one is damaged."""
        sought = set(names)
        for document in sorted({row[0] for row in self._many("id", list(names), "document")}):
            whole = self.document(document)
            for row in self._many("document", [document]):
                if row[0] in sought:
                    self._hold(row)
                    yield row[0], whole.title, row[4], whole.text[row[2] : row[3]]

    def vectors(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of chunks, float32, shape (n, dimension), in the order of `names`. Raises `LibraryBroken` for a damaged one."""
        import numpy as np

        found = {}
        for row in self._many("id", names):
            self._hold(row)
            found[row[0]] = row[8]
        return np.frombuffer(b"".join(found[name] for name in names), dtype=np.float32).reshape(
            len(names), -1
        )

    def cosines(self, names: Sequence[str], vector: NDArray[np.float32]) -> dict[str, float]:
        """Cosines of chunks with a unit vector; an unknown id is left out. Raises `LibraryBroken` for one that is none.

        Checksums are not compared here: of a hundred rows a few are shown, and those are read again, by `chunks`.
        """
        import numpy as np

        if not self._roomy:
            self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
            self._roomy = True
        rows = [
            row for row in self._many("id", names, "id, vector") if len(row[1]) == vector.nbytes
        ]
        found = (
            np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32).reshape(
                -1, len(vector)
            )
            @ vector
        )
        return dict(zip((row[0] for row in rows), found.tolist(), strict=True))


def _means(name: str, known: KnownFile) -> bool:
    """Is `name` the id, source or path of this one, or a folder above it?"""
    return (
        name in (known.document, known.source)
        or known.source.startswith(name.rstrip("/") + "/")
        or within(known.path, {name.rstrip("/")}) is not None
    )


def _here(name: str) -> str:
    """The absolute path that `name` is from the current folder; "" where there is none."""
    try:
        return os.path.abspath(name)
    except (OSError, ValueError):
        return ""


def _tail(name: str) -> str:
    """What a source ends with that is called `name`; "" where the name is blank."""
    while name.startswith(("./", "/")):
        name = name[1 + name.startswith("./") :]
    return f"/{name}" if name.strip() else ""


def _unclear(name: str, fitting: int) -> Usage:
    what = f"{fitting} documents are called" if fitting else "there is no document called"
    return Usage(f"{what} {name!r}", "footnote list shows them all")
