"""Repair a library: name what is damaged, then make it again from what is intact.

The order follows the dependencies: access rights, conversations, tables, SQLite's indices,
documents, words, the index, remains of killed writers. A document is restored from its stored text
if only its passages are damaged, else from the user's file if that is still the file that was read
(by SHA-256). Otherwise it stays as it is and is reported with a hint.

Only damage is repaired. A full disk, a missing right or another process is reported, and everything
stays as it is.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk import permissions
from rag.disk.disk_errors import REPAIR
from rag.errors import LibraryBroken, LibraryMissing, RagError, Usage
from rag.events import Event, Repaired
from rag.index.chroma import VectorIndex
from rag.index.index import renew_index
from rag.library import table_check
from rag.library.database import Database
from rag.library.files import SourceFiles
from rag.library.history import FILE
from rag.library.library import Library
from rag.upkeep.repair_documents import repair_documents, repair_roots
from rag.upkeep.repair_embedder import repair_embedder
from rag.upkeep.repair_history import repair_history

if TYPE_CHECKING:
    from rag.inference.embedders import Embedding
    from rag.ingest.ingest import Ingest

OpenLibrary = Callable[[], tuple[Library, VectorIndex, "Ingest"]]


def repair_all(
    folder: Path,
    embedding: Embedding,
    open_library: OpenLibrary,
    writing: Callable[[], AbstractContextManager[None]],
) -> Iterator[Event]:
    """Repair the embedder's file and the library in `folder`.

    `writing` takes the writer's lock. Raises `LibraryBusy` if another process has it.
    """
    if embedding.made():
        yield from repair_embedder(embedding.verify, embedding.remake)
    if not os.path.isdir(folder):
        try:
            open_library()
        except (LibraryMissing, LibraryBroken, Usage) as error:
            yield _beyond_repair(folder, error)
        return
    # Before the lock, whose owner closes what others can read.
    readable = permissions.open_to_others(folder)
    with writing():
        if readable:
            yield _repair_rights(folder, readable)
        yield from _repair_files(folder, open_library)


def _repair_files(folder: Path, open_library: OpenLibrary) -> Iterator[Event]:
    """Repair the conversations and the library."""
    # First, because a library of an older format moves its conversations there.
    if os.path.lexists(folder / FILE):
        yield from repair_history(folder)
    lost = list[str]()
    try:
        lost += yield from _restore_tables(folder)
        try:
            library, vectors, ingest = open_library()
        except LibraryBroken:
            # The library was of an older format; opening has converted it.
            lost += yield from _restore_tables(folder)
            library, vectors, ingest = open_library()
    except (LibraryMissing, LibraryBroken) as error:
        yield _beyond_repair(folder, error)
        return
    if not os.path.lexists(folder / FILE):
        yield from repair_history(folder)
    yield from repair_library(library, vectors, ingest, lost)


def repair_library(
    library: Library, vectors: VectorIndex, ingest: Ingest, lost: Collection[str] = ()
) -> Iterator[Event]:
    """Repair an open library whose tables exist; `lost` names the tables that were missing.

    Raises `RagError` if the disk prevents it.
    """
    index_agreed = False
    with suppress(RagError):
        index_agreed = vectors.revision() == library.revision
    if not (yield from _repair_pages(library)):
        return
    library.database.read_leniently()
    yield from repair_documents(library, ingest, lost)
    yield from repair_roots(library, lost)
    yield from _repair_words(library)
    for says in library.integrity.fill():
        yield Repaired("library", True, says)
    if index_agreed:
        # The repairs changed the library's revision. If this fails, `_repair_index` reports it.
        with suppress(RagError):
            yield from renew_index(library, vectors)
    yield from _repair_index(library, vectors)
    removed = list[str]()
    # An index that cannot be read has been reported.
    with suppress(RagError):
        removed = vectors.sweep()
    if removed:
        says = f"removed incomplete index files of killed writers: {', '.join(removed)}"
        yield Repaired("torsos", True, says)


# -- rights and tables


def _repair_rights(folder: Path, readable: Sequence[Path]) -> Repaired:
    remaining = permissions.tighten(folder)
    says = f"{len(readable)} files and folders could be read by others, first {readable[0]}"
    if remaining:
        cure = "use a --home on a disk that keeps the rights of files"
        return Repaired("rights", False, says, cure)
    return Repaired("rights", True, f"{says}; now only by you")


def _restore_tables(folder: Path) -> Generator[Event, None, list[str]]:
    """Make missing tables again, empty. Returns the names of those that were missing."""
    path = folder / "library.db"
    if not os.path.isfile(path) or not path.stat().st_size:
        return []
    with closing(Database(path)) as database:
        missing = table_check.restore_missing(database)
    if missing:
        says = f"{'; '.join(missing)}: made again; what can be filled from the rest follows"
        yield Repaired("library", True, says)
    return missing


def _beyond_repair(folder: Path, error: RagError) -> Repaired:
    """A library that cannot be opened, with a hint that leaves the conversations in place."""
    path, cure = folder / "library.db", error.cure
    if not cure or cure == REPAIR:
        roots = " ".join(shlex.quote(root) for root in _readable_roots(path)) or "FOLDER"
        move = f"mv {shlex.quote(str(path))} {shlex.quote(str(_free_name(path)))}"
        cure = (
            f"put {path} back from a copy; or move it away and begin anew: {move}, "
            f"then: footnote add {roots}"
        )
    return Repaired("library", False, str(error), cure)


def _free_name(path: Path) -> Path:
    number = 1
    while os.path.lexists(kept := path.with_name(f"library-damaged-{number}.db")):
        number += 1
    return kept


def _readable_roots(path: Path) -> list[str]:
    """The files and folders that were added, if the damaged file still gives them."""
    # Any page may be damaged.
    with suppress(Exception), closing(Database(path)) as database:
        return [str(root) for root in SourceFiles(database).roots()]
    return []


# -- pages, words, index


def _repair_pages(library: Library) -> Generator[Event, None, bool]:
    """Make SQLite's indices and the table of words again. Returns False if damage remains."""
    faults = library.database.failed_pages()
    if not faults:
        return True
    for remake in (library.database.reindex, partial(_remake_words, library)):
        # Only damage is ignored here; other errors are no statement about the file.
        try:
            remake()
        except LibraryBroken:
            continue
        if not library.database.failed_pages():
            says = f"SQLite's indices did not agree ({faults[0]}); made again from the tables"
            yield Repaired("library", True, says)
            return True
    details = "; ".join((library.database.failed_pages() or faults)[:3])
    error = LibraryBroken(f"{library.folder}/library.db is damaged: {details}")
    yield _beyond_repair(library.folder, error)
    return False


def _remake_words(library: Library) -> None:
    with library.database.writing():
        library.integrity.remake_words()


def _repair_words(library: Library) -> Iterator[Event]:
    damage = library.integrity.damage()
    if not library.integrity.words_agree(damage):
        _remake_words(library)
        says = "the table of words did not agree; made again from the texts"
        yield Repaired("words", library.integrity.words_agree(damage), says)


def _repair_index(library: Library, vectors: VectorIndex) -> Iterator[Event]:
    """Make the index again if it does not agree with the library."""
    fault = ""
    try:
        if vectors.revision() != library.revision:
            fault = "missing, damaged or behind"
        elif vectors.chunk_ids() != library.table_vectors.ids_with_vector():
            fault = "it had other passages than the library"
    except LibraryBroken as error:
        fault = str(error)
    except RagError as error:
        # Not damage: the index stays as it is.
        yield Repaired("index", False, str(error), error.cure)
        return
    finally:
        vectors.close()
    if not fault:
        return
    try:
        yield from renew_index(library, vectors, from_scratch=True)
        yield Repaired("index", True, f"{fault}; made again from the library")
    except RagError as error:
        yield Repaired("index", False, f"{fault}; it cannot be made again: {error}", error.cure)
