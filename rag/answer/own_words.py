"""Compares the words of a chat model's sentence with one sentence, row or item of its source.

The check compares meanings, and lets some mixtures of true words pass: a small model takes what it
is asked for true, joins the subject of one fact to the end of another, and leaves out an "if". A
place is a sentence, row or item with what it belongs to. The sentence must agree with one of them
by its words:

* It is whole, speaks of the same thing (`rag.answer.sentence_shape`), says no word more often than
  its source does, and leaves out no item of a list between two others.
* All its content words, numbers and dates are in the place or in the question, and not most of them
  only in the question. Words that say nothing ("is located", "the answer") do not count. If a word
  is nowhere but in the question, the sentence has the reader's short answer.
* The words that it shares with the place come in the same order, but for one exchange of two parts
  ("In 1871 the mill was built"), and one more where only one of them has "by". If a word is only in
  the question, there is no exchange. The question with the reader's short answer in it may have any
  order.
* It does not begin with a name that the place lacks, unless a pronoun before what both share can
  stand for it. What it says to be done "by" something is so in the source.
* Negations, conditions, limits and causes are on both sides or on neither.

If the check's score is low, nothing may be exchanged, and no word may be only in the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.answer.sentence_shape import form_fault, is_clause, one_of_several, other_head
from rag.answer.sentence_words import Words, align, has_form, has_values, words_of
from rag.answer.word_kinds import MAY_BE_LEFT_OUT, NEUTRAL, is_number, kinds_of
from rag.text import facts

#: share of its content words that may be in the question and not in the place
_MOST_FROM_QUESTION = 0.4
#: exchanges of two parts against the order of the place
_MOST_EXCHANGES = 1

#: words beside the first and the last shared one in which a condition still belongs to them
_WORDS_BESIDE = 3
#: score of the check from which a sentence may exchange two parts and repeat a word of the question
_SURE = 0.6
_BY, _ONE = "by", "one"
#: what may stand for a name
_PRONOUNS = frozenset("he she it they his her its their him them this these".split())
_ENDS_OPEN = re.compile(
    r"(?:[,;:(\-–—]|\b(?:the|an?|and|or|of|to|in|on|at|by|for|with|from|that|is|was|are|were))$"
)
_BY_NOTHING = re.compile(r"\bby (?:is|are|was|were)\b")


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence, row or item of a source; `context` is what it belongs to."""

    context: str
    text: str


def fault_of(
    text: str,
    question: str,
    places: Sequence[Place],
    passages: str,
    short: str = "",
    score: float = 1.0,
) -> str:
    """Why the sentence says something else than each of the places, in words; "" if one agrees.

    `passages` is the whole text that the places are of, `short` the reader's short answer, `score`
    the check's probability of support, 0..1.
    """
    folded = text.rstrip().rstrip(".").casefold()
    if _ENDS_OPEN.search(folded) or _BY_NOTHING.search(folded):
        return "it is no whole sentence"
    stems = set(words_of(text).stems)
    near = sorted(places, key=lambda place: -len(stems & set(words_of(place.text).stems)))
    sure = score >= _SURE
    faults = [_place_fault(text, question, place, passages, short, sure) for place in near]
    return "" if "" in faults else (faults or ["it has no source"])[0]


def _place_fault(
    text: str, question: str, place: Place, passages: str, short: str, sure: bool
) -> str:
    own, source, asked = words_of(text), words_of(place.text), words_of(question)
    named = (*source.stems, *_longer_names(passages, own, source))
    known = (*named, *words_of(place.context).stems)
    counted = [stem for stem in own.stems if stem not in NEUTRAL]
    missing = [stem for stem in counted if not has_form(known, stem)]
    if new := [stem for stem in missing if not has_form(asked.stems, stem)]:
        return f"its source has no word like {new[0]!r}"
    if len(missing) > _MOST_FROM_QUESTION * len(counted):
        return "most of it is only in the question"
    known_text = f"{place.context} {place.text} {question}"
    if _counts_otherwise(own, source) or not (
        has_values(text, known_text) and _gives_dates(known_text, own.dates)
    ):
        return "its source has another number or date"
    if is_clause(own, source):
        return "it is no whole sentence"
    if one_of_several(own, source) or other_head(text, place.text):
        return "its source says that of something else"
    aligned = align(counted, source.tokens)
    if fault := _kinds_fault(own, source, asked, aligned):
        return fault
    before = source.tokens[: min(aligned, default=len(source.tokens))]
    names = _names_of(f"{question}\n{passages}")
    if _other_subject(own, named, names) and not _PRONOUNS.intersection(before):
        return "it is about something that its source does not name there"
    if _restates(counted, asked, source, short):
        return form_fault(text, place.text, names, (*asked.tokens, *asked.stems))
    elsewhere = words_of(passages).stems
    unknown = any(not has_form(elsewhere, stem) for stem in missing)
    if (missing and not sure) or (unknown and not _has_answer(text, short)):
        return "a part of it is only in the question"
    exact = not sure or unknown
    return _order_fault(own, source, aligned, exact) or form_fault(text, place.text, names)


