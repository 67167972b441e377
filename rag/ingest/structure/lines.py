"""The lines of a text with their places, as the finders of structure read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.domain import Span

#: characters of a line that is read for structure; a longer one is prose
MAX_LINE_CHARS = 2000
#: of a sentence that introduces a list or a block
_MAX_INTRODUCTION_CHARS, _MAX_INTRODUCTION_LINES = 240, 4
_SENTENCE_END = re.compile(r"[.!?][\"')\]]?\s+(?=[\"'(\[]?[^\Wa-z])")
_ITEM = re.compile(r"[-–*+•●]\s")
_TAG = re.compile(r"<[^<>]{1,200}>")


class Line(NamedTuple):
    """A line: its place without the line break, and its text without white space at its ends."""

    start: int
    end: int
    text: str  #: stripped; "" for a blank line and for one that is too long
    indent: int  #: columns of white space before `text`; a tab goes to the next multiple of 4
    at: int  #: offset of `text`

    @property
    def span(self) -> Span:
        """The place of `text`."""
        return Span(self.at, self.at + len(self.text))


def split_lines(text: str) -> list[Line]:
    """Return the lines of `text` in order."""
    lines, start = [], 0
    for raw in text.split("\n"):
        end = start + len(raw)
        body = raw if len(raw) <= MAX_LINE_CHARS else ""
        stripped = body.strip()
        before = body[: len(body) - len(body.lstrip())]
        indent = len(before.expandtabs(4))
        lines.append(Line(start, end, stripped, indent, start + len(before)))
        start = end + 1
    return lines


def previous_text(lines: Sequence[Line], number: int) -> int:
    """Return the number of the last line before `number` that is not blank, or -1."""
    number -= 1
    while number >= 0 and not lines[number].text:
        number -= 1
    return number


def introduction(lines: Sequence[Line], number: int) -> str:
    """Return the last sentence of the paragraph that ends with line `number`, in one line."""
    parts, at = [lines[number].text], number
    while at > 0 and lines[at - 1].text and len(parts) < _MAX_INTRODUCTION_LINES:
        before = lines[at - 1].text
        if parts[0].startswith(("#", "-", "*", "|", ">")) or before.startswith(("#", "|", "=")):
            break
        if _ITEM.match(before) and parts[0][:1].isupper():  # an item of the list above
            break
        at -= 1
        parts.insert(0, before)
    said = _TAG.sub(" ", " ".join(parts)[-2 * _MAX_INTRODUCTION_CHARS :])
    said = " ".join(_SENTENCE_END.split(said.rstrip())[-1].split())
    return said.strip("#*_: ")[-_MAX_INTRODUCTION_CHARS:]
