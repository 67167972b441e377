"""Reads what `openpyxl` does not say of a workbook while it streams: merged and hidden cells.

A first pass over the XML of each sheet, without its values. Rows that a filter hides and rows and
columns that are folded in an outline are only out of view: they count as shown.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

from rag.errors import Unreadable

#: cells that the merged cells of a sheet may cover; of more, none is filled
_MAX_MERGED_CELLS = 1_000_000
#: columns of a merged cell that are filled
_MAX_MERGED_COLUMNS = 256
_MAX_COLUMNS = 16_384
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
#: bytes that are parsed at a time
_PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged cell: its rows and columns, from 1, inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Outline:
    """Merged and hidden parts of a sheet."""

    merged: list[Merged] = field(default_factory=list)  #: sorted by row
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    unsaved: int = 0  #: cells with a formula whose value was not saved
    is_filtered: bool = False


def outlines_of(archive: zipfile.ZipFile) -> dict[str, Outline]:
    """Return the outline of each sheet, by its name."""
    tables_filter = any(
        name.startswith("xl/tables/") and b"<filterColumn" in archive.read(name)
        for name in archive.namelist()
    )
    outlines = {}
    for title, part in _sheet_parts(archive):
        if part in archive.NameToInfo:
            outline = _Scan().read(archive, part)
            if outline.is_filtered or tables_filter:
                outline.hidden_rows.clear()
            outlines[title] = outline
    return outlines


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name of each sheet and of its part."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for node in book.iter():
        if node.tag.rpartition("}")[2] == "sheet":
            link = next((v for key, v in node.attrib.items() if key.endswith("}id")), "")
            target = targets.get(link, "")
            yield node.get("name", ""), posixpath.normpath(posixpath.join("xl", target)).lstrip("/")


class _Scan:
    """One pass over the elements of a sheet."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._outline = Outline()
        self._row = 0
        self._has_formula = self._has_value = False
        self._covered = 0

    def read(self, archive: zipfile.ZipFile, part: str) -> Outline:
        """Return the outline of the sheet in `part`."""
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            with archive.open(part) as file:
                while piece := file.read(_PIECE_BYTES):
                    parser.Parse(piece)
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Unreadable(
                f"is not a whole workbook: {part}: {error}", "open it in Excel and save it again"
            ) from error
        outline = self._outline
        if self._covered > _MAX_MERGED_CELLS:
            outline.merged.clear()
        outline.merged.sort(key=lambda merged: (merged.top, merged.left))
        return outline

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "c":
            self._has_formula = self._has_value = False
        elif tag == "f":
            self._has_formula = True
        elif tag == "v" and self._has_formula:
            self._parser.CharacterDataHandler = self._text
        elif tag == "row":
            self._row = _number(attributes.get("r")) or self._row + 1
            if _is_hidden(attributes):
                self._outline.hidden_rows.add(self._row)
        elif tag == "col" and _is_hidden(attributes):
            first, last = _number(attributes.get("min")), _number(attributes.get("max"))
            self._outline.hidden_columns.update(range(first, min(last, _MAX_COLUMNS) + 1))
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif tag == "filterColumn":
            self._outline.is_filtered = True

    def _text(self, text: str) -> None:
        """Note that the value of a formula is not empty."""
        self._has_value = True
        self._parser.CharacterDataHandler = None

    def _end(self, name: str) -> None:
        if self._has_formula and name.rpartition(" ")[2] == "c":
            self._outline.unsaved += not self._has_value
            self._has_formula = False
            self._parser.CharacterDataHandler = None

    def _merge(self, reference: str) -> None:
        match = _REFERENCE.fullmatch(reference)
        if not match or not match[3] or self._covered > _MAX_MERGED_CELLS:
            return
        left, right = _column(match[1]), _column(match[3])
        merged = Merged(
            int(match[2]), left, int(match[4]), min(right, left + _MAX_MERGED_COLUMNS - 1)
        )
        if merged.top <= merged.bottom and left <= right:
            self._covered += (merged.bottom - merged.top + 1) * (merged.right - left + 1)
            self._outline.merged.append(merged)


def _is_hidden(attributes: dict[str, str]) -> bool:
    """Is a row or column hidden, and not only folded in an outline?"""
    return attributes.get("hidden") in ("1", "true") and not _number(attributes.get("outlineLevel"))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 8 else 0


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number
