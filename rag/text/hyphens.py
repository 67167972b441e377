"""Words that a line break divides, with a hyphen at the end of the line.

Such a hyphen is the typesetter's ("mainte-/nance"), or the word has it anyway ("re-/elected").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.domain import Span

#: the last word of a line that ends in a hyphen, and the first word of a line
_LAST = re.compile(r"(?P<word>[^\s\W\d_][\w'’\-]*)-$")
_FIRST = re.compile(r"[^\W\d_][\w'’\-]*")
#: a hyphen and a line break inside a word
_BREAK = re.compile(r"(?<=[^\W\d_])-\r?\n[ \t]*(?=[^\W\d_])")
#: parts of a word that keep their hyphen
_KEEPING = frozenset("self well non ex half cross all co-op e x-ray mid semi quasi".split())
#: words of a text that are known, and what may stand around one
_MAX_WORDS, _PUNCTUATION = 500_000, ".,;:!?()[]\"'“”‘’„«»"
#: prefixes after which two equal vowels are divided by a hyphen
_VOWELS = "aeiou"
_PREFIXES = frozenset("re pre co de anti semi multi intra ultra bi tri".split())


class KnownWords:
    """The words of a text in lower case, for `keeps_hyphen`; read when one is looked for."""

    def __init__(self) -> None:
        self._words = set[str]()
        self._unread: list[Sequence[str]] = []
        self._count = 0

    def learn(self, words: Sequence[str]) -> None:
        """Take in words that follow each other."""
        if self._count < _MAX_WORDS:
            self._count += len(words)
            self._unread.append(words)

    def __contains__(self, word: str) -> bool:
        while self._unread:
            divided = False  # the second part of a divided word is no word
            for other in self._unread.pop():
                if not divided:
                    self._words.add(other.lower().strip(_PUNCTUATION))
                divided = other[-1:] == "-"
        return word in self._words


def divided_word(before: str, after: str) -> bool:
    """Does the line `before` end inside a word that the line `after` goes on with?"""
    if before[-1:] != "-":
        return False
    last, first = _LAST.search(before[-80:]), _FIRST.match(after)
    if not last or not first:
        return False
    return first[0][0].islower() or (last["word"].isupper() and first[0].isupper())


def keeps_hyphen(before: str, after: str, known: KnownWords | None = None) -> bool:
    """Is the hyphen at the end of `before` part of the word? `known` are words of the text.

    The text itself decides if it has the word in a line; else a word keeps
    its hyphen if it has more of them, if both parts are words of the text, or after a prefix that
    asks for one.
    """
    last, first = _LAST.search(before[-80:]), _FIRST.match(after)
    if not last or not first:
        return True
    known = known or KnownWords()
    a, b = last["word"].lower(), first[0].lower().rstrip("-'’")
    if a + b in known:
        return False
    if f"{a}-{b}" in known or "-" in a or "-" in b:
        return True
    if len(a) > 2 and len(b) > 3 and a in known and b in known:
        return True
    return a in _KEEPING or (a in _PREFIXES and a[-1] in _VOWELS and a[-1] == b[0])


def divisions(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield what divides words in a part of `text`: hyphen and line break, or the break alone."""
    for match in _BREAK.finditer(text, start, end):
        hyphen = match.start() + 1
        before = text[max(start, match.start() - 79) : hyphen]
        after = text[match.end() : min(end, match.end() + 80)]
        if divided_word(before, after):
            yield Span(hyphen if keeps_hyphen(before, after) else match.start(), match.end())
