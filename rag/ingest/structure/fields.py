"""Records: blocks of `Key: value` lines, front matter, and lines with one name each.

The lines of a block are one record ("IBAN: …", "BIC: …"). They are an entry each if every name is a
date, names repeat (who speaks), or every value is a statement (a glossary).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line, previous_text

_MAX_KEY_CHARS, _MAX_KEY_WORDS = 48, 6
#: words from which a value is a statement
_MIN_STATEMENT_WORDS = 3
_MAX_LABEL_CHARS = 80
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = (
    r"(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?Z?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|"
    rf"{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}|\d{{1,2}}(?:st|nd|rd|th|\.)?\s{_MONTH}\s\d{{4}})"
)
_BULLET = re.compile(r"(?:[-*+•]\s+)?")
#: what may stand before the name of a speaker
_STAMP = re.compile(rf"\[[^\]\n]{{4,40}}\]\s*|{_DAY},?\s+\d{{1,2}}:\d\d(?::\d\d)?\s*[-–]?\s*")
_DATED = re.compile(rf"(?P<key>\[?{_DAY}\]?)(?:\s*[:–—|]|\s+-)?\s+(?P<value>\S.*)")
_BOLD = re.compile(
    r"(?P<b>\*\*|__)(?P<key>[^*_:]{1,48}):?(?P=b)\s*(?::|–|—|-|=)?\s*(?P<value>\S.*)"
)
_PLAIN = re.compile(r"(?P<key>[^\W\d_][^:=\n]{0,47}?)\s?(?::(?=\s)|=(?!=))\s*(?P<value>\S.*)")
_SENTENCE_END = re.compile(r"[.!?;,]\s")
_FRONT_MATTER_RULE = re.compile(r"-{3}\s*")


class Field(NamedTuple):
    """One `Key: value` line."""

    name: str
    name_span: Span
    value: Span
    context: str = ""  #: the time of a message
    dated: bool = False


def read_field(line: Line) -> Field | None:
    """Return the field of a line, or None for another line."""
    text = line.text
    if not text or text.startswith(("#", ">", "|", "```", "http")):
        return None
    shift = _BULLET.match(text).end()  # type: ignore[union-attr]  # matches everything
    stamp = _STAMP.match(text, shift)
    if not stamp and (match := _DATED.match(text, shift)):
        return _field(line, match, dated=True)
    begin = stamp.end() if stamp else shift
    match = _BOLD.match(text, begin) or _PLAIN.match(text, begin)
    if match is None:
        return None
    key = match["key"].strip()
    if len(key.split()) > _MAX_KEY_WORDS or _SENTENCE_END.search(key) or key.endswith("?"):
        return None
    if match["value"].startswith("//"):  # an address: https://…
        return None
    return _field(line, match, stamp[0].strip(" -–[]") if stamp else "")


def _field(line: Line, match: re.Match[str], context: str = "", dated: bool = False) -> Field:
    begin, end = match.span("key")
    value = Span(line.at + match.start("value"), line.at + len(line.text))
    return Field(
        match["key"].strip().strip("[]*_`\"'"),
        Span(line.at + begin, line.at + end),
        value,
        context,
        dated,
    )


def field_block(text: str, lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the units of the block of fields that begins at line `number`, or None."""
    fields, last = list[tuple[Line, Field]](), number
    while last < len(lines):
        field = read_field(lines[last])
        if field is None:
            break
        fields.append((lines[last], field))
        last += 1
    if not fields:
        return None
    label = _label(lines, number)
    if _are_entries(text, [field for _, field in fields]):
        return [
            Unit(
                UnitKind.ENTRY,
                line.span,
                field.context or label,
                (Cell(field.name, field.value, field.name_span),),
            )
            for line, field in fields
        ], last
    cells = tuple(Cell(field.name, field.value, field.name_span) for _, field in fields)
    span = Span(fields[0][0].at, fields[-1][0].span.end)
    return [Unit(UnitKind.RECORD, span, label, cells)], last


def _are_entries(text: str, fields: Sequence[Field]) -> bool:
    names = [field.name.lower() for field in fields]
    return (
        len(fields) == 1
        or all(field.dated for field in fields)
        or any(field.context for field in fields)
        or len(set(names)) < len(names)
        or all(len(field.value.of(text).split()) >= _MIN_STATEMENT_WORDS for field in fields)
    )


def _label(lines: Sequence[Line], number: int) -> str:
    """Return the line right above a block if it names the block, else ""."""
    above = previous_text(lines, number)
    if above < 0 or above != number - 1:
        return ""
    text = lines[above].text
    if (
        len(text) > _MAX_LABEL_CHARS
        or text.startswith(("|", "-", "*", "```"))
        or text[-1] in ".!?;,"
    ):
        return ""
    return text.strip("#*_ :")


def front_matter(text: str, lines: Sequence[Line]) -> tuple[list[Unit], int] | None:
    """Return the record of a front matter (YAML between lines of ---) at the top, or None."""
    if not lines or not _FRONT_MATTER_RULE.fullmatch(lines[0].text):
        return None
    last = next(
        (n for n in range(1, min(len(lines), 200)) if _FRONT_MATTER_RULE.fullmatch(lines[n].text)),
        0,
    )
    fields = [field for line in lines[1:last] if (field := read_field(line))]
    if not fields:
        return None
    cells = tuple(Cell(field.name, field.value, field.name_span) for field in fields)
    return [Unit(UnitKind.RECORD, Span(lines[1].at, lines[last - 1].end), "", cells)], last + 1
