"""What the pages of one folder have in common before and after their texts: menus, notices, footers. It is masked.

A scraped page is its site's template around a text. What recurs is looked for only where a template is, before the first
statement of a document and after its last one, and only in the form that a template has: three labels in a row, two of which
menus are known to have ("Home", "World", "Opinion"), or one line with the form of a web page's notices (consent to cookies, an
invitation to a newsletter, rights reserved). They are hashed (shingles of lines; Broder 1997); what at least `_LEAST` documents
of a folder have, and a `_SHARE` of them, is its template. A corpus file or an archive is a folder.

Frequency alone would be wrong: fifty contracts share the clause that somebody asks for. So a line that states something, has a
number, a price, a verb, a colon, a cell of a table or a mark of a list, or is a heading never belongs to a template, nor does
anything in a document that has no statement, in source code and in tables. A notice is the one statement that may. In doubt
nothing is masked; and what is masked and would answer a question is said beside the answer (`leftout`).

The hashes are stored with each document, those that are masked apart from those that are not. Documents that come in together are
judged with those that are there, before they are embedded; what a run shows about documents that were there before is done
at its end (`ingest`), where only chunks that change are embedded. A mask only grows: when files go, what is masked stays
until their neighbours change. That is the simple way, and the cautious one: answers do not change because a file went.
"""

from __future__ import annotations

import os
import re
import struct
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import groupby

from rag.domain import Document, Span
from rag.text.facts import find_dates, find_numbers
from rag.text.sentences import split_sentences

_LEAST = 6  # documents
_SHARE = 0.25  # of the folder's documents
_RUN = 3  # lines of a shingle
_SIGNED = 2  # lines of a shingle that must be known from menus or notices
_LABEL = 60  # characters of a line of a menu, at most
_LABELS = 5  # words of one, at most
_NOTICE = 400  # characters of a notice, at most
_STATES = 9  # words from which a line states something
_CUES = re.compile(
    r"""\bcookies?\b|\bnewsletters?\b|\b(?:un)?subscribe\b|\bsign(?:ing)?\s+(?:up|in)\b|\blog(?:ging)?\s+in\b|\bprivacy\s+policy\b|
    \bterms\s+(?:of\s+(?:use|service)|and\s+conditions)\b|\bjavascript\b|\badvertis(?:ement|ing|e)\b|\bfollow\s+us\b|\bshare\s+this\b|
    \bclick\s+here\b|\bpowered\s+by\b|\bback\s+to\s+top\b""",
    re.I | re.X,
)
#: the forms of a notice that may be a sentence: consent, an invitation, the browser, rights. Each needs two of its marks
_NOTICES = tuple(
    re.compile(pattern, re.I | re.X)
    for pattern in (
        r"(?=.*\bcookies?\b)(?=.*\b(?:we|us|you|your|this\s+(?:web)?site)\b)"
        r"(?=.*\b(?:sites?|websites?|brows\w+|consent|accept|agree|policy|settings|preferences|experience)\b)",
        r"(?=.*\bby\s+(?:using|reading|continuing|browsing|visiting|clicking)\b)(?=.*\bagree\b)(?=.*\b(?:terms|policy|conditions)\b)",
        r"(?:please\s+)?(?:subscribe|unsubscribe|sign\s+(?:up|in)|log\s+in|register|join|follow\s+us|share\s+this|click\s+here|tap\s+here)\b"
        r"(?=.*\b(?:newsletters?|inbox|e-?mails?|account|updates|alerts|comments?|article|story|page|website|site|app|channel|facebook|"
        r"twitter|instagram|linkedin|youtube|telegram|whatsapp)\b)",
        r"(?=.*\b(?:javascript|your\s+browser)\b)(?=.*\b(?:enable|enabled|disabled|supports?|supported|turn|update|required?)\b)",
        r"(?:©|\(c\)|copyright\s+(?:©\s*)?(?=\d{4}))",
        r".*\ball\s+rights\s+reserved(?:\.|\s*$)",
    )
)
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright)\s*(?:©\s*)?\d{4}(?:\s*[-–,]\s*\d{4})*", re.I)
_MONEY = re.compile(
    r"[€$£¥%]|\b(?:euros?|dollars?|pounds?|cents?|percent|free\s+of\s+charge|fees?)\b", re.I
)
#: words that make a line a statement, in a menu of whatever case
_FINITE = frozenset(
    "is are was were be been am has have had do does did will would shall should may might must can could cannot not isn't "
    "aren't don't doesn't won't".split()
)
_SMALL = frozenset(
    "a an and at by for from in of off on or our out the to up us with your & + | /".split()
)
#: what the lines of menus say
_NAVIGATION = frozenset(
    """about account advertise advertisement advertising archive archives art arts author authors back blog books breaking business
    careers categories category comments contact cookies culture directory disclaimer donate download downloads economy editorial
    education entertainment environment events facebook faq faqs feedback follow forum gallery health help home imprint index
    instagram jobs latest legal letters library lifestyle links linkedin local login logout magazine media menu more most movies
    multimedia music national navigation news newsletter newsletters next obituaries opinion opinions page pages photos podcast
    podcasts politics popular press previous print privacy products programs publications recent region register related reviews
    rss science search section sections services settings share shop site sitemap skip society sport sports stories store subscribe
    support tags team technology telegram terms top topics travel trending twitter video videos weather whatsapp world write
    youtube startseite kontakt impressum datenschutz nachrichten suche accueil actualités recherche mentions inicio noticias
    contacto buscar chi contatti notizie главная новости контакты поиск""".split()
)
_ITEM = re.compile(r"[-*+•·#>|=~]|\(?\w{1,3}[.)]\s")
_RULE = re.compile(r"(\W)\1{2,}")

