"""Words of questions mapped to names of columns and fields: "how much" to price, cost, amount …

A term of the question that a column's name answers in other words counts as found. The words of a
few other languages are in the table, because people keep tables in their language and ask in
English.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.text import facts


class _Wording(NamedTuple):
    """A way to ask, and the fields that answer it."""

    pattern: str  #: of the folded question
    asking: str  #: words of the question that the field's name need not have
    names: str  #: words of the names of fields


_TABLE: tuple[_Wording, ...] = (
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
        "written wrote start starts end ends take takes place born",
        "date day time when due deadline start end from until to created written "
        "published birthday datum tag termin frist date fecha",
    ),
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
        r"\bphone\b|\bcall\b|\breach\b|\btelephone\b",
        "phone call reach telephone number",
        "phone telephone tel mobile cell telefon handy",
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
_ROWS = [
    (
        re.compile(pattern),
        frozenset(facts.stem(word) for word in asking.split()),
        frozenset(facts.stem(word) for name in names.split() for word in name.split("-")),
    )
    for pattern, asking, names in _TABLE
]


def asked_fields(question: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return pairs (stems that ask, stems of names that answer) for the wordings of a question."""
    folded = facts.fold_text(question)
    rows = _ROWS[1:] if _MANNER.match(folded) else _ROWS  # the first one is about money
    return [(asking, names) for pattern, asking, names in rows if pattern.search(folded)]
