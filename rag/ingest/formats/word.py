"""Word, by `python-docx`: paragraphs, lists, tables, notes, comments, headers.

`python-docx` opens the file and knows its parts and styles. The text is taken from the XML
elements, because `Paragraph.text` skips content controls, tracked insertions and text boxes.
Tracked changes are read as accepted. A text box follows the paragraph that it is anchored in.
Footnotes, endnotes, comments, headers and footers stand at the end. Word computes page breaks when
it shows a file, so a .docx has headings and no pages.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.charts import add_chart
from rag.ingest.formats.flow import Flow, Table, is_bold_heading, looks_like_form
from rag.ingest.formats.not_taken import NotTaken, Tally
from rag.ingest.formats.word_styles import Styles, is_on
from rag.ingest.formats.word_text import SKIPPED, NotePlaces, paragraph_text
from rag.ingest.formats.xml_parts import attribute, child, outermost, parse_part, tag_of
from rag.ingest.formats.zip_guard import office_properties

_NOTE_TITLES = {"footnotes": "Footnotes", "endnotes": "Endnotes", "comments": "Comments"}
#: columns of a merged cell, and of a row
_MAX_COLUMNS = 1000


def read_docx(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a Word document, and what it holds that is not taken in."""
    import docx as word

    title, date = office_properties(content)
    document = word.Document(io.BytesIO(content))
    reader = _Reader(Styles(document.part))
    reader.charts = {
        number: rel.target_part.blob
        for number, rel in document.part.rels.items()
        if not rel.is_external and rel.reltype.endswith("/chart")
    }
    reader.blocks(document.element.body)
    reader.end_joined()
    parts = [rel for rel in document.part.rels.values() if not rel.is_external]
    by_kind = [(rel.reltype.rpartition("/")[2], rel.target_part.blob) for rel in parts]
    for kind, heading in _NOTE_TITLES.items():
        for blob in [blob for found, blob in by_kind if found == kind]:
            reader.notes(kind, heading, parse_part(blob))
    reader.margins([parse_part(blob) for kind, blob in by_kind if kind in ("header", "footer")])
    reader.tally.add(NotTaken.OBJECTS, sum(kind == "aFChunk" for kind, _ in by_kind))
    yield reader.flow.raw(title, date)
    yield from reader.tally.parts()


