"""Shows dates, times and durations by the number format of a cell."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rag.ingest.formats.format_code import Section, literal

Moment = datetime.datetime | datetime.date | datetime.time | datetime.timedelta

#: formats that stand for the system's short date, and for it with the time
_SYSTEM_DATE, _SYSTEM_TIME = ("mm-dd-yy", "m/d/yy"), ("m/d/yy h:mm", "mm-dd-yy h:mm")
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def show_moment(value: Moment, code: str, section: Section) -> str:
    if isinstance(value, datetime.datetime) and value.microsecond and value.year < 9999:
        value = (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
    plain = code.lower().split(";")[0].strip()
    system = plain in (*_SYSTEM_DATE, *_SYSTEM_TIME) or plain.startswith(("[$-f800]", "[$-f400]"))
    if system or not section.is_date:
        return _standard(value, plain in _SYSTEM_DATE or plain.startswith("[$-f800]"))
    return _show_date_parts(value, section.tokens)


def _standard(value: Moment, day_only: bool = False) -> str:
    """Return a date or time as ISO 8601 writes it, a day without midnight."""
    if isinstance(value, datetime.datetime):
        is_day = day_only or value.time() == datetime.time()
        return (
            str(value.date())
            if is_day
            else str(value.replace(tzinfo=None))[: 16 + 3 * bool(value.second)]
        )
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return str(value)


def _show_date_parts(value: Moment, tokens: Sequence[tuple[str, str]]) -> str:
    at, elapsed = _as_datetime(value)
    twelve = any(kind == "noon" for kind, _ in tokens)
    parts = [
        (n, text.lower()) for n, (kind, text) in enumerate(tokens) if kind in ("date", "elapsed")
    ]
    minutes = {
        n
        for position, (n, text) in enumerate(parts)
        if text in ("m", "mm")
        and (
            (position and parts[position - 1][1].strip("[]")[0] == "h")
            or (position + 1 < len(parts) and parts[position + 1][1].strip("[]")[0] == "s")
        )
    }
    out = list[str]()
    for n, (kind, text) in enumerate(tokens):
        if kind == "text":
            out.append(literal(text))
        elif kind == "noon":
            out.append(("AM", "PM")[at.hour >= 12] if len(text) > 3 else "AP"[at.hour >= 12])
        elif kind == "elapsed":
            per = {"h": 3600, "m": 60, "s": 1}[text[1].lower()]
            out.append(str(elapsed // per).rjust(len(text) - 2, "0"))
        elif kind == "date":
            out.append(_date_part(at, text.lower(), n in minutes, twelve))
        elif text not in ("@",):
            out.append("" if kind == "general" else text)
    return "".join(out).strip()


def _as_datetime(value: Moment) -> tuple[datetime.datetime, int]:
    """Return a moment, and the seconds since its midnight or, of a duration, all its seconds."""
    zero = datetime.datetime(1899, 12, 30)
    if isinstance(value, datetime.timedelta):
        seconds = max(0, round(value.total_seconds()))
        return zero + datetime.timedelta(seconds=seconds % 86_400), seconds
    if isinstance(value, datetime.time):
        value = datetime.datetime.combine(zero.date(), value)
    elif not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    value = value.replace(tzinfo=None)
    return value, int((value - zero).total_seconds())


def _date_part(at: datetime.datetime, part: str, is_minute: bool, twelve: bool) -> str:
    kind, width = part[0], len(part)
    if kind == "y" or kind == "e":
        return f"{at.year % 100:02}" if kind == "y" and width < 3 else str(at.year)
    if kind == "m" and not is_minute:
        name = _MONTHS[at.month - 1]
        if width > 2:
            return name[:3] if width == 3 else name[0] if width == 5 else name
        return str(at.month).rjust(width, "0")
    if kind == "d":
        if width > 2:
            return _DAYS[at.weekday()][: 3 if width == 3 else None]
        return str(at.day).rjust(width, "0")
    if kind == "h":
        hour = (at.hour + 11) % 12 + 1 if twelve else at.hour
        return str(hour).rjust(min(width, 2), "0")
    if kind == "s":
        whole, point, decimals = part.partition(".")
        shown = str(at.second).rjust(min(len(whole), 2), "0")
        return shown + (f".{at.microsecond:06}"[: 1 + len(decimals)] if point else "")
    return str(at.minute).rjust(width, "0")
