"""Words of questions mapped to the names of fields, and to the measures, that answer them.

"How much" is answered by price, cost, amount …, "how heavy" by a mass, "how many guests" by a
number without a unit, "when" by a time. The reader's model tends to choose the
only number of a sentence, or the only cell of a row that the question does not give. The rules here
find the wrong answers among these that are of another measure or kind.

A term of the question that a column's name answers in other words counts as found. The words of a
few other languages are in the table, because people keep tables in their language and ask in
English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rag.answer.value_forms import is_other_form
from rag.text import facts
from rag.text.quantities import Number, find_numbers
from rag.text.units_of_measure import find_unit


class _Wording(NamedTuple):
    """A way to ask, and the fields that answer it."""

    pattern: str  #: of the folded question
    asking: str  #: words of the question that the field's name need not have
    names: str  #: words of the names of fields


_WHEN = r"\b(?:when|what (?:time|day|date)) .{1,150}"
_BEGINS = (
    rf"\b(?:from|since|as of) (?:when|what|which)\b|{_WHEN} (?:starts?|begins?|started|began)\b"
)
_ENDS = rf"\b(?:until|till|up to) (?:when|what|which)\b|{_WHEN} (?:ends?|ended|finish|over)\b"
_WORDINGS: tuple[_Wording, ...] = (
    _Wording(
        r"\bhow much\b|\bprices?\b|\bcosts?\b|\bpay\b|\bpaid\b|\bcharges?d?\b|\bgot\b|"
        r"\bget\b|\bexpensive\b|\bfees?\b",
        "price cost costs pay paid charge charged get got expensive fee spent spend worth",
        "price cost amount fee total sum rate charge value paid payment preis betrag "
        "kosten summe gebuhr prix montant cout precio importe coste prezzo costo prijs "
        "pris",
    ),
    _Wording(
        r"\bhow many\b",
        "",
        "number count quantity amount qty anzahl menge stuck nombre cantidad",
    ),
    _Wording(
        r"\bstock\b",
        "stock",
        "stock available inventory bestand lager vorrat stock existencias",
    ),
    _Wording(
        r"\bhow old\b|\bage\b",
        "old age",
        "age alter edad",
    ),
    _Wording(
        r"\bborn\b|\bbirthday\b",
        "born birthday birth",
        "born birth birthday birthdate dob geboren geburtstag",
    ),
    _Wording(
        r"\bwho\b|\bwhose\b|\bwhom\b",
        "",
        "name person who owner author contact responsible assigned assignee lead leader "
        "member employee customer client manager chair speaker wer nom nombre kunde",
    ),
    _Wording(
        r"\bwho (?:wrote|has written|is the (?:writer|author))|\bwritten by\b",
        "wrote written write writer",
        "author writer by from autor verfasser auteur",
    ),
    _Wording(
        r"\bwho (?:owns|is the owner)",
        "owns own owner",
        "owner besitzer eigentumer",
    ),
    _Wording(
        r"\bwho (?:leads|runs|heads)",
        "leads lead runs run heads head",
        "lead leader head manager chair leiter leitung",
    ),
    _Wording(
        r"\bassigned\b|\bresponsible\b",
        "assigned responsible",
        "assignee assigned responsible owner zustandig",
    ),
    _Wording(
        r"\bwhen\b|\bwhat (?:date|day)\b|\bwhich (?:date|day)\b",
        "written wrote take takes place born",
        "date day time when due deadline created written "
        "published birthday datum tag termin frist date fecha",
    ),
    _Wording(
        _BEGINS,
        "start starts started begin begins began begun run runs last lasts",
        "start starts begin begins beginning from since von ab beginn debut inicio",
    ),
    _Wording(
        _ENDS,
        "end ends ended finish finishes run runs last lasts",
        "end ends finish to until till bis ende fin",
    ),
    _Wording(rf"^(?!.*(?:{_BEGINS}|{_ENDS})).*\bwhen\b", "", "start end from until to"),
    _Wording(
        r"\bwhat time\b|\bopen\b|\bopening\b",
        "time open opening",
        "time hours opening open uhrzeit zeit offnungszeiten horaires",
    ),
    _Wording(
        r"\bwhat year\b|\bwhich year\b",
        "year",
        "year date jahr annee",
    ),
    _Wording(
        r"\bwhere\b",
        "",
        "place location city town address room country site venue where ort stadt raum "
        "adresse lieu",
    ),
    _Wording(
        r"\bliv(?:e|es|ed|ing)\b|\bresid",
        "live lives lived living reside",
        "city town address place residence location country wohnort stadt ort",
    ),
    _Wording(
        r"\bhow long\b|\bduration\b|\blast\b",
        "long duration last lasts",
        "duration length time period lasts dauer lange",
    ),
    _Wording(
        r"\bheavy\b|\bweigh",
        "heavy weigh weighs weight",
        "weight mass gewicht poids",
    ),
    _Wording(
        r"\bhow (?:tall|high)\b|\bheight\b",
        "tall high height",
        "height hohe hauteur",
    ),
    _Wording(
        r"\bhow (?:big|large|wide)\b|\bsize\b",
        "big large wide size",
        "size area width dimensions grosse flache breite taille",
    ),
    _Wording(
        r"\bphone\b|\bcall\b|\breach\b|\btelephone\b|\bextension\b|\bmobile\b|\bring\b",
        "phone call reach telephone number extension mobile ring",
        "phone telephone tel mobile cell telefon handy extension ext",
    ),
    _Wording(
        r"\be-?mail\b",
        "e mail email address",
        "email e-mail mail",
    ),
    _Wording(
        r"\bpower\b|\bwatts?\b",
        "power watt watts",
        "power watt watts leistung w kw",
    ),
    _Wording(
        r"\bcity\b|\btown\b",
        "city town",
        "city town place location stadt ort ville ciudad",
    ),
    _Wording(
        r"\bincome\b|\brevenue\b|\bturnover\b|\bearn",
        "income revenue turnover earn earned earnings",
        "income revenue turnover earnings sales umsatz einnahmen ertrag",
    ),
    _Wording(
        r"\bstatus\b|\bis \w+ .*\b(?:done|open|finished|ready|draft)\b",
        "done finished ready",
        "status state",
    ),
)
#: how something is done: "how was it paid" asks for no sum
_MANNER = re.compile(r"\W*how (?:is|are|was|were|did|do|does|can|could|should|will)\b")
#: each wording as a pattern, stems that ask and stems of names
_COMPILED = [
    (
        re.compile(pattern),
        frozenset(facts.stem(word) for word in asking.split()),
        frozenset(facts.stem(word) for name in names.split() for word in name.split("-")),
    )
    for pattern, asking, names in _WORDINGS
]
#: dimensions of amounts of money, and of lengths of time
_MONEY = frozenset("euro dollar sterling franc yen rupee rouble".split())
_TIMES = frozenset(("duration", "months"))
#: ways to ask for a measure, and the dimensions of the units that answer
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
_HOW_MUCH = re.compile(r"\W*how much (?:is|are|was|were|does|do|did|will|would|for)\b")
_MANY = re.compile(r"\bhow many ([^\W\d_]+)")
#: words for an age, a measure or a number without digits
_NO_DIGITS = re.compile(
    r"\b(?:free|nothing|gratis|included|includes?|no|none|zero|both|once|twice|one|an?|each|every|"
    r"always|never|daily|weekly|monthly|yearly|annually|on request|same|half|double|all|until|"
    r"several|dozens?|hundreds?|thousands?|few|many)\b"
)
#: words for an amount of money without digits
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
#: words for a point or a length of time
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
#: words for the time that an amount is for, and the one that stands for all of them
_RATES = {
    word: words[0]
    for words in (
        ("hour", "hourly", "hr", "h"),
        ("day", "daily", "d"),
        ("night", "nightly"),
        ("week", "weekly", "wk"),
        ("month", "monthly", "mo"),
        ("quarter", "quarterly"),
        ("year", "yearly", "annual", "annually", "annum", "yr"),
    )
    for word in words
}
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many)|prices?|costs?|fees?|fares?|rents?|rates?|salary|wages?|dues|pays?|"
    r"charges?)\b"
)
_RATE = re.compile(
    r"(?:\b(?:per|each|every|an?)\s|/\s?)"
    r"(hour|hr|h|day|d|night|week|wk|month|mo|quarter|year|annum|yr)\b|"
    r"\b(hourly|daily|nightly|weekly|monthly|quarterly|yearly|annual|annually)\b"
)
_WHY = re.compile(r"^\W*(?:and |but |so )?(?:why|what .{0,60}\breason)\b")


def asked_fields(question: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return pairs (stems that ask, stems of names that answer) for the wordings of a question."""
    folded = facts.fold_text(question)
    # the first wording asks for a sum
    wordings = _COMPILED[1:] if _MANNER.match(folded) else _COMPILED
    return [(asking, names) for pattern, asking, names in wordings if pattern.search(folded)]


