"""OpenDocument spreadsheets by `lxml`: each sheet under its name, values as the file shows them.

The file holds the text that each cell shows beside its value. Cells and rows may be stored once
and stated to repeat: how often is bounded. Hidden sheets, rows and columns are left out and said;
rows that a filter hides are read. Comments on cells are no part of a cell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.grid import MAX_COLUMNS, Filled, NumberedRow
from rag.ingest.formats.not_taken import NotTaken, Tally
from rag.ingest.formats.sheet_blocks import add_sheet
from rag.ingest.formats.sheet_hidden import HiddenParts
from rag.ingest.formats.zip_guard import open_package

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS = (_TABLE + "table-cell", _TABLE + "covered-table-cell")
_WATCHED = (
    _TABLE + "table",
    _TABLE + "table-column",
    _TABLE + "table-row",
    _STYLE + "style",
)
#: elements before which a word ends
_BREAKS = tuple(_TEXT + name for name in ("p", "h", "tab", "line-break"))
#: values that rows and cells may give by repeating
_MAX_REPEATED_VALUES = 2_000_000
_MAX_BLANKS = 1000
#: empty cells before a cell that do not count
_FREE_GAP = 100

#: what a workbook holds beside its cells; a chart is an embedded object
_BESIDE = {
    NotTaken.COMMENTS: re.compile(rb"<office:annotation[\s/>]"),
    NotTaken.OBJECTS: re.compile(rb"<draw:object[\s/>]"),
    NotTaken.PICTURES: re.compile(rb"<draw:image[\s>](?![^>]{0,300}ObjectReplacements)"),
}


def read_ods(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a spreadsheet, then a refused part for each kind of content that was left out."""
    with open_package(content) as archive:
        if "content.xml" not in archive.NameToInfo:
            raise Unreadable("is not a whole OpenDocument file", "save it again")
        title, date = _properties(
            archive.read("meta.xml") if "meta.xml" in archive.NameToInfo else b""
        )
        sheets = archive.read("content.xml")
    lines, hidden = LineBuilder(), HiddenParts()
    _Sheets(lines, hidden).read(sheets)
    yield lines.raw(title, date, lines=True)
    yield from hidden.parts()
    tally = Tally()
    for kind, pattern in _BESIDE.items():
        tally.add(kind, sum(1 for _ in pattern.finditer(sheets)))
    yield from tally.parts()


def _properties(meta: bytes) -> tuple[str, str | None]:
    """Return title and day of creation."""
    try:
        nodes = ElementTree.fromstring(meta).iter()  # noqa: S314
    except ElementTree.ParseError:
        return "", None
    found = {node.tag.rpartition("}")[2]: (node.text or "").strip() for node in nodes}
    day = re.match(r"\d{4}-\d{2}-\d{2}", found.get("creation-date") or found.get("date") or "")
    return found.get("title", ""), day[0] if day else None


class _Covering(NamedTuple):
    """A merged cell that goes on below: its text, columns and last row."""

    text: str
    left: int
    right: int
    bottom: int


