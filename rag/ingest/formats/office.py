"""Word and PowerPoint, by `python-docx` and `python-pptx`.

A paragraph and a row of a table are a line, a slide is a page. `python-docx` opens the file and
knows its styles. The text is taken from the XML elements, because `Paragraph.text` skips content
controls, tracked insertions and text boxes. Deleted text is left out, footnotes are at the end.
Word computes page breaks when it shows a file, so a .docx has headings and no pages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.page_ranges import page_ranges
from rag.ingest.formats.zip_guard import office_properties

if TYPE_CHECKING:
    from pptx.shapes.base import BaseShape

_SKIPPED_TAGS = {"del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "rPr", "fldData"}
_NOTE_TITLES = {"footnotes": "Footnotes", "endnotes": "Endnotes"}


class _Element(Protocol):
    """The part of an lxml element that is used here. The tag of a comment is no text."""

    @property
    def tag(self) -> object: ...
    @property
    def text(self) -> str | None: ...
    @property
    def attrib(self) -> Mapping[str, str]: ...
    def iter(self) -> Iterator[_Element]: ...
    def __iter__(self) -> Iterator[_Element]: ...
    def __len__(self) -> int: ...


def read_docx(content: bytes) -> Iterator[RawDocument]:
    """Yield a Word document; paragraphs in the styles Title and Heading 1 to 9 are headings."""
    import docx as word

    title, date = office_properties(content)
    document = word.Document(io.BytesIO(content))
    levels = {
        style.style_id: level
        for style in document.styles
        if (level := _heading_level(style.name or ""))
    }
    lines = LineBuilder()
    _add_elements(lines, document.element.body, levels)
    for relation in document.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in _NOTE_TITLES and not relation.is_external:
            _add_notes(lines, relation.target_part.blob, _NOTE_TITLES[kind])
    yield lines.raw(title, date)


def _heading_level(style: str) -> int:
    """Return the level of the heading that a style makes: 1 for Title, 2 for Heading 1, else 0."""
    match = re.fullmatch(r"heading (\d)", style.lower())
    return 1 + int(match[1]) if match else int(style.lower() == "title")


def _add_elements(lines: LineBuilder, parent: _Element, levels: dict[str, int]) -> None:
    """Add the paragraphs and tables below `parent`; `levels` are heading levels by style id."""
    for node in parent:
        tag = _tag(node)
        if tag == "p":
            text = _element_text(node)
            level = levels.get(_style_id(node), 0)
            for line in [" ".join(text.split())] if level else text.strip("\n").split("\n"):
                lines.add(line.rstrip(), level)
        elif tag == "tbl":
            for row in _table_rows(node):
                lines.add(row)
            lines.add()
        elif tag not in _SKIPPED_TAGS and len(node):
            _add_elements(lines, node, levels)


def _add_notes(lines: LineBuilder, content: bytes, title: str) -> None:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    notes = [" ".join(_element_text(note).split()) for note in etree.fromstring(content, parser)]
    if any(notes):
        lines.add(title, 1)
        for note in filter(None, notes):
            lines.add(note)


def _tag(node: _Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _style_id(paragraph: _Element) -> str:
    for node in paragraph.iter():
        if _tag(node) == "pStyle":
            return str(next(iter(node.attrib.values()), ""))
    return ""


def _element_text(parent: _Element) -> str:
    """Return the text of an element with its line breaks.

    There is one more where an inner paragraph (of a text box) or cell begins and where it ends.
    """
    out: list[str] = []
    todo: list[_Element | str] = [parent]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        tag = _tag(node)
        if tag == "t":
            out.append(node.text or "")
        elif tag in ("tab", "br", "cr", "noBreakHyphen"):
            out.append({"tab": "\t", "noBreakHyphen": "-"}.get(tag, "\n"))
        elif tag not in _SKIPPED_TAGS:
            inner = tag in ("p", "tc") and node is not parent
            todo += ["\n"] * inner + list(node)[::-1] + ["\n"] * inner
    return "".join(out)


def _table_rows(table: _Element) -> Iterator[str]:
    """Yield the rows of a table with bars between the cells.

    A merged cell is given once. A table in a cell is text of that cell.
    """
    for row in _outermost(table, "tr"):
        cells = (" ".join(_element_text(cell).split()) for cell in _outermost(row, "tc"))
        yield " | ".join(cell for cell in cells if cell)


def _outermost(parent: _Element, tag: str) -> Iterator[_Element]:
    """Yield the elements with this tag below `parent`, but not those inside another one of them."""
    todo = list(parent)[::-1]
    while todo:
        node = todo.pop()
        if _tag(node) == tag:
            yield node
        elif _tag(node) not in _SKIPPED_TAGS:
            todo += list(node)[::-1]


def read_pptx(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a presentation: a slide is a page under its title, followed by the speaker's notes."""
    import pptx as powerpoint

    title, date = office_properties(content)
    presentation = powerpoint.Presentation(io.BytesIO(content))
    lines = LineBuilder()
    blank_slides: list[int] = []
    for number, slide in enumerate(presentation.slides, 1):
        lines.page()
        has_text = False
        title_shape = slide.shapes.title
        for shape in _drawn_shapes(slide.shapes):
            for line in _shape_lines(shape):
                has_text = True
                lines.add(line, int(shape == title_shape))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            has_text = has_text or bool(notes)
            for line in f"Notes: {notes}".split("\n") if notes else ():
                lines.add(line)
        lines.add()
        if not has_text:
            blank_slides.append(number)
    yield lines.raw(title, date)
    if blank_slides:
        yield RefusedPart(
            f"/{page_ranges('slide', blank_slides)}",
            "without text (a picture?)",
            "describe the picture in the notes",
        )


def _drawn_shapes(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """Yield the title, then the other shapes of a slide as they are drawn, those in groups too."""
    todo = list(shapes)[::-1]
    title = getattr(shapes, "title", None)
    if title is not None:
        todo = [shape for shape in todo if shape != title] + [title]
    while todo:
        shape = todo.pop()
        if hasattr(shape, "shapes"):
            todo += list(shape.shapes)[::-1]
        else:
            yield shape


def _shape_lines(shape: BaseShape) -> Iterator[str]:
    if shape.has_text_frame:
        for paragraph in shape.text_frame.text.replace("\v", "\n").split("\n"):
            if paragraph.strip():
                yield paragraph.strip()
    if getattr(shape, "has_table", False):
        for row in shape.table.rows:
            cells = [" ".join(cell.text.split()) for cell in row.cells if not cell.is_spanned]
            if any(cells):
                yield " | ".join(cell for cell in cells if cell)
