"""Answer text -> sentences with the citations written in them.

A marker is ``[2]``, ``[1, 3]`` or ``[1][3]``. It belongs to the sentence it stands in, or to the one that ended right
before it ("... sanctions. [2] He added"). Markers are only looked for in the writer's own words: inside a `Quote`
everything is the document's, so a document that contains "[1]" forges nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Citation, Piece, Quote, Sentence, Span
from rag.text.sentences import split_sentences

_MARKER = re.compile(r"(?<![ \t])[ \t]*\[([0-9]{1,4}(?: *[,;] *[0-9]{1,4})*)\]")
_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


def piece_text(piece: Piece) -> str:
    """A piece as it stands in the answer's text: a quotation on one line, with its marker behind it."""
    return f"{_folded(piece)} [{piece.number}]" if isinstance(piece, Quote) else piece


def _folded(quote: Quote) -> str:
    return " ".join(quote.text.split())


def parse_citations(pieces: Sequence[Piece]) -> tuple[str, tuple[Sentence, ...]]:
    """The answer's text, and its sentences in order. Spans are into that text and take the markers in."""
    text, own, found = "", "", list[Sentence]()
    for piece in pieces:
        if isinstance(piece, str):
            own += piece
            continue
        found += _parse_own_words(own, len(text))
        text += own
        own = ""
        start, end = len(text), len(text) + len(piece_text(piece))
        marker = Citation(piece.number, Span(start + len(_folded(piece)) + 1, end))
        found.append(Sentence(piece.text, Span(start, end), (marker,), piece.span))
        text += piece_text(piece)
    found += _parse_own_words(own, len(text))
    return text + own, tuple(found)


def _parse_own_words(text: str, offset: int) -> list[Sentence]:
    """Sentences of the writer's own words, which begin at `offset` of the answer."""
    markers = list(_MARKER.finditer(text))
    bare, kept, at = (
        "",
        list[int](),
        0,
    )  # text without markers; where each of its characters stands in `text`
    for match in markers:
        bare += text[at : match.start()]
        kept += range(at, match.start())
        at = match.end()
    bare += text[at:]
    kept += range(at, len(text))
    # of a writer's own words every line break ends a sentence: two lines read as one would share the marker of the second
    spans = [
        span for line in _LINE.finditer(bare) for span in split_sentences(bare, Span(*line.span()))
    ]
    out = [Sentence(s.of(bare), Span(kept[s.start], kept[s.end - 1] + 1)) for s in spans]
    if not out:
        return (
            []
            if not markers
            else [
                _attach_citations(
                    Sentence("", Span(markers[0].start(), markers[-1].end())), markers, offset
                )
            ]
        )
    removed, starts = 0, [s.start for s in spans]
    owners: list[list[re.Match[str]]] = [[] for _ in out]
    for match in markers:
        place = match.start() - removed
        removed += match.end() - match.start()
        owners[max(0, bisect_left(starts, place) - 1)].append(match)
    return [
        _attach_citations(sentence, mine, offset)
        for sentence, mine in zip(out, owners, strict=True)
    ]


def _attach_citations(
    sentence: Sentence, markers: Sequence[re.Match[str]], offset: int
) -> Sentence:
    """The sentence with its citations, everything moved to the answer's offsets."""
    citations = []
    for match in markers:
        bracket = match.start() + match.group().index("[")
        citations += [
            Citation(int(number), Span(offset + bracket, offset + match.end()))
            for number in re.findall(r"\d+", match.group(1))
        ]
    start = min([sentence.span.start, *(m.start() + m.group().index("[") for m in markers)])
    end = max([sentence.span.end, *(m.end() for m in markers)])
    return replace(sentence, span=Span(offset + start, offset + end), citations=tuple(citations))
