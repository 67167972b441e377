"""THE FLOW of a repair: what is damaged is named, then made again from what is whole; nothing is
overwritten in silence.

In the order in which things depend on each other: rights, conversations, tables, SQLite's indices,
documents, words, the index, what killed writers left. A document comes back from its own stored
text where only passages are hurt, else from the user's file where that is still the file that was
read (by SHA-256). Where it is neither, it stays as it is and is named with what the user can do.

Only damage is repaired. A full disk, a missing right or another process is said as such, and leaves
everything where it is.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk import permissions
from rag.disk.disk_errors import REPAIR
from rag.domain import Document
from rag.errors import LibraryBroken, LibraryMissing, ModelBroken, RagError, Usage, WeightsMissing
from rag.events import Event, Repaired
from rag.index.chroma import VectorIndex
from rag.library import table_check
from rag.library.database import Database
from rag.library.files import KnownFile
from rag.library.history import FILE, History
from rag.library.library import Library
from rag.library.replace_history import replace_history

if TYPE_CHECKING:
    from rag.inference.embedders import Embedding
    from rag.ingest.ingest import Ingest

Opened = tuple[Library, VectorIndex, "Ingest"]


def everything(
    folder: Path,
    embedding: Embedding,
    opened: Callable[[], Opened],
    writing: Callable[[], AbstractContextManager[None]],
) -> Iterator[Event]:
    """Mend the embedder's file and the library in `folder`, which `opened` opens, with the
    writer's lock of `writing`."""
    if embedding.made():
        yield from repair_embedder(embedding.verify, embedding.remake)
    if not os.path.isdir(folder):
        try:
            opened()
        except (LibraryMissing, LibraryBroken, Usage) as error:
            yield _beyond(folder, error)
        return
    loose = permissions.open_to_others(folder)  # the next writer closes it
    with writing():
        if loose:
            yield _rights(folder, loose)
        yield from _all(folder, opened)


def _all(folder: Path, opened: Callable[[], Opened]) -> Iterator[Event]:
    if os.path.lexists(
        folder / FILE
    ):  # before the library, which an older format moves its conversations from
        yield from history(folder)
    lost = list[str]()
    try:
        lost += yield from _tables(folder)
        try:
            library, vectors, ingest = opened()
        except LibraryBroken:  # it was of an older format, and now is not
            lost += yield from _tables(folder)
            library, vectors, ingest = opened()
    except (LibraryMissing, LibraryBroken) as error:
        yield _beyond(folder, error)
        return
    if not os.path.lexists(folder / FILE):
        yield from history(folder)
    yield from repair_library(library, vectors, ingest, lost)


def _rights(folder: Path, loose: Sequence[Path]) -> Repaired:
    left = permissions.tighten(folder)
    says = f"{len(loose)} files and folders could be read by others, first {loose[0]}"
    cure = "use a --home on a disk that keeps the rights of files"
    return Repaired(
        "rights", not left, says + ("" if left else "; now only by you"), cure if left else ""
    )


def _tables(folder: Path) -> Generator[Event, None, list[str]]:
    """What was missing of the library's own tables, made again. Returns what was."""
    if not os.path.isfile(folder / "library.db") or not (folder / "library.db").stat().st_size:
        return []
    with closing(Database(folder / "library.db")) as store:
        said = table_check.restore_missing(store)
    if said:
        yield Repaired(
            "library",
            True,
            f"{'; '.join(said)}: made again; what can be filled from the rest follows",
        )
    return said


def _beyond(folder: Path, error: RagError) -> Repaired:
    """A library that cannot be opened: the way on, which leaves conversations where they are."""
    path, cure = folder / "library.db", error.cure
    if not cure or cure == REPAIR:
        roots = " ".join(shlex.quote(root) for root in _roots_of(path)) or "FOLDER"
        cure = f"put {path} back from a copy; or move it away and begin anew: mv {shlex.quote(str(path))} "
        cure += f"{shlex.quote(str(_free(path)))}, then: footnote add {roots}"
    return Repaired("library", False, str(error), cure)


def _free(path: Path) -> Path:
    number = 1
    while os.path.lexists(kept := path.with_name(f"library-damaged-{number}.db")):
        number += 1
    return kept


