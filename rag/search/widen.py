"""Adds the sentences around a chunk: small chunks are searched, whole passages are read.

A chunk ends before the sentence that would make it too long, which may be in the middle of what the
question asks for. On the gold quotes of long documents, one more sentence on either side put 0.89
of them whole inside the first five passages; chunks alone had 0.83. Sentences that are page
furniture, under another heading or on another page are not added.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Chunk, Document, Span, UnitKind
from rag.text.sentences import split_sentences

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
    before = list(split_sentences(text, Span(low, start)))
    if low > first:  # the first sentence may be cut
        before = before[1:]
    behind = list(split_sentences(text, Span(end, high)))
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
