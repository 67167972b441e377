"""Tells what cannot answer: another measure, time or kind than is asked for, or the opposite thing.

"How heavy" asks for a mass, "what does it cost" for money, "how many guests" for a number without a
unit, "when" for a time, "why" for a reason. The reader's model likes the only number of a sentence,
or the only cell of a row that the question leaves free; such an answer is the surest of the wrong
ones. So is a sentence that has the noun with the opposite word before it (the left door for the
right one), or that leaves out what is asked about ("without"): it shares nearly all words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from rag.text import facts
from rag.text.quantities import Number, find_numbers
from rag.text.units_of_measure import find_unit
from rag.text.word_tables import OPPOSITES

_MONEY = frozenset("euro dollar sterling franc yen rupee rouble".split())
_TIMES = frozenset(("duration", "months"))
_MEASURES = (
    (re.compile(r"\bhow heavy\b|\bhow much .{1,80}\bweigh|\bwhat .{1,80}\bweigh\b"), {"mass"}),
    (re.compile(r"\bhow (?:tall|wide|deep|thick|far)\b"), {"length"}),
    (re.compile(r"\bhow fast\b"), {"speed", *_TIMES}),
    (re.compile(r"\bhow (?:hot|cold|warm)\b"), {"celsius", "fahrenheit"}),
    (re.compile(r"\bhow long\b"), {"length", "clock", *_TIMES}),
    (re.compile(r"\bhow (?:old|often)\b"), _TIMES),
    (
        re.compile(
            r"\bhow much (?:does|do|did|will|would|is|are|was|were) .{1,200}\bcosts?\b|"
            r"\bwhat (?:does|do|did|will|would) .{1,200}\bcosts?\b|"
            r"\bwhat (?:is|was|are|were) the (?:\w+ )?(?:prices?|costs?|fees?|fares?|rent|salary)\b"
        ),
        _MONEY,
    ),
)
_MANY = re.compile(r"\bhow many ([^\W\d_]+)")
#: words for an age, a measure or a number without digits
_NO_DIGITS = re.compile(
    r"\b(?:free|nothing|gratis|included|includes?|no|none|zero|both|once|twice|one|an?|each|every|"
    r"always|never|daily|weekly|monthly|yearly|annually|on request|same|half|double|all|until|"
    r"several|dozens?|hundreds?|thousands?|few|many)\b"
)
_NO_SUM = re.compile(
    r"\b(?:free|nothing|gratis|included|includes?|none|no (?:charge|fee|cost)|on request|same|"
    r"half|double|without charge)\b"
)
#: words that tell of a birth or death, also "(1815-1852)"
_LIFE = (
    (re.compile(r"\bborn\b"), re.compile(r"\bborn\b|\bbirth|\bb\. |\(.{0,40}\d{4}|\*\s?\d")),
    (
        re.compile(r"\b(?:die|died)\b"),
        re.compile(
            r"\bdie[ds]?\b|\bdeath|\bdead\b|\bdying\b|kill|murder|drown|execut|assassin|hang|shot|"
            r"suicide|pass(?:ed|es)? away|fell|\u2020|\(.{0,40}\d{4}|\bobit|succumb|perish"
        ),
    ),
)
_CALENDAR = (
    "mon(?:day)?s?|tue(?:s|sday|sdays)?|wed(?:nesday)?s?|thu(?:r|rs|rsday|rsdays)?|fri(?:day)?s?|"
    "sat(?:urday)?s?|sun(?:day)?s?|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|"
    "july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_TIME = re.compile(
    rf"\d|\b(?:{_CALENDAR}|spring|summer|autumn|winter|christmas|easter|"
    r"(?:to|yester)day|tomorrow|tonight|noon|midnight|midday|dawn|dusk|sunset|sunrise|"
    r"mornings?|evenings?|afternoons?|nights?|days?|daily|weeks?|weekly|weekends?|weekdays?|"
    r"months?|monthly|years?|yearly|annually|hours?|hourly|minutes?|century|centuries|decades?|"
    r"after|before|once|until|while|during|since|when|whenever|as soon|always|never|immediately|"
    r"at once|later|earlier|soon|now|already|still|ago|next|last|first|then|closed|opened|open|"
    r"season|holidays?|birthday|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"as long|beginning|end|start|late|early|mid|between|recently|currently|any time)\b"
)
_REASON = re.compile(
    r"\b(?:because|since|as|so|due|owing|thanks?|reasons?|causes?d?|to|for|after|by|from|thus|"
    r"therefore|hence|led|leads?|makes?|made|otherwise|too|enough|prevents?|avoids?|means?|meant|"
    r"explains?|following|until)\b"
)
_WHY = re.compile(r"^\W*(?:and |but |so )?(?:why|what .{0,60}\breason)\b")
_COLOURS = frozenset("red yellow green blue black white brown grey orange purple pink".split())
#: word -> the words that tell a thing of the same noun from it
_OTHERS = {colour: _COLOURS - {colour} for colour in _COLOURS}
for _one, _other in OPPOSITES:
    _OTHERS[_one] = _OTHERS.get(_one, frozenset()) | {_other}
_LEAVING_OUT = frozenset("without excluding except".split())
_BETWEEN = frozenset("the a an its his her their our my your any for of".split())


def is_other_kind(question: str, short: str, sentence: str, in_row: bool = False) -> bool:
    """Tell whether an answer is not of the measure or the time that is asked for.

    `short` stands in `sentence`. A row has numbers of many things: there, only `short` counts.
    """
    folded = facts.fold_text(question)
    around = short if in_row else sentence
    dimensions = asked_dimensions(folded)
    if dimensions is not None and not _may_be_of(dimensions, question, short, around):
        return True
    if not facts.asks_when(folded):
        return False
    return not _TIME.search(facts.fold_text(around)) or (
        not in_row and _is_another_event(folded, facts.fold_text(sentence))
    )


def _is_another_event(asked: str, sentence: str) -> bool:
    """Is a birth or death asked for, and the sentence tells of none?"""
    return any(word.search(asked) and not told.search(sentence) for word, told in _LIFE)


def lacks_reason(question: str, sentence: str) -> bool:
    """Tell whether a question asks why, and a sentence has no word that joins a reason to a fact.

    A word that the question has too joins nothing ("why is it closed TO cars").
    """
    if not _WHY.match(facts.fold_text(question)):
        return False
    asked = set(facts.word_tokens(facts.fold_text(question)))
    return not any(m[0] not in asked for m in _REASON.finditer(facts.fold_text(sentence)))


@lru_cache(maxsize=256)
def asked_dimensions(folded: str) -> frozenset[str] | None:
    """Return the dimensions of the units that a folded question asks for; None if it asks for none.

    No dimension at all is asked for by "how many guests", and those of time by "how many days".
    """
    if many := _MANY.search(folded):
        dimension = find_unit(f"1 {many[1]}", 0, 1)[0]
        if dimension in _TIMES:
            return _TIMES
        return frozenset((dimension,)) if dimension else frozenset()
    return next((frozenset(found) for asked, found in _MEASURES if asked.search(folded)), None)


def _may_be_of(dimensions: frozenset[str], question: str, short: str, around: str) -> bool:
    """Tell whether a value of the dimensions, a number without a unit, or a word for one is there.

    A number of the question itself ("room 4") is no such value. How long and how many may be said
    without any number ("until dusk", "Ida and Olav").
    """
    if not dimensions and (counted := _values(short)):
        return any(not v.dimension for v in counted)
    named = {v.shown for v in _values(question)} - {v.shown for v in _values(short)}
    own = [v for v in _values(around) if v.shown not in named]
    if any(v.dimension in dimensions or not v.dimension for v in own):
        return True
    if _values(short):
        return False
    loose = not dimensions or "clock" in dimensions
    without = _NO_SUM if dimensions & _MONEY else _NO_DIGITS
    return loose or bool(without.search(facts.fold_text(around)))


@lru_cache(maxsize=512)
def _values(text: str) -> tuple[Number, ...]:
    return tuple(find_numbers(facts.find_dates(text)[1]))


# -- what is set against the question


def is_set_against(question: str, sentence: str) -> bool:
    """Tell whether a sentence has a thing of the question with an opposite word, or leaves it out.

    >>> is_set_against("How wide is the right door?", "The left door is 78 cm wide.")
    True
    """
    return _has_opposite(question, sentence) or _is_left_out(_words(question), _words(sentence))


@lru_cache(maxsize=128)
def _words(text: str) -> tuple[str, ...]:
    return tuple(facts.word_tokens(facts.fold_text(text)))


@lru_cache(maxsize=128)
def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Each noun of a text, as its stem, behind the word before it."""
    return tuple(
        (word, facts.stem(noun))
        for word, noun in pairwise(_words(text))
        if not facts.is_stop_word(noun)
    )


