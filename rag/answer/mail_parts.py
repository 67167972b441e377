"""Finds the header of a mail that a question asks for, quoted history, and who says "I"."""

from __future__ import annotations

import re

from rag.domain import Chunk, Span, UnitKind
from rag.text import facts

#: how the names of the headers begin in the record of a mail (`rag.ingest.formats.mail_text`)
SENDER, RECIPIENT, DATE = "From /", "To /", "Date /"
#: "Who was the mail sent to?", "To whom did Olga write?", "Who got the message?"
_RECIPIENT = re.compile(
    r"(?:to whom\b.{0,300}|who(?:m)?\b.{0,200}\b(?:sent|send|addressed|address|written|write|wrote|"
    r"forwarded|forward|go|went|meant)\b.{0,100}\b(?:to|for)|"
    r"who(?:m)? (?:all )?(?:got|received|gets|receives)\b.{0,100}"
    r"\b(?:e-?mail|mail|message)\b.{0,100})"
    r"\s*\?*"
)
#: "When does the meeting take place?", not "When is the mail dated?"
_PLANNED = re.compile(
    r"\b(?:when|what (?:day|date|time)|which day) (?:do|does|is|are|will|can|must|should)\b"
    r"(?!.{0,100}\b(?:dated|written|sent|e-?mail|mail|message)\b)"
)
#: the words of a question for the recipient that ask for the header
ASKING_STEMS = frozenset(
    facts.stem(word)
    for word in "sent send addressed address written write wrote forwarded got received go".split()
)
_QUOTED = "(quoted)"
#: the heading of a part of a mail: "Olga Stein, 9 May 2024 (quoted)"
_MAIL_HEADING = re.compile(r"[^,\d]{2,60}, \d{1,2} [A-Z][a-z]{2,8} \d{4}(?: \(quoted\))?")
_SPEAKER = re.compile(r"[^\W\d_a-z][\w.'\u2019-]{0,30}(?: [^\W\d_a-z][\w.'\u2019-]{0,30}){0,2}")
_I = re.compile(r"\bI(?:['\u2019](?:d|ll|m|ve)\b|\b(?!['\u2019.]))")


def asks_for_recipient(question: str) -> bool:
    """Does the question ask whom a mail went to, and not who sent it?"""
    return bool(_RECIPIENT.fullmatch(facts.fold_text(question).strip()))


def asks_for_plan(question: str) -> bool:
    """Does the question ask when something is to be, which the date of a mail does not say?"""
    return bool(_PLANNED.search(facts.fold_text(question)))


def is_quoted(path: str) -> bool:
    """Is this the path of a part of a mail that repeats an earlier mail?"""
    return path.rstrip().endswith(_QUOTED)


def author_of(path: str) -> str:
    """The name that the heading of a part of a mail begins with: "Olga Stein, 9 May 2024"."""
    return path.rpartition(" > ")[2].rpartition(" › ")[2].split(",")[0]


def says_i(sentence: str) -> bool:
    """Does the writer of a sentence speak of himself or herself?"""
    return bool(_I.search(sentence))


def speaker_of(chunk: Chunk, place: Span) -> str:
    """Who writes or says what stands at `place`: the sender of the mail, or the speaker; or ""."""
    for unit in chunk.units:
        if unit.kind is UnitKind.ENTRY and unit.cells and place.within(unit.span):
            header = unit.cells[0].header.strip()
            return header if _SPEAKER.fullmatch(header) else ""
    headings = [
        unit.context.rpartition(" > ")[2]
        for unit in chunk.units
        if unit.kind is UnitKind.SECTION and unit.span.start <= place.start < unit.span.end
    ]
    return author_of(headings[-1]) if headings and _MAIL_HEADING.fullmatch(headings[-1]) else ""
