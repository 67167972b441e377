"""Reads files with other libraries than the product does, and says what must be found in them.

A reader returns the plain text, the cells of tables with the names of their columns, and the items of
lists with the line that introduces them. Python's own modules, `markdown-it` and `pypdf`.
"""

from __future__ import annotations

import configparser
import csv
import datetime
import email
import email.policy
import io
import json
import mailbox
import re
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdf
import yaml
from markdown_it import MarkdownIt

BLOCKS = frozenset(
    "p h1 h2 h3 h4 h5 h6 li td th dt dd div tr table ul ol caption body section br pre".split()
)


@dataclass
class Found:
    """What another reader finds in a file."""

    text: str = ""
    cells: list[tuple[str, str]] = field(default_factory=list)  #: name of the column, value
    items: list[tuple[str, str]] = field(default_factory=list)  #: introduction, item

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Add the cells of a table whose first row is its header."""
        for row in rows[1:]:
            self.cells += [
                (name, value) for name, value in zip(rows[0], row, strict=False) if value
            ]
        self.text += "\n" + "\n".join(" ".join(row) for row in rows)

    def record(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Add the fields of one thing."""
        for name, value in pairs:
            self.cells.append((name, str(value)))
            self.text += f"\n{name} {value}"

    def add(self, other: Found) -> None:
        self.text += "\n" + other.text
        self.cells += other.cells
        self.items += other.items


def plain(text: str) -> str:
    """Return a text without what readers may differ in: white space."""
    return " ".join(text.replace("\xa0", " ").split())


# -- text


def read_csv(content: bytes) -> Found:
    return _delimited(content, ",")


def read_tsv(content: bytes) -> Found:
    return _delimited(content, "\t")


def _delimited(content: bytes, delimiter: str) -> Found:
    found = Found()
    found.table(list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter)))
    return found


def read_txt(content: bytes) -> Found:
    """Columns that two blanks divide, and items after a hyphen."""
    found, rows, above = Found(content.decode()), list[list[str]](), ""
    for line in found.text.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if line.startswith("- "):
            found.items.append((above, line[2:]))
        elif len(cells) > 2:
            rows.append(cells)
        elif line.strip():
            above = line.strip()
    found.table(rows or [[]])
    return found


def read_rst(content: bytes) -> Found:
    """Simple tables, whose borders say the columns."""
    found, lines, above = Found(content.decode()), content.decode().splitlines(), ""
    edges: list[tuple[int, int]] = []
    rows = list[list[str]]()
    for line in lines:
        if re.fullmatch(r"=+( +=+)+", line):
            edges = [match.span() for match in re.finditer("=+", line)]
        elif edges and line.strip():
            ends = [start for start, _ in edges[1:]] + [len(line)]
            rows.append(
                [line[start:end].strip() for (start, _), end in zip(edges, ends, strict=True)]
            )
        elif line.startswith("* "):
            found.items.append((above, line[2:]))
        elif line.strip():
            above = line.strip()
        else:
            edges = []
    found.table(rows or [[]])
    return found


def read_md(content: bytes) -> Found:
    text = re.sub(r"\A---\n.*?\n---\n", "", content.decode(), flags=re.S)
    return read_html(MarkdownIt("commonmark").enable("table").render(text).encode())


