"""Finds the facts of a text that can be compared exactly: dates, names, quotations, words.

Values are normalised so that different spellings of one fact are equal: 24 February = Feb 24.
Numbers are found by `rag.text.quantities`. English only: in another language quotations and most
names still work, month names do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from rag.text.quantities import blank_out
from rag.text.word_tables import (
    BASE_FORMS,
    COUNTRY_OF_PEOPLE,
    ENDINGS,
    NEGATIONS,
    SENTENCE_OPENERS,
    STOP_WORDS,
)

_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_MONTH = {name: at for at, name in enumerate(_MONTHS, 1)} | {
    name[:3]: at for at, name in enumerate(_MONTHS, 1)
}
_MONTH |= {"sept": 9}
_M = "(" + "|".join(sorted(_MONTH, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_DATES = (
    (re.compile(rf"\b{_DAY}[\s-]+(?:of\s+)?{_M}(?:,?[\s-]+(\d{{4}})\b)?", re.I), "dmy"),
    (re.compile(rf"\b{_M}\s+{_DAY}\b(?!\s*[:%])(?:,?\s+(\d{{4}})\b)?", re.I), "mdy"),
    (re.compile(rf"\b{_M},?\s+(\d{{4}})\b", re.I), "my"),
    (re.compile(r"(?<![\d-])(\d{4})[-/](\d{2})[-/](\d{2})(?![\d-])"), "ymd#"),
    (re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b"), "dmy#"),
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_QUOTE_MARK = re.compile(r'["“”«»„\n]')
#: The marks that end a quotation, by the mark that opens it.
_CLOSING = {'"': '"', "“": "”", "«": "»", "„": "“”"}
_MIN_QUOTATION_CHARS, _MAX_QUOTATION_CHARS = 3, 600
_MIN_QUOTATION_WORDS = 3
_INITIALS = re.compile(r"\b[A-Za-z](?:\.[A-Za-z])+\b\.?")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_WHEN = re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|time)\b")
#: a word that asks for something else than a time, or a verb that opens a question of yes or no
_ASKS_ELSE = re.compile(
    r"\b(?:who(?:m|se)?|what|which|where|why|how)\b|"
    r"^\W*(?:is|are|was|were|do|does|did|can|could|may|must|should|shall|has|have|had|will|would)\b"
)
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w’'&.-]*"
    r"(?:\s+(?:(?:de|di|da|von|van|bin|al|of|the|du|la|le)\s+)*[A-ZÀ-ÖØ-Þ][\w’'&.-]*)*"
)


class _WithoutAccents(dict[int, str]):
    """Maps a code point to its compatibility decomposition (NFKD) without combining marks.

    Each entry is computed at its first use. A whole text is not normalised at once: sorting a long
    run of combining marks takes quadratic time, and they are left out anyway.
    """

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code))
        letters = self[code] = "".join(c for c in parts if not unicodedata.combining(c))
        return letters


_WITHOUT_ACCENTS = _WithoutAccents()


@dataclass(frozen=True, slots=True)
class Date:
    """A date or a part of one; None for a part that the text does not give."""

    year: int | None
    month: int
    day: int | None
    shown: str

    def agrees(self, other: Date) -> bool:
        """Tell whether no part that both dates give differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(a is None or b is None or a == b for a, b in pairs)

    @property
    def iso(self) -> str | None:
        """The day in ISO 8601 if all three parts are known."""
        known = self.year is not None and self.day is not None
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}" if known else None


def find_dates(text: str) -> tuple[list[Date], str]:
    """Return the dates of `text`, and the text with blanks in place of them.

    The digits of the dates are then not read as numbers.
    """
    dates: list[Date] = []
    rest = text
    for pattern, order in _DATES:
        spans = list[tuple[int, int]]()
        for match in pattern.finditer(rest):
            date = _date(match, order)
            if date:
                dates.append(date)
                spans.append(match.span())
        rest = blank_out(rest, spans)
    return dates, rest


def _date(match: re.Match[str], order: str) -> Date | None:
    """Return the date of a match, or None if it is none.

    `order` names the groups: d, m and y; "#" says that the month is a number.
    """
    parts = dict(zip(order.rstrip("#"), match.groups(), strict=True))
    is_complete = parts.get("d") and parts.get("y")
    if parts["m"] in ("may", "march") and not is_complete and " of " not in match.group():
        return None  # a verb: "you may 5 times", "to march 20 miles"
    month = int(parts["m"]) if order.endswith("#") else _MONTH[parts["m"].lower()]
    year = int(parts["y"]) if parts.get("y") else None
    day = int(parts["d"]) if parts.get("d") else None
    if year == 0 or not 1 <= month <= 12 or (day is not None and not 1 <= day <= _DAYS[month - 1]):
        return None
    return Date(year, month, day, match.group().strip())


