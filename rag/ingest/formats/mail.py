"""E-mail (.eml), by the standard library: the usual headers, the body, the names of attachments."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, decode
from rag.ingest.formats.web import page_blocks

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read_eml(content: bytes) -> Iterator[RawDocument]:
    """Yield one message. Attachments are named, not read; a plain body is preferred to HTML."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    headers = {name: _header(message, name) for name in _HEADERS}
    if not any(headers.values()):
        raise Unreadable(
            "is not an e-mail (it has no sender, date or subject)",
            "save it again from the mail program",
        )
    lines = LineBuilder()
    for name, value in headers.items():
        if value:
            lines.add(f"{name}: {value}")
    for part in message.iter_attachments() if message.is_multipart() else ():
        name = " ".join((part.get_filename() or "without a name").split())
        lines.add(f"Attachment: {name} ({part.get_content_type()})")
    lines.add()
    for line in _body_lines(message):
        lines.add(line)
    yield lines.raw(headers["Subject"], _iso_date(headers["Date"]))


def _header(message: EmailMessage, name: str) -> str:
    """Return a header on one line; as it stands in the file if it breaks the rules for headers."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, LookupError, AttributeError, IndexError, TypeError):
        values = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
        return " ".join(next(values, "").split())


def _body_lines(message: EmailMessage) -> list[str]:
    """Return the lines of the plain body, else the lines that the HTML body shows."""
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    try:
        body = part.get_content()
    except (LookupError, ValueError, AttributeError):  # an unknown character set
        payload = part.get_payload(decode=True)
        body = decode(payload) if isinstance(payload, bytes) else str(payload)
    if part.get_content_type() == "text/html":
        return [line for line, _ in page_blocks(str(body).encode("utf-8", "replace"))[1]]
    return str(body).replace("\r\n", "\n").rstrip("\n").split("\n")


def _iso_date(header: str) -> str | None:
    try:
        return parsedate_to_datetime(header).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
