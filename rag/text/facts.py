"""What in a text can be held against another text exactly: numbers, dates, names, quotations, content words.

Values are normalised so that different spellings of one fact are equal: 5,000 = 5 000 = five thousand; 24 February =
Feb 24; 12 % = 12 percent. Spelled-out numbers are read by `text2num`. English only: in another language digits, quotations
and most names still work, spelled-out numbers and month names do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.domain import Span
from rag.text.sentences import bounded

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
_SMALL = {
    w: n
    for n, w in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
}
_AS_WORD = {str(n): word for word, n in _SMALL.items()}
_SMALL_WORD = re.compile(rf"\b({'|'.join(_SMALL)})( and a half)?\b", re.I)
_LARGE_WORD = re.compile(
    r"\b(?:hundred|thousand|million|billion|trillion|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b",
    re.I,
)
_READ = 1000  # characters handed to `text2num` at once: its time grows with their square
_SCALE = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bn": 1e9,
}
_SCALE |= {"trillion": 1e12, "tn": 1e12}
_NUMBER = re.compile(
    r"(?<![\w.])([-−]?)(\d{1,3}(?:[,\u00a0\u202f\u2009 '’]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)*)"
    r"(?:[\s-]?(hundred|thousand|million|billion|trillion|bn|mn|tn)\b|([km])\b)?"
    r"(?:(?:st|nd|rd|th)\b|\s?(%|per\s?cent\b))?",
    re.I,
)
_QUOTE_MARK = re.compile(r'["“”«»„\n]')
_CLOSING = {
    '"': '"',
    "“": "”",
    "«": "»",
    "„": "“”",
}  # the marks that end a quotation, by the mark that opens it
_QUOTED_LEAST, _QUOTED_MOST = 3, 600  # characters of a quotation
_INITIALS = re.compile(r"\b[A-Za-z](?:\.[A-Za-z])+\b\.?")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w’'&.-]*(?:\s+(?:(?:de|di|da|von|van|bin|al|of|the|du|la|le)\s+)*[A-ZÀ-ÖØ-Þ][\w’'&.-]*)*"
)


class _Bare(dict[int, str]):
    """Code point -> its compatibility decomposition (NFKD) without combining marks, computed once for each that is met.

    A whole text is not normalised at once: sorting the marks of a long run of them is quadratic, and they are left out anyway.
    """

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code))
        bare = self[code] = "".join(c for c in parts if not unicodedata.combining(c))
        return bare


_BARE = _Bare()
_STOP = frozenset(
    (
        "a about above after again against all also although am an and any are as at be because been before being "
        "below between both but by can could did do does doing down during each few for from further had has have "
        "having he her here hers him his how however i if in into is it its itself just may me might more most must "
        "my no nor not now of off on once only or other our out over own s same shall she should so some such t than "
        "that the their them then there these they this those through to too under until up upon us very was we were "
        "what when where whether which while who whom whose why will with would you your yet"
    ).split()
)
_OPENERS = frozenset(
    "yesterday today tomorrow meanwhile later earlier recently despite since according although".split()
)
_NEGATIONS = frozenset(
    (
        "not no never none neither nor nobody nothing without cannot can't won't don't doesn't didn't isn't aren't "
        "wasn't weren't hasn't haven't hadn't shouldn't wouldn't couldn't refuse refused refuses deny denied denies "
        "fail failed fails"
    ).split()
)
_PAIRS = """
increase decrease|increased decreased|increases decreases|increasing decreasing|rise fall|rose fell|rising falling|more less|
most least|higher lower|highest lowest|high low|larger smaller|largest smallest|large small|big small|greater lesser|
before after|first last|earlier later|earliest latest|early late|old new|older younger|oldest youngest|oldest newest|
north south|northern southern|east west|eastern western|upper lower|above below|inside outside|internal external|
win lose|won lost|winner loser|win lost|success failure|successful unsuccessful|accept reject|accepted rejected|allow forbid|
allowed forbidden|allows forbids|legal illegal|support oppose|supported opposed|supports opposes|supporters opponents|
begin end|began ended|begins ends|beginning end|start finish|started finished|open close|opened closed|add remove|added removed|
include exclude|included excluded|includes excludes|create destroy|created destroyed|buy sell|bought sold|import export|
imports exports|attack defend|attacked defended|majority minority|maximum minimum|positive negative|public private|
male female|men women|man woman|father mother|son daughter|brother sister|husband wife|king queen|strong weak|stronger weaker|
strongest weakest|hot cold|warm cool|fast slow|faster slower|long short|longer shorter|longest shortest|rich poor|richer poorer|
best worst|better worse|good bad|easy difficult|easier harder|common rare|common uncommon|similar different|same different|
always never|often rarely|usually rarely|all none|many few|both neither|with without|gain lose|gained lost|enter leave|
entered left|arrive depart|arrived departed|push pull|advance retreat|advanced retreated|agree disagree|agreed disagreed|
approve reject|approved rejected|true false|possible impossible|dependent independent|direct indirect|formal informal|
permanent temporary|ancient modern|urban rural|democratic republican|liberal conservative|catholic protestant|summer winter|
spring autumn|morning evening|day night|land sea|deep shallow|wide narrow|thick thin|heavy light|light dark|full empty|
minor major|primary secondary|single multiple|raise lower|raised lowered|improve worsen|improved worsened|expand shrink|
expanded shrank|strengthen weaken|strengthened weakened|appeared disappeared|alive dead|born died|birth death|ally enemy|
allies enemies|left right|front back|top bottom|active inactive|able unable|likely unlikely|known unknown|required optional|
enabled disabled|enable disable|synchronous asynchronous|static dynamic|mutable immutable|lowercase uppercase|client server
"""
#: words that turn a statement into its opposite where one stands in the other's place, each pair both ways, in a fixed order
OPPOSITES: dict[tuple[str, str], None] = {}
for _pair in _PAIRS.replace("\n", "").split("|"):
    _one, _other = _pair.split()
    OPPOSITES |= {(_one, _other): None, (_other, _one): None}
_PEOPLES = dict(
    pair.split("=")
    for pair in (
        "german=germany germans=germany french=france polish=poland poles=poland british=britain spanish=spain greek=greece "
        "greeks=greece danish=denmark swedish=sweden italian=italy finnish=finland irish=ireland scottish=scotland dutch=netherlands japanese=japan "
        "pakistani=pakistan taiwanese=taiwan mexican=mexico jordanian=jordan swiss=switzerland turkish=turkey turks=turkey "
        "lebanese=lebanon malian=mali"
    ).split()
)
_ENDINGS = (
    "ations ation ments ment ians ian eans ean ings ing ness ers ish ese ans ed es er an ly"
).split()


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month or a part of one; None for what was not said."""

    year: int | None
    month: int
    day: int | None
    shown: str

    def agrees(self, other: Date) -> bool:
        """No part that both name differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(a is None or b is None or a == b for a, b in pairs)

    @property
    def iso(self) -> str | None:
        """ISO 8601 day where all three parts are known."""
        known = self.year is not None and self.day is not None
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}" if known else None


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity. `values` holds each way its digits can be read (1.200 is 1.2 and 1200)."""

    values: frozenset[float]
    percent: bool
    shown: str

    def agrees(self, other: Number) -> bool:
        """Does `other` bear this number out? It must be a percentage, or below zero, where this one is."""
        same = any(v in other.values or (v > 0 and -v in other.values) for v in self.values)
        return same and (other.percent or not self.percent)


