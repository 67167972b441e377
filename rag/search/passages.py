"""Makes passages of chunks: adds the sentences beside a chunk, and folds the copies of a text.

Small chunks are searched, whole passages are read. A chunk ends before the sentence that would make
it too long, which may be in the middle of what the question asks for. On the gold quotes of long
documents, one more sentence on either side put 0.89 of them whole inside the first five passages;
chunks alone had 0.83. Sentences that are page furniture, under another heading or on another page
are not added.

A chunk whose text better ones have already gets no place of its own. It is folded into the better
one, so that it does not count as another source. The texts themselves decide (`rag.text.copies`),
because chunks of two copies need not begin at the same word; a chunk is compared with all better
passages together. Labels made at ingest tell whether the lists have so many copies that deeper
lists are needed, and which further copies exist.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from rag.domain import Chunk, Copy, Document, Span, UnitKind
from rag.library.library import Library
from rag.text.copies import WordText, find_copy
from rag.text.sentences import split_sentences, wrap_width

_MAX_DISTANCE = 600  # characters on either side in which sentences are searched
_MAX_WHOLE_CHARS = 2000  # characters of a list that a chunk cuts and that is read whole
_MAX_SENTENCE_CHARS = 400  # characters; a longer sentence is not added


def widen_chunk(
    chunk: Chunk, document: Document, count: int, edges: Sequence[int] | None = None
) -> Chunk:
    """`chunk` with up to `count` sentences before and behind it: still an exact slice of the text.

    Pass `edges`, the result of `edges_of(document)`, to widen many chunks of one document.
    """
    text = document.text
    first, last = _section(chunk.span, edges_of(document) if edges is None else edges, len(text))
    start, end = chunk.span.start, chunk.span.end
    low, high = max(first, start - _MAX_DISTANCE), min(last, end + _MAX_DISTANCE)
    width = wrap_width(text[low:high])
    before = list(split_sentences(text, Span(low, start), width))
    if low > first:  # the first sentence may be cut
        before = before[1:]
    behind = list(split_sentences(text, Span(end, high), width))
    if high < last:
        behind = behind[:-1]
    whole = _whole_units(chunk, first, last)
    start, end = min(start, whole.start), max(end, whole.end)
    if any(unit.kind is UnitKind.ROW for unit in chunk.units):
        count = 0  # a row says nothing about its neighbours
    for sentence in before[::-1][:count]:
        if sentence.end - sentence.start > _MAX_SENTENCE_CHARS:
            break
        start = min(start, sentence.start)
    for sentence in behind[:count]:
        if sentence.end - sentence.start > _MAX_SENTENCE_CHARS:
            break
        end = max(end, sentence.end)
    line = chunk.line - text.count("\n", start, chunk.span.start)
    return replace(chunk, span=Span(start, end), text=text[start:end], line=line)


def _whole_units(chunk: Chunk, first: int, last: int) -> Span:
    """The span from the first to the last of the lists, records and answers that a chunk cuts.

    Longer ones, and those that reach beyond `first` and `last`, stay cut.
    """
    start, end = chunk.span.start, chunk.span.end
    for unit in chunk.units:
        if (
            unit.kind in (UnitKind.LIST, UnitKind.RECORD, UnitKind.ANSWER)
            and unit.span.end - unit.span.start <= _MAX_WHOLE_CHARS
            and first <= unit.span.start
            and unit.span.end <= last
        ):
            start, end = min(start, unit.span.start), max(end, unit.span.end)
    return Span(start, end)


def edges_of(document: Document) -> list[int]:
    """The offsets, sorted, where furniture begins or ends and where headings and pages begin."""
    return sorted(
        [edge for masked in document.mask for edge in (masked.start, masked.end)]
        + [section.start for section, _ in document.headings]
        + [page.start for page in document.pages]
    )


def _section(span: Span, edges: Sequence[int], length: int) -> tuple[int, int]:
    """The range around `span` that no edge divides; `length` is that of the text."""
    left, right = bisect_right(edges, span.start) - 1, bisect_left(edges, span.end)
    first = edges[left] if left >= 0 else 0
    last = edges[right] if right < len(edges) else length
    return first, last


class Folded(NamedTuple):
    """Chunks without copies, best first, and for each chunk id the chunks folded into it."""

    chunks: dict[str, Chunk]
    copies: dict[str, list[Chunk]]

    def originals(self) -> dict[str, Chunk]:
        """Id of each copy -> the chunk that it was folded into, best first."""
        return {
            copy.id: self.chunks[chunk_id]
            for chunk_id, copies in self.copies.items()
            for copy in copies
        }


def fold_copies(
    library: Library,
    chunk_ids: Sequence[str],
    wanted: int,
    deeper_exist: bool,
    enough: Callable[[dict[str, Chunk], str], bool],
) -> Folded | None:
    """The first `wanted` chunks that say something new, best first, with their copies.

    There are fewer if `enough` is true of the chunks so far and the next id. The result is None if
    these ids have too few and deeper lists exist; the labels of the copies tell that before a long
    list of them is compared.
    """
    folded = Folded({}, {})
    texts: list[WordText] = []
    for index, chunk_id in enumerate(chunk_ids):
        if len(folded.chunks) == wanted or enough(folded.chunks, chunk_id):
            return folded
        if (
            deeper_exist
            and index == 2 * wanted
            and len(library.duplicates.labels(chunk_ids)) < wanted
        ):
            return None
        _fold(library, chunk_id, folded, texts)
    return None if deeper_exist and len(folded.chunks) < wanted else folded


def fold_all(library: Library, chunk_ids: Sequence[str]) -> Folded:
    """All chunks that say something new, best first, with their copies."""
    folded = Folded({}, {})
    texts: list[WordText] = []
    for chunk_id in chunk_ids:
        _fold(library, chunk_id, folded, texts)
    return folded


def _fold(library: Library, chunk_id: str, folded: Folded, texts: list[WordText]) -> None:
    """Enter one more chunk in `folded`, and its text in `texts` if it is no copy."""
    chunk = library.documents.chunks([chunk_id]).get(chunk_id)
    if chunk is None:
        return
    text = WordText(chunk.text, f"{chunk.title} {chunk.heading}")
    original = find_copy(text, texts)
    if original is None:
        folded.chunks[chunk_id] = chunk
        texts.append(text)
    else:
        original_id = list(folded.chunks)[original]
        folded.copies.setdefault(original_id, []).append(chunk)


def other_places(
    library: Library, chunk: Chunk, folded: Sequence[Chunk], shown: Sequence[Chunk]
) -> tuple[Copy, ...]:
    """The other places of a chunk's text, without those of the passages in `shown`.

    First the chunks that were folded into it, then the other names of its document, then the copies
    that were found at ingest.
    """
    names = [
        Copy(source, each.document, each.span)
        for each in (*folded, chunk)
        for source in library.files.sources(each.document)
    ]
    copies = dict.fromkeys([*names, *library.duplicates.copies(chunk.id)])
    itself = Copy(chunk.source, chunk.document, chunk.span)
    shown_places = {(other.document, other.span) for other in shown if other.id != chunk.id}
    return tuple(
        copy for copy in copies if copy != itself and (copy.document, copy.span) not in shown_places
    )
