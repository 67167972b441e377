"""Records: blocks of `Key: value` lines, and lines with one name each.

The lines of a block are one record ("IBAN: …", "BIC: …"). They are an entry each if every name is a
date, names repeat (who speaks), or every value is a statement (a glossary).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import Line, introduction, previous_text
from rag.text.ranges import find_ranges

_MAX_KEY_WORDS, _MAX_VALUE_CHARS = 6, 600
#: words from which a value is a statement
_MIN_STATEMENT_WORDS = 3
_MAX_LABEL_CHARS = 80
#: characters from which a line may be one of a hard-wrapped paragraph
_WRAPPED_CHARS = 50
#: what a line begins with that does not go on with a paragraph
_MARKS = ("#", "-", "*", "+", "|", "=", "•", "`", "~", ">")
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = (
    r"(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?Z?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|"
    rf"{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th|\.)?\s{_MONTH}\s\d{{4}})"
)
_BULLET = re.compile(r"(?:[-*+•]\s+)?")
#: what may stand before the name of a speaker: a time, in brackets or after a day
_STAMP = re.compile(
    rf"\[(?=[^\]\n]*\d[:.]\d\d)[^\]\n]{{4,40}}\]\s*|"
    rf"{_DAY},?\s+\d{{1,2}}:\d\d(?::\d\d)?(?:\s?[AaPp][Mm])?\s*[-–]?\s*"
)
_DATED = re.compile(rf"(?P<key>\[?{_DAY}\]?)(?:\s*[:–—|]|\s+-)\s+(?P<value>\S.*)")
_BOLD = re.compile(r"(?P<b>\*\*|__)(?P<key>[^*_:]{1,48}):?(?P=b)\s*(?::|–|—|-|=)\s*(?P<value>\S.*)")
_BOLD_COLON = re.compile(r"(?P<b>\*\*|__)(?P<key>[^*_:]{1,48}):(?P=b)\s*(?P<value>\S.*)")
_LISTED = re.compile(r":(?P<key>[^\W\d_][^:`\n]{0,47}):\s+(?P<value>\S.*)")
_KEYWORD = re.compile(r"#\+(?P<key>[A-Za-z_]{2,30}):\s+(?P<value>\S.*)")
_PLAIN = re.compile(
    r"(?P<key>[^\W\d_][^:=\n]{0,47}?)\s?(?P<sign>:(?=\s)|(?<=[\w.\"'])\s?=(?!=))\s*(?P<value>\S.*)"
)
_KEY = re.compile(r"[\w .,'’/&+#%°²³()€$£-]+")
_SENTENCE_END = re.compile(r"[.!?;,]\s")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]+")
#: words that a name of more than one word does not have: it is the beginning of a sentence
_SAYING = frozenset(
    "say says said saying tell tells told ask asks asked answer answers answered reply "
    "replies replied write writes wrote written add adds added think thinks thought know "
    "knows knew call calls called is are was were be been being am has have had do does did "
    "can could will would shall should may might must that which who because if while but not "
    "than then there here it he she they we you i this these those following follows means "
    "mean example instance such namely including include includes consider suppose remember "
    "see let like what how why as into about from my".split()
)
#: names that only introduce a sentence, and keywords of code
_NO_NAMES = frozenset(
    "note notes nb warning caution important tip hint example examples remark attention ps "
    "todo fixme edit update spoiler disclaimer however therefore thus hence finally first "
    "second third and or so yes no well oh ah question answer if else elif try except finally "
    "for while with def class return lambda import from raise assert case switch default do "
    "then".split()
)
#: names of a numbered part, whose value is a title
_NUMBERED = re.compile(
    r"(?:chapter|section|part|book|act|scene|volume|vol|figure|fig|table|appendix|annex|"
    r"listing|lesson|"
    r"unit|episode|theorem|lemma|example|exercise|verse|psalm|stanza|canto|item|case|article|"
    r"lecture|"
    r"problem|definition|equation|algorithm|kapitel|teil|abbildung|tabelle)\.?\s+[\dIVXLC.]+[a-z]?",
    re.I,
)


class Field(NamedTuple):
    """One `Key: value` line."""

    name: str
    name_span: Span
    value: Span
    context: str = ""  #: the time of a message
    dated: bool = False
    is_marked: bool = False  #: bold, in colons, or a message with its time
    sign: str = ":"


def read_field(line: Line) -> Field | None:
    """Return the field of a line, or None for another line."""
    text = line.text
    if not text or text.startswith((">", "|", "```", "http", "//")):
        return None
    if text[0] in "#:":
        marked = _KEYWORD.match(text) or _LISTED.match(text)
        return _field(line, marked, is_marked=True) if marked else None
    shift = _BULLET.match(text).end()  # type: ignore[union-attr]  # matches everything
    stamp = _STAMP.match(text, shift)
    if not stamp and (match := _DATED.match(text, shift)):
        return _field(line, match, dated=True)
    begin = stamp.end() if stamp else shift
    if bold := _BOLD.match(text, begin) or _BOLD_COLON.match(text, begin):
        return _field(line, bold, is_marked=True) if _may_be_name(bold["key"]) else None
    match = _PLAIN.match(text, begin)
    if match is None or not _may_be_name(match["key"]):
        return None
    value = match["value"]
    if value.startswith("//") or len(value) > _MAX_VALUE_CHARS:  # an address: https://…
        return None
    if match["sign"].strip() == "=" and not _IDENTIFIER.fullmatch(match["key"].strip()):
        return None
    return _field(line, match, stamp[0].strip(" -–[]") if stamp else "", is_marked=bool(stamp))


def _may_be_name(key: str) -> bool:
    """May `key` be the name of a field, and not the beginning of a sentence?"""
    key = key.strip()
    words = key.lower().split()
    if not words or len(words) > _MAX_KEY_WORDS or not _KEY.fullmatch(key):
        return False
    if key.count("(") != key.count(")"):
        return False
    if len(words) == 1:
        return words[0] not in _NO_NAMES
    if words[0] in _NO_NAMES or _SENTENCE_END.search(key) or _NUMBERED.fullmatch(key):
        return False
    if find_ranges(key):  # "Children from 6 to 12"
        return True
    return not any(word.strip(".,()'’") in _SAYING for word in words)


def _field(
    line: Line,
    match: re.Match[str],
    context: str = "",
    *,
    dated: bool = False,
    is_marked: bool = False,
) -> Field:
    begin, end = match.span("key")
    value = Span(line.at + match.start("value"), line.at + len(line.text))
    sign = str(match.groupdict().get("sign") or ":").strip()
    name = match["key"].strip().strip("[]*_`\"'")
    place = Span(line.at + begin, line.at + end)
    return Field(name, place, value, context, dated, is_marked, sign)


def field_block(text: str, lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the units of the block of fields that begins at line `number`, or None."""
    fields, last = list[tuple[Line, Field]](), number
    while last < len(lines) and lines[last].text:
        line = lines[last]
        field = read_field(line) if not fields or line.indent == fields[0][0].indent else None
        if field:
            fields.append((line, field))
        elif fields and _goes_on(line, fields[-1]):
            before, field = fields[-1]
            fields[-1] = before, field._replace(value=Span(field.value.start, line.span.end))
        else:
            break
        last += 1
    found = [field for _, field in fields]
    if not fields or not _is_block(lines, number, last, found):
        return None
    if _BULLET.match(lines[number].text).end():  # type: ignore[union-attr]  # matches everything
        after = lines[last].text if last < len(lines) else ""
        if len(fields) < 2 or _BULLET.match(after).end():  # type: ignore[union-attr]
            return None  # items of a list, not all of them fields
    label = _label(lines, number)
    if _are_entries(text, found):
        return [
            Unit(
                UnitKind.ENTRY,
                Span(line.at, field.value.end),
                field.context or label,
                (Cell(field.name, field.value, field.name_span),),
            )
            for line, field in fields
        ], last
    cells = tuple(Cell(field.name, field.value, field.name_span) for field in found)
    return [Unit(UnitKind.RECORD, Span(fields[0][0].at, found[-1].value.end), label, cells)], last


