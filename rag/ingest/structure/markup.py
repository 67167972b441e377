"""Tables and definition lists of reStructuredText, AsciiDoc and Org."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line
from rag.ingest.structure.tables import Found, header_names, row_units

_GRID_RULE = re.compile(r"\+(?:[-=]+\+)+")
_SIMPLE_RULE = re.compile(r"={2,}(?:[ \t]+={2,})+")
_ADOC_RULE = re.compile(r"[|,:!]={3,}")
_ADOC_ATTRIBUTES = re.compile(r"\[.*cols\s*=\s*\"?(?P<cols>[^\"\]]+)")
_ADOC_TITLE = re.compile(r"\.(?P<title>[^\s.].*)")
#: rows of one table
_MAX_ROWS = 5000
_DEFINITION = re.compile(
    r"(?:[-*+]\s+)?(?P<term>[\w*`](?:[\w .,'’()/*`+-]{0,78}[\w)*`])?)\s?::(?:\s+(?P<value>\S.*))?"
)


def markup_table(text: str, lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of a grid, simple or AsciiDoc table that begins at line `number`, or None."""
    rule = lines[number].text
    if _GRID_RULE.fullmatch(rule):
        return _grid(text, lines, number)
    if _SIMPLE_RULE.fullmatch(rule):
        return _simple(text, lines, number)
    if _ADOC_RULE.fullmatch(rule) and rule[0] == "|":
        return _adoc(lines, number)
    return None


def definition(lines: Sequence[Line], number: int) -> Found | None:
    """Return the definition `term:: what it is` at line `number`, or None.

    What it is may begin in the next line.
    """
    found = _DEFINITION.fullmatch(lines[number].text)
    if found is None or "::" in (found["value"] or ""):
        return None
    line, last = lines[number], number
    value = Span(line.at + found.start("value"), line.span.end) if found["value"] else None
    while last + 1 < len(lines) and lines[last + 1].text and last - number < 20:
        following = lines[last + 1]
        if _DEFINITION.fullmatch(following.text) or (value and following.indent <= line.indent):
            break
        value = Span(value.start if value else following.at, following.span.end)
        last += 1
    if value is None:
        return None
    name = Span(line.at + found.start("term"), line.at + found.end("term"))
    cell = Cell(found["term"].strip("*_`"), value, name)
    return [Unit(UnitKind.ENTRY, Span(name.start, value.end), "", (cell,))], last + 1


def term_above(lines: Sequence[Line], number: int) -> Found | None:
    """Return the definition of the term at line `number`, which stands above indented lines."""
    line = lines[number]
    if number + 1 >= len(lines) or len(line.text) > 80 or line.text[-1:] in tuple(".,;:!?|"):
        return None
    after = lines[number + 1]
    if not after.text or not 1 <= after.indent - line.indent <= 8 or line.text[0] in "-*+#|.:>":
        return None
    if number and lines[number - 1].text and lines[number - 1].indent <= line.indent:
        return None
    last = number + 1
    while last + 1 < len(lines) and lines[last + 1].text and lines[last + 1].indent >= after.indent:
        last += 1
    value = Span(after.at, lines[last].span.end)
    term = line.text.partition(" : ")[0].strip("*_`")
    cell = Cell(term, value, line.span)
    return [Unit(UnitKind.ENTRY, Span(line.at, value.end), "", (cell,))], last + 1


