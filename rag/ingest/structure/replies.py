"""Divides the lines of a mail by whose words they are: the sender's, quoted history, a forward.

A mail quotes with ">" before each line, under a line such as "On Mon, 9 Sep 2024, Olga wrote:", or
below a block of "From: …", "Sent: …" lines, with or without "-----Original Message-----" above.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rag.domain import Span
from rag.ingest.structure.lines import MAX_LINE_CHARS

#: lines that an attribution or the value of a header may go on for
_MAX_ATTRIBUTION_LINES = 3
_MAX_ATTRIBUTION_CHARS = 300
#: parts of one body; what follows belongs to the last one
_MAX_PARTS = 1000
#: levels of quotation; deeper ones count as this one
_MAX_DEPTH = 20
#: the names that mail programs of several languages give the headers of a quoted mail
_HEADER_WORDS = {
    "From": "from von de da van från fra od от 发件人 差出人",
    "Date": "date sent datum gesendet envoyé fecha enviado data inviato verzonden skickat sendt "
    "дата",
    "To": "to an à para a aan till til do кому 收件人 宛先",
    "Cc": "cc kopie copie",
    "Subject": "subject betreff objet asunto oggetto onderwerp ämne emne assunto temat тема "
    "主题 件名",
}
_HEADER_BY_WORD = {word: name for name, words in _HEADER_WORDS.items() for word in words.split()}
_HEADER = re.compile(r"[*_]{0,2}(?P<name>[^\W\d_]{1,12})\s?:[*_]{0,2}\s+(?P<value>\S.*)")
_FORWARDED = re.compile(
    r"-{2,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|"
    r"messaggio inoltrato|doorgestuurd bericht)[^-]{0,60}-{2,}|begin forwarded message:|"
    r"anfang der weitergeleiteten nachricht:",
    re.I,
)
_ORIGINAL = re.compile(
    r"-{2,}\s*(?:original message|original appointment|ursprüngliche nachricht|"
    r"originalnachricht|message d'origine|mensaje original|messaggio originale|"
    r"oorspronkelijk bericht|reply message|antwortnachricht)\s*-{2,}|_{10,}",
    re.I,
)
_VERB = (
    r"wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał\(?a?\)?|"
    r"пишет|написал\(?а?\)?"
)
#: "On Mon, 9 Sep 2024, Olga Stein wrote:" and "Am 9.9.2024 um 10:00 schrieb Olga Stein:"
_DATED_ATTRIBUTION = re.compile(
    rf"(?:on|am|le|el|il|op|den|em|dnia|w dniu)\s+(?P<head>\S.{{1,220}}?)\s(?:{_VERB})"
    r"(?P<tail>\s.{1,100})?\s?:",
    re.I,
)
#: "Olga Stein <olga@example.org> wrote on 9 September 2024:"
_NAMED_ATTRIBUTION = re.compile(
    rf"(?P<head>[^\W\d_].{{1,120}}?)\s(?:{_VERB})(?P<tail>\s.{{1,60}})?\s?:", re.I
)
#: "2024-09-09 10:00 GMT+02:00 Olga Stein <olga@example.org>:"
_STAMPED_ATTRIBUTION = re.compile(
    r"(?P<head>\d{4}-\d\d-\d\d \d\d?:\d\d.{1,150}?@[^\s@]{1,80}>)\s?:"
)
_ADDRESS = re.compile(r"\s*[<(\[](?:mailto:)?[^<>()\[\]\s]+@[^<>()\[\]\s]+[>)\]]")
_ZONE = (
    r"(?:\s?(?:[ap]\.?m\b\.?|uhr\b|(?:gmt|utc)?[+-]\d\d:?\d\d|\(?[A-Z]{2,4}T\)?(?!\w)|utc\b|gmt\b))"
)
_DATE_HEAD = re.compile(rf"(?P<date>.*\d{_ZONE}*)(?:\s*,\s*|\s+)(?P<name>\D+)", re.I)
_DAY_HEAD = re.compile(r"(?P<date>\w+),?\s+(?P<name>\D+)")
_CLOCK = re.compile(r"\b\d\d?:\d\d\b")


class MailLine(NamedTuple):
    """A line of a mail: `start` and `end` without the marks of quotation before it."""

    begin: int  #: of the line, with the marks
    start: int
    end: int
    depth: int  #: of quotation
    raw: str  #: without the marks, with its indentation

    @property
    def text(self) -> str:
        """The line without blanks around it; "" for a very long one, which is prose."""
        return self.raw.strip() if len(self.raw) <= MAX_LINE_CHARS else ""

    def place(self, start: int, end: int) -> Span:
        """The place in the document of a part of `text`."""
        at = self.start + len(self.raw) - len(self.raw.lstrip())
        return Span(at + start, at + end)


@dataclass(slots=True)
class Origin:
    """Who wrote a part of a mail and when, as far as the mail says so."""

    kind: str  #: "" for the sender's own words, else "quoted" or "forwarded"
    author: str = ""
    date: str = ""  #: as written
    subject: str = ""
    #: name of a header, as it is known, and the place of its value
    cells: list[tuple[str, Span]] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """Consecutive lines of one origin. The first `head` lines say whose words follow."""

    origin: Origin
    lines: list[MailLine]
    head: int = 0


def plain_lines(text: str, at: int = 0) -> list[MailLine]:
    """Return the lines of a plain body that stands at offset `at` of its document."""
    lines = []
    for raw in text.split("\n"):
        depth = place = 0
        while place < len(raw) and depth < _MAX_DEPTH:
            if raw[place] == ">":
                depth, place = depth + 1, place + 1
            elif raw[place] == " " and raw[place + 1 : place + 2] == ">":
                place += 1
            else:
                break
        place += bool(depth) and raw[place : place + 1] == " "
        lines.append(MailLine(at, at + place, at + len(raw), depth, raw[place:]))
        at += len(raw) + 1
    return lines


def divide(lines: Sequence[MailLine], own: Origin, forward: bool = False) -> list[Part]:
    """Return the parts of a body in order. `forward`: its subject says that it forwards a mail."""
    origins = {0: own}
    parts = [Part(own, [])]
    number = 0
    while number < len(lines):
        line = lines[number]
        if len(parts) >= _MAX_PARTS:
            parts[-1].lines += lines[number:]
            break
        found = _head(lines, number, forward) if line.text else None
        if found:
            origin, number_after, depth = found
            origins = {d: o for d, o in origins.items() if d < depth} | {depth: origin}
            parts.append(Part(origin, list(lines[number:number_after]), number_after - number))
            number = number_after
            continue
        origin = _origin_at(line, parts[-1], origins)
        if origin is not parts[-1].origin:
            parts.append(Part(origin, []))
        parts[-1].lines.append(line)
        number += 1
    return [part for part in parts if any(line.raw.strip() for line in part.lines)]


def _origin_at(line: MailLine, last: Part, origins: dict[int, Origin]) -> Origin:
    """Return the origin of a line that is no attribution; a blank one belongs to the last part.

    An answer between the lines of a quotation does not end it: the same author goes on below.
    """
    if not line.raw.strip() and last.lines:
        return last.origin
    return origins.setdefault(line.depth, Origin("quoted"))


def _head(lines: Sequence[MailLine], number: int, forward: bool) -> tuple[Origin, int, int] | None:
    """Return the origin that a line names, the number of the line after it, and its depth."""
    block = _header_block(lines, number, forward)
    found = block or _attribution(lines, number)
    if found is None:
        return None
    origin, last = found
    following = next((line for line in lines[last : last + 5] if line.text), None)
    depth = lines[number].depth
    if following is None or following.depth < depth:
        return None
    if following.depth == depth and not origin.cells:
        return None
    if following.depth == depth == 0 and block is None:  # "Peter wrote:" may be said in a letter
        text = " ".join(line.text for line in lines[number:last])
        if "@" not in text and not _CLOCK.search(text):
            return None
    return origin, last, following.depth


def _header_block(
    lines: Sequence[MailLine], number: int, forward: bool
) -> tuple[Origin, int] | None:
    """Return the origin of a block of headers ("From: …", "Sent: …") that begins at a line."""
    first, begin = lines[number], number
    divided = _FORWARDED.fullmatch(first.text) or _ORIGINAL.fullmatch(first.text)
    if divided:
        begin += 1
        while begin < min(len(lines), number + 4) and not lines[begin].text:
            begin += 1
    kind = "forwarded" if forward or _FORWARDED.fullmatch(first.text) else "quoted"
    origin, last = Origin(kind), begin
    while last < len(lines) and lines[last].depth == first.depth:
        match = _HEADER.fullmatch(lines[last].text)
        name = _HEADER_BY_WORD.get(match["name"].lower()) if match else None
        if match and name and name not in dict(origin.cells):
            value = Span(match.start("value"), len(lines[last].text.rstrip("*_ ")))
            origin.cells.append((name, lines[last].place(value.start, value.end)))
            _fill(origin, name, value.of(lines[last].text))
        elif not origin.cells or not _goes_on(lines[last], lines[last - 1]):
            break
        last += 1
    names = dict(origin.cells)
    if "From" not in names or not (divided or "Date" in names) or len(names) < 2:
        return None
    if not divided and origin.cells[0][0] != "From":
        return None
    return origin, last


def _goes_on(line: MailLine, above: MailLine) -> bool:
    """Is the line the rest of a long header, such as a list of addresses?"""
    return bool(line.text) and (line.raw[:1] in " \t" or above.text.endswith((",", ";")))


def _fill(origin: Origin, name: str, value: str) -> None:
    if name == "From":
        origin.author = person(value)
    elif name == "Date":
        origin.date = value
    elif name == "Subject":
        origin.subject = value


def person(address: str) -> str:
    """Return the name in "Olga Stein <olga@example.org>", or the address if there is no name."""
    name = _ADDRESS.sub("", address[:_MAX_ATTRIBUTION_CHARS]).strip(" \"'*_,;:")
    return name or address.strip(" <>()[]\"'*_,;:")


def _attribution(lines: Sequence[MailLine], number: int) -> tuple[Origin, int] | None:
    """Return the origin that "On …, … wrote:" names, and the line after it."""
    text, joined = "", list[tuple[int, MailLine]]()
    for line in lines[number : number + _MAX_ATTRIBUTION_LINES]:
        if not line.text or line.depth != lines[number].depth:
            return None
        text += " " if text else ""
        joined.append((len(text), line))
        text += line.text
        if len(text) > _MAX_ATTRIBUTION_CHARS:
            return None
        if text.endswith(":"):
            break
    if not text.endswith(":"):
        return None
    dated = _DATED_ATTRIBUTION.fullmatch(text) or _STAMPED_ATTRIBUTION.fullmatch(text)
    named = None if dated else _NAMED_ATTRIBUTION.fullmatch(text)
    match = dated or named
    if match is None or (len(joined) > 1 and not dated):
        return None
    author, date = _who_and_when(text, match)
    origin = Origin("quoted", person(author.of(text)), date.of(text))
    for name, span in (("From", author), ("Date", date)):
        if span.start < span.end:
            origin.cells.append((name, _place(joined, span)))
    origin.cells.sort(key=lambda cell: cell[1])
    return origin, number + len(joined)


def _who_and_when(text: str, match: re.Match[str]) -> tuple[Span, Span]:
    """Return the places of author and date in an attribution; empty if it does not name them."""
    head = Span(*match.span("head"))
    tail = Span(0, 0)
    if "tail" in match.re.groupindex and match["tail"]:
        tail = Span(match.start("tail") + 1, match.end("tail"))
    if match.re is _NAMED_ATTRIBUTION:
        return head, tail
    if tail.start < tail.end:  # "Am … schrieb Olga Stein"
        return tail, head
    without = _ADDRESS.sub(lambda found: " " * len(found[0]), head.of(text))
    parts = _DATE_HEAD.fullmatch(without) or _DAY_HEAD.fullmatch(without)
    if parts is None:
        return head, Span(0, 0)
    date = Span(head.start + parts.start("date"), head.start + parts.end("date"))
    return Span(head.start + parts.start("name"), head.end), date


def _place(joined: Sequence[tuple[int, MailLine]], span: Span) -> Span:
    """Return the place in the document of a part of the text of lines joined by blanks."""

    def place(at: int) -> int:
        begin, line = next((b, ln) for b, ln in reversed(joined) if b <= at)
        return line.place(at - begin, at - begin).start

    return Span(place(span.start), place(span.end - 1) + 1)
