"""OpenDocument texts (.odt) and presentations (.odp), as LibreOffice writes them.

A slide is a page under its title. Tracked changes are read as accepted. Notes, comments, headers
and footers stand at the end, as those of Word do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.ingest.formats.flow import Flow, Table, looks_like_form
from rag.ingest.formats.not_taken import Tally, blank_slides_said
from rag.ingest.formats.odf_parts import (
    SKIPPED,
    Note,
    ParagraphText,
    TableReader,
    is_one_column,
    open_odf,
    paragraph_text,
    read_frame,
)
from rag.ingest.formats.xml_parts import attribute, child, outermost, tag_of

_NOTE_TITLES = {"footnote": "Footnotes", "endnote": "Endnotes", "comment": "Comments"}
_CAPTION_STYLES = ("table", "caption", "illustration", "figure", "drawing")
_MARGINS = "header footer header-left footer-left header-first footer-first".split()
_SHAPES = ("custom-shape", "rect", "ellipse", "line", "polygon", "path", "caption", "connector")
#: placeholders of a slide that say where it is, not what it says
_FURNITURE = ("page-number", "footer", "date-time", "header")
_MAX_STYLE_BASES = 12


def read_odt(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield an OpenDocument text, and what it holds that is not taken in."""
    package = open_odf(content)
    reader = _Reader(package.content, package.styles)
    for body in outermost(package.content, ("text",), ("automatic-styles",)):
        reader.blocks(body)
    reader.notes()
    if package.styles is not None:
        reader.margins(package.styles)
    yield reader.flow.raw(package.title, package.date)
    yield from reader.tally.parts()


