"""What the pages of one folder have in common before and after their texts: menus, notices, footers. It is masked.

A scraped page is its site's template around a text. What recurs is looked for only where a template is: before the first
statement of a document and after its last one. Three lines in a row that say no more than a menu does ("Home", "World",
"Opinion"), or one line with the words of a web page's notices (cookies, newsletter, rights reserved), are hashed (shingles of
lines; Broder 1997); what at least `_LEAST` documents of a folder have, and a `_SHARE` of them, is its template. A corpus file
or an archive is a folder.

Frequency alone would be wrong: fifty contracts share the clause that somebody asks for. So a line that states something,
has a number, a colon, a cell of a table or a mark of a list, or is a heading never belongs to a template, nor does anything
in a document that has no statement, in source code and in tables. A notice is the one statement that may.

The hashes are stored with each document, those that are masked apart from those that are not. Documents that come in together are
judged with those that are there, before they are embedded; what a run shows about documents that were there before is done
at its end (`ingest`), where only chunks that change are embedded. A mask only grows: when files go, what is masked stays
until their neighbours change. That is the simple way, and the cautious one: answers do not change because a file went.
"""

from __future__ import annotations

import os
import re
import sqlite3
import struct
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import groupby

from rag.domain import Document, Span

TABLES = """
CREATE TABLE templates(document TEXT PRIMARY KEY, masked BLOB NOT NULL, open BLOB NOT NULL) WITHOUT ROWID;
"""
_LEAST = 6  # documents
_SHARE = 0.25  # of the folder's documents
_RUN = 3  # lines of a shingle
_LABEL = 60  # characters of a line of a menu, at most
_NOTICE = 400  # characters of a notice, at most
_STATES = 9  # words from which a line states something
_CUES = re.compile(
    r"""\bcookies?\b|\bnewsletters?\b|\b(?:un)?subscri(?:be|ption)\b|\bsign(?:ing)?\s+(?:up|in)\b|\blog(?:ging)?\s+in\b|\bprivacy\s+policy\b|
    \bterms\s+(?:of\s+(?:use|service)|and\s+conditions)\b|\brights\s+reserved\b|\bjavascript\b|\byour\s+browser\b|
    \badvertis(?:ement|ing|e)\b|\bfollow\s+us\b|\bshare\s+this\b|\bclick\s+here\b|\bpowered\s+by\b|\bback\s+to\s+top\b|©""",
    re.I | re.X,
)
_ITEM = re.compile(r"[-*+•·#>|=~]|\(?\w{1,3}[.)]\s")
_RULE = re.compile(r"(\W)\1{2,}")

_Line = tuple[Span, str]


def shingles(document: Document) -> list[tuple[int, tuple[Span, ...]]]:
    """(hash, lines) of what may be its template: 64-bit hashes, spans of whole lines without the blanks around them."""
    if document.lines:
        return []
    found: list[tuple[int, tuple[Span, ...]]] = []
    for part in _edges(document):
        for at, (span, text) in enumerate(part):
            if _CUES.search(text):
                found.append((_hash(text), (span,)))
            if at + _RUN <= len(part):
                run = part[at : at + _RUN]
                found.append((_hash("\n".join(text for _, text in run)), tuple(span for span, _ in run)))
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
    if not heading and len(line) <= _NOTICE and _CUES.search(line):
        return "template"
    words = len(line.split())
    if words >= _STATES or (words > 2 and line.endswith((".", "!", "?", ";", ".”", '."'))):
        return "statement"
    plain = not (heading or _ITEM.match(line) or _RULE.match(line) or re.search(r"[\d:|\t.;=]|\s{2}", line))
    return "template" if plain and len(line) <= _LABEL and any(c.isalpha() for c in line) else ""


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int(struct.unpack("<q", digest)[0])


def recurring(documents: Collection[Collection[int]]) -> set[int]:
    """The hashes that enough documents of a folder have: the hashes of each are given."""
    counted = Counter(key for keys in documents for key in set(keys))
    return {key for key, times in counted.items() if times >= max(_LEAST, _SHARE * len(documents))}


def masked(document: Document, template: Collection[int]) -> Document:
    """The document with the lines of the template masked; the same one where there are none."""
    spans = {span for key, lines in shingles(document) if key in template for span in lines}
    fresh = [span for span in spans if not _touched(span, document.mask)]
    return replace(document, mask=tuple(sorted([*document.mask, *fresh]))) if fresh else document


def _touched(span: Span, mask: Sequence[Span]) -> bool:
    """Does `span` overlap one of `mask`, which are in order and apart?"""
    at = bisect_left(mask, span.end, key=lambda m: m.start)
    return at > 0 and span.overlaps(mask[at - 1])


def _within(span: Span, mask: Sequence[Span]) -> bool:
    """Does `span` lie in one of `mask`, which are in order and apart?"""
    at = bisect_right(mask, span.start, key=lambda m: m.start)
    return at > 0 and span.within(mask[at - 1])


def folder(path: str, member: str = "") -> str:
    """What a document stands beside: the folder of its file, or the corpus or archive that holds it."""
    return path if member else os.path.dirname(path)


class Templates:
    """The hashes of the documents of an open library. Writing is done inside the library's own transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, document: Document) -> None:
        """Note what may be template in a document, and what of it its mask holds. Not for source code and tables."""
        if document.lines:
            return
        parts: tuple[set[int], set[int]] = (set(), set())
        for key, lines in shingles(document):
            hidden = all(_within(span, document.mask) for span in lines)
            parts[0 if hidden else 1].add(key)
        self._db.execute("INSERT OR REPLACE INTO templates VALUES (?, ?, ?)", (document.id, *map(_packed, parts)))

    def drop(self, document: str) -> None:
        self._db.execute("DELETE FROM templates WHERE document = ?", (document,))

    def beside(self, folder: str) -> dict[str, tuple[set[int], set[int]]]:
        """The documents of a folder: for each the hashes that are masked and those that are not."""
        rows = self._db.execute(
            "SELECT f.path, f.member, t.document, t.masked, t.open FROM files f JOIN templates t ON t.document = f.document "
            "WHERE f.path = ?1 OR (f.path > ?2 || '/' AND f.path < ?2 || '0')",
            (folder, folder.rstrip("/")),
        )
        return {name: (_unpacked(a), _unpacked(b)) for *place, name, a, b in rows if _beside(place, folder)}


def _beside(place: Sequence[str], name: str) -> bool:
    return folder(*place) == name


def _packed(keys: Iterable[int]) -> bytes:
    keys = sorted(keys)
    return struct.pack(f"<{len(keys)}q", *keys)


def _unpacked(packed: bytes) -> set[int]:
    return set(struct.unpack(f"<{len(packed) // 8}q", packed))
