"""The front matter of Markdown: YAML between lines of ---, or TOML between lines of +++.

It is one record of the document: author, date, tags. A list in it is one value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.domain import Cell, Span, Unit
from rag.ingest.structure.records import Records, readable_name

_BLOCK = re.compile(
    r"(?P<rule>---|\+\+\+)[ \t]*\r?\n(?=[ \t]*(?:#[^\n]*\n[ \t]*)?[\w\"'-]+[ \t]*[:=])(?P<body>.*?)"
    r"\r?\n(?P=rule)[ \t]*\r?(?:\n|$)",
    re.S,
)
_FIELD = re.compile(
    r"(?P<key>[^\W\d_][\w .-]{0,60}?|\"[^\"\n]{1,60}\")[ \t]*(?P<sign>[:=])(?=[ \t\r]|$|(?<==))"
    r"[ \t]*(?P<value>[^\r\n]*)"
)
#: characters of a front matter
_MAX_CHARS = 2**16
_COMMENT = re.compile(r"\s#")
_PAIRS = {"[": "]", '"': '"', "'": "'"}
_WORDS = ("|", ">", "|-", ">-", "|+", ">+")


class FrontMatter(NamedTuple):
    """The front matter of a text."""

    end: int  #: where the text behind it begins
    record: tuple[Unit, ...]  #: one, or several if it is long
    values: dict[str, str]  #: by the name of their field in lower case


def find_front_matter(text: str) -> FrontMatter | None:
    """Return the front matter that `text` begins with, or None."""
    found = _BLOCK.match(text, 0, _MAX_CHARS)
    if found is None:
        return None
    fields = _fields(text, found)
    if not fields:
        return None
    records = Records()
    values = dict[str, str]()
    for name, key, value in fields:
        inner = _inside(text, value)
        if inner.start < inner.end:
            records.field(0, (), Cell(readable_name(name), inner, key), Span(key.start, value.end))
            values.setdefault(name.lower(), inner.of(text))
    records.end()
    return FrontMatter(found.end(), tuple(records.units), values)


def _fields(text: str, block: re.Match[str]) -> list[tuple[str, Span, Span]]:
    """Return name, its place and the place of the value; lines that go on belong to the value."""
    sign = ":" if block["rule"] == "---" else "="
    fields, section = list[tuple[str, Span, Span]](), ""
    start = block.start("body")
    for line in block["body"].split("\n"):
        found = _FIELD.match(line)
        if found and found["sign"] == sign:
            value = Span(start + found.start("value"), start + len(line.rstrip()))
            if value.start > value.end or found["value"].strip() in _WORDS:
                value = Span(value.end, value.end)
            name = found["key"].strip().strip('"')
            key = Span(start + found.start("key"), start + found.end("key"))
            fields.append((f"{section} / {name}" if section else name, key, value))
        elif sign == "=" and (head := re.fullmatch(r"\[+([^\[\]]+)\]+\s*", line)):
            section = head[1].strip()
        elif fields and line.strip() and not line.lstrip().startswith("#"):
            name, key, value = fields[-1]
            first = start + len(line) - len(line.lstrip())
            begin = value.start if value.start < value.end else first
            fields[-1] = name, key, Span(begin, start + len(line.rstrip()))
        start += len(line) + 1
    return fields


def _inside(text: str, value: Span) -> Span:
    """Return the place of a value without its quotation marks, brackets and comment."""
    body = value.of(text)
    closing = _PAIRS.get(body[:1], "")
    if "\n" not in body and (comment := _COMMENT.search(body, max(body.find(closing, 1), 0))):
        body = body[: comment.start()].rstrip()
    if closing and len(body) > 1 and body.endswith(closing):
        inner = body[1:-1]
        start = value.start + 1 + len(inner) - len(inner.lstrip())
        return Span(start, max(start, value.start + 1 + len(inner.rstrip())))
    return Span(value.start, value.start + len(body))
