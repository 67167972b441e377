"""Parses a question that a table may answer: its words, what it asks for, limits and operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rag.answer.question_terms import COUNTS
from rag.answer.tables.rows import date_of, words_of
from rag.text import facts
from rag.text.units_of_measure import find_unit

#: words that end the name of what is asked for
_AUXILIARY = frozenset(
    "is are was were do did does has have had can could will would be been it they he she there "
    "in on at for by with that who".split()
)
#: words that may ask for an extreme, and those that may ask for the row before or after
_SUPERLATIVE = frozenset(
    "most least highest lowest largest smallest biggest longest shortest oldest newest youngest "
    "earliest latest greatest fewest maximum minimum more less fewer top bottom best worst max "
    "min higher lower longer shorter larger smaller bigger older younger earlier later greater "
    "first last final cheapest cheaper fastest slowest faster slower tallest taller heaviest "
    "lightest heavier lighter farthest furthest closest nearest strongest widest deepest highest "
    "better worse recent original initial leading dearest expensive frequent frequently often "
    "leader winner won lead win finish begin start end total peak only".split()
)
_NEIGHBOUR = frozenset(
    "after before next previous previously above below following followed follows precede "
    "preceded preceding precedes prior immediately directly came comes come succeed succeeded "
    "later earlier consecutive subsequent then behind ahead under over".split()
)
_NEGATIONS = frozenset("not never without except besides excluding no none nor".split())
_ONLY_ASKS = frozenset(
    "many much list listed name names named tell give number amount total sum average mean times "
    "time difference combined altogether all both either same also other another besides except "
    "each every overall there table chart row rows column entry entries record records happen "
    "happened occur occurred have had how long often old far".split()
)
_COUNTING = re.compile(rf"{COUNTS.pattern}|\b(?:how often|count|total|amount of|times)\b")
_ADDING = re.compile(
    r"\b(?:total|sum|combined|altogether|together|in all|overall|how (?:many|much)|all)\b"
)
_TOGETHER = re.compile(r"\b(?:combined|altogether|together|total|sum)\b")
_AVERAGING = re.compile(r"\b(?:average|mean)\b")
_DIFFERENCE = re.compile(
    r"\b(?:difference|how (?:many|much|far|long) \w*\s?(?:more|less|fewer|\w{2,20}er)|"
    r"(?:more|less|fewer) \w+ (?:\w+ ){0,6}than|apart|between|"
    r"longer|older|higher|later|earlier|larger|taller|gap|pass|passed|elapsed)\b"
)
_COMPARING = re.compile(
    r"\bhow (?:many|much) (?:more|less|fewer|\w{2,20}er)\b.{1,200}\bthan\b|"
    r"\bdifference (?:in|between)\b"
)
_EXCLUDING = re.compile(
    r"\b(?:other than|besides|except|not|excluding|aside from|apart from|another|other|else|"
    r"never|didn't|did not|without|beside|also)\b"
)
_NUMBER = r"[$\u20ac\u00a3]?(?<!\d)(\d+(?:\.\d+)?)"
_LIMITS = (
    (re.compile(rf"\bbetween {_NUMBER} (?:and|to) {_NUMBER}"), "between"),
    (re.compile(rf"\bfrom {_NUMBER} (?:until|to|through|and) {_NUMBER}"), "between"),
    (re.compile(rf"\b(?:at least|no (?:less|fewer) than|minimum of|since) {_NUMBER}"), ">="),
    (
        re.compile(rf"\b(?:at most|no more than|not more than|up to|maximum of|until) {_NUMBER}"),
        "<=",
    ),
    (re.compile(rf"{_NUMBER} or (?:more|higher|above|greater|over|older|later)"), ">="),
    (re.compile(rf"{_NUMBER} or (?:less|fewer|lower|below|under|younger|earlier)"), "<="),
    (
        re.compile(
            rf"\b(?:more than|greater than|over|above|higher (?:price |weight )?than|"
            rf"larger than|longer than|"
            rf"exceed\w*|older than|later than|after|bigger than|better than) {_NUMBER}"
        ),
        ">",
    ),
    (
        re.compile(
            rf"\b(?:less than|fewer than|under|below|lower (?:price |weight )?than|"
            rf"smaller than|shorter than|"
            rf"younger than|earlier than|before|prior to) {_NUMBER}"
        ),
        "<",
    ),
)
#: number and ordinal words, and the digits for them
_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
_DIGITS_OF = {word: str(number) for number, word in enumerate(_NUMBER_WORDS, 1)}
_DIGITS_OF |= {
    word: str(10 * number)
    for number, word in enumerate(
        "thirty forty fifty sixty seventy eighty ninety hundred".split(), 3
    )
}
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_AS_DIGITS = _DIGITS_OF | {word: str(number) for number, word in enumerate(_ORDINALS, 1)}
_WON, _LOST, _TIED = ("w", "won", "win"), ("l", "lost", "loss"), ("d", "t", "draw", "tie", "tied")
#: words for results, as stems of the cells that say them
_RESULTS = {
    word: tuple(dict.fromkeys(facts.stem(cell) for cell in cells))
    for words, cells in (
        ("win wins won victory victories victorious", _WON),
        ("lose loses lost loss losses losing defeat defeated", _LOST),
        ("draw draws drawn tie ties tied", _TIED),
    )
    for word in words.split()
}
_IN_TOTAL = re.compile(r"\b(?:in total|altogether|all together|in all|combined)\b")
_BEFORE_LAST = re.compile(
    r"\b(?:second|next) to (?:the )?last\b|\b(?:before the|second) last\b|"
    r"\blast but one\b"
)
_TOP = re.compile(r"\b(?:top|first) (\d{1,9})\b")
#: words that compare a price or weight, and the words of columns for them
_COMPARATIVES = {
    "cheapest": "lowest price",
    "cheaper": "lower price",
    "most expensive": "highest price",
    "least expensive": "lowest price",
    "more expensive": "higher price",
    "less expensive": "lower price",
    "dearest": "highest price",
    "costliest": "highest price",
    "heaviest": "highest weight",
    "heavier": "higher weight",
    "lightest": "lowest weight",
    "lighter": "lower weight",
    "costs the most": "has the highest price",
    "costs the least": "has the lowest price",
}
_COMPARATIVE = re.compile(rf"\b(?:{'|'.join(_COMPARATIVES)})\b", re.I)
_MAX_WORDS = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """A condition on numbers or years: "more than 20" is (">", 20.0, 20.0)."""

    sign: str  #: ">", "<", ">=", "<=" or "between"
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether `value` meets the condition."""
        if self.sign == ">":
            return value > self.low
        if self.sign == "<":
            return value < self.low
        return (self.sign == "<=" or value >= self.low) and (
            self.sign == ">=" or value <= self.high
        )


