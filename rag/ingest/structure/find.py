"""Finds the units of a text by its syntax, in one pass over its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.domain import Span, Unit, UnitKind
from rag.ingest.structure.code_blocks import code_block, indented_block
from rag.ingest.structure.faq import question_and_answer
from rag.ingest.structure.fields import field_block
from rag.ingest.structure.front_matter import find_front_matter
from rag.ingest.structure.lines import Line, split_lines
from rag.ingest.structure.lists import list_block
from rag.ingest.structure.log_lines import log_units
from rag.ingest.structure.markup import definition, markup_table, term_above
from rag.ingest.structure.tables import (
    Found,
    aligned_end,
    aligned_table,
    leader_table,
    markdown_table,
)
from rag.text.units import unit_order

#: characters of what stands under a heading that asks a question
_MAX_ANSWER_CHARS = 2000


def find_units(
    text: str, known: Sequence[Unit] = (), *, skip: Iterable[Span] = (), terms: bool = False
) -> tuple[Unit, ...]:
    """Return the units of a text of prose, Markdown or notes, sorted by place.

    `known` are units that a reader found itself; they are returned too, and their lines, and those
    in `skip`, are not looked at. With `terms` a line above indented lines is a term
    (reStructuredText).
    """
    if not known and (rows := log_units(text)):
        return rows
    lines = split_lines(text)
    units = list(known)
    number = 0
    if front := find_front_matter(text):
        units += () if known else front.record
        number = text.count("\n", 0, front.end)
    passed = [unit.span for unit in known if unit.kind is not UnitKind.SECTION]
    lines = _without(lines, [*passed, *skip])
    finder = _Finder(text, lines, terms)
    while number < len(lines):
        found = finder.find(number) if lines[number].text else None
        if found:
            units += found[0]
        number = max(found[1] if found else 0, number + 1)
    return tuple(sorted(units, key=unit_order))


def _without(lines: Sequence[Line], spans: Iterable[Span]) -> list[Line]:
    """Return the lines with those that overlap one of `spans` as blank ones."""
    spans = sorted(spans)
    kept, at, reached = list[Line](), 0, -1
    for line in lines:
        while at < len(spans) and spans[at].start <= line.end:
            reached = max(reached, spans[at].end)
            at += 1
        kept.append(line._replace(text="") if reached > line.start else line)
    return kept


class _Finder:
    """Asks one finder after another for the units that begin at a line."""

    def __init__(self, text: str, lines: Sequence[Line], terms: bool) -> None:
        self._text, self._lines, self._terms = text, lines, terms
        self._not_aligned = 0  # up to this line no table of aligned columns begins

    def find(self, number: int) -> Found | None:
        """Return the units that begin at line `number`, and the number of the line after them."""
        text, lines = self._text, self._lines
        return (
            code_block(text, lines, number)
            or markdown_table(lines, number)
            or markup_table(text, lines, number)
            or question_and_answer(lines, number)
            or leader_table(lines, number)
            or self._aligned(number)
            or indented_block(text, lines, number)
            or definition(lines, number)
            or field_block(text, lines, number)
            or list_block(text, lines, number)
            or (term_above(lines, number) if self._terms else None)
        )

    def _aligned(self, number: int) -> Found | None:
        """Look for a table of aligned columns, at the first two lines of a block only."""
        if number < self._not_aligned:
            return None
        end = aligned_end(self._lines, number)
        if end == number:
            return None
        found = aligned_table(self._text, self._lines, number, end)
        if found is None and number + 1 < end:  # the first line may be a title
            found = aligned_table(self._text, self._lines, number + 1, end)
        self._not_aligned = end
        return found


def with_sections(
    units: Sequence[Unit], sections: Sequence[tuple[Span, str]], text: str
) -> tuple[Unit, ...]:
    """Return `units` and one for each section; under a heading that asks stands an answer."""
    found = list(units)
    for span, path in sections:
        if span.start == span.end:  # two headings in one place
            continue
        found.append(Unit(UnitKind.SECTION, span, path))
        if path.endswith("?"):
            heading_end = text.find("\n", span.start, span.end)
            body = text[heading_end : span.end] if heading_end >= 0 else ""
            start = heading_end + len(body) - len(body.lstrip())
            end = min(heading_end + len(body.rstrip()), start + _MAX_ANSWER_CHARS)
            inner = [u.span.start for u in units if start < u.span.start < end]
            end = start + len(text[start : min([end, *inner])].rstrip())
            if start < end:
                question = path.rpartition(" › ")[2].strip("#*_ ")
                found.append(Unit(UnitKind.ANSWER, Span(start, end), question))
    return tuple(sorted(found, key=unit_order))
