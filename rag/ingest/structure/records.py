"""Builds records from the fields of a file of settings or data, under the path of their parents.

Fields of one parent that follow each other are one record. A comment beside a field or above it is
context: it stands in the name or in the path, in parentheses, and in no value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.domain import Cell, Span, Unit, UnitKind

#: characters of a record; a longer one is divided between two fields
MAX_RECORD_CHARS = 500
#: characters of a value that is a cell; a longer one is text
MAX_VALUE_CHARS = 4000
#: cells of one document; what follows is text without units
MAX_CELLS = 600_000
#: names in a path; of a deeper one the last ones are kept
MAX_PATH_PARTS = 6
_MAX_LABEL_CHARS, _MAX_COMMENT_CHARS = 80, 160
#: last words of the names of fields that tell one thing from the others of its kind
_LABELS = frozenset("name title label id key code slug sku host hostname username email".split())
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")

Path = tuple[str, ...]


@lru_cache(maxsize=4096)
def readable_name(key: str, comment: str = "") -> str:
    """Return the name of a field with its words if it is written in one, and with its comment."""
    words = _CAMEL.sub(" ", key) if len(key) <= _MAX_LABEL_CHARS else key
    said = [part for part in (comment, "" if words == key else words.lower()) if part]
    return f"{key} ({'; '.join(said)[:_MAX_COMMENT_CHARS]})" if said else key


@lru_cache(maxsize=4096)
def is_label(name: str) -> bool:
    """Does a field of this name tell a thing from the others of its kind?"""
    words = _WORD.findall(_CAMEL.sub(" ", name[:_MAX_LABEL_CHARS]).lower())
    return bool(words) and len(words) <= 2 and words[-1] in _LABELS


def below(path: Path, name: str) -> Path:
    """Return the path with one more name."""
    name = " ".join(name.split())[:_MAX_LABEL_CHARS]
    return (*path, name)[-MAX_PATH_PARTS:] if name else path


def path_text(path: Sequence[str]) -> str:
    """Return a path as a context."""
    return " › ".join(dict.fromkeys(part for part in path if part))


class Records:
    """Collects fields, and makes a record of those of one parent."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._cells: list[Cell] = []
        self._key: object = None
        self._path: Path = ()
        self._start = self._end = 0
        self._count = 0

    @property
    def full(self) -> bool:
        """Has the document as many cells as it may have?"""
        return self._count >= MAX_CELLS

    def field(self, key: object, path: Path, cell: Cell, span: Span) -> None:
        """Add a field at `span`. Its record is that of the last field if `key` is the same."""
        if span.end - span.start > MAX_VALUE_CHARS or self.full:
            self.end()
            return
        if key != self._key or span.end - self._start > MAX_RECORD_CHARS:
            self.end()
        if not self._cells:
            self._key, self._path, self._start = key, path, span.start
        self._cells.append(cell)
        self._end = span.end
        self._count += 1

    def extend(self, end: int) -> None:
        """Let the value of the last field go on to `end`."""
        if self._cells and end - self._cells[-1].span.start <= MAX_VALUE_CHARS:
            last = self._cells[-1]
            self._cells[-1] = Cell(last.header, Span(last.span.start, end), last.name)
            self._end = end

    def end(self, around: Span | None = None) -> None:
        """End the record; it takes up `around` if that is no more than a record may have."""
        if self._cells:
            span = Span(self._start, self._end)
            if around and around.end - around.start <= MAX_RECORD_CHARS and span.within(around):
                span = around
            context = path_text(self._path)
            self.units.append(Unit(UnitKind.RECORD, span, context, tuple(self._cells)))
        self._cells, self._key = [], None

    def add(self, unit: Unit) -> None:
        """Add another unit."""
        self.units.append(unit)
        self._count += 1
