"""Makes OpenDocument files of their XML."""

from __future__ import annotations

import io
import zipfile

_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0"'
    for name, kind in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
        ("meta", "meta"),
        ("svg", "svg-compatible"),
    )
)
_SPACES += ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'


def document(
    body: str, kind: str = "text", styles: str = "", masters: str = "", meta: str = ""
) -> bytes:
    """The bytes of a file with this body; `masters` are the pages of styles.xml."""
    content = (
        f"<office:document-content {_SPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )
    ending = {"text": "text", "presentation": "presentation"}[kind]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{ending}")
        archive.writestr("content.xml", content)
        archive.writestr(
            "styles.xml",
            f"<office:document-styles {_SPACES}><office:master-styles>{masters}"
            "</office:master-styles></office:document-styles>",
        )
        archive.writestr(
            "meta.xml",
            f"<office:document-meta {_SPACES}><office:meta>{meta}</office:meta>"
            "</office:document-meta>",
        )
    return out.getvalue()


def p(*texts: str) -> str:
    """Paragraphs."""
    return "".join(f"<text:p>{text}</text:p>" for text in texts)


def table(*rows: str, name: str = "T") -> str:
    """A table of its rows; a row is its cells divided by bars."""
    return (
        f'<table:table table:name="{name}">'
        + "".join(
            "<table:table-row>"
            + "".join(f"<table:table-cell>{p(cell)}</table:table-cell>" for cell in row.split("|"))
            + "</table:table-row>"
            for row in rows
        )
        + "</table:table>"
    )
