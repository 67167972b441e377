"""Finds headings in plain text: numbered titles ("4. Notice"), lines in capitals ("HOUSE RULES").

Minutes, contracts and letters have them without any markup. A heading stands behind a blank line,
is short, ends in no mark of a sentence and has text below it. A numbered line with the next number
below is an item of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.ingest.structure.lines import Line, previous_text, split_lines
from rag.text import facts
from rag.text.sentences import goes_on, wrap_width

_NUMBERED = re.compile(
    r"(?:(?P<number>\d{1,2}(?:\.\d{1,2}){1,3}|\d{1,2}(?=[.)]))[.)]?|(?-i:[IVX]{2,5})[.)]|"
    r"\u00a7+ ?\d{1,3}[a-z]?\.?|"
    r"(?:article|section|clause|chapter|part|item|annex|appendix|art\.|ziff\.)\s"
    r"(?:\d{1,3}|[IVX]{1,5}|[A-Z])[.:)]?(?: [-\u2013])?)"
    r"\s{1,3}(?P<title>[^\W\d_].*)",
    re.I,
)
_MAX_CHARS, _MIN_LETTERS = 70, 3
#: a line that is wrapped fills this share of the column
_FULL = 0.75
_ENDED = re.compile(r"[.!?;,:]['\"\u201d\u2019)]*$")
#: columns, dot leaders, fields and amounts are no titles
_NO_TITLE = re.compile(r"\S {2,}\S|\t|\||\.{3}|[:=]\s|\bhttps?:|@|\d[.,]\d\d|\S[,;]\S")
_MIN_WORDS = 3  #: of a line right below a title; "Treasurer" below a name has fewer
_MIN_NUMBERED = 2

Heading = tuple[int, int, str]  #: offset, level from 1, title


def find_text_headings(text: str) -> list[Heading]:
    """Return the headings of a text without markup; titles keep their number."""
    lines = split_lines(text)
    width = wrap_width(text)
    numbered = {start: (level, title) for start, level, title in _numbered(lines, width)}
    numbered = numbered if len(numbered) >= _MIN_NUMBERED else {}
    capitals = [heading for heading in _in_capitals(lines) if heading[0] not in numbered]
    below = 1 if capitals else 0
    found = [(start, level + below, title) for start, (level, title) in numbered.items()]
    return sorted([*found, *capitals])


def _numbered(lines: Sequence[Line], width: int) -> Iterator[Heading]:
    for number, line in enumerate(lines):
        match = _NUMBERED.match(line.text) if _may_be_title(lines, number) else None
        if not match or not match["title"][:1].isupper() or goes_on(line.text):
            continue
        if _NO_TITLE.search(match["title"]):
            continue
        if width and len(line.text) >= _FULL * width:
            continue
        if facts.find_dates(line.text)[0] or _follows_item(lines, number, match):
            continue
        below = _below(lines, number)
        if below is None or (_NUMBERED.match(below.text) and not _is_deeper(match, below)):
            continue
        if below.text[:1].islower() or below.indent > line.indent:
            continue
        yield line.start, 1 + (match["number"] or "").count("."), line.text


def _follows_item(lines: Sequence[Line], number: int, match: re.Match[str]) -> bool:
    """Does the number go on from the line before, as in a list with blank lines?

    Text right below a number shows it to be a title.
    """
    if number + 1 < len(lines) and lines[number + 1].text:
        return False
    above = previous_text(lines, number)
    before = _NUMBERED.match(lines[above].text) if above >= 0 else None
    if not before or not before["number"] or not match["number"]:
        return False
    (*path, last), (*other, other_last) = match["number"].split("."), before["number"].split(".")
    return path == other and int(last) == int(other_last) + 1


def _is_deeper(above: re.Match[str], below: Line) -> bool:
    """Is the numbered line below part of the one above ("4. Notice", "4.1 The tenant …")?"""
    number = above["number"]
    return bool(number and re.match(rf"{re.escape(number)}\.\d", below.text))


def _in_capitals(lines: Sequence[Line]) -> Iterator[Heading]:
    first = next((number for number, line in enumerate(lines) if line.text), 0)
    for number, line in enumerate(lines):
        if number == first or not line.text.isupper() or not _may_be_title(lines, number):
            continue
        if _NO_TITLE.search(line.text):
            continue
        if sum(letter.isalpha() for letter in line.text) < _MIN_LETTERS:
            continue
        below = _below(lines, number)
        if below is None or below.text.isupper():
            continue
        after = lines[number + 2].text if number + 2 < len(lines) else ""
        is_name = below is lines[number + 1] and len(below.text.split()) < _MIN_WORDS
        if after or not is_name:
            yield line.start, 1, line.text


def _may_be_title(lines: Sequence[Line], number: int) -> bool:
    line = lines[number]
    if not line.text or len(line.text) > _MAX_CHARS or line.indent > _MIN_LETTERS:
        return False
    if number and lines[number - 1].text:
        return False
    return not _ENDED.search(line.text)


def _below(lines: Sequence[Line], number: int) -> Line | None:
    """The next line with text, right below or behind one blank line."""
    return next((line for line in lines[number + 1 : number + 3] if line.text), None)
