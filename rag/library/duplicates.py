"""Which chunks say the same: copies and light rewrites, found as they come in.

A chunk's shingles are put through 64 hash functions of which the least values are kept (MinHash; Broder 1997), four to a
band; two chunks with a band in common are candidates (locality-sensitive hashing; Indyk and Motwani 1998: at a
resemblance of 0.8 all but 2 in 10,000 pairs meet, at 0.6 nine of ten, at 0.2 one in forty). The numbers of a text are
part of its bands, so that a thousand pages that differ in theirs never meet. Candidates are proposals: `same` decides.

What is found is a label: the number of the first chunk of its kind. Only a new kind enters the bands, so a thousand
copies cost as much as one; its bands stay until its last chunk goes, so that whichever copy is removed, the others
stand and the next one is known. The tables are made from the chunks and hold nothing of their own: a library of an older
format gets them empty and the next `add` or `sync` fills them, and a chunk without a label is one of a kind. What is
hidden at question time never rests on a label: there the texts are compared again (`retrieve`).
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from hashlib import blake2b

from rag.domain import Copy, Span
from rag.text.copies import WordText, same_content

DUPLICATE_TABLES = """
CREATE TABLE twins(number INTEGER PRIMARY KEY, label INTEGER NOT NULL);
CREATE INDEX twins_label ON twins(label);
CREATE TABLE bands(band INTEGER NOT NULL, label INTEGER NOT NULL, PRIMARY KEY(band, label)) WITHOUT ROWID;
CREATE INDEX bands_label ON bands(label);
"""
_LABELS = "SELECT ifnull(t.label, c.number) FROM chunks c LEFT JOIN twins t ON t.number = c.number WHERE c.id IN"
_BANDS, _ROWS = 16, 4
_SEED = 1
_ASKED = 32  # labels looked at in one band: one that more share tells nothing
_TRIED = 6  # candidates whose texts are compared


def minhash_bands(texts: Sequence[WordText]) -> list[list[int]]:
    """For each text its bands, 64 bits each."""
    from datasketch import MinHash

    runs = [
        [zlib.crc32(" ".join(run).encode("utf-8", "surrogatepass")) for run in text.shingles]
        for text in texts
    ]
    out = []
    made = MinHash.generator(
        runs, num_perm=_BANDS * _ROWS, seed=_SEED, hashfunc=int, scheme="affine32"
    )
    for text, hashed in zip(texts, made, strict=True):
        numbers = " ".join(sorted(word for word in text.words if word[-1:].isdigit()))
        least, key = hashed.digest().tobytes(), numbers.encode("utf-8", "surrogatepass")
        size = 4 * _ROWS
        parts = [
            key + struct.pack("<B", at) + least[at * size : at * size + size]
            for at in range(_BANDS)
        ]
        out.append(
            [struct.unpack("<q", blake2b(part, digest_size=8).digest())[0] for part in parts]
        )
    return out


class Duplicates:
    """The labels of the chunks of an open library. `put` and `drop` are called inside the transaction that changes the chunks."""

    def __init__(
        self, db: sqlite3.Connection, writing: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._db, self._writing = db, writing

    def put(self, chunks: Sequence[tuple[int, WordText]]) -> None:
        """Label chunks: (number, text) of each."""
        for (number, text), keys in zip(
            chunks, minhash_bands([text for _, text in chunks]), strict=True
        ):
            label = self._known(text, keys)
            if label is None:
                label = number
                self._db.executemany(
                    "INSERT OR IGNORE INTO bands VALUES (?, ?)", [(key, label) for key in keys]
                )
            self._db.execute("INSERT OR REPLACE INTO twins VALUES (?, ?)", (number, label))

    def _known(self, text: WordText, keys: Sequence[int]) -> int | None:
        """The label of a chunk that says the same."""
        for label, _ in Counter(self._met(keys)).most_common(_TRIED):
            row = self._db.execute(
                "SELECT d.title, c.heading, substr(d.text, c.start + 1, c.end - c.start) FROM twins t "
                "JOIN chunks c ON c.number = t.number JOIN documents d ON d.id = c.document WHERE t.label = ? LIMIT 1",
                (label,),
            ).fetchone()
            if row and same_content(text, WordText(row[2], f"{row[0]} {row[1]}")):
                return label
        return None

    def _met(self, keys: Sequence[int]) -> list[int]:
        """The labels that are in these bands, each as often as it is in one."""
        most, marks = _ASKED * len(keys), ",".join("?" * len(keys))
        select = f"SELECT label FROM bands WHERE band IN ({marks}) LIMIT ?"  # noqa: S608  # one query costs a third of sixteen
        found = [row[0] for row in self._db.execute(select, (*keys, most))]
        if len(found) < most:
            return found
        one = "SELECT label FROM bands WHERE band = ? LIMIT ?"  # a band that many share must not keep the others out
        return [row[0] for key in keys for row in self._db.execute(one, (key, _ASKED))]

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget chunks; a label that no chunk has any more goes with its bands."""
        for number in numbers:
            row = self._db.execute(
                "DELETE FROM twins WHERE number = ? RETURNING label", (number,)
            ).fetchone()
            if row and not self._db.execute("SELECT 1 FROM twins WHERE label = ?", row).fetchone():
                self._db.execute("DELETE FROM bands WHERE label = ?", row)

    def catch_up(self, most: int = 2048) -> int:
        """Label chunks that have no label, at most so many, in a transaction: a library of an older format has them. How many?"""
        rows = self._db.execute(
            "SELECT c.number, d.title, c.heading, substr(d.text, c.start + 1, c.end - c.start) FROM chunks c "
            "JOIN documents d ON d.id = c.document WHERE c.number NOT IN (SELECT number FROM twins) "
            "ORDER BY c.number LIMIT ?",
            (most,),
        ).fetchall()
        if rows:
            with self._writing():
                self.put(
                    [
                        (number, WordText(text, f"{title} {heading}"))
                        for number, title, heading, text in rows
                    ]
                )
        return len(rows)

    def labels(self, names: Iterable[str]) -> set[int]:
        """The different labels among chunks, by their ids; one that has none counts by its own number."""
        found, many = set[int](), list(names)
        for at in range(0, len(many), 500):
            part = many[at : at + 500]
            found |= {
                row[0] for row in self._db.execute(f"{_LABELS} ({','.join('?' * len(part))})", part)
            }
        return found

    def copies(self, name: str) -> list[Copy]:
        """Where else the text of a chunk stands: the chunks of its label under every name of their documents."""
        rows = self._db.execute(
            "SELECT f.source, c.document, c.start, c.end FROM chunks me JOIN twins t ON t.number = me.number "
            "JOIN twins o ON o.label = t.label JOIN chunks c ON c.number = o.number JOIN files f ON f.document = c.document "
            "WHERE me.id = ? ORDER BY length(f.source), f.source, c.start",
            (name,),
        )
        return [Copy(source, document, Span(start, end)) for source, document, start, end in rows]
