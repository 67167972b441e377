"""Repair the texts and passages of the documents, and the records of the files they came from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from rag.domain import Document
from rag.errors import RagError
from rag.events import Event, Repaired
from rag.library.files import KnownFile
from rag.library.library import Library

if TYPE_CHECKING:
    from rag.ingest.ingest import Ingest

_SYNC = "footnote sync, or where that finds nothing, footnote add its folder again"


def repair_documents(library: Library, ingest: Ingest, lost: Collection[str]) -> Iterator[Event]:
    """Repair damaged documents; all of them if the table of passages was lost.

    `lost` names the tables that were missing.
    """
    integrity = library.integrity
    damage = integrity.damage()
    if _was_lost("chunks", lost):
        damage.passages |= {item.id for item in library.files.listings() if item.id} - damage.texts
    if damage.records:
        with library.database.writing():
            integrity.forget_records(damage.records)
        says = f"removed {len(damage.records)} entries that were no records of a file"
        yield Repaired("files", False, says, _SYNC)
    if damage.strays:
        with library.database.writing():
            integrity.sweep(damage.strays)
            integrity.remake_words()
        says = f"removed {len(damage.strays)} that belonged to no document"
        yield Repaired("passages", True, says)
    files = list(library.files.by_place().values())
    for document_id in sorted(damage.documents, key=str):
        sources: list[KnownFile | None] = [f for f in files if f.document == document_id]
        for file in sources or [None]:
            text = _stored_document(library, document_id)
            yield _repair_document(library, ingest, file, document_id, text)
    if _was_lost("files", lost):
        return
    for document_id in sorted(integrity.damage().orphans, key=str):
        cure = f"{_SYNC}, or: footnote remove {document_id}"
        says = "is in the library, but its file is not known"
        yield Repaired(document_id, False, says, cure)


def repair_roots(library: Library, lost: Collection[str]) -> Iterator[Event]:
    """Restore the list of what was added from the names of the known files."""
    if not library.files.roots():
        roots = sorted({_root(file) for file in library.files.by_place().values()})
        library.files.remember_roots(roots)
        if roots:
            says = f"the list of what was added is restored from the files: {', '.join(roots)}"
            yield Repaired("roots", True, says)
    if _was_lost("files", lost):
        cure = "footnote sync"
        if not library.files.roots():
            cure = "footnote add FOLDER, with the folders that were added before"
        says = "the table of the documents' files was lost; their texts are there"
        yield Repaired("files", False, says, cure)


def _was_lost(table: str, lost: Collection[str]) -> bool:
    return any(f"table {table}" in entry for entry in lost)


def _root(file: KnownFile) -> str:
    """The file or folder that was added to find `file`.

    It is the path without the part of its source that follows the first "/".
    """
    path = file.path.partition("#")[0]
    rest = file.source.partition("/")[2]
    if rest and path.endswith(f"/{file.source}"):
        return path.removesuffix(f"/{rest}")
    return path


def _stored_document(library: Library, document_id: str) -> Document | None:
    """The document as the library has it; None if that is damaged."""
    try:
        return library.documents.load(document_id)
    except RagError:
        return None


def _repair_document(
    library: Library,
    ingest: Ingest,
    file: KnownFile | None,
    document_id: str,
    text: Document | None,
) -> Repaired:
    """Restore a document from its stored text or from its unchanged file.

    `file` and `text` are None if they are not known or damaged. If both are, the document is
    removed: nothing can show it and nothing can restore it.
    """
    if file is None and text:
        says = "has damaged passages, and its file is not known"
        return Repaired(str(document_id), False, says, f"{_SYNC}, then repair again")
    if file is None:
        with library.database.writing():
            library.drop(document_id)
        says = "a damaged text that belonged to no file was removed"
        return Repaired(str(document_id), True, says)
    if ingest.restore(file, text):
        how = "read again from its file, which is unchanged"
        if text:
            how = "cut again from its stored text"
        return Repaired(file.source, True, f"was damaged; {how}")
    return Repaired(
        file.source,
        False,
        "is damaged, and its file is gone or has changed since: the stored text stays as it is",
        f"put the file back as it was and repair again; or: footnote remove '{file.source}', "
        "then add the file again",
    )
