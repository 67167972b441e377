"""Tables in plain text: those of Markdown, and those whose columns blanks or dots divide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, takewhile

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line
from rag.text.header_rows import count_header_rows, join_headers

#: lines of a table whose columns are looked for at once
_MAX_ALIGNED_LINES = 2000
_MIN_ALIGNED_LINES = 3
#: rows below the header that tell whether the first of them is a header too
_COMPARED_ROWS = 12
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:[|+]\s*:?-+:?\s*)*\|?")
_LINE_OF_DASHES = re.compile(r"[-=+_|:\s]+")
_EMPHASIS = re.compile(r"^[*_`]+|[*_`]+$")
_WORDY = re.compile(r"\w")
_WIDE_GAP = re.compile(r" {2,}|^ +")
_GAP = re.compile(r" {2,}|\t+")

#: what dots lead to: "glucose ......... 20 g"
_LEADER = re.compile(
    r"(?P<name>\S.{0,80}?)\s?(?:\.{4,}|(?:\. ){3,}\.?|\u2026{2,}|_{4,})\s*(?P<value>\S.*)"
)
_LEADER_MARKS = ("....", ". . .", "\u2026\u2026", "____")
_NUMBER_OF_SECTION = re.compile(r"[(\[§]?\s?\d{1,3}(?:\.\d{1,3})*[.)\]]?")
_MIN_SENTENCE_WORDS = 7  #: words of a value from which it is a sentence

Found = tuple[list[Unit], int]  #: units, and the number of the first line after them


def markdown_table(lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of a Markdown table whose header is line `number`, or None."""
    header = lines[number].text
    if "|" not in header or number + 1 >= len(lines):
        return None
    rule = lines[number + 1].text
    if "-" not in rule or not _RULE.fullmatch(rule):
        return None
    names = [_plain(span.of(header)) for span in _divided(header)]
    if len(names) != len(re.findall(r"[|+]", rule.strip("|"))) + 1:
        return None
    names, depth = _with_second_header(names, lines[number + 2 : number + 2 + _COMPARED_ROWS])
    units, last = list[Unit](), number + 2 + depth
    while last < len(lines) and "|" in lines[last].text:
        line = lines[last]
        if _LINE_OF_DASHES.fullmatch(line.text):
            last += 1
            continue
        cells = [
            Cell(name, Span(line.at + span.start, line.at + span.end))
            for name, span in zip(names, _divided(line.text), strict=False)
            if span.start < span.end
        ]
        if cells:
            units.append(Unit(UnitKind.ROW, line.span, "", tuple(cells)))
        last += 1
    return units, last


def _with_second_header(names: list[str], lines: Sequence[Line]) -> tuple[list[str], int]:
    """Return the names of the columns, and 1 if the first row below completes them, else 0.

    A name with gaps on its right stands for a cell that is merged over several columns.
    """
    if not any(one and not other for one, other in pairwise(names)):
        return names, 0
    rows = [
        [_plain(span.of(line.text)) for span in _divided(line.text)]
        for line in takewhile(lambda line: "|" in line.text, lines)
    ]
    if count_header_rows([names, *rows]) < 2:
        return names, 0
    return join_headers([names, rows[0]]), 1


def _plain(header: str) -> str:
    return _EMPHASIS.sub("", header).strip()


def _divided(line: str) -> list[Span]:
    """Return the places of the cells of a line, which bars divide; a bar after a \\ does not."""
    edges = [match.start() for match in re.finditer(r"(?<!\\)\|", line)]
    if line.startswith("|"):
        edges = edges[1:]
        start = 1
    else:
        start = 0
    if line.endswith("|") and edges:
        end = edges.pop()
    else:
        end = len(line)
    spans = []
    for edge in (*edges, end):
        part = line[start:edge]
        left = start + len(part) - len(part.lstrip())
        spans.append(Span(left, max(left, start + len(part.rstrip()))))
        start = edge + 1
    return spans


def aligned_end(lines: Sequence[Line], number: int) -> int:
    """Return the number of the first line from `number` on that has no columns."""
    last = number
    while last < len(lines) and last - number < _MAX_ALIGNED_LINES and _is_aligned(lines[last]):
        last += 1
    return last


def aligned_table(text: str, lines: Sequence[Line], number: int, last: int) -> Found | None:
    """Return the rows of a table of aligned columns in lines `number` to `last`, or None.

    Each of its lines has at least two parts divided by a tab or two blanks. The columns are divided
    by places that are blank in every line. Without a header there are two columns, the second with
    numbers.
    """
    block = [line for line in lines[number:last] if not _LINE_OF_DASHES.fullmatch(line.text)]
    if len(block) < _MIN_ALIGNED_LINES:
        return None
    rows = _tabbed(text, block) if "\t" in block[0].text else _columns(text, block)
    if rows is None:
        return None
    values = [[span.of(text) for span in row] for row in rows]
    depth = count_header_rows(values)
    if any("|" in cell or not _WORDY.search(cell) for cell in values[0] if cell):
        return None  # a drawing
    if not depth and not _is_list_of_pairs(values):
        return None
    if 2 * sum(sum(map(bool, row)) > 1 for row in values[depth:]) < len(values) - depth:
        return None  # the first line is a title with a gap
    firsts = [row[0] for row in values]
    if all(cell.endswith(":") for cell in firsts):
        return None  # fields
    if len({cell[:1] for cell in firsts}) == 1 and not firsts[0][:1].isalnum():
        depth = 0  # the first row is marked as all others are
    names = join_headers(values[:depth]) if depth else []
    return row_units(rows[depth:], names), last