class _Reader:
    """Reads the parts of one document into a flow."""

    def __init__(self, styles: Styles) -> None:
        self.flow, self.tally = Flow(), Tally()
        self.charts = dict[str, bytes]()  #: their parts by id
        self._styles = styles
        self._places = NotePlaces()
        self._joined = list[str]()  #: paragraphs whose end was deleted
        self._level = 1  #: of the last heading that has a style

    def blocks(self, parent: Any) -> None:
        """Read the paragraphs and tables below `parent`."""
        for node in parent:
            tag = tag_of(node)
            if tag == "p":
                self._paragraph(node)
            elif tag == "tbl":
                self._table(node)
            elif tag not in SKIPPED and len(node):
                self.blocks(node)

    def _paragraph(self, node: Any) -> None:
        found = paragraph_text(node, self._places)
        for kind in found.not_taken:
            self.tally.add(kind)
        self._joined.append(found.text)
        if child(node, "pPr", "rPr", "del") is not None:  # its end was deleted
            return
        text = "".join(self._joined)
        self._joined.clear()
        look = self._styles.look(node)
        if look.level and text.strip():
            self._level = look.level
            self.flow.paragraph(text, look.level)
        elif look.list_key and text.strip():
            self.flow.item(text, look.depth, look.list_key, look.numbered)
        elif found.bold and not look.contents and is_bold_heading(text):
            self.flow.paragraph(text, self._level + 1)
        else:
            self.flow.paragraph(
                text, caption=look.caption, indented=look.indented, masked=look.contents
            )
        for description in found.descriptions:
            self.flow.paragraph(description)
        for box in found.boxes:
            self.blocks(box)
        for number in found.charts:
            if number not in self.charts or not add_chart(
                self.flow, parse_part(self.charts[number])
            ):
                self.tally.add(NotTaken.CHARTS)

    def end_joined(self) -> None:
        """Add what waits for a next paragraph."""
        if self._joined:
            self.flow.paragraph("".join(self._joined))
            self._joined.clear()

    def _table(self, table: Any) -> None:
        self.end_joined()
        rows = [row for row in outermost(table, ("tr",), SKIPPED) if not _is_deleted(row)]
        cells = [_placed_cells(row) for row in rows]
        if _is_layout(cells):
            for _, cell, _ in (place for row in cells for place in row):
                self.blocks(cell)
                self.flow.end_list()
            return
        values, above = list[list[str]](), dict[int, str]()
        for row in cells:
            values.append(self._row(row, above))
        headers = 0
        while headers < len(rows) and is_on(child(rows[headers], "trPr", "tblHeader")):
            headers += 1
        form = looks_like_form(values, _has_bold_names(cells))
        self.flow.table(Table(values, headers or None, form and not headers))

    def _row(self, row: Sequence[tuple[int, Any, int]], above: dict[int, str]) -> list[str]:
        """Return the values of a row. `above` are those that reach down into the next one."""
        values = list[str]()
        for column, cell, span in row:
            values += [""] * (column - len(values))
            merge = child(cell, "tcPr", "vMerge")
            if merge is not None and attribute(merge, "val") != "restart":
                value = above.get(column, "")
            else:
                value = self._cell_text(cell)
                above.pop(column, None)
                if merge is not None:
                    above[column] = value
            self.flow.count_cells(span)
            values += [value] * span
        if len({*values}) == 1 and len(row) == 1:  # one cell over all columns
            return values[:1]
        return values

    def _cell_text(self, cell: Any) -> str:
        """Return the text of a cell; a table in it is text too."""
        texts, todo = list[str](), list(cell)[::-1]
        while todo:
            node = todo.pop()
            tag = tag_of(node)
            if tag == "p":
                found = paragraph_text(node, self._places)
                texts += [found.text, *found.descriptions]
                for kind in found.not_taken:
                    self.tally.add(kind)
                self.tally.add(NotTaken.CHARTS, len(found.charts))
                todo += found.boxes[::-1]
            elif tag == "tr" and _is_deleted(node):
                continue
            elif tag not in SKIPPED:
                todo += list(node)[::-1]
        return " ".join(" ".join(texts).split())

    def notes(self, kind: str, title: str, root: Any) -> None:
        """Read footnotes, endnotes or comments, each a line."""
        noun = kind[:-1]
        lines = list[tuple[str, str, str]]()
        for note in root:
            texts = [paragraph_text(p, NotePlaces()).text for p in outermost(note, ("p",), SKIPPED)]
            text = " ".join(" ".join(texts).split())
            if text:
                place = self._places.of(noun, attribute(note, "id"))
                if kind == "comments":
                    day = attribute(note, "date")[:10]
                    place = f"comment{f' of {day}' if day else ''}{f' on: {place}' * bool(place)}"
                lines.append((attribute(note, "author"), text, place))
        if lines:
            self.flow.section(title)
        for author, text, place in lines:
            self.flow.entry(author, text, place)

    def margins(self, roots: Sequence[Any]) -> None:
        """Read headers and footers."""
        lines = list[str]()
        for root in roots:
            for node in outermost(root, ("p",), SKIPPED):
                found = paragraph_text(node, NotePlaces())
                lines += [found.text, *map(_box_text, found.boxes)]
        self.flow.margins(lines)


def _box_text(box: Any) -> str:
    paragraphs = outermost(box, ("p",), SKIPPED)
    return " ".join(paragraph_text(node, NotePlaces()).text for node in paragraphs)


def _is_deleted(row: Any) -> bool:
    return child(row, "trPr", "del") is not None


def _placed_cells(row: Any) -> list[tuple[int, Any, int]]:
    """Return the column, the element and the number of columns of each cell of a row."""
    before = child(row, "trPr", "gridBefore")
    column = _number(before, 0)
    placed = list[tuple[int, Any, int]]()
    for cell in outermost(row, ("tc",), SKIPPED):
        if child(cell, "tcPr", "cellDel") is None:
            span = max(1, _number(child(cell, "tcPr", "gridSpan"), 1))
            placed.append((column, cell, span))
            column += span
    return placed


def _number(node: Any, default: int) -> int:
    value = "" if node is None else attribute(node, "val")
    return min(int(value), _MAX_COLUMNS) if value.isascii() and value.isdigit() else default


def _is_layout(rows: Sequence[Sequence[tuple[int, Any, int]]]) -> bool:
    """Does the table only place text: in one column, or in one row that holds tables?"""
    if all(len(row) <= 1 for row in rows):
        return True
    inner = (tag_of(node) for row in rows for _, cell, _ in row for node in cell)
    return len(rows) == 1 and "tbl" in inner


def _has_bold_names(rows: Sequence[Sequence[tuple[int, Any, int]]]) -> bool:
    """Is the first column of a table in bold type, and the value beside the first name not?"""
    cells = [row for row in rows if len(row) == 2]
    if len(cells) != len(rows) or not cells or _is_bold(cells[0][1][1]):
        return False
    return all(_is_bold(row[0][1]) for row in cells)


def _is_bold(cell: Any) -> bool:
    paragraphs = outermost(cell, ("p",), SKIPPED)
    found = [paragraph_text(node, NotePlaces()) for node in paragraphs]
    return any(part.bold for part in found) and all(
        part.bold or not part.text.strip() for part in found
    )
