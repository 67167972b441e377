"""Question + the passage that was expected -> where it was lost on the way, in numbers, and what would have kept it.

The stages are those of a question: in the library, outside the mask, in one chunk, ranked by words and by vectors, fused,
reranked, handed to the writer. The ranks beyond the depth that a search looks to are taken from the whole library (vectors
exactly, from the library's own), so that a cure can say which `depth` would have reached.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.answer.prompt import Prompt
from rag.domain import Chunk, Document, Passage, Ranks, Span
from rag.errors import Usage
from rag.library.library import Library
from rag.search.retrieve import query_words
from rag.search.widen import edges_of, widen_chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ALL = 1_000_000_000  # as deep as a list goes
_BATCH = 500


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What decides how far a passage gets: lists of `depth`, the first `rerank` read again, the first `passages` handed on, each with
    `beside` sentences on either side."""

    depth: int
    rerank: int
    passages: int
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the passage was lost ("" where it was handed on), what that means and what helps.

    `ranks` are 1-based: "words" and "vectors" within the whole library, "fused", "reranked" and "final" as the search ranks
    them; None where the passage is not in that list.
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
        span = self.span
        return {
            "lost": self.lost or None, "says": self.says, "cure": self.cure, "source": self.source,
            "start": span.start if span else None, "end": span.end if span else None, "text": self.text,
            "ranks": self.ranks, "passages": self.of,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SearchSteps:
    """The machines of a search. `fused` gives every passage of two lists so deep, as the search ranks them in the end.

    `prompt` is a chat model's: which passages fit into its context. The built-in reader reads all it is handed.
    """

    library: Library
    embed: Callable[[str], NDArray[np.float32]]
    fused: Callable[[str, int], tuple[Passage, ...]]
    near: Callable[[NDArray[np.float32], int], list[tuple[str, float]]]
    prompt: Callable[[str, Sequence[Passage]], Prompt] | None = None


def explain_passage(
    question: str, name: str, quote: str | None, search: SearchSteps, settings: SearchSettings
) -> Explanation:
    """Follow the passages of the document `name` that hold `quote` (any of its passages, without one) for `question`.

    Raises `Usage` for a quote without a word.
    """
    if quote is not None and not quote.strip():
        raise Usage("the quote is empty", 'give words of the document: --quote "..."')
    try:
        document = search.library.find(name)
    except Usage as error:
        return _absent(name, search.library, error)
    places = _places(document, quote) if quote else [Span(0, len(document.text))]
    if not places:
        return Explanation(
            "not in the document", f"{document.source} does not hold these words",
            "look at its text: footnote show DOCUMENT; where the file has changed: footnote sync", document.source,
        )  # fmt: skip
    edges = edges_of(document)
    chunks = [
        widen_chunk(c, document, settings.beside, edges)
        for c in _chunks(search.library, document.id)
    ]
    held = [c for c in chunks if not quote or any(place.within(c.span) for place in places)]
    if not held:
        return _unheld(document, places, chunks)
    return _followed(question, document, held, search, settings)


def _absent(name: str, library: Library, error: Usage) -> Explanation:
    """Not there at all, or known as a file that could not be read; several documents of one name are the caller's mistake."""
    failed = [
        k
        for k in library.files().values()
        if k.document is None and (k.source == name or k.source.endswith("/" + name))
    ]
    if failed:
        why = failed[0].reason or "it could not be read"
        return Explanation("not in the library", f"{failed[0].source} was not taken in: {why}", "footnote list says more; mend the file, then: footnote sync", name)  # fmt: skip
    if not str(error).startswith("there is no"):
        raise error
    return Explanation(
        "not in the library",
        f"there is no document called {name!r} in the library",
        f"footnote add {name}",
        name,
    )


def _places(document: Document, quote: str) -> list[Span]:
    """Every place of the quote, however its white space runs; where there is none, without regard to case."""
    text, sought = document.text, " ".join(quote.split())
    gaps = [match.span() for match in _GAP.finditer(text)]
    parts, before, removed = (
        list[str](),
        [0],
        [0],
    )  # the text with single blanks; from each place on, how much was left out
    at = 0
    for start, end in gaps:
        parts.append(text[at:start])
        before.append(start - removed[-1] + 1)
        removed.append(removed[-1] + end - start - 1)
        at = end
    flat = " ".join([*parts, text[at:]])
    for told, words in ((flat, sought), (flat.translate(_SMALL), sought.translate(_SMALL))):
        found, place = list[Span](), told.find(words)
        while place >= 0:
            low, high = place, place + len(words) - 1
            found.append(
                Span(
                    *(
                        to + removed[bisect_right(before, to) - 1] + more
                        for to, more in ((low, 0), (high, 1))
                    )
                )
            )
            place = told.find(words, place + len(words))
        if found:
            return found
    return []


class _Small(dict[int, str]):
    """Code point -> its small letter, where that is one letter: lengths stay."""

    def __missing__(self, code: int) -> str:
        small = chr(code).lower()
        self[code] = small = small if len(small) == 1 else chr(code)
        return small


_GAP = re.compile(r"\s+")
_SMALL = _Small()


def _chunks(library: Library, document: str) -> list[Chunk]:
    """The document's chunks in order."""
    names, found = sorted(library.ids()), []
    for at in range(0, len(names), _BATCH):
        found += [
            c for c in library.chunks(names[at : at + _BATCH]).values() if c.document == document
        ]
    return sorted(found, key=lambda c: c.span)


def _unheld(document: Document, places: Sequence[Span], chunks: Sequence[Chunk]) -> Explanation:
    """The quote is masked, runs over the edge of a chunk, or was not chunked."""
    place = places[0]
    if any(masked.overlaps(p) for p in places for masked in document.mask):
        cure = "footnote show DOCUMENT marks these lines; a line of the article among them should be reported"
        return Explanation("masked", "the words stand in page furniture, which is shown but neither searched nor quoted", cure, document.source, place, place.of(document.text))  # fmt: skip
    parts = [c for c in chunks if c.span.overlaps(place)]
    if parts:
        says = f"the words run over {len(parts)} passages, and none holds them whole"
        cure = "follow a part of them with --quote, or set a larger `chunk` and add the documents to another --library"
        return Explanation("not chunked", says, cure, document.source, parts[0].span, parts[0].text)
    return Explanation("not chunked", "no passage was made of these words", "footnote sync; footnote doctor says whether the library is whole", document.source, place, place.of(document.text))  # fmt: skip


def _followed(
    question: str,
    document: Document,
    held: Sequence[Chunk],
    search: SearchSteps,
    settings: SearchSettings,
) -> Explanation:
    """The chunk that got furthest, and where it fell."""
    ids = {c.id for c in held}
    vector = search.embed(question)
    by_words = [name for name, _ in search.library.words(query_words(question), _ALL)]
    by_vectors = _by_vectors(search.library, vector)
    ranked = search.fused(question, settings.depth)
    found = next((p for p in ranked if p.chunk.id in ids), None)
    own = found.ranks if found else Ranks()
    name = (
        found.chunk.id
        if found
        else min(filter(None, (_first(by_words, ids), _first(by_vectors, ids))))[1]
    )
    words, vectors = (_first(names, {name}) for names in (by_words, by_vectors))
    ranks = {
        "words": words and words[0], "vectors": vectors and vectors[0], "fused": own.fused, "reranked": own.reranked,
        "final": found.number if found else None,
    }  # fmt: skip
    lost, says, cure = _fell(
        ranks, settings, lambda: name in {n for n, _ in search.near(vector, settings.depth)}
    )
    if found is None and lost in ("words", "vectors"):
        reach = min(rank for rank in (ranks["words"], ranks["vectors"]) if rank)
        deeper = next(
            (
                p.number
                for p in search.fused(question, max(reach, settings.depth))
                if p.chunk.id == name
            ),
            None,
        )
        if deeper and reach > settings.depth:
            cure = f"depth = {reach} and passages = {deeper} would have kept it; or ask with words of the passage"
    if not lost and found and search.prompt:
        made = search.prompt(question, ranked[: settings.passages])
        if found.number not in made.numbers:
            dropped = next(
                (d for d in made.receipt.dropped if d.startswith(f"passage {found.number} ")),
                "no room",
            )
            lost, says = (
                "over budget",
                f"passage {found.number} of {len(ranked[: settings.passages])}, but the context was full: {dropped}",
            )
            cure = "raise `context`, or lower `answer` or `passages`, so that it fits"
    chunk = next(c for c in held if c.id == name)
    return Explanation(
        lost, says, cure, document.source, chunk.span, chunk.text, ranks, len(by_vectors)
    )


def _first(names: Sequence[str], ids: set[str]) -> tuple[int, str] | None:
    """The rank and the id of the first of the list that is among `ids`."""
    return next(((rank, name) for rank, name in enumerate(names, 1) if name in ids), None)


def _by_vectors(library: Library, vector: NDArray[np.float32]) -> list[str]:
    """All passages by their exact cosine, nearest first."""
    import numpy as np

    names = sorted(library.ids())
    cosines = [
        library.vectors(names[at : at + _BATCH]) @ vector for at in range(0, len(names), _BATCH)
    ]
    return [names[at] for at in np.argsort(-np.concatenate(cosines), kind="stable")]


def _fell(
    ranks: dict[str, int | None], settings: SearchSettings, indexed: Callable[[], bool]
) -> tuple[str, str, str]:
    """(stage, what happened, cure) by the ranks; the stage is "" where the passage is handed on."""
    words, vectors, fused, reranked, final = (
        ranks[key] for key in ("words", "vectors", "fused", "reranked", "final")
    )
    depth, limit = settings.depth, settings.passages
    by_words = f"rank {words} by words" if words else "no word of the question stands in it"
    said = f"{by_words}, rank {vectors} by vectors"
    if final is None:
        if vectors and vectors <= depth and not indexed():
            return "vectors", f"{said}, but the index does not find it", "footnote rebuild"
        stage = "words" if words and (not vectors or words < vectors) else "vectors"
        return stage, f"{said}; both lists end at {depth}", "ask with words of the passage"
    if final <= limit:
        return (
            "",
            f"it was handed on as passage {final} of {limit} ({said}, {fused} when fused)",
            "",
        )
    if reranked and fused and fused <= limit:
        return "reranked", f"rank {fused} when fused ({said}), but {final} after it was read again: {limit} are handed on", f"rerank = 0 would have kept it, or passages = {final}"  # fmt: skip
    if settings.rerank and not reranked and fused and fused > settings.rerank:
        return "fused", f"rank {fused} when fused ({said}): only the first {settings.rerank} are read again", f"rerank = {fused} would have read it, or passages = {final} handed it on"  # fmt: skip
    if reranked:
        return "reranked", f"rank {final} after it was read again ({said}, {fused} when fused): {limit} are handed on", f"passages = {final} would have kept it"  # fmt: skip
    return (
        "fused",
        f"rank {fused} when fused ({said}): {limit} are handed on",
        f"passages = {final} would have kept it",
    )
