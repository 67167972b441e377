"""E-mail (.eml), by the standard library: the headers a person sees, the body, the names of what is attached."""

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
    """One message. Attachments are named, not read; a plain body is taken before one in HTML."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    headers = {name: _header(message, name) for name in _HEADERS}
    if not any(headers.values()):
        raise Unreadable(
            "is not an e-mail (it has no sender, date or subject)",
            "save it again from the mail program",
        )
    lines = LineBuilder()
    for name, said in headers.items():
        if said:
            lines.add(f"{name}: {said}")
    for part in message.iter_attachments() if message.is_multipart() else ():
        name = " ".join((part.get_filename() or "without a name").split())
        lines.add(f"Attachment: {name} ({part.get_content_type()})")
    lines.add()
    for line in _body_lines(message):
        lines.add(line)
    yield lines.raw(headers["Subject"], _iso_date(headers["Date"]))


def _header(message: EmailMessage, name: str) -> str:
    """A header in one line; as it was written where it breaks the rules for headers."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, LookupError, AttributeError, IndexError, TypeError):
        return " ".join(
            next((str(v) for k, v in message.raw_items() if k.lower() == name.lower()), "").split()
        )


def _body_lines(message: EmailMessage) -> list[str]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    try:
        words = part.get_content()
    except (LookupError, ValueError, AttributeError):  # a character set that there is not
        payload = part.get_payload(decode=True)
        words = decode(payload) if isinstance(payload, bytes) else str(payload)
    if part.get_content_type() == "text/html":
        return [line for line, _ in page_blocks(str(words).encode("utf-8", "replace"))[1]]
    return str(words).replace("\r\n", "\n").rstrip("\n").split("\n")


def _iso_date(said: str) -> str | None:
    try:
        return parsedate_to_datetime(said).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
