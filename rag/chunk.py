"""Document -> chunks, each an exact slice of its text made of whole sentences.

A chunk fills up with the sentences of one section until the next one would make it longer than `size` tokens; a masked
line or a heading ends it. A sentence longer than that is cut where a word ends, and a chunk that would be only a few
words long is put to the one before it. Sizes are counted by the embedder's own tokenizer, so nothing that is
embedded is cut off unseen.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from rag.domain import Chunk, Document, Span
from rag.sentences import sentences

VERSION = 1  #: of the way chunks are made; a library of another version is refused
_TINY = 24  # tokens; less than this does not stand alone

Counter = Callable[[Sequence[str]], Sequence[int]]


def chunk(document: Document, size: int, count: Counter) -> Iterator[Chunk]:
    """The chunks of `document` in order, none longer than `size` tokens as `count` counts the tokens of texts."""
    breaks = [m.start for m in document.mask] + [span.start for span, _ in document.headings]
    pieces = list(_pieces(document, size, count))
    counts = count([piece.of(document.text) for piece in pieces]) if pieces else []
    spans: list[Span] = []
    start, used, last = -1, 0, -1
    for piece, tokens in zip(pieces, counts, strict=True):
        apart = start >= 0 and any(last <= b < piece.end and b >= last for b in _between(breaks, last, piece.start))
        if start >= 0 and (apart or used + tokens > size):
            spans.append(Span(start, last))
            start = -1
        if start < 0:
            start, used = piece.start, 0
        used, last = used + tokens, piece.end
    if start >= 0:
        spans.append(Span(start, last))
    yield from _chunks(document, _joined(document, spans, size, count))


def _between(breaks: list[int], low: int, high: int) -> list[int]:
    return [b for b in breaks if low <= b <= high]


def _pieces(document: Document, size: int, count: Counter) -> Iterator[Span]:
    """Sentences outside the mask; one longer than `size` tokens is cut into parts at white space."""
    text = document.text
    for low, high in _unmasked(document):
        for span in sentences(text, Span(low, high)):
            if span.end - span.start > 2 * size and count([span.of(text)])[0] > size:
                yield from _cut(text, span, size, count)
            else:
                yield span


def _unmasked(document: Document) -> Iterator[tuple[int, int]]:
    at = 0
    for masked in document.mask:
        if masked.start > at:
            yield at, masked.start
        at = masked.end
    if at < len(document.text):
        yield at, len(document.text)


def _cut(text: str, span: Span, size: int, count: Counter) -> Iterator[Span]:
    start = span.start
    while start < span.end:
        end = min(span.end, start + 4 * size)
        while end - start > 1 and count([text[start:end]])[0] > size:
            end = start + max(1, (end - start) * 3 // 4)
        if end < span.end:
            space = text.rfind(" ", start + 1, end)
            end = space if space > start + (end - start) // 2 else end
        yield Span(start, end)
        start = end
        while start < span.end and text[start].isspace():
            start += 1


def _joined(document: Document, spans: list[Span], size: int, count: Counter) -> list[Span]:
    """Tiny chunks put to their neighbour, where nothing masked lies between and both together are not too long."""
    if len(spans) < 2:
        return spans
    counts = list(count([s.of(document.text) for s in spans]))
    out, sizes = [spans[0]], [counts[0]]
    for span, tokens in zip(spans[1:], counts[1:], strict=True):
        masked = any(out[-1].end <= m.start < span.start for m in document.mask)
        if not masked and min(sizes[-1], tokens) < _TINY and sizes[-1] + tokens <= size:
            out[-1], sizes[-1] = Span(out[-1].start, span.end), sizes[-1] + tokens
        else:
            out.append(span)
            sizes.append(tokens)
    return out


def _chunks(document: Document, spans: list[Span]) -> Iterator[Chunk]:
    starts = [s.start for s, _ in document.headings]
    pages = [p.start for p in document.pages]
    line, at = 1, 0
    for span in spans:
        line, at = line + document.text.count("\n", at, span.start), span.start
        section = bisect_right(starts, span.start) - 1
        heading = (
            document.headings[section][1] if section >= 0 and span.start < document.headings[section][0].end else ""
        )
        page = bisect_right(pages, span.start) or None
        name = f"{document.id}\0{span.start}\0{span.end}\0{VERSION}"
        yield Chunk(
            hashlib.sha256(name.encode()).hexdigest()[:32], document.id, document.source, document.title, document.date,
            heading, span, span.of(document.text), line, page,
        )  # fmt: skip
