"""A document as Footnote sees it: tables as tables, page furniture marked, pages and headings.

`make_blocks` takes a document apart once; `lay_out` gives its lines for a width. Foreign text is
sanitized here, and its offsets stay as they are.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.content import Span as StyledSpan

from rag.domain import Document, OpenedDocument, Span, Unit, UnitKind
from rag.text.sanitize import sanitize
from tui.render.glyphs import Glyphs
from tui.render.wrap import wrap_text

#: The width of the column of signs, in cells.
GUTTER_CELLS = 2
#: Characters of a document that are shown; the rest is counted.
MAX_CHARS = 2_000_000
#: Places that a search finds at most.
MAX_HITS = 10_000
_GAP = "  "
_RULE_LINE = re.compile(r"[|:\- \t]*\Z")
HEADING_STYLE, FURNITURE_STYLE, TABLE_HEAD_STYLE = "bold", "$text-muted italic", "bold"
HIT_STYLE, HERE_STYLE = "underline $text-warning", "bold reverse"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text that is wrapped by itself; `sign` stands in the gutter of its lines."""

    text: str
    styles: tuple[tuple[Span, str], ...] = ()
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Consecutive rows with the same columns."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the screen: a span of the text of paragraph `paragraph`."""

    paragraph: int
    span: Span


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that was found: its line, and its span in the text of its paragraph."""

    line: int
    paragraph: int
    span: Span


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a document at one width."""

    paragraphs: tuple[Paragraph, ...] = ()
    lines: tuple[Line, ...] = ()

    def find(self, words: str) -> list[Hit]:
        """Return the places of `words`, without regard to case, in the order of the text."""
        if not words.strip():
            return []
        pattern, first = re.compile(re.escape(sanitize(words)), re.IGNORECASE), dict[int, int]()
        for number, line in enumerate(self.lines):
            first.setdefault(line.paragraph, number)
        hits = list[Hit]()
        for number, paragraph in enumerate(self.paragraphs):
            at = first.get(number, 0)
            for match in pattern.finditer(paragraph.text):
                while at + 1 < len(self.lines) and self._begins_by(at + 1, number, match.start()):
                    at += 1
                hits.append(Hit(at, number, Span(match.start(), match.end())))
                if len(hits) == MAX_HITS:
                    return hits
        return hits

    def _begins_by(self, line: int, paragraph: int, offset: int) -> bool:
        """Whether line number `line` is of the paragraph and begins at or before `offset`."""
        found = self.lines[line]
        return found.paragraph == paragraph and found.span.start <= offset

    def content(self, number: int, hits: Sequence[Hit], here: Hit | None) -> Content:
        """Return a line with its sign, and with the `hits` of its paragraph that lie in it."""
        line = self.lines[number]
        paragraph = self.paragraphs[line.paragraph]
        head = paragraph.sign.ljust(GUTTER_CELLS)
        marks = [(span, style) for span, style in paragraph.styles]
        marks += [(hit.span, HERE_STYLE if hit is here else HIT_STYLE) for hit in hits]
        shift = len(head) - line.span.start
        spans = [StyledSpan(0, len(head), "$text-muted")] if paragraph.sign else []
        for span, style in marks:
            start, end = max(span.start, line.span.start), min(span.end, line.span.end)
            if start < end:
                spans.append(StyledSpan(shift + start, shift + end, style))
        return Content(head + line.span.of(paragraph.text), spans)


def make_blocks(opened: OpenedDocument, glyphs: Glyphs) -> list[Paragraph | Grid]:
    """Return the parts of a document in the order of its text."""
    document = opened.document
    text = document.text[:MAX_CHARS]
    source, blocks, at = _Source(document, text, glyphs), list[Paragraph | Grid](), 0
    for start, end, grid in _grids(document, len(text)):
        blocks += source.paragraphs(at, start)
        blocks.append(grid)
        at = end
    blocks += source.paragraphs(at, len(text))
    if len(document.text) > len(text):
        left = f"{len(document.text) - len(text):,} more characters are not shown"
        blocks.append(Paragraph(left, ((Span(0, len(left)), "$text-muted"),)))
    return blocks


def lay_out(blocks: Sequence[Paragraph | Grid], width: int, glyphs: Glyphs) -> Layout:
    """Return the lines of the blocks at a width of `width` cells."""
    cells = max(1, width - GUTTER_CELLS)
    paragraphs, lines = list[Paragraph](), list[Line]()
    for block in blocks:
        made = [block] if isinstance(block, Paragraph) else _table(block, cells, glyphs)
        for paragraph in made:
            spans = wrap_text(paragraph.text, cells)
            lines += [Line(len(paragraphs), span) for span in spans]
            paragraphs.append(paragraph)
    return Layout(tuple(paragraphs), tuple(lines))


