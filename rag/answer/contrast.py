"""Finds what a sentence sets against a question: the left door for the right one, "without".

Two things of one noun are told apart by a word before it. A sentence that has the noun with the
opposite word, or that leaves out what is asked about, shares nearly all words with the question.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from rag.text import facts
from rag.text.word_tables import OPPOSITES

_COLOURS = frozenset("red yellow green blue black white brown grey orange purple pink".split())
#: word -> the words that tell a thing of the same noun from it
_OTHERS = {colour: _COLOURS - {colour} for colour in _COLOURS}
for _one, _other in OPPOSITES:
    _OTHERS[_one] = _OTHERS.get(_one, frozenset()) | {_other}
_LEAVING_OUT = frozenset("without excluding except".split())
_BETWEEN = frozenset("the a an its his her their our my your any for of".split())


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
