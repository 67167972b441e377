"""Cuts a document into chunks, each an exact slice of its text made of whole sentences.

A chunk takes the sentences of one section until the next one would make it longer than `size`
tokens. A masked line, a heading or a new page ends it, so that the page of a chunk is the page of
every sentence that begins in it. In source code and tables a line is a sentence; a record, and an
entry of source code, are one too. A longer sentence is cut where a word ends. A chunk of
only a few words is joined to the one before it. The tokenizer of the embedder counts the tokens, so
that the embedder never truncates a chunk. The characters of a chunk are limited too, far above what
text needs.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rag.domain import Chunk, Document, Span, Unit, UnitKind
from rag.ingest.large_tables import is_large_table
from rag.text.sentences import bounded, split_sentences
from rag.text.units import UnitsInOrder, row_text

#: version of the way chunks are made; a library of another version is refused
CHUNKER_VERSION = 2
#: tokens; a chunk of fewer is joined to its neighbour
_TINY_TOKENS = 24
#: sentences that the tokenizer gets at once, and about how many characters of them
_MAX_COUNTED_TEXTS, _MAX_COUNTED_CHARS = 1024, 2**20
#: characters of a chunk for each token: a word of megabytes may be one token, white space is none
_MAX_CHARS_PER_TOKEN = 40
#: characters of a line that is counted as one piece; a longer one is cut first
_MAX_LINE_CHARS = 20_000
#: tokens of the names of a row that always count
_SHORT_NAMES = 16
#: characters of a record or entry that stays in one piece
_MAX_UNIT_CHARS = 1200

#: counts the tokens of each text
CountTokens = Callable[[Sequence[str]], Sequence[int]]


class _Piece(NamedTuple):
    """A part of the text and its number of tokens."""

    span: Span
    tokens: int


def chunk_document(document: Document, size: int, count: CountTokens) -> Iterator[Chunk]:
    """Yield the chunks of `document` in order, none longer than `size` tokens by `count`."""
    pieces = _pack(document, _counted_pieces(document, size, count), size)
    yield from _as_chunks(document, _join_tiny(document, pieces, size))


def _pack(document: Document, sentences: Iterator[_Piece], size: int) -> list[_Piece]:
    """Put sentences together until the next one is too much or a break lies between.

    A headline at the end of a piece moves to the next one if that has room for it.
    """
    breaks = sorted(
        [mask.start for mask in document.mask] + [s.start for s, _ in document.headings]
    )
    pages = [page.start for page in document.pages]
    packed: list[_Piece] = []
    current: list[_Piece] = []
    current_tokens = 0
    for sentence in sentences:
        if current:
            last = current[-1]
            divided = _has_break(breaks, last.span.end, sentence.span.start) or _has_break(
                pages, last.span.start + 1, sentence.span.start
            )
            full = current_tokens + sentence.tokens > size
            if divided or full or not _is_short(current[0].span, sentence.span, size):
                fits = (
                    not divided
                    and len(current) > 1
                    and last.tokens + sentence.tokens <= size
                    and _is_short(last.span, sentence.span, size)
                )
                carried = [current.pop()] if fits and _is_headline(document, last.span) else []
                packed.append(_merge(current))
                current, current_tokens = carried, sum(piece.tokens for piece in carried)
        current.append(sentence)
        current_tokens += sentence.tokens
    return [*packed, _merge(current)] if current else packed


def _merge(pieces: list[_Piece]) -> _Piece:
    """Return one piece from the start of the first to the end of the last."""
    span = Span(pieces[0].span.start, pieces[-1].span.end)
    return _Piece(span, sum(piece.tokens for piece in pieces))


def _is_short(first: Span, last: Span, size: int) -> bool:
    """Has the text from `first` to the end of `last` few enough characters for one chunk?"""
    return last.end - first.start <= _MAX_CHARS_PER_TOKEN * size


def _has_break(breaks: list[int], low: int, high: int) -> bool:
    """Is one of the sorted offsets `breaks` between `low` and `high`, both included?"""
    index = bisect_left(breaks, low)
    return index < len(breaks) and breaks[index] <= high


def _is_headline(document: Document, span: Span) -> bool:
    """Is this a short line of its own that is not a sentence?"""
    text = document.text
    begins_line = span.start == 0 or text[span.start - 1] == "\n"
    ends_line = text[span.end : span.end + 1] in ("", "\n", "\r")
    short = span.end - span.start <= 100
    return begins_line and ends_line and short and text[span.end - 1] not in ".!?:;,”\"')"


def _counted_pieces(document: Document, size: int, count: CountTokens) -> Iterator[_Piece]:
    """Yield the sentences outside the mask with their tokens; too long ones are cut into parts."""
    text = document.text
    split = _code_lines if document.lines else split_sentences
    units = {unit.span.start: unit for unit in _undivided(document)}
    spans = list(_sentences_and_units(document, units))
    names = _NameTokens(count, size, is_large_table(document.units))
    for batch in _batches(spans):
        units_of_batch = [units.get(span.start) for span in batch]
        pairs = list(zip(batch, units_of_batch, strict=True))
        counts = count([_counted_text(unit, span, text) for span, unit in pairs])
        for (span, unit), values in zip(pairs, counts, strict=True):
            tokens = values + names.of(unit, values)
            if tokens <= size and _is_short(span, span, size):
                yield _Piece(span, tokens)
            elif unit and unit.kind is not UnitKind.ROW:
                lines = list(split(text, span))
                for line, line_tokens in zip(
                    lines, count([s.of(text) for s in lines]), strict=True
                ):
                    yield from _parts(text, _Piece(line, line_tokens), size, count)
            else:
                yield from _parts(text, _Piece(span, size + 1), size, count)


def _parts(text: str, piece: _Piece, size: int, count: CountTokens) -> Iterator[_Piece]:
    """Yield the piece, or the parts of one that is too long."""
    if piece.tokens <= size and _is_short(piece.span, piece.span, size):
        yield piece
        return
    parts = list(_cut_long(text, piece.span, size, count))
    yield from map(_Piece._make, zip(parts, count([part.of(text) for part in parts]), strict=True))


def _undivided(document: Document) -> Iterator[Unit]:
    """Yield the units that stay in one piece, in order and apart from each other."""
    kinds = (UnitKind.ROW, UnitKind.RECORD, UnitKind.ENTRY)[: 3 if document.lines else 2]
    end = 0
    for unit in document.units:
        is_whole = unit.kind is UnitKind.ROW or unit.span.end - unit.span.start <= _MAX_UNIT_CHARS
        if unit.kind in kinds and is_whole and unit.span.start >= end:
            yield _with_indentation(unit, document.text) if document.lines else unit
            end = unit.span.end


def _with_indentation(unit: Unit, text: str) -> Unit:
    """Return the unit from the beginning of its line, if only blanks stand before it there."""
    begin = text.rfind("\n", 0, unit.span.start) + 1
    if unit.kind is UnitKind.ROW or text[begin : unit.span.start].strip():
        return unit
    return replace(unit, span=Span(begin, unit.span.end))


def _counted_text(unit: Unit | None, span: Span, text: str) -> str:
    """Return the text whose tokens are counted: of a row its values."""
    if unit is None or unit.kind is not UnitKind.ROW:
        return span.of(text)
    return row_text(unit, text, names=False)


class _NameTokens:
    """The tokens of the names of columns. A name is counted once, however many rows repeat it.

    A row whose names have no room in a chunk beside its values has a chunk of its own. In a large
    table, whose rows are not embedded, short values fill a chunk though their
    names are long: 225,000 rows of two digits under names of 80 letters would be 90,000 chunks.
    """

    def __init__(self, count: CountTokens, size: int, large: bool) -> None:
        self._count, self._size, self._large = count, size, large
        self._tokens = dict[str, int]()

    def of(self, unit: Unit | None, values: int) -> int:
        """Return what the names in a row of `values` tokens add to them; 0 for no row."""
        if unit is None or unit.kind is not UnitKind.ROW:
            return 0
        names = sum(self._of_name(cell.header) for cell in unit.cells if cell.header)
        if self._large:
            names = min(names, max(values, _SHORT_NAMES))
        return min(names, max(0, self._size - values))

    def _of_name(self, name: str) -> int:
        if name not in self._tokens:
            self._tokens[name] = self._count([f"{name}: "])[0]
        return self._tokens[name]


def _sentences_and_units(document: Document, units: Mapping[int, Unit]) -> Iterator[Span]:
    """Yield the sentences (in source code: lines) outside the mask; a unit of `units` is one."""
    text = document.text
    split = _code_lines if document.lines else split_sentences
    unit_spans = [unit.span for unit in units.values()]
    starts = [span.start for span in unit_spans]
    for start, end in _unmasked_ranges(document):
        at = start
        for unit in unit_spans[bisect_left(starts, start) : bisect_left(starts, end)]:
            if at <= unit.start and unit.end <= end:
                yield from split(text, Span(at, unit.start))
                yield unit
                at = unit.end
        yield from split(text, Span(at, end))


def _batches(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Yield the spans in order, as many at a time as the tokenizer gets at once."""
    begin = characters = 0
    for index, span in enumerate(spans):
        characters += span.end - span.start
        if index + 1 - begin == _MAX_COUNTED_TEXTS or characters >= _MAX_COUNTED_CHARS:
            yield spans[begin : index + 1]
            begin, characters = index + 1, 0
    if begin < len(spans):
        yield spans[begin:]


