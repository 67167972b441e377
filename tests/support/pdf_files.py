"""PDF files, written byte by byte: lines of text, and pages that are laid out in columns."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: widths of the letters of Helvetica from the blank to the tilde, in thousandths of its size
_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 "
    + "556 " * 10
    + "278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 "
    "778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 "
    "556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
).split()
WIDTH, HEIGHT = 612, 792


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    count: int | None = None,
    marks: Sequence[tuple[str, int]] = (),
    said: str = "",
    packed: bool = False,
    trailer: str = "",
    more: Sequence[bytes] = (),
) -> bytes:
    """Return a PDF of lines in Helvetica.

    `count` is the stated number of pages, `marks` the table of contents, `said` the properties.
    """
    texts = [
        b"\n".join(
            b"BT /F1 12 Tf 72 %d Td (%s) Tj ET" % (720 - 20 * n, escaped(line))
            for n, line in enumerate(p)
        )
        for p in pages
    ]
    first = 5  # 1 catalogue, 2 pages, 3 font, 4 properties, then a page and its words by turns
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(pages)))
    outline = first + 2 * len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R"
        + (b" /Outlines %d 0 R" % outline if marks else b"")
        + b" >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages) if count is None else count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< %s >>" % said.encode("latin-1"),
    ]
    for n, words in enumerate(texts):
        body, how = (zlib.compress(words), b" /Filter /FlateDecode") if packed else (words, b"")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % (first + 2 * n + 1)
        )
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(body), how, body))
    if marks:
        objects.append(
            b"<< /Type /Outlines /First %d 0 R /Last %d 0 R >>"
            % (outline + 1, outline + len(marks))
        )
    for n, (title, page) in enumerate(marks):
        objects.append(
            b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit]%s >>"
            % (
                escaped(title),
                outline,
                first + 2 * (page - 1),
                b" /Next %d 0 R" % (outline + n + 2) if n + 1 < len(marks) else b"",
            )
        )
    objects += more
    return _file(objects, trailer.encode())


def escaped(text: str) -> bytes:
    return re.sub(rb"([\\()])", rb"\\\1", text.encode("cp1252"))


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for n, made in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, made)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % p for p in places
    )
    return bytes(
        out
    ) + b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        table,
    )


def text_width(text: str, size: float) -> float:
    """Return the width of ASCII text in Helvetica."""
    return sum(int(_WIDTHS[ord(letter) - 32]) for letter in text) * size / 1000


def drawn_pdf(pages: Sequence[Iterable[bytes]], *, box: str = "", packed: bool = True) -> bytes:
    """Return a PDF of pages of drawing operators. `box` is more for each page ("/Rotate 90")."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (5 + 2 * n) for n in range(len(pages))), len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< >>",
    ]
    for n, operators in enumerate(pages):
        body = b"\n".join(operators)
        how = b" /Filter /FlateDecode" if packed else b""
        body = zlib.compress(body) if packed else body
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] %s "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % (WIDTH, HEIGHT, box.encode(), 6 + 2 * n)
        )
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(body), how, body))
    return _file(objects, b"")


def show(x: float, y: float, text: str, size: float = 10, spacing: float = 0) -> bytes:
    """Draw text at a place; `spacing` is added to each blank."""
    return b"BT /F1 %.1f Tf %.2f Tw %.2f %.2f Td (%s) Tj ET" % (size, spacing, x, y, escaped(text))


def rule(x0: float, y0: float, x1: float, y1: float) -> bytes:
    """Draw a line."""
    return b"0.5 w %.2f %.2f m %.2f %.2f l S" % (x0, y0, x1, y1)


def table(
    x: float,
    y: float,
    columns: Sequence[float],
    rows: Sequence[Sequence[str]],
    *,
    ruled: bool = False,
) -> list[bytes]:
    """Draw a table with its upper left corner at `x`, `y`; `columns` are widths. A row is 16 high."""
    found, right, bottom = [], x + sum(columns), y - 16 * len(rows)
    edges = [x + sum(columns[:n]) for n in range(len(columns) + 1)]
    for number, row in enumerate(rows):
        found += [
            show(edge + 3, y - 12 - 16 * number, cell)
            for edge, cell in zip(edges, row, strict=False)
            if cell
        ]
    if ruled:
        found += [rule(x, y - 16 * n, right, y - 16 * n) for n in range(len(rows) + 1)]
        found += [rule(edge, y, edge, bottom) for edge in edges]
    return found


def wrapped(words: Sequence[str], width: float, size: float, *, divide: bool = False) -> list[str]:
    """Return words as lines of at most `width`; with `divide`, a long word is divided by a hyphen."""
    lines, line = list[str](), ""
    for word in words:
        longer = f"{line} {word}".strip()
        if text_width(longer, size) <= width:
            line = longer
            continue
        half = len(word) // 2
        part = f"{line} {word[:half]}-"
        if divide and line and len(word) >= 8 and text_width(part, size) <= width:
            lines.append(part)
            line = word[half:]
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line else lines


@dataclass
class Layout:
    """How pages of columns are laid out, and what lies over them."""

    columns: int = 2
    gutter: float = 18
    size: float = 10
    leading: float = 1.2
    justified: bool = False
    divided: bool = False
    indented: bool = False
    apart: bool = False  #: space between paragraphs
    shift: float = 0  #: of each column against the one on its left
    order: str = "columns"  #: in which the lines are drawn: columns, rows, shuffled
    widths: Sequence[float] = ()  #: shares of the columns
    title: str = ""
    middle: Sequence[str] = ()  #: lines of the full width in the middle of the page
    ragged: int = 0  #: lines by which the last column is shorter
    seed: int = 0


