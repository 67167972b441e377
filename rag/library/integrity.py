"""Looks over an open library, and drops and makes again what can be: every row against its checksum, rows against each other.

SQLite's own check sees a broken page, not a flipped bit inside a value; the rows' checksums see that. The words table has
neither, and cannot be read back (it holds no texts), so it is held against one that is made afresh from the texts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from itertools import zip_longest

from rag.disk.disk_errors import is_damage
from rag.domain import Document
from rag.errors import LibraryBroken, RagError
from rag.library.boilerplate import BoilerplateTable
from rag.library.database import failed_pages
from rag.library.duplicates import Duplicates
from rag.library.history import History, text
from rag.library.schema import FULLTEXT_TABLE, checksum
from rag.library.table_check import empty_words, missing_parts

_DOCUMENT = "SELECT id, title, date, text, spans, checksum FROM documents"
_FILE = ("path", "source", "document", "sha256", "reason", "cure", "size", "mtime")
_KINDS = ("text", "text", "text null", "text", "text null", "text null", "integer", "integer")
_CHUNK = "SELECT id, document, start, end, heading, line, page, key, vector, checksum, number FROM chunks"


@dataclass(slots=True)
class Damage:
    """Ids of documents whose text is hurt or missing, of those with only a hurt passage, and rows that belong to nothing."""

    texts: set[str] = field(default_factory=set)
    passages: set[str] = field(default_factory=set)
    strays: set[int] = field(default_factory=set)  # numbers of chunks without a document
    orphans: set[str] = field(default_factory=set)  # whole documents that no file holds
    records: list[tuple[str, bytes]] = field(
        default_factory=list
    )  # table and path of rows of files and roots that are none

    @property
    def documents(self) -> set[str]:
        """All that are hurt."""
        return self.texts | self.passages


def _utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


class Integrity:
    """The care of one library, its labels, templates and history. `whole` gives a document by id or raises a `RagError`,
    `history` opens the conversations or raises one."""

    def __init__(
        self,
        db: sqlite3.Connection,
        whole: Callable[[str], Document],
        history: Callable[[], History],
        twins: Duplicates,
        templates: BoilerplateTable,
    ) -> None:
        self._db, self._whole, self._history = db, whole, history
        self._twins, self._templates = twins, templates

    def damage(self) -> Damage:
        """Every row of documents, chunks and files is read. Raises `sqlite3.Error` where a page cannot be."""
        found, here = Damage(), set()
        for row in self._db.execute(_DOCUMENT):
            here.add(row[0])
            if checksum(*row[:5]) != row[5]:
                found.texts.add(row[0])
        select = "SELECT DISTINCT document FROM files WHERE typeof(document) = 'text'"
        held = {row[0] for row in self._db.execute(select)}
        found.records = [
            *self._no_records("files", _FILE, _KINDS),
            *self._no_records("roots", ("path",), ("text",)),
        ]
        found.texts |= held - here
        found.orphans = here - held - found.texts
        before, lost = "", False
        for row in self._db.execute(_CHUNK + " ORDER BY number"):
            if (
                lost and row[1] in here
            ):  # a stray belonged to a neighbour: the rows of a document lie together
                found.passages.add(row[1])
            lost = row[1] not in here
            if lost:
                found.strays.add(row[10])
                found.passages |= {before} & here
            elif checksum(*row[:9]) != row[9]:
                found.passages.add(row[1])
            before = row[1]
        counted = {row[0] for row in self._db.execute("SELECT DISTINCT document FROM chunks")}
        found.passages |= {name for name in here - counted - found.texts if self._says(name)}
        found.passages -= found.texts
        return found

    def _says(self, document: str) -> bool:
        """Is there a word in a document outside its mask, so that it must have passages?"""
        try:
            whole = self._whole(document)
        except RagError:
            return False
        bare = list(whole.text)
        for span in whole.mask:
            bare[span.start : span.end] = " " * (span.end - span.start)
        return any(map(str.isalnum, bare))

    def sources(self, documents: set[str]) -> list[str]:
        """Their names, or their ids where no file has them."""
        names: list[str] = []
        for document in documents:
            rows = self._db.execute(
                "SELECT source FROM files WHERE document = ?", (document,)
            ).fetchall()
            names += [str(row[0]) for row in rows] or [str(document)]
        return sorted(names)

    def wrong(self) -> list[str]:
        """Everything that is not as it should be, in sentences."""
        said = [f"library.db: {line}" for line in failed_pages(self._db)]
        try:
            said += [f"library.db: {line}" for line in missing_parts(self._db)]
            found = self.damage()
            if found.documents:
                said.append(f"damaged: {', '.join(self.sources(found.documents))}")
            if found.strays:
                said.append(f"{len(found.strays)} passages belong to no document")
            if found.orphans:
                said.append(f"no file is known for {', '.join(sorted(map(str, found.orphans)))}")
            if found.records:
                said.append(f"{len(found.records)} entries of files are no records of a file")
            if not self.words_agree(found):
                said.append("the table of words does not agree with the documents")
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            said.append(f"library.db: {error}")
        return said + self._turns()

    def _turns(self) -> list[str]:
        """What is wrong with the conversations."""
        try:
            history = self._history()
            said = [f"history.db: {line}" for line in history.pages()]
            said += [] if history.indexed() else ["history.db: its index is missing"]
            turns = history.damaged()
        except LibraryBroken as error:
            return [str(error)]
        return said + (
            [f"damaged: the saved answers to {', '.join(map(repr, turns.values()))}"]
            if turns
            else []
        )

    # -- the words table

    def words_agree(self, hurt: Damage) -> bool:
        """Is every word of every passage in the table at its place, and nothing else? What is `hurt` is not looked at."""
        passed = self._numbers(hurt)
        fresh = sqlite3.connect("")  # a file of SQLite's own that is gone when this is closed
        try:
            fresh.execute(FULLTEXT_TABLE)
            for number, *texts in self._passages():
                fresh.execute(
                    "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                    (number, *texts),
                )
            for db in (fresh, self._db):
                db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, instance)")
            try:
                with (
                    closing(self._terms(fresh, passed)) as right,
                    closing(self._terms(self._db, passed)) as held,
                ):
                    same = all(a == b for a, b in zip_longest(right, held))
                return (
                    same
                    and self._sought()
                    and self._lengths(fresh, passed) == self._lengths(self._db, passed)
                )
            except sqlite3.Error:
                return False
            finally:
                self._db.execute("DROP TABLE temp.terms")
        finally:
            fresh.close()

    def _sought(self) -> bool:
        """Is every word also found where it is looked up? The table's pages end in an index that reading them in order passes by."""
        self._db.execute("CREATE VIRTUAL TABLE temp.counts USING fts5vocab(main, words, row)")
        try:
            one = "SELECT term, doc, cnt FROM temp.counts WHERE term = ?"
            with closing(self._db.execute("SELECT term, doc, cnt FROM temp.counts")) as rows:
                return all(self._db.execute(one, row[:1]).fetchall() == [row] for row in rows)
        finally:
            self._db.execute("DROP TABLE temp.counts")

    def _numbers(self, hurt: Damage) -> set[int]:
        """Of the chunks of what is hurt."""
        found = set(hurt.strays)
        for document in hurt.documents:
            found |= {
                row[0]
                for row in self._db.execute(
                    "SELECT number FROM chunks WHERE document = ?", (document,)
                )
            }
        return found

    def _terms(
        self, db: sqlite3.Connection, passed: set[int]
    ) -> Generator[tuple[str, int, str, int], None, None]:
        """Every word at its place, in the order of words."""
        with closing(db.execute("SELECT term, doc, col, offset FROM temp.terms")) as rows:
            for row in rows:
                if row[1] not in passed:
                    yield row

    def _lengths(self, db: sqlite3.Connection, passed: set[int]) -> list[tuple[int, bytes]]:
        """What ranking goes by: the length of every passage, and (number 0) of all."""
        found = db.execute("SELECT id, sz FROM words_docsize ORDER BY id").fetchall()
        if found and not passed:
            found += db.execute("SELECT 0, block FROM words_data WHERE id = 1").fetchall()
        return [row for row in found if row[0] not in passed]

    def _passages(self) -> Iterator[tuple[int, str, str, str]]:
        """Number, title, heading and text of every chunk of a whole document."""
        for number, document, start, end, heading in self._db.execute(
            "SELECT number, document, start, end, heading FROM chunks ORDER BY document, number"
        ):
            try:
                whole = self._whole(document)
            except RagError:
                continue
            if not (isinstance(start, int) and isinstance(end, int)):  # a damaged row
                continue
            yield number, whole.title, heading, whole.text[start:end]

    def remake_words(self) -> None:
        """The table of words again from the texts. Inside a transaction of the caller's."""
        empty_words(self._db)
        for number, *texts in list(self._passages()):
            self._db.execute(
                "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                (number, *texts),
            )

    def lenient(self) -> None:
        """From now on a text that is no UTF-8 is read with U+FFFD in it, and fails its checksum
        instead of ending the reading."""
        self._db.text_factory = text

    def fill(self, writing: Callable[[], AbstractContextManager[None]]) -> Iterator[str]:
        """Labels of copies and hashes of templates again from the texts, where their tables are
        empty. Says what was filled."""
        if not self._db.execute("SELECT 1 FROM twins LIMIT 1").fetchone():
            labelled = 0
            while count := self._twins.catch_up():
                labelled += count
            if labelled:
                yield f"which passages say the same was lost; compared again: {labelled} passages"
        if not self._db.execute("SELECT 1 FROM templates LIMIT 1").fetchone():
            with writing():
                for (document,) in self._db.execute("SELECT id FROM documents").fetchall():
                    with suppress(RagError):
                        self._templates.put(self._whole(document))
            if self._db.execute("SELECT 1 FROM templates LIMIT 1").fetchone():
                yield "what the documents of a folder have in common was lost; looked for again"

    # -- documents

    def _no_records(
        self, table: str, columns: Sequence[str], kinds: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        """Rows with a value of another kind than they should have, or with a text that is no
        UTF-8."""
        parts = ", ".join(f"typeof({c}), CAST({c} AS BLOB)" for c in columns)
        for row in self._db.execute(f"SELECT {parts} FROM {table}"):  # noqa: S608
            pairs = list(zip(row[::2], row[1::2], kinds, strict=True))
            if not all(
                kind in allowed.split() and (kind != "text" or _utf8(raw))
                for kind, raw, allowed in pairs
            ):
                yield table, row[1]

    def forget_records(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Remove rows of files and roots that are none. Inside a transaction of the caller's."""
        for table, path in records:
            self._db.execute(f"DELETE FROM {table} WHERE CAST(path AS BLOB) = ?", (path,))  # noqa: S608

    def drop(self, document: str) -> None:
        """A document's rows and words, damaged or not. Inside a transaction of the caller's."""
        rows = self._db.execute(_CHUNK + " WHERE document = ?", (document,)).fetchall()
        try:
            whole: Document | None = self._whole(document)
        except RagError:
            whole = None
        known = whole is not None and all(checksum(*row[:9]) == row[9] for row in rows)
        if known and whole is not None:
            for row in rows:
                self._db.execute(
                    "INSERT INTO words(words, rowid, title, heading, text) VALUES ('delete', ?, ?, ?, ?)",
                    (row[10], whole.title, row[4], whole.text[row[2] : row[3]]),
                )
        self._db.execute("DELETE FROM chunks WHERE document = ?", (document,))
        self._db.execute("DELETE FROM documents WHERE id = ?", (document,))
        self._twins.drop(row[10] for row in rows)
        self._templates.drop(document)
        if not known:  # nobody can say which words it was entered with
            self.remake_words()

    def sweep(self, strays: set[int]) -> None:
        """Rows that belong to nothing, gone. Inside a transaction of the caller's."""
        self._db.executemany(
            "DELETE FROM chunks WHERE number = ?", [(number,) for number in strays]
        )
        self._twins.drop(strays)
