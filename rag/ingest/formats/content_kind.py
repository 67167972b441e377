"""Detects the format of a file by its content, for files whose ending is wrong."""

from __future__ import annotations

from rag.errors import Unreadable

_BEGINNINGS = (
    (b"%pdf-", "a PDF", ".pdf"),
    (b"{\\rtf", "rich text (RTF)", ".rtf"),
    (b"<!doctype html", "a web page", ".html"),
    (b"<html", "a web page", ".html"),
    (b"pk\x03\x04", "a zip archive or an office file", ".zip or .docx, .xlsx, .pptx, .odt"),
    (b"\x89png", "a picture", ".png"),
    (b"\xff\xd8\xff", "a picture", ".jpg"),
)
#: bytes that are looked at to tell text
_SAMPLE_BYTES = 65_536


def refuse_other_kind(content: bytes, expected: str) -> None:
    """Raise `Unreadable` with what a file is, if that can be told and it is not `expected`."""
    begin = content[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, kind, ending in _BEGINNINGS:
        if begin.startswith(magic):
            raise Unreadable(
                f"is {kind} by its content, not {expected}", f"give it its own ending, {ending}"
            )
    sample = content[:_SAMPLE_BYTES]
    if b"\0" in sample or not sample.strip():
        return
    controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in sample)
    if controls == 0:
        raise Unreadable(
            f"is plain text by its content, not {expected}", "give it its own ending, .txt"
        )
