"""Lists: the items with their introduction, nested, and the list as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.fields import read_field
from rag.ingest.structure.lines import Line, introduction, previous_text

_BULLETS = "-–*+•‣▪◦●○■□▫▶►➢➤❖✓✔✗☐☑☒⁃·∙・＊"
_MARK = re.compile(rf"(?:[{_BULLETS}]|\(?\d{{1,3}}[.)]|\(?[a-z][.)]|[-*] \[[ xX]\])\s+(?=\S)")
_MAX_CONTEXT_CHARS, _MAX_PARENT_CHARS, _MAX_PARENTS = 300, 100, 5


def list_block(text: str, lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the list that begins at line `number` and its items, or None."""
    if not _MARK.match(lines[number].text):
        return None
    introduced = _introduction(lines, number)
    items = list[tuple[Line, Span]]()
    last, end = number, number
    while last < len(lines):
        line = lines[last]
        if not line.text:
            last += 1
            following = lines[last] if last < len(lines) else None
            if following is None or not following.text:
                break
            if not (_MARK.match(following.text) or following.indent > lines[number].indent):
                break
            continue
        if _MARK.match(line.text):
            items.append((line, line.span))
        elif _introduces_next(lines, last) and line.indent <= lines[number].indent:
            break
        elif line.indent > lines[number].indent or (last == end and last > number):
            before, span = items[-1]
            items[-1] = (before, Span(span.start, line.span.end))
        else:
            break
        last += 1
        end = last
    if len(items) < 2 and not _is_introduced(lines, number):
        return None
    whole = Unit(UnitKind.LIST, Span(items[0][1].start, items[-1][1].end), introduced)
    return [whole, *_items(text, items, introduced)], end


def _items(text: str, items: Sequence[tuple[Line, Span]], before: str) -> list[Unit]:
    """Return the items; the context of a nested one has the items around it."""
    units, around = list[Unit](), list[tuple[int, str]]()
    for line, span in items:
        while around and around[-1][0] >= line.indent:
            around.pop()
        context = " / ".join(
            part for part in (before, *(t for _, t in around[-_MAX_PARENTS:])) if part
        )
        field = read_field(line)
        cells = (Cell(field.name, field.value, field.name_span),) if field else ()
        units.append(Unit(UnitKind.ITEM, span, context[-_MAX_CONTEXT_CHARS:], cells))
        mark = _MARK.match(line.text)
        around.append(
            (line.indent, line.text[mark.end() if mark else 0 :][:_MAX_PARENT_CHARS].strip(":* "))
        )
    return units


def _is_introduced(lines: Sequence[Line], number: int) -> bool:
    """Does the text above line `number` end with a colon, as what introduces a list does?"""
    above = previous_text(lines, number)
    return above >= 0 and lines[above].text.endswith(":") and not _MARK.match(lines[above].text)


def _introduces_next(lines: Sequence[Line], number: int) -> bool:
    """Does the line end with a colon, with an item right below it?"""
    below = lines[number + 1].text if number + 1 < len(lines) else ""
    return lines[number].text.endswith(":") and bool(_MARK.match(below))


def _introduction(lines: Sequence[Line], number: int) -> str:
    """Return the line or sentence that introduces the list, else ""."""
    above = previous_text(lines, number)
    if above < 0:
        return ""
    text = lines[above].text
    if text.startswith(("|", "```")):
        return ""
    if text.endswith(":") or above == number - 1 or text.startswith("#"):
        return introduction(lines, above)
    return ""
