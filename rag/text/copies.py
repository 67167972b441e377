"""Decides whether a text says anything that known texts do not say.

Two texts are compared by their runs of three words (shingles; Broder 1997, "On the resemblance and
containment of documents"): a word in a run that the other text has too is *covered*. A text is a
copy of others if nearly all of its words are covered and none of the rest is a fact. A fact is a
number, a name, a negation, a word that changes a statement (from, only, may), an operator, or the
opposite of a word in its place. The part of the others between the first and the last common run
must contain no uncovered fact either, so that a missing "not" is noticed. Two numbers or names that
changed places lose the runs around them and are not covered. A clause of three words or more that
was moved keeps its runs and is covered.

Headlines, case, punctuation and white space are ignored. A word that looks like code is compared
unchanged. In a text without capitals any word may be a name, so only the same words in the same
order are a copy. Any other exchanged word passes as a synonym, whatever it means: words alone do
not tell "trading" from "fishing".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from rag.text import facts, quantities, word_tables

#: Words of a shingle.
_SHINGLE_WORDS = 3
#: Words of a run that covers a fact. Two facts that changed places have one or two words around
#: them in common.
_FACT_RUN_WORDS = 5
#: Covered words in a row that mark the beginning and the end of the common part.
_MIN_CORE_WORDS = 6
#: Uncovered words between covered ones of the common part.
_MAX_GAP_WORDS = 3
#: Share of a text's shingles that a text needs to be compared with it.
_MIN_RELATED_SHARE = 0.25
#: Share of a copy's words that may be uncovered.
_MAX_UNCOVERED_SHARE = 0.15
_MAX_HEADLINE_WORDS = 16
#: Words of a line that is no headline.
_MIN_PARAGRAPH_WORDS = 9
#: Words of a text that can be understood without its title.
_MIN_TEXT_WORDS = 20
_DASHES = str.maketrans("’‘‐‑‒–—−", "''------")
#: A sign of code, or a "(" behind a word. The pattern begins with one set, which is searched fast.
_CODE = re.compile(r"[{}=<>\\|^~`(](?:(?<!\()|(?<=\w\())")
_BULLET = re.compile(r"^[^\S\n]*[-*+•·]+\s", re.M)
_VERBATIM = re.compile(r"[{}=<>\\|^~`@\[\]_#]|\w[(.&*/]\w|\w\(|^[!-]\w")
_SENTENCE_END = re.compile(r"[.!?;:,|][\"'”’)]*\s*$")
_RULED_LINE = re.compile(r"(\W)\1{2,}")
_OPERATOR = re.compile(r"[-+*/%&!]{1,2}")
_TOKEN = re.compile(
    r"(?<![-+±≈≤≥$€£¥#])[-+±≈≤≥$€£¥#]*\d(?:[\d.,:/]*\d)?(?:[^\W\d_]+)?"
    r"|[^\W_]+(?:'[^\W_]+)*"
    r"|[+&%‰$€£¥°±≤≥≠≈×÷@√∞∑∈→←]",
)
#: Function words that may differ without changing the statement.
_NEUTRAL_WORDS = frozenset(
    "a an the this that these those which who it its is are was were be been being has have had "
    "also then there here so such very just however while as".split()
)


class WordText:
    """A text as its words.

    The `title` counts as part of a short text: "It weighs 5 kg" is another statement for another
    pump.
    """

    def __init__(self, text: str, title: str = "") -> None:
        text = _without_headlines(text)
        self.shown = _split_words(text)  #: the words as written
        if title and len(self.shown) < _MIN_TEXT_WORDS:
            self.shown = _split_words(title) + self.shown
        #: the words as compared
        self.words = [
            word.lower() if word.isascii() and word.isalnum() else _folded(word)
            for word in self.shown
        ]
        self._is_upper_case = text.isupper()

    @cached_property
    def _is_name_or_number(self) -> list[bool]:
        """For each word, whether it is a name, a number or code."""
        return [
            not low.isalpha() or (word[0].isupper() and not facts.is_stop_word(low))
            for word, low in zip(self.shown, self.words, strict=True)
        ]

    @cached_property
    def _hides_names(self) -> bool:
        """Whether capitals do not mark names: all letters are capitals, or none."""
        return self._is_upper_case or not any(word[0].isupper() for word in self.shown)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """The runs of three words. At either end runs reach beyond the text."""
        return frozenset(_runs(self.words, _SHINGLE_WORDS))

    @cached_property
    def _run_counts(self) -> dict[int, Counter[tuple[str, ...]]]:
        """How often each run occurs, by the number of its words."""
        lengths = (2, _SHINGLE_WORDS, _FACT_RUN_WORDS)
        return {length: Counter(_runs(self.words, length)) for length in lengths}

    def covered(self, other: WordText) -> list[bool]:
        """Return for each word whether `other` has it among the same words.

        A fact must be in a common run of five words, any other word in one of three. A name or
        number that has none of its neighbours in `other` was moved and is not covered.
        """
        counts, words = other._run_counts, self.words
        in_shingle, in_fact_run = (
            _common_runs(words, length, counts[length])
            for length in (_SHINGLE_WORDS, _FACT_RUN_WORDS)
        )
        covered = [
            any(in_fact_run[at : at + _FACT_RUN_WORDS])
            if self._is_name_or_number[at] or _is_negation(word)
            else any(in_shingle[at : at + _SHINGLE_WORDS])
            for at, word in enumerate(words)
        ]
        self._uncover_moved(covered, _common_runs(words, 2, counts[2]))
        return covered

    def _uncover_moved(self, covered: list[bool], joined: list[bool]) -> None:
        """Mark names and numbers as uncovered that have no neighbour in common.

        `joined` tells for each word whether the other text has it behind the same word.
        """
        joined[0] = joined[-1] = True
        start = 0
        for at in range(len(covered) + 1):
            if at < len(covered) and self._is_name_or_number[at]:
                if at > start and not joined[at]:  # two names that are not neighbours in `other`
                    covered[at - 1] = covered[at] = False
                continue
            if at > start and not joined[start] and not joined[at]:
                covered[start:at] = [False] * (at - start)
            start = at + 1

    def is_fact(self, at: int) -> bool:
        """Tell whether the word may change the statement."""
        shown, word = self.shown[at], self.words[at]
        if self._hides_names or not word.isalpha() or _is_negation(word):
            return True
        if facts.is_stop_word(word):
            return word not in _NEUTRAL_WORDS
        return shown[0].isupper() or bool(quantities.find_numbers(word))


def _without_headlines(text: str) -> str:
    """Return the text without its headlines, which each outlet writes in its own words.

    A headline is one of two lines above a paragraph. It does not end like a sentence, contains no
    negation, and no number that the rest does not contain.
    """
    rest = text.lstrip()
    for _ in range(2):
        line, _, below = rest.partition("\n")
        below, words = below.lstrip(), line.split()
        following = below.partition("\n")[0].split()
        is_headline = (
            len(words) <= _MAX_HEADLINE_WORDS
            and not _SENTENCE_END.search(line)
            and not _CODE.search(line)
            and not _BULLET.match(line)
        )
        if not is_headline or len(below.split()) < _MIN_TEXT_WORDS:
            break
        if any(map(_is_negation, map(str.lower, words))):
            break
        if not set(re.findall(r"\d[\d.,]*", line)) <= set(re.findall(r"\d[\d.,]*", below)):
            break
        if len(following) >= _MIN_PARAGRAPH_WORDS:
            return below
        rest = below
    return text


def _folded(word: str) -> str:
    """Return the word as it is compared: code unchanged, else without case and accents."""
    if not word.isalnum() and _VERBATIM.search(word):
        return word
    return word.lower() if word.isascii() else facts.fold_text(word)


def _runs(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    """Yield the runs of `length` words, with "" beyond the ends of the text."""
    padding = [""] * (length - 1)
    padded = padding + words + padding
    return zip(*(padded[at:] for at in range(length)))


def _common_runs(words: list[str], length: int, counts: Counter[tuple[str, ...]]) -> list[bool]:
    """Return for each run of `words` whether the other text has it too.

    The n-th occurrence of a run is common if the other text has at least n, by `counts`.
    """
    seen: dict[tuple[str, ...], int] = {}
    common = []
    for run in _runs(words, length):
        times = seen[run] = seen.get(run, 0) + 1
        common.append(times <= counts[run])
    return common


@lru_cache(1 << 16)
def _is_negation(word: str) -> bool:
    return facts.count_negations(word) > 0


def _split_words(text: str) -> list[str]:
    """Return the words of `text`.

    In a text with code, everything between two blanks that contains a sign of code is one word, and
    so is a lone operator.
    """
    if not text.isascii():
        text = text.translate(_DASHES)
    if not _CODE.search(text):
        return _TOKEN.findall(text)
    words: list[str] = []
    for piece in _BULLET.sub(" ", text).split():
        if _VERBATIM.search(piece) and not _RULED_LINE.fullmatch(piece):
            words.append(piece.rstrip(".,;:!?") or piece)
        elif (
            _OPERATOR.fullmatch(piece)
            and words
            and (len(words[-1]) == 1 or not words[-1].isalpha())
        ):
            words.append(piece)
        else:
            words += _TOKEN.findall(piece)
    return words


def find_copy(text: WordText, known: Sequence[WordText]) -> int | None:
    """Return the index in `known` of the text that has most of `text`.

    Return None if the known texts together do not say everything that `text` says.
    """
    shares = [len(text.shingles & other.shingles) / len(text.shingles) for other in known]
    related = [
        n
        for n in sorted(range(len(known)), key=lambda n: -shares[n])
        if shares[n] >= _MIN_RELATED_SHARE
    ]
    if not related or not text.words:
        return None
    covered, known_words = [False] * len(text.words), set[str]()
    for number in related:
        covered = [a or b for a, b in zip(covered, text.covered(known[number]), strict=True)]
    low, high = _core(covered)
    for number in related:
        if not _has_no_other_fact(known[number], text, low, len(covered) - high):
            return None
        known_words.update(known[number].words)
    return related[0] if _says_no_more(text, covered, known_words) else None


def same_content(one: WordText, other: WordText) -> bool:
    """Tell whether neither text says anything that the other does not say."""
    if one.words == other.words:
        return True
    negations = [sum(map(_is_negation, text.words)) for text in (one, other)]
    return (
        negations[0] == negations[1]
        and find_copy(one, [other]) is not None
        and find_copy(other, [one]) is not None
    )


def _has_no_other_fact(other: WordText, text: WordText, head: int, tail: int) -> bool:
    """Tell whether the part of `other` in common with `text` has no fact that `text` lacks.

    `head` and `tail` are the numbers of words of `text` before and behind the common part. If there
    are some, as many words of `other` plus two belong to the common part at that end.
    """
    covered = other.covered(text)
    low, high = _core(covered)
    low = max(0, low - head - 2) if head else low
    high = min(len(covered), high + tail + 2) if tail else high
    return not any(other.is_fact(at) for at in range(low, high) if not covered[at])


def _says_no_more(text: WordText, covered: list[bool], known_words: set[str]) -> bool:
    """Tell whether the uncovered words are few, no facts, and no opposites of `known_words`."""
    uncovered = [at for at, is_covered in enumerate(covered) if not is_covered]
    if len(uncovered) > _MAX_UNCOVERED_SHARE * len(covered):
        return False
    words = {text.words[at] for at in uncovered}
    opposites = {opposite for word, opposite in word_tables.OPPOSITES if word in words}
    return not any(map(text.is_fact, uncovered)) and opposites.isdisjoint(known_words)


def _core(covered: list[bool]) -> tuple[int, int]:
    """Return start and end of the common part: from the first to the last long covered run.

    It is extended over small gaps. It is the whole text if no run is long.
    """
    low, high, run = len(covered), 0, 0
    for at, is_covered in enumerate(covered):
        run = run + 1 if is_covered else 0
        if run >= _MIN_CORE_WORDS or (high and is_covered and at - high <= _MAX_GAP_WORDS):
            low, high = min(low, at - run + 1), at + 1
    while low and True in covered[max(0, low - 1 - _MAX_GAP_WORDS) : low]:
        low -= 1
    return (low, high) if low < high else (0, len(covered))
