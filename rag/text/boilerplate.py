"""Finds and masks the lines that the documents of one folder share: menus, notices, footers.

A scraped page has its site's template around its text. Only lines before the first statement of a
document and after its last one are examined, and only lines with the form of a template. This is
three labels in a row, two of which are known from menus ("Home", "World", "Opinion"), or one line
with the form of a web page's notice (consent to cookies, an invitation to a newsletter, rights
reserved). These lines are hashed (shingles of lines; Broder 1997). What occurs in at least
`_MIN_DOCUMENTS` documents of a folder, and in a share of `_MIN_SHARE` of them, is the folder's
template. A corpus file or an archive counts as a folder.

Frequency alone would be wrong: fifty contracts share the clause that a user asks about. So a line
never belongs to a template if it states something, has a number, a price, a verb, a colon, a table
cell or a list mark, or is a heading. Nothing in a document without statements, in source code or in
tables belongs to one. A notice is the only statement that may. In doubt nothing is masked. If a
masked line would answer a question, the answer names it (`rag.answer`).

The hashes are stored with each document, masked ones apart from the others. Documents that come in
together are judged with those of the library before they are embedded. The effects of a run on
older documents are applied at its end (`rag.ingest`), and only chunks that change are embedded. A
mask only grows: when files are removed, the masked lines stay masked until their neighbours change.
This is simple, and answers do not change because a file was removed.
"""

from __future__ import annotations

import os
import re
import struct
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby

from rag.domain import Document, Span
from rag.text.facts import find_dates
from rag.text.quantities import find_numbers

#: Documents of a folder, and their share, that must have a line.
_MIN_DOCUMENTS = 6
_MIN_SHARE = 0.25
#: Lines of a shingle, and how many of them must be known from menus or notices.
_SHINGLE_LINES = 3
_MIN_KNOWN_LINES = 2
#: Limits of a menu label and of a notice.
_MAX_LABEL_CHARS = 60
_MAX_LABEL_WORDS = 5
_MAX_NOTICE_CHARS = 400
#: Words of a line that is a statement whatever its end.
_MIN_STATEMENT_WORDS = 9
_CUES = re.compile(
    r"""\bcookies?\b|\bnewsletters?\b|\b(?:un)?subscribe\b|
    \bsign(?:ing)?\s+(?:up|in)\b|\blog(?:ging)?\s+in\b|
    \bprivacy\s+policy\b|\bterms\s+(?:of\s+(?:use|service)|and\s+conditions)\b|\bjavascript\b|
    \badvertis(?:ement|ing|e)\b|\bfollow\s+us\b|\bshare\s+this\b|
    \bclick\s+here\b|\bpowered\s+by\b|\bback\s+to\s+top\b""",
    re.I | re.X,
)
#: Forms of a notice that may be a sentence: consent, invitation, browser, rights. Each needs two
#: of its marks.
_NOTICES = tuple(
    re.compile(pattern, re.I | re.X)
    for pattern in (
        r"(?=.*\bcookies?\b)(?=.*\b(?:we|us|you|your|this\s+(?:web)?site)\b)"
        r"(?=.*\b(?:sites?|websites?|brows\w+|consent|accept|agree|policy|settings|preferences|"
        r"experience)\b)",
        r"(?=.*\bby\s+(?:using|reading|continuing|browsing|visiting|clicking)\b)(?=.*\bagree\b)"
        r"(?=.*\b(?:terms|policy|conditions)\b)",
        r"(?:please\s+)?(?:subscribe|unsubscribe|sign\s+(?:up|in)|log\s+in|register|join|"
        r"follow\s+us|share\s+this|click\s+here|tap\s+here)\b"
        r"(?=.*\b(?:newsletters?|inbox|e-?mails?|account|updates|alerts|comments?|article|story|"
        r"page|website|site|app|channel|facebook|"
        r"twitter|instagram|linkedin|youtube|telegram|whatsapp)\b)",
        r"(?=.*\b(?:javascript|your\s+browser)\b)"
        r"(?=.*\b(?:enable|enabled|disabled|supports?|supported|turn|update|required?)\b)",
        r"(?:©|\(c\)|copyright\s+(?:©\s*)?(?=\d{4}))",
        r".*\ball\s+rights\s+reserved(?:\.|\s*$)",
    )
)
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright)\s*(?:©\s*)?\d{4}(?:\s*[-–,]\s*\d{4})*", re.I)
_MONEY = re.compile(
    r"[€$£¥%]|\b(?:euros?|dollars?|pounds?|cents?|percent|free\s+of\s+charge|fees?)\b", re.I
)
#: Words that make a line a statement, whatever its capitals.
_VERBS = frozenset(
    "is are was were be been am has have had do does did will would shall should may might must "
    "can could cannot not isn't aren't don't doesn't won't".split()
)
#: Words that a label may write without a capital.
_SMALL_WORDS = frozenset(
    "a an and at by for from in of off on or our out the to up us with your & + | /".split()
)
#: Words of menu labels.
_NAVIGATION = frozenset(
    """about account advertise advertisement advertising archive archives art arts author authors
    back blog books breaking business careers categories category comments contact cookies culture
    directory disclaimer donate download downloads economy editorial education entertainment
    environment events facebook faq faqs feedback follow forum gallery health help home imprint
    index instagram jobs latest legal letters library lifestyle links linkedin local login logout
    magazine media menu more most movies multimedia music national navigation news newsletter
    newsletters next obituaries opinion opinions page pages photos podcast podcasts politics
    popular press previous print privacy products programs publications recent region register
    related reviews rss science search section sections services settings share shop site sitemap
    skip society sport sports stories store subscribe support tags team technology telegram terms
    top topics travel trending twitter video videos weather whatsapp world write youtube
    startseite kontakt impressum datenschutz nachrichten suche accueil actualités recherche
    mentions inicio noticias contacto buscar chi contatti notizie главная новости контакты поиск
    """.split()
)
_LIST_MARK = re.compile(r"[-*+•·#>|=~]|\(?\w{1,3}[.)]\s")
_RULED_LINE = re.compile(r"(\W)\1{2,}")

