"""Outlook's .msg files: the properties of a message in a compound file, by `olefile`.

A property is a number: fixed values stand in one stream, each text in a stream of its own, whose
name has the number and the type. Recipients and attachments are folders of the same form, and so is
a message in a message.
"""

from __future__ import annotations

import datetime
import email
import email.policy
import io
import struct
from collections.abc import Iterator
from email.utils import format_datetime
from typing import Any

from rag.domain import RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import decode
from rag.ingest.formats.mail import Part, mail_parts
from rag.ingest.formats.mail_text import Attachment, Body, Mail
from rag.ingest.formats.mime import file_name, iso_date, message_headers, richer

#: attachments and recipients of one message, messages in messages
_MAX_ATTACHMENTS, _MAX_RECIPIENTS, _MAX_NESTED = 1000, 1000, 10
_MAX_HEADER_CHARS = 10_000
_UNICODE, _EIGHT_BIT, _BINARY, _STORAGE = 0x001F, 0x001E, 0x0102, 0x000D
_TIME, _LONG = 0x0040, 0x0003
_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDER_NAME, _SENDER_ADDRESSES = (0x0042, 0x0C1A), (0x5D02, 0x5D01, 0x0065, 0x0C1F)
_SENT, _DELIVERED = 0x0039, 0x0E06
_HEADERS, _CODE_PAGES = 0x007D, (0x3FDE, 0x3FFD)
_DISPLAYED = {"To": 0x0E04, "Cc": 0x0E03, "Bcc": 0x0E02}
_RECIPIENT_NAME, _RECIPIENT_ADDRESSES, _RECIPIENT_TYPE = 0x3001, (0x39FE, 0x3003), 0x0C15
_FILE_NAMES, _FILE_KIND, _FILE_DATA, _CONTENT_ID = (0x3707, 0x3704, 0x3001), 0x370E, 0x3701, 0x3712
#: bytes before the properties of a message, a message in a message, and anything else
_PREFIX_BYTES = {"message": 32, "inner": 24, "other": 8}
#: seconds between 1601, where Windows begins to count, and 1970
_EPOCH_SECONDS = 11_644_473_600


def read_msg(content: bytes) -> Iterator[Part]:
    """Yield one message, then its attachments, then what of it is not read."""
    import olefile

    if not olefile.isOleFile(io.BytesIO(content)):
        raise Unreadable(
            "is not an Outlook message", "open it in Outlook and save it again, or save it as .eml"
        )
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            mail = _Reader(file).message((), "message", 0)
    except (OSError, ValueError, IndexError, KeyError, struct.error) as error:
        raise Unreadable(
            f"is not a whole Outlook message: {error}", "save it again from Outlook"
        ) from error
    if not mail.headers and not mail.bodies:
        raise Unreadable(
            "is not an Outlook message (it has no sender, date, subject or text)",
            "save it again from Outlook",
        )
    yield from mail_parts(mail, "")


class _Properties:
    """The properties in one folder of a compound file."""

    def __init__(self, file: Any, folder: tuple[str, ...], streams: dict[str, str], prefix: int):
        self._file, self._folder, self._streams = file, folder, streams
        self._fixed = dict[tuple[int, int], bytes]()
        content = self._read("__properties_version1.0")[prefix:]
        for at in range(0, len(content) - 15, 16):
            kind, number = struct.unpack_from("<HH", content, at)
            self._fixed[number, kind] = content[at + 8 : at + 16]
        pages = (self.number(page) for page in _CODE_PAGES)
        self._page = next((page for page in pages if page), 1252)

    def _read(self, name: str) -> bytes:
        name = self._streams.get(name.lower(), "")
        return self._file.openstream([*self._folder, name]).read() if name else b""

    def binary(self, number: int, kind: int = _BINARY) -> bytes:
        """Return the bytes of a property, or none."""
        return self._read(f"__substg1.0_{number:04X}{kind:04X}")

    def text(self, *numbers: int) -> str:
        """Return the first of the texts with these numbers that there is, or ""."""
        for number in numbers:
            text = self.binary(number, _UNICODE).decode("utf-16-le", "replace")
            text = text or self._decoded(self.binary(number, _EIGHT_BIT))
            if text := text.rstrip("\0"):
                return text.replace("\r\n", "\n").replace("\r", "\n")
        return ""

    def html(self) -> str:
        """Return the HTML body, or ""."""
        return self._decoded(self.binary(_HTML)) or self.text(_HTML)

    def _decoded(self, content: bytes) -> str:
        encoding = {65001: "utf-8", 20127: "ascii", 1200: "utf-16-le"}.get(self._page)
        for name in (encoding or f"cp{self._page}", f"iso8859-{self._page - 28590}"):
            try:
                return content.decode(name)
            except (LookupError, ValueError):
                continue
        return decode(content.replace(b"\0", b""))

    def number(self, number: int) -> int:
        """Return a whole number, 0 if there is none."""
        value = self._fixed.get((number, _LONG), bytes(8))
        return int(struct.unpack_from("<I", value)[0])

    def time(self, number: int) -> datetime.datetime | None:
        """Return a time in UTC, or None."""
        ticks = struct.unpack("<Q", self._fixed.get((number, _TIME), bytes(8)))[0]
        try:
            seconds = ticks // 10_000_000 - _EPOCH_SECONDS
            return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if ticks else None
        except (OverflowError, ValueError, OSError):
            return None


