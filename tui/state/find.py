"""A search in the texts on the screen: its matches in order, and the one where the user is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from rag.domain import Span

#: matches that are found at most
MAX_MATCHES = 5_000


@dataclass(frozen=True, slots=True)
class Match:
    """A place of the words: the number of the text, from 0, and the span in it."""

    text: int
    span: Span


def find_words(words: str, texts: Sequence[str]) -> tuple[Match, ...]:
    """Return the places of the words, without regard to case; a blank is any white space."""
    parts = [re.escape(part) for part in words.split()]
    if not parts:
        return ()
    pattern = re.compile(r"\s+".join(parts), re.I)
    found = (
        Match(number, Span(*match.span()))
        for number, text in enumerate(texts)
        for match in pattern.finditer(text)
    )
    return tuple(islice(found, MAX_MATCHES))


@dataclass(slots=True)
class Find:
    """The words that are looked for, their matches, and the current one."""

    words: str = ""
    matches: tuple[Match, ...] = field(default=())
    at: int = 0

    @property
    def current(self) -> Match | None:
        """The current match; None if nothing was found."""
        return self.matches[self.at] if self.at < len(self.matches) else None

    def look(self, words: str, texts: Sequence[str]) -> None:
        """Look for words in the texts as they are now; the number of the match stays."""
        self.words, self.matches = words, find_words(words, texts)
        self.at = min(self.at, max(0, len(self.matches) - 1))

    def move(self, by: int) -> None:
        """Go to another match; after the last comes the first."""
        if self.matches:
            self.at = (self.at + by) % len(self.matches)

    def say(self) -> str:
        """Return which match this is of how many."""
        if not self.words.strip():
            return ""
        if not self.matches:
            return "not found"
        more = "+" if len(self.matches) == MAX_MATCHES else ""
        return f"{self.at + 1:,} of {len(self.matches):,}{more}"