def _code_lines(text: str, within: Span) -> Iterator[Span]:
    """Yield the lines that are not blank, with their indentation (it has a meaning in code)."""
    for line in re.finditer(r"[^\n]+", within.of(text)):
        start = within.start + line.start()
        for part in bounded(text, Span(start, start + len(line[0])), _MAX_LINE_CHARS):
            length = len(part.of(text).rstrip())
            if length:
                yield Span(part.start, part.start + length)


def _unmasked_ranges(document: Document) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part of the text that is not masked."""
    start = 0
    for masked in document.mask:
        if masked.start > start:
            yield start, masked.start
        start = masked.end
    if start < len(document.text):
        yield start, len(document.text)


def _cut_long(text: str, span: Span, size: int, count: CountTokens) -> Iterator[Span]:
    """Cut a span into parts of at most `size` tokens, at a blank if one is in their second half."""
    start = span.start
    while start < span.end:
        while text[start].isspace():
            start += 1
        end = min(span.end, start + 4 * size)
        while end - start > 1 and count([text[start:end]])[0] > size:
            end = start + max(1, (end - start) * 3 // 4)
        if end < span.end:
            blank = text.rfind(" ", start + 1, end)
            end = blank if blank > start + (end - start) // 2 else end
        yield Span(start, end)
        start = end


def _join_tiny(document: Document, pieces: list[_Piece], size: int) -> list[Span]:
    """Join tiny pieces to a neighbour if no break lies between and both fit into one chunk."""
    masks = [mask.start for mask in document.mask]
    pages = [page.start for page in document.pages]
    joined: list[_Piece] = []
    for piece in pieces:
        if joined:
            before = joined[-1]
            tokens = before.tokens + piece.tokens
            divided = _has_break(masks, before.span.end, piece.span.start) or _has_break(
                pages, before.span.start + 1, piece.span.start
            )
            tiny = min(before.tokens, piece.tokens) < _TINY_TOKENS
            fits = tokens <= size and _is_short(before.span, piece.span, size)
            if tiny and fits and not divided:
                joined[-1] = _Piece(Span(before.span.start, piece.span.end), tokens)
                continue
        joined.append(piece)
    return [piece.span for piece in joined]


def _as_chunks(document: Document, spans: list[Span]) -> Iterator[Chunk]:
    """Yield the chunk of each span, with its heading, line and page."""
    heading_starts = [span.start for span, _ in document.headings]
    page_starts = [page.start for page in document.pages]
    line, counted_to = 1, 0
    units = UnitsInOrder(document.units)
    for span in spans:
        line += document.text.count("\n", counted_to, span.start)
        counted_to = span.start
        section = bisect_right(heading_starts, span.start) - 1
        in_section = section >= 0 and span.start < document.headings[section][0].end
        identity = f"{document.id}\0{span.start}\0{span.end}\0{CHUNKER_VERSION}"
        yield Chunk(
            hashlib.sha256(identity.encode()).hexdigest()[:32],
            document.id,
            document.source,
            document.title,
            document.date,
            document.headings[section][1] if in_section else "",
            span,
            span.of(document.text),
            line,
            bisect_right(page_starts, span.start) or None,
            units.within(span),
        )