class _Page(HTMLParser):
    """Tables, lists and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Found()
        self._rows: list[list[str]] = []
        self._parts: list[str] = []
        self._above = ""
        self._introductions: list[str] = []
        self._silent = 0
        self._in_table = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "title", "head")
        if tag in BLOCKS:
            self._parts.append(" ")
            self._end_block(tag in ("ul", "ol") and bool(self._introductions))
        if tag == "table":
            self._in_table += 1
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("ul", "ol"):
            self._introductions.append(self._above)

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self.found.text += f"\n{plain(''.join(self._parts))}"
            self._parts = []
        self._silent -= tag in ("script", "style", "title", "head") and self._silent > 0
        if tag in ("td", "th") and self._rows:
            self._rows[-1].append(plain("".join(self._parts)))
            self._parts = []
        elif tag == "table":
            self._in_table -= 1
            if self._rows and len(self._rows[0]) > 1:
                self.found.table(self._rows)
        elif tag in BLOCKS:
            self._end_block(tag == "li" and bool(self._introductions))
        if tag in ("ul", "ol") and self._introductions:
            self._introductions.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data)

    def _end_block(self, is_item: bool) -> None:
        text = plain("".join(self._parts))
        if self._in_table or not text:
            return
        self._parts = []
        self.found.text += "\n" + text
        if is_item:
            self.found.items.append((self._introductions[-1], text))
        if not self._introductions:
            self._above = text


def read_html(content: bytes) -> Found:
    page = _Page()
    page.feed(content.decode("utf-8", "replace"))
    page.close()
    return page.found


def read_ipynb(content: bytes) -> Found:
    found = Found()
    for cell in json.loads(content)["cells"]:
        source = "".join(cell["source"])
        found.add(read_md(source.encode()) if cell["cell_type"] == "markdown" else Found(source))
    return found


# -- data


def read_json(content: bytes) -> Found:
    return _data(json.loads(content))


def read_yaml(content: bytes) -> Found:
    return _data(yaml.safe_load(content))


def read_toml(content: bytes) -> Found:
    return _data(tomllib.loads(content.decode()))


def _data(value: dict[str, Any]) -> Found:
    found = Found()
    for name, member in value.items():
        if isinstance(member, list):
            for record in member:
                found.record(record.items())
        else:
            found.record([(name, member)])
    return found


def read_ini(content: bytes) -> Found:
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # as its documentation says
    parser.read_string(content.decode())
    found = Found()
    for name in parser.sections():
        found.text += f"\n{name}"
        found.record(parser[name].items())
    return found


def _cards(begin: str) -> Callable[[bytes], Found]:
    def read(content: bytes) -> Found:
        found = Found()
        for card in content.decode().replace("\r\n ", "").split(begin)[1:]:
            lines = [line.partition(":") for line in card.splitlines()]
            kept = ("FN", "EMAIL", "TITLE", "SUMMARY", "LOCATION")
            found.record(("", value) for name, _, value in lines if name in kept)
            for start in (value for name, _, value in lines if name == "DTSTART"):
                day = datetime.datetime.strptime(start, "%Y%m%dT%H%M%S")
                found.record([("", f"{day.day} {day:%B %Y, %H:%M}")])
        return found

    return read


# -- office files: their XML


def _parts(content: bytes, pattern: str) -> Iterator[ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(pattern, name):
                yield ElementTree.fromstring(archive.read(name))


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _all(node: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [child for child in node.iter() if _tag(child) == tag]


def _text(node: ElementTree.Element, tag: str = "t") -> str:
    parts = list[str]()
    for child in node.iter():
        if _tag(child) == tag:
            parts.append(child.text or "")
        elif _tag(child) in ("p", "br", "tab"):
            parts.append(" ")
    return plain("".join(parts))


def read_docx(content: bytes) -> Found:
    found, above = Found(), ""
    (root,) = _parts(content, "word/document.xml")
    for node in next(iter(_all(root, "body"))):
        if _tag(node) == "tbl":
            found.table([[_text(cell) for cell in _all(row, "tc")] for row in _all(node, "tr")])
            continue
        text = _text(node)
        styles = [value for style in _all(node, "pStyle") for value in style.attrib.values()]
        is_heading = any("Heading" in style for style in styles)
        if text and not is_heading and (_all(node, "numPr") or "List" in " ".join(styles)):
            found.items.append((above, text))
        elif text:
            above = text
        found.text += f"\n{text}"
    for root in _parts(content, r"word/(?:comments|footnotes|endnotes|header\d*|footer\d*)\.xml"):
        found.text += f"\n{_text(root)}"
    return found


def read_pptx(content: bytes) -> Found:
    found = Found()
    for root in _parts(content, r"ppt/slides/slide\d+\.xml"):
        for table in _all(root, "tbl"):
            found.table([[_text(cell) for cell in _all(row, "tc")] for row in _all(table, "tr")])
        for paragraph in _all(root, "p"):
            found.text += f"\n{_text(paragraph)}"
            if any(node.get("lvl") == "1" for node in _all(paragraph, "pPr")):
                found.items.append(("", _text(paragraph)))
    return found


def read_xlsx(content: bytes) -> Found:
    """The first table of each sheet: values as they are saved, without their formats."""
    found, shared = Found(), list[str]()
    for root in _parts(content, "xl/sharedStrings.xml"):
        shared = [_text(node) for node in _all(root, "si")]
    for root in _parts(content, r"xl/worksheets/sheet\d+\.xml"):
        rows = list[list[str]]()
        for row in _all(root, "row"):
            cells = list[str]()
            for cell in _all(row, "c"):
                value = _text(cell, "v") or _text(cell)
                cells.append(shared[int(value)] if cell.get("t") == "s" and value else value)
            rows.append(cells)
        widest = max((len(row) for row in rows), default=0)
        first = next((n for n, row in enumerate(rows) if len(row) == widest), 0)
        found.text += "\n".join(" ".join(row) for row in rows[:first])
        found.table(rows[first:] or [[]])
    return found


def read_opendocument(content: bytes) -> Found:
    found, above = Found(), ""
    (root,) = _parts(content, "content.xml")
    inside = {id(node) for table in _all(root, "table") for node in table.iter()}
    items = {id(node) for item in _all(root, "list-item") for node in item.iter()}
    for node in root.iter():
        if _tag(node) == "table":
            rows = [
                [plain("".join(cell.itertext())) for cell in _all(row, "table-cell")]
                for row in _all(node, "table-row")
            ]
            first = next((n for n, row in enumerate(rows) if len(row) > 1), 0)
            found.table(rows[first:] or [[]])
        elif _tag(node) in ("p", "h") and id(node) not in inside:
            text = plain("".join(node.itertext()))
            found.text += f"\n{text}"
            if id(node) in items:
                found.items.append((above, text))
            else:
                above = text
    return found


def read_epub(content: bytes) -> Found:
    found = Found()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".xhtml") and "nav" not in name:
                found.add(read_html(archive.read(name)))
    return found


def read_rtf(content: bytes) -> Found:
    """Rows by their control words; no more of the format."""
    text = content.decode("ascii")
    text = re.sub(r"\{\\(?:fonttbl|colortbl|\*).*?\}\}?", "", text)
    text = re.sub(r"\\u(\d+)\?", lambda match: chr(int(match[1])), text)
    text = text.replace("\\row", "\n").replace("\\par ", "\n").replace("\\cell ", "\t")
    text = re.sub(r"\\[a-z]+-?\d* ?|[{}]", "", text)
    found = Found(text)
    rows = [
        [cell.strip() for cell in line.split("\t")[:-1]]
        for line in text.split("\n")
        if "\t" in line
    ]
    found.table(rows or [[]])
    return found


# -- mail, archives, PDF


def read_eml(content: bytes) -> Found:
    message = email.message_from_bytes(content, policy=email.policy.default)
    found = Found()
    found.record(
        (name, value.replace('"', ""))
        for name, value in message.items()
        if name in ("From", "To", "Cc", "Bcc", "Subject", "Date")
    )
    body = message.get_body(("html", "plain"))
    if body:
        is_html = body.get_content_type() == "text/html"
        found.add((read_html if is_html else read_txt)(body.get_content().encode()))
    for part in message.iter_attachments():
        name = part.get_filename() or ""
        found.text += f"\n{name} ({part.get_content_type()})"
        reader = READERS.get(Path(name).suffix)
        if reader:
            found.add(reader(part.get_content().encode()))
    return found


def read_mbox(content: bytes) -> Found:
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.mbox")
        path.write_bytes(content)
        for message in mailbox.mbox(path):
            found.add(read_eml(message.as_bytes()))
    return found


def read_zip(content: bytes) -> Found:
    found = Found()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            found.add(READERS[Path(name).suffix](archive.read(name)))
    return found


def read_tar(content: bytes) -> Found:
    found = Found()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file
            found.add(READERS[Path(member.name).suffix](file.read()))
    return found


def read_pdf(content: bytes) -> Found:
    """The words of a PDF; pypdf finds no tables."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    return Found("\n".join(page.extract_text() for page in reader.pages))


READERS: dict[str, Callable[[bytes], Found]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".txt": read_txt,
    ".rst": read_rst,
    ".md": read_md,
    ".html": read_html,
    ".ipynb": read_ipynb,
    ".json": read_json,
    ".yaml": read_yaml,
    ".toml": read_toml,
    ".ini": read_ini,
    ".vcf": _cards("BEGIN:VCARD"),
    ".ics": _cards("BEGIN:VEVENT"),
    ".docx": read_docx,
    ".pptx": read_pptx,
    ".xlsx": read_xlsx,
    ".ods": read_opendocument,
    ".odt": read_opendocument,
    ".odp": read_opendocument,
    ".epub": read_epub,
    ".rtf": read_rtf,
    ".eml": read_eml,
    ".mbox": read_mbox,
    ".zip": read_zip,
    ".tar.gz": read_tar,
    ".pdf": read_pdf,
}
