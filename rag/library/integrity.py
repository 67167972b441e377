"""Check of an open library, row by row, and removal or remaking of damaged rows.

SQLite's own check detects a broken page, not a flipped bit inside a value; the checksums of the
rows detect that. `fulltext_check` compares the table of words, which has no checksums.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from rag.disk.disk_errors import is_damage
from rag.errors import LibraryBroken, RagError
from rag.library.boilerplate import BoilerplateTable
from rag.library.database import Database
from rag.library.documents import Documents
from rag.library.duplicates import Duplicates
from rag.library.files import SourceFiles
from rag.library.fulltext_check import FullTextCheck
from rag.library.history import History
from rag.library.table_check import missing_parts

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


class InvalidRecord(NamedTuple):
    """A row of the tables of files and roots that has a value of a wrong type."""

    table: str
    path: bytes


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
    records: list[InvalidRecord] = field(default_factory=list)

    @property
    def documents(self) -> set[str]:
        """Ids of all damaged documents."""
        return self.texts | self.passages


class Integrity:
    """Checks and repairs the rows of one library.

    `open_history` opens the conversations or raises a `RagError`.
    """

    def __init__(
        self,
        database: Database,
        documents: Documents,
        files: SourceFiles,
        duplicates: Duplicates,
        boilerplate: BoilerplateTable,
        open_history: Callable[[], History],
    ) -> None:
        self._database, self._documents, self._files = database, documents, files
        self._duplicates, self._boilerplate = duplicates, boilerplate
        self._open_history = open_history
        self._fulltext_check = FullTextCheck(database, documents)

    def damage(self) -> Damage:
        """Read every row of documents, chunks, files and roots, and return the damaged ones.

        Raises `sqlite3.Error` if a page cannot be read.
        """
        damage, present = Damage(), set[str]()
        for row in self._documents.rows():
            present.add(row.id)
            if not row.is_intact:
                damage.texts.add(row.id)
        expected = self._files.document_ids()
        damage.records = [
            *self._invalid_rows("files", _FILE_TYPES),
            *self._invalid_rows("roots", _ROOT_TYPES),
        ]
        damage.texts |= expected - present
        damage.orphans = present - expected - damage.texts
        self._check_chunks(damage, present)
        select = "SELECT DISTINCT document FROM chunks"
        with_chunks = {row[0] for row in self._database.execute(select)}
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
        for row in self._documents.chunk_rows():
            if previous_is_stray and row.document in present:
                damage.passages.add(row.document)
            previous_is_stray = row.document not in present
            if previous_is_stray:
                damage.strays.add(row.number)
                damage.passages |= {previous_id} & present
            elif not row.is_intact:
                damage.passages.add(row.document)
            previous_id = row.document

    def _has_visible_words(self, document_id: str) -> bool:
        """Whether a document has a word outside its mask, and so must have passages."""
        try:
            document = self._documents.load(document_id)
        except RagError:
            return False
        visible = list(document.text)
        for span in document.mask:
            visible[span.start : span.end] = " " * (span.end - span.start)
        return any(map(str.isalnum, visible))

    def damaged(self) -> list[str]:
        """Sources of documents with a row that fails its checksum. Reads the whole library."""
        return self._sources(self.damage().documents)

    def _sources(self, document_ids: Collection[str]) -> list[str]:
        """The sources of documents, sorted; the id of a document without a file."""
        names: list[str] = []
        for document_id in document_ids:
            names += map(str, self._files.sources(document_id) or [document_id])
        return sorted(names)

    def wrong(self) -> list[str]:
        """Return a sentence for each problem of the library."""
        problems = [f"library.db: {line}" for line in self._database.failed_pages()]
        try:
            missing = missing_parts(self._database.connection)
            problems += [f"library.db: {line}" for line in missing]
            problems += self._problems_of_rows(self.damage())
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            problems.append(f"library.db: {error}")
        return problems + self._problems_of_history()

    def _problems_of_rows(self, damage: Damage) -> Iterator[str]:
        if damage.documents:
            yield f"damaged: {', '.join(self._sources(damage.documents))}"
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
            problems = [f"history.db: {line}" for line in history.database.failed_pages()]
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
            numbers |= {row[0] for row in self._database.execute(select, (document_id,))}
        return numbers

    def remake_words(self) -> None:
        """Make the table of words again from the texts, in a transaction of the caller's."""
        self._fulltext_check.remake()

    def fill(self) -> Iterator[str]:
        """Make duplicate labels and boilerplate hashes again if their tables are empty.

        Yields a sentence for each table that was filled.
        """
        if self._duplicates.is_empty():
            labelled = 0
            while count := self._duplicates.catch_up():
                labelled += count
            if labelled:
                yield f"the list of near duplicates was lost; compared {labelled} passages again"
        if self._boilerplate.is_empty():
            with self._database.writing():
                for document_id in self._documents.ids():
                    with suppress(RagError):
                        self._boilerplate.put(self._documents.load(document_id))
            if not self._boilerplate.is_empty():
                yield "the list of boilerplate was lost; made it again from the documents"

    def _invalid_rows(self, table: str, types: dict[str, str]) -> Iterator[InvalidRecord]:
        """Yield the rows of a table with a value of a wrong type or a text that is not UTF-8."""
        parts = ", ".join(f"typeof({column}), CAST({column} AS BLOB)" for column in types)
        for row in self._database.execute(f"SELECT {parts} FROM {table}"):  # noqa: S608
            values = zip(row[::2], row[1::2], types.values(), strict=True)
            if not all(
                kind in allowed.split() and (kind != "text" or _is_utf8(raw))
                for kind, raw, allowed in values
            ):
                yield InvalidRecord(table, row[1])

    def forget_records(self, records: Sequence[InvalidRecord]) -> None:
        """Remove invalid rows of files and roots, in a transaction of the caller's."""
        for table, path in records:
            query = f"DELETE FROM {table} WHERE CAST(path AS BLOB) = ?"  # noqa: S608
            self._database.execute(query, (path,))

    def sweep(self, strays: set[int]) -> None:
        """Remove chunks without a document, in a transaction of the caller's."""
        self._documents.delete_chunks(strays)
        self._duplicates.drop(strays)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
