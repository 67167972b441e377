"""The lines of vCards and calendars: `NAME;PARAMETER=value:VALUE`, long ones folded.

A parser of its own: the libraries for them refuse files that real programs write, and bring time
zones and recurrences, which are not needed to show what the file says.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.ingest.formats.common import decode

#: characters of a value; a longer one is a picture or a sound
MAX_VALUE_CHARS = 100_000
_NAME = re.compile(r"(?:[\w-]{1,60}\.)?(?P<name>[A-Za-z][\w-]{0,60})(?=[;:])")
_PARAMETER = re.compile(
    r';(?P<name>[^=;:"]{0,60})(?:=(?P<value>(?:"[^"]{0,2000}"|[^";:]{0,2000})*))?'
)
_ESCAPE = re.compile(r"\\(.)", re.S)
_GROUP = re.compile(r"(?P<group>[\w-]{1,60})\.")


@dataclass(frozen=True, slots=True)
class ContentLine:
    """A property of a card or an entry. Names are in upper case."""

    name: str
    group: str  #: what several properties have in common ("item1"), or ""
    parameters: dict[str, str]
    raw: str  #: the value as it is escaped

    @property
    def text(self) -> str:
        """The value as a person reads it."""
        return _unescaped(self.raw).strip()

    def parts(self, divider: str) -> list[str]:
        """Return the parts of the value that an unescaped `divider` divides."""
        found = re.split(rf"(?<!\\){re.escape(divider)}", self.raw)
        return [_unescaped(part).strip() for part in found]

    def kinds(self) -> list[str]:
        """Return the types of a value ("home", "work"), in lower case."""
        return [kind for kind in self.parameters.get("TYPE", "").lower().split(",") if kind]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def content_lines(content: bytes) -> Iterator[ContentLine]:
    """Yield the properties in order; lines of another form are left out."""
    for line in _unfolded(decode(content)):
        name = _NAME.match(line)
        if name is None:
            continue
        at, parameters = name.end(), dict[str, str]()
        while match := _PARAMETER.match(line, at):
            key, value = match["name"].upper(), match["value"]
            if value is None:  # "TEL;WORK" of version 2.1
                key, value = ("ENCODING" if key in ("BASE64", "QUOTED-PRINTABLE") else "TYPE"), key
            value = value.replace('"', "")
            parameters[key] = f"{parameters[key]},{value}" if key in parameters else value
            at = match.end()
        if line[at : at + 1] != ":":
            continue
        group = _GROUP.match(line)
        value = line[at + 1 : at + 1 + MAX_VALUE_CHARS]
        if parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
            value = _quoted_printable(value, parameters.get("CHARSET", ""))
        yield ContentLine(name["name"].upper(), group["group"] if group else "", parameters, value)


def _unfolded(text: str) -> Iterator[str]:
    """Yield the lines with the folded ones joined: their rest begins with a blank, or after "="."""
    parts = list[str]()
    soft = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if parts and (soft or line[:1] in (" ", "\t")):
            parts.append(line if soft else line[1:])
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
        soft = line.endswith("=") and "QUOTED-PRINTABLE" in parts[0][:300].upper()
        if soft:
            parts[-1] = parts[-1][:-1]
    yield "".join(parts)


def _quoted_printable(value: str, charset: str) -> str:
    content = quopri.decodestring(value.encode("utf-8"))
    try:
        return content.decode(charset or "utf-8").replace("\r\n", "\n")
    except (LookupError, ValueError):
        return decode(content.replace(b"\0", b""))


def folded_blanks(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())
