"""Units of source code: definitions with what is said of them, and settings.

A definition is an entry: the comment above it, its first lines, the docstring, and the body if that
is short. A constant that is given a literal is an entry too; the comment beside or above it is
context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line, split_lines
from rag.ingest.structure.records import MAX_CELLS, below, path_text, readable_name
from rag.text.units import unit_order

#: characters of a definition that is one unit with its body
_MAX_BODY_CHARS = 600
#: characters of a line that is read for a definition or a setting
_MAX_LINE_CHARS = 300
_MAX_COMMENT_CHARS = 160
_WORDS = (
    "export default declare public private protected internal static abstract final async pub "
    "sealed data open override virtual inline const constexpr extern unsafe readonly local let var "
    "val my our mut define"
).split()
_MODIFIERS = rf"(?:(?:{'|'.join(_WORDS)})[ \t]+)*"
_KEYWORD_DEFINITION = re.compile(
    rf"{_MODIFIERS}(?P<keyword>class|def|func|fn|function|fun|interface|struct|trait|enum|module|"
    r"namespace|type|impl|object|record|sub|macro_rules!|procedure)\b\*?[ \t]*(?:\([^()]*\)[ \t]*)?"
    r"(?P<name>[A-Za-z_$][\w$.:]*[?!]?)"
)
_ARROW = re.compile(
    r"(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<name>[A-Za-z_$][\w$]*)[ \t]*=[ \t]*"
    r"(?:async[ \t]*)?(?:function\b|\([^()]*\)[ \t]*(?::[^=]+)?=>|[A-Za-z_$][\w$]*[ \t]*=>)"
)
_C_LIKE = re.compile(
    r"(?!return\b|else\b|new\b|throw\b|case\b|if\b|for\b|while\b|switch\b|using\b|goto\b)"
    r"[A-Za-z_][\w:<>,.\[\]]*(?:[ \t]+[*&]*[A-Za-z_][\w:<>,.\[\]]*){0,6}[ \t]+[*&]*"
    r"(?P<name>[A-Za-z_~][\w:~]*)\([^;(){}]*\)[^;(){}=]*\{?"
)
_SETTING = re.compile(
    rf"(?:#[ \t]*define[ \t]+(?P<macro>[A-Za-z_]\w*)[ \t]+|"
    rf"{_MODIFIERS}(?:[A-Za-z_][\w:<>,.\[\]?]*[ \t]+[*&]?){{0,3}}?[$@]?"
    r"(?P<key>[A-Za-z_][\w.\-]*|\"[^\"]{1,80}\"|'[^']{1,80}')"
    r"[ \t]*(?::[ \t]*[A-Za-z_&'][\w.\[\], |<>&']{0,40}?[ \t]*)?"
    r"(?:[?:]?=(?![=>])|:(?![:=])|=>)[ \t]*)"
    r"(?P<value>\S.*)"
)
_LITERAL = re.compile(
    r"[-+]?(?:\d|\.\d)[\w.,]*(?:[ \t]*[-+*/][ \t]*\d[\w.]*)*|"
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|"
    r"[rbfuRBFUL]\"(?:[^\"\\]|\\.)*\"|[rbfuRBFU]'(?:[^'\\]|\\.)*'|"
    r"(?:true|false|null|nil|none|undefined)\b|[\[({][^\[\](){}]*[\])}]|:\w+",
    re.I,
)
_FUNCTIONS = frozenset("def func fn fun function sub procedure macro_rules!".split())
_CONSTANT = re.compile(r"[A-Z][A-Z\d_]{2,}")
_BESIDE = re.compile(r"(?:#|//|--|;;|/\*)\s*(?P<said>.*?)\s*(?:\*/)?")
_COMMENT = re.compile(
    r"(?:#+(?!\s*define\b|\s*include\b|!)|//[/!]?|--+|;;+|/\*+!?|\*+/?|%+)\s?(.*)"
)
_DOCSTRING = re.compile(r"[rRuU]?(\"\"\"|''')")
_RETURN = re.compile(r"(?P<word>return)\b[ \t]*(?P<value>[^\s;].*?);?")
_DECORATOR = re.compile(r"@[\w.]+|#\[|\[[A-Z]")


class _Open(NamedTuple):
    """A definition whose end is not reached."""

    indent: int
    name: str
    cell: Cell
    start: int  #: of its comment, else of its first line
    head_end: int  #: of its first line, or of its docstring
    depth: tuple[str, ...]  #: the signatures around it
    signature: str
    is_function: bool
    has_inner: bool = False
    returned: Cell | None = None  #: what its last `return` gives


def code_units(text: str) -> tuple[Unit, ...]:
    """Return the units of source code, sorted by place."""
    lines = split_lines(text)
    return tuple(_CodeReader(text, lines).read())


class _CodeReader:
    """Reads source code line by line; indentation says where a definition ends."""

    def __init__(self, text: str, lines: Sequence[Line]) -> None:
        self._text, self._lines = text, lines
        self._open = list[_Open]()
        self._units = list[Unit]()
        self._comment: tuple[int, str] | None = None  # start and words of the comment above
        self._last_end = 0  # of the last line with text

    def read(self) -> list[Unit]:
        """Return the units of all lines."""
        number = 0
        while number < len(self._lines) and len(self._units) < MAX_CELLS:
            line = self._lines[number]
            if not line.text:
                self._comment = None
                number += 1
                continue
            closes = line.text[0] in "})" or line.text in ("end", "fi", "done")
            self._end_definitions(line.indent + closes)
            number = self._read_line(number, line)
            self._last_end = line.span.end
        self._end_definitions(-1)
        return sorted(self._units, key=unit_order)

    def _read_line(self, number: int, line: Line) -> int:
        """Read a line; returns the number of the next one."""
        if self._take_comment(number, line):
            return number + 1
        short = len(line.text) <= _MAX_LINE_CHARS
        if _DECORATOR.match(line.text):
            self._comment = self._comment or (line.at, "")
            return number + 1
        found = _definition(line.text) if short else None
        if found:
            return self._begin(number, line, found)
        if short and self._open and (returned := _RETURN.fullmatch(line.text)):
            word, value = (
                Span(line.at + returned.start(part), line.at + returned.end(part))
                for part in ("word", "value")
            )
            cell = Cell("returns", value, word)
            self._open[-1] = self._open[-1]._replace(returned=cell)
        elif short and (setting := _SETTING.fullmatch(line.text)):
            self._add_setting(line, setting)
        self._comment = None
        return number + 1

    def _take_comment(self, number: int, line: Line) -> bool:
        comment = _COMMENT.match(line.text)
        if comment is None:
            return False
        if line.text[0] in "%*" and self._comment is None:
            return False
        start, said = self._comment or (line.at, "")
        said = f"{said} {comment[1].strip('*/#-= ')}".strip()
        self._comment = start, said[:_MAX_COMMENT_CHARS]
        return True

    # -- definitions

    def _begin(self, number: int, line: Line, found: re.Match[str]) -> int:
        """Begin a definition; its docstring is read at once."""
        signature, last = self._signature(number)
        docstring, after = self._docstring(last + 1)
        start = self._comment[0] if self._comment else line.at
        name = Span(line.at + found.start("name"), line.at + found.end("name"))
        head_end = docstring.end if docstring else self._lines[last].span.end
        value = docstring or Span(line.at, self._lines[last].span.end)
        keyword = found.groupdict().get("keyword") or "function"
        is_function = keyword in _FUNCTIONS
        header = readable_name(found["name"], "function" if is_function else keyword)
        if self._open:
            self._open[-1] = self._open[-1]._replace(has_inner=True)
        around = tuple(other.signature for other in self._open)
        self._open.append(
            _Open(
                line.indent,
                found["name"],
                Cell(header, value, name),
                start,
                head_end,
                around[-4:],
                signature,
                is_function,
            )
        )
        self._comment = None
        return after if docstring else last + 1

    def _signature(self, number: int) -> tuple[str, int]:
        """Return the signature that begins at line `number`, and the number of its last line."""
        parts, last = [self._lines[number].text], number
        while parts[-1].count("(") + "".join(parts[:-1]).count("(") > "".join(parts).count(")"):
            last += 1
            if last >= len(self._lines) or last - number > 8 or not self._lines[last].text:
                return parts[0].rstrip("{(: ")[:80], number
            parts.append(self._lines[last].text)
        return " ".join(parts).rstrip("{: ")[:80], last

    def _docstring(self, number: int) -> tuple[Span | None, int]:
        """Return the place of the docstring at line `number`, and the number of the line after."""
        line = self._lines[number] if number < len(self._lines) else None
        found = _DOCSTRING.match(line.text) if line else None
        if line is None or found is None:
            return None, number
        end = self._text.find(found[1], line.at + found.end(), line.at + 2 * _MAX_BODY_CHARS)
        if end < 0:
            return None, number
        last = number
        while self._lines[last].end < end:
            last += 1
        return Span(line.at, end + 3), last + 1

    def _end_definitions(self, indent: int) -> None:
        """End the definitions that a line of this indentation is not in."""
        while self._open and self._open[-1].indent >= indent:
            done = self._open.pop()
            end = self._last_end
            if done.returned and not done.has_inner and end - done.start <= _MAX_BODY_CHARS:
                name = done.cell.name or done.cell.span
                cells = (Cell("function", name, name), done.returned)
                span = Span(name.start, done.returned.span.end)
                self._units.append(Unit(UnitKind.RECORD, span, path_text(done.depth), cells))
            if done.has_inner or end - done.start > _MAX_BODY_CHARS:
                end = min(done.head_end, done.start + 2 * _MAX_BODY_CHARS)
            end = max(end, done.cell.span.end)
            context = path_text(done.depth)
            self._units.append(Unit(UnitKind.ENTRY, Span(done.start, end), context, (done.cell,)))

    # -- settings

    def _add_setting(self, line: Line, found: re.Match[str]) -> None:
        name = found["key"] or found["macro"]
        group = "key" if found["key"] else "macro"
        value, beside = _literal(
            found["value"], bool(_CONSTANT.fullmatch(name)) or not found["key"]
        )
        if not value or name in ("default", "case", "else", "return"):
            return
        local = bool(self._open) and self._open[-1].is_function
        if local and not beside and not _CONSTANT.fullmatch(name):
            return  # a variable
        start = line.at + found.start("value")
        path = tuple(other.signature for other in self._open)
        above = self._comment[1] if self._comment else ""
        for said in (above, beside):
            path = below(path, said)
        place = Span(line.at + found.start(group), line.at + found.end(group))
        cell = Cell(readable_name(name.strip("\"'")), Span(start, start + len(value)), place)
        self._units.append(Unit(UnitKind.ENTRY, line.span, path_text(path), (cell,)))


def _definition(line: str) -> re.Match[str] | None:
    """Return the definition that a line begins."""
    found = _KEYWORD_DEFINITION.match(line) or _ARROW.match(line)
    if found:
        return (
            None
            if found.groupdict().get("keyword") == "type" and "=" not in line and "{" not in line
            else found
        )
    return _C_LIKE.fullmatch(line) if "(" in line else None


def _literal(rest: str, is_constant: bool) -> tuple[str, str]:
    """Return the value that `rest` of a line gives, and the comment beside it, "" for none."""
    literal = _LITERAL.match(rest)
    end = literal.end() if literal else 0
    after = rest[end:].strip()
    if literal and (not after or after[0] in ",;#/-" or is_constant):
        value = literal[0].rstrip(" ,;")
        if not after.strip(",;)") or _BESIDE.match(after.lstrip(",; )")):
            said = _BESIDE.fullmatch(after.lstrip(",;) "))
            return value, said["said"][:_MAX_COMMENT_CHARS] if said else ""
    if not is_constant:
        return "", ""
    parts = re.split(r"\s(?:#|//|--)\s?", rest, maxsplit=1)
    return parts[0].rstrip(" ,;"), parts[1].strip() if len(parts) > 1 else ""
