"""Plain text, Markdown, reStructuredText and source code: unchanged but for a byte order mark.

Source code, settings and JSON are cut at lines, never inside one. The name of a definition is the
heading of its lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.domain import RawDocument, Span
from rag.errors import Unreadable
from rag.ingest.formats.common import MAX_TEXT_CHARS, check_length, decode, iso_day, stated_date

_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or an office file",
    b"{\\rtf": "rich text (RTF)",
}
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?=[\w-]+:)(.*?)\r?\n---[ \t]*\r?(?:\n|$)", re.S)
_UNDERLINED = re.compile(
    r"(?m)^(?P<title>[^\s#>|*`-][^\n]{0,118})\r?\n(?P<rule>([=\-~^\"'`*+#])\3{2,})[ \t\r]*$"
)
_CODE_BLOCK = re.compile(r"(?ms)^```.*?^```")
_TOP_HEADING = re.compile(r"(?m)^#[ \t]+([^\s#][^\n]*)$")
_QUOTES = ("'", '"')
#: a line that begins a definition: its indentation, and the keyword and name as heading
_DEFINITION = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:(?:export|default|public|private|protected|static|abstract|final|async|pub|sealed|data|open)"
    r"[ \t]+)*"
    r"(?P<name>(?:class|def|func|fn|function|interface|struct|trait|enum|module|namespace)"
    r"[ \t]+[A-Za-z_$][\w$.]*)",
    re.M,
)


def read_text(content: bytes) -> Iterator[RawDocument]:
    """Yield the decoded file. Raises `Unreadable` for another format, too long and blank files."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            raise Unreadable(
                f"is {kind} by its content, not text", "give it the ending of its own format"
            )
    if len(content) > 4 * MAX_TEXT_CHARS:
        check_length(len(content))
    text = decode(content)
    check_length(len(text), text.count("\n"))
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    yield RawDocument(text, date=stated_date(text))


def read_markdown(content: bytes) -> Iterator[RawDocument]:
    """Yield a Markdown file. Its title is that of the front matter, else the first # heading.

    The front matter is masked.
    """
    for raw in read_text(content):
        front = _FRONT_MATTER.match(raw.text)
        fields = _front_matter_fields(front.group(1)) if front else {}
        heading = _TOP_HEADING.search(_CODE_BLOCK.sub("", raw.text))
        title = fields.get("title") or (heading.group(1).rstrip().rstrip("#") if heading else "")
        date = iso_day(fields.get("date", "")) or raw.date
        yield RawDocument(
            raw.text, title.strip(), date, masked=(Span(0, front.end()),) if front else ()
        )


def _front_matter_fields(front: str) -> dict[str, str]:
    """Return title and date of a front matter, each from its own line, without quotation marks."""
    parts = (line.partition(":") for line in front.split("\n"))
    values = {key: value.strip() for key, _, value in parts if key in ("title", "date")}
    return {
        key: value[value[:1] in _QUOTES : len(value) - (value[-1:] in _QUOTES)]
        for key, value in values.items()
        if value
    }


def read_rst(content: bytes) -> Iterator[RawDocument]:
    """Yield a reStructuredText file.

    Its title is the first underlined line, its date a ``:Date:`` field among the first 40 lines.
    """
    for raw in read_text(content):
        heading = _UNDERLINED.search(raw.text)
        field = re.search(
            r"(?mi)^:(?:date|published|created):[ \t]*(.+)$",
            "\n".join(raw.text.split("\n", 40)[:40]),
        )
        date = iso_day(field[1]) if field else None
        yield RawDocument(raw.text, heading["title"].strip() if heading else "", date or raw.date)


def read_code(content: bytes) -> Iterator[RawDocument]:
    """Yield source code: a line is a sentence, a definition a heading by its indentation."""
    for raw in read_text(content):
        headings = tuple(
            (match.start(), 1 + len(match["indent"].expandtabs(4)), " ".join(match["name"].split()))
            for match in _DEFINITION.finditer(raw.text)
        )
        yield RawDocument(raw.text, headings=headings, lines=True)


def read_lines(content: bytes) -> Iterator[RawDocument]:
    """Yield JSON, settings or markup for typesetting: a line is a sentence, without headings."""
    for raw in read_text(content):
        yield RawDocument(raw.text, headings=(), lines=True)