def _has_opposite(question: str, sentence: str) -> bool:
    """Is a noun of the question there only behind the opposite of the word before it?"""
    there = dict[str, set[str]]()
    for before, noun in _pairs(sentence):
        there.setdefault(noun, set()).add(before)
    for word, noun in _pairs(question):
        found = there.get(noun, set())
        if word in _OTHERS and word not in found and not _OTHERS[word].isdisjoint(found):
            return True
    return False


def _is_left_out(asked: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """Is a noun there only behind "without", and in the question not, or the reverse?"""
    if _LEAVING_OUT.isdisjoint(asked) and _LEAVING_OUT.isdisjoint(said):
        return False
    asked_out, said_out = _left_out(asked), _left_out(said)
    asked_in = {facts.stem(word) for word in asked} - asked_out
    said_in = {facts.stem(word) for word in _outside(said)}
    return bool((asked_in & said_out) - said_in or (asked_out & said_in) - said_out)


def _left_out(words: tuple[str, ...]) -> set[str]:
    """The stem of the noun behind each word that leaves out."""
    return {facts.stem(words[at]) for at in _places_left_out(words)}


def _outside(words: tuple[str, ...]) -> list[str]:
    places = set(_places_left_out(words))
    return [word for at, word in enumerate(words) if at not in places]


def _places_left_out(words: tuple[str, ...]) -> list[int]:
    places = list[int]()
    for at, word in enumerate(words):
        if word in _LEAVING_OUT:
            noun = at + 1
            while noun < len(words) and words[noun] in _BETWEEN:
                noun += 1
            if noun < len(words) and not facts.is_stop_word(words[noun]):
                places.append(noun)
    return places
