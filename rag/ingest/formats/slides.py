"""PowerPoint, by `python-pptx`: a slide is a page under its title, with the speaker's notes.

Shapes are read as they are drawn, the title first. Paragraphs with bullets are lists. The number of
a slide is masked, and so is a footer that stood on a slide before.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.charts import add_chart
from rag.ingest.formats.flow import Flow, Table, looks_like_form
from rag.ingest.formats.not_taken import NotTaken, Tally, blank_slides_said, says_something
from rag.ingest.formats.xml_parts import attribute, child, outermost, parse_part, tag_of
from rag.ingest.formats.zip_guard import office_properties

#: kinds of placeholders, as a file names them
_FURNITURE = ("sldNum", "dt", "ftr", "hdr")
#: placeholders whose paragraphs have bullets unless the file says otherwise
_BULLETED = ("", "body", "obj")
#: columns of a merged cell, and of a row
_MAX_COLUMNS = 1000
_FRAMES = (("chart", NotTaken.CHARTS), ("relIds", NotTaken.DIAGRAMS), ("oleObj", NotTaken.OBJECTS))
_SOUNDS = ("videoFile", "audioFile", "wavAudioFile", "quickTimeFile")


def read_pptx(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a presentation, its slides without text, and what else is not taken in."""
    import pptx as powerpoint

    title, date = office_properties(content)
    presentation = powerpoint.Presentation(io.BytesIO(content))
    reader = _Reader(presentation)
    blank_slides = [
        number
        for number, slide in enumerate(presentation.slides, 1)
        if not reader.slide(slide)  # reads it
    ]
    yield reader.flow.raw(title, date)
    yield from blank_slides_said(blank_slides)
    yield from reader.tally.parts()


class _Reader:
    """Reads the slides of one presentation into a flow."""

    def __init__(self, presentation: Any) -> None:
        self.flow, self.tally = Flow(), Tally()
        self._authors = {
            attribute(node, "id"): attribute(node, "name")
            for part in _related(presentation.part, ("commentAuthors", "authors"))
            for node in parse_part(part.blob)
        }
        self._footers = set[str]()

    def slide(self, slide: Any) -> bool:
        """Read a slide. Returns whether it has text."""
        self.flow.page()
        start = self.flow.lines.length
        title = slide.shapes.title
        for shape in _drawn_shapes(slide.shapes):
            self._shape(shape, shape == title)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.replace("\v", "\n").strip()
            if notes:
                self.flow.paragraph(f"Notes: {notes}")
        self._comments(slide)
        has_text = self.flow.lines.length > start or self.flow.has_table_waiting
        self.flow.paragraph("")
        return has_text

    def _comments(self, slide: Any) -> None:
        """Read the comments on a slide and the replies to them, each with its author and day."""
        for part in _related(slide.part, ("comments",)):
            for node in parse_part(part.blob).iter():
                body = child(node, "text"), child(node, "txBody")
                texts = [part for part in body if part is not None]
                if tag_of(node) in ("cm", "reply") and texts:
                    text = " ".join((texts[0].text or _text(texts[0])).split())
                    author = self._authors.get(attribute(node, "authorId"), "")
                    day = (attribute(node, "dt") or attribute(node, "created"))[:10]
                    self.flow.entry(author, text, f"comment{f' of {day}' if day else ''}")

    def _shape(self, shape: Any, is_title: bool) -> None:
        element = shape._element
        placeholder = next(outermost(element, ("ph",)), None)
        kind = None if placeholder is None else attribute(placeholder, "type")
        if getattr(shape, "has_table", False):
            self._table(element)
        elif getattr(shape, "has_chart", False) and add_chart(self.flow, _chart_of(shape)):
            return
        elif shape.has_text_frame:
            for paragraph in outermost(element, ("p",)):
                self._paragraph(shape, paragraph, kind, is_title)
            self.flow.end_list()
        else:
            self._count(element)

    def _paragraph(self, shape: Any, paragraph: Any, kind: str | None, is_title: bool) -> None:
        text = _text(paragraph).strip()
        if not text:
            return
        if is_title:
            self.flow.paragraph(text, 1)
        elif kind in _FURNITURE:
            masked = kind == "sldNum" or text in self._footers
            self._footers.add(text)
            self.flow.paragraph(text, masked=masked)
        elif _has_bullet(shape, paragraph, kind):
            self.flow.item(text, _depth(paragraph))
        else:
            self.flow.paragraph(text)

    def _table(self, frame: Any) -> None:
        table = next(outermost(frame, ("tbl",)))
        properties = child(table, "tblPr")
        first_row = properties is not None and attribute(properties, "firstRow") in ("1", "true")
        rows = [
            [cell for cell in row if tag_of(cell) == "tc"] for row in table if tag_of(row) == "tr"
        ]
        values, above = list[list[str]](), dict[int, str]()
        for row in rows:
            values.append(_row(row, above))
        if max(map(len, values), default=0) <= 1:
            for row in values:
                self.flow.paragraph(" ".join(row))
            return
        self.flow.table(Table(values, None, not first_row and looks_like_form(values)))

    def _count(self, element: Any) -> None:
        """Count a shape that is not read; a picture is read if it is described."""
        for name, kind in _FRAMES:
            if next(outermost(element, (name,)), None) is not None:
                self.tally.add(kind)
                return
        if next(outermost(element, _SOUNDS), None) is not None:
            self.tally.add(NotTaken.SOUNDS)
        elif tag_of(element) == "pic":
            named = next(outermost(element, ("cNvPr",)), None)
            description = "" if named is None else " ".join(attribute(named, "descr").split())
            if says_something(description):
                self.flow.paragraph(description)
            else:
                self.tally.add(NotTaken.PICTURES)