def _roots_of(path: Path) -> list[str]:
    """What was added, as far as a damaged file tells."""
    with suppress(Exception), closing(Database(path)) as store:  # any page may be hurt
        return [str(row[0]) for row in store._db.execute("SELECT path FROM roots ORDER BY path")]
    return []


def repair_library(
    library: Library, vectors: VectorIndex, ingest: Ingest, lost: Collection[str] = ()
) -> Iterator[Event]:
    """Mend one open library, whose tables are there; `lost` says which were not.

    Raises `RagError` where the disk keeps it from that.
    """
    agreed = False
    with suppress(RagError):
        agreed = vectors.revision() == library.revision
    readable = yield from _pages(library)
    if not readable:
        return
    library.care.lenient()
    yield from _documents(library, ingest, lost)
    yield from _known(library, lost)
    hurt = library.care.damage()
    if not library.care.words_agree(hurt):
        library.remake_words()
        yield Repaired(
            "words",
            library.care.words_agree(hurt),
            "the table of words did not agree; made again from the texts",
        )
    for filled in library.care.fill(library.writing):
        yield Repaired("library", True, filled)
    if (
        agreed
    ):  # what was mended changed the library's revision; where this does not do, it is said below
        with suppress(RagError):
            yield from ingest.index()
    yield from _index(library, vectors, ingest)
    left = list[str]()
    with suppress(RagError):  # what cannot be read was said
        left = vectors.sweep()
    if left:
        yield Repaired("torsos", True, f"removed what killed writers left: {', '.join(left)}")


def repair_embedder(check: Callable[[], None], remake: Callable[[], None]) -> Iterator[Event]:
    """The embedder's own file: `check` raises where it fails its checksum, `remake` makes it again
    and replaces it when it is whole."""
    try:
        check()
        return
    except (RagError, OSError, ValueError, KeyError) as error:
        said, cause = str(error), error.__cause__ or error
        hurt = isinstance(
            error, ModelBroken | WeightsMissing | ValueError | KeyError | FileNotFoundError
        )
    if not hurt or (isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)):
        yield Repaired(
            "embedder",
            False,
            f"it cannot be read: {said}",
            "see that the file can be read, then repair again",
        )
        return
    try:
        remake()
        check()
        yield Repaired("embedder", True, f"{said}; made again")
    except (RagError, OSError, ValueError, KeyError, MemoryError) as error:
        cure = (
            getattr(error, "cure", "")
            or "install the package again, and make room on the disk of the home folder"
        )
        yield Repaired("embedder", False, f"it cannot be made again: {error}", cure)


def _pages(library: Library) -> Generator[Event, None, bool]:
    """SQLite's own indices and the words table can be made again, its other pages not. Returns: go on?"""
    said = library.pages()
    if not said:
        return True
    for remake in (library.reindex, library.remake_words):
        try:
            remake()
        except LibraryBroken:  # what else goes wrong says nothing about the file
            continue
        if not library.pages():
            yield Repaired(
                "library",
                True,
                f"SQLite's indices did not agree ({said[0]}); made again from the tables",
            )
            return True
    what = "; ".join((library.pages() or said)[:3])
    yield _beyond(library.folder, LibraryBroken(f"{library.folder}/library.db is damaged: {what}"))
    return False


def _documents(library: Library, ingest: Ingest, lost: Collection[str]) -> Iterator[Event]:
    """Texts and passages; of all documents where the table of passages was lost."""
    care = library.care
    found = care.damage()
    if any("table chunks" in said for said in lost):
        found.passages |= {item.id for item in library.listings() if item.id} - found.texts
    if found.records:
        with library.writing():
            care.forget_records(found.records)
        yield Repaired(
            "files",
            False,
            f"{len(found.records)} entries were no records of a file and are removed",
            _SYNC,
        )
    if found.strays:
        with library.writing():
            care.sweep(found.strays)
            care.remake_words()
        yield Repaired(
            "passages", True, f"removed {len(found.strays)} that belonged to no document"
        )
    files = list(library.files().values())
    for document in sorted(found.documents, key=str):
        held: list[KnownFile | None] = [k for k in files if k.document == document]
        for known in held or [None]:
            yield _document(library, ingest, known, document, _stored(library, document))
    if any("table files" in said for said in lost):
        return
    for document in sorted(care.damage().orphans, key=str):
        cure = f"{_SYNC}, or: footnote remove {document}"
        yield Repaired(document, False, "is in the library, but no file is known for it", cure)


