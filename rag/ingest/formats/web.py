"""HTML: the text that a browser would show, a line a block, with h1 to h6 as headings.

`beautifulsoup4` on `lxml` parses broken pages too. `trafilatura` finds the article; all other lines
are masked, but for the tables, lists, definitions and addresses that it overlooks.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.domain import RawDocument, Span, Unit
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, decode
from rag.ingest.formats.web_page import Page, page_blocks

__all__ = ["add_page", "page_blocks", "read_html"]

#: lines of a page that may be an article; finding the article in more takes many seconds
_MAX_ARTICLE_LINES = 20_000
#: characters that are searched for lines that are out of order
_MAX_SEARCHED_CHARS = 10**9
#: where a page declares its charset, and how
_DECLARATION_BYTES = 4096
_CHARSET = re.compile(rb"charset\s{0,9}=|<\?xml[^>]{0,200}encoding\s{0,9}=", re.I)


def read_html(content: bytes) -> Iterator[RawDocument]:
    """Yield one page."""
    if b"\0" in content:
        content = decode(content).encode("utf-8", "replace")
    content = _with_charset(content)
    with (
        warnings.catch_warnings()
    ):  # the parsers' advice to programmers does not belong on a screen
        warnings.simplefilter("ignore")
        yield _page(content)


def _with_charset(content: bytes) -> bytes:
    """Return a page that declares no charset as UTF-8 with a byte order mark.

    Without a declaration the parser takes a page for Latin-1. UTF-8 is tried first, then the
    encoding is guessed (`decode`).
    """
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return content
    if content.isascii() or _CHARSET.search(content[:_DECLARATION_BYTES]):
        return content
    return b"\xef\xbb\xbf" + decode(content).encode("utf-8", "replace")


def add_page(lines: LineBuilder, content: bytes) -> Page:
    """Add the lines and units of a page."""
    page = Page(lines)
    page.read(content)
    return page


def _page(content: bytes) -> RawDocument:
    import trafilatura

    lines = LineBuilder()
    page = add_page(lines, content)
    try:
        raw = lines.raw(page.title)
    except Unreadable as error:
        raise Unreadable(
            "shows no text", "if the page is drawn by a script, save it from a browser"
        ) from error
    raw = replace(raw, headings=raw.headings or None, date=None, units=page.units(raw))
    if lines.count > _MAX_ARTICLE_LINES:
        return raw
    try:
        article = trafilatura.bare_extraction(content, with_metadata=True, include_comments=False)
    except (
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        RecursionError,
    ):  # it cannot tell: nothing is masked
        article = None
    if article is None:
        return raw
    kept = " ".join((article.text or "").split())
    masked = _outside_article(raw.text, kept, page.kept)
    return replace(
        raw,
        title=article.title or page.title,
        date=article.date,
        masked=masked,
        units=_unmasked(raw.units or (), masked),
    )


def _unmasked(units: Sequence[Unit], masked: Sequence[Span]) -> tuple[Unit, ...]:
    """Return the units that touch no masked line. Both are sorted by place."""
    out, first = list[Unit](), 0
    for unit in units:
        while first < len(masked) and masked[first].end <= unit.span.start:
            first += 1
        if first == len(masked) or not masked[first].overlaps(unit.span):
            out.append(unit)
    return tuple(out)


def _outside_article(text: str, article: str, kept: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans of the lines of `text` that are neither in `article` nor in `kept`.

    `kept` are sorted by place. Returns none if the article has under 200 characters or under a
    third of the text.
    """
    spans: list[Span] = []
    start = last_place = masked_chars = 0
    searchable, next_kept = _MAX_SEARCHED_CHARS, 0
    for line in text.split("\n"):
        while next_kept < len(kept) and kept[next_kept].end <= start:
            next_kept += 1
        if next_kept < len(kept) and kept[next_kept].start <= start:
            start += len(line) + 1
            continue
        bare = " ".join(line.split())
        place = article.find(bare, last_place)
        if place < 0:  # lines are nearly always in order
            place = article.find(bare)
            searchable -= len(article)
        if searchable < 0:  # thousands of lines of a page that is no article
            return ()
        if place < 0:
            spans.append(Span(start, start + len(line)))
            masked_chars += len(bare)
        last_place = max(place, last_place)
        start += len(line) + 1
    return tuple(spans) if len(article) >= 200 and masked_chars <= 2 * len(article) else ()
