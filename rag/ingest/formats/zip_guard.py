"""Opens office files and books, which are zip files, within bounds; reads their properties."""

from __future__ import annotations

import re
import zipfile
from xml.etree import ElementTree

from rag.errors import Unreadable
from rag.ingest.formats.archive import open_zip
from rag.ingest.formats.content_kind import refuse_other_kind

#: bytes that the parts of one file may have in all
MAX_UNPACKED_BYTES = 512 * 2**20
#: unpacked size of a part of XML as a multiple of its packed size; written text packs to a tenth
_MAX_RATIO = 100
#: bytes that any part may have
_SMALL_PART_BYTES = 32 * 2**20
#: first bytes of the old binary formats; encrypted office files are wrapped in one
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: creation days of the templates of python-docx and python-pptx
_TEMPLATE_DAYS = ("2013-12-23", "2013-01-27")
#: titles of files that nobody gave a title
_TEMPLATE_TITLES = ("Word Document", "PowerPoint Presentation", "Excel Workbook")
_ENTITY_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O\0C\0T|E\0N\0T)")


def open_package(content: bytes, entities: bool = False) -> zipfile.ZipFile:
    """Open an office file or a book whose parts are within bounds.

    Unless `entities` is set, no part of XML may declare entities. Raises `Unreadable`.
    """
    if content.startswith(_OLE_MAGIC):
        raise Unreadable(
            "is encrypted, or of the old binary kind",
            "save it without a password in its present format",
        )
    if not content.startswith(b"PK"):
        refuse_other_kind(content, "an office file or a book")
    archive = open_zip(content, MAX_UNPACKED_BYTES)
    for entry in archive.infolist():
        if (
            entry.file_size > _SMALL_PART_BYTES
            and entry.file_size > _MAX_RATIO * entry.compress_size
        ):
            times = entry.file_size / max(1, entry.compress_size)
            raise Unreadable(
                f"{entry.filename} in it unpacks to {times:,.0f} times its size: a bomb",
                "do not open it",
            )
        if not entities and entry.filename.lower().endswith((".xml", ".rels")):
            with archive.open(entry) as part:
                head = part.read(65_536)
            if _ENTITY_DECLARATION.search(head):
                raise Unreadable(
                    f"{entry.filename} in it declares entities, which no office program does",
                    "do not open it",
                )
    return archive


def office_properties(content: bytes) -> tuple[str, str | None]:
    """Return title and day of an office file by its properties. Raises `Unreadable` for a bomb."""
    with open_package(content) as archive:
        if "docProps/core.xml" not in archive.namelist():
            return "", None
        try:
            core = ElementTree.fromstring(archive.read("docProps/core.xml"))  # noqa: S314
        except ElementTree.ParseError:
            return "", None
    properties = {node.tag.rpartition("}")[2]: (node.text or "").strip() for node in core}
    saved = properties.get("created") or properties.get("modified") or ""
    day = re.match(r"\d{4}-\d{2}-\d{2}", saved)
    title = properties.get("title", "")
    return "" if title in _TEMPLATE_TITLES else title, day[0] if day and day[
        0
    ] not in _TEMPLATE_DAYS else None
