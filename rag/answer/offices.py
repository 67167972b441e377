"""Tells whose office a text speaks of: "the president of Ukraine" is not "Russian President Putin".

An office belongs to the name behind "of", before "'s", or to the country of an adjective before
it. English only; names are recognised by their capitals.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.text import facts

_OFFICE = (
    r"(?:(?:prime|foreign|finance|defen[cs]e|interior|vice|deputy|crown)[ -])?"
    r"(?:president|minister|mayor|mayoress|king|queen|prince|princess|chancellor|ambassador|"
    r"governor|premier|emperor|captain|coach|chair(?:man|woman|person)?|director|headmaster|"
    r"headmistress|bishop|army|government|parliament|capital|treasurer|leader)"
)
_NAME = r"[A-ZÀ-ÖØ-Þ][\w-]{1,40}"
_WHOSE = (
    re.compile(rf"\b(?P<office>(?i:{_OFFICE}))s? of (?:the )?(?P<name>{_NAME})"),
    re.compile(rf"(?P<name>{_NAME})['’]s (?P<office>(?i:{_OFFICE}))\b"),
    # an adjective of a country: Russian, Polish, Chinese, Dutch, Swiss, Iraqi
    re.compile(
        r"\b(?P<name>[A-Z]\w{1,20}(?:[aei]an|ish|ese|nch|tch|man|ss|[aei][lqnk]i)) "
        rf"(?P<office>(?i:{_OFFICE}))\b"
    ),
)
#: names of one country that share no stem; of "United States" the first word is the name
_ONE_COUNTRY = tuple(
    frozenset(names.split())
    for names in (
        "american america us usa united",
        "british britain english england uk united",
        "dutch netherlands holland",
        "emirati emirates uae united",
        "chinese china",
    )
)


def is_other_office(question: str, sentence: str) -> bool:
    """Tell whether a sentence has an office of the question, and only as that of another.

    False if the question or the sentence gives the office to nobody.
    """
    asked = _offices(question)
    told = _offices(sentence) if asked else {}
    return any(office in told and whose.isdisjoint(told[office]) for office, whose in asked.items())


@lru_cache(maxsize=256)
def _offices(text: str) -> dict[str, frozenset[str]]:
    """The stems of the names that have each office; offices are folded."""
    found = dict[str, frozenset[str]]()
    for pattern in _WHOSE:
        for match in pattern.finditer(text):
            office = facts.fold_text(match["office"])
            stems = _stems(match["name"])
            if stems:
                found[office] = found.get(office, frozenset()) | stems
    return found


def _stems(name: str) -> frozenset[str]:
    """The stems of a name, and those of other names of the same country."""
    words = set(facts.word_tokens(facts.fold_text(name)))
    same = frozenset[str]().union(*(names for names in _ONE_COUNTRY if words & names))
    return frozenset(facts.content_stems(name)) | frozenset(map(facts.stem, same))