_Line = tuple[Span, str]


def line_hashes(document: Document) -> list[tuple[int, tuple[Span, ...]]]:
    """(hash, lines) of what may be its template: 64-bit hashes, spans of whole lines without the blanks around them."""
    if document.lines:
        return []
    found: list[tuple[int, tuple[Span, ...]]] = []
    for part in _edges(document):
        for at, (span, text) in enumerate(part):
            if _notice(text):
                found.append((_hash(text), (span,)))
            run = part[at : at + _RUN]
            if len(run) == _RUN and _menu(
                [line for _, line in run], not document.text[: span.start].strip()
            ):
                found.append(
                    (_hash("\n".join(text for _, text in run)), tuple(span for span, _ in run))
                )
    return found


def _edges(document: Document) -> Iterator[list[_Line]]:
    """Runs of lines that may be a template's: all before the first statement and after the last one."""
    headings = {span.start for span, _ in document.headings}
    before = list(_unsaid(_lines(document.text), headings))
    behind = list(_unsaid(_lines_back(document.text), headings))[::-1]
    if before and behind and before[-1] == behind[-1]:  # nothing is said in it
        return
    for edge in (before, behind):
        for template, run in groupby(edge, key=lambda line: line[1] == "template"):
            if template:
                yield [line for line, _ in run]


def _unsaid(lines: Iterable[_Line], headings: Collection[int]) -> Iterator[tuple[_Line, str]]:
    """The lines up to the first statement, each with its kind."""
    for line in lines:
        kind = _kind(line[1], line[0].start in headings)
        if kind == "statement":
            return
        yield line, kind


def _lines(text: str) -> Iterator[_Line]:
    for match in re.finditer(r"[^\n]+", text):
        bare = match[0].strip()
        if bare:
            start = match.start() + match[0].index(bare)
            yield Span(start, start + len(bare)), bare


def _lines_back(text: str) -> Iterator[_Line]:
    """The same from the last one on."""
    end = len(text)
    while end > 0:
        begin = text.rfind("\n", 0, end) + 1
        bare = text[begin:end].strip()
        if bare:
            start = text.index(bare, begin)
            yield Span(start, start + len(bare)), bare
        end = begin - 1


def _kind(line: str, heading: bool) -> str:
    """ "template" where it may belong to one, "statement" where it says something, else ""."""
    if not heading and _notice(line):
        return "template"
    words = len(line.split())
    if words >= _STATES or (words > 2 and line.endswith((".", "!", "?", ";", ".”", '."'))):
        return "statement"
    return "template" if not heading and _label(line) else ""


def _notice(line: str) -> bool:
    """Has it the form of a web page's notice: cookies, newsletter, rights? A line with an amount, a date or a price has not."""
    if len(line) > _NOTICE:
        return False
    if any(form.match(line) for form in _NOTICES):
        return not _counts(line)
    return bool(_CUES.search(line)) and _label(line)


