"""Plain text, Markdown, reStructuredText, source code, settings, JSON and logs.

The text is that of the file, but for a byte order mark. Source code, settings and logs are cut at
lines, never inside one; JSON is cut between objects. The name of a definition is the heading of its
lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.domain import RawDocument, Unit
from rag.errors import Unreadable
from rag.ingest.formats.common import MAX_TEXT_CHARS, check_length, decode, iso_day, stated_date
from rag.ingest.structure.code import code_units
from rag.ingest.structure.find import find_units
from rag.ingest.structure.front_matter import find_front_matter
from rag.ingest.structure.json_records import json_records
from rag.ingest.structure.log_lines import log_units
from rag.ingest.structure.settings import conf_units, ini_units, yaml_units

_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or an office file",
    b"{\\rtf": "rich text (RTF)",
}
_UNDERLINED = re.compile(
    r"(?m)^(?P<title>[^\s#>|*`-][^\n]{0,118})\r?\n(?P<rule>([=\-~^\"'`*+#])\3{2,})[ \t\r]*$"
)
_CODE_BLOCK = re.compile(r"(?ms)^```.*?^```")
_TOP_HEADING = re.compile(r"(?m)^#[ \t]+([^\s#][^\n]*)$")
#: a line that begins a definition: its indentation, and the keyword and name as heading
_DEFINITION = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:(?:export|default|public|private|protected|static|abstract|final|async|pub|sealed|data"
    r"|open)"
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
    """Yield a Markdown file. Its title is that of the front matter, else the first # heading."""
    for raw in read_text(content):
        front = find_front_matter(raw.text)
        values = front.values if front else {}
        heading = _TOP_HEADING.search(_CODE_BLOCK.sub("", raw.text[front.end if front else 0 :]))
        title = values.get("title") or (heading.group(1).rstrip().rstrip("#") if heading else "")
        date = iso_day(values.get("date", "")) or raw.date
        yield RawDocument(raw.text, " ".join(title.split()), date)


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
        title = heading["title"].strip() if heading else ""
        units = find_units(raw.text, terms=True)
        yield RawDocument(raw.text, title, date or raw.date, units=units)


def read_code(content: bytes) -> Iterator[RawDocument]:
    """Yield source code: a line is a sentence, a definition a heading by its indentation."""
    for raw in read_text(content):
        headings = tuple(
            (match.start(), 1 + len(match["indent"].expandtabs(4)), " ".join(match["name"].split()))
            for match in _DEFINITION.finditer(raw.text)
        )
        yield RawDocument(raw.text, headings=headings, lines=True, units=code_units(raw.text))


def read_lines(content: bytes) -> Iterator[RawDocument]:
    """Yield markup for typesetting and the like: a line is a sentence, without headings."""
    yield from _by_lines(content, lambda _: ())


def read_json(content: bytes) -> Iterator[RawDocument]:
    """Yield JSON with the records of its objects."""
    yield from _by_lines(content, json_records)


def read_yaml(content: bytes) -> Iterator[RawDocument]:
    """Yield YAML with its records and lists."""
    yield from _by_lines(content, yaml_units)


def read_ini(content: bytes) -> Iterator[RawDocument]:
    """Yield TOML, INI, .properties or .env with their records."""
    yield from _by_lines(content, ini_units)


def read_conf(content: bytes) -> Iterator[RawDocument]:
    """Yield a configuration by lines or blocks with its records."""
    yield from _by_lines(content, conf_units)


def read_log(content: bytes) -> Iterator[RawDocument]:
    """Yield a log with its lines as rows, or other text as it is."""
    for raw in read_text(content):
        units = log_units(raw.text)
        yield RawDocument(raw.text, headings=(), lines=True, units=units) if units else raw


def _by_lines(content: bytes, find: Callable[[str], tuple[Unit, ...]]) -> Iterator[RawDocument]:
    """Yield a file whose lines are its sentences, with the units that `find` finds."""
    for raw in read_text(content):
        yield RawDocument(raw.text, headings=(), lines=True, units=find(raw.text))
