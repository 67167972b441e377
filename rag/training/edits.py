"""Edits of a sentence or a question.

Some make it wrong: another number, date or name, a negation, an opposite, two names exchanged. Some
leave it true: shorter, clauses in another order, a number in another spelling. An edit that makes
wrong takes the text, the passage around it, and a random source. The passage supplies names and
numbers, because such errors are the hardest to notice. An edit returns the edited text, or None if
there is nothing to edit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from rag.text import facts, word_tables
from rag.text.sentences import split_sentences

#: an opposite of each word
_OPPOSITE: dict[str, str] = {}
for _a, _b in word_tables.OPPOSITES:
    _OPPOSITE.setdefault(_a, _b)
_SAME = """
began started|approximately about|located situated|created made|founded established|obtained got|
purchased bought|
assist help|numerous many|large big|near close to|although though|however but|
also additionally|within inside|upon on|primarily mainly|received got|constructed built|
major important|often frequently|usually normally|required needed|demonstrated showed|
because since|increased rose|decreased fell|died passed away|entire whole|throughout across|
permitted allowed|
"""
#: a synonym of each word
_SYNONYM = {
    a: b for a, _, b in (pair.partition(" ") for pair in _SAME.replace("\n", "").split("|") if pair)
}
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|will|would|can|could|should|must|may|might|did|does|do)\b"
    r"(?!\s+(?:not\b|n't))"
)
_NOT = re.compile(r"\s+(?:not|never)\b|(?:\b([Cc]a|[Ww]o|[Ss]ha))?n't\b")
_FULL_FORM = {"ca": "can", "wo": "will", "sha": "shall"}
_PAST = re.compile(r"(?<=\s)(\w{3,}ed)\b(?!\s+by\b)")
_YEAR = re.compile(r"\b(1[0-9]\d\d|20\d\d)\b")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_CALENDAR = re.compile(rf"\b({'|'.join(_MONTHS + _WEEKDAYS)})\b")
_DIGITS = re.compile(r"(?<![\w.,])\d(?:[\d,]*\d)?(?:\.\d+)?(?!,?\w)")
_COUNTS = (
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty "
    "hundred thousand million billion"
).split()
_COUNT = re.compile(rf"\b({'|'.join(_COUNTS)})\b", re.I)

Edit = Callable[[str, str, random.Random], str | None]


def _put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _cased(new: str, old: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def number(text: str, around: str, chance: random.Random) -> str | None:
    """Another quantity: one of the passage, or one of similar size."""
    places = [m for m in _DIGITS.finditer(text) if not _YEAR.fullmatch(m.group())] + list(
        _COUNT.finditer(text)
    )
    if not places:
        return None
    match = chance.choice(places)
    old = match.group()
    if not old[0].isdigit():
        low = old.lower()
        scale = _COUNTS[-4:]
        pool = [w for w in (scale if low in scale else _COUNTS[:-4]) if w != low]
        return _put(text, match, _cased(chance.choice(pool), old))
    others = [
        m
        for m in _DIGITS.findall(around)
        if m not in text and not _YEAR.fullmatch(m) and _value(m) != _value(old)
    ]
    new = chance.choice(others) if others and chance.random() < 0.5 else _near_number(old, chance)
    return _put(text, match, new) if new != old else None


def _value(digits: str) -> float:
    return float(digits.replace(",", ""))


def _near_number(old: str, chance: random.Random) -> str:
    plain = old.replace(",", "")
    if "." in plain:
        whole, _, part = plain.partition(".")
        changed = (
            f"{int(whole) + chance.choice((-1, 1, 2, 3)) if chance.random() < 0.5 else int(whole)}"
        )
        return f"{changed}.{''.join(str((int(d) + chance.randrange(1, 9)) % 10) for d in part)}"
    value = int(plain)
    if value < 10:
        new = chance.choice([n for n in range(1, 13) if n != value])
    elif chance.random() < 0.3:
        new = value * 10
    else:
        digits = list(plain)
        at = chance.randrange(len(digits))
        digits[at] = str(
            chance.choice([d for d in range(0 if at else 1, 10) if str(d) != digits[at]])
        )
        new = int("".join(digits))
    return f"{new:,}" if "," in old else str(new)


def date(text: str, around: str, chance: random.Random) -> str | None:
    """Another year, month or weekday."""
    places = list(_YEAR.finditer(text)) + list(_CALENDAR.finditer(text))
    if not places:
        return None
    match = chance.choice(places)
    old = match.group()
    if old.isdigit():
        others = [y for y in _YEAR.findall(around) if y != old and y not in text]
        new = (
            chance.choice(others)
            if others and chance.random() < 0.5
            else str(int(old) + chance.choice((-20, -10, -3, -2, -1, 1, 2, 3, 10, 20)))
        )
    else:
        new = chance.choice([n for n in (_MONTHS if old in _MONTHS else _WEEKDAYS) if n != old])
    return _put(text, match, new)


def names_in(passage: str) -> list[str]:
    """The names of a passage, sentence by sentence.

    So no name crosses a full stop, and the first word of a sentence is not a name.
    """
    return [n for s in split_sentences(passage) for n in facts.find_names(s.of(passage))]


def name(text: str, around: str, chance: random.Random) -> str | None:
    """Another name of the passage; a part of a longer name counts as the same name."""
    names = [n for n in facts.find_names("x " + text) if len(n) > 2]
    if not names:
        return None
    old = chance.choice(names)
    words = set(facts.content_stems(" ".join(names)))
    others = [
        n
        for n in names_in(around)
        if len(n) > 2 and not words & set(facts.content_stems(n)) and not n.isdigit()
    ]
    if not others or old not in text:
        return None
    new = chance.choice(others)
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text)


def swap_names(text: str, around: str, chance: random.Random) -> str | None:
    """Two names of the sentence exchanged, unless they are only listed side by side."""
    names = [n for n in dict.fromkeys(facts.find_names("x " + text)) if text.count(n) == 1]
    pairs = [
        (a, b) for n, a in enumerate(names) for b in names[n + 1 :] if a not in b and b not in a
    ]
    pairs = [(a, b) for a, b in pairs if text.find(b) - text.find(a) - len(a) > 8]
    if not pairs:
        return None
    a, b = chance.choice(pairs)
    low, high = text.find(a), text.find(b)
    between = text[low + len(a) : high]
    if re.fullmatch(r"[\s,&]*(?:and|or|with|,)?\s*", between):
        return None
    return text[:low] + b + between + a + text[high + len(b) :]


def negation(text: str, around: str, chance: random.Random) -> str | None:
    """A "not" inserted or removed."""
    denied = _NOT.search(text)
    if denied:
        bare = denied.group(1)
        return _put(text, denied, _cased(_FULL_FORM[bare.lower()], bare) if bare else "")
    helpers = list(_AUXILIARY.finditer(text))
    if helpers:
        match = chance.choice(helpers[:2])
        return _put(text, match, f"{match.group()} not")
    verb = _PAST.search(text)
    return _put(text, verb, f"{chance.choice(('never', 'not'))} {verb.group()}") if verb else None


def opposite(text: str, around: str, chance: random.Random) -> str | None:
    """A word replaced by its opposite."""
    matches = [m for m in re.finditer(r"[A-Za-z]+", text) if m.group().lower() in _OPPOSITE]
    if not matches:
        return None
    match = chance.choice(matches)
    return _put(text, match, _cased(_OPPOSITE[match.group().lower()], match.group()))


def word(text: str, around: str, chance: random.Random) -> str | None:
    """A long lower-case word replaced by one of the passage with the same ending.

    For example "trading" for "fishing".
    """
    matches = [m for m in re.finditer(r"\b[a-z]{5,}\b", text) if not facts.is_stop_word(m.group())]
    if not matches:
        return None
    match = chance.choice(matches)
    old = match.group()
    candidates = [
        w
        for w in set(re.findall(r"\b[a-z]{5,}\b", around))
        if w[-2:] == old[-2:] and facts.stem(w) != facts.stem(old) and w not in text
    ]
    return _put(text, match, chance.choice(sorted(candidates))) if candidates else None


#: the edits that make a statement wrong; the check is measured with the first four
WRONG: dict[str, Edit] = {
    "number": number,
    "date": date,
    "name": name,
    "negation": negation,
    "places": swap_names,
    "opposite": opposite,
    "word": word,
}


def make_wrong(
    text: str, around: str, chance: random.Random, kinds: Sequence[str] = tuple(WRONG)
) -> tuple[str, str] | None:
    """(the text with one error, the kind of the edit); None if no kind applies."""
    for kind in chance.sample(list(kinds), len(kinds)):
        edited = WRONG[kind](text, around, chance)
        if edited and edited != text:
            return edited, kind
    return None


def _no_brackets(text: str, chance: random.Random) -> str | None:
    short = re.sub(r"\s*\([^()]*\)", "", text)
    return short if short != text and len(short) > 20 else None


def _no_lead(text: str, chance: random.Random) -> str | None:
    match = re.match(
        r"(?:In|On|At|After|Before|During|When|While|Although|Since|As|By|For|With|However|"
        r"Moreover|Also)\b[^,]{2,60},\s+(?=\w)",
        text,
    )
    if not match or len(text) - match.end() < 25:
        return None
    return text[match.end()].upper() + text[match.end() + 1 :]


def _no_tail(text: str, chance: random.Random) -> str | None:
    match = re.search(
        r",\s+(?:which|who|where|while|although|including|such as|because|as well as|with|"
        r"making|leading)\b[^;]*$",
        text,
    )
    return text[: match.start()] + "." if match and match.start() > 25 else None


def _turned(text: str, chance: random.Random) -> str | None:
    match = re.match(
        r"((?:In|On|At|After|Before|During|When|While|By|Since|As)\b[^,]{2,60}),"
        r"\s+([^;]{20,}?)\.?$",
        text,
    )
    if not match:
        return None
    lead, rest = match.groups()
    first = rest.split()[0]
    rest = rest if first in facts.find_names("x " + rest) else rest[0].upper() + rest[1:]
    return f"{rest} {lead[0].lower()}{lead[1:]}."


def _respelled(text: str, chance: random.Random) -> str | None:
    match = re.search(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])", text)
    if match:
        return _put(text, match, match.group().replace(",", ""))
    match = re.search(r"(?<![\w,.$€£-])([2-9]|1[0-2])(?![\w,.%:'’]|\s\d)", text)
    return (
        _put(text, match, _COUNTS[int(match.group()) - 2])
        if match and not _CALENDAR.search(text)
        else None
    )


def _synonym(text: str, chance: random.Random) -> str | None:
    matches = [m for m in re.finditer(r"\b[a-z]+\b", text) if m.group() in _SYNONYM]
    if not matches:
        return None
    match = chance.choice(matches)
    return _put(text, match, _SYNONYM[match.group()])


_RIGHT: tuple[Callable[[str, random.Random], str | None], ...] = (
    _no_brackets,
    _no_lead,
    _no_tail,
    _turned,
    _respelled,
    _synonym,
)


def reword(text: str, chance: random.Random) -> str:
    """The text in other words and still true, after up to two edits; unchanged if none applies."""
    done = 0
    for edit in chance.sample(_RIGHT, len(_RIGHT)):
        edited = edit(text, chance)
        if edited and len(edited.split()) >= 4:
            text, done = edited, done + 1
        if done == 2:
            break
    return text
