"""Limits the cost of one file: bytes it unpacks to, characters of its text, seconds to parse it.

The three limits grow with the size of the file on disk, so that a small file cannot cost as much
as a large one. An archive has one budget for all its members.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass

from rag.errors import Unreadable

#: bytes that a file may unpack to in all
MAX_UNPACKED_BYTES = 2**30
#: seconds of processor time for a file of at most `_SMALL_FILE_BYTES`
MIN_SECONDS = 6.0
_SMALL_FILE_BYTES = 2**20
#: bytes beyond `_SMALL_FILE_BYTES` for which a file gets one more second
_BYTES_PER_SECOND = 100_000
#: times its size that a file may unpack to; prose packs to a fifth, repetitive tables to a tenth
MAX_UNPACK_RATIO = 20
#: bytes, and characters, that any file may unpack to
MIN_BUDGET = 2 * 2**20
#: characters of text for each byte of the file (a table repeats its headers in each row)
_CHARS_PER_BYTE = 24
#: bytes that are unpacked at a time
_PIECE_BYTES = 2**20
#: how a user can take in a file that looks like a bomb
BOMB_CURE = "unpack it yourself if you trust it, then add the folder"
#: reason and cure
TOO_SLOW = (
    "takes too long to read",
    "open it in its own program and save it again, or save it as text",
)


@dataclass(slots=True)
class Budget:
    """The rest of the budget of one file."""

    max_bytes: int  #: bytes that the file may unpack to in all
    bytes: int  #: bytes that are left
    characters: int  #: characters that are left
    seconds: float  #: seconds of processor time that are left

    @classmethod
    def of(cls, size: int) -> Budget:
        """Return the budget of a file of `size` bytes."""
        max_bytes = min(MAX_UNPACKED_BYTES, max(MIN_BUDGET, MAX_UNPACK_RATIO * size))
        return cls(
            max_bytes,
            max_bytes,
            max(MIN_BUDGET, _CHARS_PER_BYTE * size),
            MIN_SECONDS + max(0, size - _SMALL_FILE_BYTES) / _BYTES_PER_SECOND,
        )

    def take(self, count: int) -> None:
        """Subtract `count` unpacked bytes.

        Raises `Unreadable` and subtracts none if fewer are left.
        """
        if count > self.bytes:
            allowed = f"{self.max_bytes / 2**20:,.0f} MB that its file may unpack to in all"
            too_large = count > self.max_bytes
            excess = f"{count / 2**20:,.0f} MB, over" if too_large else "more than"
            raise Unreadable(f"unpacks to {excess} the {allowed}", BOMB_CURE)
        self.bytes -= count

    def count(self, text: str) -> None:
        """Subtract the characters of a document. Raises `Unreadable` if fewer are left."""
        if len(text) > self.characters:
            raise Unreadable(
                "gives far more text than a file of its size holds",
                "save it as text, then add that",
            )
        self.characters -= len(text)


def gunzip(content: bytes, budget: Budget) -> bytes:
    """Return the unpacked bytes of a gzip file, of all its parts.

    Raises `Unreadable` as soon as more comes out than is left in the budget.
    """
    out = bytearray()
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while piece := file.read(_PIECE_BYTES):
                budget.take(len(piece))
                out += piece
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file: {error}", "make or fetch it again") from error
    return bytes(out)
