"""What one file may cost: the bytes that it unpacks to, the characters of its text, the seconds of processor time to read it.

The three depend on the size of the file as it lies on the disk, so that a small file cannot cost what only a large one may.
An archive has one budget for all its members, whatever they are packed in.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass

from rag.errors import Unreadable

UNPACKED = 2**30  #: bytes that a file may unpack to in all
SECONDS = (
    6.0  #: of processor time for a file of `_SMALL` bytes; one more for each `_SLOW` bytes beyond
)
_SMALL, _SLOW = 2**20, 100_000
RATIO = 20  #: times its size that a file may unpack to; written text packs to a fifth, repetitive tables to a tenth
LEAST = 2 * 2**20  #: bytes, and characters, that any file may unpack to
_TEXT = (
    24  # characters of text for each byte of the file (a table says its headers again in each row)
)
_PIECE = 2**20
BOMB = "unpack it yourself if you trust it, then add the folder"
LATE = (
    "takes too long to read",
    "open it in its own program and save it again, or save it as text",
)


@dataclass(slots=True)
class Budget:
    """What is left for one file."""

    most: int  #: bytes that it might unpack to at first
    bytes: int
    characters: int
    seconds: float

    @classmethod
    def of(cls, size: int) -> Budget:
        """The budget of a file of `size` bytes."""
        most = min(UNPACKED, max(LEAST, RATIO * size))
        return cls(most, most, max(LEAST, _TEXT * size), SECONDS + max(0, size - _SMALL) / _SLOW)

    def take(self, count: int) -> None:
        """Count `count` unpacked bytes. Raises `Unreadable`, and counts none, where so many are not left."""
        if count > self.bytes:
            most = f"{self.most / 2**20:,.0f} MB that its file may unpack to in all"
            first = (
                f"unpacks to {count / 2**20:,.0f} MB, over"
                if count > self.most
                else "unpacks to more than"
            )
            raise Unreadable(f"{first} the {most}", BOMB)
        self.bytes -= count

    def count(self, text: str) -> None:
        """Count a document's text. Raises `Unreadable` where the whole file gives too much of it."""
        if len(text) > self.characters:
            raise Unreadable(
                "gives far more text than a file of its size holds",
                "save it as text, then add that",
            )
        self.characters -= len(text)


def unpacked(content: bytes, budget: Budget) -> bytes:
    """What a gzip file holds, all its parts. Raises `Unreadable` as soon as more comes out than is left in the budget."""
    out = bytearray()
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while piece := file.read(_PIECE):
                budget.take(len(piece))
                out += piece
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file: {error}", "make or fetch it again") from error
    return bytes(out)