def read_odp(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield an OpenDocument presentation, its slides without text, and what is not taken in."""
    package = open_odf(content)
    reader = _Reader(package.content, package.styles)
    slides = outermost(package.content, ("page",), ("automatic-styles",))
    blank_slides = [number for number, slide in enumerate(slides, 1) if not reader.slide(slide)]
    reader.notes()
    yield reader.flow.raw(package.title, package.date)
    yield from blank_slides_said(blank_slides)
    yield from reader.tally.parts()


class _Reader:
    """Reads one file into a flow."""

    def __init__(self, content: Any, styles: Any) -> None:
        self.flow, self.tally = Flow(), Tally()
        self._tables = TableReader(self.flow.count_cells)
        self._notes: list[Note] = []
        self._footers = set[str]()
        self._parents = dict[str, str]()  #: style: what it is based on
        self._lists = 0
        for root in (content, styles):
            for style in () if root is None else outermost(root, ("style",)):
                name = attribute(style, "name")
                self._parents[name] = attribute(style, "parent-style-name")

    def blocks(self, parent: Any, depth: int = -1, key: str = "") -> None:
        """Read the paragraphs, lists and tables below `parent`.

        `depth` and `key` are those of the list around it. A list item begins with its first
        paragraph; further ones belong to it.
        """
        first = depth >= 0
        for node in parent:
            tag = tag_of(node)
            if tag == "h":
                self._paragraph(node, level=1 + max(1, _level(node)))
            elif tag == "p":
                self._paragraph(node, depth=depth if first else -1, key=key, indented=depth >= 0)
                first = False
            elif tag == "list":
                self._list(node, depth + 1, key)
            elif tag == "table":
                self._table(node)
            elif tag == "frame":
                self._hang(_frame(node))
            elif tag in ("table-of-content", "alphabetical-index", "illustration-index"):
                self._contents(node)
            elif tag not in SKIPPED and len(node):
                self.blocks(node)

    def _list(self, node: Any, depth: int, key: str) -> None:
        if depth == 0:
            self._lists += 1
            goes_on = attribute(node, "continue-numbering") == "true"
            key = str(self._lists - goes_on)
            self._lists -= goes_on
        for item in node:
            if tag_of(item) in ("list-item", "list-header"):
                self.blocks(item, depth, key)

    def _paragraph(
        self, node: Any, level: int = 0, depth: int = -1, key: str = "", indented: bool = False
    ) -> None:
        found = paragraph_text(node)
        styles = self._styles(node)
        if not level and "title" in styles:
            level = 1
        if depth >= 0 and not level and found.text.strip():
            self.flow.item(found.text, depth, key, numbered=True)
        else:
            is_caption = bool(styles & {*_CAPTION_STYLES})
            blank_heading = level and not found.text.strip()
            self.flow.paragraph(
                found.text, 0 if blank_heading else level, caption=is_caption, indented=indented
            )
        self._hang(found)

    def _styles(self, node: Any) -> set[str]:
        """Return the names of the styles of a paragraph, in small letters."""
        name, names = attribute(node, "style-name"), set[str]()
        while name and len(names) < _MAX_STYLE_BASES:
            names.add(name.lower())
            name = self._parents.get(name, "")
        return names

    def _hang(self, found: ParagraphText) -> None:
        """Read what hangs on a paragraph."""
        self._notes += found.notes
        for kind in found.not_taken:
            self.tally.add(kind)
        for description in found.descriptions:
            self.flow.paragraph(description)
        for box in found.boxes:
            self.blocks(box)

    def _contents(self, node: Any) -> None:
        for paragraph in outermost(node, ("p", "h"), SKIPPED):
            self.flow.paragraph(paragraph_text(paragraph).text, masked=True)

    def _table(self, table: Any) -> None:
        if is_one_column(table):
            for cell in outermost(table, ("table-cell",)):
                self.blocks(cell)
                self.flow.end_list()
            return
        rows, headers = self._tables.rows(table, self._cell_text)
        self.flow.table(Table(rows, headers or None, not headers and looks_like_form(rows)))

    def _cell_text(self, cell: Any) -> str:
        texts, todo = list[str](), [cell]
        while todo:
            node = todo.pop()
            if tag_of(node) in ("p", "h"):
                found = paragraph_text(node)
                texts += [found.text, *found.descriptions]
                self._notes += found.notes
                for kind in found.not_taken:
                    self.tally.add(kind)
                todo += found.boxes[::-1]
            elif tag_of(node) not in SKIPPED:
                todo += list(node)[::-1]
        return " ".join(" ".join(texts).split())

    def notes(self) -> None:
        """Read the footnotes, endnotes and comments that were met."""
        for kind, title in _NOTE_TITLES.items():
            begun = False
            for note in [note for note in self._notes if note.kind == kind]:
                text = _plain_text(note.element)
                if text and not begun:
                    self.flow.section(title)
                    begun = True
                author, place = _value(note.element, "creator"), note.place
                if kind == "comment":
                    day = _value(note.element, "date")[:10]
                    place = f"comment{f' of {day}' if day else ''}{f' on: {place}' * bool(place)}"
                self.flow.entry(author, text, place)

    def margins(self, styles: Any) -> None:
        """Read headers and footers."""
        margins = outermost(styles, _MARGINS)
        found = (node for margin in margins for node in outermost(margin, ("p", "h"), SKIPPED))
        self.flow.margins(paragraph_text(node).text for node in found)

    def slide(self, slide: Any) -> bool:
        """Read a slide. Returns whether it has text."""
        self.flow.page()
        start = self.flow.lines.length
        shapes = list(outermost(slide, ("frame", *_SHAPES), ("notes", "animations", "forms")))
        shapes.sort(key=lambda node: attribute(node, "class") != "title")
        for shape in shapes:
            self._shape(shape)
        notes = child(slide, "notes")
        frames = () if notes is None else outermost(notes, ("frame",))
        spoken = [_plain_text(frame) for frame in frames if attribute(frame, "class") == "notes"]
        if any(spoken):
            self.flow.paragraph(f"Notes: {' '.join(filter(None, spoken))}")
        has_text = self.flow.lines.length > start or self.flow.has_table_waiting
        self.flow.paragraph("")
        return has_text

    def _shape(self, shape: Any) -> None:
        kind = attribute(shape, "class")
        text = _plain_text(shape) if kind == "title" or kind in _FURNITURE else ""
        if text and kind == "title":
            self.flow.paragraph(text, 1)
        elif text:
            self.flow.paragraph(text, masked=kind == "page-number" or text in self._footers)
            self._footers.add(text)
        elif kind not in _FURNITURE:
            found = _frame(shape) if tag_of(shape) == "frame" else ParagraphText(boxes=[shape])
            self._hang(found)
        self.flow.end_list()


def _frame(frame: Any) -> ParagraphText:
    found = ParagraphText()
    read_frame(frame, found)
    return found


def _plain_text(node: Any) -> str:
    paragraphs = outermost(node, ("p", "h"), SKIPPED)
    return " ".join(" ".join(paragraph_text(part).text for part in paragraphs).split())


def _value(node: Any, name: str) -> str:
    found = child(node, name)
    return "" if found is None else (found.text or "").strip()


def _level(heading: Any) -> int:
    value = attribute(heading, "outline-level")
    return int(value) if value in tuple("123456789") else 1
