"""Files of less than 1 MB that ask for far more time or memory than they are worth: one for each way that a format allows.

`BOMBS` maps a file name to the function that makes its bytes. Everything is generated, nothing is random without a seed.
``python -m tests.support.bombs FOLDER NAME...`` takes each into a library of its own and prints what it cost, a line of JSON each.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.compound_file import compound_file, text_property
from tests.support.slowness import slowness

MB = 2**20
_WORDS = "The bees of the valley make honey in the spring and sleep in the winter. "


def _gz(part: bytes, times: int) -> bytes:
    """`part` repeated, gzipped; made piece by piece."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = [packer.compress(part) for _ in range(times)]
    return b"".join([*out, packer.flush()])


def _zip(members: Iterable[tuple[str, bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def _tar(members: Iterable[tuple[str, bytes]], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


# -- text --


def _random_gz() -> bytes:
    return gzip.compress(random.Random(1).randbytes(900_000), 1)


def _many_streams() -> bytes:
    """A gzip file of 40,000 empty members and then one word."""
    return gzip.compress(b"", 9) * 40_000 + gzip.compress(b"word")


# -- archives --


def _copies(part: bytes, count: int) -> bytes:
    """A zip of `count` members that all hold `part`, which is packed once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(part) + packer.flush()
    out, central = b"", b""
    for n in range(count):
        name, sizes = f"{n}.txt".encode(), (33, zlib.crc32(part), len(body), len(part))
        at = len(out)
        out += struct.pack("<4s4HH3L2H", b"PK\3\4", 20, 0, 8, 0, *sizes, len(name), 0) + name + body
        head = struct.pack(
            "<4s5HH3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, *sizes, len(name), 0, 0, 0, 0, 0, at
        )
        central += head + name
    return (
        out
        + central
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central), len(out), 0)
    )


def _zeros_140() -> bytes:
    return _copies(b"\0" * 7 * MB, 138)


def _words_140() -> bytes:
    text = (_WORDS * (7 * MB // len(_WORDS))).encode()
    return _zip(((f"{n}.txt", text) for n in range(30)), zipfile.ZIP_DEFLATED)


def _empty_members(count: int) -> bytes:
    """A zip of `count` empty members; the end record wraps its 16-bit count where there are more than 65,535 (no Zip64)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for n in range(count):
            archive.writestr(f"{n:x}", b"")
    return out.getvalue()


def _overlap(count: int = 9000, size: int = 8 * MB) -> bytes:
    """Fifield's bomb, plain: all entries of the central directory point at one local file."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(b"word " * (size // 5)) + packed.flush()
    size = size // 5 * 5
    crc = zlib.crc32(b"word " * (size // 5))
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(body), size, 5, 0)
        + b"a.txt"
        + body
    )
    central = b""
    for n in range(count):
        name = f"{n}.txt".encode()
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(body), size, len(name), 0, 0, 0, 0, 0, 0
        ) + name  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central), len(local), 0)
    return local + central + end


def _lying(stated: int = 10) -> bytes:
    """A member that says it unpacks to 10 bytes and unpacks to 600 MB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"".join(packed.compress(b"a" * MB) for _ in range(600)) + packed.flush()
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, 0, len(body), stated, 5, 0)
        + b"a.txt"
        + body
    )
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, len(body), stated, 5, 0, 0, 0, 0, 0, 0
    )
    central += b"a.txt"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _zip_of(how: int) -> bytes:
    return _zip([(f"{n}.txt", b"a" * 100 * MB) for n in range(3)], how)


def _nested_zip() -> bytes:
    inner = _zip([("a.txt", b"word " * 2_000_000)])
    for _ in range(50):
        inner = _zip([("inner.zip", inner)])
    return inner


def _gz_in_zip() -> bytes:
    return _zip(((f"{n}.txt.gz", _gz(b"\0" * MB, 60)) for n in range(12)), zipfile.ZIP_STORED)


def _words_gz_in_zip() -> bytes:
    part = (_WORDS * (MB // len(_WORDS))).encode()
    return _zip(((f"{n}.txt.gz", _gz(part, 15)) for n in range(15)), zipfile.ZIP_STORED)


def _slow_members() -> bytes:
    """Small members that each cost their parser as much as it may have."""
    page = b"<div>" * 150_000 + b"x"
    return _zip((f"{n}.html", page) for n in range(150))


def _tar_headers(count: int) -> bytes:
    """A tar of `count` empty members, gzipped to almost nothing."""
    entry = tarfile.TarInfo("a.txt").tobuf()
    return _gz(entry * 1000, count // 1000)


def _tar_huge() -> bytes:
    entry = tarfile.TarInfo("a.txt")
    entry.size = 900 * MB
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(
        [
            packer.compress(entry.tobuf()),
            *(packer.compress(b"a" * MB) for _ in range(900)),
            packer.flush(),
        ]
    )


def _tar_sparse() -> bytes:
    """An old GNU sparse member: 512 bytes that say they are 100 GB."""
    entry = tarfile.TarInfo("a.txt")
    head = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    head[156:157] = b"S"
    head[386:398] = b"%011o\0" % 0
    head[398:410] = b"%011o\0" % 0
    head[483:495] = b"\x80" + (100 * 2**30).to_bytes(11, "big")
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return gzip.compress(bytes(head) + b"\0" * 1024)


def _tar_pax(size: int = 200 * MB) -> bytes:
    """An extended header of 200 MB, gzipped."""
    entry = tarfile.TarInfo("x")
    entry.type = tarfile.XHDTYPE
    entry.size = size
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = [packer.compress(entry.tobuf())]
    said = b"%d comment=" % size
    out.append(
        packer.compress(said + b"a" * (size % MB - len(said) if size % MB else MB - len(said)))
    )
    out += [packer.compress(b"a" * MB) for _ in range(size // MB - 1)]
    return b"".join(
        [*out, packer.compress(tarfile.TarInfo("a.txt").tobuf() + b"\0" * 1024), packer.flush()]
    )


def _tar_long_names() -> bytes:
    return _tar(((("d/" * 2000) + f"{n}.txt", b"x") for n in range(5000)), "w:gz")


def _xz_dictionary() -> bytes:
    """Compressed with a dictionary of 1.5 GB, which the decoder has to set aside."""
    filters = [
        {
            "id": lzma.FILTER_LZMA2,
            "preset": 0,
            "dict_size": 1536 * MB,
            "mf": lzma.MF_HC3,
            "nice_len": 8,
        }
    ]
    packer = bytearray(
        lzma.compress(b"word" * 1000, lzma.FORMAT_RAW, filters=[{**filters[0], "dict_size": 4096}])
    )
    del packer[:]
    good = bytearray(
        lzma.compress(_tar([("a.txt", b"word" * 1000)], "w:"), lzma.FORMAT_XZ, lzma.CHECK_CRC32)
    )
    at = good.index(b"\x21\x01", 12)
    good[at + 2] = 39
    head = (good[12] + 1) * 4
    good[12 + head - 4 : 12 + head] = struct.pack("<L", zlib.crc32(bytes(good[12 : 12 + head - 4])))
    return bytes(good)


# -- office --

_CONTENT = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    b'<Default Extension="xml" ContentType="application/xml"/>%s</Types>'
)
_RELATION = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_RELATIONS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s'
    b"</Relationships>"
)


def _relations(*parts: tuple[bytes, bytes]) -> bytes:
    return _RELATIONS % b"".join(
        b'<Relationship Id="rId%d" Type="%s%s" Target="%s"/>' % (n, _RELATION, kind, target)
        for n, (kind, target) in enumerate(parts, 1)
    )


def _override(name: bytes, kind: bytes) -> bytes:
    return (
        b'<Override PartName="/%s" ContentType="application/vnd.openxmlformats-officedocument.%s+xml"/>'
        % (
            name,
            kind,
        )
    )


_W = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'


def docx(body: bytes) -> bytes:
    """A Word file of one part."""
    kinds = _override(b"word/document.xml", b"wordprocessingml.document.main")
    return _zip(
        [
            ("[Content_Types].xml", _CONTENT % kinds),
            ("_rels/.rels", _relations((b"officeDocument", b"word/document.xml"))),
            ("word/document.xml", _W % body),
        ]
    )


def _paragraphs(count: int) -> bytes:
    return docx(b"<w:p><w:r><w:t>bees</w:t></w:r></w:p>" * count)


def _entities_late() -> bytes:
    """A document type that stands behind 100 kB of white space."""
    laugh = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )
    part = (
        b'<?xml version="1.0"?>'
        + b" " * 100_000
        + b"<!DOCTYPE x ["
        + laugh
        + b"]>"
        + _W % b"<w:p>&l9;</w:p>"
    )
    kinds = _override(b"word/document.xml", b"wordprocessingml.document.main")
    return _zip(
        [
            ("[Content_Types].xml", _CONTENT % kinds),
            ("_rels/.rels", _relations((b"officeDocument", b"word/document.xml"))),
            ("word/document.xml", part),
        ]
    )


_S = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</worksheet>'


def xlsx(sheet: bytes, strings: bytes = b"", sheets: int = 1) -> bytes:
    """A workbook whose sheets are all one part."""
    kinds = _override(b"xl/workbook.xml", b"spreadsheetml.sheet.main") + _override(
        b"xl/worksheets/sheet1.xml", b"spreadsheetml.worksheet"
    )
    names = b"".join(
        b'<sheet name="s%d" sheetId="%d" r:id="rId1"/>' % (n, n) for n in range(1, sheets + 1)
    )
    book = (
        b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>%s</sheets></workbook>'
    )
    parts = [(b"worksheet", b"worksheets/sheet1.xml")]
    members = [
        ("_rels/.rels", _relations((b"officeDocument", b"xl/workbook.xml"))),
        ("xl/workbook.xml", book % names),
        ("xl/worksheets/sheet1.xml", _S % sheet),
    ]
    if strings:
        kinds += _override(b"xl/sharedStrings.xml", b"spreadsheetml.sharedStrings")
        parts.append((b"sharedStrings", b"sharedStrings.xml"))
        members.append(("xl/sharedStrings.xml", strings))
    return _zip(
        [
            ("[Content_Types].xml", _CONTENT % kinds),
            ("xl/_rels/workbook.xml.rels", _relations(*parts)),
            *members,
        ]
    )


def _cells(count: int, columns: int = 100) -> bytes:
    row = b"<row>" + b"<c><v>7</v></c>" * columns + b"</row>"
    return xlsx(b"<sheetData>" + row * (count // columns) + b"</sheetData>")


def _far_cells() -> bytes:
    """Every row has a cell in the last column."""
    rows = b"".join(
        b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(1, 20_000)
    )
    return xlsx(b"<sheetData>" + rows + b"</sheetData>")


def _far_row() -> bytes:
    return xlsx(
        b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )


def _shared(count: int, length: int, cells: int) -> bytes:
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' % (
        b"<si><t>%s</t></si>" % (b"bees " * (length // 5)) * count
    )
    row = b'<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
    return xlsx(b"<sheetData>" + row * (cells // 2) + b"</sheetData>", strings)


def _merged(count: int) -> bytes:
    data = (
        b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData><mergeCells>%s</mergeCells>'
    )
    return xlsx(data % (b'<mergeCell ref="A1:XFD1048576"/>' * count))


def _empty_rows(count: int) -> bytes:
    return xlsx(b"<sheetData>" + b"<row/>" * count + b"<row><c><v>1</v></c></row></sheetData>")


def _many_sheets() -> bytes:
    row = b"<row><c><v>1</v></c></row>"
    return xlsx(b"<sheetData>" + row * 1000 + b"</sheetData>", sheets=10_000)


def ods(rows: str, styles: str = "") -> bytes:
    """An OpenDocument spreadsheet of one sheet."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style", "draw")
    )
    content = (
        f"<office:document-content {names}><office:automatic-styles>{styles}</office:automatic-styles>"
        f'<office:body><office:spreadsheet><table:table table:name="Sheet">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return _zip([("content.xml", content.encode())])


_ODS_CELL = "<table:table-cell {}><text:p>bees</text:p></table:table-cell>"


def _repeating_ods() -> bytes:
    cell = _ODS_CELL.format('table:number-columns-repeated="16384"')
    return ods(f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>')


def _spanning_ods() -> bytes:
    cell = _ODS_CELL.format('table:number-rows-spanned="1048576" table:number-columns-spanned="9"')
    return ods(f"<table:table-row>{cell}{cell}</table:table-row>" * 20_000)


def _cells_ods(count: int) -> bytes:
    return ods(f"<table:table-row>{_ODS_CELL.format('') * 10}</table:table-row>" * (count // 10))


def _tall_merges() -> bytes:
    rows = b"".join(b"<row><c><v>%d</v></c></row>" % n for n in range(30_000))
    merges = b"".join(b'<mergeCell ref="A%d:C%d"/>' % (n, n + 30_000) for n in range(1, 9_000))
    return xlsx(b"<sheetData>" + rows + b"</sheetData><mergeCells>" + merges + b"</mergeCells>")


def _pptx(shapes: int, slides: int = 1) -> bytes:
    import pptx as powerpoint

    opened = powerpoint.Presentation()
    for _ in range(slides):
        slide = opened.slides.add_slide(opened.slide_layouts[6])
    out = io.BytesIO()
    opened.save(out)
    shape = (
        b'<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>'
        b"<a:p><a:r><a:t>bees</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    del slide
    members = []
    with zipfile.ZipFile(out) as archive:
        for entry in archive.infolist():
            part = archive.read(entry)
            if entry.filename == "ppt/slides/slide1.xml":
                part = part.replace(b"</p:spTree>", shape * shapes + b"</p:spTree>")
            members.append((entry.filename, part))
    return _zip(members)


# -- books, pages, mail --


def epub(page: bytes, spine: int = 1, opf_extra: bytes = b"") -> bytes:
    """A book whose chapters are all one page."""
    opf = (
        b'<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>'
        b'<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine>%s</spine>%s</package>'
    )
    return _zip(
        [
            ("mimetype", b"application/epub+zip"),
            (
                "META-INF/container.xml",
                b'<container><rootfiles><rootfile full-path="o.opf"/></rootfiles></container>',
            ),
            ("o.opf", opf % (b'<itemref idref="a"/>' * spine, opf_extra)),
            ("a.xhtml", page),
        ]
    )


def _laughing_epub() -> bytes:
    laugh = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )
    return _zip(
        [
            ("META-INF/container.xml", b"<!DOCTYPE c [" + laugh + b"]><container>&l9;</container>"),
            ("a.xhtml", b"<p>words</p>"),
        ]
    )


def _attributes() -> bytes:
    return b"<p " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">x</p>"


def _parts(count: int) -> bytes:
    head = b'Subject: s\nContent-Type: multipart/mixed; boundary="b"\n\n'
    return head + b"--b\n\nx\n" * count + b"--b--\n"


def _nested_mail(depth: int) -> bytes:
    out = [b"Subject: s\n"]
    for n in range(depth):
        out.append(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n))
    return b"".join([*out, b"\nwords\n"])


def _nested_messages(depth: int) -> bytes:
    return b"Subject: s\n" + b"Content-Type: message/rfc822\n\n" * depth + b"\nwords\n"


_MAIL = b"Subject: s\nFrom: a@example.org\n\n"
_MIXED = b'Subject: s\nContent-Type: multipart/mixed; boundary="b"\n\n'


def _message_loop() -> bytes:
    """An Outlook message whose directory and chain of sectors lead back to their beginning."""
    whole = bytearray(compound_file(text_property(0x0037, "s") | text_property(0x1000, "x" * 9000)))
    at = whole.index("__substg1.0_1000".encode("utf-16-le"))
    struct.pack_into("<3I", whole, at + 68, 1, 1, 1)
    fat = 512 * (1 + struct.unpack_from("<I", whole, 76)[0])
    struct.pack_into("<4I", whole, fat, 1, 2, 3, 0)
    return bytes(whole)


def _base64_mail() -> bytes:
    page = base64.encodebytes(b"<b>" * 220_000)
    return b"Subject: s\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n" + page


# -- PDF --


def _pdf(objects: list[bytes]) -> bytes:
    """A file of these objects (the first is the catalogue), with a right table of references."""
    out, places = b"%PDF-1.7\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    size = len(objects) + 1
    return (
        out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    )  # fmt: skip


_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def _stream(content: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(part) for part in content), packer.flush()])
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def _pages_sharing(count: int, content: Iterable[bytes], box: bytes = b"0 0 600 800") -> bytes:
    """One page object, named `count` times in the tree."""
    return _pdf(
        [
            _CATALOG,
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, b"3 0 R " * count),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 5 0 R /Resources << /Font << /F 4 0 R >> >> >>"
            % box,
            _FONT,
            _stream(content),
        ]
    )


def _page_tree_loop() -> bytes:
    return _pdf(
        [_CATALOG, b"<< /Type /Pages /Count 1000000 /Kids [2 0 R 2 0 R 2 0 R] /Parent 2 0 R >>"]
    )


def _forms() -> bytes:
    """Forms that draw the next form ten times, nine deep."""
    objects = [
        _CATALOG,
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R "
        b"/Resources << /Font << /F 4 0 R >> /XObject << /X 6 0 R >> >> >>",
        _FONT,
        b"<< /Length 5 >>\nstream\n/X Do\nendstream",
    ]
    for n in range(9):
        body = b"/X Do " * 10 if n < 8 else b"BT /F 9 Tf (words) Tj ET"
        inner = b"/XObject << /X %d 0 R >>" % (7 + n) if n < 8 else b"/Font << /F 4 0 R >>"
        objects.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << %s >> /Length %d >>\nstream\n%s\nendstream"
            % (inner, len(body), body)
        )
    return _pdf(objects)


def _huge_font() -> bytes:
    objects = [
        _CATALOG,
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R /Resources << /Font << /F 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /TrueType /BaseFont /Own /FontDescriptor 6 0 R /ToUnicode 8 0 R >>",
        b"<< /Length 27 >>\nstream\nBT /F 12 Tf (words) Tj ET   \nendstream",
        b"<< /Type /FontDescriptor /FontName /Own /Flags 32 /FontFile2 7 0 R >>",
        _stream(b"\0\1\0\0" + b"\0" * MB for _ in range(400)),
        _stream(
            [
                b"1 beginbfrange\n",
                *(b"<0000> <ffff> <0041>\n" * 50_000 for _ in range(20)),
                b"endbfrange",
            ]
        ),
    ]
    return _pdf(objects)


def _bookmarks() -> bytes:
    """An outline whose entries follow each other in a ring."""
    return _pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R /Resources << /Font << /F 4 0 R >> >> >>",
            _FONT,
            b"<< /Length 27 >>\nstream\nBT /F 12 Tf (words) Tj ET   \nendstream",
            b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1000000 >>",
            b"<< /Title (words) /Parent 6 0 R /Next 8 0 R /First 8 0 R /Dest [3 0 R /Fit] >>",
            b"<< /Title (words) /Parent 7 0 R /Next 7 0 R /First 7 0 R /Dest [3 0 R /Fit] >>",
        ]
    )


def _many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (3 + n) for n in range(count))
    return _pdf(
        [
            _CATALOG,
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
            *[b"<< /Type /Page /Parent 2 0 R >>"] * count,
        ]
    )


# -- data --


def _notebook(cells: int) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": "", "outputs": []}] * cells}
    ).encode()


def _corpus(lines: int) -> bytes:
    return b"".join(b'{"id":"%x","text":"x"}\n' % n for n in range(lines))


BOMBS: dict[str, Callable[[], bytes]] = {
    "ff.txt.gz": lambda: _gz(b"\xff" * MB, 80),
    "zeros.txt.gz": lambda: _gz(b"\0" * MB, 250),
    "random.txt.gz": _random_gz,
    "utf16.txt.gz": lambda: _gz(b"\xff\xfe" + b"a\0" * (MB // 2 - 1), 80),
    "utf16-lost.txt.gz": lambda: _gz(b"a\0" * (MB // 2), 80),
    "utf32.txt.gz": lambda: _gz(b"\xff\xfe\0\0" + b"a\0\0\0" * (MB // 4 - 1), 120),
    "accents.txt.gz": lambda: _gz("é".encode() * (MB // 2), 79),
    "latin1.txt.gz": lambda: _gz("Grüße aus dem Süden. ".encode("latin-1") * 50_000, 70),
    "emoji.txt.gz": lambda: _gz("\N{HONEYBEE}".encode() * (MB // 4), 78),
    "line.txt.gz": lambda: _gz(b"a" * MB, 19),
    "words.txt.gz": lambda: _gz(_WORDS.encode() * 1000, 250),
    "newlines.txt.gz": lambda: _gz(b"\n" * MB, 250),
    "over.txt.gz": lambda: _gz(b"a" * MB, 900),
    "streams.txt.gz": _many_streams,
    "ff.csv.gz": lambda: _gz(b"\xff" * MB, 250),
    "ff.html.gz": lambda: _gz(b"\xff" * MB, 250),
    "ff.jsonl.gz": lambda: _gz(b"\xff" * MB, 250),
    "json.json.gz": lambda: _gz(b'{"a":1}\n' * 10_000, 3000),
    "ff.txt": lambda: b"\xff" * 999_000,
    "noise.txt": lambda: bytes(b or 1 for b in random.Random(3).randbytes(999_000)),
    "high.txt": lambda: bytes(128 + b % 128 for b in random.Random(2).randbytes(999_000)),
    "zeros.zip": _zeros_140,
    "words.zip": _words_140,
    "empty.zip": lambda: _empty_members(10_500),
    "overlap.zip": _overlap,
    "lying.zip": _lying,
    "bz2.zip": lambda: _zip_of(zipfile.ZIP_BZIP2),
    "lzma.zip": lambda: _zip_of(zipfile.ZIP_LZMA),
    "nested.zip": _nested_zip,
    "gz.zip": _gz_in_zip,
    "words-gz.zip": _words_gz_in_zip,
    "slow.zip": _slow_members,
    "headers.tar.gz": lambda: _tar_headers(440_000),
    "huge.tar.gz": _tar_huge,
    "sparse.tar.gz": _tar_sparse,
    "pax.tar.gz": _tar_pax,
    "names.tar.gz": _tar_long_names,
    "zeros.tar.gz": lambda: _tar((f"{n}.txt", b"\0" * 7 * MB) for n in range(138)),
    "zeros.tar.bz2": lambda: _tar(((f"{n}.txt", b"\0" * 7 * MB) for n in range(140)), "w:bz2"),
    "zeros.tar.xz": lambda: _tar(((f"{n}.txt", b"\0" * 7 * MB) for n in range(40)), "w:xz"),
    "dictionary.tar.xz": _xz_dictionary,
    "bz2.tar.bz2": lambda: bz2.compress(b"\0" * 500 * MB),
    "huge.docx": lambda: docx(b"<w:p><w:r><w:t>" + b"a" * 500 * MB + b"</w:t></w:r></w:p>"),
    "part.docx": lambda: docx(b"<w:p><w:r><w:t>" + b"a" * 31 * MB + b"</w:t></w:r></w:p>"),
    "paragraphs.docx": lambda: _paragraphs(800_000),
    "nested.docx": lambda: docx(b"<w:sdt>" * 100_000),
    "tables.docx": lambda: docx(b"<w:tbl><w:tr><w:tc>" * 200 + b"<w:p/>" + b"</w:tc></w:tr></w:tbl>" * 200),
    "entities.docx": _entities_late,
    "cells.xlsx": lambda: _cells(1_900_000),
    "wide.xlsx": lambda: _cells(1_900_000, 950_000),
    "far.xlsx": _far_cells,
    "row.xlsx": _far_row,
    "shared.xlsx": lambda: _shared(1, 32_000, 200_000),
    "strings.xlsx": lambda: _shared(1_400_000, 5, 10),
    "merged.xlsx": lambda: _merged(500_000),
    "rows.xlsx": lambda: _empty_rows(4_000_000),
    "sheets.xlsx": _many_sheets,
    "tall.xlsx": _tall_merges,
    "repeat.ods": _repeating_ods,
    "span.ods": _spanning_ods,
    "cells.ods": lambda: _cells_ods(1_200_000),
    "deep.ods": lambda: ods("<table:table-row><table:table-cell>" * 50_000),
    "shapes.pptx": lambda: _pptx(100_000),
    "columns.csv": lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b",".join([b"1"] * 100_000) + b"\n",
    "wide.csv": lambda: b",".join([b"abc"] * 2000) + b"\n" + (b",".join([b"1"] * 2000) + b"\n") * 240,
    "headers.csv": lambda: b"a" * 79 + b",b" + b"x" * 78 + b"\n" + b"1,2\n" * 225_000,
    "field.csv": lambda: b'a,"' + b"x " * 450_000 + b'"\n',
    "rows.csv": lambda: b"\n" * 990_000,
    "commas.csv": lambda: b"," * 990_000,
    "quotes.csv": lambda: b'"' * 990_000,
    "quotes-odd.csv": lambda: b'"' * 990_001,
    "bars.csv": lambda: b"a|b;c,d\te\n" * 90_000,
    "cells.csv.gz": lambda: _gz(b"1,2,3,4,5,6,7,8,9,10\n" * 1000, 9000),
    "deep.json": lambda: b"[" * 100_000 + b"]" * 100_000,
    "items.json": lambda: b"[" + b"0," * 490_000 + b"0]",
    "objects.json": lambda: b"[" + b'{"a":1},' * 110_000 + b"0]",
    "nested.json": lambda: b'{"a":' * 170_000,
    "quotes.json": lambda: b'"\\' * 450_000,
    "keys.yaml": lambda: b"a:\n" * 300_000,
    "steps.yaml": lambda: b"".join(b" " * n + b"a:\n" for n in range(1_300)),
    "dashes.yaml": lambda: b"- " * 900 + b"a\n" + (b"- " * 900 + b"a\n") * 480,
    "fields.ini": lambda: b"a=1\n" * 220_000,
    "braces.conf": lambda: b"a {\n" * 220_000,
    "defs.py": lambda: b"".join(b" " * n + b"def a():\n" for n in range(1_300)),
    "calls.c": lambda: (b"int a(" * 45 + b"\n") * 3_300,
    "lines.log": lambda: b"2024-05-01 10:00:00 INFO a: b\n" * 30_000,
    "fences.md": lambda: b"a:\n```sh\n# a\nb\n" * 55_000,
    "front.md": lambda: b"---\n" + b"a: b\n" * 180_000 + b"---\n",
    "tables.adoc": lambda: b"|===\n|a |b\n" * 80_000,
    "line.jsonl": lambda: b'{"id":"a","text":"' + b"x" * 900_000 + b'"}',
    "deep.jsonl": lambda: b'{"text":' + b"[" * 900_000,
    "digits.jsonl": lambda: b'{"id":"a","text":' + b"9" * 900_000 + b"}",
    "items.jsonl": lambda: _corpus(38_000),
    "records.jsonl": lambda: b'{"a":1}\n' * 110_000,
    "items.jsonl.gz": lambda: gzip.compress(_corpus(280_000), 9),
    "cells.ipynb": lambda: _notebook(15_000),
    "deep.ipynb": lambda: b'{"cells":' + b"[" * 900_000,
    "output.ipynb": lambda: json.dumps(
        {"cells": [{"cell_type": "code", "source": "x", "outputs": [{"text": ["\n"] * 9000}] * 8}]}
    ).encode(),
    "items.ipynb.gz": lambda: gzip.compress(b'{"cells":[' + b"{}," * 15_000_000 + b"{}]}", 9),
    "deep.html": lambda: b"<div>" * 100_000 + b"x",
    "spans.html": lambda: b"<b>x" * 230_000,
    "tags.html": lambda: b"<p>x\n" * 190_000,
    "lists.html": lambda: b"<ul><li>x" * 100_000,
    "tables.html": lambda: b"<table><tr><td>" * 60_000,
    "rows.html": lambda: b"<table>" + b"<tr><td>x<td>1" * 60_000,
    "merged.html": lambda: b"<table>" + b"<tr><td colspan=999 rowspan=65000>x<td>1" * 20_000,
    "terms.html": lambda: b"<dl>" + b"<dt>a<dd>b" * 90_000,
    "items.html": lambda: b"<p>All:<ul>" + b"<li>a: b" * 110_000,
    "addresses.html": lambda: b"<address>x" * 90_000,
    "open.html": lambda: b"<" * 990_000,
    "entities.html": lambda: b"&amp;" * 190_000,
    "attributes.html": _attributes,
    "comments.html": lambda: b"<!--" * 240_000,
    "tags.html.gz": lambda: _gz(b"<p>x\n" * 10_000, 3000),
    "fonts.epub": lambda: epub(b"<p>words</p>", 60_000),
    "chapters.epub": lambda: epub(b"<p>" + b"words " * 100_000 + b"</p>", 2000),
    "huge.epub": lambda: epub(b"<p>" + b"a" * 500 * MB + b"</p>"),
    "deep.epub": lambda: epub(b"<div>" * 3_000_000 + b"x"),
    "laughs.epub": _laughing_epub,
    "parts.eml": lambda: _parts(140_000),
    "nested.eml": lambda: _nested_mail(12_000),
    "messages.eml": lambda: _nested_messages(25_000),
    "base64.eml": _base64_mail,
    "header.eml": lambda: b"Subject: " + b"a " * 490_000 + b"\n\nwords\n",
    "to.eml": lambda: b"Subject: s\nTo: " + b"a@b.c, " * 140_000 + b"\n\nwords\n",
    "comments.eml": lambda: b"Subject: s\nTo: " + b"(" * 900_000 + b"\n\nwords\n",
    "encoded.eml": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\n\nwords\n",
    "headers.eml": lambda: b"Subject: s\n" + b"A: b\n" * 190_000 + b"\nwords\n",
    "boundary.eml": lambda: b'Subject: s\nContent-Type: multipart/mixed; boundary="' + b"-" * 400_000 + b'"\n\n' + b"-" * 400_000,
    "parameters.eml": lambda: b"Subject: s\nContent-Type: text/plain; " + b"".join(b"a*%d=b; " % n for n in range(80_000)) + b"\n\nwords\n",
    "attached.eml": lambda: _MIXED + b"--b\nContent-Type: application/x; name=a.txt\n\nx\n" * 10_000,
    "quotes.eml": lambda: _MAIL + b"".join(b">" * (n % 60) + b" On Mon, 9 Sep 2024, X wrote:\n" for n in range(14_000)),
    "originals.eml": lambda: _MAIL + b"From: a\nSent: 1\n" * 12_000,
    "blockquotes.eml": lambda: b"Subject: s\nContent-Type: text/html\n\n" + b"<blockquote>" * 60_000 + b"x",
    "signatures.eml": lambda: _MAIL + b"-- \nKind regards,\n\n" * 40_000,
    "cells.eml": lambda: _MIXED.replace(b"mixed", b"alternative") + b"--b\n\nx\n--b\nContent-Type: text/html\n\n" + b"<td" * 300_000 + b"\n--b--\n",
    "messages.mbox": lambda: b"From a Mon Sep  9 10:00:00 2024\nSubject: s\n\nx\n\n" * 8_000,
    "nested.mbox": lambda: b"From a Mon Sep  9 10:00:00 2024\n" + _nested_messages(25_000),
    "names.mbox": lambda: b"From a " * 100_000 + b"Mon Sep  9 10:00:00 2024\nSubject: s\n\nx\n\n",
    "loop.msg": _message_loop,
    "cards.vcf": lambda: b"BEGIN:VCARD\nFN:a\nEND:VCARD\n" * 30_000,
    "parameters.vcf": lambda: b"BEGIN:VCARD\nFN" + b";a=b" * 240_000 + b":x\nEND:VCARD\n",
    "folded.vcf": lambda: b"BEGIN:VCARD\nFN:a\nNOTE:" + b"x\n " * 330_000 + b"\nEND:VCARD\n",
    "soft.vcf": lambda: b"BEGIN:VCARD\nFN:a\nNOTE;ENCODING=QUOTED-PRINTABLE:" + b"=\n" * 450_000 + b"\nEND:VCARD\n",
    "nested.ics": lambda: b"BEGIN:VEVENT\n" * 70_000,
    "entries.ics": lambda: b"BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20240903T180000\nEND:VEVENT\n" * 9_000,
    "flate.pdf": lambda: _pages_sharing(1, (b"BT /F 9 Tf (word) Tj ET " * 40_000 for _ in range(400))),
    "names.pdf": lambda: _pages_sharing(100_000, [b"BT /F 9 Tf (The bees make honey.) Tj ET"]),
    "shared.pdf": lambda: _pages_sharing(20_000, (b"BT /F 9 Tf (word) Tj ET " * 10_000 for _ in range(2))),
    "loop.pdf": _page_tree_loop,
    "box.pdf": lambda: _pages_sharing(1, [b"BT /F 9 Tf (words) Tj ET"], b"-1e30 -1e30 1e30 1e30"),
    "forms.pdf": _forms,
    "font.pdf": _huge_font,
    "bookmarks.pdf": _bookmarks,
    "pages.pdf": lambda: _many_pages(9000),
    "dust.pdf": lambda: _pages_sharing(2000, (b"BT /F 3 Tf 1 0 0 1 %d %d Tm (a) Tj ET " % (n * 7919 % 600, n * 104729 % 800) for n in range(9000))),
    "grid.pdf": lambda: _pages_sharing(2000, (b"0 %d m 600 %d l S %d 0 m %d 800 l S BT /F 3 Tf 1 0 0 1 %d %d Tm (a) Tj ET " % (n, n, n, n, n, n) for n in range(0, 600, 3))),
}  # fmt: skip


#: those that are read in full, and are as much text as an honest file of their size gives: their words cost what words cost
PLENTY = frozenset(
    "words-gz.zip names.tar.gz bars.csv wide.csv headers.csv quotes.csv quotes-odd.csv items.json deep.json line.jsonl items.jsonl "
    "objects.json nested.json quotes.json keys.yaml steps.yaml dashes.yaml fields.ini braces.conf calls.c lines.log fences.md front.md "
    "tables.adoc items.jsonl.gz records.jsonl rows.html terms.html items.html addresses.html entities.html open.html lists.html tags.html names.pdf".split()
)

# -- what they cost --

SECONDS, MEMORY = 10, 2**30  #: of processor time, and bytes, that any of them may take
ROOT = Path(__file__).resolve().parents[2]


def _held(process: int) -> int:
    """Bytes that a process and its children have in memory."""
    out = 0
    with suppress(OSError, ValueError, IndexError):
        out = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    for entry in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            out += sum(_held(int(child)) for child in entry.read_text().split())
    return out


class _Peak(threading.Thread):
    """The most memory that this process and its children had at one time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._over = 0, threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, _held(os.getpid()))

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.most


def _cost(folder: Path, name: str) -> dict[str, Any]:
    from tests.library.test_library import House

    place = folder / name
    content = BOMBS[name]()
    place.mkdir()
    (place / name).write_bytes(content)
    size = len(content)
    del content
    house = House(place)
    peak = _Peak()
    peak.start()
    before, started = sum(os.times()[:4]), time.monotonic()
    report = house.add(place / name)
    spent, wall = sum(os.times()[:4]) - before, time.monotonic() - started
    failed = [f"{f.source}: {f.reason}" for f in report.failed]
    cures = all(f.cure for f in report.failed)
    said = {
        "failed": failed[:3],
        "cures": cures,
        "lines": len(report.failed),
        "added": len(report.added),
    }
    return {
        "name": name,
        "size": size,
        "seconds": spent,
        "wall": wall,
        "memory": peak.stop(),
        **said,
    }


def costs(folder: Path, names: Sequence[str], timeout: float = 600) -> dict[str, dict[str, Any]]:
    """What each of these cost, taken in by a process of its own, one after the other."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.bombs", str(folder), *names], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=timeout,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return {said["name"]: said for said in map(json.loads, run.stdout.splitlines())}


def wrong(said: dict[str, Any]) -> list[str]:
    """What is wrong with a cost."""
    found = []
    if said["size"] >= 10**6:
        found.append(f"the bomb is {said['size']} bytes, not under a million")
    if said["seconds"] > SECONDS * slowness() and said["name"] not in PLENTY:
        found.append(f"{said['seconds']:.1f} s of processor time")
    if said["memory"] > MEMORY:
        found.append(f"{said['memory'] / 2**20:.0f} MB")
    if not said["added"] and not said["lines"]:
        found.append("neither a document nor a line in the report")
    if not said["cures"]:
        found.append("a line of the report has no cure")
    return found


if __name__ == "__main__":
    for bomb in sys.argv[2:]:
        print(json.dumps(_cost(Path(sys.argv[1]), bomb)), flush=True)