def _kinds_fault(own: Words, source: Words, asked: Words, aligned: Sequence[int]) -> str:
    """What is denied, or said under a condition, on one side only, in words; "" if nothing."""
    first, last = min(aligned, default=0), max(aligned, default=-1)
    around = source.tokens[max(0, first - _WORDS_BESIDE) : last + 1 + _WORDS_BESIDE]
    late = _only_later(around) and "until" not in own.tokens
    if _negations(own.tokens) != _negations(around) ^ late:
        return "a negation is on one side only"
    if added := kinds_of(own.tokens) - kinds_of(source.tokens) - kinds_of(asked.tokens):
        return f"it adds a word of {min(added)}, which its source does not have"
    if not late and (left_out := kinds_of(around) - kinds_of(own.tokens) - MAY_BE_LEFT_OUT):
        return f"it leaves out a word of {min(left_out)}, which its source has"
    return ""


def _counts_otherwise(own: Words, source: Words) -> bool:
    """True if the sentence has a "one" and the place, which has other numbers, has none."""
    return (
        _ONE in own.tokens
        and _ONE not in source.tokens
        and any(is_number(stem) for stem in source.stems)
    )


def _has_answer(text: str, short: str) -> bool:
    """True if a sentence has the words and values of the reader's short answer, if there is one."""
    known = words_of(text).stems
    words = [stem for stem in words_of(short).stems if not is_number(stem)]
    return all(has_form(known, stem) for stem in words) and has_values(short, text)


def _only_later(tokens: Sequence[str]) -> bool:
    """True if something is "not so until" a time: it is so then."""
    return "not" in tokens and "until" in tokens[tokens.index("not") :]


def _order_fault(own: Words, source: Words, aligned: Sequence[int], exact: bool) -> str:
    """Why the order of words or a "by" differs from the source, in words; "" if neither does.

    If `exact`, no two parts may be exchanged.
    """
    exchanges = sum(after <= before for before, after in pairwise(aligned))
    changed_voice = (_BY in own.tokens) != (_BY in source.tokens)
    if exchanges > (0 if exact else _MOST_EXCHANGES + changed_voice):
        return "its words stand in another order than in its source"
    if _other_doer(own.tokens, source.tokens):
        return "its source does not say by whom or what"
    return ""


def _restates(counted: Sequence[str], asked: Words, source: Words, short: str) -> bool:
    """True if a sentence is the question, in its order, with the reader's short answer in it.

    The place has the short answer, which is not mostly words of the question.
    """
    answer = set(words_of(short).stems)
    new = {stem for stem in counted if stem not in asked.stems}
    known = all(
        stem in answer or (not is_number(stem) and has_form(asked.stems, stem)) for stem in new
    )
    order = [asked.stems.index(stem) for stem in counted if stem in asked.stems]
    return (
        bool(answer)
        and 2 * len(new & answer) >= len(answer)
        and known
        and order == sorted(order)
        and answer <= set(source.stems) & {*counted, *NEUTRAL}
    )


def _other_doer(own: Sequence[str], source: Sequence[str]) -> bool:
    """True if the sentence says by whom or what, and the source neither does nor names it first.

    "Jane built the mill" may become "the mill was built by Jane".
    """
    places = {word: place for place, word in reversed(list(enumerate(source)))}  # the first ones
    done, after_by = "", False
    for word in own:
        if word == _BY:
            after_by = True
        elif not facts.is_stop_word(word):
            if after_by and done in places and word in places:
                place = places[word]
                said = _BY in source[max(0, place - _WORDS_BESIDE) : place]
                if not said and place > places[done]:
                    return True
            done, after_by = word, False
    return False


def _other_subject(own: Words, named: Sequence[str], names: frozenset[str]) -> bool:
    """True if the sentence begins with a name that is not among the words of the place."""
    first = next(iter(own.stems), "")
    return first in names and not has_form(named, first)


def _longer_names(passages: str, own: Words, source: Words) -> list[str]:
    """The stems before the last word of a name, where the place has that word alone.

    The passages have the name in full, as the sentence does ("the mayor Jane Doe" and "Doe").
    """
    pairs, words = set(pairwise(own.stems)), set(source.stems)
    known = list[str]()
    for name in _names_in_full(passages):
        if name[-1] in words:
            for first, second in pairwise(reversed(name)):
                if (second, first) not in pairs:
                    break
                known.append(second)
    return known


@lru_cache(maxsize=16)
def _names_in_full(text: str) -> tuple[tuple[str, ...], ...]:
    """The stems of each name of several words that does not go over the end of a sentence."""
    names = (facts.content_stems(name) for name in facts.find_names(text) if ". " not in name)
    return tuple({tuple(name) for name in names if len(name) > 1})


@lru_cache(maxsize=16)
def _names_of(text: str) -> frozenset[str]:
    """The stems of what a text writes with a capital within a sentence."""
    return frozenset(facts.content_stems(" ".join(facts.find_names(text))))


def _negations(tokens: Sequence[str]) -> int:
    """0 or 1: whether the words deny what they say, where two negations cancel out."""
    return facts.count_negations(" ".join(tokens)) % 2


def _gives_dates(text: str, dates: Sequence[facts.Date]) -> bool:
    """True if the text gives the day and the year of each date, and not a part of it only."""
    known = words_of(text)
    return all(
        any(
            other.agrees(date)
            and (date.day is None or other.day is not None)
            and (date.year is None or other.year is not None or str(date.year) in known.tokens)
            for other in known.dates
        )
        for date in dates
    )
