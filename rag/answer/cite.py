"""Splits an answer into sentences, finds the citations in them, and tells a refusal.

A citation is marked ``[2]``, ``[1, 3]`` or ``[1][3]``. It belongs to the sentence that contains it,
or to the one that ended right before it ("... sanctions. [2] He added"). Markers are only searched
in the writer's own words. The text of a `Quote` is the document's, so that a document with "[1]"
in it cannot forge a citation.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Citation, Computed, Piece, Quote, Remark, Sentence, Span
from rag.text.sentences import split_sentences

#: what a model is told to write if the passages do not answer
REFUSAL = "NOT ANSWERED"
_MARKER = re.compile(r"(?<![ \t])[ \t]*\[([0-9]{1,4}(?: *[,;] *[0-9]{1,4})*)\]")
#: every control character but the tab ends a line of the writer's own words
_LINE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]+")


def is_refusal(text: str) -> bool:
    """True if an answer is `REFUSAL`, in any case and with any marks."""
    return re.sub(r"[^A-Z ]", "", text.upper()).strip().startswith(REFUSAL)


def piece_text(piece: Piece) -> str:
    """A piece as it stands in the answer's text: a quotation is on one line, with its marker."""
    if isinstance(piece, Remark):
        return piece.text
    if isinstance(piece, Computed):
        return f"{piece.text} [{', '.join(map(str, _numbers(piece)))}]"
    return f"{_on_one_line(piece)} [{piece.number}]" if isinstance(piece, Quote) else piece


def _numbers(piece: Computed) -> list[int]:
    """The numbers of the passages that a computed sentence cites."""
    return list(dict.fromkeys(row.number for row in piece.rows))


def _on_one_line(quote: Quote) -> str:
    return " ".join(quote.text.split())


def parse_citations(pieces: Sequence[Piece]) -> tuple[str, tuple[Sentence, ...]]:
    """The answer's text and its sentences, in order.

    Spans are ranges of characters of that text. A sentence's span includes its markers.
    """
    text, own_words, sentences = "", "", list[Sentence]()
    for piece in pieces:
        if isinstance(piece, str):
            own_words += piece
            continue
        sentences += _parse_own_words(own_words, len(text))
        text += own_words
        own_words = ""
        start, end = len(text), len(text) + len(piece_text(piece))
        if isinstance(piece, Remark):
            sentences.append(Sentence(piece.text, Span(start, end), remark=piece))
            text += piece.text
            continue
        if isinstance(piece, Computed):
            place = Span(start + len(piece.text) + 1, end)
            cited = tuple(Citation(number, place) for number in _numbers(piece))
            span = Span(start, end)
            sentences.append(Sentence(piece.text, span, cited, computed=piece))
            text += piece_text(piece)
            continue
        marker = Citation(piece.number, Span(start + len(_on_one_line(piece)) + 1, end))
        sentences.append(Sentence(piece.text, Span(start, end), (marker,), piece.span))
        text += piece_text(piece)
    sentences += _parse_own_words(own_words, len(text))
    return text + own_words, tuple(sentences)


def _parse_own_words(text: str, offset: int) -> list[Sentence]:
    """The sentences of `text`, the writer's own words, which begin at `offset` of the answer."""
    markers = list(_MARKER.finditer(text))
    bare, positions = _without_markers(text, markers)
    # every line break ends a sentence: two lines taken as one sentence would share a marker
    spans = [
        span for line in _LINE.finditer(bare) for span in split_sentences(bare, Span(*line.span()))
    ]
    if not spans:
        if not markers:
            return []
        empty = Sentence("", Span(markers[0].start(), markers[-1].end()))
        return [_attach_citations(empty, markers, offset)]
    starts = [span.start for span in spans]
    markers_of: list[list[re.Match[str]]] = [[] for _ in spans]
    removed = 0  # characters of the markers so far
    for match in markers:
        position = match.start() - removed
        removed += match.end() - match.start()
        markers_of[max(0, bisect_left(starts, position) - 1)].append(match)
    return [
        _attach_citations(
            Sentence(span.of(bare), Span(positions[span.start], positions[span.end - 1] + 1)),
            own_markers,
            offset,
        )
        for span, own_markers in zip(spans, markers_of, strict=True)
    ]


def _without_markers(text: str, markers: Sequence[re.Match[str]]) -> tuple[str, list[int]]:
    """`text` without its markers, and the position in `text` of each character that is left."""
    bare, positions, end = "", list[int](), 0
    for match in markers:
        bare += text[end : match.start()]
        positions += range(end, match.start())
        end = match.end()
    return bare + text[end:], [*positions, *range(end, len(text))]


def _attach_citations(
    sentence: Sentence, markers: Sequence[re.Match[str]], offset: int
) -> Sentence:
    """The sentence with the citations of `markers`, all spans moved by `offset`."""
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
