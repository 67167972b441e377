"""EPUB: the chapters of a book in reading order, each page as a browser shows it.

The file is a zip of web pages and two small lists. `zipfile`, `ElementTree` and the HTML parser
are sufficient.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, iso_day
from rag.ingest.formats.web import add_page
from rag.ingest.formats.zip_guard import open_package
from rag.ingest.structure.find import find_units

#: algorithms that hide fonts only; the text stays readable
_FONT_ENCRYPTION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read_epub(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a book with the headings of its chapters, then a refused part for each missing page."""
    lines = LineBuilder()
    missing: list[str] = []
    with open_package(content, entities=True) as archive:
        _check_unlocked(archive)
        folder, opf = _package_document(archive)
        metadata = {
            _tag(node): " ".join((node.text or "").split())
            for node in reversed(list(opf.iter()))
            if "purl.org/dc/" in node.tag
        }
        for name in _pages_in_order(opf, folder):
            if name not in archive.NameToInfo:
                missing.append(name)
                continue
            add_page(lines, archive.read(name))
            lines.add()
    day = metadata.get("date", "")[:10]
    raw = lines.raw(metadata.get("title", ""), day if iso_day(day) else None)
    yield replace(raw, units=find_units(raw.text, known=raw.units or ()))
    for name in missing:
        yield RefusedPart("/" + name, "is listed in the book and not in it", "fetch the book again")


def _check_unlocked(archive: zipfile.ZipFile) -> None:
    """Raise `Unreadable` if more than the fonts of the book is encrypted."""
    if "META-INF/encryption.xml" in archive.NameToInfo:
        for node in _parse_xml(archive, "META-INF/encryption.xml").iter():
            if _tag(node) == "EncryptionMethod" and node.get("Algorithm") not in _FONT_ENCRYPTION:
                raise Unreadable("is locked to a shop's reader (DRM)", "get a copy without a lock")


def _package_document(archive: zipfile.ZipFile) -> tuple[str, ElementTree.Element]:
    """Return the folder of the package document (the list of the book's parts) and the document."""
    container = _parse_xml(archive, "META-INF/container.xml")
    name = next((n.get("full-path", "") for n in container.iter() if _tag(n) == "rootfile"), "")
    return posixpath.dirname(name), _parse_xml(archive, name)


def _parse_xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(archive.read(name))  # noqa: S314
    except (KeyError, ElementTree.ParseError) as error:
        raise Unreadable(
            f"is not a whole EPUB: {name or 'its list'}: {error}", "fetch it again"
        ) from error


def _pages_in_order(opf: ElementTree.Element, folder: str) -> Iterator[str]:
    """Yield the names of the pages in reading order; `folder` is that of the package document."""
    hrefs = {node.get("id"): node.get("href", "") for node in opf.iter() if _tag(node) == "item"}
    for node in opf.iter():
        if _tag(node) == "itemref" and (href := hrefs.get(node.get("idref"))):
            yield posixpath.normpath(posixpath.join(folder, unquote(href)))


def _tag(node: ElementTree.Element) -> str:
    """Return the tag of an element without its namespace."""
    return node.tag.rpartition("}")[2]
