"""Blocks of code in Markdown and notes, with the sentence before them.

Commands are entries under their introduction and under the comment above them; a block of settings,
JSON or source code has the units of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.code import code_units
from rag.ingest.structure.json_records import json_records
from rag.ingest.structure.lines import Line, introduction, previous_text
from rag.ingest.structure.settings import conf_units, ini_units, yaml_units

_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[\w+#.-]*)")
_DIRECTIVE = re.compile(r"\.\.\s+(?:code-block|sourcecode|code)::\s*(?P<language>[\w+#.-]*)")
_INDENT = 2
#: characters of a block whose commands are one entry
_MAX_BLOCK_CHARS = 1000
_MAX_COMMENT_CHARS = 240
_COMMENT = re.compile(r"(?:#(?!!)|//|--\s|;;|::\s|REM\s)+\s*(?P<said>\S.*)", re.I)
_PROMPT = re.compile(
    r"(?:\(\w+\)\s*)?(?:[\w.@~:/-]{0,40}[$%#]|PS [^>]{0,60}>|>{1,3}|C:\\[^>]{0,60}>)\s+(?=\S)"
)
_CODE_SIGNS = re.compile(r"[=/(){}$;<>|\\_]|--?\w")
_READERS = {
    **dict.fromkeys("yaml yml".split(), yaml_units),
    **dict.fromkeys("toml ini cfg properties env dotenv editorconfig".split(), ini_units),
    **dict.fromkeys("conf nginx apache apacheconf dockerfile docker ssh".split(), conf_units),
    **dict.fromkeys("json jsonc json5 jsonl".split(), json_records),
    **dict.fromkeys(
        "python py javascript js ts typescript jsx tsx java kotlin kt scala c cpp c++ h csharp cs "
        "go rust rs ruby rb php swift r lua perl haskell julia dart".split(),
        code_units,
    ),
}

Found = tuple[list[Unit], int]


def code_block(text: str, lines: Sequence[Line], number: int) -> Found | None:
    """Return the units of the block between fences that begins at line `number`, or None."""
    fence = _FENCE.match(lines[number].text)
    if fence is None:
        return None
    mark = fence["fence"]
    last = number + 1
    while last < len(lines) and not _closes(lines[last].text, mark):
        last += 1
    introduction = _sentence_before(lines, number)
    return _units(text, lines, number + 1, last, fence["language"], introduction), last + 1


def indented_block(text: str, lines: Sequence[Line], number: int) -> Found | None:
    """Return the units of the indented code that begins at line `number` after a colon, or None."""
    above = previous_text(lines, number)
    if lines[number].indent < _INDENT or above != number - 2:
        return None
    before = lines[above]
    directive = _DIRECTIVE.fullmatch(before.text)
    if before.indent >= lines[number].indent or not (directive or before.text.endswith(":")):
        return None
    indent, last, end = lines[number].indent, number, number
    while last < len(lines) and (not lines[last].text or lines[last].indent >= indent):
        last += 1
        end = last if lines[last - 1].text else end
    block = [line for line in lines[number:end] if line.text]
    prose = sum(
        line.text.endswith((".", ",")) or not _CODE_SIGNS.search(line.text) for line in block
    )
    if 2 * prose > len(block) and not (directive or before.text.endswith("::")):
        return None
    language = directive["language"] if directive else ""
    return _units(text, lines, number, end, language, _sentence_before(lines, number)), end


def _closes(line: str, mark: str) -> bool:
    return line.startswith(mark) and not line.strip(mark[0])


def _units(
    text: str, lines: Sequence[Line], first: int, last: int, language: str, introduction: str
) -> list[Unit]:
    """Return the units of lines `first` to `last` of a block."""
    if first >= last:
        return []
    begin, end = lines[first].start, lines[last - 1].end
    read = _READERS.get(language.lower())
    if read:
        return [_moved(unit, begin, introduction) for unit in read(text[begin:end])]
    return _commands(lines[first:last], introduction)


def _moved(unit: Unit, by: int, introduction: str) -> Unit:
    """Return a unit of a block at its place in the text, under the introduction of the block."""

    def move(span: Span) -> Span:
        return Span(span.start + by, span.end + by)

    cells = tuple(
        Cell(cell.header, move(cell.span), move(cell.name) if cell.name else None)
        for cell in unit.cells
    )
    context = " › ".join(part for part in (introduction, unit.context) if part)
    return replace(unit, span=move(unit.span), context=context, cells=cells)


def _commands(lines: Sequence[Line], introduction: str) -> list[Unit]:
    """Return the commands of a block: all of them, and those under each comment."""
    body = [line for line in lines if line.text]
    if not body:
        return []
    whole = Span(body[0].at, body[-1].span.end)
    units = list[Unit]()
    for comment, group in _groups(lines):
        if comment:
            span = Span(group[0].at, group[-1].span.end)
            cells = (Cell(comment, _without_prompt(group[0], span)),)
            if span.end - span.start <= _MAX_BLOCK_CHARS:
                units.append(Unit(UnitKind.ENTRY, span, introduction, cells))
    if introduction and whole.end - whole.start <= _MAX_BLOCK_CHARS:
        if units and units[0].span == whole:
            return units
        cells = (Cell(introduction, _without_prompt(body[0], whole)),)
        units.insert(0, Unit(UnitKind.ENTRY, whole, introduction, cells))
    return units


def _groups(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """Return the commands that stand together, each with the comment above them, "" for none."""
    groups, comment, group = list[tuple[str, list[Line]]](), "", list[Line]()
    for line in (*lines, None):
        said = _COMMENT.match(line.text) if line else None
        if line is None or not line.text or (said and group):
            if group:
                groups.append((comment, group))
            comment, group = "", []
        if line and said:
            comment = f"{comment} {said['said'].strip('#-= ')}".strip()[:_MAX_COMMENT_CHARS]
        elif line and line.text:
            group.append(line)
    return groups


def _without_prompt(line: Line, span: Span) -> Span:
    prompt = None if _COMMENT.match(line.text) else _PROMPT.match(line.text)
    return Span(span.start + prompt.end(), span.end) if prompt else span


def _sentence_before(lines: Sequence[Line], number: int) -> str:
    """Return the last sentence of the paragraph before line `number`, or the heading, else ""."""
    above = previous_text(lines, number)
    while above >= 0 and lines[above].text.startswith((".. ", "[source", "----", ":")):
        above = previous_text(lines, above)
    if above < 0 or lines[above].text.startswith(("|", "```", "~~~")):
        return ""
    return introduction(lines, above)
