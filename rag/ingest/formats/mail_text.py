"""A mail as a document: its headers, then the words of each person under who wrote them and when.

    From: Rolf Emde <rolf@example.org>         a record of the cells From, Date and Subject
    Date: Tue, 10 Sep 2024 10:00:00 +0200
    Subject: Re: fence

    The price of the fence is 2,300 euros.     under the heading "Rolf Emde, 10 September 2024"

    On Mon, 9 Sep 2024, Olga Stein wrote:      a record of the cells From and Date
    > I want to paint it green.                under "Olga Stein, 9 September 2024 (quoted)"

The headings are no lines of the text: they are what its parts belong to. Signatures, disclaimers
and notes of devices are masked.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.domain import Cell, RawDocument, RefusedPart, Span, Unit, UnitKind
from rag.ingest.formats.common import check_length, iso_day
from rag.ingest.formats.html_mail import html_body
from rag.ingest.structure.find import find_units
from rag.ingest.structure.replies import MailLine, Origin, Part, divide, person, plain_lines
from rag.ingest.structure.signatures import additions
from rag.text.units import unit_order

#: the headers that are shown, in their order
HEADERS = ("From", "To", "Cc", "Bcc", "Date", "Subject")
#: the words that people ask for a header with
_ASKED_AS = {
    "From": "From / sender, author of the mail, e-mail, email, message: sent, send, wrote, write",
    "Date": "Date / mail, e-mail, email, message sent, dated, written",
    "Subject": "Subject / title of the mail, e-mail, email, message",
    "To": "To / recipient of the mail, e-mail, email, message: addressed, received, got",
    "Cc": "Cc / copy of the mail, e-mail, email, message",
    "Bcc": "Bcc / blind copy of the mail, e-mail, email, message",
    "Attachment": "Attachment / attached to the mail, e-mail, email, message",
}
#: the cells of a mail's record. The others are a record each: in one record, what somebody wrote
#: would be answered by a mail that somebody got, and by the subject, which is the title already
_IN_RECORD = ("From", "Date")
_FORWARD_MARKS = ("fwd:", "fw:", "wg:", "tr:", "rv:", "i:", "enc:", "vs:", "doorst:")
_MAX_HEADING_CHARS = 120
_MAX_NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail."""

    name: str
    kind: str  #: media type
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """A text of a mail."""

    text: str
    html: bool = False


@dataclass(slots=True)
class Mail:
    """A mail, however it is stored."""

    headers: dict[str, str] = field(default_factory=dict)  #: those of `HEADERS`, each on one line
    day: str | None = None  #: of its date, ISO 8601
    bodies: list[Body | Mail] = field(default_factory=list)  #: its texts and the mails in it
    attachments: list[Attachment] = field(default_factory=list)
    refused: list[RefusedPart] = field(default_factory=list)
    pictures: int = 0  #: shown within its text

    @property
    def author(self) -> str:
        """The name of the sender, or the address if there is no name."""
        return person(self.headers.get("From", ""))

    @property
    def label(self) -> str:
        """Its day, sender and subject."""
        parts = (self.day, self.author, self.headers.get("Subject"))
        return " ".join(part for part in parts if part)[:_MAX_HEADING_CHARS]


def mail_document(mail: Mail, name: str = "") -> RawDocument:
    """Return the document of a mail. `name` is that of a mail in a mailbox."""
    composer = _Composer()
    composer.mail(mail, Origin("", mail.author, mail.day or mail.headers.get("Date", "")))
    text = "".join(composer.texts)
    check_length(len(text), text.count("\n"))
    author, day = mail.author, mail.day
    title = mail.headers.get("Subject") or _joined(
        ", ", "Mail" + (author and f" from {author}"), _spoken(day or "")
    )
    return RawDocument(
        text,
        title,
        day,
        masked=tuple(sorted(composer.masked)),
        name=name,
        headings=tuple(sorted(composer.headings)),
        units=tuple(sorted(composer.units, key=unit_order)),
    )


