"""THE FLOW of a repair: what is damaged is named, then made again from what is whole; nothing is overwritten in silence.

In the order in which things depend on each other: SQLite's indices, documents, words, the index, what killed writers left.
A document comes back from its own stored text where only passages are hurt, else from the user's file where that is still
the file that was read (by SHA-256). Where it is neither, it stays as it is and is named with what the user can do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.domain import Document
from rag.errors import LibraryBroken, RagError
from rag.events import Event, Mended
from rag.files import Known
from rag.library import Library
from rag.vectors import Vectors

if TYPE_CHECKING:
    from rag.ingest import Ingest


def repair(library: Library, vectors: Vectors, ingest: Ingest) -> Iterator[Event]:
    """Mend one library. The caller is its writer. Raises `LibraryBroken` where SQLite cannot read the file at all."""
    agreed = vectors.revision() == library.revision
    readable = yield from _pages(library)
    if not readable:
        return
    yield from _documents(library, ingest)
    yield from _history(library)
    hurt = library.care.damage()
    if not library.care.words_agree(hurt):
        library.remake_words()
        yield Mended(
            "words", library.care.words_agree(hurt), "the table of words did not agree; made again from the texts"
        )
    if agreed:  # what was mended changed the library's revision; where this does not do, it is said below
        with suppress(RagError):
            yield from ingest.index()
    yield from _index(library, vectors, ingest)
    if left := vectors.sweep():
        yield Mended("torsos", True, f"removed what killed writers left: {', '.join(left)}")


def embedder(check: Callable[[], None], remake: Callable[[], None]) -> Iterator[Event]:
    """The embedder's own file: `check` raises where it fails its checksum, `remake` makes it again."""
    try:
        check()
        return
    except (RagError, OSError, ValueError, KeyError) as error:
        said = str(error)
    try:
        remake()
        check()
        yield Mended("embedder", True, f"{said}; made again")
    except (RagError, OSError, ValueError, KeyError) as error:
        cure = getattr(error, "cure", "") or "install the package again"
        yield Mended("embedder", False, f"it cannot be made again: {error}", cure)


def _pages(library: Library) -> Generator[Event, None, bool]:
    """SQLite's own indices and the words table can be made again, its other pages not. Returns: go on?"""
    said = library.pages()
    if not said:
        return True
    for remake in (library.reindex, library.remake_words):
        try:
            remake()
        except RagError:
            continue
        if not library.pages():
            yield Mended("library", True, f"SQLite's indices did not agree ({said[0]}); made again from the tables")
            return True
    roots = _roots(library)
    yield Mended(
        "library",
        False,
        f"{library.folder}/library.db is damaged: {'; '.join((library.pages() or said)[:3])}",
        f"put it back from a copy; or move {library.folder} away, then: footnote add {' '.join(roots) or 'FOLDER'}",
    )
    return False


def _roots(library: Library) -> list[str]:
    try:
        return library.roots()
    except Exception:  # any page may be hurt
        return []


def _documents(library: Library, ingest: Ingest) -> Iterator[Event]:
    care = library.care
    found = care.damage()
    if found.strays:
        with library.writing():
            care.sweep(found.strays)
            care.remake_words()
        yield Mended("passages", True, f"removed {len(found.strays)} that belonged to no document")
    files = list(library.files().values())
    for document in sorted(found.documents):
        held: list[Known | None] = [k for k in files if k.document == document]
        for known in held or [None]:
            yield _document(library, ingest, known, document, _stored(library, document))
    for document in sorted(care.damage().orphans):
        yield Mended(document, False, "is in the library, but no file is known for it", "add its file again")


def _stored(library: Library, document: str) -> Document | None:
    try:
        return library.document(document)
    except RagError:
        return None


def _document(library: Library, ingest: Ingest, file: Known | None, document: str, text: Document | None) -> Mended:
    if file is None:  # damaged, and no file says what it was: nothing can show it, nothing can bring it back
        with library.writing():
            library.care.drop(document)
        return Mended(document, True, "a damaged text that belonged to no file was removed")
    if ingest.restore(file, text):
        how = "cut again from its stored text" if text else "read again from its file, which is unchanged"
        return Mended(file.source, True, f"was damaged; {how}")
    return Mended(
        file.source, False, "is damaged, and its file is gone or has changed since: what was stored stays as it is",
        f"put the file back as it was and repair again; or: footnote remove '{file.source}', then add the file again",
    )  # fmt: skip


def _history(library: Library) -> Iterator[Event]:
    try:
        history = library.history
        if said := history.pages():
            with suppress(RagError):
                history.reindex()
            if history.pages():
                raise LibraryBroken(f"history.db: {said[0]}")
            yield Mended("history", True, f"SQLite's indices did not agree ({said[0]}); made again from the tables")
        turns = history.damaged()
    except RagError as error:
        kept = library.begin_history()
        where = f"what is left of the old one is in {kept}" if kept else "nothing of the old one is there"
        yield Mended("history", True, f"{error}; conversations begin anew, {where}")
        return
    history.forget(turns)
    for question in turns.values():
        yield Mended("history", True, f"the saved answer to {question!r} was damaged and is removed: ask it again")


def _index(library: Library, vectors: Vectors, ingest: Ingest) -> Iterator[Event]:
    said = ""
    try:
        if vectors.revision() != library.revision:
            said = "missing, damaged or behind"
        elif vectors.holds() != library.ids():
            said = "it held other passages than the library"
    except LibraryBroken as error:
        said = str(error)
    finally:
        vectors.close()
    if said:
        try:
            yield from ingest.index(scratch=True)
            yield Mended("index", True, f"{said}; made again from the library")
        except RagError as error:
            yield Mended("index", False, f"{said}; it cannot be made again: {error}", error.cure)