def _in_plain_words(question: str) -> str:
    """Return a question with "highest price" for "most expensive", and the like."""
    return _COMPARATIVE.sub(lambda match: _COMPARATIVES[match[0].lower()], question)


class TableQuestion:
    """A question with what its words say about the operation.

    `words` are its folded words, at most 60, `stems` their stems. `content` are the positions in
    `words` of those that are no stop words. A "place" is such a position.
    """

    def __init__(self, question: str) -> None:
        self.question = question
        plain = _in_plain_words(question)
        self.folded = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", facts.fold_text(plain))
        words, stems = words_of(plain)
        self.words, self.stems = words[:_MAX_WORDS], stems[:_MAX_WORDS]
        self.content = frozenset(
            at for at, word in enumerate(self.words) if not facts.is_stop_word(word)
        )

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """The places of each stem of the question; a number in words also stands as its digits."""
        named = dict[str, list[int]]()
        for at, stem in enumerate(self.stems):
            named.setdefault(stem, []).append(at)
            if digits := _AS_DIGITS.get(self.words[at]):
                named.setdefault(digits, []).append(at)
            for short in _RESULTS.get(self.words[at], ()):
                if short != stem:
                    named.setdefault(short, []).append(at)
        return named

    @cached_property
    def top(self) -> int:
        """How many of the first rows are asked for ("top five"); 0 if that is not asked."""
        match = _TOP.search(self._with_digits)
        return int(match[1]) if match else 0

    @cached_property
    def _with_digits(self) -> str:
        return re.sub(rf"\b({'|'.join(_DIGITS_OF)})\b", lambda m: _DIGITS_OF[m[0]], self.folded)

    @cached_property
    def asking(self) -> str:
        """The word that asks: "who", "how many", "list" …; "" if there is none."""
        match = re.search(
            r"\bhow (?:many|much|long|old|far|often|tall|high|big)\b|"
            r"\b(?:who|whose|whom|which|what|when|where|name|list|tell)\b",
            self.folded,
        )
        return match[0].replace("whom", "who") if match else ""

    @cached_property
    def head(self) -> tuple[int, ...]:
        """Places of the words that name what is asked for ("which *home team*"), at most four."""
        words, places = self.words, list[int]()
        for at, word in enumerate(words):
            if word in ("which", "what", "whose", "many", "much", "name", "list"):
                for place in range(at + 1, min(at + 6, len(words))):
                    if words[place] in ("is", "was", "are", "were") and not places:
                        continue
                    if words[place] in _AUXILIARY and places:
                        break
                    places.append(place)
                break
        return tuple(at for at in places if at in self.content)[:4]

    @cached_property
    def superlative(self) -> bool:
        """Does a word ask for an extreme?"""
        return any(self.is_superlative(at) for at in range(len(self.words)))

    def is_superlative(self, at: int) -> bool:
        """Tell whether a word may ask for an extreme."""
        word = self.words[at]
        return word in _SUPERLATIVE or (word.endswith("est") and len(word) > 4)

    @cached_property
    def neighbour(self) -> bool:
        """Does a word ask for the row before or after another?"""
        return any(self.is_neighbour(at) for at in range(len(self.words)))

    def is_neighbour(self, at: int) -> bool:
        """Tell whether a word may ask for the row before or after another."""
        return self.words[at] in _NEIGHBOUR

    @cached_property
    def counts(self) -> bool:
        """May rows have to be counted?"""
        return bool(_COUNTING.search(self.folded))

    @cached_property
    def adds_all(self) -> bool:
        """Is a sum over rows asked for ("how many … in total")?"""
        return self.asking in ("how many", "how much") and bool(_IN_TOTAL.search(self.folded))

    @cached_property
    def before_last(self) -> bool:
        """Is the last but one asked for?"""
        return bool(_BEFORE_LAST.search(self.folded))

    @cached_property
    def counted(self) -> str:
        """The stem of the noun after "how many"; "" if there is none."""
        match = re.search(r"\bhow many ([^\W\d_]{1,40})", self.folded)
        return facts.stem(match[1]) if match else ""

    @cached_property
    def adds(self) -> bool:
        """May values have to be added?"""
        return bool(_ADDING.search(self.folded))

    @cached_property
    def averages(self) -> bool:
        """Is an average asked for?"""
        return bool(_AVERAGING.search(self.folded))

    @cached_property
    def subtracts(self) -> bool:
        """May a difference be asked for?"""
        return bool(_DIFFERENCE.search(self.folded))

    @cached_property
    def compares(self) -> bool:
        """Is it asked by how much one value is more than another?"""
        return bool(_COMPARING.search(self.folded))

    @cached_property
    def adds_named(self) -> bool:
        """May the values of several named rows have to be added ("A and B together")?"""
        return "and" in self.words and (self.averages or bool(_TOGETHER.search(self.folded)))

    @cached_property
    def operates(self) -> bool:
        """Must rows be compared, ordered, counted or added?"""
        counts = self.counts and self.asking != "how much"
        return self.superlative or counts or self.averages or self.compares or bool(self.limits)

    @cached_property
    def units(self) -> dict[int, str]:
        """The dimension of each unit of measure after a number ("15 euros"), by its place."""
        found = dict[int, str]()
        for at, (one, word) in enumerate(pairwise(self.words), 1):
            spellings = (word, word.upper()) if one[0].isdigit() else ()
            for spelling in spellings:
                if dimension := find_unit(f"1 {spelling}", 0, 1)[0]:
                    found[at] = dimension
        return found

    @cached_property
    def excludes(self) -> bool:
        """May a row that is named have to be left out?"""
        return bool(_EXCLUDING.search(self.folded))

    @cached_property
    def negations(self) -> tuple[str, ...]:
        """The words that leave something out."""
        found = [w for w in self.words if w in _NEGATIONS or w.endswith("n't")]
        return (*found, *(["other"] if "other than" in self.folded else []))

    @cached_property
    def wants_same(self) -> bool:
        """Are rows with the same value as another asked for?"""
        return "same" in self.words or "also" in self.words or "share" in self.words

    @cached_property
    def offers(self) -> bool:
        """Does the question offer a choice ("A or B")?"""
        return "or" in self.words or ("between" in self.words and "and" in self.words)

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """The conditions on numbers and dates, at most four. A date is a number as in `date_of`."""
        text = self._with_digits
        limits = list[Limit]()
        for pattern, sign in _LIMITS:
            for match in pattern.finditer(text):
                low = float(match[1])
                high = float(match[2]) if sign == "between" else low
                limits.append(Limit(sign, low, high))
        date = date_of(self.question)
        if date is not None and date >= 1:
            for sign, words in ((">", r"\b(?:after|since)\b"), ("<", r"\b(?:before|until)\b")):
                if re.search(words, self.folded):
                    limits.append(Limit(sign, date, date))
        if self.top:
            limits.append(Limit("<=", self.top, self.top))
        return tuple(limits[:4])

    def only_asks(self, at: int) -> bool:
        """Tell whether a word asks, orders, counts or compares, and names nothing itself."""
        word = self.words[at]
        return (
            self.is_superlative(at)
            or word in _NEIGHBOUR
            or word in _ONLY_ASKS
            or word in _AS_DIGITS
            or at in self.units
            or word[0].isdigit()
        )
