"""Reads RTF as tokens: groups, control words, and text in its encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\",
    re.S,
)
#: code page by the number that a font gives for its characters
_CODE_PAGES = {
    int(pair.split("=")[0]): pair.split("=")[1]
    for pair in (
        "77=mac_roman 128=cp932 129=cp949 134=cp936 136=cp950 161=cp1253 162=cp1254 163=cp1258 "
        "177=cp1255 178=cp1256 186=cp1257 204=cp1251 222=cp874 238=cp1250 254=cp437 255=cp850"
    ).split()
}


class Token(NamedTuple):
    """A piece of RTF.

    `kind` is "{", "}", "word" (a control word, with its number), "symbol", "hex" (a byte) or
    "text".
    """

    kind: str
    value: bytes
    number: int | None = None

    @property
    def name(self) -> str:
        """The control word."""
        return self.value.decode("ascii")


def tokens(content: bytes) -> Iterator[Token]:
    """Yield the tokens of a file in one pass. Binary data are skipped."""
    at = 0
    while match := _TOKEN.match(content, at):
        at = match.end()
        kind = match.lastgroup
        if kind == "text":
            yield Token("text", match["text"])
        elif kind in ("word", "number"):
            number = int(match["number"]) if match["number"] else None
            if match["word"] == b"bin":
                at += max(0, number or 0)
            else:
                yield Token("word", match["word"], number)
        elif kind == "hex":
            yield Token("hex", bytes([int(match["hex"], 16)]))
        elif kind == "symbol":
            yield Token("symbol", match["symbol"])
        elif kind == "brace":
            yield Token(match["brace"].decode(), b"")


def code_page(number: int | None) -> str:
    """Return the codec of a code page; that of Western Windows for one that is not known."""
    name = {65001: "utf-8", 10000: "mac_roman"}.get(number or 0, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def code_page_of_font(charset: int | None) -> str:
    """Return the codec of the characters of a font, "" for that of the file."""
    return _CODE_PAGES.get(charset or 0, "")