class _Sheets:
    """Reads the sheets one after the other."""

    def __init__(self, lines: LineBuilder, hidden: HiddenParts) -> None:
        self._lines, self._hidden = lines, hidden
        self._invisible = set[str]()  #: styles of hidden sheets
        self._left = _MAX_REPEATED_VALUES

    def read(self, content: bytes) -> None:
        """Add all sheets."""
        from lxml import etree

        events = etree.iterparse(
            io.BytesIO(content),
            events=("start", "end"),
            tag=_WATCHED,
            resolve_entities=False,
            no_network=True,
        )
        for event, node in events:
            if event == "end" and node.tag == _STYLE + "style":
                if any(inner.get(_TABLE + "display") == "false" for inner in node):
                    self._invisible.add(node.get(_STYLE + "name", ""))
            elif event == "start" and node.tag == _TABLE + "table":
                name = node.get(_TABLE + "name", "")
                if node.get(_TABLE + "style-name") in self._invisible:
                    self._hidden.sheet(name)
                    _skip(events)
                    continue
                self._lines.add(name, 1)
                add_sheet(self._lines, self._rows(name, events))

    def _rows(self, sheet: str, events: Any) -> Iterator[NumberedRow]:
        """Yield the rows up to the end of the table that has begun."""
        number, columns, depth = 0, 0, 0
        hidden_columns = set[int]()
        merged = list[_Covering]()
        for event, node in events:
            if node.tag == _TABLE + "table":
                depth += 1 if event == "start" else -1
                if depth < 0:
                    return
            if event == "start" or depth:
                continue
            if node.tag == _TABLE + "table-column":
                count = min(_repeats(node, "number-columns-repeated"), MAX_COLUMNS)
                if node.get(_TABLE + "visibility") == "collapse" and columns < MAX_COLUMNS:
                    hidden_columns.update(range(columns, columns + count))
                columns += count
            elif node.tag == _TABLE + "table-row":
                repeats = _repeats(node, "number-rows-repeated")
                merged = [cell for cell in merged if cell.bottom > number]
                is_hidden = node.get(_TABLE + "visibility") == "collapse"
                values = self._values(node, number + 1, merged)
                _drop(node)
                if any(values):
                    self._take((repeats - 1) * len(values))
                    if is_hidden:
                        for n in range(repeats):
                            self._hidden.row(sheet, number + 1 + n)
                    else:
                        values = self._shown_columns(sheet, values, hidden_columns)
                        for n in range(repeats):
                            yield NumberedRow(number + 1 + n, values)
                number += repeats

    def _shown_columns(self, sheet: str, values: list[str], hidden: set[int]) -> list[str]:
        if not hidden:
            return values
        found = [n + 1 for n, value in enumerate(values) if value and n in hidden]
        self._hidden.columns(sheet, found)
        return [value for n, value in enumerate(values) if n not in hidden]

    def _values(self, row: Any, number: int, merged: list[_Covering]) -> list[str]:
        """Return the texts of a row's cells; `merged` gets the merged cells that begin in it."""
        values, gap = list[str](), 0
        for cell in row.iterchildren(*_CELLS):
            repeats = _repeats(cell, "number-columns-repeated")
            text = _cell_text(cell) if cell.tag == _CELLS[0] else ""
            if not text:
                gap += repeats
                continue
            self._take(max(0, gap - _FREE_GAP) + repeats - 1)
            values += [""] * min(gap, MAX_COLUMNS)
            gap = 0
            left = len(values)
            right = left + min(_repeats(cell, "number-columns-spanned"), MAX_COLUMNS)
            bottom = number + _repeats(cell, "number-rows-spanned") - 1
            if right > left + 1 or bottom > number:
                merged.append(_Covering(text, left, right, bottom))
            values += [text] * repeats
        if values:
            for cover in merged:
                self._take(cover.right - cover.left)
                values += [""] * (cover.right - len(values))
                values[cover.left] = cover.text
                values[cover.left + 1 : cover.right] = [Filled(cover.text)] * (
                    cover.right - cover.left - 1
                )
        return values

    def _take(self, count: int) -> None:
        """Count values that repeat. Raises `Unreadable` for too many."""
        self._left -= count
        if self._left < 0:
            raise Unreadable(
                f"repeats cells more than {_MAX_REPEATED_VALUES:,} times", "save it as .csv"
            )


def _repeats(node: Any, name: str) -> int:
    text = node.get(_TABLE + name) or "1"
    return max(1, int(text)) if text.isdecimal() and len(text) < 8 else 1


def _skip(events: Any) -> None:
    """Go on to the end of the table that has begun."""
    depth = 1
    for event, node in events:
        if node.tag == _TABLE + "table":
            depth += 1 if event == "start" else -1
            if not depth:
                return
        elif event == "end" and node.tag == _TABLE + "table-row":
            _drop(node)


def _drop(node: Any) -> None:
    """Free a row that was read."""
    node.clear()
    while node.getprevious() is not None:
        del node.getparent()[0]


def _cell_text(cell: Any) -> str:
    """Return the paragraphs of a cell, without comments on it."""
    out, todo = list[str](), list(cell.iterchildren(_TEXT + "p", _TEXT + "h"))[::-1]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            out.append(node)
        elif node.tag == _TEXT + "s":
            count = node.get(_TEXT + "c") or "1"
            out.append(" " * min(int(count) if count.isdecimal() else 1, _MAX_BLANKS))
        elif isinstance(node.tag, str) and node.tag != _OFFICE + "annotation":
            out += (" " if node.tag in _BREAKS else "", node.text or "")
            for inner in reversed(node):
                todo += (inner.tail or "", inner)
    return " ".join("".join(out).split())
