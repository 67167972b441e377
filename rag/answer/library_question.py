"""Recognises questions about the library itself, such as which documents it has or which names X.

Only whole questions are taken: "How many documents are there?" is one, "How many documents did the
police find?" is a question about what a document says. A word such as "PDFs" limits the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

#: endings of the names of files, by the words for a kind of file
_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"pdfs?", (".pdf",)),
    (r"spreadsheets?|excel", (".xlsx", ".xls", ".ods", ".csv", ".tsv")),
    (r"csvs?", (".csv",)),
    (r"word", (".docx", ".doc", ".odt")),
    (r"e-?mails?|mails?", (".eml", ".msg", ".mbox")),
    (r"text|txt", (".txt",)),
    (r"markdown", (".md", ".markdown")),
    (r"web ?pages?|html", (".html", ".htm")),
    (r"presentations?|slides|powerpoint", (".pptx", ".ppt", ".odp")),
    (r"e-?books?|epubs?", (".epub",)),
)
_KIND = (
    r"(?P<kind>(?:(?:pdf|excel|word|csv|text|txt|markdown|html|e-?mail|mail|powerpoint) )?"
    r"(?:documents?|docs|files?)|pdfs?|spreadsheets?|csvs|e-?mails?|mails?|web ?pages?|"
    r"presentations?|e-?books?|epubs?)"
)
_LIBRARY = r"(?:(?:the|my|this|your) (?:library|collection|folder)|here)"
_HERE = (
    rf"(?: (?:do (?:you|i|we) (?:have|know|hold)|are (?:there|available|known|indexed|loaded|in "
    rf"{_LIBRARY})|is there|have (?:i|we) added|did (?:i|we) add|does {_LIBRARY} "
    rf"(?:have|hold|contain))(?: (?:in|of) {_LIBRARY})?)"
)
_OWNED = rf"(?: (?:that )?(?:you|i|we) (?:have|know|added)| (?:in|of) {_LIBRARY})"
_THING = r"(?P<thing>[^?!]{2,120}?)"
_SAYS = (
    r"(?:mentions?|talks? about|contains?(?: the words?)?|(?:is|are) about|deals? with|"
    r"refers? to|discuss(?:es)?|speaks? of|has the words?|have the words?|says? something about)"
)
_LAST = r"(?P<last>newest|latest|most recent|oldest|earliest)"
_FILE = r"(?:the (?:file|document) )?[\"'“]?(?P<file>[\w./ -]{1,120}\.\w{1,8})[\"'”]?"
_END = r"[\s?!.]*"


class Wanted(StrEnum):
    """What is asked about the library."""

    LIST = "list"
    COUNT = "count"
    MENTIONS = "mentions"
    LAST = "last"
    AUTHOR = "author"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class LibraryQuestion:
    """A question about the library."""

    wanted: Wanted
    kind: str = ""  #: the word for the files that are meant, as it was asked; "" for documents
    endings: tuple[str, ...] = ()  #: of the names of the files that are meant; () for all
    thing: str = ""  #: what a document must name
    file: str = ""  #: the name of the file that is asked about
    oldest: bool = False  #: the oldest document is asked for, not the newest


_FORMS: tuple[tuple[Wanted, str], ...] = (
    (Wanted.COUNT, rf"how many (?:different )?{_KIND}{_HERE}"),
    (Wanted.COUNT, rf"what is the number of {_KIND}{_OWNED}"),
    (Wanted.LIST, rf"(?:what|which) (?:kinds? of )?{_KIND}{_HERE}"),
    (
        Wanted.LIST,
        r"(?:please )?(?:list|show|show me|give me|tell me|name|print)(?: me)? "
        rf"(?:(?:a |the )?list of )?(?:all )?(?:of )?(?:the |my |your )?{_KIND}{_OWNED}?",
    ),
    (Wanted.LIST, r"what (?:do you (?:have|know)|have you got)(?: (?:in|about))?"),
    (Wanted.LIST, rf"what(?: is|'s|’s| do (?:you|i) have) in {_LIBRARY}"),
    (Wanted.LIST, r"what is (?:the|this|my) library about"),
    (Wanted.MENTIONS, rf"(?:which|what)(?: of the| of my)? {_KIND} {_SAYS} {_THING}"),
    (
        Wanted.MENTIONS,
        rf"in (?:which|what) {_KIND} (?:is|are|do|does|can) {_THING} "
        r"(?:mentioned|named|described|discussed|appear|occur|stand|be found)",
    ),
    (Wanted.MENTIONS, rf"where (?:is|are) {_THING} mentioned"),
    (
        Wanted.MENTIONS,
        rf"(?:is there|are there|do (?:you|i|we) have)(?: an?| any)? {_KIND} "
        rf"(?:about|on|that {_SAYS}|mentioning|containing) {_THING}",
    ),
    (Wanted.MENTIONS, rf"do(?:es)? any(?: of the| of my)? {_KIND} {_SAYS} {_THING}"),
    (Wanted.LAST, rf"(?:what|which)(?: is|'s|’s| are) (?:the|my) {_LAST} {_KIND}{_OWNED}?"),
    (Wanted.LAST, rf"(?:what|which) {_KIND} is (?:the )?{_LAST}"),
    (Wanted.AUTHOR, rf"who (?:wrote|has written|is the (?:author|writer) of|sent) {_FILE}"),
    (
        Wanted.DATE,
        rf"(?:when was {_FILE} (?:written|created|made|dated|sent)|"
        rf"(?:what is|what's) the date of {_FILE.replace('file>', 'dated>')}|"
        rf"from when is {_FILE.replace('file>', 'from>')})",
    ),
)
_PATTERNS = tuple((wanted, re.compile(form + _END, re.I)) for wanted, form in _FORMS)
#: a thing of several words is rather a statement: "which document says that the roof leaks"
_MAX_THING_WORDS = 6
_ARTICLE = re.compile(r"^(?:the|an?|my|our)\s+", re.I)


def parse_library_question(question: str) -> LibraryQuestion | None:
    """Return what a question asks about the library; None if it asks something else."""
    text = " ".join(question.split())
    for wanted, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            found = {name: value for name, value in match.groupdict().items() if value}
            return _question(wanted, found)
    return None


def _question(wanted: Wanted, found: dict[str, str]) -> LibraryQuestion | None:
    kind = found.get("kind", "").lower()
    thing = _ARTICLE.sub("", found.get("thing", "").strip(" ,;:"))
    if wanted is Wanted.MENTIONS and not 0 < len(thing.split()) <= _MAX_THING_WORDS:
        return None
    return LibraryQuestion(
        wanted,
        kind="" if re.fullmatch(r"documents?|docs|files?", kind) else kind,
        endings=endings_of(kind),
        thing=thing,
        file=found.get("file") or found.get("dated") or found.get("from") or "",
        oldest=found.get("last", "").lower() in ("oldest", "earliest"),
    )


def endings_of(kind: str) -> tuple[str, ...]:
    """The endings of the names of the files that a word means; () for documents of any kind."""
    for words, endings in _ENDINGS:
        if re.match(rf"(?:{words})\b", kind):
            return endings
    return ()
