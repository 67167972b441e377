"""Contact cards (.vcf): each card is a record with a line and a cell for each thing it says.

Name: Anna Berg
Organisation: Bakery Berg
Phone (work): +47 55 12 34 56
E-mail: anna@example.org
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.content_lines import ContentLine, content_lines, folded_blanks
from rag.ingest.formats.records import add_record

#: name of a property -> name of the line, and the words that people ask for it with
_FIELDS = {
    "FN": ("Name", ""),
    "NICKNAME": ("Nickname", ""),
    "ORG": ("Organisation", "organization, company, employer, works for"),
    "TITLE": ("Title", "job, position, profession"),
    "ROLE": ("Role", "job, position"),
    "TEL": ("Phone", "telephone, number"),
    "EMAIL": ("E-mail", "email, mail"),
    "ADR": ("Address", "lives, street, town, city"),
    "LABEL": ("Address", "lives, street, town, city"),
    "BDAY": ("Birthday", "birth date, born"),
    "ANNIVERSARY": ("Anniversary", "wedding"),
    "URL": ("Website", "web page, homepage, URL"),
    "IMPP": ("Messenger", "chat"),
    "CATEGORIES": ("Categories", "group, tag"),
    "NOTE": ("Note", ""),
    "RELATED": ("Related", "family"),
    "TZ": ("Time zone", ""),
    "LANG": ("Language", "speaks"),
    "GENDER": ("Gender", ""),
    "X-SKYPE": ("Skype", ""),
    "X-SPOUSE": ("Spouse", "wife, husband, married"),
    "X-MANAGER": ("Manager", "boss"),
    "X-ASSISTANT": ("Assistant", ""),
}
_PICTURES = ("PHOTO", "LOGO", "SOUND", "KEY")
#: types that say nothing of what a value is for
_PLAIN_KINDS = {"voice", "pref", "internet", "x400", "text", "uri", "video", "msg"}
_MAX_KIND_CHARS = 40
#: street, town, region, code, country follow a box and an extension
_NAME_ORDER = (3, 1, 2, 0, 4)


def read_vcf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield the cards of a file as one document, and how many pictures in them are not read."""
    lines, cards, pictures = LineBuilder(), 0, 0
    name = ""
    for card in _cards(content):
        pictures += sum(line.name in _PICTURES for line in card)
        fields = list(_fields(card))
        if not fields:
            continue
        name = fields[0][1]
        lines.mark(name)
        add_record(lines, fields, "contact card")
        lines.add()
        cards += 1
    if not cards:
        raise Unreadable("holds no contact card", "export it again from the address book")
    raw = lines.raw(name if cards == 1 else "", lines=True)
    yield replace(raw, date=None)
    if pictures:
        reason = f"has {pictures:,} pictures, sounds or keys, which are not read"
        yield RefusedPart("/pictures", reason, "nothing, if the text of the cards is enough")


def _cards(content: bytes) -> Iterator[list[ContentLine]]:
    """Yield the properties of each card."""
    card: list[ContentLine] | None = None
    for line in content_lines(content):
        if line.name == "BEGIN" and line.raw.strip().upper() == "VCARD":
            card = []
        elif line.name == "END" and line.raw.strip().upper() == "VCARD":
            if card:
                yield card
            card = None
        elif card is not None:
            card.append(line)


def _fields(card: Iterable[ContentLine]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and words asked with of each field; the name of the person first."""
    card = list(card)
    labels = {line.group: line.text.strip("_$!<>") for line in card if line.name == "X-ABLABEL"}
    name = next((line.text for line in card if line.name == "FN" and line.text), "")
    name = folded_blanks(name) or _built_name(card)
    if name:
        yield "Name", name, "who"
    for line in card:
        if line.name not in _FIELDS or line.name == "FN":
            continue
        title, words = _FIELDS[line.name]
        if value := _value(line):
            kinds = [labels[line.group]] if line.group and line.group in labels else _kinds(line)
            if kinds:
                title += f" ({', '.join(kinds)[:_MAX_KIND_CHARS]})"
            yield title, value, words


def _kinds(line: ContentLine) -> list[str]:
    return [kind for kind in dict.fromkeys(line.kinds()) if kind not in _PLAIN_KINDS]


def _built_name(card: Iterable[ContentLine]) -> str:
    """Return prefix, given names, family name and suffix as one name, else the organisation."""
    for wanted in ("N", "ORG", "NICKNAME", "EMAIL"):
        for line in card:
            if line.name == wanted:
                parts = line.parts(";")
                order = _NAME_ORDER if wanted == "N" else range(len(parts))
                if name := folded_blanks(" ".join(parts[n] for n in order if n < len(parts))):
                    return name
    return ""


def _value(line: ContentLine) -> str:
    if line.name in ("ADR", "ORG"):
        parts = [folded_blanks(part) for part in line.parts(";")]
        if line.name == "ADR" and len(parts) >= 6:  # the code stands before the town
            parts[3], parts[5] = "", " ".join(filter(None, (parts[5], parts[3])))
            parts[4], parts[5] = parts[5], parts[4]
        return ", ".join(filter(None, parts))
    if line.name in ("CATEGORIES", "NICKNAME"):
        return ", ".join(filter(None, map(folded_blanks, line.parts(","))))
    if line.name in ("BDAY", "ANNIVERSARY"):
        return _day(line.text)
    text = folded_blanks(line.text)
    for scheme in ("tel:", "mailto:", "xmpp:"):
        text = text.removeprefix(scheme)
    return text


def _day(text: str) -> str:
    """Return a day as 1980-05-01, without its time; a day of no year as --05-01."""
    day = text.partition("T")[0]
    if len(day) == 8 and day.isdigit():
        return f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return day
