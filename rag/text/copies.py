"""Does a text say anything that known texts do not? What tells a copy from a text that only looks like one.

Two texts are held against each other by their runs of three words (shingles; Broder 1997, "On the resemblance and
containment of documents"): a word that stands in a run which the other text has too is *covered*. A text is a copy of
others where nearly all of its words are covered, and none of the rest is a fact: a number, a name, a negation, a word that
turns a statement (from, only, may), an operator, or the opposite of a word that stands in its place. What the others say in
between must hold no uncovered fact either, so that a "not" left out is seen. Two numbers or names that changed places lose
the runs around them and are not covered; a clause of three words or more that was moved keeps its runs and is.

Headlines, case, punctuation and white space play no part; what looks like code is one word, compared as it stands. Where a text has
no capitals, so that any word may be a name, only the same words in the same order are a copy. A word exchanged for another
that is none of these passes as a synonym, whatever it means: telling trading from fishing takes more than words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from rag.text import facts

_RUN = 3  # words of a shingle
_FACT = 5  # words of a run that covers a fact: two that changed places have one or two words around them in common
_LONG = 6  # covered words in a row that show where the common part begins and ends
_GAP = 3  # uncovered words that may stand between covered ones of the common part
_RELATED = 0.25  # share of a text's shingles from which another text is held against it
_MOST = 0.15  # share of a text's words that may be uncovered
_HEADLINE = 16  # words of a headline, at most
_PARAGRAPH = 9  # words of a line that is none
_ALONE = 20  # words; a shorter text says too little without its title
_DASHES = str.maketrans("’‘‐‑‒–—−", "''------")
_CODE = re.compile(
    r"[{}=<>\\|^~`(](?:(?<!\()|(?<=\w\())"
)  # these signs, or a "(" behind a word; begins with one set, which is looked for fast
_BULLET = re.compile(r"^[^\S\n]*[-*+•·]+\s", re.M)
_VERBATIM = re.compile(r"[{}=<>\\|^~`@\[\]_#]|\w[(.&*/]\w|\w\(|^[!-]\w")
_ENDS = re.compile(r"[.!?;:,|][\"'”’)]*\s*$")
_LINE = re.compile(r"(\W)\1{2,}")
_SIGNS = re.compile(r"[-+*/%&!]{1,2}")
_TOKEN = re.compile(
    r"(?<![-+±≈≤≥$€£¥#])[-+±≈≤≥$€£¥#]*\d(?:[\d.,:/]*\d)?(?:[^\W\d_]+)?|[^\W_]+(?:'[^\W_]+)*|[+&%‰$€£¥°±≤≥≠≈×÷@√∞∑∈→←]",
)
_FREE = frozenset(
    "a an the this that these those which who it its is are was were be been being has have had also then there here "
    "so such very just however while as".split()
)


class WordText:
    """A text as its words. `title` counts where the text is short: "It weighs 5 kg" is of two pumps two statements."""

    def __init__(self, text: str, title: str = "") -> None:
        text = _body(text)
        self.shown = _cut(text)  #: the words as they are written
        if title and len(self.shown) < _ALONE:
            self.shown = _cut(title) + self.shown
        #: as they are compared
        self.words = [
            word.lower() if word.isascii() and word.isalnum() else _folded(word)
            for word in self.shown
        ]
        self._shouts = text.isupper()

    @cached_property
    def _marked(self) -> list[bool]:
        """Which words are names, numbers or code."""
        return [
            not low.isalpha() or (word[0].isupper() and not facts.is_stop_word(low))
            for word, low in zip(self.shown, self.words, strict=True)
        ]

    @cached_property
    def _plain(self) -> bool:
        """Do its capitals tell no name?"""
        return self._shouts or not any(word[0].isupper() for word in self.shown)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """Its runs of three words; at either end a run reaches beyond the text."""
        return frozenset(_runs(self.words, _RUN))

    @cached_property
    def _counted(self) -> dict[int, Counter[tuple[str, ...]]]:
        return {length: Counter(_runs(self.words, length)) for length in (2, _RUN, _FACT)}

    def covered(self, other: WordText) -> list[bool]:
        """For each word, whether it stands in `other` among the same words: in a run of three, a fact in one of five.

        A name or number neither of whose neighbours is the same was torn out of its place, and is not covered.
        """
        count, words = other._counted, self.words
        known, strong = (_known(words, length, count[length]) for length in (_RUN, _FACT))
        out = [
            any(strong[at : at + _FACT])
            if self._marked[at] or _turns(word)
            else any(known[at : at + _RUN])
            for at, word in enumerate(words)
        ]
        joined = _known(words, 2, count[2])
        joined[0] = joined[-1] = True
        start = 0
        for at in range(len(out) + 1):
            if at < len(out) and self._marked[at]:
                if at > start and not joined[at]:  # two names that did not stand together
                    out[at - 1] = out[at] = False
                continue
            if at > start and not joined[start] and not joined[at]:
                out[start:at] = [False] * (at - start)
            start = at + 1
        return out

    def fact(self, at: int) -> bool:
        """May the word change what is said?"""
        shown, word = self.shown[at], self.words[at]
        if self._plain or not word.isalpha() or _turns(word):
            return True
        if facts.is_stop_word(word):
            return word not in _FREE
        return shown[0].isupper() or bool(facts.find_numbers(word))


def _body(text: str) -> str:
    """The text without headlines, which each outlet writes its own: a line or two above a paragraph that end like no sentence,
    deny nothing, and have no number that the rest has not."""
    rest = text.lstrip()
    for _ in range(2):
        line, _, below = rest.partition("\n")
        below, words = below.lstrip(), line.split()
        following = below.partition("\n")[0].split()
        head = (
            len(words) <= _HEADLINE
            and not _ENDS.search(line)
            and not _CODE.search(line)
            and not _BULLET.match(line)
        )
        if not head or len(below.split()) < _ALONE or any(map(_turns, map(str.lower, words))):
            break
        if not set(re.findall(r"\d[\d.,]*", line)) <= set(re.findall(r"\d[\d.,]*", below)):
            break
        if len(following) >= _PARAGRAPH:
            return below
        rest = below
    return text


def _folded(word: str) -> str:
    if not word.isalnum() and _VERBATIM.search(word):
        return word
    return word.lower() if word.isascii() else facts.fold_text(word)


def _runs(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    padding = [""] * (length - 1)
    padded = padding + words + padding
    return zip(*(padded[at:] for at in range(length)))


def _known(words: list[str], length: int, counted: Counter[tuple[str, ...]]) -> list[bool]:
    """For each run of `words`, whether the other text has it, and as often as it came up to there."""
    seen: dict[tuple[str, ...], int] = {}
    out = []
    for run in _runs(words, length):
        times = seen[run] = seen.get(run, 0) + 1
        out.append(times <= counted[run])
    return out


@lru_cache(1 << 16)
def _turns(word: str) -> bool:
    return facts.count_negations(word) > 0


def _cut(text: str) -> list[str]:
    """The words of `text`; what stands between two blanks with a sign of code in it is one, and so is a lone sign in code."""
    if not text.isascii():
        text = text.translate(_DASHES)
    if not _CODE.search(text):
        return _TOKEN.findall(text)
    out: list[str] = []
    for piece in _BULLET.sub(" ", text).split():
        if _VERBATIM.search(piece) and not _LINE.fullmatch(piece):
            out.append(piece.rstrip(".,;:!?") or piece)
        elif _SIGNS.fullmatch(piece) and out and (len(out[-1]) == 1 or not out[-1].isalpha()):
            out.append(piece)
        else:
            out += _TOKEN.findall(piece)
    return out


def find_copy(text: WordText, known: Sequence[WordText]) -> int | None:
    """Which of `known` has most of `text`, where all of them together say all that it says; None where they do not."""
    shares = [len(text.shingles & other.shingles) / len(text.shingles) for other in known]
    related = [
        n for n in sorted(range(len(known)), key=lambda n: -shares[n]) if shares[n] >= _RELATED
    ]
    if not related or not text.words:
        return None
    covered, said = [False] * len(text.words), set[str]()
    for number in related:
        covered = [a or b for a, b in zip(covered, text.covered(known[number]), strict=True)]
    low, high = _core(covered)
    for number in related:
        if not _bears_out(known[number], text, low, len(covered) - high):
            return None
        said.update(known[number].words)
    return related[0] if _says_no_more(text, covered, said) else None


def same_content(one: WordText, other: WordText) -> bool:
    """Does neither say anything that the other does not?"""
    if one.words == other.words:
        return True
    turns = [sum(map(_turns, text.words)) for text in (one, other)]
    return (
        turns[0] == turns[1]
        and find_copy(one, [other]) is not None
        and find_copy(other, [one]) is not None
    )


def _bears_out(other: WordText, text: WordText, head: int, tail: int) -> bool:
    """Has `other`, in the part that it shares with `text`, no fact that `text` has not?

    Where `text` has words of its own at an end (`head`, `tail` of them), as many of `other` and two belong to that part.
    """
    covered = other.covered(text)
    low, high = _core(covered)
    low = max(0, low - head - 2) if head else low
    high = min(len(covered), high + tail + 2) if tail else high
    return not any(other.fact(at) for at in range(low, high) if not covered[at])


def _says_no_more(text: WordText, covered: list[bool], said: set[str]) -> bool:
    """Is what is uncovered little, no fact, and the opposite of nothing that is `said`?"""
    bare = [at for at, is_covered in enumerate(covered) if not is_covered]
    if len(bare) > _MOST * len(covered):
        return False
    words = {text.words[at] for at in bare}
    opposites = {b for a, b in facts.OPPOSITES if a in words}
    return not any(text.fact(at) for at in bare) and opposites.isdisjoint(said)


def _core(covered: list[bool]) -> tuple[int, int]:
    """From the first to the last long run of covered words, and on over gaps of a few; all of it where no run is long."""
    low, high, run = len(covered), 0, 0
    for at, is_covered in enumerate(covered):
        run = run + 1 if is_covered else 0
        if run >= _LONG or (high and is_covered and at - high <= _GAP):
            low, high = min(low, at - run + 1), at + 1
    while low and True in covered[max(0, low - 1 - _GAP) : low]:
        low -= 1
    return (low, high) if low < high else (0, len(covered))
