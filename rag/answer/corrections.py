"""Prefers the sentence that corrects, changes or outdates a value to the one with the old value.

"The four came second behind Port Alder" has most words of the question; "Correction: the four was
second behind Great Marl, not Port Alder" is what holds. So it is with "the late fee is changed to
35" and the bylaw of 25, and with two mails of which the later one has another day. A question that
asks for what was before ("originally", "until then") is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answer.binding import Met
from rag.answer.judge import Judged
from rag.answer.question import Constraint
from rag.answer.readings import Reading, version_above
from rag.answer.spans import kind_of_short_answer, same_answer
from rag.domain import Passage, Span
from rag.text import facts, quantities

#: the beginning of a sentence that corrects another one
_CORRECTS = re.compile(
    r"\W*(?:\w+\W+){0,2}?(?:corrections?|corrigend(?:um|a)|errat(?:um|a)|corrected)\b", re.I
)
#: a thing is changed, by these words
_CHANGED = (
    r"(?:changed|raised|lowered|reduced|increased|extended|shortened|amended|replaced|postponed|"
    r"put (?:off|back|forward)|brought forward|moved)"
)
#: what stands before a value that does not hold
_INSTEAD_OF = re.compile(
    r"(?:\b(?:not|instead of|rather than|in(?: the)? place of|replac(?:es|ing)|no longer|until now|"
    r"formerly|previously|had been|(?:was|were) given as|"
    rf"(?:{_CHANGED}|moves|goes up|go up|rises?|falls?) from)|\((?:was|were))"
    r"\s+(?:(?:the|a|an|on|at|by)\s+)?",
    re.I,
)
#: a sentence that changes what was said elsewhere
_CHANGES = re.compile(
    rf"\b(?:(?:is|are|was|were|be|been|has|have)\s+(?:now\s+|hereby\s+)?{_CHANGED}|"
    rf"{_CHANGED} (?:from|to|by|until)|(?:moves?|rises?|goes? up|falls) (?:from|to)|now reads?|"
    r"from now on|in(?: the)? place of|instead of|no longer|has (?:changed|moved)|as changed)\b",
    re.I,
)
#: one that may do so
_MAY_CHANGE = re.compile(
    rf"{_CHANGES.pattern}|\b(?:(?:is|are|has|have|costs?|gets?|pays?) now|now(?: is| are))\b|"
    r"[:;]\s*now\b|\bnow(?=[,.;]|$)|^\W*(?:new|update|changed)\b",
    re.I,
)
#: a sentence that says from when a value holds
_TAKES_EFFECT = re.compile(
    r"^\W*(?:\w+\W+){0,3}?(?:from|as of|since|with effect from|effective)\s+"
    r"(?:the\s+)?(?:\d{1,2}\b|[A-Z][a-z]+ \d|(?:1\d|20)\d\d)",
    re.I,
)
#: a sentence that repeats what was said wrongly before; what holds comes after it
_REPORTS = re.compile(
    r"\b(?:(?:in|of) (?:our|the|my) (?:last|previous|earlier) (?:issue|edition|number|mail|letter)|"
    r"we (?:wrote|reported|printed)|(?:was|were) (?:wrongly |erroneously )?"
    r"(?:given|printed|stated|reported) as|by mistake|wrongly|erroneously)\b",
    re.I,
)
_MAX_BEHIND_REPORT = 250  #: characters behind it
_DAY = re.compile(
    r"\b(?:\d{1,2}(?:st|nd|rd|th)|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b", re.I
)
#: what is not, or not yet, changed
_NOT_CHANGED = re.compile(
    r"\b(?:would|should|could|might|(?-i:may)|propos\w+|suggest\w*|motion|rejected|turned down|"
    r"voted down|not (?:adopted|carried)|was lost)\b",
    re.I,
)
#: the number of a section that a sentence begins with, and any such number
_SECTION = re.compile(r"\W*(\d{1,3}(?:\.\d{1,3})+|§\s?\d+)")
_ASKS_FOR_NOW = re.compile(
    r"\b(?:now|currently|current|at present|present|today|these days|nowadays|latest|newest|still|"
    r"in the end|really|after all|actually|finally|final|valid|in force|as of)\b"
)
_ASKS_FOR_BEFORE = re.compile(
    r"\b(?:originally|original|initially|initial|at first|first (?:said|planned|given|printed)|"
    r"planned|proposed|previously|previous|before|earlier|formerly|former|old|used to|until|"
    r"last (?:year|month|week|season)|back then|in those days)\b"
)
#: a value that is changed, and the one that holds from then on
_FROM_TO = re.compile(
    rf"\b(?:{_CHANGED}|mov(?:es?|ing)|r(?:ises?|ising|ose)|g(?:o|oes|oing) up|went up|"
    r"f(?:alls?|ell)|drop(?:s|ped)?|switched|grew|cut)\b[^.;\n]{0,60}?"
    r"\bfrom (?P<old>[^.;,\n]{1,60}?) to (?:the )?"
    r"(?P<new>[^.;,\n]{1,60}?)"
    r"(?=[.;,\n)]|$|\s(?:from|on|in|as|by|after|since|with|because|for|per|an?)\b)"
)
_ASKS_FROM = re.compile(r"\bfrom (?:what|which)\b|\bfrom\W*$")
#: how much less likely to answer, by the part reader's logit, a change may be than what it changes
_MAX_BEHIND = 2.5
_NEAR_CHARS = 100  #: around the words that say that something changes


def corrections_first(question: str, judged: Sequence[Judged], part: float) -> list[Judged]:
    """Return the sentences without the likeliest one if another corrects, changes or outdates it.

    The other one is of the same kind and about the same, and is at least `part` likely to answer or
    nearly as likely as the first by the part reader; or it denies the very value. It is as likely
    then as the one that it takes the place of.
    """
    if not judged:
        return []
    best = max(judged, key=lambda one: one.chance)
    if _is_correction(best.reading.sentence):
        return list(judged)
    asked = facts.fold_text(question)
    found = [one for one in judged if one is not best and _holds_instead(asked, one, best, part)]
    if not found:
        return list(judged)
    chosen = max(found, key=lambda one: (_version(one), _date(one), one.chance))
    chance = max(best.chance, chosen.chance)
    corrected = replace(chosen, chance=chance, reading=replace(chosen.reading, chance=chance))
    outdated = best.reading.short
    left = [one for one in judged if not same_answer(one.reading.short, outdated)]
    return [corrected if one is chosen else one for one in left]


def value_that_holds(question: str, sentence: str, start: int, place: Span) -> Span:
    """Return the place of the new value of a sentence if `place` is in the old one that it names.

    "The fee rises from 5 to 6 euros": what it is now is asked, if not "from what" or "before".
    The sentence begins at `start` of the document; places are of the document.
    """
    asked = facts.fold_text(question)
    if _ASKS_FOR_BEFORE.search(asked) or _ASKS_FROM.search(asked):
        return place
    for match in _FROM_TO.finditer(sentence):
        old, new = (Span(start + match.start(n), start + match.end(n)) for n in ("old", "new"))
        if place.within(old):
            return new
    return place


def may_be_changed(question: str, passages: Sequence[Passage]) -> bool:
    """Tell whether a sentence of the passages changes something that the question asks about.

    What is looked up in a table or regulation then has to be read beside it.
    """
    asked = facts.fold_text(question)
    if _ASKS_FOR_BEFORE.search(asked):
        return False
    stems = set(facts.content_stems(question))
    for passage in passages:
        text = passage.chunk.text
        for match in _MAY_CHANGE.finditer(text):
            near = text[max(0, match.start() - _NEAR_CHARS) : match.end() + _NEAR_CHARS]
            if 4 * len(stems & set(facts.content_stems(near))) >= len(stems) > 0:
                return True
    return False


def changes_value(sentence: str, value: str, short: str) -> bool:
    """Tell whether a sentence that answers `short` may change or correct a `value` elsewhere."""
    if _kind(value) != _kind(short) or same_answer(value, short):
        return False
    may_change = _MAY_CHANGE.search(sentence) and not _NOT_CHANGED.search(sentence)
    return bool(may_change) or _is_correction(sentence) or _denies(sentence, value)


def _holds_instead(asked: str, one: Judged, best: Judged, part: float) -> bool:
    """Does a sentence hold in the place of the best one?"""
    reading, other = one.reading, best.reading
    if one.ruled_out or not reading.short or same_answer(reading.short, other.short):
        return False
    if _kind(reading.short) != _kind(other.short):
        return False
    if _follows_report(reading, other):
        return True
    corrects = _is_correction(reading.sentence)
    if not corrects and _ASKS_FOR_BEFORE.search(asked):
        return False
    if _changes_section(reading.sentence, other.sentence):
        return True
    if _denies(reading.sentence, other.short):
        return corrects or _is_about_the_same(one, best)
    is_near = one.chance >= part or one.reading.alone >= best.reading.alone - _MAX_BEHIND
    if not is_near or not _is_about_the_same(one, best):
        return False
    if corrects:
        return one.chance >= part
    if _says_change(reading.sentence) and not _says_change(other.sentence):
        return True
    return one.chance >= part and _is_newer(asked, one, best)


def _kind(short: str) -> str:
    """The kind of a short answer; a day of the week or month is a date."""
    return "date" if _DAY.search(short) else kind_of_short_answer(short)


def _follows_report(one: Reading, best: Reading) -> bool:
    """Does a sentence stand right behind one that repeats what was said wrongly before?"""
    if not _REPORTS.search(best.sentence) or _REPORTS.search(one.sentence):
        return False
    behind = one.around.start - best.around.end
    same = one.passage.chunk.document == best.passage.chunk.document
    return same and 0 <= behind <= _MAX_BEHIND_REPORT


def _is_newer(asked: str, one: Judged, best: Judged) -> bool:
    """May a sentence change what the best one says, or say it at a later time?"""
    changes, changed = (bool(_MAY_CHANGE.search(x.reading.sentence)) for x in (one, best))
    if changes and not changed:
        return not _NOT_CHANGED.search(one.reading.sentence)
    if not _ASKS_FOR_NOW.search(asked) or (changed and not changes):
        return False
    takes, taken = (bool(_TAKES_EFFECT.search(x.reading.sentence)) for x in (one, best))
    if takes and not taken:
        return True
    if _version(one) and _version(best):
        return _version(one) > _version(best)
    return bool(_date(best)) and _date(one) > _date(best)


def _says_change(sentence: str) -> bool:
    return bool(_CHANGES.search(sentence)) and not _NOT_CHANGED.search(sentence)


def _changes_section(sentence: str, other: str) -> bool:
    """Does a sentence change the numbered section that another one is the beginning of?"""
    section = _SECTION.match(other)
    if not section or not _says_change(sentence) or _SECTION.match(sentence):
        return False
    return bool(re.search(rf"(?<![\w.]){re.escape(section[1])}(?![\w.]*\d)", sentence))


def _is_correction(sentence: str) -> bool:
    """Does a sentence say at its beginning that it is a correction?"""
    return bool(_CORRECTS.match(sentence))


def _is_about_the_same(one: Judged, best: Judged) -> bool:
    """Has a sentence half of what the question is about and the best one has?"""
    asked, here = _met(best), _met(one)
    return 2 * len(asked & here) >= len(asked) > 0


def _met(one: Judged) -> set[Constraint]:
    """What the question is about and the sentence or its context has."""
    return {b.constraint for b in one.bounds if b.met >= Met.COREFERENCE}


def _denies(sentence: str, short: str) -> bool:
    """Does a sentence say "not" or "no longer" of a value?"""
    folded = facts.fold_text(sentence)
    dates, rest = facts.find_dates(short)
    values = [facts.fold_text(short), *(n.shown for n in quantities.find_numbers(rest)[-1:])]
    values += [str(date.day) for date in dates if date.day]
    return any(
        re.match(rf"{re.escape(value)}(?:st|nd|rd|th)?(?!\w)", folded[match.end() :])
        for match in _INSTEAD_OF.finditer(folded)
        for value in values
    )


def _version(one: Judged) -> tuple[int, ...]:
    """The numbers of the version in the heading above a sentence; empty if there is none."""
    version = version_above(one.reading.passage.chunk, one.reading.around)
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _date(one: Judged) -> str:
    """The date of the document of a sentence; "" if it has none."""
    return one.reading.passage.chunk.date or ""
