"""Reads settings line by line: comments, levels, and the fields of the present level."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from rag.domain import Cell, Span, Unit
from rag.ingest.structure.lines import Line
from rag.ingest.structure.records import Path, Records, below, is_label, readable_name
from rag.text.units import unit_order

_MAX_COMMENT_CHARS = 160
_COMMENT = re.compile(r"(?:#|;|//|!)+\s?(.*)")
_BESIDE = {"#": re.compile(r"\s#"), ";": re.compile(r"\s[#;]")}


class Level(NamedTuple):
    """A key or an item that lines are indented under, or a block."""

    indent: int
    is_item: bool
    name: str
    number: int  #: of the level, counted in the file


class SettingsReader(ABC):
    """Reads lines one by one; `_read_line` of a syntax takes a line that is no comment."""

    allows_directives = False  #: may a field have no sign between name and value?
    has_tags = False  #: may a value begin with "!"?

    def __init__(self, text: str, lines: Sequence[Line], around: Path) -> None:
        self._text, self._lines, self._around = text, lines, around
        self._records = Records()
        self._levels = list[Level]()
        self._numbers = count(1)
        self._above = ""  # the comment above
        self._said = ""  # the comment above the record
        self._at = 0

    def read(self) -> tuple[Unit, ...]:
        """Return all units."""
        while self._at < len(self._lines) and not self._records.full:
            line = self._lines[self._at]
            self._at += 1
            comment = _COMMENT.match(line.text)
            if not line.text:
                self._pause()
            elif comment and not (line.text[0] == "!" and self.has_tags):
                said = comment[1].strip("#-=*; ")
                self._above = f"{self._above} {said}".strip()[:_MAX_COMMENT_CHARS]
                self._records.end()
            else:
                self._read_line(line)
        self._finish()
        return tuple(sorted(self._records.units, key=unit_order))

    @abstractmethod
    def _read_line(self, line: Line) -> None:
        """Take a line that is neither blank nor a comment."""

    def _pause(self) -> None:
        """Take a blank line."""
        self._records.end()
        self._above = self._said = ""

    def _finish(self) -> None:
        self._records.end()

    def _path(self, levels: Sequence[Level]) -> Path:
        path = self._around
        for level in levels:
            path = below(path, level.name)
        return path

    def _field(self, line: Line, key: Span, value: Span, comment: str) -> None:
        """Add a field of the present levels."""
        name = self._text[key.start : key.end].strip("\"'")
        number = self._levels[-1].number if self._levels else 0
        if self._above:
            self._said, self._above = self._above, ""
            self._records.end()
        own = self._levels[:-1] if self._is_own_item() else self._levels
        path = self._path(own)
        if is_label(name) and self._levels and self._levels[-1].is_item:
            self._label(value.of(self._text))
        cell = Cell(readable_name(name, comment), value, key)
        key_number = (number, self._said)
        self._records.field(
            key_number,
            (*path, self._said) if self._said else path,
            cell,
            Span(key.start, max(value.end, line.span.end)),
        )

    def _is_own_item(self) -> bool:
        """Is the last level an item, whose label its own record says itself?"""
        return bool(self._levels) and self._levels[-1].is_item

    def _label(self, name: str) -> None:
        last = self._levels[-1]
        if not last.name:
            self._levels[-1] = last._replace(name=" ".join(name.split())[:80])

    def _open(self, indent: int, name: str, comment: str = "", *, is_item: bool = False) -> None:
        """Begin a level; the comment above it is said with its name."""
        said = "; ".join(part for part in (self._above, comment) if part)
        self._above = self._said = ""
        self._records.end()
        name = f"{name} ({said[:_MAX_COMMENT_CHARS]})" if said and name else name
        self._levels.append(Level(indent, is_item, name, next(self._numbers)))

    def _value(self, line: Line, start: int, marks: str) -> tuple[Span, str]:
        """Return the place of the value that begins at `start`, and the comment beside it."""
        rest = self._text[start : line.span.end]
        start += len(rest) - len(rest.lstrip())
        rest = rest.strip()
        end, comment = len(rest), ""
        quote = rest[:1] if rest[:1] in ('"', "'") else ""
        closed = rest.find(quote, 1) if quote else -1
        if marks and (beside := _BESIDE[marks].search(rest, max(0, closed))):
            end = beside.start()
            comment = rest[end:].strip(" \t#;")
        value = rest[:end].rstrip(" \t,;" if self.allows_directives else " \t")
        if quote and len(value) > 1 and value.endswith(quote) and value.count(quote) == 2:
            return Span(start + 1, start + len(value) - 1), comment
        return Span(start, start + len(value)), comment