def _grid(text: str, lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of a table whose cells are drawn with + and | and -."""
    rule = lines[number]
    edges = [match.start() for match in re.finditer(r"\+", rule.text)]
    rows, header_depth = list[list[Span]](), 0
    pending, last = list[Line](), number + 1
    while last < len(lines) and lines[last].text[:1] in ("|", "+") and len(rows) < _MAX_ROWS:
        line = lines[last]
        if line.text[0] == "+":
            if pending:
                rows.append(_grid_row(text, pending, edges))
            if "=" in line.text:
                header_depth = len(rows)
            pending = []
        else:
            pending.append(line)
        last += 1
    names, depth = header_names(text, rows, header_depth) if rows else ([], 0)
    return row_units(rows[depth:], names), last


def _grid_row(text: str, lines: Sequence[Line], edges: Sequence[int]) -> list[Span]:
    """Return the cells of a row; one that goes on in a second line is its first line only."""
    row = []
    for left, right in pairwise(edges):
        best = Span(lines[0].at, lines[0].at)
        for line in lines:
            part = line.text[left + 1 : right]
            if part.strip():
                start = line.at + left + 1 + len(part) - len(part.lstrip())
                best = Span(start, start + len(part.strip()))
                break
        row.append(best)
    return row


def _simple(text: str, lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of a table whose columns are those of a rule of = signs."""
    rule = lines[number]
    columns = [match.span() for match in re.finditer(r"=+", rule.text)]
    rows, depth, rules, last = list[list[Span]](), 0, 1, number + 1
    while last < len(lines) and len(rows) < _MAX_ROWS:
        line = lines[last]
        last += 1
        if _SIMPLE_RULE.fullmatch(line.text):
            rules += 1
            if rules == 2:
                depth = len(rows)
            if rules == 3 or not (last < len(lines) and lines[last].text):
                break
        elif not line.text:
            if rules >= 2 and not any(
                _SIMPLE_RULE.fullmatch(after.text) for after in lines[last : last + 40]
            ):
                break
        elif set(line.text) - set("- "):
            rows.append(_simple_row(line, rule, columns))
    if rules < 2 or not rows:
        return None
    names, depth = header_names(text, rows, depth if rules > 2 else 0)
    return row_units(rows[depth:], names), last


def _simple_row(line: Line, rule: Line, columns: Sequence[tuple[int, int]]) -> list[Span]:
    shift = line.indent - rule.indent
    row = []
    for number, (start, end) in enumerate(columns):
        begin = max(0, start - shift)
        stop = max(0, end - shift) if number + 1 < len(columns) else len(line.text)
        part = line.text[begin:stop]
        at = line.at + begin + len(part) - len(part.lstrip())
        row.append(Span(at, at + len(part.strip())))
    return row


def _adoc(lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of a table between lines of |===."""
    last = number + 1
    body = list[Line]()
    while (
        last < len(lines)
        and last - number < 4 * _MAX_ROWS
        and lines[last].text != lines[number].text
    ):
        body.append(lines[last])
        last += 1
    if last >= len(lines) or lines[last].text != lines[number].text:
        return None
    cells_by_line = [_adoc_cells(line) for line in body if line.text]
    width = _adoc_width(lines, number, cells_by_line)
    cells = [cell for row in cells_by_line for cell in row]
    if width < 2 or len(cells) < 2 * width:
        return None
    rows = [
        [span for span, _ in cells[at : at + width]]
        for at in range(0, min(len(cells), width * _MAX_ROWS) - width + 1, width)
    ]
    names = [name for _, name in cells[:width]]
    above = [_ADOC_TITLE.fullmatch(line.text) for line in lines[max(0, number - 2) : number]]
    caption = next((found["title"] for found in above if found), "")
    return row_units(rows[1:], names, caption), last + 1


def _adoc_cells(line: Line) -> list[tuple[Span, str]]:
    """Return place and text of each cell of a line; the sign before a cell is a bar."""
    cells = []
    starts = [match.end() for match in re.finditer(r"(?<!\\)\|", line.text)]
    ends = [*(at - 1 for at in starts[1:]), len(line.text)]
    for start, end in zip(starts, ends, strict=False):
        part = line.text[start:end]
        at = line.at + start + len(part) - len(part.lstrip())
        cells.append((Span(at, at + len(part.strip())), part.strip()))
    return cells


def _adoc_width(
    lines: Sequence[Line], number: int, cells: Sequence[Sequence[tuple[Span, str]]]
) -> int:
    """Return the number of columns: as stated, else that of the first line of cells."""
    stated = _ADOC_ATTRIBUTES.match(lines[number - 1].text) if number else None
    if stated:
        cols = stated["cols"]
        repeated = re.match(r"\s*(\d{1,3})\s*\*", cols)
        return int(repeated[1]) if repeated else cols.count(",") + 1
    return len(cells[0]) if cells else 0