def leader_table(lines: Sequence[Line], number: int) -> Found | None:
    """Return the rows of two and more lines from `number` on in which dots lead to a value."""
    if not any(mark in lines[number].text for mark in _LEADER_MARKS):
        return None
    rows, last = list[list[Span]](), number
    while last < len(lines) and (match := _LEADER.fullmatch(lines[last].text)):
        at = lines[last].at
        value, *more = _GAP.split(match["value"], maxsplit=1)
        row = [
            Span(*match.span("name")),
            Span(match.start("value"), match.start("value") + len(value)),
        ]
        row += [Span(match.end("value") - len(rest), match.end("value")) for rest in more]
        rows.append([Span(at + span.start, at + span.end) for span in row])
        last += 1
    return (row_units(rows, ()), last) if len(rows) > 1 else None


def _is_numbered_text(values: Sequence[Sequence[str]]) -> bool:
    """Are the rows the numbered sections of a text ("6.2  A late fee of 25 is added.")?"""
    if not all(_NUMBER_OF_SECTION.fullmatch(row[0]) for row in values):
        return False
    sentences = sum(
        len(row[1].split()) >= _MIN_SENTENCE_WORDS or row[1].endswith((".", ";")) for row in values
    )
    return 2 * sentences >= len(values)


def _is_list_of_pairs(values: Sequence[Sequence[str]]) -> bool:
    """Do the rows say something of one thing each, without a header ("Amendment      80 EUR")?"""
    firsts = [row[0] for row in values]
    return (
        all(len(row) == 2 and all(map(_WORDY.search, row)) for row in values)
        and len(set(firsts)) == len(firsts)
        and not _is_numbered_text(values)
        and any(character.isdigit() for row in values for character in row[1])
    )


def row_units(
    rows: Sequence[Sequence[Span]], names: Sequence[str], context: str = ""
) -> list[Unit]:
    """Return the units of the rows below the header; `names` are those of the columns, if any."""
    units = []
    for row in rows:
        cells = tuple(
            Cell(names[column] if column < len(names) else "", span)
            for column, span in enumerate(row)
            if span.start < span.end
        )
        if cells:
            span = Span(cells[0].span.start, max(cell.span.end for cell in cells))
            units.append(Unit(UnitKind.ROW, span, context, cells))
    return units


def header_names(
    text: str, rows: Sequence[Sequence[Span]], depth: int = 0
) -> tuple[list[str], int]:
    """Return the names of the columns and the number of header rows, which is `depth` if known."""
    values = [[span.of(text) for span in row] for row in rows]
    depth = depth or count_header_rows(values)
    return (join_headers(values[:depth]) if depth else []), depth


def _is_aligned(line: Line) -> bool:
    return bool(line.text) and (
        bool(_GAP.search(line.text)) or bool(_LINE_OF_DASHES.fullmatch(line.text))
    )


def _tabbed(text: str, block: Sequence[Line]) -> list[list[Span]] | None:
    rows = []
    for line in block:
        start, row = line.start, []
        for part in text[line.start : line.end].split("\t"):
            left = start + len(part) - len(part.lstrip())
            row.append(Span(left, max(left, start + len(part.rstrip()))))
            start += len(part) + 1
        rows.append(row)
    return rows if len({len(row) for row in rows}) == 1 else None


def _borders(text: str, block: Sequence[Line]) -> list[tuple[int, int]]:
    """Return where the columns of a block begin and end.

    A place where all lines are blank divides if most lines have a gap of two blanks there: the
    longest cell of a column may be a single blank before the next one. Where not all have such a
    gap, the first line must name what begins behind it.
    """
    width = max(line.end - line.start for line in block)
    occupied, steps = bytearray(width), [0] * (width + 1)
    for line in block:
        own = text[line.start : line.end]
        for match in re.finditer(r"\S+", own):
            occupied[match.start() : match.end()] = b"\1" * (match.end() - match.start())
        for start, end in _wide_gaps(own, width):
            steps[start] += 1
            steps[end] -= 1
    gaps = list(accumulate(steps))[:width]
    for at in range(width):
        if 2 * gaps[at] <= len(block):
            occupied[at] = 1
    head, columns = text[block[0].start : block[0].end], list[tuple[int, int]]()
    for run in re.finditer(rb"\x01+", bytes(occupied)):
        start, end = run.span()
        sure = not columns or max(gaps[columns[-1][1] : start]) == len(block)
        if sure or (head[start:end].strip() and head[start - 2 : start] == "  "):
            columns.append((start, end))
        else:
            columns[-1] = columns[-1][0], end
    return columns


def _wide_gaps(line: str, width: int) -> Iterator[tuple[int, int]]:
    """Yield where the gaps of two blanks and more begin and end, and that behind the line."""
    yield from (match.span() for match in _WIDE_GAP.finditer(line))
    if len(line) < width:
        yield len(line), width


def _columns(text: str, block: Sequence[Line]) -> list[list[Span]] | None:
    """Return the cells of each line, divided where all lines are blank; None for one column."""
    columns = _borders(text, block)
    if len(columns) < 2:
        return None
    rows = []
    for line in block:
        row = []
        for start, end in columns:
            part = text[line.start : line.end][start:end]
            left = line.start + start + len(part) - len(part.lstrip())
            row.append(Span(left, max(left, line.start + start + len(part.rstrip()))))
        rows.append(row)
    return rows
