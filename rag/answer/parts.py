"""Splits a passage into rows, items and sentences, each read alone after its headings.

"Day: Sunday; Hours: 9 to 18" under the heading Opening hours is read as

    Pool › Opening hours
    Day: Sunday; Hours: 9 to 18

Read in one passage with its neighbours, the reader's model takes one row for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rag.domain import Chunk, Passage, Span, Unit, UnitKind
from rag.text import facts
from rag.text.sentences import split_sentences
from rag.text.units import UnitsInOrder
from rag.text.view import View, context_of, view_of

#: characters of a part; a longer one is read as far
_MAX_PART_CHARS = 1200
_MAX_PATH_CHARS = 240
#: kinds that are read as a whole
_WHOLE = (
    UnitKind.ROW,
    UnitKind.ENTRY,
    UnitKind.ITEM,
    UnitKind.RECORD,
    UnitKind.ANSWER,
)


class Part(NamedTuple):
    """A part of a passage, with the view that is read: the path in a line of its own, the text."""

    span: Span  #: of the document
    view: View


def parts_of(question: str, passage: Passage) -> list[Part]:
    """Return the rows, entries, items, records, answers and, between them, the sentences.

    Left out are those that say nothing but words of the question, and those that ask themselves.
    """
    chunk, asked = passage.chunk, set(facts.content_stems(question))
    units = UnitsInOrder(chunk.units)
    parts = (
        _part(chunk, span, units.within(span)) for span in _spans(chunk) if span.start < span.end
    )
    return [part for part in parts if _says_something(chunk, part.span, asked)]


def _says_something(chunk: Chunk, span: Span, asked: set[str]) -> bool:
    text = chunk.text[span.start - chunk.span.start : span.end - chunk.span.start]
    if text.rstrip("*_ ").endswith("?"):
        return False
    return any(stem not in asked for stem in facts.content_stems(text))


def has_structure(passage: Passage) -> bool:
    """Has the passage parts that are more than sentences? A single entry is one ("He: Yes.")."""
    kinds = [unit.kind for unit in passage.chunk.units if unit.kind in _WHOLE]
    return bool(kinds) and kinds != [UnitKind.ENTRY]


def in_structure(passage: Passage, place: Span) -> bool:
    """Does `place` lie in a part that is more than a sentence?"""
    return any(unit.kind in _WHOLE and unit.span.overlaps(place) for unit in passage.chunk.units)


def _spans(chunk: Chunk) -> Iterator[Span]:
    at, text = chunk.span.start, chunk.text
    for unit in chunk.units:
        if unit.kind in _WHOLE and at <= unit.span.start and unit.span.within(chunk.span):
            yield from _sentences(chunk, Span(at, unit.span.start))
            yield unit.span
            at = unit.span.end
    yield from _sentences(chunk, Span(at, chunk.span.start + len(text)))


def _sentences(chunk: Chunk, span: Span) -> Iterator[Span]:
    shift = chunk.span.start
    for found in split_sentences(chunk.text, Span(span.start - shift, span.end - shift)):
        yield Span(found.start + shift, found.end + shift)


def _part(chunk: Chunk, span: Span, units: tuple[Unit, ...]) -> Part:
    begin = span.start - chunk.span.start
    end = min(span.end - chunk.span.start, begin + _MAX_PART_CHARS)
    text = chunk.text[begin:end]
    inner = Span(span.start, span.start + len(text))
    small = Chunk(chunk.id, chunk.document, "", "", None, "", inner, text, chunk.line, units=units)
    path = " › ".join(
        part for part in (chunk.title, *context_of(chunk, inner, units=units)) if part
    )
    path = path[-_MAX_PATH_CHARS:]
    return Part(span, view_of(small).after(path + "\n" if path else ""))
