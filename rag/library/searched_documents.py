"""The documents in which alone a question is to be looked up, by the names that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.domain import Evidence
from rag.errors import Usage
from rag.library.library import Library
from rag.text.document_names import (
    NamedDocument,
    alike_names,
    named_documents,
    near_names,
    sources_below,
    sources_named,
    without_names,
)
from rag.text.foreign_marks import quote_foreign

#: sources that the message about an unclear name lists
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class SearchedDocuments:
    """A question without the names of documents, and these documents; none of them is all."""

    question: str
    documents: tuple[str, ...] = ()  #: their ids
    sources: tuple[str, ...] = ()

    def holds(self, evidence: Evidence) -> bool:
        """Whether evidence is of these documents."""
        return not self.documents or evidence.document in self.documents


def searched_documents(question: str, names: Sequence[str], library: Library) -> SearchedDocuments:
    """Return what a question is looked up in: what `names` and each `@name` in it mean.

    Raises `Usage` for a name that means no document, or several. A word after an `@` that looks
    like no file and is near to no name is part of the question.
    """
    written = named_documents(question)
    if not written and not names:
        return SearchedDocuments(question)
    sources = library.files.sources_with_text()
    meant = dict.fromkeys(source for name in names for source in _meant(name, sources))
    used = list[NamedDocument]()
    for named in written:
        if named.is_path or _is_near(named.name, list(sources)):
            meant |= dict.fromkeys(_meant(named.name, sources))
            used.append(named)
    if not meant:
        return SearchedDocuments(question)
    rest = without_names(question, used)
    if not any(char.isalnum() for char in rest):
        raise Usage("there is no question beside the name of a document", "ask about it")
    documents = tuple(dict.fromkeys(sources[source] for source in meant))
    return SearchedDocuments(rest, documents, tuple(meant))


def _is_near(name: str, sources: Sequence[str]) -> bool:
    """Whether a word names a document, or would but for a few letters."""
    return bool(sources_named(name, sources) or alike_names(name, sources, 1))


def _meant(name: str, sources: Mapping[str, str]) -> list[str]:
    """Return the sources that a name means. Raises `Usage` if that is not clear."""
    found = sources_below(name, sources) if name.endswith("/") else sources_named(name, sources)
    if found and (name.endswith("/") or len({sources[source] for source in found}) == 1):
        return found
    near = found or near_names(name, list(sources), _MAX_LISTED)
    shown = ", ".join(map(quote_foreign, near[:_MAX_LISTED]))
    if found:
        more = len(found) - _MAX_LISTED
        tail = f" and {more} more" if more > 0 else ""
        raise Usage(
            f"{len(found)} documents are called {name!r}: {shown}{tail}",
            "write more of the path of the one that is meant",
        )
    cure = f"the nearest names: {shown}" if near else "footnote list shows all documents"
    raise Usage(f"there is no document called {name!r}", cure)
