"""Writes the same documents in 26 formats, by the programs' own libraries where there are any.

A document is as people keep it: a title, a paragraph, a table of forty rows, a list with its
introduction. All of it is invented.
"""

from __future__ import annotations

import csv
import email.policy
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import escape
from typing import NamedTuple

import docx
import openpyxl
import pptx
import yaml
from pptx.util import Inches

from tests.support import bombs, opendocument
from tests.support.pdf_files import drawn_pdf, show, table


class Content(NamedTuple):
    """What a file says."""

    name: str
    title: str
    prose: str
    header: list[str]
    rows: list[list[str]]
    introduction: str
    items: list[str]


_FIRST = "Ada Bruno Clara Dmitri Elif Femi Greta Hugo Ines Jonas".split()
_LAST = "Abel Brandt Castro Dahl Egger Faber Grau Holm".split()
_THINGS = "Anvil Bellows Chisel Drill Easel File Gimlet Hammer Jig Kiln".split()
_KINDS = "small medium large heavy".split()
_TOWNS = "Bergen Turku Ghent Lugano Porto Graz Split Malmo".split()


def contents() -> list[Content]:
    """Four documents with other columns each."""
    rng = random.Random(20)
    pairs = [(a, b) for a in range(10) for b in range(4)]
    prices = [
        [f"{_THINGS[a]} {_KINDS[b]}", f"T-{a}{b}7", f"{rng.randint(2, 900)}.{rng.randint(10, 99)}", f"{rng.randint(1, 40)} kg"]
        for a, b in pairs
    ]  # fmt: skip
    people = [
        [f"{_FIRST[a]} {_LAST[b + 4 * (a % 2)]}", rng.choice(["Sales", "Stores", "Workshop"]), f"{_FIRST[a].lower()}.{b}@example.org", f"Room {rng.randint(100, 399)}"]
        for a, b in pairs
    ]  # fmt: skip
    rivers = [
        [f"{_TOWNS[a % 8]} gauge {a}{b}", f"2024-0{1 + a % 9}-1{b}", str(rng.randint(110, 480)), rng.choice(["rising", "falling", "steady"])]
        for a, b in pairs
    ]  # fmt: skip
    rooms = [
        [f"Course {10 * a + b}", f"{_FIRST[a]} {_LAST[b]}", f"{8 + b}:{rng.choice(['00', '15', '30'])}", f"Hall {1 + (a + b) % 6}"]
        for a, b in pairs
    ]  # fmt: skip
    return [
        Content("prices", "Price list of the tool shop", "Prices are in euros and hold until the end of the year. Orders of more than ten pieces are delivered free of charge.",
                ["Article", "Number", "Price", "Weight"], prices, "An order needs the following:",
                ["the number of the article", "how many pieces you want", "the address of the delivery", "a name for questions"]),
        Content("people", "Telephone list of the works", "Please report changes to the front desk. The list is printed on the first working day of each month.",
                ["Name", "Department", "Mail", "Office"], people, "New colleagues receive on their first day:",
                ["a key for the main door", "a locker in the basement", "the plan of the canteen"]),
        Content("rivers", "Readings of the river gauges", "Readings are taken at seven in the morning. A gauge that is frozen is read on the next day without ice.",
                ["Gauge", "Day", "Level", "Trend"], rivers, "At a level of more than four metres:",
                ["close the lower gate", "call the fire brigade", "move the pumps to the upper yard", "write down the time", "warn the camping ground"]),
        Content("rooms", "Plan of the evening courses", "Courses last ninety minutes. Whoever cannot come is asked to cancel a day before.",
                ["Title", "Teacher", "Begin", "Place"], rooms, "Please bring with you:",
                ["paper and a soft pencil", "indoor shoes", "the confirmation of your payment"]),
    ]  # fmt: skip


# -- text and data


def _csv(made: Content, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([made.header, *made.rows])
    return out.getvalue().encode()


def _txt(made: Content) -> bytes:
    widths = [max(map(len, column)) + 3 for column in zip(made.header, *made.rows, strict=True)]
    rows = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (made.header, *made.rows)
    ]
    items = [f"- {item}" for item in made.items]
    parts = [made.title, made.prose, "\n".join(rows), "\n".join([made.introduction, *items])]
    return ("\n\n".join(parts) + "\n").encode()


