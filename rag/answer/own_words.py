"""Compares the words of a chat model's sentence with one sentence, row or item of its source.

The check compares meanings, and lets some mixtures of true words pass: a small model takes what it
is asked for true, joins the subject of one fact to the end of another, and leaves out an "if". A
place is a sentence, row or item with what it belongs to. The sentence must agree with one of them
by its words:

* It is whole, and says no word more often than its source does.
* All its content words, numbers and dates are in the place or in the question, and not most of them
  only in the question. Words that say nothing ("is located", "the answer") do not count.
* The words that it shares with the place come in the same order, but for one exchange of two parts
  ("In 1871 the mill was built"), and one more where only one of them has "by". If a word is only in
  the question, there is no exchange.
* It does not begin with a name that the place lacks, unless a pronoun before what both share can
  stand for it.
* Negations, conditions, limits and causes are on both sides or on neither.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.text import facts, quantities

#: words by which the end of a sentence is found in its source
_LAST_WORDS = 3
#: share of its content words that may be in the question and not in the place
_MOST_FROM_QUESTION = 0.4
#: times that a sentence may say one content word that its source says less often
_MOST_TIMES = 1
#: letters from which two words with the same beginning may be forms of one
_MIN_SAME_LETTERS = 4
#: exchanges of two parts against the order of the place
_MOST_EXCHANGES = 1

#: content words that state nothing of their own
_NEUTRAL = frozenset(
    facts.stem(word)
    for word in (
        "answer question note notes passage text document source according based following"
        " tell tells told speak speaks spoke spoken believes thinks claims explains adds argues"
        " called named located known given provided stated states mentioned mentions described"
        " describes refers referred said says listed includes included including consists"
        " contains regarding specific one"
    ).split()
)
#: words that change what a sentence says, by what they do; each kind is on both sides or on neither
_KINDS = {
    "condition": "if unless provided whether",
    "exception": "except unless besides excluding",
    "possibility": "may might could perhaps possible possibly probably potentially likely maybe"
    " allegedly purportedly reportedly",
    "intention": "should planned plans plan expected proposed intends wants would"
    " calls called calling urges urged urging demands demanded hopes hoped seeks",
    "more": "over more above exceeding exceeds least minimum",
    "less": "under less fewer below most maximum",
    "before": "before until till",
    "after": "after since",
    "cause": "because due cause causes caused therefore thus hence leads led result resulted",
    "aim": "purpose aim aims aimed",
}
#: kinds that may be left out: the sentence then says less than its source, and nothing else
_MAY_BE_LEFT_OUT = frozenset(("cause", "aim", "before", "after", "more", "less"))
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
#: words of numbers, which are compared by value
_NUMBER_WORDS = frozenset(
    facts.stem(word)
    for word in (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
        " hundred thousand million billion dozen half"
    ).split()
)
#: past forms that do not begin as the others do, each before its infinitive
_PAST = dict(
    pair.split()
    for pair in (
        "began begin, begun begin, bought buy, brought bring, built build, came come, "
        "caught catch, chose choose, chosen choose, drew draw, drove drive, fell fall, felt feel, "
        "flew fly, forgot forget, fought fight, found find, froze freeze, frozen freeze, "
        "gave give, given give, grew grow, held hold, kept keep, knew know, laid lay, led lead, "
        "left leave, lent lend, lost lose, made make, meant mean, met meet, paid pay, ran run, "
        "rose rise, sank sink, sent send, shot shoot, sold sell, sought seek, spent spend, "
        "stole steal, stood stand, struck strike, swore swear, taken take, taught teach, "
        "thought think, threw throw, took take, went go, won win, wore wear, written write, "
        "wrote write"
    ).split(", ")
)
#: words beside the first and the last shared one in which a condition still belongs to them
_WORDS_BESIDE = 3
#: what may stand for a name
_PRONOUNS = frozenset("he she it they his her its their him them this these".split())
_ENDS_OPEN = re.compile(
    r"(?:[,;:(\-–—]|\b(?:the|an?|and|or|of|to|in|on|at|by|for|with|from|that|is|was|are|were))$"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence, row or item of a source; `context` is what it belongs to."""

    context: str
    text: str


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, folded; the stems of the content words outside dates; the dates."""

    tokens: tuple[str, ...]
    stems: tuple[str, ...]
    dates: tuple[facts.Date, ...]


def _kinds(tokens: Sequence[str]) -> set[str]:
    """The kinds of the words that change what a sentence says."""
    return {_KIND_OF[token] for token in tokens if token in _KIND_OF}


@lru_cache(maxsize=256)
def _words_of(text: str) -> _Words:
    dates, rest = facts.find_dates(text)
    tokens = [_PAST.get(token, token) for token in facts.word_tokens(facts.fold_text(rest))]
    stems = [facts.stem(token) for token in tokens if not facts.is_stop_word(token)]
    return _Words(tuple(tokens), tuple(stems), tuple(dates))


def fault_of(text: str, question: str, places: Sequence[Place], passages: str) -> str:
    """Why the sentence says something else than each of the places, in words; "" if one agrees.

    `passages` is the whole text that the places are of.
    """
    if _ENDS_OPEN.search(text.rstrip().rstrip(".").casefold()):
        return "it is no whole sentence"
    stems = set(_words_of(text).stems)
    near = sorted(places, key=lambda place: -len(stems & set(_words_of(place.text).stems)))
    faults = [_place_fault(text, question, place, passages) for place in near]
    return "" if "" in faults else (faults or ["it has no source"])[0]


def _place_fault(text: str, question: str, place: Place, passages: str) -> str:
    own, source, asked = _words_of(text), _words_of(place.text), _words_of(question)
    known = (*source.stems, *_words_of(place.context).stems)
    counted = [stem for stem in own.stems if stem not in _NEUTRAL]
    missing = [stem for stem in counted if not _has(known, stem)]
    if new := [stem for stem in missing if not _has(asked.stems, stem)]:
        return f"its source has no word like {new[0]!r}"
    if len(missing) > _MOST_FROM_QUESTION * len(counted):
        return "most of it is only in the question"
    known_text = f"{place.context} {place.text} {question}"
    if not has_values(text, known_text) or not _gives_dates(known_text, own.dates):
        return "its source has another number or date"
    aligned = _aligned(counted, source.tokens)
    around = source.tokens[
        max(0, min(aligned, default=0) - _WORDS_BESIDE) : max(aligned, default=-1)
        + 1
        + _WORDS_BESIDE
    ]
    if _negations(own.tokens) != _negations(around):
        return "a negation is on one side only"
    if added := _kinds(own.tokens) - _kinds(source.tokens) - _kinds(asked.tokens):
        return f"it adds a word of {min(added)}, which its source does not have"
    if left_out := _kinds(around) - _kinds(own.tokens) - _MAY_BE_LEFT_OUT:
        return f"it leaves out a word of {min(left_out)}, which its source has"
    before = source.tokens[: min(aligned, default=len(source.tokens))]
    names = _names_of(f"{question}\n{passages}")
    if _other_subject(own, source, names) and not _PRONOUNS.intersection(before):
        return "it is about something that its source does not name there"
    only_asked = [stem for stem in missing if not _has(_words_of(passages).stems, stem)]
    exchanges = sum(after <= before for before, after in pairwise(aligned))
    changed_voice = ("by" in own.tokens) != ("by" in source.tokens)
    if exchanges > (0 if only_asked else _MOST_EXCHANGES + changed_voice):
        return "its words stand in another order than in its source"
    return _form_fault(text, place.text)


def _form_fault(text: str, place: str) -> str:
    if _repeats(_words_of(text), _words_of(place)):
        return "it repeats itself"
    if text[-1:].isalnum() and _goes_on(text, place):
        return "it breaks off where its source goes on"
    return ""


def _other_subject(own: _Words, source: _Words, names: frozenset[str]) -> bool:
    """True if the sentence begins with a name that the place lacks."""
    first = next(iter(own.stems), "")
    return first in names and not _has(source.stems, first)


@lru_cache(maxsize=16)
def _names_of(text: str) -> frozenset[str]:
    """The stems of what a text writes with a capital within a sentence."""
    return frozenset(facts.content_stems(" ".join(facts.find_names(text))))


def _negations(tokens: Sequence[str]) -> int:
    """0 or 1: whether the words deny what they say, where two negations cancel out."""
    return facts.count_negations(" ".join(tokens)) % 2


def _repeats(own: _Words, source: _Words) -> bool:
    """True if a content word, or two in a row, are said more often than the source says them."""
    pairs, known_pairs = Counter(pairwise(own.stems)), Counter(pairwise(source.stems))
    words, known_words = Counter(own.tokens), Counter(source.tokens)
    return any(n > max(1, known_pairs[pair]) for pair, n in pairs.items()) or any(
        n > max(_MOST_TIMES, known_words[word]) and not facts.is_stop_word(word)
        for word, n in words.items()
    )


def _goes_on(text: str, place: str) -> bool:
    """True if the place has the last words of the text, and another word right after them."""
    last = " ".join(text.split()[-_LAST_WORDS:])
    whole = " ".join(place.split())
    at = whole.find(last)
    return at >= 0 and whole[at + len(last) :][:2].strip().isalnum()


def _gives_dates(text: str, dates: Sequence[facts.Date]) -> bool:
    """True if the text gives the day and the year of each date, and not a part of it only."""
    known = _words_of(text)
    return all(
        any(
            other.agrees(date)
            and (date.day is None or other.day is not None)
            and (date.year is None or other.year is not None or str(date.year) in known.tokens)
            for other in known.dates
        )
        for date in dates
    )


def _has(known: Sequence[str], stem: str) -> bool:
    """True if a stem is known, or one that begins like it: another form of the word."""
    if stem in known:
        return True
    if stem[0].isdigit() or stem in _NUMBER_WORDS:
        return True  # numbers are compared by value
    least = max(_MIN_SAME_LETTERS, len(stem) - 3)
    return any(
        (len(other) >= least and other[:least] == stem[:least])
        or (other and stem.startswith(other) and 3 <= len(other) >= len(stem) - 2)
        for other in known
    )


def _aligned(own: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """The places of the stems among the words of a source, each after the last one if it can be."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(facts.stem(token), []).append(place)
    aligned = list[int]()
    for stem in own:
        if found := places.get(stem):
            last = aligned[-1] if aligned else -1
            index = bisect_right(found, last)
            aligned.append(found[index] if index < len(found) else found[0])
    return aligned


def has_values(text: str, other: str) -> bool:
    """True if all dates and numbers of `text` are in `other`."""
    dates, rest = facts.find_dates(text)
    known_dates, known_rest = facts.find_dates(other)
    known_numbers = quantities.find_numbers(known_rest)
    return all(any(d.agrees(known) for known in known_dates) for d in dates) and all(
        any(n.agrees(known) or known.agrees(n) for known in known_numbers)
        for n in quantities.find_numbers(rest)
    )
