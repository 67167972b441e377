"""Messages as MIME has them: headers, texts, attachments and messages in each other.

Of alternatives the richer readable one is taken: the plain text, but for an HTML body that has a
table or much more to say.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from rag.domain import RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.archive import storable_name
from rag.ingest.formats.common import decode
from rag.ingest.formats.mail_text import HEADERS, Attachment, Body, Mail

#: parts of one message; further ones are not read
MAX_PARTS = 1000
#: multiparts in each other, and messages in messages
_MAX_DEPTH, _MAX_NESTED = 30, 10
#: characters of a header; of a longer one the beginning is read
_MAX_HEADER_CHARS = 10_000
_MAX_NAME_CHARS = 150
#: an HTML body of so many times the words of the plain one says more
_MUCH_MORE = 2
_CELLS = re.compile(r"<(?P<end>/?)(?P<tag>table|tr|td|th)\b[^<>]{0,2000}>", re.I)
_TAG = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.I | re.S)
#: parts that only prove who sent the others
_SIGNATURES = ("pkcs7-signature", "x-pkcs7-signature", "pgp-signature", "pgp-keys")
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "message/rfc822": ".eml",
}
NOT_A_MAIL = Unreadable(
    "is not an e-mail (it has no sender, date or subject)", "save it again from the mail program"
)


def parse_mail(content: bytes) -> Mail:
    """Parse a message. Raises `Unreadable` if it has neither sender nor date nor subject."""
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    mail = Mail()
    message_headers(message, mail)
    if not mail.headers:
        raise NOT_A_MAIL
    _Walker(mail).walk(message, 0)
    return mail


def message_headers(message: Message, mail: Mail) -> None:
    """Read the headers of a message into `mail`."""
    for name in HEADERS:
        raw = next((str(v) for k, v in message.raw_items() if k.lower() == name.lower()), "")
        if len(raw) > _MAX_HEADER_CHARS:
            reason = f"has more than {_MAX_HEADER_CHARS:,} characters; the rest of it is not read"
            mail.refused.append(RefusedPart(f"header {name}", reason, "shorten it, if it matters"))
        if value := decoded_header(raw[:_MAX_HEADER_CHARS]):
            mail.headers[name] = value
    mail.day = iso_date(mail.headers.get("Date", ""))


def decoded_header(raw: str) -> str:
    """Return a header on one line, with its encoded words decoded; as it stands if it is broken."""
    try:
        text = decode(raw.encode("ascii", "surrogateescape"))
    except (UnicodeEncodeError, Unreadable):
        text = raw
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError):
            text = "".join(
                part.decode(charset or "latin-1", "replace") if isinstance(part, bytes) else part
                for part, charset in decode_header(text)
            )
    return " ".join(text.split())


def iso_date(header: str) -> str | None:
    """Return the day of a Date header, or None."""
    try:
        return parsedate_to_datetime(header).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def file_name(name: str) -> str:
    """Return a name as that of one file: without slashes and control characters, not too long."""
    bare = "".join(c if c.isprintable() and c not in "/\\" else " " for c in name)
    bare = storable_name(" ".join(bare.split()).strip(". "))
    stem, dot, ending = bare.rpartition(".")
    return f"{stem[:_MAX_NAME_CHARS]}{dot}{ending[:_MAX_NAME_CHARS]}"


class _Walker:
    """Collects the bodies and attachments of a message."""

    def __init__(self, mail: Mail, parts: list[int] | None = None, nested: int = 0) -> None:
        self._mail, self._nested = mail, nested
        self._left = parts if parts is not None else [MAX_PARTS]

    def walk(self, part: Message, depth: int) -> None:
        """Add what `part` holds to the mail."""
        self._left[0] -= 1
        if self._left[0] < 0 or depth > _MAX_DEPTH:
            self._refuse_rest(self._left[0] < 0)
        elif part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Message):
                self._message(inner)
        elif part.get_content_maintype() == "message" and part.is_multipart():
            self._status(part)
        elif part.is_multipart():
            self._multipart(part, depth)
        else:
            self._leaf(part)

    def _refuse_rest(self, many: bool) -> None:
        reason = (
            f"has more than {MAX_PARTS:,} parts; the rest of them is not read"
            if many
            else "has parts that are nested too deeply to be read"
        )
        refused = RefusedPart(
            "*", reason, "open it in the mail program and save the parts as files"
        )
        if refused not in self._mail.refused:
            self._mail.refused.append(refused)

    def _message(self, message: Message) -> None:
        if self._nested >= _MAX_NESTED:
            self._refuse_rest(many=False)
            return
        inner = Mail()
        message_headers(message, inner)
        _Walker(inner, self._left, self._nested + 1).walk(message, 0)
        self._mail.bodies.append(inner)
        self._mail.refused += [r for r in inner.refused if r not in self._mail.refused]
        self._take_files(inner)

    def _status(self, part: Message) -> None:
        """Add a report of a delivery, which is blocks of headers."""
        blocks = [child for child in part.get_payload() if isinstance(child, Message)]
        lines = (
            f"{name}: {decoded_header(str(value)[:_MAX_HEADER_CHARS])}"
            for block in blocks[:MAX_PARTS]
            for name, value in block.raw_items()
        )
        self._mail.bodies.append(Body("\n".join(lines)))

    def _take_files(self, inner: Mail) -> None:
        """Make the attachments of an inner mail those of the whole, with their names in it."""
        self._mail.attachments += inner.attachments
        self._mail.pictures += inner.pictures
        inner.attachments, inner.pictures, inner.refused = [], 0, []

    def _multipart(self, part: Message, depth: int) -> None:
        kind = part.get_content_type()
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if kind == "multipart/encrypted":
            self._refuse("encrypted part", "is encrypted", "save the mail decrypted, then add it")
        elif kind == "multipart/alternative":
            self._alternatives(children, depth)
        else:
            for child in children:
                self.walk(child, depth + 1)
                if self._left[0] < 0:
                    break

    def _alternatives(self, children: list[Message], depth: int) -> None:
        """Add the texts of the richer alternative, and the attachments of all."""
        found = list[Mail]()
        for child in children:
            inner = Mail()
            _Walker(inner, self._left, self._nested).walk(child, depth + 1)
            self._mail.refused += [r for r in inner.refused if r not in self._mail.refused]
            self._mail.attachments += [
                a for a in inner.attachments if a not in self._mail.attachments
            ]
            self._mail.pictures += inner.pictures
            if inner.bodies:
                found.append(inner)
        if found:
            self._mail.bodies += richer(found).bodies

    def _leaf(self, part: Message) -> None:
        kind = part.get_content_type()
        name = _stated_name(part)
        disposition = str(part.get("Content-Disposition", ""))[:20].lower()
        if kind.split("/")[-1] in _SIGNATURES:
            return
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            reason = "is encrypted or wrapped in a signature (S/MIME)"
            self._refuse(name or "smime.p7m", reason, "save the mail decrypted, then add it")
        elif kind in ("text/plain", "text/html") and not name and "attachment" not in disposition:
            self._text(part, content, kind == "text/html")
        elif kind.startswith("image/") and part.get("Content-ID") and "attach" not in disposition:
            self._mail.pictures += 1
        elif kind.startswith("message/") and kind != "message/rfc822" and not name:
            self._text(part, content, html=False)
        elif content or name:
            number = len(self._mail.attachments) + 1
            name = file_name(name) or f"attachment {number}{_ENDINGS.get(kind, '')}"
            if "." not in name:
                name += _ENDINGS.get(kind, "")
            self._mail.attachments.append(Attachment(name, kind, content))

    def _text(self, part: Message, content: bytes, html: bool) -> None:
        try:
            text = _decoded(content, str(part.get_content_charset() or ""))
        except Unreadable as error:
            self._refuse("text", str(error), error.cure)
            return
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not html and "flowed" in str(part.get("Content-Type", ""))[:1000].lower():
            text = _unflowed(text, "delsp=yes" in str(part.get("Content-Type", ""))[:1000].lower())
        if text.strip():
            self._mail.bodies.append(Body(text, html))

    def _refuse(self, name: str, reason: str, cure: str) -> None:
        self._mail.refused.append(RefusedPart(file_name(name), reason, cure))


def richer(alternatives: Sequence[Mail]) -> Mail:
    """Return the alternative to read: the plain text, but for HTML that holds more than it."""
    texts = [[body for body in mail.bodies if isinstance(body, Body)] for mail in alternatives]
    html = next((n for n, bodies in enumerate(texts) if any(b.html for b in bodies)), None)
    plain = next((n for n, bodies in enumerate(texts) if bodies and not bodies[0].html), None)
    if html is None or plain is None:
        return alternatives[-1]
    shown = " ".join(_TAG.sub(" ", body.text) for body in texts[html])
    words = sum(len(body.text.split()) for body in texts[plain])
    more = len(shown.split()) > _MUCH_MORE * words
    return alternatives[html if more or any(map(_has_table, texts[html])) else plain]


def _has_table(body: Body) -> bool:
    """Are there two rows with two cells of text each?"""
    rows = cells = begin = 0
    for match in _CELLS.finditer(body.text):
        tag, ends = match["tag"].lower(), bool(match["end"])
        if tag in ("td", "th") and ends:
            cells += bool(_TAG.sub(" ", body.text[begin : match.start()]).strip())
        elif tag == "tr" and ends:
            rows += cells > 1
            cells = 0
        elif not ends:
            cells = 0 if tag in ("table", "tr") else cells
        begin = match.end()
    return rows > 1


def _stated_name(part: Message) -> str:
    """Return the file name of a part, or ""."""
    for header in ("Content-Disposition", "Content-Type"):
        if len(str(part.get(header, ""))) > _MAX_HEADER_CHARS:
            return ""
    try:
        return file_name(decoded_header(part.get_filename() or ""))
    except (ValueError, LookupError, TypeError, IndexError):
        return ""


def _decoded(content: bytes, charset: str) -> str:
    """Decode by the stated character set; if the content is not in it, as any file."""
    try:
        return content.decode(charset or "ascii")
    except (LookupError, ValueError):
        return decode(content)


def _unflowed(text: str, delete_blank: bool) -> str:
    """Join the lines that only a narrow window breaks (format=flowed: a blank at their end)."""
    out, open_quote = list[str](), None
    for line in text.split("\n"):
        bare = line.lstrip(">")
        quote = line[: len(line) - len(bare)]
        bare = bare.removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        if open_quote == quote and bare != "-- ":
            out[-1] += bare
        else:
            out.append(f"{quote} {bare}" if quote else bare)
        if flows and delete_blank:
            out[-1] = out[-1][:-1]
        open_quote = quote if flows else None
    return "\n".join(out)