def find_quotations(text: str) -> list[str]:
    """Return the quotations of `text` of three words or more, without their marks."""
    return [quote for quote in _quoted(text) if len(_WORD.findall(quote)) >= _MIN_QUOTATION_WORDS]


def _quoted(text: str) -> Iterator[str]:
    """Yield the text between an opening mark and the nearest mark that closes it, on one line.

    Every mark is looked at once, so the time is linear.
    """
    marks = [(match.start(), match[0]) for match in _QUOTE_MARK.finditer(text)]
    ends, nearest = [-1] * len(marks), dict[str, int]()
    for number in range(len(marks) - 1, -1, -1):
        place, mark = marks[number]
        ends[number] = min((nearest[c] for c in _CLOSING.get(mark, "") if c in nearest), default=-1)
        if mark == "\n":
            nearest.clear()
        else:
            nearest[mark] = place
    at = 0
    for (place, _), end in zip(marks, ends, strict=True):
        if place >= at and _MIN_QUOTATION_CHARS <= end - place - 1 <= _MAX_QUOTATION_CHARS:
            yield text[place + 1 : end]
            at = end + 1


def find_names(text: str) -> list[str]:
    """Return the capitalised words and runs of them ("Luigi Di Maio").

    The first word of the text is no name if its capital may only begin the sentence.
    """
    names = []
    begins = len(text) - len(text.lstrip(" \t\n\"'“”‘’([-–—*"))
    for match in _NAME.finditer(text):
        is_first = match.start() <= begins
        words = match.group().split()
        if is_first and not _is_acronym(words[0]):
            opens = fold_text(words[0]) in STOP_WORDS or fold_text(words[0]) in SENTENCE_OPENERS
            words = words[1:] if len(words) > 1 and words[1][:1].isupper() and opens else words
            if len(words) == 1 and words[0] == match.group().split()[0]:
                continue
        name = " ".join(words).strip(".'’&-")
        if name and fold_text(name) not in STOP_WORDS and fold_text(name) not in _MONTH:
            names.append(name)
    return names


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def fold_text(text: str) -> str:
    """Return `text` in lower case, without accents, with straight quotes, and U.S. as US."""
    straight = text.replace("’", "'").replace("‘", "'")
    text = _INITIALS.sub(lambda m: m[0].replace(".", ""), straight)
    if text.isascii():
        return text.lower()
    return text.casefold().translate(_WITHOUT_ACCENTS)


def stem(word: str) -> str:
    """Return a word without its ending: Russian -> russia, sanctions -> sanction.

    Stems are only compared with each other, so a rough stem is enough.
    """
    word = word.removesuffix("'s").rstrip("'")
    word = COUNTRY_OF_PEOPLE.get(word) or BASE_FORMS.get(word, word)
    if len(word) > 5 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    for ending in ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            word = word[: -len(ending)]
            break
    else:
        if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    if len(word) > 4:
        return word.rstrip("aeiy")
    return word.removesuffix("e") if len(word) > 3 else word


def word_tokens(text: str) -> list[str]:
    """Return the words of `text` unchanged, in order."""
    return _WORD.findall(text)


def is_stop_word(word: str) -> bool:
    """Tell whether a folded word is a function word, which says nothing about the topic."""
    if "'" not in word:
        return word in STOP_WORDS
    return word.endswith("n't") or word.partition("'")[0] in STOP_WORDS  # "what's", "I'd"


def content_stems(text: str) -> list[str]:
    """Return the stems of the content words of `text`, in order, folded, without stop words."""
    return [stem(w) for w in _WORD.findall(fold_text(text)) if not is_stop_word(w)]


def one_letter_apart(a: str, b: str) -> bool:
    """Tell whether one letter is exchanged, added or missing, or two neighbours changed places."""
    if len(a) > len(b):
        a, b = b, a
    at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if a[at + (len(a) == len(b)) :] == b[at + 1 :]:
        return True
    return (
        len(a) == len(b) and a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    )


def count_negations(text: str) -> int:
    """Return the number of words of `text` that negate a statement."""
    return sum(w in NEGATIONS or w.endswith("n't") for w in _WORD.findall(fold_text(text)))


def asks_when(folded: str) -> bool:
    """Tell whether a folded question asks for a time: "when" that opens no clause of time.

    "Who pays when it rains" asks who.
    """
    at = _WHEN.search(folded)
    return at is not None and not _ASKS_ELSE.search(folded, 0, at.start())


def flatten_text(text: str) -> str:
    """Return `text` for comparing quotations: folded, with single blanks for all but words."""
    return " ".join(_WORD.findall(fold_text(text)))