# -- measures, times and reasons


def is_other_kind(question: str, short: str, sentence: str, in_row: bool = False) -> bool:
    """Tell whether an answer is not of the measure or the time that is asked for.

    `short` is the short answer, which stands in `sentence`. If `in_row`, the sentence is a row,
    which has numbers of many things: only `short` counts.
    """
    folded = facts.fold_text(question)
    around = short if in_row else sentence
    if is_other_form(folded, around):
        return True
    if _is_other_rate(folded, facts.fold_text(around)):
        return True
    if _HOW_MUCH.match(folded) and _counts_what_is_asked(question, short, sentence):
        return True
    dimensions = asked_dimensions(folded)
    if dimensions is not None and not _may_be_of(dimensions, question, short, around):
        return True
    if not facts.asks_when(folded):
        return False
    return not tells_time(around) or (
        not in_row and _is_another_event(folded, facts.fold_text(sentence))
    )


def tells_time(text: str) -> bool:
    """Tell whether a text has a number or a word for a point or length of time."""
    return bool(_TIME.search(facts.fold_text(text)))


def _counts_what_is_asked(question: str, short: str, sentence: str) -> bool:
    """Tell whether a short answer only counts things that the question names.

    "The hostel has 22 beds" does not say how much a bed is.
    """
    numbers = [number.shown for number in _values(short)]
    if len(numbers) != 1 or numbers[0] in question:
        return False
    behind = re.search(rf"(?<![\w.,]){re.escape(numbers[0])}\s+([^\W\d_]{{3,}})", sentence)
    return behind is not None and facts.stem(behind[1].lower()) in facts.content_stems(question)


def _is_other_rate(asked: str, text: str) -> bool:
    """Tell whether a folded question asks for an amount of another time than a text gives.

    Both name the time that the amount is for, and none is the same.
    """
    wanted = _rates(asked) if _AMOUNT.search(asked) else frozenset[str]()
    own = _rates(text) if wanted else wanted
    return bool(own) and wanted.isdisjoint(own)


def _rates(text: str) -> frozenset[str]:
    return frozenset(_RATES[match[1] or match[2]] for match in _RATE.finditer(text))


def _is_another_event(asked: str, sentence: str) -> bool:
    """Is a birth or death asked for, and the sentence tells of none?"""
    return any(word.search(asked) and not told.search(sentence) for word, told in _LIFE)


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