def _counts(line: str) -> bool:
    days, rest = find_dates(_RIGHTS.sub(" ", line))
    return bool(days or find_numbers(rest) or _MONEY.search(line))


def _label(line: str) -> bool:
    """A few words that state nothing: no verb that is known, no number, and each with a capital but small words and the only one."""
    if (
        _ITEM.match(line)
        or _RULE.match(line)
        or re.search(r"[\d:|\t.;=]|\s{2}", line)
        or len(line) > _LABEL
    ):
        return False
    words = line.split()
    if (
        len(words) > _LABELS
        or _MONEY.search(line)
        or any(word.casefold() in _FINITE for word in words)
    ):
        return False
    cased = [word for word in words[1:] if word.casefold() not in _SMALL and word[:1].islower()]
    return not cased and any(char.isalpha() for char in line)


def _menu(lines: Sequence[str], opening: bool) -> bool:
    """Is a run of labels part of a menu: begins and ends with what menus say, or, at the top of the page (`opening`), is a site's
    name before two such lines."""
    known = [_notice(line) or _navigates(line) for line in lines]
    return sum(known) >= _SIGNED and known[-1] and (known[0] or opening)


def _navigates(line: str) -> bool:
    """Is it a label that menus have?"""
    words = [word.strip("()’'").casefold() for word in line.split()]
    said = [word for word in words if word not in _SMALL]
    return _label(line) and 2 * sum(word in _NAVIGATION for word in said) >= max(1, len(said))


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int(struct.unpack("<q", digest)[0])


def recurring_hashes(documents: Collection[Collection[int]]) -> set[int]:
    """The hashes that enough documents of a folder have: the hashes of each are given."""
    counted = Counter(key for keys in documents for key in set(keys))
    return {key for key, times in counted.items() if times >= max(_LEAST, _SHARE * len(documents))}


def mask_boilerplate(document: Document, template: Collection[int]) -> Document:
    """The document with the lines of the template masked; the same one where there are none."""
    spans = {span for key, lines in line_hashes(document) if key in template for span in lines}
    fresh = [span for span in spans if not _touched(span, document.mask)]
    return replace(document, mask=tuple(sorted([*document.mask, *fresh]))) if fresh else document


def unmasked(document: Document, stale: Collection[int], keep: Collection[Span]) -> Document:
    """The document without the masks of lines whose hashes are `stale`, but for those to `keep`; the same one where there are none."""
    found, lines = set[Span](), list(_lines(document.text)) if stale else []
    for at, (span, text) in enumerate(lines):
        run = lines[at : at + _RUN]
        if _hash(text) in stale:
            found.add(span)
        if _hash("\n".join(text for _, text in run)) in stale:
            found |= {span for span, _ in run}
    kept = tuple(span for span in document.mask if span not in found or span in keep)
    return replace(document, mask=kept) if len(kept) < len(document.mask) else document


def _touched(span: Span, mask: Sequence[Span]) -> bool:
    """Does `span` overlap one of `mask`, which are in order and apart?"""
    at = bisect_left(mask, span.end, key=lambda m: m.start)
    return at > 0 and span.overlaps(mask[at - 1])


def within_mask(span: Span, mask: Sequence[Span]) -> bool:
    """Does `span` lie in one of `mask`, which are in order and apart?"""
    at = bisect_right(mask, span.start, key=lambda m: m.start)
    return at > 0 and span.within(mask[at - 1])


def neighbourhood(path: str, member: str = "") -> str:
    """What a document stands beside: the folder of its file, or the corpus or archive that holds it."""
    return path if member else os.path.dirname(path)


_LONG = 400  # characters from which a masked line is taken sentence by sentence


def masked_lines(document: Document) -> Iterator[Span]:
    """Its masked lines, without the white space around them; the sentences of one that is long."""
    for mask in document.mask:
        at = mask.start
        for line in mask.of(document.text).split("\n"):
            bare, start = line.strip(), at + len(line) - len(line.lstrip())
            span = Span(start, start + len(bare))
            if len(bare) > _LONG:
                yield from split_sentences(document.text, span)
            elif bare:
                yield span
            at += len(line) + 1
