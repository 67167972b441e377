"""Find the search stage at which an expected passage was lost, and the setting that keeps it.

The stages are those of a question: in the library, outside the mask, in one chunk, ranked by words
and by vectors, fused, reranked, passed to the writer. The chunks with the passage are looked up in
its document. Everything about the search is read from its trace (`rag.search.retrieve`), which also
has the ranks that lie deeper than a search looks, so that a hint can name the `depth` that would
have reached the passage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rag.answer.prompt import Prompt
from rag.domain import Chunk, Document, Passage, Span
from rag.errors import Usage
from rag.library.library import Library
from rag.search.passages import edges_of, widen_chunk
from rag.search.retrieve import SearchTrace
from rag.upkeep.find_quote import find_quote
from rag.upkeep.search_loss import find_loss, find_overflow

#: ids of chunks to follow -> the trace of a search
TraceSearch = Callable[[Sequence[str]], SearchTrace]
#: a question and passages -> the prompt of a chat model
BuildPrompt = Callable[[str, Sequence[Passage]], Prompt]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The stage that lost the passage ("" if it reached the writer), what happened, and a hint.

    `ranks` are 1-based: "words" and "vectors" within the whole library, or within the files that
    the question names; "fused", "reranked" and "final" as the search ranks them. A rank is None if
    the passage is not in that list.
    """

    lost: str
    says: str
    cure: str = ""
    source: str = ""
    span: Span | None = None  #: of the chunk that was followed
    text: str = ""
    ranks: dict[str, int | None] = field(default_factory=dict)
    of: int = 0  #: passages of the library

    def wire(self) -> dict[str, Any]:
        """The object of ``explain --json``."""
        return {
            "lost": self.lost or None,
            "says": self.says,
            "cure": self.cure,
            "source": self.source,
            "start": self.span.start if self.span else None,
            "end": self.span.end if self.span else None,
            "text": self.text,
            "ranks": self.ranks,
            "passages": self.of,
        }


def explain_passage(
    question: str,
    name: str,
    quote: str | None,
    library: Library,
    trace_search: TraceSearch,
    build_prompt: BuildPrompt | None = None,
    beside: int = 0,
) -> Explanation:
    """Follow the passages of document `name` that contain `quote` through a search.

    Without a quote any passage of the document will do. `trace_search` searches for the question
    and follows chunks by their ids. `build_prompt` makes a chat model's prompt and so decides which
    passages fit into its context; it is None for the built-in reader, which reads all passages. A
    passage is its chunk with `beside` sentences on either side. Raises `Usage` for an empty quote
    and for a name that several documents have.
    """
    if quote is not None and not quote.strip():
        raise Usage("the quote is empty", 'give words of the document: --quote "..."')
    try:
        document = library.documents.find(name)
    except Usage as error:
        return _explain_absence(name, library, error)
    places = find_quote(document.text, quote) if quote else [Span(0, len(document.text))]
    if not places:
        return Explanation(
            "not in the document",
            f"{document.source} does not contain these words",
            "look at its text: footnote show DOCUMENT; if the file has changed: footnote sync",
            document.source,
        )
    edges = edges_of(document)
    chunks = [
        widen_chunk(chunk, document, beside, edges) for chunk in _chunks_of(library, document.id)
    ]
    targets = [c for c in chunks if not quote or any(place.within(c.span) for place in places)]
    if not targets:
        return _explain_no_chunk(document, places, chunks)
    return _follow_search(question, document, targets, library, trace_search, build_prompt)


def _explain_absence(name: str, library: Library, error: Usage) -> Explanation:
    """Explain a document that is not in the library, or whose file could not be read.

    Raises `error` again if it is about something else, such as several documents of that name.
    """
    for file in library.files.by_place().values():
        if file.document is None and (file.source == name or file.source.endswith("/" + name)):
            return Explanation(
                "not in the library",
                f"{file.source} was not added: {file.reason or 'it could not be read'}",
                "footnote list has the details; correct the file, then: footnote sync",
                name,
            )
    if not str(error).startswith("there is no"):
        raise error
    says = f"there is no document called {name!r} in the library"
    return Explanation("not in the library", says, f"footnote add {name}", name)


# -- chunks


def _chunks_of(library: Library, document_id: str) -> list[Chunk]:
    """The chunks of a document, in order."""
    chunks = library.documents.chunks(library.documents.chunk_ids_of(document_id)).values()
    return sorted(chunks, key=lambda chunk: chunk.span)


def _explain_no_chunk(
    document: Document, places: Sequence[Span], chunks: Sequence[Chunk]
) -> Explanation:
    """Explain a quote that is masked, crosses the edge of a chunk, or was not chunked."""
    place, source = places[0], document.source
    words = place.of(document.text)
    if any(masked.overlaps(p) for p in places for masked in document.mask):
        says = "the words are page furniture, which is shown but neither searched nor quoted"
        cure = "footnote show DOCUMENT marks these lines; please report a line of the article"
        return Explanation("masked", says, cure, source, place, words)
    overlapping = [chunk for chunk in chunks if chunk.span.overlaps(place)]
    if overlapping:
        first = overlapping[0]
        says = f"the words run over {len(overlapping)} passages, and none contains them whole"
        cure = (
            "follow a part of them with --quote, or set a larger `chunk` and add the documents "
            "to another --library"
        )
        return Explanation("not chunked", says, cure, source, first.span, first.text)
    says = "no passage was made of these words"
    cure = "footnote sync; footnote doctor says whether the library is whole"
    return Explanation("not chunked", says, cure, source, place, words)


# -- the search


def _follow_search(
    question: str,
    document: Document,
    targets: Sequence[Chunk],
    library: Library,
    trace_search: TraceSearch,
    build_prompt: BuildPrompt | None,
) -> Explanation:
    """Explain the chunk of `targets` that got furthest."""
    trace = trace_search([chunk.id for chunk in targets])
    followed = trace.followed
    if followed is None:
        raise ValueError("the trace follows no chunk")
    loss = find_loss(trace, followed)
    if not loss.stage and build_prompt and followed.final:
        prompt = build_prompt(question, trace.passages)
        loss = find_overflow(prompt, followed.final, len(trace.passages)) or loss
    chunk = next(chunk for chunk in targets if chunk.id == followed.chunk_id)
    return Explanation(
        loss.stage,
        loss.says,
        loss.cure,
        document.source,
        chunk.span,
        chunk.text,
        {**asdict(followed.ranks), "final": followed.final},
        library.documents.counts().chunks,
    )
