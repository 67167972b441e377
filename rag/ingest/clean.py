"""Makes a document of raw text: its id, title, headings, and the mask of page furniture.

The text is never altered, and all spans refer to it. A scraped page keeps its "Please Wait...", but
the mask marks this line: it is neither chunked nor quoted, and a screen shows it dimmed. Source
code and tables, whose lines are their sentences, have no furniture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Document, RawDocument, Span
from rag.ingest.page_furniture import collapse_blanks, find_furniture
from rag.ingest.structure.find import find_units, with_sections
from rag.ingest.structure.front_matter import find_front_matter
from rag.ingest.structure.text_headings import Heading, find_text_headings

_MAX_TITLE_CHARS = 300
_MAX_HEADING_CHARS = 200
#: headings in a path; of a deeper path the last ones are kept
_MAX_HEADING_DEPTH = 12
_FENCE = re.compile(r"^```[^`\n]*\n.*?(?:^```[ \t\r]*$|\Z)", re.M | re.S)
#: a heading of Markdown, or a title with an underline
_HEADING = re.compile(
    r"^(?P<marks>#{1,6})[ \t]+(?P<atx>[^\n]+)$|"
    r"^(?P<title>[^\s#>|*`-][^\n]{0,118})\n(?P<rule>(?P<c>[=\-~^\"'`*+#])(?P=c){2,})[ \t\r]*$",
    re.M,
)


def clean_document(raw: RawDocument, source: str) -> Document:
    """Return the document of `raw`, with id, title and mask. `source` is its name for people."""
    raw = raw.ruled or apply_rules(raw)
    digest = hashlib.sha256(raw.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    title = raw.title or collapse_blanks(_title_from_source(source))[:_MAX_TITLE_CHARS]
    sections = tuple(_sections(raw.headings or (), len(raw.text)))
    return Document(
        digest,
        source,
        title,
        raw.date,
        raw.text,
        raw.masked,
        raw.pages,
        sections,
        raw.lines,
        units=raw.units or (),
    )


def apply_rules(raw: RawDocument) -> RawDocument:
    """Return `raw` with the title ("" for none), mask and headings that the rules find in its text.

    An ingest applies the rules in the child process (`formats.sandbox_worker`), because the text is
    a stranger's.
    """
    mask = _merge((() if raw.lines else tuple(find_furniture(raw.text))) + raw.masked)
    title = raw.title if raw.title.strip() or raw.lines else _headline(raw.text, mask)
    stated: Sequence[Heading] = raw.headings or ()
    plain: Sequence[Heading] = ()
    if raw.headings is None:
        stated = _find_headings(raw.text)
        plain = () if stated or raw.lines else find_text_headings(raw.text)
    headings = tuple(
        (start, level, collapse_blanks(heading)[:_MAX_HEADING_CHARS])
        for start, level, heading in (*stated, *plain)
    )
    units = raw.units
    if units is None:
        titles = [Span(start, start + len(title)) for start, _, title in plain]
        units = () if raw.lines else find_units(raw.text, skip=titles)
    units = with_sections(units, _sections(headings, len(raw.text)), raw.text)
    title = collapse_blanks(title)[:_MAX_TITLE_CHARS]
    return replace(raw, title=title, masked=mask, headings=headings, units=units)


def _merge(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the spans in order, with overlapping and touching ones merged, without empty ones."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        elif span.start < span.end:
            merged.append(span)
    return tuple(merged)


def _headline(text: str, mask: tuple[Span, ...]) -> str:
    """Return the first line that is not furniture if it looks like a title, else "".

    A title is short and does not end in punctuation.
    """
    start = 0
    for line in text.split("\n", 40)[:40]:
        bare = line.strip()
        span = Span(start, start + len(line))
        if bare and not any(span.overlaps(masked) for masked in mask):
            sentence = bare.endswith((".", "!", "?", ":", ";", ","))
            return "" if sentence or len(bare) > 150 else bare.lstrip("#= ")
        start += len(line) + 1
    return ""


def _title_from_source(source: str) -> str:
    """Return the name of a file or member without folders, ending, hyphens and underscores."""
    name = source.rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[_-]+", " ", name.split("#")[-1].rsplit(".", 1)[0]).strip() or name


def _find_headings(text: str) -> list[tuple[int, int, str]]:
    """Return offset, level and title of each heading.

    They are # headings of Markdown and underlined ones (Setext, reStructuredText). A # line in a
    block of code is a comment.
    """
    headings: list[tuple[int, int, str]] = []
    underline_chars: list[str] = []
    front = find_front_matter(text)
    fences = [Span(match.start(), match.end()) for match in _FENCE.finditer(text)][::-1]
    for match in _HEADING.finditer(text, front.end if front else 0):
        start = match.start()
        while fences and fences[-1].end <= start:
            fences.pop()
        if fences and fences[-1].start <= start:
            continue
        if match["marks"]:
            headings.append((start, len(match["marks"]), match["atx"].strip(" #\r")))
        elif abs(len(match["rule"].rstrip()) - len(match["title"].rstrip())) <= 2:
            if match["rule"][0] not in underline_chars:
                underline_chars.append(match["rule"][0])
            level = 1 + underline_chars.index(match["rule"][0])
            headings.append((start, level, match["title"].strip()))
    return headings


def _sections(headings: Sequence[tuple[int, int, str]], text_length: int) -> list[tuple[Span, str]]:
    """Return the path of each heading with its span, which ends at the next heading."""
    sections, path = [], list[tuple[int, str]]()
    for number, (start, level, title) in enumerate(headings):
        path = [(depth, name) for depth, name in path if depth < level] + [(level, title)]
        path = path[-_MAX_HEADING_DEPTH:]
        end = headings[number + 1][0] if number + 1 < len(headings) else text_length
        sections.append((Span(start, end), " › ".join(name for _, name in path)))
    return sections