#: A line: its span, and its text without the white space around it.
_Line = tuple[Span, str]


def line_hashes(document: Document) -> list[tuple[int, tuple[Span, ...]]]:
    """Return the hash and the line spans of everything that may belong to a template.

    Hashes have 64 bits. Spans are whole lines without the white space around them.
    """
    if document.lines:
        return []
    hashes: list[tuple[int, tuple[Span, ...]]] = []
    for edge in _edges(document):
        for at, (span, text) in enumerate(edge):
            if _is_notice(text):
                hashes.append((_hash(text), (span,)))
            run = edge[at : at + _SHINGLE_LINES]
            is_top = not document.text[: span.start].strip()
            if len(run) == _SHINGLE_LINES and _is_menu([line for _, line in run], is_top):
                spans = tuple(span for span, _ in run)
                hashes.append((_hash("\n".join(line for _, line in run)), spans))
    return hashes


def _edges(document: Document) -> Iterator[list[_Line]]:
    """Yield runs of lines that may belong to a template: before and after all statements."""
    headings = {span.start for span, _ in document.headings}
    before = list(_up_to_statement(_lines(document.text), headings))
    behind = list(_up_to_statement(_lines_backwards(document.text), headings))[::-1]
    if before and behind and before[-1] == behind[-1]:
        return  # the document has no statement
    for edge in (before, behind):
        for is_template, run in groupby(edge, key=lambda line: line[1] == "template"):
            if is_template:
                yield [line for line, _ in run]