def _rst(made: Content) -> bytes:
    widths = [max(map(len, column)) + 1 for column in zip(made.header, *made.rows, strict=True)]
    border = "  ".join("=" * width for width in widths)
    header, *rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (made.header, *made.rows)
    ]
    items = "\n".join(f"* {item}" for item in made.items)
    parts = [
        f"{made.title}\n{'=' * len(made.title)}",
        made.prose,
        "\n".join([border, header, border, *rows, border]),
        made.introduction,
        items,
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _md(made: Content) -> bytes:
    rows = ["| " + " | ".join(row) + " |" for row in (made.header, *made.rows)]
    rows.insert(1, "|---" * len(made.header) + "|")
    items = "\n".join(f"- {item}" for item in made.items)
    parts = [f"# {made.title}", made.prose, "\n".join(rows), made.introduction, items]
    return ("\n\n".join(parts) + "\n").encode()


def _html_body(made: Content) -> str:
    def row(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"

    return (
        f"<h1>{made.title}</h1>\n<p>{made.prose}</p>\n<table>\n{row(made.header, 'th')}"
        + "".join(row(cells, "td") for cells in made.rows)
        + f"</table>\n<p>{made.introduction}</p>\n<ul>\n"
        + "".join(f"<li>{item}</li>\n" for item in made.items)
        + "</ul>\n"
    )


def _html(made: Content) -> bytes:
    return (
        f"<!doctype html><html lang='en'><head><title>{made.title}</title></head>"
        f"<body><main>{_html_body(made)}</main></body></html>"
    ).encode()


def _ipynb(made: Content) -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": _md(made).decode().splitlines(True)},
        {"cell_type": "code", "metadata": {}, "source": ["total = 40\n"], "outputs": []},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def _records(made: Content) -> list[dict[str, str]]:
    return [dict(zip(made.header, row, strict=True)) for row in made.rows]


def _json(made: Content) -> bytes:
    return json.dumps({"title": made.title, "entries": _records(made)}, indent=2).encode()


def _yaml(made: Content) -> bytes:
    value = {"title": made.title, "entries": _records(made)}
    return yaml.safe_dump(value, sort_keys=False).encode()


def _toml(made: Content) -> bytes:
    records = [
        "[[entries]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in record.items())
        for record in _records(made)
    ]  # fmt: skip
    return (f'title = "{made.title}"\n\n' + "\n".join(records)).encode()


def _ini(made: Content) -> bytes:
    sections = [
        f"[{row[0]}]\n"
        + "".join(f"{n} = {v}\n" for n, v in zip(made.header[1:], row[1:], strict=True))
        for row in made.rows
    ]
    return "\n".join(sections).encode()


def _vcf(made: Content) -> bytes:
    cards = [
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{row[0]}\r\nN:{row[0]};;;;\r\nTITLE:{row[1]}\r\n"
        f"EMAIL:{row[0].lower().replace(' ', '.')}@example.org\r\nEND:VCARD\r\n"
        for row in made.rows
    ]
    return "".join(cards).encode()


def _ics(made: Content) -> bytes:
    entries = [
        f"BEGIN:VEVENT\r\nUID:{n}@example.org\r\nDTSTART:2024{1 + n // 28:02}{1 + n % 28:02}T090000\r\n"
        f"SUMMARY:{row[0]}\r\nLOCATION:{row[3]}\r\nEND:VEVENT\r\n"
        for n, row in enumerate(made.rows)
    ]
    return ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(entries) + "END:VCALENDAR\r\n").encode()


# -- office files


def _xlsx(made: Content) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ([made.title], [], made.header, *made.rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _docx(made: Content) -> bytes:
    document = docx.Document()
    document.add_heading(made.title, 1)
    document.add_paragraph(made.prose)
    cells = document.add_table(len(made.rows) + 1, len(made.header), style="Table Grid")
    for place, row in zip(cells.rows, (made.header, *made.rows), strict=True):
        for cell, text in zip(place.cells, row, strict=True):
            cell.text = text
    document.add_paragraph(made.introduction)
    for item in made.items:
        document.add_paragraph(item, style="List Bullet")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _pptx(made: Content) -> bytes:
    deck = pptx.Presentation()
    for first in range(0, len(made.rows), 10):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = f"{made.title}, part {first // 10 + 1}"
        rows = [made.header, *made.rows[first : first + 10]]
        shape = slide.shapes.add_table(
            len(rows), len(made.header), Inches(1), Inches(2), Inches(8), Inches(4)
        )
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                shape.table.cell(number, column).text = text
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "What to do"
    frame = slide.placeholders[1].text_frame
    frame.text = made.introduction
    for item in made.items:
        paragraph = frame.add_paragraph()
        paragraph.text, paragraph.level = item, 1
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def _ods(made: Content) -> bytes:
    cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    return bombs.ods(
        "".join(
            f"<table:table-row>{''.join(cell.format(escape(text)) for text in row)}</table:table-row>"
            for row in ([made.title], made.header, *made.rows)
        )
    )


def _opendocument_table(made: Content) -> str:
    rows = ["|".join(map(escape, row)) for row in (made.header, *made.rows)]
    return opendocument.table(*rows)


def _opendocument_list(made: Content) -> str:
    items = (f"<text:list-item>{opendocument.p(item)}</text:list-item>" for item in made.items)
    return f"{opendocument.p(made.introduction)}<text:list>{''.join(items)}</text:list>"


def _odt(made: Content) -> bytes:
    return opendocument.document(
        f'<text:h text:outline-level="1">{made.title}</text:h>{opendocument.p(made.prose)}'
        f"{_opendocument_table(made)}{_opendocument_list(made)}"
    )


def _odp(made: Content) -> bytes:
    return opendocument.document(
        f'<draw:page draw:name="one"><draw:frame>{_opendocument_table(made)}</draw:frame>'
        f"</draw:page><draw:page><draw:frame><draw:text-box>{_opendocument_list(made)}"
        "</draw:text-box></draw:frame></draw:page>",
        "presentation",
    )


def _rtf(made: Content) -> bytes:
    edges = "".join(f"\\cellx{2000 * n}" for n in range(1, len(made.header) + 1))
    rows = [
        f"\\trowd{edges}\\pard\\intbl " + "".join(f"{cell}\\cell " for cell in row) + "\\row\n"
        for row in (made.header, *made.rows)
    ]
    return (
        "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Helvetica;}}\\f0\\fs24\n"
        f"{{\\b {made.title}}}\\par {made.prose}\\par {''.join(rows)}\\pard "
        f"{made.introduction}\\par\n}}"
    ).encode("ascii")


# -- mail, books, archives, PDF


def _message(made: Content) -> EmailMessage:
    message = EmailMessage(email.policy.SMTP)
    message["From"] = "Ines Holm <ines@example.org>"
    message["To"] = "hugo@example.org"
    message["Subject"] = made.title
    message["Date"] = "Mon, 04 Mar 2024 09:12:00 +0100"
    message.set_content(_txt(made).decode())
    message.add_attachment(_csv(made).decode(), subtype="csv", filename="list.csv")
    return message


def _eml(made: Content) -> bytes:
    message = _message(made)
    del message["Subject"]
    message["Subject"] = made.title
    return message.as_bytes()


def _mbox(made: Content) -> bytes:
    other = EmailMessage()
    other["From"], other["To"] = "hugo@example.org", "ines@example.org"
    other["Subject"] = f"Re: {made.title}"
    other["Date"] = "Tue, 05 Mar 2024 08:00:00 +0100"
    other.set_content(f"Dear Ines,\n\n{made.introduction}\n- {made.items[0]}\n- {made.items[1]}\n")
    return b"".join(
        b"From a@example.org Mon Mar  4 09:12:00 2024\n" + m.as_bytes().replace(b"\r\n", b"\n") + b"\n"
        for m in (_message(made), other)
    )  # fmt: skip


def _epub(made: Content) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{made.title}</dc:title></metadata>'
        '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{_html_body(made)}</body></html>'
    return _zipped(
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container.encode()),
        ("book.opf", package.encode()),
        ("a.xhtml", page.encode()),
    )


def _zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def _zip(made: Content) -> bytes:
    return _zipped(("list.csv", _csv(made)), ("notes/read.md", _md(made)))


def _tar(made: Content) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in (("list.tsv", _csv(made, "\t")), ("read.html", _html(made))):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _pdf(made: Content) -> bytes:
    widths = [130.0, 120.0, 120.0, 100.0]
    items = [show(70, 560 - 16 * n, f"- {item}") for n, item in enumerate(made.items)]
    return drawn_pdf(
        [
            [show(60, 740, made.title, 16), *table(60, 715, widths, [made.header, *made.rows])],
            [show(60, 700, line) for line in made.prose.split(". ")]
            + [show(60, 580, made.introduction), *items],
        ]
    )


WRITERS: dict[str, Callable[[Content], bytes]] = {
    ".csv": _csv,
    ".tsv": lambda made: _csv(made, "\t"),
    ".txt": _txt,
    ".rst": _rst,
    ".md": _md,
    ".html": _html,
    ".ipynb": _ipynb,
    ".json": _json,
    ".yaml": _yaml,
    ".toml": _toml,
    ".ini": _ini,
    ".vcf": _vcf,
    ".ics": _ics,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".ods": _ods,
    ".odt": _odt,
    ".odp": _odp,
    ".epub": _epub,
    ".rtf": _rtf,
    ".eml": _eml,
    ".mbox": _mbox,
    ".zip": _zip,
    ".tar.gz": _tar,
    ".pdf": _pdf,
}


def files() -> Iterator[tuple[str, Content, bytes]]:
    """Yield the ending, what it says, and the bytes of each file."""
    for ending, write in WRITERS.items():
        for made in contents():
            yield ending, made, write(made)