def find_dates(text: str) -> tuple[list[Date], str]:
    """The dates of `text`, and the text with their characters blanked out so that they are not read as numbers."""
    found: list[Date] = []
    rest = text
    for pattern, order in _DATES:
        blank = list[tuple[int, int]]()
        for match in pattern.finditer(rest):
            date = _date(match, order)
            if date:
                found.append(date)
                blank.append(match.span())
        rest = _blanked(rest, blank)
    return found, rest


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """`text` with blanks in place of these spans (start, end), which are in order and do not overlap."""
    parts, at = list[str](), 0
    for start, end in spans:
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join(parts) + text[at:]


def _date(match: re.Match[str], order: str) -> Date | None:
    parts = dict(zip(order.rstrip("#"), match.groups(), strict=True))
    if (
        parts["m"] in ("may", "march")
        and not (parts.get("d") and parts.get("y"))
        and " of " not in match.group()
    ):
        return None  # a verb: "you may 5 times", "to march 20 miles"
    month = int(parts["m"]) if order.endswith("#") else _MONTH[parts["m"].lower()]
    year = int(parts["y"]) if parts.get("y") else None
    day = int(parts["d"]) if parts.get("d") else None
    if year == 0 or not 1 <= month <= 12 or (day is not None and not 1 <= day <= _DAYS[month - 1]):
        return None
    return Date(year, month, day, match.group().strip())


def find_numbers(text: str) -> list[Number]:
    """The quantities of `text` in digits or in words. Take the dates out first (`dates`)."""
    text = _SMALL_WORD.sub(lambda m: f"{_SMALL[m[1].lower()]}.5" if m[2] else m[0], text)
    found, blank = list[Number](), list[tuple[int, int]]()
    for match in _NUMBER.finditer(text):
        number = _number(match)
        if number:
            found.append(number)
            blank.append(match.span())
    return found + _spelled(_blanked(text, blank))