class _Composer:
    """Collects the text of a mail, its units, headings and masks."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.units: list[Unit] = []
        self.headings: list[tuple[int, int, str]] = []
        self.masked: list[Span] = []
        self._length = 0

    def _add(self, text: str) -> int:
        """Append `text`. Returns where it begins."""
        begin = self._length
        self.texts.append(text)
        self._length += len(text)
        check_length(self._length)
        return begin

    def mail(self, mail: Mail, origin: Origin, level: int = 1) -> None:
        """Add a mail; one that lies in another has a `level` above 1."""
        self._mark(origin, level)
        self._headers(mail)
        forward = mail.headers.get("Subject", "").lower().startswith(_FORWARD_MARKS)
        for body in mail.bodies:
            self._add("\n")
            if isinstance(body, Mail):
                day = body.day or body.headers.get("Date", "")
                subject = body.headers.get("Subject", "")
                self.mail(body, Origin("forwarded", body.author, day, subject), level + 1)
            elif body.html:
                self._html(body, origin, level, forward)
            else:
                text = body.text.rstrip("\n")
                at = self._add(text + "\n")
                lines = plain_lines(text, at)
                self._parts(divide(lines, origin, forward), origin, level, find=True)

    def _headers(self, mail: Mail) -> None:
        cells, begin = list[Cell](), self._length
        shown = [(name, mail.headers[name]) for name in HEADERS if mail.headers.get(name)]
        shown += [
            ("Attachment", f"{file.name} ({file.kind})" if file.kind else file.name)
            for file in mail.attachments
        ]
        for name, value in shown:
            at = self._add(f"{name}: {value}\n")
            start = at + len(name) + 2
            cell = Cell(_ASKED_AS[name], Span(start, start + len(value)), Span(at, at + len(name)))
            if name in _IN_RECORD:
                cells.append(cell)
            else:
                self.units.append(Unit(UnitKind.RECORD, Span(at, cell.span.end), "", (cell,)))
        if cells:
            span = Span(begin, self._length - 1)
            self.units.append(Unit(UnitKind.RECORD, span, "", tuple(cells)))

    def _mark(self, origin: Origin, level: int, at: int | None = None) -> None:
        heading = heading_of(origin)
        if heading:
            self.headings.append((self._length if at is None else at, level, heading))

    def _parts(self, parts: Sequence[Part], own: Origin, level: int, find: bool) -> None:
        """Record the parts of a body that was added; `find`: also the units of its text."""
        for number, part in enumerate(parts):
            if number or part.origin is not own:
                self._mark(part.origin, level, part.lines[0].begin)
            cells = tuple(
                Cell(_ASKED_AS[name], span)
                for name, span in part.origin.cells
                if name in _IN_RECORD
            )
            if part.head and cells:
                span = Span(part.lines[0].start, part.lines[part.head - 1].end)
                self.units.append(Unit(UnitKind.RECORD, span, "", cells))
            said = part.lines[part.head :]
            masked = additions(said, goes_on=number > 0)
            self.masked += masked
            if find:
                self.units += _units_in(said, masked)

    def _html(self, body: Body, origin: Origin, level: int, forward: bool) -> None:
        found = html_body(body.text)
        if found is None:
            return
        at = self._add(found.text.rstrip("\n") + "\n")
        lines = [
            MailLine(at + s.start, at + s.start, at + s.end, depth, s.of(found.text))
            for s, depth in found.lines
        ]
        parts = divide(lines, origin, forward)
        self._parts(parts, origin, level, find=found.units is None)
        heads = [
            Span(part.lines[0].start, part.lines[part.head - 1].end) for part in parts if part.head
        ]
        for unit in found.units or ():
            moved = shifted(unit, at)
            if not any(moved.span.overlaps(head) for head in heads):
                self.units.append(moved)
        self.headings += [
            (at + start, level + depth, title) for start, depth, title in found.headings
        ]


def heading_of(origin: Origin) -> str:
    """Return whose words a part holds: "Olga Stein, 9 September 2024 (quoted)"."""
    who = _joined(", ", origin.author[:_MAX_NAME_CHARS], _spoken(origin.date))
    if origin.kind:
        who = f"{who} ({origin.kind})" if who else origin.kind.capitalize()
    return _joined(": ", who, origin.subject[:_MAX_NAME_CHARS])


def _joined(divider: str, *parts: str) -> str:
    return divider.join(part for part in parts if part)


def _spoken(date: str) -> str:
    """Return the day of a date as "9 September 2024", or the date as it stands."""
    day = iso_day(date)
    if day is None:
        return date[:_MAX_NAME_CHARS].strip(" ,")
    found = datetime.date.fromisoformat(day)
    return f"{found.day} {found:%B %Y}"


def _units_in(lines: Sequence[MailLine], masked: Sequence[Span]) -> Iterator[Unit]:
    """Yield the units in the words of one author, whose lines may have marks of quotation."""
    texts, starts, places, length = list[str](), list[int](), list[int](), 0
    for line in lines:
        number = bisect_right(masked, line.start, key=lambda span: span.start) - 1
        hidden = number >= 0 and line.start < masked[number].end
        text = "" if hidden else line.raw
        texts.append(text)
        starts.append(length)
        places.append(line.start)
        length += len(text) + 1

    def place(span: Span) -> Span:
        first = bisect_right(starts, span.start) - 1
        last = bisect_right(starts, max(span.start, span.end - 1)) - 1
        return Span(
            places[first] + span.start - starts[first], places[last] + span.end - starts[last]
        )

    for unit in find_units("\n".join(texts)):
        yield replace(
            unit,
            span=place(unit.span),
            cells=tuple(
                replace(cell, span=place(cell.span), name=place(cell.name) if cell.name else None)
                for cell in unit.cells
            ),
        )


def shifted(unit: Unit, by: int) -> Unit:
    """Return a unit whose places are `by` characters later."""

    def moved(span: Span) -> Span:
        return Span(span.start + by, span.end + by)

    return replace(
        unit,
        span=moved(unit.span),
        cells=tuple(
            replace(cell, span=moved(cell.span), name=moved(cell.name) if cell.name else None)
            for cell in unit.cells
        ),
    )
