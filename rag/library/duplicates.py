"""Near duplicates among chunks: copies and light rewrites, found when chunks are stored.

Candidates come from MinHash (Broder 1997) with locality-sensitive hashing (Indyk and Motwani 1998):
64 hash functions over a chunk's shingles, of which the least values are kept, four to a band. Two
chunks with a common band are candidates. At a resemblance of 0.8 all but 2 in 10,000 pairs become
candidates, at 0.6 nine of ten, at 0.2 one in forty. The numbers in a text are part of its bands, so
a thousand pages that differ only in their numbers never become candidates. `same_content` decides.

The result is a label: the number of the first chunk with this content. Only new content enters the
bands, so a thousand copies cost as much as one. Its bands stay until its last chunk is removed, so
the removal of one copy does not affect the others. The tables are made from the chunks. A library
of an older format gets them empty and the next `add` or `sync` fills them; a chunk without a label
counts as unique. A search does not hide a passage by its label alone: `retrieve` compares the texts
again.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from rag.domain import Copy, Span
from rag.library.database import Database
from rag.text.copies import WordText, same_content

DUPLICATE_TABLES = """
CREATE TABLE twins(number INTEGER PRIMARY KEY, label INTEGER NOT NULL);
CREATE INDEX twins_label ON twins(label);
CREATE TABLE bands(band INTEGER NOT NULL, label INTEGER NOT NULL, PRIMARY KEY(band, label)) \
WITHOUT ROWID;
CREATE INDEX bands_label ON bands(label);
"""
_SELECT_TEXTS = (
    "SELECT c.number, d.title, c.heading, substr(d.text, c.start + 1, c.end - c.start) "
    "FROM chunks c JOIN documents d ON d.id = c.document"
)
_SELECT_LABELS = (
    "SELECT ifnull(t.label, c.number) FROM chunks c "
    "LEFT JOIN twins t ON t.number = c.number WHERE c.id IN"
)
_BANDS, _HASHES_PER_BAND = 16, 4
_SEED = 1
#: labels that are read of one band; a band that more chunks share is no evidence
_MAX_LABELS_PER_BAND = 32
#: candidates whose texts are compared
_MAX_CANDIDATES = 6
#: values in one SQL statement
_MAX_VALUES = 500


class _ChunkText(NamedTuple):
    """A row of `_SELECT_TEXTS`."""

    number: int
    title: str
    heading: str
    text: str

    @property
    def words(self) -> WordText:
        """The words of the text, and of what stands above it."""
        return WordText(self.text, f"{self.title} {self.heading}")


def minhash_bands(texts: Sequence[WordText]) -> list[list[int]]:
    """Return the bands of each text: 16 signed 64-bit integers."""
    from datasketch import MinHash

    shingle_hashes = [
        [zlib.crc32(" ".join(run).encode("utf-8", "surrogatepass")) for run in text.shingles]
        for text in texts
    ]
    minhashes = MinHash.generator(
        shingle_hashes,
        num_perm=_BANDS * _HASHES_PER_BAND,
        seed=_SEED,
        hashfunc=int,
        scheme="affine32",
    )
    return [
        _bands(text, minhash.digest().tobytes())
        for text, minhash in zip(texts, minhashes, strict=True)
    ]


def _bands(text: WordText, least_hashes: bytes) -> list[int]:
    """Hash each group of least hash values (4 bytes each) with the numbers in the text."""
    numbers = " ".join(sorted(word for word in text.words if word[-1:].isdigit()))
    prefix = numbers.encode("utf-8", "surrogatepass")
    size = 4 * _HASHES_PER_BAND
    keys = [
        prefix + struct.pack("<B", band) + least_hashes[band * size : (band + 1) * size]
        for band in range(_BANDS)
    ]
    return [struct.unpack("<q", blake2b(key, digest_size=8).digest())[0] for key in keys]


class Duplicates:
    """The labels of the chunks of an open library.

    `put` and `drop` are called inside the transaction that changes the chunks.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_empty(self) -> bool:
        """Whether no chunk has a label."""
        return self._database.execute("SELECT 1 FROM twins LIMIT 1").fetchone() is None

    def put(self, chunks: Sequence[tuple[int, WordText]]) -> None:
        """Label chunks, given as (number, text)."""
        bands_of_chunks = minhash_bands([text for _, text in chunks])
        known = dict[int, WordText]()  # SQLite reads a document up to the chunk for each of them
        for (number, text), bands in zip(chunks, bands_of_chunks, strict=True):
            label = self._find_label(text, bands, known)
            if label is None:
                label = number
                self._database.executemany(
                    "INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, label) for band in bands]
                )
            self._database.execute("INSERT OR REPLACE INTO twins VALUES (?, ?)", (number, label))

    def _find_label(
        self, text: WordText, bands: Sequence[int], known: dict[int, WordText]
    ) -> int | None:
        """The label of a chunk with the same content, None if there is none.

        `known` are the texts of labels that were read before; those that are read are added.
        """
        candidates = Counter(self._labels_in(bands)).most_common(_MAX_CANDIDATES)
        for label, _ in candidates:
            if label not in known:
                select = f"{_SELECT_TEXTS} JOIN twins t USING (number) WHERE t.label = ? LIMIT 1"
                row = self._database.execute(select, (label,)).fetchone()
                if not row:
                    continue
                known[label] = _ChunkText(*row).words
            if same_content(text, known[label]):
                return label
        return None

    def _labels_in(self, bands: Sequence[int]) -> list[int]:
        """The labels in these bands, each once for every band that it is in."""
        limit, marks = _MAX_LABELS_PER_BAND * len(bands), ",".join("?" * len(bands))
        # one query costs a third of sixteen
        select = f"SELECT label FROM bands WHERE band IN ({marks}) LIMIT ?"  # noqa: S608
        labels = [row[0] for row in self._database.execute(select, (*bands, limit))]
        if len(labels) < limit:
            return labels
        # a band that many chunks share must not exclude the labels of the others
        select = "SELECT label FROM bands WHERE band = ? LIMIT ?"
        return [
            row[0]
            for band in bands
            for row in self._database.execute(select, (band, _MAX_LABELS_PER_BAND))
        ]

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget chunks by number; a label that no chunk has any more goes with its bands."""
        for number in numbers:
            row = self._database.execute(
                "DELETE FROM twins WHERE number = ? RETURNING label", (number,)
            ).fetchone()
            if (
                row
                and not self._database.execute(
                    "SELECT 1 FROM twins WHERE label = ?", row
                ).fetchone()
            ):
                self._database.execute("DELETE FROM bands WHERE label = ?", row)

    def catch_up(self, limit: int = 2048) -> int:
        """Label up to `limit` chunks that have no label, in one transaction; return how many.

        A library of an older format has such chunks.
        """
        unlabelled = "c.number NOT IN (SELECT number FROM twins)"
        select = f"{_SELECT_TEXTS} WHERE {unlabelled} ORDER BY c.number LIMIT ?"
        rows = [_ChunkText(*row) for row in self._database.execute(select, (limit,))]
        if rows:
            with self._database.writing():
                self.put([(row.number, row.words) for row in rows])
        return len(rows)

    def labels(self, chunk_ids: Iterable[str]) -> set[int]:
        """Return the labels of chunks; the number of a chunk that has none."""
        labels, remaining = set[int](), list(chunk_ids)
        for start in range(0, len(remaining), _MAX_VALUES):
            part = remaining[start : start + _MAX_VALUES]
            marks = ",".join("?" * len(part))
            labels |= {
                row[0] for row in self._database.execute(f"{_SELECT_LABELS} ({marks})", part)
            }
        return labels

    def shared_counts(self) -> dict[str, int]:
        """Return how many chunks each document shares with others, by its id, without zeros."""
        rows = self._database.execute(
            "SELECT c.document, count(*) FROM twins t JOIN chunks c ON c.number = t.number "
            "WHERE t.label IN (SELECT o.label FROM twins o JOIN chunks d ON d.number = o.number "
            "GROUP BY o.label HAVING min(d.document) <> max(d.document)) GROUP BY c.document"
        )
        return dict(rows)

    def sharing(self, document_id: str) -> dict[str, int]:
        """Return the other documents with content of this one, and how much: chunks, by id."""
        rows = self._database.execute(
            "SELECT d.document, count(*) FROM twins o JOIN chunks d ON d.number = o.number "
            "WHERE d.document <> ?1 AND o.label IN (SELECT t.label FROM twins t "
            "JOIN chunks c ON c.number = t.number WHERE c.document = ?1) "
            "GROUP BY d.document ORDER BY count(*) DESC, d.document",
            (document_id,),
        )
        return dict(rows)

    def copies(self, chunk_id: str) -> list[Copy]:
        """Return every place of a chunk's content: the chunks of its label, in all their files."""
        rows = self._database.execute(
            "SELECT f.source, c.document, c.start, c.end FROM chunks me "
            "JOIN twins t ON t.number = me.number JOIN twins o ON o.label = t.label "
            "JOIN chunks c ON c.number = o.number JOIN files f ON f.document = c.document "
            "WHERE me.id = ? ORDER BY length(f.source), f.source, c.start",
            (chunk_id,),
        )
        return [Copy(source, document, Span(start, end)) for source, document, start, end in rows]
