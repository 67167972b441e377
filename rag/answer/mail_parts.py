"""Finds the header of a mail that a question asks for, and the parts that are quoted history."""

from __future__ import annotations

import re

from rag.text import facts

#: how the names of the two headers begin in the record of a mail (`rag.ingest.formats.mail_text`)
SENDER, RECIPIENT = "From /", "To /"
#: "Who was the mail sent to?", "To whom did Olga write?", "Who got the message?"
_RECIPIENT = re.compile(
    r"(?:to whom\b.{0,300}|who(?:m)?\b.{0,200}\b(?:sent|send|addressed|address|written|write|wrote|"
    r"forwarded|forward|go|went|meant)\b.{0,100}\b(?:to|for)|"
    r"who(?:m)? (?:all )?(?:got|received|gets|receives)\b.{0,100}"
    r"\b(?:e-?mail|mail|message)\b.{0,100})"
    r"\s*\?*"
)
#: the words of such a question that ask for the header
ASKING_STEMS = frozenset(
    facts.stem(word)
    for word in "sent send addressed address written write wrote forwarded got received go".split()
)
_QUOTED = "(quoted)"


def asks_for_recipient(question: str) -> bool:
    """Does the question ask whom a mail went to, and not who sent it?"""
    return bool(_RECIPIENT.fullmatch(facts.fold_text(question).strip()))


def is_quoted(path: str) -> bool:
    """Is this the path of a part of a mail that repeats an earlier mail?"""
    return path.rstrip().endswith(_QUOTED)


def author_of(path: str) -> str:
    """The name that the heading of a part of a mail begins with: "Olga Stein, 9 May 2024"."""
    return path.rpartition(" > ")[2].rpartition(" › ")[2].split(",")[0]
