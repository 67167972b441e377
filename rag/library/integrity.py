"""Check of an open library, row by row, and removal or remaking of damaged rows.

SQLite's own check detects a broken page, not a flipped bit inside a value; the checksums of the
rows detect that. `fulltext_check` compares the table of words, which has no checksums.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

from rag.disk.disk_errors import is_damage
from rag.domain import Document
from rag.errors import LibraryBroken, RagError
from rag.library.boilerplate import BoilerplateTable
from rag.library.database import failed_pages
from rag.library.duplicates import Duplicates
from rag.library.fulltext import FullText
from rag.library.fulltext_check import FullTextCheck
from rag.library.history import History, decode_text
from rag.library.schema import checksum
from rag.library.table_check import missing_parts

_SELECT_DOCUMENTS = "SELECT id, title, date, text, spans, checksum FROM documents"
_SELECT_CHUNKS = (
    "SELECT id, document, start, end, heading, line, page, key, vector, checksum, number "
    "FROM chunks"
)
#: columns of the table of files, each with the SQLite types that its values may have
_FILE_TYPES = {
    "path": "text",
    "source": "text",
    "document": "text null",
    "sha256": "text",
    "reason": "text null",
    "cure": "text null",
    "size": "integer",
    "mtime": "integer",
}
_ROOT_TYPES = {"path": "text"}


@dataclass(slots=True)
class Damage:
    """The damaged rows of a library."""

    #: ids of documents whose text is damaged or missing
    texts: set[str] = field(default_factory=set)
    #: ids of documents with a sound text and a damaged or missing passage
    passages: set[str] = field(default_factory=set)
    #: numbers of chunks without a document
    strays: set[int] = field(default_factory=set)
    #: ids of undamaged documents without a file
    orphans: set[str] = field(default_factory=set)
    #: (table, path) of invalid rows of the tables of files and roots
    records: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def documents(self) -> set[str]:
        """Ids of all damaged documents."""
        return self.texts | self.passages


class Integrity:
    """Checks and repairs the rows of one library.

    `load_document` returns a document by its id or raises a `RagError`. `open_history` opens the
    conversations or raises one.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        load_document: Callable[[str], Document],
        open_history: Callable[[], History],
        words: FullText,
        twins: Duplicates,
        templates: BoilerplateTable,
    ) -> None:
        self._db, self._load_document, self._open_history = db, load_document, open_history
        self._words, self._twins, self._templates = words, twins, templates
        self._fulltext_check = FullTextCheck(db, load_document)

    def damage(self) -> Damage:
        """Read every row of documents, chunks, files and roots, and return the damaged ones.

        Raises `sqlite3.Error` if a page cannot be read.
        """
        damage, present = Damage(), set[str]()
        for row in self._db.execute(_SELECT_DOCUMENTS):
            present.add(row[0])
            if checksum(*row[:5]) != row[5]:
                damage.texts.add(row[0])
        select = "SELECT DISTINCT document FROM files WHERE typeof(document) = 'text'"
        expected = {row[0] for row in self._db.execute(select)}
        damage.records = [
            *self._invalid_rows("files", _FILE_TYPES),
            *self._invalid_rows("roots", _ROOT_TYPES),
        ]
        damage.texts |= expected - present
        damage.orphans = present - expected - damage.texts
        self._check_chunks(damage, present)
        with_chunks = {row[0] for row in self._db.execute("SELECT DISTINCT document FROM chunks")}
        without_chunks = present - with_chunks - damage.texts
        damage.passages |= {i for i in without_chunks if self._has_visible_words(i)}
        damage.passages -= damage.texts
        return damage

    def _check_chunks(self, damage: Damage, present: set[str]) -> None:
        """Add to `damage` the strays, and the documents (among `present`) with damaged chunks.

        A document's chunks have consecutive numbers. A stray may have belonged to the document of
        the chunk before or after it, so both count as damaged.
        """
        previous_id, previous_is_stray = "", False
        for row in self._db.execute(_SELECT_CHUNKS + " ORDER BY number"):
            document_id = row[1]
            if previous_is_stray and document_id in present:
                damage.passages.add(document_id)
            previous_is_stray = document_id not in present
            if previous_is_stray:
                damage.strays.add(row[10])
                damage.passages |= {previous_id} & present
            elif checksum(*row[:9]) != row[9]:
                damage.passages.add(document_id)
            previous_id = document_id

    def _has_visible_words(self, document_id: str) -> bool:
        """Whether a document has a word outside its mask, and so must have passages."""
        try:
            document = self._load_document(document_id)
        except RagError:
            return False
        visible = list(document.text)
        for span in document.mask:
            visible[span.start : span.end] = " " * (span.end - span.start)
        return any(map(str.isalnum, visible))

    def sources(self, document_ids: set[str]) -> list[str]:
        """Return the sources of documents, sorted; the id of a document without a file."""
        names: list[str] = []
        for document_id in document_ids:
            rows = self._db.execute(
                "SELECT source FROM files WHERE document = ?", (document_id,)
            ).fetchall()
            names += [str(row[0]) for row in rows] or [str(document_id)]
        return sorted(names)

    def wrong(self) -> list[str]:
        """Return a sentence for each problem of the library."""
        problems = [f"library.db: {line}" for line in failed_pages(self._db)]
        try:
            problems += [f"library.db: {line}" for line in missing_parts(self._db)]
            problems += self._problems_of_rows(self.damage())
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            problems.append(f"library.db: {error}")
        return problems + self._problems_of_history()

    def _problems_of_rows(self, damage: Damage) -> Iterator[str]:
        if damage.documents:
            yield f"damaged: {', '.join(self.sources(damage.documents))}"
        if damage.strays:
            yield f"{len(damage.strays)} passages belong to no document"
        if damage.orphans:
            yield f"no file is known for {', '.join(sorted(map(str, damage.orphans)))}"
        if damage.records:
            yield f"{len(damage.records)} entries in the list of files are invalid"
        if not self.words_agree(damage):
            yield "the table of words does not agree with the documents"

    def _problems_of_history(self) -> list[str]:
        try:
            history = self._open_history()
            problems = [f"history.db: {line}" for line in history.pages()]
            if not history.indexed():
                problems.append("history.db: its index is missing")
            turns = history.damaged()
        except LibraryBroken as error:
            return [str(error)]
        if turns:
            problems.append(f"damaged: the saved answers to {', '.join(map(repr, turns.values()))}")
        return problems

    def words_agree(self, damage: Damage) -> bool:
        """Whether the table of words agrees with the texts, except for what is in `damage`."""
        return self._fulltext_check.agrees(self._damaged_numbers(damage))

    def _damaged_numbers(self, damage: Damage) -> set[int]:
        """Numbers of the strays and of all chunks of damaged documents."""
        select = "SELECT number FROM chunks WHERE document = ?"
        numbers = set(damage.strays)
        for document_id in damage.documents:
            numbers |= {row[0] for row in self._db.execute(select, (document_id,))}
        return numbers

    def remake_words(self) -> None:
        """Make the table of words again from the texts, in a transaction of the caller's."""
        self._fulltext_check.remake()

    def lenient(self) -> None:
        """From now on read a text that is not UTF-8 with U+FFFD in place of the invalid bytes.

        Such a text fails its checksum instead of raising an error.
        """
        self._db.text_factory = decode_text

    def fill(self, writing: Callable[[], AbstractContextManager[None]]) -> Iterator[str]:
        """Make duplicate labels and boilerplate hashes again if their tables are empty.

        `writing` opens a transaction. Yields a sentence for each table that was filled.
        """
        if not self._db.execute("SELECT 1 FROM twins LIMIT 1").fetchone():
            labelled = 0
            while count := self._twins.catch_up():
                labelled += count
            if labelled:
                yield f"the list of near duplicates was lost; compared {labelled} passages again"
        if not self._db.execute("SELECT 1 FROM templates LIMIT 1").fetchone():
            with writing():
                for (document_id,) in self._db.execute("SELECT id FROM documents").fetchall():
                    with suppress(RagError):
                        self._templates.put(self._load_document(document_id))
            if self._db.execute("SELECT 1 FROM templates LIMIT 1").fetchone():
                yield "the list of boilerplate was lost; made it again from the documents"

    def _invalid_rows(self, table: str, types: dict[str, str]) -> Iterator[tuple[str, bytes]]:
        """Yield (table, path) of rows with a value of a wrong type or a text that is not UTF-8."""
        parts = ", ".join(f"typeof({column}), CAST({column} AS BLOB)" for column in types)
        for row in self._db.execute(f"SELECT {parts} FROM {table}"):  # noqa: S608
            values = zip(row[::2], row[1::2], types.values(), strict=True)
            if not all(
                kind in allowed.split() and (kind != "text" or _is_utf8(raw))
                for kind, raw, allowed in values
            ):
                yield table, row[1]

    def forget_records(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Remove invalid rows of files and roots, in a transaction of the caller's."""
        for table, path in records:
            self._db.execute(f"DELETE FROM {table} WHERE CAST(path AS BLOB) = ?", (path,))  # noqa: S608

    def drop(self, document_id: str) -> None:
        """Remove a document with its rows and words, damaged or not.

        Inside a transaction of the caller's.
        """
        rows = self._db.execute(_SELECT_CHUNKS + " WHERE document = ?", (document_id,)).fetchall()
        try:
            document: Document | None = self._load_document(document_id)
        except RagError:
            document = None
        if any(checksum(*row[:9]) != row[9] for row in rows):
            document = None
        if document is not None:
            for row in rows:
                text = document.text[row[2] : row[3]]
                self._words.remove(row[10], document.title, row[4], text)
        self._db.execute("DELETE FROM chunks WHERE document = ?", (document_id,))
        self._db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._twins.drop(row[10] for row in rows)
        self._templates.drop(document_id)
        if document is None:  # the words that were entered are unknown
            self.remake_words()

    def sweep(self, strays: set[int]) -> None:
        """Remove chunks without a document, in a transaction of the caller's."""
        self._db.executemany(
            "DELETE FROM chunks WHERE number = ?", [(number,) for number in strays]
        )
        self._twins.drop(strays)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