class _Reader:
    """Reads the messages of a compound file."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._folders = dict[tuple[str, ...], dict[str, str]]()
        for path in file.listdir(streams=True, storages=True):
            self._folders.setdefault(tuple(path[:-1]), {})[path[-1].lower()] = path[-1]

    def _properties(self, folder: tuple[str, ...], kind: str) -> _Properties:
        return _Properties(self._file, folder, self._folders.get(folder, {}), _PREFIX_BYTES[kind])

    def _inner_folders(self, folder: tuple[str, ...], prefix: str) -> list[tuple[str, ...]]:
        names = self._folders.get(folder, {})
        return [(*folder, names[name]) for name in sorted(names) if name.startswith(prefix)]

    def message(self, folder: tuple[str, ...], kind: str, depth: int) -> Mail:
        """Return the message in a folder."""
        properties, mail = self._properties(folder, kind), Mail()
        self._headers(properties, folder, mail)
        text, html = properties.text(_BODY), properties.html()
        if text.strip():
            mail.bodies.append(Body(text))
        if html.strip():
            page = Mail(bodies=[Body(html, html=True)])
            mail.bodies = richer([mail, page] if mail.bodies else [page]).bodies
        if not mail.bodies and properties.binary(_RTF):
            mail.refused.append(
                RefusedPart("text", "is only there as rich text (RTF)", "save the mail as .eml")
            )
        folders = self._inner_folders(folder, "__attach_version1.0_")
        for inner in folders[:_MAX_ATTACHMENTS]:
            self._attachment(inner, mail, depth)
        if len(folders) > _MAX_ATTACHMENTS:
            reason = f"has more than {_MAX_ATTACHMENTS:,} attachments; the rest is not read"
            mail.refused.append(RefusedPart("*", reason, "save the attachments as files"))
        return mail

    def _headers(self, properties: _Properties, folder: tuple[str, ...], mail: Mail) -> None:
        """Read the headers that came with the message, else make them of its properties."""
        stated = properties.text(_HEADERS)
        if stated:
            message_headers(email.message_from_string(stated, policy=email.policy.compat32), mail)
        made = {"From": _address(properties, _SENDER_NAME, _SENDER_ADDRESSES)}
        made |= self._recipients(properties, folder)
        when = properties.time(_SENT) or properties.time(_DELIVERED)
        made["Date"] = format_datetime(when) if when else ""
        made["Subject"] = properties.text(_SUBJECT)
        for name, value in made.items():
            line = " ".join(value[:_MAX_HEADER_CHARS].split())
            if line and not mail.headers.get(name):
                mail.headers[name] = line
        mail.day = iso_date(mail.headers.get("Date", ""))

    def _recipients(self, properties: _Properties, folder: tuple[str, ...]) -> dict[str, str]:
        found: dict[str, list[str]] = {"To": [], "Cc": [], "Bcc": []}
        folders = self._inner_folders(folder, "__recip_version1.0_")
        for inner in folders[:_MAX_RECIPIENTS]:
            recipient = self._properties(inner, "other")
            kind = {2: "Cc", 3: "Bcc"}.get(recipient.number(_RECIPIENT_TYPE) & 3, "To")
            found[kind].append(_address(recipient, (_RECIPIENT_NAME,), _RECIPIENT_ADDRESSES))
        return {
            name: ", ".join(filter(None, found[name])) or properties.text(number)
            for name, number in _DISPLAYED.items()
        }

    def _attachment(self, folder: tuple[str, ...], mail: Mail, depth: int) -> None:
        properties = self._properties(folder, "other")
        name = file_name(properties.text(*_FILE_NAMES))
        kind = properties.text(_FILE_KIND).lower()
        inner = (*folder, f"__substg1.0_{_FILE_DATA:04X}{_STORAGE:04X}")
        content = properties.binary(_FILE_DATA)
        if "__properties_version1.0" in self._folders.get(inner, {}):
            self._inner_message(inner, name, mail, depth)
        elif not content:
            reason = "is an object of another program or a link, not a file"
            mail.refused.append(RefusedPart(name or "object", reason, "save it as a file"))
        elif properties.text(_CONTENT_ID) and kind.startswith("image/"):
            mail.pictures += 1
        else:
            name = name or f"attachment {len(mail.attachments) + 1}"
            mail.attachments.append(Attachment(name, kind, content))

    def _inner_message(self, folder: tuple[str, ...], name: str, mail: Mail, depth: int) -> None:
        if depth >= _MAX_NESTED:
            reason = "is a mail in a mail in a mail, too deep to be read"
            mail.refused.append(RefusedPart(name or "mail", reason, "save it as a file"))
            return
        inner = self.message(folder, "inner", depth + 1)
        mail.attachments += inner.attachments
        mail.pictures += inner.pictures
        mail.refused += inner.refused
        inner.attachments, inner.pictures, inner.refused = [], 0, []
        mail.bodies.append(inner)


def _address(properties: _Properties, names: tuple[int, ...], addresses: tuple[int, ...]) -> str:
    """Return "Olga Stein <olga@example.org>", or the one of the two that there is."""
    name = properties.text(*names)[:_MAX_HEADER_CHARS].strip(" '\"")
    stated = (properties.text(number) for number in addresses)
    address = next((text.strip() for text in stated if "@" in text[:_MAX_HEADER_CHARS]), "")
    if not address or address == name:
        return name or address
    return f"{name} <{address}>" if name else address