def _spelled(text: str) -> list[Number]:
    """The quantities in words of a text without digits: "five thousand", "twelve percent"."""
    if _LARGE_WORD.search(text):
        from text_to_num import alpha2digit

        text = re.sub(r"(?i)\b(?:hundred|thousand|million|billion)s\b", "many", text)
        parts = (part.of(text) for part in bounded(text, Span(0, len(text)), _READ))
        text = "".join(
            alpha2digit(part, "en") if _LARGE_WORD.search(part) else part for part in parts
        )
    text = _SMALL_WORD.sub(lambda m: str(_SMALL[m[1].lower()]), text)
    found = [number for match in _NUMBER.finditer(text) if (number := _number(match))]
    return [replace(n, shown=_AS_WORD.get(n.shown, n.shown)) for n in found]


def _number(match: re.Match[str]) -> Number | None:
    sign, digits, scale, letter, percent = match.groups()
    digits = re.sub(r"[\u00a0\u202f\u2009 '’]", "", digits)
    readings = set()
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
        readings.add(float(digits.replace(",", "")))
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+", digits):
        readings |= {float(digits.replace(".", ""))} | (
            {float(digits)} if digits.count(".") == 1 else set()
        )
    elif re.fullmatch(r"\d+(\.\d+)?", digits):
        readings.add(float(digits))
    elif re.fullmatch(r"\d+,\d+", digits):
        readings |= {float(digits.replace(",", ".")), float(digits.replace(",", ""))}
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+", digits):
        readings.add(float(digits.replace(".", "").replace(",", ".")))
    if not readings:
        return None
    factor = _SCALE[(scale or letter).lower()] if scale or letter else 1.0
    values = {r * factor for r in readings} | (
        readings if letter in ("m", "M") else set()
    )  # 5m: metres or millions
    return Number(
        frozenset(-v if sign else v for v in values), bool(percent), match.group().strip()
    )


def find_quotations(text: str) -> list[str]:
    """The words between quotation marks, three words or more: what a sentence claims was said literally."""
    return [quote for quote in _quoted(text) if len(_WORD.findall(quote)) >= 3]


def _quoted(text: str) -> Iterator[str]:
    """What stands between an opening mark and the nearest mark that closes it, on one line. Every mark is looked at once."""
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
        if place >= at and _QUOTED_LEAST <= end - place - 1 <= _QUOTED_MOST:
            yield text[place + 1 : end]
            at = end + 1


def find_names(text: str) -> list[str]:
    """Capitalised words that a sentence does not merely begin with, and runs of them ("Luigi Di Maio")."""
    found = []
    begins = len(text) - len(text.lstrip(" \t\n\"'“”‘’([-–—*"))
    for match in _NAME.finditer(text):
        first = match.start() <= begins
        words = match.group().split()
        if first and not _is_name(words[0]):
            opens = fold_text(words[0]) in _STOP or fold_text(words[0]) in _OPENERS
            words = words[1:] if len(words) > 1 and words[1][:1].isupper() and opens else words
            if len(words) == 1 and words[0] == match.group().split()[0]:
                continue
        name = " ".join(words).strip(".'’&-")
        if name and fold_text(name) not in _STOP and fold_text(name) not in _MONTH:
            found.append(name)
    return found


def _is_name(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def fold_text(text: str) -> str:
    """Lower case, no accents, straight quotes, U.S. as US: what two spellings of one word have in common."""
    text = _INITIALS.sub(lambda m: m[0].replace(".", ""), text.replace("’", "'").replace("‘", "'"))
    if text.isascii():
        return text.lower()
    return text.casefold().translate(_BARE)


def stem(word: str) -> str:
    """A word without its ending: Russian -> russia, sanctions -> sanction. Rough on purpose: it only ever compares."""
    word = word.removesuffix("'s").rstrip("'")
    word = _PEOPLES.get(word, word)
    if len(word) > 5 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            word = word[: -len(ending)]
            break
    else:
        if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    return (
        word.rstrip("aeiy") if len(word) > 4 else word.removesuffix("e") if len(word) > 3 else word
    )


def word_tokens(text: str) -> list[str]:
    """The words of `text` as they stand, in order."""
    return _WORD.findall(text)


def is_stop_word(word: str) -> bool:
    """Is the (folded) word one that says nothing about what a text is about?"""
    return word in _STOP


def content_stems(text: str) -> list[str]:
    """The stems of the content words of `text`, in order: no stop words, no case, no accents."""
    return [stem(w) for w in _WORD.findall(fold_text(text)) if w not in _STOP]


def one_letter_apart(a: str, b: str) -> bool:
    """Does one letter make the difference: another one, one too many, or two neighbours that changed places?"""
    if len(a) > len(b):
        a, b = b, a
    at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if a[at + (len(a) == len(b)) :] == b[at + 1 :]:
        return True
    return (
        len(a) == len(b) and a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    )


def count_negations(text: str) -> int:
    """How many words of `text` turn a statement round."""
    return sum(w in _NEGATIONS or w.endswith("n't") for w in _WORD.findall(fold_text(text)))


def flatten_text(text: str) -> str:
    """`text` for comparing literal quotations: no case, no accents, white space and punctuation as single blanks."""
    return " ".join(_WORD.findall(fold_text(text)))
