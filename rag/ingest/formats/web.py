"""HTML: the text that a browser would show, a line a block, with h1 to h6 as headings.

`beautifulsoup4` on `lxml` parses broken pages too. `trafilatura` finds the article; all other lines
are masked.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from rag.domain import RawDocument, Span
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, decode

#: lines of a page that may be an article; finding the article in more takes many seconds
_MAX_ARTICLE_LINES = 20_000
#: characters that are searched for lines that are out of order
_MAX_SEARCHED_CHARS = 10**9
_HIDDEN_TAGS = {"script", "style", "noscript", "template", "svg", "head", "iframe"}
_HEADING_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCK_TAGS = frozenset(
    (
        "p div section article header footer nav aside main h1 h2 h3 h4 h5 h6 li ul ol dl dt dd "
        "table tr td th blockquote pre figure figcaption form fieldset hr br address option "
        "button label"
    ).split()
)


def read_html(content: bytes) -> Iterator[RawDocument]:
    """Yield one page."""
    if b"\0" in content:
        content = decode(content).encode("utf-8", "replace")
    with (
        warnings.catch_warnings()
    ):  # the parsers' advice to programmers does not belong on a screen
        warnings.simplefilter("ignore")
        yield _page(content)


def _page(content: bytes) -> RawDocument:
    import trafilatura

    title, shown = page_blocks(content)
    lines = LineBuilder()
    for line, level in shown:
        lines.add(line, level)
    try:
        raw = lines.raw(title)
    except Unreadable as error:
        raise Unreadable(
            "shows no text", "if the page is drawn by a script, save it from a browser"
        ) from error
    headings = raw.headings or None
    if len(shown) > _MAX_ARTICLE_LINES:
        return RawDocument(raw.text, title, headings=headings)
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
        return RawDocument(raw.text, title, headings=headings)
    kept = " ".join((article.text or "").split())
    return RawDocument(
        raw.text,
        article.title or title,
        article.date,
        masked=_outside_article(raw.text, kept),
        headings=headings,
    )


def page_blocks(content: bytes) -> tuple[str, list[tuple[str, int]]]:
    """Return the title of a page and its lines with text, each with its heading level or 0."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(content, "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    return title, [(line, level) for line, level in _block_lines(_shown_strings(soup)) if line]


def _block_lines(parts: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    words: list[str] = []
    deepest = 0
    for part, level in parts:
        for number, piece in enumerate(part.split("\n")):
            if number:
                yield " ".join("".join(words).split()), deepest
                words, deepest = [], 0
            words.append(piece)
            if piece.strip():
                deepest = max(deepest, level)
    yield " ".join("".join(words).split()), deepest


def _shown_strings(soup: Any) -> Iterator[tuple[str, int]]:
    """Yield the strings that a browser shows, each with its heading level or 0.

    A line break stands where a block begins and where it ends. Not recursive: pages nest deeply.
    """
    todo = [(soup, False, 0)]
    while todo:
        node, preformatted, level = todo.pop()
        if type(node).__name__ in ("str", "NavigableString", "CData"):
            yield node if preformatted else re.sub(r"\s+", " ", node), level
        elif getattr(node, "contents", None) is not None and node.name not in _HIDDEN_TAGS:
            if node.name in _BLOCK_TAGS:
                yield "\n", level
                todo.append(("\n", True, level))
            preformatted = preformatted or node.name in ("pre", "textarea")
            level = int(node.name[1]) if node.name in _HEADING_TAGS else level
            todo += [(child, preformatted, level) for child in node.contents[::-1]]


def _outside_article(text: str, article: str) -> tuple[Span, ...]:
    """Return the spans of the lines of `text` that are not in `article`.

    Returns none if the article has under 200 characters or under a third of the text.
    """
    spans: list[Span] = []
    start = last_place = masked_chars = 0
    searchable = _MAX_SEARCHED_CHARS
    for line in text.split("\n"):
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