def _up_to_statement(
    lines: Iterable[_Line], headings: Collection[int]
) -> Iterator[tuple[_Line, str]]:
    """Yield the lines up to the first statement, each with its kind.

    `headings` are the starts of the headings.
    """
    for line in lines:
        tell = _kind_of_short if len(line[1]) <= _MAX_NOTICE_CHARS else _kind
        kind = tell(line[1], line[0].start in headings)
        if kind == "statement":
            return
        yield line, kind


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines of `text` that are not blank."""
    for match in re.finditer(r"[^\n]+", text):
        bare = match[0].strip()
        if bare:
            start = match.start() + match[0].index(bare)
            yield Span(start, start + len(bare)), bare


def _lines_backwards(text: str) -> Iterator[_Line]:
    """Yield the lines of `text` that are not blank, the last one first."""
    end = len(text)
    while end > 0:
        begin = text.rfind("\n", 0, end) + 1
        bare = text[begin:end].strip()
        if bare:
            start = text.index(bare, begin)
            yield Span(start, start + len(bare)), bare
        end = begin - 1


def _kind(line: str, is_heading: bool) -> str:
    """Return "template" if the line may belong to one, "statement" if it is one, else ""."""
    if not is_heading and _is_notice(line):
        return "template"
    words = len(line.split())
    ends_like_sentence = words > 2 and line.endswith((".", "!", "?", ";", ".”", '."'))
    if words >= _MIN_STATEMENT_WORDS or ends_like_sentence:
        return "statement"
    return "template" if not is_heading and _is_label(line) else ""


#: the lines of a template come again and again
_kind_of_short = lru_cache(maxsize=512)(_kind)


def _is_notice(line: str) -> bool:
    """Tell whether the line has the form of a web page's notice: cookies, newsletter, rights.

    A line with an amount, a date or a price is none.
    """
    if len(line) > _MAX_NOTICE_CHARS:
        return False
    if any(form.match(line) for form in _NOTICES):
        return not _has_quantity(line)
    return bool(_CUES.search(line)) and _is_label(line)


def _has_quantity(line: str) -> bool:
    """Tell whether the line has a date, number or price other than a year of copyright."""
    dates, rest = find_dates(_RIGHTS.sub(" ", line))
    return bool(dates or find_numbers(rest) or _MONEY.search(line))


def _is_label(line: str) -> bool:
    """Tell whether the line is a few words that state nothing, as in a menu.

    It has no known verb and no number. Every word but small ones and the first has a capital.
    """
    if len(line) > _MAX_LABEL_CHARS or _LIST_MARK.match(line) or _RULED_LINE.match(line):
        return False
    words = line.split()
    if len(words) > _MAX_LABEL_WORDS or any(word.casefold() in _VERBS for word in words):
        return False
    if re.search(r"[\d:|\t.;=]|\s{2}", line) or _MONEY.search(line):
        return False
    has_lower_case = any(
        word[:1].islower() for word in words[1:] if word.casefold() not in _SMALL_WORDS
    )
    return not has_lower_case and any(char.isalpha() for char in line)


def _is_menu(lines: Sequence[str], is_top: bool) -> bool:
    """Tell whether a run of labels is part of a menu.

    It begins and ends with a line known from menus. At the top of the page (`is_top`) the first
    line may also be the site's name.
    """
    known = [_is_notice(line) or _is_menu_label(line) for line in lines]
    return sum(known) >= _MIN_KNOWN_LINES and known[-1] and (known[0] or is_top)


def _is_menu_label(line: str) -> bool:
    """Tell whether the line is a label of which half of the words are known from menus."""
    words = [word.strip("()’'").casefold() for word in line.split()]
    words = [word for word in words if word not in _SMALL_WORDS]
    known = sum(word in _NAVIGATION for word in words)
    return _is_label(line) and 2 * known >= max(1, len(words))


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int(struct.unpack("<q", digest)[0])


def recurring_hashes(documents: Collection[Collection[int]]) -> set[int]:
    """Return the hashes that enough documents of a folder have, of the hashes of each document."""
    counts = Counter(key for keys in documents for key in set(keys))
    needed = max(_MIN_DOCUMENTS, _MIN_SHARE * len(documents))
    return {key for key, times in counts.items() if times >= needed}


def mask_boilerplate(document: Document, template: Collection[int]) -> Document:
    """Return the document with the lines of the template masked, or the same one if it has none."""
    spans = {span for key, lines in line_hashes(document) if key in template for span in lines}
    added = [span for span in spans if not _overlaps_mask(span, document.mask)]
    return replace(document, mask=tuple(sorted([*document.mask, *added]))) if added else document


def unmasked(document: Document, stale: Collection[int], keep: Collection[Span]) -> Document:
    """Return the document without the masks of lines whose hashes are `stale`.

    The masks `keep` stay. Return the same document if there is nothing to unmask.
    """
    stale_spans, lines = set[Span](), list(_lines(document.text)) if stale else []
    for at, (span, text) in enumerate(lines):
        run = lines[at : at + _SHINGLE_LINES]
        if _hash(text) in stale:
            stale_spans.add(span)
        if _hash("\n".join(line for _, line in run)) in stale:
            stale_spans |= {line_span for line_span, _ in run}
    mask = tuple(span for span in document.mask if span not in stale_spans or span in keep)
    return replace(document, mask=mask) if len(mask) < len(document.mask) else document


def _overlaps_mask(span: Span, mask: Sequence[Span]) -> bool:
    """Tell whether `span` overlaps a span of `mask`, which are in order and do not overlap."""
    at = bisect_left(mask, span.end, key=lambda masked: masked.start)
    return at > 0 and span.overlaps(mask[at - 1])


def within_mask(span: Span, mask: Sequence[Span]) -> bool:
    """Tell whether `span` lies in a span of `mask`, which are in order and do not overlap."""
    at = bisect_right(mask, span.start, key=lambda masked: masked.start)
    return at > 0 and span.within(mask[at - 1])


def neighbourhood(path: str, member: str = "") -> str:
    """Return the folder of a document's file, or the corpus or archive that contains it."""
    return path if member else os.path.dirname(path)
