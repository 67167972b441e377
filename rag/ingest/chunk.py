"""Document -> chunks, each an exact slice of its text made of whole sentences.

A chunk fills up with the sentences of one section until the next one would make it longer than `size` tokens; a masked
line, a heading or a new page ends it, so that a chunk's page is the page of every sentence that begins in it. In source
code and tables a line is a sentence. A sentence longer than that is cut where a word ends, and a chunk that would be only a few
words long is put to the one before it. Sizes are counted by the embedder's own tokenizer, so nothing that is
embedded is cut off unseen. A chunk is bounded in characters too, far above what text has.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

from rag.domain import Chunk, Document, Span
from rag.text.sentences import bounded, split_sentences

CHUNKER_VERSION = 1  #: of the way chunks are made; a library of another version is refused
_TINY_TOKENS = 24  # tokens; less than this does not stand alone
_MAX_COUNTED_TEXTS, _MAX_COUNTED_CHARS = (
    8192,
    2**20,
)  # sentences, and about how many characters of them, handed to the tokenizer at once
_MAX_CHARS_PER_TOKEN = 40  # characters a token that a chunk may have: a word of megabytes may be a single token, and white space is none
_MAX_LINE_CHARS = (
    20_000  # characters of a line that is counted as one piece; a longer one is cut first
)

CountTokens = Callable[[Sequence[str]], Sequence[int]]
_Piece = tuple[Span, int]  # a part of the text and its tokens


def chunk_document(document: Document, size: int, count: CountTokens) -> Iterator[Chunk]:
    """The chunks of `document` in order, none longer than `size` tokens as `count` counts the tokens of texts."""
    packed = _pack(document, _counted_pieces(document, size, count), size)
    yield from _as_chunks(document, _join_tiny(document, packed, size))


def _pack(document: Document, pieces: Iterator[_Piece], size: int) -> list[_Piece]:
    """Sentences put together until the next one is too much or something stands between. A headline goes with what follows."""
    breaks = sorted(
        [m.start for m in document.mask] + [span.start for span, _ in document.headings]
    )
    pages = [page.start for page in document.pages]
    out: list[_Piece] = []
    current: list[_Piece] = []
    held = 0  # tokens of `current`
    for piece, tokens in pieces:
        apart = bool(current) and (
            _has_break(breaks, current[-1][0].end, piece.start)
            or _has_break(pages, current[-1][0].start + 1, piece.start)
        )
        if current and (apart or held + tokens > size or not _is_short(current[0][0], piece, size)):
            last, its = current[-1]
            fits = (
                not apart
                and len(current) > 1
                and its + tokens <= size
                and _is_short(last, piece, size)
            )
            carried = [current.pop()] if fits and _is_headline(document, last) else []
            out.append(_merge(current))
            current, held = carried, sum(n for _, n in carried)
        current.append((piece, tokens))
        held += tokens
    return [*out, _merge(current)] if current else out


def _merge(pieces: list[_Piece]) -> _Piece:
    return Span(pieces[0][0].start, pieces[-1][0].end), sum(tokens for _, tokens in pieces)


def _is_short(first: Span, last: Span, size: int) -> bool:
    """Is what reaches from `first` to the end of `last` short enough, in characters, for one chunk?"""
    return last.end - first.start <= _MAX_CHARS_PER_TOKEN * size


def _has_break(breaks: list[int], low: int, high: int) -> bool:
    at = bisect_left(breaks, low)
    return at < len(breaks) and breaks[at] <= high


def _is_headline(document: Document, piece: Span) -> bool:
    """A short line of its own that is not a sentence."""
    text = document.text
    alone = (piece.start == 0 or text[piece.start - 1] == "\n") and text[
        piece.end : piece.end + 1
    ] in ("", "\n", "\r")
    return alone and piece.end - piece.start <= 100 and text[piece.end - 1] not in ".!?:;,”\"')"


def _counted_pieces(document: Document, size: int, count: CountTokens) -> Iterator[_Piece]:
    """Sentences outside the mask; one longer than `size` tokens is cut into parts at white space."""
    text = document.text
    cut = _code_lines if document.lines else split_sentences
    spans = [
        span for low, high in _unmasked_ranges(document) for span in cut(text, Span(low, high))
    ]
    for some in _batches(spans):
        for span, tokens in zip(some, count([s.of(text) for s in some]), strict=True):
            if tokens <= size and _is_short(span, span, size):
                yield span, tokens
            else:
                parts = list(_cut_long(text, span, size, count))
                yield from zip(parts, count([part.of(text) for part in parts]), strict=True)


def _batches(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """The spans in order, so many at a time as the tokenizer is handed at once."""
    begin = characters = 0
    for at, span in enumerate(spans):
        characters += span.end - span.start
        if at + 1 - begin == _MAX_COUNTED_TEXTS or characters >= _MAX_COUNTED_CHARS:
            yield spans[begin : at + 1]
            begin, characters = at + 1, 0
    if begin < len(spans):
        yield spans[begin:]


def _code_lines(text: str, within: Span) -> Iterator[Span]:
    """The lines that hold anything, with the white space before them (in source code it says something)."""
    for line in re.finditer(r"[^\n]+", within.of(text)):
        start = within.start + line.start()
        for part in bounded(text, Span(start, start + len(line[0])), _MAX_LINE_CHARS):
            end = len(part.of(text).rstrip())
            if end:
                yield Span(part.start, part.start + end)


def _unmasked_ranges(document: Document) -> Iterator[tuple[int, int]]:
    at = 0
    for masked in document.mask:
        if masked.start > at:
            yield at, masked.start
        at = masked.end
    if at < len(document.text):
        yield at, len(document.text)


def _cut_long(text: str, span: Span, size: int, count: CountTokens) -> Iterator[Span]:
    start = span.start
    while start < span.end:
        while text[start].isspace():
            start += 1
        end = min(span.end, start + 4 * size)
        while end - start > 1 and count([text[start:end]])[0] > size:
            end = start + max(1, (end - start) * 3 // 4)
        if end < span.end:
            space = text.rfind(" ", start + 1, end)
            end = space if space > start + (end - start) // 2 else end
        yield Span(start, end)
        start = end


def _join_tiny(document: Document, pieces: list[_Piece], size: int) -> list[Span]:
    """Tiny chunks put to their neighbour, where nothing masked lies between and both together are not too long."""
    masks = [m.start for m in document.mask]
    pages = [page.start for page in document.pages]
    out: list[_Piece] = []
    for span, tokens in pieces:
        if out:
            before, used = out[-1]
            apart = _has_break(masks, before.end, span.start) or _has_break(
                pages, before.start + 1, span.start
            )
            tiny = (
                min(used, tokens) < _TINY_TOKENS
                and used + tokens <= size
                and _is_short(before, span, size)
            )
            if tiny and not apart:
                out[-1] = (Span(before.start, span.end), used + tokens)
                continue
        out.append((span, tokens))
    return [span for span, _ in out]


def _as_chunks(document: Document, spans: list[Span]) -> Iterator[Chunk]:
    starts = [s.start for s, _ in document.headings]
    pages = [p.start for p in document.pages]
    line, at = 1, 0
    for span in spans:
        line, at = line + document.text.count("\n", at, span.start), span.start
        section = bisect_right(starts, span.start) - 1
        heading = (
            document.headings[section][1]
            if section >= 0 and span.start < document.headings[section][0].end
            else ""
        )
        page = bisect_right(pages, span.start) or None
        name = f"{document.id}\0{span.start}\0{span.end}\0{CHUNKER_VERSION}"
        yield Chunk(
            hashlib.sha256(name.encode()).hexdigest()[:32], document.id, document.source, document.title, document.date,
            heading, span, span.of(document.text), line, page,
        )  # fmt: skip
