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

MAX_UNPACKED_BYTES = 2**30  #: bytes that a file may unpack to in all
MIN_SECONDS = (
    6.0  #: of processor time for a file of `_SMALL` bytes; one more for each `_SLOW` bytes beyond
)
_SMALL_FILE_BYTES, _BYTES_PER_SECOND = 2**20, 100_000
MAX_UNPACK_RATIO = 20  #: times its size that a file may unpack to; written text packs to a fifth, repetitive tables to a tenth
MIN_BUDGET = 2 * 2**20  #: bytes, and characters, that any file may unpack to
_CHARS_PER_BYTE = (
    24  # characters of text for each byte of the file (a table says its headers again in each row)
)
_PIECE_BYTES = 2**20
BOMB_CURE = "unpack it yourself if you trust it, then add the folder"
TOO_SLOW = (
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
        most = min(MAX_UNPACKED_BYTES, max(MIN_BUDGET, MAX_UNPACK_RATIO * size))
        return cls(
            most,
            most,
            max(MIN_BUDGET, _CHARS_PER_BYTE * size),
            MIN_SECONDS + max(0, size - _SMALL_FILE_BYTES) / _BYTES_PER_SECOND,
        )

    def take(self, count: int) -> None:
        """Count `count` unpacked bytes. Raises `Unreadable`, and counts none, where so many are not left."""
        if count > self.bytes:
            most = f"{self.most / 2**20:,.0f} MB that its file may unpack to in all"
            first = (
                f"unpacks to {count / 2**20:,.0f} MB, over"
                if count > self.most
                else "unpacks to more than"
            )
            raise Unreadable(f"{first} the {most}", BOMB_CURE)
        self.bytes -= count

    def count(self, text: str) -> None:
        """Count a document's text. Raises `Unreadable` where the whole file gives too much of it."""
        if len(text) > self.characters:
            raise Unreadable(
                "gives far more text than a file of its size holds",
                "save it as text, then add that",
            )
        self.characters -= len(text)


def gunzip(content: bytes, budget: Budget) -> bytes:
    """What a gzip file holds, all its parts. Raises `Unreadable` as soon as more comes out than is left in the budget."""
    out = bytearray()
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while piece := file.read(_PIECE_BYTES):
                budget.take(len(piece))
                out += piece
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file: {error}", "make or fetch it again") from error
    return bytes(out)
