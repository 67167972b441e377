"""Records in JSON: the scalar fields of each object, at their places in the file.

The text is cut into signs and values by one pattern and read with a stack, so that the places are
those of the file, a file of one long line is no other than one of many, and what is broken or has
comments is read as far as it can be.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from rag.domain import Cell, Span, Unit
from rag.ingest.structure.records import (
    MAX_VALUE_CHARS,
    Path,
    Records,
    below,
    is_label,
    readable_name,
)
from rag.text.units import unit_order

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"?'
    r"|[{}\[\]:,]"
    r"|//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
    r'|[^\s{}\[\]:,"/]+|/',
    re.S,
)
_MAX_LABEL_CHARS = 60


@dataclass(slots=True)
class _Frame:
    """An object or array that is open."""

    start: int
    is_object: bool
    path: Path  #: what it belongs to
    name: str = ""  #: its key, or its number in an array
    is_element: bool = False
    label: str = ""  #: what its own fields call it
    key: Span | None = None  #: the key whose value is next
    last: Span | None = None  #: the string before a colon
    elements: int = 0
    has_objects: bool = False
    fields: list[tuple[Span, Span, Span]] = field(default_factory=list)  #: name, value, whole

    def inner_path(self) -> Path:
        """The path of what lies in it."""
        return below(self.path, self.label if self.is_element and self.label else self.name)


def json_records(text: str) -> tuple[Unit, ...]:
    """Return the records of a text of JSON, sorted by place."""
    records = Records()
    stack = [_Frame(-1, False, ())]
    for match in _TOKEN.finditer(text):
        sign, frame = match[0], stack[-1]
        if sign in ("{", "["):
            stack.append(_open(text, frame, match.start(), sign == "{"))
            if sign == "{":
                _give(text, frame, records)
        elif sign in ("}", "]"):
            if len(stack) > 1 and frame.is_object == (sign == "}"):
                stack.pop()
                _close(text, frame, stack[-1], match.end(), records)
        elif sign == ":":
            frame.key, frame.last = frame.last, None
        elif sign == ",":
            frame.key = frame.last = None
        elif not sign.startswith("/"):
            _scalar(text, frame, Span(*match.span()))
        if records.full:
            break
    for frame in stack:
        _give(text, frame, records)
    return tuple(sorted(records.units, key=unit_order))


def _open(text: str, frame: _Frame, start: int, is_object: bool) -> _Frame:
    """Return the frame of the object or array that begins in `frame`."""
    frame.elements += 1
    if frame.is_object:
        name = _decoded(text, frame.key) if frame.key else ""
        return _Frame(start, is_object, frame.inner_path(), name)
    if not is_object:  # an array in an array is no level of its own
        return _Frame(start, False, frame.path, frame.name)
    number = "" if frame.start < 0 else str(frame.elements)
    return _Frame(start, True, frame.inner_path(), number, is_element=True)


def _scalar(text: str, frame: _Frame, span: Span) -> None:
    """Take a string, number or word."""
    frame.elements += not frame.is_object
    if not frame.is_object:
        return
    if frame.key is None:
        frame.last = span
        return
    name, frame.key = frame.key, None
    value = _inside(text, span)
    frame.fields.append((name, value, Span(name.start, span.end)))
    if not frame.label and value.end - value.start <= _MAX_LABEL_CHARS:
        frame.label = value.of(text) if is_label(_inside(text, name).of(text)) else ""


def _close(text: str, frame: _Frame, outer: _Frame, end: int, records: Records) -> None:
    """End an object or array: an array of scalars is one value of the object around it."""
    if frame.is_object:
        whole = None if frame.has_objects else Span(frame.start, end)
        _give(text, frame, records, whole)
    elif outer.is_object and not frame.has_objects and outer.key and frame.elements:
        value = _trimmed(text, Span(frame.start + 1, end - 1))
        if value.end - value.start <= MAX_VALUE_CHARS:
            outer.fields.append((outer.key, value, Span(outer.key.start, end)))
    outer.has_objects |= frame.is_object or frame.has_objects
    outer.key = None


def _give(text: str, frame: _Frame, records: Records, whole: Span | None = None) -> None:
    """Make a record of the fields of an object so far."""
    if not frame.fields:
        return
    named = any(is_label(_inside(text, name).of(text)) for name, _, _ in frame.fields)
    path = frame.path
    if not frame.is_element or (not named and (frame.label or path)):
        path = frame.inner_path()
    for name, value, span in frame.fields:
        if value.start < value.end:
            header = readable_name(_decoded(text, name))
            records.field(frame.start, path, Cell(header, value, name), span)
    records.end(whole)
    frame.fields = []


def _inside(text: str, span: Span) -> Span:
    """Return the place of a string without its quotation marks."""
    if text[span.start] != '"':
        return span
    closed = span.end - span.start > 1 and text[span.end - 1] == '"'
    return Span(span.start + 1, span.end - closed)


def _trimmed(text: str, span: Span) -> Span:
    body = span.of(text)
    start = span.start + len(body) - len(body.lstrip())
    return Span(start, max(start, span.start + len(body.rstrip())))


def _decoded(text: str, span: Span) -> str:
    """Return a key as it is meant, in one line."""
    raw = span.of(text)[:MAX_VALUE_CHARS]
    try:
        raw = str(json.loads(raw)) if "\\" in raw else _inside(raw, Span(0, len(raw))).of(raw)
    except ValueError:
        raw = raw.strip('"')
    return " ".join(raw.encode("utf-8", "replace").decode().split())
