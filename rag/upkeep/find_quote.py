"""Find quoted words in a text, whatever the white space between them and the case of letters."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from rag.domain import Span


class _LowerCase(dict[int, str]):
    """A table for `str.translate`: code point -> its lower case, if that is one character.

    Other characters stay, so the length of a translated text does not change.
    """

    def __missing__(self, code: int) -> str:
        lower = chr(code).lower()
        self[code] = lower = lower if len(lower) == 1 else chr(code)
        return lower


_WHITE_SPACE = re.compile(r"\s+")
_LOWER_CASE = _LowerCase()


def find_quote(text: str, quote: str) -> list[Span]:
    """Every place of `quote` in `text`, with any white space between its words.

    The case of letters is ignored if there is no place otherwise.
    """
    pieces = list[str]()
    # For each run of white space: its end in the squeezed text, and how many characters of `text`
    # have been dropped by then.
    ends, dropped = [0], [0]
    position = 0
    for gap in _WHITE_SPACE.finditer(text):
        pieces.append(text[position : gap.start()])
        ends.append(gap.start() - dropped[-1] + 1)
        dropped.append(dropped[-1] + gap.end() - gap.start() - 1)
        position = gap.end()
    squeezed, sought = " ".join([*pieces, text[position:]]), " ".join(quote.split())

    def original(offset: int) -> int:
        return offset + dropped[bisect_right(ends, offset) - 1]

    lowered = squeezed.translate(_LOWER_CASE), sought.translate(_LOWER_CASE)
    for haystack, needle in ((squeezed, sought), lowered):
        last = len(needle) - 1
        places = [
            Span(original(start), original(start + last) + 1)
            for start in _occurrences(haystack, needle)
        ]
        if places:
            return places
    return []


def _occurrences(text: str, words: str) -> Iterator[int]:
    """Starts of the places of `words` that do not overlap, in order."""
    start = text.find(words)
    while start >= 0:
        yield start
        start = text.find(words, start + len(words))
