"""Lines of a log as rows: time, level, component, message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.domain import Cell, Span, Unit, UnitKind
from rag.ingest.structure.lines import MAX_LINE_CHARS
from rag.ingest.structure.records import MAX_CELLS

#: lines that are looked at to know a log, and the share of them that must be lines of one
_LINES_LOOKED_AT, _MIN_SHARE, _MIN_LINES = 200, 0.6, 3
_LEVEL = (
    r"[\[<(|]?(?P<{}>(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRIT(?:ICAL)?|FATAL|SEVERE|"
    r"PANIC|ALERT|EMERG|(?:trace|debug|info|notice|warn(?:ing)?|error|crit(?:ical)?|fatal)"
    r"(?=[\]>):|])))\b[\]>):|]*[ \t]*"
)
_TIME = (
    r"\[?(?P<time>\d{4}[-/.]\d\d[-/.]\d\d[T ,]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
    r"(?:Z|[ \t]?[+-]\d\d:?\d\d)?|[A-Z][a-z]{2}[ \t]{1,2}\d{1,2}[ \t]\d\d:\d\d:\d\d|"
    r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\]?[ \t]*(?:[-|:,][ \t]+)?"
)
_LOG = re.compile(
    rf"[ \t]*(?:{_LEVEL.format('before')}(?:-[ \t]+)?)?{_TIME}"
    rf"(?:{_LEVEL.format('level')})?(?:[-|][ \t]+)?"
    r"(?:\[(?P<thread>[^\]\n]{1,80})\][ \t]*)?(?:[-|][ \t]+)?"
    rf"(?:{_LEVEL.format('after')})?(?:[-|][ \t]+)?"
    r"(?:(?P<host>[\w.-]{1,60})[ \t]+(?=[\w./-]{1,60}\[\d+\]:))?"
    r"(?:\[?(?P<component>[A-Za-z_][\w./$#-]{1,80})\]?(?:\[\d+\])?(?::|[ \t]-|[ \t]\|)[ \t]+)?"
    r"(?P<message>\S.*)"
)
_ACCESS = re.compile(
    r"(?P<address>[\da-fA-F.:]{3,45})[ \t]\S+[ \t]\S+[ \t]\[(?P<time>[^\]\n]{10,40})\][ \t]"
    r"\"(?P<request>[^\"\n]*)\"[ \t](?P<status>\d{3})[ \t](?P<size>\d+|-)(?:[ \t].*)?"
)
#: a message that begins with a word in capitals, or has pairs: "NOTE pads worn", "IN job=302"
_MARKED = re.compile(r"[A-Z]{2,10}\b|[^=\n]{0,200}\b[A-Za-z_][\w.-]{0,40}=\S")
_LOG_FIELDS = ("before", "time", "level", "thread", "after", "host", "component", "message")
_NAMES = {"before": "level", "after": "level"}


def log_units(text: str) -> tuple[Unit, ...]:
    """Return a row for each line of a log, sorted by place; () for any other text."""
    if not is_log(text):
        return ()
    units, cells = list[Unit](), 0
    for start, line in _lines(text, len(text)):
        found = _read(line)
        if found is None:
            continue
        row = tuple(
            Cell(_NAMES.get(name, name), Span(start + found.start(name), start + found.end(name)))
            for name in (_LOG_FIELDS if found.re is _LOG else found.groupdict())
            if found[name]
        )
        units.append(Unit(UnitKind.ROW, Span(start, start + len(line)), "", row))
        cells += len(row)
        if cells >= MAX_CELLS:
            break
    return tuple(units)


def is_log(text: str) -> bool:
    """Are most of the first lines those of a log, with a time, and levels or access lines?"""
    looked_at = found = marked = 0
    for _, line in _lines(text, 40_000):
        match = _read(line)
        looked_at += not line.startswith(("\t", "  ", "Traceback", "Caused by"))
        if match:
            found += 1
            names = match.groupdict()
            marked += (
                match.re is _ACCESS
                or any(
                    names[name]
                    for name in ("before", "level", "after", "host", "component", "thread")
                )
                or bool(_MARKED.match(names["message"]))
            )
        if looked_at >= _LINES_LOOKED_AT:
            break
    return found >= _MIN_LINES and found >= _MIN_SHARE * looked_at and 2 * marked >= found


def _read(line: str) -> re.Match[str] | None:
    if len(line) > MAX_LINE_CHARS:
        return None
    return _LOG.fullmatch(line) or _ACCESS.fullmatch(line)


def _lines(text: str, end: int) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each line that is not blank."""
    for match in re.finditer(r"[^\n]+", text[:end] if end < len(text) else text):
        line = match[0].rstrip()
        if line:
            yield match.start(), line
