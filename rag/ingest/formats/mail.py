"""Mail files: one message (.eml, .emlx) and mailboxes of many (.mbox), by the standard library.

A message is a document; its attachments are yielded as files, which their own readers read. The
messages of a mailbox are a document each, as members of an archive are, named by day, sender and
subject: each has a date and a title of its own, and when mails are added, the others stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.archive import Member
from rag.ingest.formats.mail_text import Mail, mail_document
from rag.ingest.formats.mime import NOT_A_MAIL, file_name, parse_mail

#: messages of a mailbox
MAX_MESSAGES = 50_000
#: the line before each message of a mailbox: "From olga@example.org Mon Sep  9 10:00:00 2024"
_SEPARATOR = re.compile(
    rb"(?:\A|(?<=\n))From (?:[^\n]{0,200} )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +"
    rb"(?:\d\d? +)?[A-Z][a-z]{2} [^\n]{0,20}\d\d:\d\d[^\n]{0,60}\n"
)
_ESCAPED = re.compile(rb"^>(>*From )", re.M)

Part = RawDocument | RefusedPart | Member


def read_eml(content: bytes) -> Iterator[Part]:
    """Yield one message, then its attachments, then what of it is not read."""
    yield from mail_parts(parse_mail(content), "")


def read_emlx(content: bytes) -> Iterator[Part]:
    """Yield one message of Apple Mail: its length on a line, the message, settings."""
    length, _, rest = content.partition(b"\n")
    if not length.strip().isdigit():
        raise NOT_A_MAIL
    yield from read_eml(rest[: int(length[:20])])


def read_mbox(content: bytes) -> Iterator[Part]:
    """Yield the messages of a mailbox with their attachments, in the order of the file."""
    starts = list(_SEPARATOR.finditer(content))
    if not starts or content[: starts[0].start()].strip():
        raise Unreadable(
            'is not a mailbox (it does not begin with a line "From …")',
            "export it again from the mail program",
        )
    for number, start in enumerate(starts[:MAX_MESSAGES]):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(content)
        message = _ESCAPED.sub(rb"\1", content[start.end() : end])
        try:
            mail = parse_mail(message)
            name = "/" + (file_name(mail.label) or f"message {number + 1}")
            yield from mail_parts(mail, name)
        except (Unreadable, RecursionError) as error:
            reason = str(error) if isinstance(error, Unreadable) else "is nested too deeply"
            cure = getattr(error, "cure", "open it in its own program and save it again")
            yield RefusedPart(f"/message {number + 1}", reason, cure)
    if len(starts) > MAX_MESSAGES:
        more = len(starts) - MAX_MESSAGES
        yield RefusedPart("/*", f"{more:,} more messages were not read", "divide the mailbox")


def mail_parts(mail: Mail, name: str) -> Iterator[Part]:
    """Yield the document of a mail, its attachments and what was refused. `name`: in a mailbox."""
    yield mail_document(mail, name)
    for file in mail.attachments:
        yield Member(f"{name}/{file.name}".lstrip("/"), file.content)
    for refused in mail.refused:
        yield RefusedPart(f"{name}/{refused.name}", refused.reason, refused.cure)
    if mail.pictures:
        count = f"{mail.pictures} pictures" if mail.pictures > 1 else "a picture"
        yield RefusedPart(
            f"{name}/pictures",
            f"has {count} in its text, and text in pictures is not recognised",
            "save the pictures as files and run OCR on them, if they show text",
        )