_SYNC = "footnote sync, or where that finds nothing, footnote add its folder again"


def _known(library: Library, lost: Collection[str]) -> Iterator[Event]:
    """What was added, where that was forgotten: as far as the files' names tell."""
    if not library.roots():
        roots = sorted({_root(known) for known in library.files().values()})
        library.remember_roots(roots)
        if roots:
            yield Repaired(
                "roots",
                True,
                f"what was added is told by the files that are known: {', '.join(roots)}",
            )
    if any("table files" in said for said in lost):
        roots = library.roots()
        cure = (
            "footnote sync"
            if roots
            else "footnote add FOLDER, with the folders that were added before"
        )
        yield Repaired(
            "files", False, "which files the documents are of was lost; their texts are there", cure
        )


def _root(known: KnownFile) -> str:
    """The file or folder that was added to find a file: its path without what its source has
    behind the first part."""
    path = known.path.partition("#")[0]
    rest = known.source.partition("/")[2]
    if rest and path.endswith(f"/{known.source}"):
        return path.removesuffix(f"/{rest}")
    return path


def _stored(library: Library, document: str) -> Document | None:
    try:
        return library.document(document)
    except RagError:
        return None


def _document(
    library: Library, ingest: Ingest, file: KnownFile | None, document: str, text: Document | None
) -> Repaired:
    if file is None and text:
        return Repaired(
            str(document),
            False,
            "has damaged passages, and no file is known for it",
            f"{_SYNC}, then repair again",
        )
    if (
        file is None
    ):  # damaged, and no file says what it was: nothing can show it, nothing can bring it back
        with library.writing():
            library.care.drop(document)
        return Repaired(str(document), True, "a damaged text that belonged to no file was removed")
    if ingest.restore(file, text):
        how = (
            "cut again from its stored text"
            if text
            else "read again from its file, which is unchanged"
        )
        return Repaired(file.source, True, f"was damaged; {how}")
    return Repaired(
        file.source,
        False,
        "is damaged, and its file is gone or has changed since: what was stored stays as it is",
        f"put the file back as it was and repair again; or: footnote remove '{file.source}', then add the file again",
    )


def history(folder: Path) -> Iterator[Event]:
    """The conversations. Only a file that is gone or damaged is begun anew, with what can be read
    of it; it is kept beside."""
    try:
        with closing(History(folder)) as found:
            yield from _turns(found)
    except LibraryBroken as error:
        try:
            kept, turns = replace_history(folder)
        except RagError as failed:
            yield Repaired("history", False, f"{error}; it stays as it is: {failed}", failed.cure)
            return
        taken = f" with the {turns} questions that could be read" if turns else ""
        where = (
            f"what is left of the old one is in {kept}"
            if kept
            else "nothing of the old one is there"
        )
        yield Repaired("history", True, f"{error}; conversations begin anew{taken}, {where}")
    except RagError as error:  # no damage: a full disk, a missing right, another process
        yield Repaired("history", False, str(error), error.cure)


def _turns(history: History) -> Iterator[Event]:
    if said := history.pages():
        history.reindex()
        if left := history.pages():
            raise LibraryBroken(f"{FILE}: {left[0]}")
        yield Repaired(
            "history",
            True,
            f"SQLite's indices did not agree ({said[0]}); made again from the tables",
        )
    if not history.indexed():
        history.index()
        yield Repaired("history", True, "the index of conversations was missing; made again")
    turns = history.damaged()
    history.forget(turns)
    for question in turns.values():
        yield Repaired(
            "history",
            True,
            f"the saved answer to {question!r} was damaged and is removed: ask it again",
        )


def _index(library: Library, vectors: VectorIndex, ingest: Ingest) -> Iterator[Event]:
    said = ""
    try:
        if vectors.revision() != library.revision:
            said = "missing, damaged or behind"
        elif vectors.holds() != library.ids():
            said = "it held other passages than the library"
    except LibraryBroken as error:
        said = str(error)
    except RagError as error:  # no damage: it is left as it is
        yield Repaired("index", False, str(error), error.cure)
        return
    finally:
        vectors.close()
    if said:
        try:
            yield from ingest.index(scratch=True)
            yield Repaired("index", True, f"{said}; made again from the library")
        except RagError as error:
            yield Repaired("index", False, f"{said}; it cannot be made again: {error}", error.cure)
