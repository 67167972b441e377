"""Records in files of settings: YAML, TOML, INI, .properties, .env, .conf; line by line.

The path of a field is that of its parents: the keys it is indented under, its section, its block in
braces. A list under a key is a list with this path as its introduction. A comment above a field or
beside it is context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line, split_lines
from rag.ingest.structure.records import (
    Path,
    Records,
    below,
    is_label,
    path_text,
    readable_name,
)
from rag.text.units import unit_order

#: lines of one value
_MAX_VALUE_LINES = 200
_MAX_COMMENT_CHARS = 160
_YAML_KEY = re.compile(
    r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s\"'#\[\]{}|>!%@`,:-][^:]*(?::(?=\S)[^:]*)*|-[^\s:]+)\s*:(?=\s|$)"
)
_ASSIGNED = re.compile(
    r"(?:export\s+)?(?P<key>\"[^\"]*\"|'[^']*'|[^\W\d][\w.\-/ @\\:]{0,79}?)\s*(?P<sign>[=:])\s*"
)
_SECTION = re.compile(r"\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:[#;].*)?")
_BLOCK = re.compile(r"(?P<name>[^\s#;{}][^{};=]*?)\s*\{(?:(?P<body>[^{}]*)(?P<closed>\}))?")
_TAG = re.compile(r"<(?P<name>[^\s</>][^<>]*)>")
_DIRECTIVE = re.compile(r"(?P<key>[A-Za-z][\w.-]*)\s+(?P<value>[^\s{][^{]*?);?")
_COMMENT = re.compile(r"(?:#|;|//|!)+\s?(.*)")
_BESIDE = {"#": re.compile(r"\s#"), ";": re.compile(r"\s[#;]")}
_DASHES = re.compile(r"(?:-\s+)+|-$")


class _Level(NamedTuple):
    """A key or an item that lines are indented under, or a block."""

    indent: int
    is_item: bool
    name: str
    number: int  #: of the level, counted in the file


def yaml_units(text: str) -> tuple[Unit, ...]:
    """Return the units of a text of YAML, sorted by place."""
    lines = split_lines(text)
    return settings_units(text, lines, 0, len(lines), "yaml")


def ini_units(text: str) -> tuple[Unit, ...]:
    """Return the units of TOML, INI, .properties or .env, sorted by place."""
    lines = split_lines(text)
    return settings_units(text, lines, 0, len(lines), "ini")


def conf_units(text: str) -> tuple[Unit, ...]:
    """Return the units of a configuration by lines `key value`, blocks in braces or INI."""
    lines = split_lines(text)
    return settings_units(text, lines, 0, len(lines), "conf")


def settings_units(
    text: str, lines: Sequence[Line], first: int, end: int, syntax: str, around: Path = ()
) -> tuple[Unit, ...]:
    """Return the units of lines `first` to `end`; `syntax` is "yaml", "ini" or "conf".

    `around` is what the settings belong to.
    """
    reader = _YamlReader if syntax == "yaml" else _IniReader
    found = reader(text, lines[first:end], around)
    found.allows_directives = syntax == "conf"
    return found.read()


class _Reader:
    """Reads lines one by one; `_read_line` of a syntax takes a line that is no comment."""

    allows_directives = False

    def __init__(self, text: str, lines: Sequence[Line], around: Path) -> None:
        self._text, self._lines, self._around = text, lines, around
        self._records = Records()
        self._levels = list[_Level]()
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
            elif comment and not (line.text[0] == "!" and isinstance(self, _YamlReader)):
                said = comment[1].strip("#-=*; ")
                self._above = f"{self._above} {said}".strip()[:_MAX_COMMENT_CHARS]
                self._records.end()
            else:
                self._read_line(line)
        self._finish()
        return tuple(sorted(self._records.units, key=unit_order))

    def _read_line(self, line: Line) -> None:
        raise NotImplementedError

    def _pause(self) -> None:
        """Take a blank line."""
        self._records.end()
        self._above = self._said = ""

    def _finish(self) -> None:
        self._records.end()

    def _path(self, levels: Sequence[_Level]) -> Path:
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
        self._levels.append(_Level(indent, is_item, name, next(self._numbers)))

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


class _YamlReader(_Reader):
    """YAML by its indentation."""

    def __init__(self, text: str, lines: Sequence[Line], around: Path) -> None:
        super().__init__(text, lines, around)
        self._items = list[Span]()  # of a list of scalars
        self._items_indent = -1
        self._key_indent = 0  # of the last field

    def _read_line(self, line: Line) -> None:
        if line.text in ("---", "..."):
            self._end_list()
            self._records.end()
            self._levels.clear()
            return
        dashes = _DASHES.match(line.text)
        if dashes:
            self._begin_items(line, dashes[0])
        column = line.indent + (dashes.end() if dashes else 0)
        start = line.at + (dashes.end() if dashes else 0)
        key = _YAML_KEY.match(self._text, start, line.span.end)
        if key is None:
            self._scalar(line, start, bool(dashes))
            return
        if not dashes:
            self._end_list()
            while self._levels and self._levels[-1].indent >= column:
                self._levels.pop()
        self._key_indent = column
        value, comment = self._value(line, key.end(), "#")
        body = value.of(self._text)
        if body[:1] in ("|", ">") and len(body) <= 4:
            value = self._block(column)
        elif body.startswith("&") and " " not in body:
            value = Span(value.start, value.start)
        if value.start < value.end:
            self._field(line, Span(*key.span("key")), value, comment)
        elif not body or body[0] in "&|>":
            self._open(column, key["key"].strip("\"'"), comment)

    def _begin_items(self, line: Line, dashes: str) -> None:
        """Begin an item for each dash, below the key that has the same indentation or less."""
        indent = line.indent
        while self._levels and (
            self._levels[-1].indent > indent
            or (self._levels[-1].indent == indent and self._levels[-1].is_item)
        ):
            self._levels.pop()
        if self._items and self._items_indent != indent:
            self._end_list()
        for found in re.finditer("-", dashes):
            self._open(indent + found.start(), "", is_item=True)

    def _scalar(self, line: Line, start: int, is_item: bool) -> None:
        """Take an item that is a scalar, or a line that goes on with the last value."""
        if is_item:
            value, _ = self._value(line, start, "#")
            if value.start < value.end:
                self._items.append(line.span)
                self._items_indent = line.indent
        elif line.indent > self._key_indent or line.text[0] in "]}":
            self._records.extend(line.span.end)

    def _block(self, column: int) -> Span:
        """Return the place of the lines that are indented more than `column`."""
        first = end = -1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.text and line.indent <= column:
                break
            if line.text:
                first, end = (line.at if first < 0 else first), line.span.end
            self._at += 1
        return Span(max(first, 0), max(end, 0))

    def _end_list(self) -> None:
        """End a list of scalars: a list under the path of its key, and its items."""
        if self._items:
            levels = [level for level in self._levels if not (level.is_item and not level.name)]
            context = path_text(self._path(levels))
            whole = Span(self._items[0].start, self._items[-1].end)
            if len(self._items) > 1:
                self._records.add(Unit(UnitKind.LIST, whole, context))
            for item in self._items:
                self._records.add(Unit(UnitKind.ITEM, item, context))
        self._items = []

    def _pause(self) -> None:
        if self._said:  # a comment holds for the fields up to the next blank line
            self._records.end()
        self._above = self._said = ""

    def _finish(self) -> None:
        self._end_list()
        super()._finish()


class _IniReader(_Reader):
    """Sections, `key = value`, `key: value`, and, where allowed, `key value` and blocks."""

    def _read_line(self, line: Line) -> None:
        if section := _SECTION.fullmatch(line.text):
            self._levels = []
            for part in section[1].replace('"', "").split(".")[:8]:
                self._open(0, part.strip())
            return
        if line.text[0] in "}" or line.text.startswith("</"):
            self._records.end()
            self._levels = self._levels[:-1]
            return
        if self.allows_directives and self._opens_block(line):
            return
        assigned = _ASSIGNED.match(line.text)
        if assigned and assigned.end() < len(line.text) and not self._is_indented_more(line):
            self._assigned(line, assigned)
        elif self.allows_directives and (said := _DIRECTIVE.fullmatch(line.text)):
            value, comment = self._value(line, line.at + said.start("value"), "#")
            self._field(line, self._place(line, said.span("key")), value, comment)
        elif line.indent and not self.allows_directives:
            self._records.extend(line.span.end)

    def _is_indented_more(self, line: Line) -> bool:
        before = self._lines[self._at - 2] if self._at > 1 else None
        return bool(before and before.text.endswith("\\"))

    def _opens_block(self, line: Line) -> bool:
        block = _BLOCK.fullmatch(line.text) or _TAG.fullmatch(line.text)
        if block is None or block["name"].startswith("/"):
            return False
        self._open(0, block["name"])
        if block.groupdict().get("closed"):
            if said := _DIRECTIVE.fullmatch((block["body"] or "").strip()):
                start = line.at + block.start("body")
                start += len(block["body"]) - len(block["body"].lstrip())
                key, value = (
                    Span(start + said.start(part), start + said.end(part))
                    for part in ("key", "value")
                )
                self._field(line, key, value, "")
            self._records.end()
            self._levels.pop()
        return True

    def _assigned(self, line: Line, found: re.Match[str]) -> None:
        value, comment = self._value(line, line.at + found.end(), ";")
        body = value.of(self._text)
        closing = {"[": "]", "{": "}"}.get(body[:1], "")
        quotes = body[:3] if body[:3] in ('"""', "'''") else ""
        if quotes and body.count(quotes) < 2:
            value = self._go_on(value, lambda text: quotes in text)
        elif closing and closing not in body:
            value = self._go_on(value, lambda text: text[:1] == closing or text[-1:] == closing)
        elif body.endswith("\\"):
            value = self._go_on(value, lambda text: not text.endswith("\\"))
        if value.start < value.end:
            self._field(line, self._place(line, found.span("key")), value, comment)

    def _go_on(self, value: Span, is_last: object) -> Span:
        """Return the place of a value that ends in a later line."""
        for number in range(self._at, min(len(self._lines), self._at + _MAX_VALUE_LINES)):
            line = self._lines[number]
            if is_last(line.text):  # type: ignore[operator]
                self._at = number + 1
                return Span(value.start, line.span.end)
        return value

    def _place(self, line: Line, span: tuple[int, int]) -> Span:
        return Span(line.at + span[0], line.at + span[1])
