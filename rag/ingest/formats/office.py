"""Word and PowerPoint, by `python-docx` and `python-pptx`: a paragraph a line, a row of a table a line, a slide a page.

`python-docx` opens the file and knows its styles; the text is taken from the elements themselves, because its own
`Paragraph.text` passes over what stands in content controls, in tracked insertions and in text boxes. Deleted text is left
out, footnotes stand at the end. Page breaks of Word are made when it is shown, so a .docx has headings and no pages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.page_ranges import page_ranges
from rag.ingest.formats.zip_guard import office_properties

_SKIPPED_TAGS = {"del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "rPr", "fldData"}
_NOTE_TITLES = {"footnotes": "Footnotes", "endnotes": "Endnotes"}


def read_docx(content: bytes) -> Iterator[RawDocument]:
    """A Word document; paragraphs in the styles Title and Heading 1 to 9 are headings."""
    import docx as word

    title, date = office_properties(content)
    opened = word.Document(io.BytesIO(content))
    levels = {
        style.style_id: level
        for style in opened.styles
        if (level := _heading_level(style.name or ""))
    }
    lines = LineBuilder()
    _add_elements(lines, opened.element.body, levels)
    for relation in opened.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in _NOTE_TITLES and not relation.is_external:
            _add_notes(lines, relation.target_part.blob, _NOTE_TITLES[kind])
    yield lines.raw(title, date)


def _heading_level(style: str) -> int:
    found = re.fullmatch(r"heading (\d)", style.lower())
    return 1 + int(found[1]) if found else int(style.lower() == "title")


def _add_elements(lines: LineBuilder, parent: Any, levels: dict[str, int]) -> None:
    for node in parent:
        kind = _tag(node)
        if kind == "p":
            words = _element_text(node)
            level = levels.get(_style_id(node), 0)
            for line in [" ".join(words.split())] if level else words.strip("\n").split("\n"):
                lines.add(line.rstrip(), level)
        elif kind == "tbl":
            for row in _table_rows(node):
                lines.add(row)
            lines.add()
        elif kind not in _SKIPPED_TAGS and len(node):
            _add_elements(lines, node, levels)


def _add_notes(lines: LineBuilder, content: bytes, title: str) -> None:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    notes = [" ".join(_element_text(note).split()) for note in etree.fromstring(content, parser)]
    if any(notes):
        lines.add(title, 1)
        for note in filter(None, notes):
            lines.add(note)


def _tag(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _style_id(paragraph: Any) -> str:
    for node in paragraph.iter():
        if _tag(node) == "pStyle":
            return str(next(iter(node.attrib.values()), ""))
    return ""


def _element_text(parent: Any) -> str:
    """The text of an element, line breaks where there are some, and where a paragraph in it (of a text box) begins or ends."""
    out: list[str] = []
    todo = [parent]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        kind = _tag(node)
        if kind == "t":
            out.append(node.text or "")
        elif kind in ("tab", "br", "cr", "noBreakHyphen"):
            out.append({"tab": "\t", "noBreakHyphen": "-"}.get(kind, "\n"))
        elif kind not in _SKIPPED_TAGS:
            inner = kind in ("p", "tc") and node is not parent
            todo += ["\n"] * inner + list(node)[::-1] + ["\n"] * inner
    return "".join(out)


def _table_rows(table: Any) -> Iterator[str]:
    """The rows of a table, their cells divided by bars; a merged cell is said once, a table in a cell is words of it."""
    for row in _outermost(table, "tr"):
        cells = (" ".join(_element_text(cell).split()) for cell in _outermost(row, "tc"))
        yield " | ".join(cell for cell in cells if cell)


def _outermost(parent: Any, kind: str) -> Iterator[Any]:
    """The elements of that kind in `parent`, but not those in another one of them."""
    todo = list(parent)[::-1]
    while todo:
        node = todo.pop()
        if _tag(node) == kind:
            yield node
        elif _tag(node) not in _SKIPPED_TAGS:
            todo += list(node)[::-1]


def read_pptx(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """A presentation: a slide is a page under its title; the speaker's notes follow it."""
    import pptx as powerpoint

    title, date = office_properties(content)
    opened = powerpoint.Presentation(io.BytesIO(content))
    lines = LineBuilder()
    silent = []
    for number, slide in enumerate(opened.slides, 1):
        lines.page()
        head = slide.shapes.title
        found = [
            (line, int(shape == head))
            for shape in _drawn_shapes(slide.shapes)
            for line in _shape_lines(shape)
        ]
        for line, level in found:
            lines.add(line, level)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            found += [(notes, 0)] * bool(notes)
            for line in f"Notes: {notes}".split("\n") if notes else ():
                lines.add(line)
        lines.add()
        silent += [] if found else [number]
    yield lines.raw(title, date)
    if silent:
        yield RefusedPart(
            f"/{page_ranges('slide', silent)}",
            "without text (a picture?)",
            "describe the picture in the notes",
        )


def _drawn_shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """The shapes of a slide in the order they are drawn, those in groups too; the title first."""
    todo = list(shapes)[::-1]
    head = getattr(shapes, "title", None)
    if head is not None:
        todo = [shape for shape in todo if shape != head] + [head]
    while todo:
        shape = todo.pop()
        if hasattr(shape, "shapes"):
            todo += list(shape.shapes)[::-1]
        else:
            yield shape


def _shape_lines(shape: Any) -> Iterator[str]:
    if shape.has_text_frame:
        for paragraph in shape.text_frame.text.replace("\v", "\n").split("\n"):
            if paragraph.strip():
                yield paragraph.strip()
    if getattr(shape, "has_table", False):
        for row in shape.table.rows:
            cells = [" ".join(cell.text.split()) for cell in row.cells if not cell.is_spanned]
            if any(cells):
                yield " | ".join(cell for cell in cells if cell)
