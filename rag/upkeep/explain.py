"""Find the search stage at which an expected passage was lost, and the setting that keeps it.

The stages are those of a question: in the library, outside the mask, in one chunk, ranked by words
and by vectors, fused, reranked, passed to the writer. Ranks that lie deeper than a search looks are
computed over the whole library (exact cosines of its own vectors), so that a hint can name the
`depth` that would have reached the passage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.answer.prompt import Prompt
from rag.domain import Chunk, Document, Passage, Ranks, Span
from rag.errors import Usage
from rag.library.library import Library
from rag.search.retrieve import query_words
from rag.search.widen import edges_of, widen_chunk
from rag.upkeep.find_quote import find_quote
from rag.upkeep.search_loss import ASK_OTHERWISE, Loss, SearchSettings, find_loss, find_overflow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: a list length that no library reaches
_UNLIMITED = 1_000_000_000
#: chunks or vectors that are read from the library at a time
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Explanation:
    """The stage that lost the passage ("" if it reached the writer), what happened, and a hint.

    `ranks` are 1-based: "words" and "vectors" within the whole library; "fused", "reranked" and
    "final" as the search ranks them. A rank is None if the passage is not in that list.
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


@dataclass(frozen=True, slots=True)
class SearchSteps:
    """The parts of a search, as functions.

    `embed` makes the vector of a question. `fused` gives every passage of two lists of a depth, in
    the final order of the search. `near` looks up the ids and cosines of the nearest chunks in the
    index. `prompt` builds a chat model's prompt and so decides which passages fit into its context;
    it is None for the built-in reader, which reads all passages.
    """

    library: Library
    embed: Callable[[str], NDArray[np.float32]]
    fused: Callable[[str, int], tuple[Passage, ...]]
    near: Callable[[NDArray[np.float32], int], list[tuple[str, float]]]
    prompt: Callable[[str, Sequence[Passage]], Prompt] | None = None


def explain_passage(
    question: str, name: str, quote: str | None, search: SearchSteps, settings: SearchSettings
) -> Explanation:
    """Follow the passages of document `name` that contain `quote` through a search.

    Without a quote any passage of the document will do. Raises `Usage` for an empty quote and for a
    name that several documents have.
    """
    if quote is not None and not quote.strip():
        raise Usage("the quote is empty", 'give words of the document: --quote "..."')
    try:
        document = search.library.documents.find(name)
    except Usage as error:
        return _explain_absence(name, search.library, error)
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
        widen_chunk(chunk, document, settings.beside, edges)
        for chunk in _chunks_of(search.library, document.id)
    ]
    targets = [c for c in chunks if not quote or any(place.within(c.span) for place in places)]
    if not targets:
        return _explain_no_chunk(document, places, chunks)
    return _follow_search(question, document, targets, search, settings)


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
    ids, chunks = sorted(library.documents.chunk_ids()), list[Chunk]()
    for start in range(0, len(ids), _BATCH):
        batch = library.documents.chunks(ids[start : start + _BATCH]).values()
        chunks += [chunk for chunk in batch if chunk.document == document_id]
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


# -- ranks


def _follow_search(
    question: str,
    document: Document,
    targets: Sequence[Chunk],
    search: SearchSteps,
    settings: SearchSettings,
) -> Explanation:
    """Explain the chunk of `targets` that got furthest."""
    target_ids = {chunk.id for chunk in targets}
    vector = search.embed(question)
    by_words = [c for c, _ in search.library.fulltext(query_words(question), _UNLIMITED)]
    by_vectors = _rank_by_vectors(search.library, vector)
    ranked = search.fused(question, settings.depth)
    passage = next((p for p in ranked if p.chunk.id in target_ids), None)
    if passage:
        chunk_id = passage.chunk.id
    else:
        firsts = (_first_rank(ids, target_ids) for ids in (by_words, by_vectors))
        chunk_id = min(first for first in firsts if first)[1]
    ranks = _ranks(chunk_id, passage, by_words, by_vectors)
    loss = find_loss(
        ranks, settings, lambda: chunk_id in {c for c, _ in search.near(vector, settings.depth)}
    )
    if passage is None:
        loss = _with_depth(loss, question, chunk_id, ranks, search, settings)
    elif not loss.stage and search.prompt:
        handed_on = ranked[: settings.passages]
        loss = find_overflow(search.prompt(question, handed_on), passage, len(handed_on)) or loss
    chunk = next(chunk for chunk in targets if chunk.id == chunk_id)
    return Explanation(
        loss.stage,
        loss.says,
        loss.cure,
        document.source,
        chunk.span,
        chunk.text,
        ranks,
        len(by_vectors),
    )


def _ranks(
    chunk_id: str, passage: Passage | None, by_words: Sequence[str], by_vectors: Sequence[str]
) -> dict[str, int | None]:
    """The ranks of one chunk, as in `Explanation`."""
    words, vectors = (_first_rank(ids, {chunk_id}) for ids in (by_words, by_vectors))
    own = passage.ranks if passage else Ranks()
    return {
        "words": words[0] if words else None,
        "vectors": vectors[0] if vectors else None,
        "fused": own.fused,
        "reranked": own.reranked,
        "final": passage.number if passage else None,
    }


def _first_rank(ids: Sequence[str], wanted: set[str]) -> tuple[int, str] | None:
    """The rank and the id of the first of `ids` that is wanted."""
    return next(((rank, found) for rank, found in enumerate(ids, 1) if found in wanted), None)


def _rank_by_vectors(library: Library, vector: NDArray[np.float32]) -> list[str]:
    """The ids of all passages by their exact cosine, nearest first."""
    import numpy as np

    ids = sorted(library.documents.chunk_ids())
    cosines = [
        library.documents.vectors(ids[start : start + _BATCH]) @ vector
        for start in range(0, len(ids), _BATCH)
    ]
    return [ids[place] for place in np.argsort(-np.concatenate(cosines), kind="stable")]


# -- hints


def _with_depth(
    loss: Loss,
    question: str,
    chunk_id: str,
    ranks: dict[str, int | None],
    search: SearchSteps,
    settings: SearchSettings,
) -> Loss:
    """Add to the hint the `depth` and `passages` that would have kept the chunk, if any would."""
    reach = min(rank for rank in (ranks["words"], ranks["vectors"]) if rank)
    deeper = search.fused(question, max(reach, settings.depth))
    number = next((p.number for p in deeper if p.chunk.id == chunk_id), None)
    if not number or reach <= settings.depth:
        return loss
    cure = f"depth = {reach} and passages = {number} would have kept it; or {ASK_OTHERWISE}"
    return loss._replace(cure=cure)