def _related(part: Any, kinds: tuple[str, ...]) -> list[Any]:
    """Return the parts that a part refers to, of some kinds."""
    return [
        relation.target_part
        for relation in part.rels.values()
        if not relation.is_external and relation.reltype.rpartition("/")[2] in kinds
    ]


def _chart_of(shape: Any) -> Any:
    """Return the root element of the chart of a shape."""
    return parse_part(shape.chart_part.blob)


def _drawn_shapes(shapes: Iterable[Any]) -> Iterator[Any]:
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


def _text(parent: Any) -> str:
    """Return the text of a paragraph or cell with its line breaks."""
    out, todo = list[str](), list(parent)[::-1]
    while todo:
        node = todo.pop()
        tag = tag_of(node)
        if tag == "t":
            out.append(node.text or "")
        elif tag == "br":
            out.append("\n")
        elif tag == "tab":
            out.append("\t")
        elif tag not in ("pPr", "rPr", "endParaRPr", "Fallback"):
            todo += list(node)[::-1]
            if tag == "p":
                out.append("\n")
    return "".join(out)


def _row(row: list[Any], above: dict[int, str]) -> list[str]:
    """Return the values of a row, merged cells filled. `above` are values that reach down."""
    values = list[str]()
    for column, cell in enumerate(row[:_MAX_COLUMNS]):
        if attribute(cell, "hMerge") in ("1", "true"):
            value = values[-1] if values else ""
        elif attribute(cell, "vMerge") in ("1", "true"):
            value = above.get(column, "")
        else:
            value = " ".join(_text(cell).split())
        above[column] = value
        values.append(value)
    is_one = bool(row) and attribute(row[0], "gridSpan") == str(len(row))
    return values[:1] if is_one else values


def _depth(paragraph: Any) -> int:
    properties = child(paragraph, "pPr")
    level = "" if properties is None else attribute(properties, "lvl")
    return int(level) if level in tuple("012345678") else 0


def _has_bullet(shape: Any, paragraph: Any, kind: str | None) -> bool:
    """Has the paragraph a bullet or number: its own, or that of its placeholder?"""
    own = _bullet(child(paragraph, "pPr"))
    if own is not None:
        return own
    name = f"lvl{_depth(paragraph) + 1}pPr"
    body = child(shape._element, "txBody")
    own = None if body is None else _bullet(child(body, "lstStyle", name))
    if own is not None:
        return own
    if kind not in _BULLETED:
        return False
    layout = _layout_placeholder(shape)
    inherited = None if layout is None else _bullet(child(layout, "txBody", "lstStyle", name))
    return inherited is not False


def _bullet(properties: Any) -> bool | None:
    """Return whether properties give a bullet; None if they do not say."""
    tags = set() if properties is None else set(map(tag_of, properties))
    if "buNone" in tags:
        return False
    return True if tags & {"buChar", "buAutoNum", "buBlip"} else None


def _layout_placeholder(shape: Any) -> Any:
    """Return the element of the layout's placeholder that a placeholder takes its form from."""
    try:
        number = shape.placeholder_format.idx
        layout = shape.part.slide_layout
        found = (other for other in layout.placeholders if other.placeholder_format.idx == number)
        return next((other._element for other in found), None)
    except (AttributeError, KeyError, ValueError):
        return None
