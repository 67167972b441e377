"""Calendars (.ics): each event, task and note is a record with a line for each thing it says.

Event: Board meeting
Start: 3 September 2024, 18:00 (Europe/Oslo)
Location: Community hall
Repeats: every week on Tuesday until 31 December 2024
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.content_lines import ContentLine, content_lines, folded_blanks
from rag.ingest.formats.records import add_record

_KINDS = {"VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Note"}
#: name of a property -> name of the line, and the words that people ask for it with
_FIELDS = {
    "DTSTART": ("Start", "when, date, day, time, begins, takes place"),
    "DTEND": ("End", "when, until, ends"),
    "DUE": ("Due", "when, deadline"),
    "DURATION": ("Duration", "how long, lasts"),
    "COMPLETED": ("Completed", "done, when"),
    "LOCATION": ("Location", "where, place, room"),
    "RRULE": ("Repeats", "how often, every"),
    "EXDATE": ("Not on", "cancelled, except"),
    "ORGANIZER": ("Organiser", "organizer, who organises, invites"),
    "ATTENDEE": ("Attendee", "who, participant, invited, attends, comes"),
    "STATUS": ("Status", ""),
    "PRIORITY": ("Priority", ""),
    "CATEGORIES": ("Categories", "tag"),
    "URL": ("Website", "link, URL"),
    "CONTACT": ("Contact", "who"),
    "COMMENT": ("Comment", ""),
    "DESCRIPTION": ("Description", "about"),
}
_MAX_ATTENDEES = 200
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d{0,2}(Z?))?")
_DURATION = re.compile(r"[+-]?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DURATION_WORDS = ("week", "day", "hour", "minute", "second")
_PERIODS = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_ORDER = {
    "1": "first ",
    "2": "second ",
    "3": "third ",
    "4": "fourth ",
    "5": "fifth ",
    "-1": "last ",
}


def read_ics(content: bytes) -> Iterator[RawDocument]:
    """Yield the entries of a calendar as one document."""
    lines, entries, title = LineBuilder(), 0, ""
    for kind, entry in _entries(content):
        if kind == "VCALENDAR":
            title = title or folded_blanks(entry[0].text)
            continue
        fields = list(_fields(_KINDS[kind], entry))
        if not fields:
            continue
        lines.mark(fields[0][1])
        add_record(lines, fields, "calendar")
        lines.add()
        entries += 1
    if not entries:
        raise Unreadable("holds no event, task or note", "export it again from the calendar")
    # the first date in a calendar is that of an event, not its own
    yield replace(lines.raw(title), date=None)


def _entries(content: bytes) -> Iterator[tuple[str, list[ContentLine]]]:
    """Yield kind and properties of each entry, and the name of the calendar as one of its kind.

    What lies in an entry, such as an alarm, is left out.
    """
    entry, kind, inner = list[ContentLine](), "", 0
    for line in content_lines(content):
        value = line.raw.strip().upper()
        if line.name == "BEGIN" and kind:
            inner += 1
        elif line.name == "BEGIN" and value in _KINDS:
            entry, kind = [], value
        elif line.name == "END" and kind:
            if inner:
                inner -= 1
            else:
                yield kind, entry
                kind = ""
        elif kind and not inner:
            entry.append(line)
        elif line.name == "X-WR-CALNAME":
            yield "VCALENDAR", [line]


def _fields(kind: str, entry: list[ContentLine]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and words asked with of each field; what the entry is comes first."""
    title = next((folded_blanks(line.text) for line in entry if line.name == "SUMMARY"), "")
    yield kind, title or "without a title", "name, title, what, which"
    order = {name: number for number, name in enumerate(_FIELDS)}
    shown = sorted((line for line in entry if line.name in order), key=lambda li: order[li.name])
    attendees = 0
    for line in shown:
        name, words = _FIELDS[line.name]
        attendees += line.name == "ATTENDEE"
        value = _value(line)
        if value and attendees <= _MAX_ATTENDEES:
            yield name, value, words


def _value(line: ContentLine) -> str:
    if line.name in ("DTSTART", "DTEND", "DUE", "COMPLETED"):
        return _time(line, last_day=line.name == "DTEND")
    if line.name == "EXDATE":
        days = (_time(replace(line, raw=part)) for part in line.raw.split(",")[:100])
        return "; ".join(filter(None, days))
    if line.name == "RRULE":
        return _rule(line.raw)
    if line.name == "DURATION":
        return _duration(line.raw.strip())
    if line.name in ("ORGANIZER", "ATTENDEE"):
        address = line.text.removeprefix("mailto:").removeprefix("MAILTO:")
        name = folded_blanks(line.parameters.get("CN", ""))
        return f"{name} <{address}>" if name and name != address else folded_blanks(address)
    if line.name == "CATEGORIES":
        return ", ".join(filter(None, map(folded_blanks, line.parts(","))))
    return folded_blanks(line.text)


def _time(line: ContentLine, last_day: bool = False) -> str:
    """Return a time as "3 September 2024, 18:00 (Europe/Oslo)".

    `last_day`: a day without a time is the first after the entry, so that the one before is shown.
    """
    match = _STAMP.fullmatch(line.raw.strip())
    if match is None:
        return folded_blanks(line.text)
    year, month, day, hour, minute, utc = match.groups()
    try:
        date = datetime.date(int(year), int(month), int(day))
        if last_day and hour is None:
            date -= datetime.timedelta(days=1)
    except (ValueError, OverflowError):
        return match[0]
    text = f"{date.day} {date:%B} {date.year}"
    if hour is None:
        return text
    zone = "UTC" if utc else line.parameters.get("TZID", "").strip("/")
    return f"{text}, {hour}:{minute}" + (f" ({zone})" if zone else "")


def _rule(raw: str) -> str:
    """Return a rule of repetition in words; what is not known of it is left out."""
    parts = dict(part.partition("=")[::2] for part in raw.strip().upper().split(";")[:20])
    period = _PERIODS.get(parts.get("FREQ", ""))
    if period is None:
        return folded_blanks(raw)
    every = parts.get("INTERVAL", "1")
    text = f"every {period}" if every in ("", "1") else f"every {every} {period}s"
    days = [_named_day(day) for day in parts.get("BYDAY", "").split(",")[:20] if day]
    if days:
        text += " on " + ", ".join(days)
    if parts.get("BYMONTHDAY"):
        text += f" on day {parts['BYMONTHDAY'].replace(',', ', ')} of the month"
    if parts.get("COUNT"):
        text += f", {parts['COUNT']} times"
    if parts.get("UNTIL"):
        until = ContentLine("UNTIL", "", {}, parts["UNTIL"])
        text += f" until {_time(until)}"
    return text


def _named_day(day: str) -> str:
    return _ORDER.get(day[:-2].lstrip("+"), day[:-2]) + _DAYS.get(day[-2:], day[-2:])


def _duration(raw: str) -> str:
    match = _DURATION.fullmatch(raw)
    if match is None:
        return raw
    counts = zip(match.groups(), _DURATION_WORDS, strict=True)
    return " ".join(
        f"{count} {word}" + ("s" if count != "1" else "") for count, word in counts if count
    )