class _Source:
    """The text of a document, with what is marked in it by place."""

    def __init__(self, document: Document, text: str, glyphs: Glyphs) -> None:
        self.text = text
        self._glyphs = glyphs
        self._masks = sorted(document.mask)
        self._mask_ends = [mask.end for mask in self._masks]
        numbered = sorted((page.start, number) for number, page in enumerate(document.pages, 1))
        self._pages = numbered if len(numbered) > 1 else []
        self._heads = {span.start for span, _ in document.headings}

    def paragraphs(self, start: int, end: int) -> Iterator[Paragraph]:
        """Yield the lines of a piece of the text, with the begins of pages between them."""
        page = bisect_left(self._pages, (start, 0))
        while start < end:
            stop = self.text.find("\n", start, end)
            stop = end if stop < 0 else stop
            while page < len(self._pages) and self._pages[page][0] <= start:
                yield _page(self._pages[page][1], self._glyphs)
                page += 1
            line = _clean(self.text[start:stop])
            covered = self._covered(start, stop)
            styles = [(span, FURNITURE_STYLE) for span in covered]
            if start in self._heads and line.strip():
                styles.append((Span(0, len(line)), HEADING_STYLE))
            sign = self._glyphs.furniture if covered and line.strip() else ""
            yield Paragraph(line, tuple(styles), sign)
            start = stop + 1

    def _covered(self, start: int, end: int) -> list[Span]:
        """Return the masked parts of a line, as spans of the line."""
        found = list[Span]()
        at = bisect_right(self._mask_ends, start)
        while at < len(self._masks) and self._masks[at].start < end:
            mask = self._masks[at]
            found.append(Span(max(0, mask.start - start), min(end, mask.end) - start))
            at += 1
        return found


def _page(number: int, glyphs: Glyphs) -> Paragraph:
    rule = glyphs.say("—") * 3
    text = f"{rule} page {number} {rule}"
    return Paragraph(text, ((Span(0, len(text)), "$text-muted"),))


# -- tables


def _grids(document: Document, length: int) -> Iterator[tuple[int, int, Grid]]:
    """Yield each table with the span of the text that it stands for."""
    group, floor = list[Unit](), 0
    rows = [
        unit
        for unit in document.units
        if unit.kind is UnitKind.ROW and unit.cells and unit.span.end <= length
    ]
    for unit in [*rows, None]:
        if unit is not None and group and unit.span.start < group[-1].span.end:
            continue  # a row within a row
        if group and (unit is None or not _continues(document.text, group[-1], unit)):
            start, end, grid = _grid(document.text, group, floor)
            yield start, end, grid
            group, floor = [], end
        if unit is not None:
            group.append(unit)


def _continues(text: str, last: Unit, unit: Unit) -> bool:
    """Whether `unit` is the next row of the table of `last`."""
    between = text[last.span.end : unit.span.start]
    same = [cell.header for cell in last.cells] == [cell.header for cell in unit.cells]
    return same and len(between) <= 2 * len(last.cells) + 8 and not between.strip("| \t\r\n")


def _grid(text: str, group: Sequence[Unit], floor: int) -> tuple[int, int, Grid]:
    """Return a table and its span. A line before it that has only its headers is part of it."""
    headers = tuple(_cell(cell.header) for cell in group[0].cells)
    rows = tuple(tuple(_cell(cell.span.of(text)) for cell in unit.cells) for unit in group)
    start = max(floor, text.rfind("\n", 0, group[0].span.start) + 1)
    if text[start : group[0].span.start].strip("| \t"):
        start = group[0].span.start
    end = text.find("\n", group[-1].span.end)
    end = len(text) if end < 0 else end
    if text[group[-1].span.end : end].strip("| \t\r"):
        end = group[-1].span.end
    for _ in range(2):
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        line = text[before : max(before, start - 1)]
        if before < floor or start == before or not _is_head(line, headers):
            break
        start = before
    return start, min(len(text), end + 1), Grid(headers, rows)


def _is_head(line: str, headers: Sequence[str]) -> bool:
    """Whether a line is the row of the headers, or the rule below it."""
    if not line.strip():
        return False
    named = [part for part in (_cell(part) for part in line.split("|")) if part]
    return bool(_RULE_LINE.match(line)) or named == [name for name in headers if name]


def _table(grid: Grid, cells: int, glyphs: Glyphs) -> list[Paragraph]:
    """Return a table as a grid if it fits into `cells`, else each row as "name: value"."""
    columns = list(zip(grid.headers, *grid.rows, strict=True))
    widths = [max(1, *(cell_len(value) for value in column)) for column in columns]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > cells:
        return [Paragraph(_record(grid.headers, row)) for row in grid.rows]

    def line(row: Sequence[str]) -> str:
        padded = [v + " " * (w - cell_len(v)) for v, w in zip(row, widths, strict=True)]
        return _GAP.join(padded).rstrip()

    made = [Paragraph(line(row)) for row in grid.rows]
    if not any(grid.headers):
        return made
    head = line(grid.headers)
    rule = _GAP.join(glyphs.rule * width for width in widths)
    return [
        Paragraph(head, ((Span(0, len(head)), TABLE_HEAD_STYLE),)),
        Paragraph(rule, ((Span(0, len(rule)), "$text-muted"),)),
        *made,
    ]


def _record(headers: Sequence[str], row: Sequence[str]) -> str:
    pairs = zip(headers, row, strict=True)
    return "; ".join(f"{name}: {value}" if name else value for name, value in pairs if value)


def _cell(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    return sanitize(text).replace("\t", " ").replace("\n", " ")