def _goes_on(line: Line, before: tuple[Line, Field]) -> bool:
    """Does the value before go on in this line, which is indented more and no item?"""
    above, field = before
    return (
        line.indent > above.indent
        and line.span.end - field.value.start <= _MAX_VALUE_CHARS
        and not line.text.startswith(_MARKS)
    )


def _is_block(lines: Sequence[Line], first: int, last: int, fields: Sequence[Field]) -> bool:
    """Is it a block of fields, and no part of a paragraph that has a colon?"""
    if any(field.dated or field.is_marked for field in fields):
        return True
    if len(fields) == 1 and fields[0].sign == "=":
        return False
    above = lines[first - 1].text if first else ""
    below = lines[last].text if last < len(lines) else ""
    if len(fields) > 2:
        return True
    widest = max(len(line.text) for line in lines[first:last])
    if below and (widest > _WRAPPED_CHARS or len(fields) == 1) and not below.startswith(_MARKS):
        return False  # it goes on
    return not (above and len(above) > _WRAPPED_CHARS) and not (
        above and len(fields) == 1 and not above.startswith("#") and above[-1] not in ":=-~"
    )


def _are_entries(text: str, fields: Sequence[Field]) -> bool:
    names = [field.name.lower() for field in fields]
    return (
        len(fields) == 1
        or all(field.dated for field in fields)
        or any(field.context for field in fields)
        or len(set(names)) < len(names)
        or sum(bool(find_ranges(name)) for name in names) > 1  # doses by age, prices by weight
        or all(len(field.value.of(text).split()) >= _MIN_STATEMENT_WORDS for field in fields)
    )


def _label(lines: Sequence[Line], number: int) -> str:
    """Return the line or sentence above a block if it names or introduces the block, else ""."""
    above = previous_text(lines, number)
    if above < 0 or above < number - 2:
        return ""
    text = lines[above].text
    if text.startswith(("|", "```")):
        return ""
    if text.endswith(":"):
        return introduction(lines, above)
    if above < number - 1 or len(text) > _MAX_LABEL_CHARS or text[-1] in ".!?;,":
        return ""
    return "" if text.startswith(("-", "*")) else text.strip("#*_ :")
