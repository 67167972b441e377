"""Contact cards and calendars: each card and entry is a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.domain import RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from tests.ingest.test_formats_mail import cells, one, read

CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Berg;Anna;;Dr.;\r\nFN:Dr. Anna Berg\r\nORG:Bakery Berg;Sales\r\n"
    "TEL;TYPE=WORK,VOICE:+47 55 12\r\nEMAIL;TYPE=INTERNET:anna@example.org\r\n"
    "ADR;TYPE=HOME:;;Main Street 1\\, left;Bergen;;5003;Norway\r\nBDAY:19800501\r\n"
    "NOTE:likes\\nlong\r\n  walks\r\nitem1.URL:https://example.org\r\n"
    "item1.X-ABLabel:_$!<HomePage>!$_\r\nEND:VCARD\r\n"
)
OLD_CARD = (
    "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg\n"
    "TEL;CELL;VOICE:0123\nNOTE;ENCODING=QUOTED-PRINTABLE:two =\nlines\nEND:VCARD\n"
)


def test_cards_are_records(tmp_path: Path) -> None:
    raw = one(tmp_path, "a.vcf", (CARD + OLD_CARD).encode())
    assert cells(raw) == [
        {
            "Name": "Dr. Anna Berg",
            "Organisation": "Bakery Berg, Sales",
            "Phone (work)": "+47 55 12",
            "E-mail": "anna@example.org",
            "Address (home)": "Main Street 1, left, 5003 Bergen, Norway",
            "Birthday": "1980-05-01",
            "Note": "likes long walks",
            "Website (HomePage)": "https://example.org",
        },
        {"Name": "Jörg Müller", "Phone (cell)": "0123", "Note": "two lines"},
    ]
    assert [title for _, _, title in raw.headings or ()] == ["Dr. Anna Berg", "Jörg Müller"]
    assert raw.date is None


def test_pictures_in_cards_are_said(tmp_path: Path) -> None:
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\n"
    parts = read(tmp_path, "a.vcf", CARD.replace("BDAY", photo + "BDAY").encode())
    assert isinstance(parts[0], RawDocument) and "BBBB" not in parts[0].text
    assert isinstance(parts[1], RefusedPart) and "1 pictures" in parts[1].reason


CALENDAR = (
    "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Club\r\nBEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\n"
    "DTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n"
    "SUMMARY:Board meeting\r\nDTSTART;TZID=Europe/Oslo:20240903T180000\r\nDURATION:PT1H30M\r\n"
    "RRULE:FREQ=MONTHLY;BYDAY=1TU;UNTIL=20241231\r\nATTENDEE;CN=\"Stein; Olga\":mailto:o@example.org\r\n"
    "BEGIN:VALARM\r\nDESCRIPTION:wake up\r\nEND:VALARM\r\nLOCATION:Hall\\, left\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nSUMMARY:Fair\r\nDTSTART;VALUE=DATE:20240901\r\nDTEND;VALUE=DATE:20240904\r\n"
    "END:VEVENT\r\nBEGIN:VTODO\r\nSUMMARY:Pay\r\nDUE:20240910T120000Z\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)  # fmt: skip


def test_entries_of_a_calendar_are_records(tmp_path: Path) -> None:
    raw = one(tmp_path, "a.ics", CALENDAR.encode())
    assert raw.title == "Club" and raw.date is None and "wake up" not in raw.text
    assert cells(raw) == [
        {
            "Event": "Board meeting",
            "Start": "3 September 2024, 18:00 (Europe/Oslo)",
            "Duration": "1 hour 30 minutes",
            "Location": "Hall, left",
            "Repeats": "every month on first Tuesday until 31 December 2024",
            "Attendee": "Stein; Olga <o@example.org>",
        },
        {"Event": "Fair", "Start": "1 September 2024", "End": "3 September 2024"},
        {"Task": "Pay", "Due": "10 September 2024, 12:00 (UTC)"},
    ]
    assert all(unit.kind in (UnitKind.RECORD, UnitKind.SECTION) for unit in raw.units or ())


def test_files_without_cards_or_entries(tmp_path: Path) -> None:
    for name in ("a.vcf", "a.ics"):
        with pytest.raises(Unreadable, match="holds no"):
            read(tmp_path, name, b"BEGIN:VCARD\nEND:VCARD\nBEGIN:VEVENT\nSUMMARY:open\n")
