"""Records in files of settings: YAML, TOML, INI, .properties, .env, .conf; line by line.

The path of a field is that of its parents: the keys it is indented under, its section, its block in
braces. A list under a key is a list with this path as its introduction. A comment above a field or
beside it is context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import Span, Unit, UnitKind
from rag.ingest.structure.lines import Line, split_lines
from rag.ingest.structure.records import Path, path_text
from rag.ingest.structure.settings_reader import SettingsReader

#: lines of one value
_MAX_VALUE_LINES = 200
_YAML_KEY = re.compile(
    r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s\"'#\[\]{}|>!%@`,:-][^:]*(?::(?=\S)[^:]*)*|-[^\s:]+)"
    r"\s*:(?=\s|$)"
)
_ASSIGNED = re.compile(
    r"(?:export\s+)?(?P<key>\"[^\"]*\"|'[^']*'|[^\W\d][\w.\-/ @\\:]{0,79}?)\s*(?P<sign>[=:])\s*"
)
_SECTION = re.compile(r"\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:[#;].*)?")
_BLOCK = re.compile(r"(?P<name>[^\s#;{}][^{};=]*?)\s*\{(?:(?P<body>[^{}]*)(?P<closed>\}))?")
_TAG = re.compile(r"<(?P<name>[^\s</>][^<>]*)>")
_DIRECTIVE = re.compile(r"(?P<key>[A-Za-z][\w.-]*)\s+(?P<value>[^\s{][^{]*?);?")
_DASHES = re.compile(r"(?:-\s+)+|-$")


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


class _YamlReader(SettingsReader):
    """YAML by its indentation."""

    has_tags = True

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


class _IniReader(SettingsReader):
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
