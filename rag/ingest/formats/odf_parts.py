"""The parts of an OpenDocument file: its properties, the text of a paragraph, the rows of a table.

By `lxml` on content.xml, because the one library for it is far slower and keeps more in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rag.errors import Unreadable
from rag.ingest.formats.flow import last_sentence
from rag.ingest.formats.not_taken import NotTaken, says_something
from rag.ingest.formats.xml_parts import attribute, outermost, parse_part, tag_of
from rag.ingest.formats.zip_guard import open_package

#: elements whose text is not shown, or stands elsewhere
SKIPPED = frozenset(
    "tracked-changes deletion sequence-decls variable-decls user-field-decls forms hidden-text "
    "hidden-paragraph note-citation ruby-text desc title event-listeners script".split()
)
_BREAKS = {"tab": "\t", "line-break": "\n"}
_CELLS = ("table-cell", "covered-table-cell")
#: blanks that one element may stand for
_MAX_BLANKS = 1000
#: columns and rows that a cell may reach over, or that an element may stand for
_MAX_REPEATED = 1000


@dataclass(frozen=True, slots=True)
class Package:
    """What an OpenDocument file holds. `styles` is None if that part is missing."""

    content: Any
    styles: Any
    title: str
    date: str | None


def open_odf(content: bytes) -> Package:
    """Open a file. Raises `Unreadable` for one that is encrypted or of another kind."""
    with open_package(content) as archive:
        names = archive.namelist()
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read(
            "META-INF/manifest.xml"
        ):
            raise Unreadable("is encrypted with a password", "save it without a password")
        if "content.xml" not in names:
            raise Unreadable(
                "has no content.xml, so it is no OpenDocument file",
                "open it in its own program and save it again",
            )
        styles = parse_part(archive.read("styles.xml")) if "styles.xml" in names else None
        meta = parse_part(archive.read("meta.xml")) if "meta.xml" in names else ()
        title, date = _properties(meta)
        return Package(parse_part(archive.read("content.xml")), styles, title, date)


def _properties(meta: Any) -> tuple[str, str | None]:
    found = dict[str, str]()
    for part in meta:
        for node in part:
            found.setdefault(tag_of(node), (node.text or "").strip())
    day = re.match(r"\d{4}-\d{2}-\d{2}", found.get("creation-date") or found.get("date") or "")
    return found.get("title", ""), day[0] if day else None


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote, endnote or comment, and the words that it belongs to."""

    kind: str  #: "footnote", "endnote" or "comment"
    element: Any
    place: str


@dataclass(slots=True)
class ParagraphText:
    """The text of a paragraph with its line breaks, and what hangs on it."""

    text: str = ""
    boxes: list[Any] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)  #: of pictures
    not_taken: list[NotTaken] = field(default_factory=list)


def paragraph_text(paragraph: Any) -> ParagraphText:
    """Return what a paragraph holds. What is in text boxes and notes is not in its text."""
    found, out = ParagraphText(), list[str]()
    todo: list[Any] = [*_parts(paragraph)]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        tag = tag_of(node)
        if tag == "s":
            out.append(" " * min(_number(node, "c"), _MAX_BLANKS))
        elif tag in _BREAKS:
            out.append(_BREAKS[tag])
        elif tag in ("note", "annotation"):
            kind = attribute(node, "note-class") if tag == "note" else "comment"
            found.notes.append(Note(kind or "footnote", node, last_sentence(out)))
        elif tag == "frame":
            read_frame(node, found)
        elif tag in ("custom-shape", "rect", "ellipse", "g"):
            found.boxes.append(node)
        elif tag not in SKIPPED:
            todo += _parts(node)
    found.text = re.sub(r"[^\S\t\n\xa0]+", " ", "".join(out))
    return found


def _parts(node: Any) -> list[Any]:
    """Return the strings and elements in an element, the last one first.

    A line break in the XML is a blank.
    """
    parts = list[Any]()
    if node.text:
        parts.append(node.text.replace("\n", " ").replace("\t", " "))
    for inner in node:
        parts.append(inner)
        if inner.tail:
            parts.append(inner.tail.replace("\n", " ").replace("\t", " "))
    return parts[::-1]


def read_frame(frame: Any, found: ParagraphText) -> None:
    """Add the boxes and pictures of a frame, and what is not taken in."""
    inner = {tag_of(node): node for node in reversed(frame)}
    description = " ".join(
        (inner[name].text or "") for name in ("title", "desc") if name in inner
    ).strip()
    if "text-box" in inner:
        found.boxes.append(inner["text-box"])
    elif "table" in inner:
        found.boxes.append(frame)
    elif "object" in inner or "object-ole" in inner:
        found.not_taken.append(NotTaken.OBJECTS)
    elif "plugin" in inner:
        found.not_taken.append(NotTaken.SOUNDS)
    elif "image" in inner:
        if says_something(description):
            found.descriptions.append(description)
        else:
            found.not_taken.append(NotTaken.PICTURES)


def _number(node: Any, name: str) -> int:
    value = attribute(node, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 1


class TableReader:
    """Reads tables of one file. `count` is told how many cells are made."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count

    def rows(self, table: Any, text: Callable[[Any], str]) -> tuple[list[list[str]], int]:
        """Return the rows, merged cells filled, and how many of them are headers.

        `text` returns the text of a cell.
        """
        values, headers = list[list[str]](), 0
        above = dict[int, tuple[int, str]]()
        for row, is_header in _table_rows(table):
            found = self._row(row, above, text)
            repeated = min(_number(row, "number-rows-repeated"), _MAX_REPEATED) if any(found) else 1
            self._count(len(found) * (repeated - 1))
            values += [found] * repeated
            headers += is_header
        return values, headers

    def _row(
        self, row: Any, above: dict[int, tuple[int, str]], text: Callable[[Any], str]
    ) -> list[str]:
        """Return the values of a row. `above` has rows that are left and values that reach down."""
        values, beside, cells = list[str](), dict[int, str](), 0
        for cell in row:
            tag, column = tag_of(cell), len(values)
            repeated = min(_number(cell, "number-columns-repeated"), _MAX_REPEATED)
            if tag == "covered-table-cell":
                for at in range(column, column + repeated):
                    left, value = above.get(at, (0, ""))
                    above[at] = left - 1, value
                    values.append(beside.get(at, value if left > 0 else ""))
            elif tag == "table-cell":
                cells += 1
                value = text(cell)
                values += [value] * repeated
                across = min(_number(cell, "number-columns-spanned"), _MAX_REPEATED)
                down = _number(cell, "number-rows-spanned") - 1
                for at in range(column, column + max(across, repeated)):
                    above[at] = down, value
                    if at > column:
                        beside[at] = value
                self._count(across)
            self._count(repeated)
        while values and not values[-1]:
            values.pop()
        return values[:1] if cells == 1 and len({*values}) == 1 else values


def is_one_column(table: Any) -> bool:
    """Has a table one column, as one that only places text has?"""
    return all(
        sum(_number(cell, "number-columns-repeated") for cell in row if tag_of(cell) in _CELLS) < 2
        for row, _ in _table_rows(table)
    )


def _table_rows(table: Any) -> list[tuple[Any, bool]]:
    """Return the rows of a table and whether each is a header."""
    rows = list[tuple[Any, bool]]()
    for part in outermost(table, ("table-row", "table-header-rows"), ("shapes",)):
        if tag_of(part) == "table-row":
            rows.append((part, False))
        else:
            rows += [(row, True) for row in outermost(part, ("table-row",))]
    return rows