def columns_page(layout: Layout, paragraphs: Sequence[str]) -> tuple[list[bytes], str]:
    """Return a page of columns, and its text in the order of reading."""
    rng, size = random.Random(layout.seed), layout.size
    left, right, pitch = 60.0, WIDTH - 60.0, layout.size * layout.leading
    free = right - left - layout.gutter * (layout.columns - 1)
    shares = layout.widths or [1 / layout.columns] * layout.columns
    widths = [free * share for share in shares]
    starts = [left + sum(widths[:n]) + layout.gutter * n for n in range(layout.columns)]
    operators, read = list[bytes](), list[str]()
    top = HEIGHT - 60.0
    if layout.title:
        operators.append(show(left + 40, top, layout.title, size * 1.6))
        read.append(layout.title)
        top -= 3 * size
    bands = [(top, 400.0 if layout.middle else 80.0)]
    if layout.middle:
        bands.append((400.0 - pitch * (len(layout.middle) + 2), 80.0))
    waiting = list(paragraphs)
    for number, (high, low) in enumerate(bands):
        placed = []
        for column in range(layout.columns):
            y = high - layout.shift * column
            end = low + (pitch * layout.ragged if column == layout.columns - 1 else 0)
            while waiting:
                words = waiting[0].split()
                lines = wrapped(words, widths[column] - 10, size, divide=layout.divided)
                room = int((y - end) / pitch)
                if room < min(3, len(lines)):
                    break
                taken = lines[:room]
                rest = " ".join(lines[room:])
                if rest and taken[-1].endswith("-"):
                    room -= 1
                    taken, rest = lines[:room], " ".join(lines[room:])
                waiting.pop(0)
                if rest:
                    waiting.insert(0, " ".join(_undivided(lines[room:])))
                for at, line in enumerate(taken):
                    x = starts[column] + (8 if layout.indented and at == 0 else 0)
                    blanks = line.count(" ")
                    spread = widths[column] - 10 - text_width(line, size)
                    last = at == len(taken) - 1 and not rest
                    spacing = spread / blanks if layout.justified and blanks and not last else 0
                    placed.append((column, y, show(x, y, line, size, spacing)))
                    y -= pitch
                read += _undivided(taken)
                y -= pitch * 0.8 if layout.apart else 0
                if rest:
                    break
        if layout.order == "rows":
            placed.sort(key=lambda entry: (-entry[1], entry[0]))
        elif layout.order == "shuffled":
            rng.shuffle(placed)
        operators += [operator for _, _, operator in placed]
        if layout.middle and number == 0:
            y = low - pitch
            for line in layout.middle:
                operators.append(show(left, y, line, size))
                read.append(line)
                y -= pitch
    return operators, " ".join(read)


def _undivided(lines: Sequence[str]) -> list[str]:
    """Return the words of lines, divided ones whole."""
    return re.sub(r"-\n", "", "\n".join(lines)).split()


def made_up_text(paragraphs: int, seed: int) -> list[str]:
    """Return paragraphs of sentences of made-up words, which tell where they stand."""
    rng = random.Random(seed)
    syllables = "ba ce di fo gu la me ni po ru sa te vi wo ka le mi no pu ra se ti vo da".split()
    vocabulary = ["".join(rng.choices(syllables, k=rng.randint(1, 5))) for _ in range(800)]
    found = []
    for _ in range(paragraphs):
        sentences = []
        for _ in range(rng.randint(2, 5)):
            words = rng.choices(vocabulary, k=rng.randint(6, 18))
            sentences.append(" ".join(words).capitalize() + ".")
        found.append(" ".join(sentences))
    return found


def same_order(found: str, expected: str) -> float:
    """Return 1 less the edit distance of the words, as a share of the expected ones."""
    a, b = found.split(), expected.split()
    row = list(range(len(b) + 1))
    for n, word in enumerate(a, 1):
        before, row[0] = row[0], n
        for m, other in enumerate(b, 1):
            before, row[m] = row[m], min(before + (word != other), row[m] + 1, row[m - 1] + 1)
    return 1 - row[-1] / max(1, len(b))


#: twenty ways to lay out a page in columns
LAYOUTS = (
    Layout(),
    Layout(gutter=10),
    Layout(gutter=36, size=9),
    Layout(order="rows"),
    Layout(order="shuffled", seed=1),
    Layout(shift=5),
    Layout(shift=3, order="rows"),
    Layout(justified=True, divided=True),
    Layout(justified=True, gutter=12, order="rows", divided=True),
    Layout(title="A report of the year"),
    Layout(title="A report of the year", middle=("Figure one shows that all the values of the year were higher than in the year before",)),
    Layout(columns=3, size=8, gutter=14),
    Layout(columns=3, size=8, order="rows", justified=True),
    Layout(indented=True),
    Layout(indented=True, justified=True, leading=1.05),
    Layout(apart=True, order="rows"),
    Layout(apart=True, title="Notes", ragged=25),
    Layout(widths=(0.3, 0.7), apart=True),
    Layout(widths=(0.68, 0.32), shift=4, size=9, order="shuffled", seed=2),
    Layout(
        divided=True,
        middle=(
            "This line of the full width ends the first half of the page and begins the second one, so",
            "that each half has its columns.",
        ),
        order="rows",
    ),
)  # fmt: skip


def layout_page(number: int) -> tuple[bytes, str]:
    """Return a file with one page of layout `number`, and its text in the order of reading."""
    operators, text = columns_page(LAYOUTS[number], made_up_text(40, number))
    return drawn_pdf([operators]), text
