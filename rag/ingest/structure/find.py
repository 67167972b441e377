"""Finds the units of a text by its syntax, in one pass over its lines."""

from __future__ import annotations

from collections.abc import Sequence

from rag.domain import Span, Unit, UnitKind
from rag.ingest.structure.faq import question_and_answer
from rag.ingest.structure.fields import field_block, front_matter
from rag.ingest.structure.lines import Line, split_lines
from rag.ingest.structure.lists import list_block
from rag.ingest.structure.tables import aligned_table, markdown_table
from rag.text.units import unit_order

#: characters of what stands under a heading that asks a question
_MAX_ANSWER_CHARS = 2000


def find_units(text: str, known: Sequence[Unit] = ()) -> tuple[Unit, ...]:
    """Return the units of a text of prose, Markdown or notes, sorted by place.

    The lines of `known` units, sorted by place, are passed over as if they were blank.
    """
    lines = _without(split_lines(text), known) if known else split_lines(text)
    units = list[Unit]()
    number = 0
    if found := front_matter(text, lines):
        units += found[0]
        number = found[1]
    while number < len(lines):
        if not lines[number].text:
            number += 1
            continue
        found = (
            markdown_table(lines, number)
            or question_and_answer(lines, number)
            or aligned_table(text, lines, number)
            or field_block(text, lines, number)
            or list_block(text, lines, number)
        )
        if found:
            units += found[0]
            number = max(found[1], number + 1)
        else:
            number += 1
    return tuple(sorted(units, key=unit_order))


def _without(lines: Sequence[Line], known: Sequence[Unit]) -> list[Line]:
    """Return `lines`, those that overlap a known unit as blank ones."""
    blanked, at, end = list[Line](), 0, -1
    for line in lines:
        while at < len(known) and known[at].span.start <= line.end:
            end = max(end, known[at].span.end)
            at += 1
        blanked.append(line._replace(text="") if line.start < end else line)
    return blanked


def with_sections(
    units: Sequence[Unit], sections: Sequence[tuple[Span, str]], text: str
) -> tuple[Unit, ...]:
    """Return `units` and one for each section; under a heading that asks stands an answer."""
    found = list(units)
    for span, path in sections:
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
