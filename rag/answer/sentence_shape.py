"""Compares a chat model's sentence with one of its source: is it whole, and of the same thing?

Each rule compares the form of two texts, in time that is linear in their length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from rag.answer.sentence_words import Words, words_of
from rag.text import facts

#: words by which the end of a sentence is found in its source
_LAST_WORDS = 3
_EXAMPLES = re.compile(r"\b(?:includ\w+|such as|like|among|for example|one of|some)\b", re.I)
_BETWEEN_ITEMS = re.compile(r"[,;:]|\b(?:and|or)\b")
_LEAST_ITEMS, _MOST_ITEM_WORDS = 3, 3
_PART_WORDS = frozenset(("one", "other", "another"))
_SINGULAR, _PLURAL = frozenset(("is", "was")), frozenset(("are", "were"))
#: what a clause begins with that is no sentence by itself
_CLAUSE_WORDS = frozenset(
    "when where who whom whose which what how why whether because although while that to".split()
)
_MODALS = frozenset("would can cannot could may might must shall should will".split())


def is_clause(own: Words, source: Words) -> bool:
    """True if the sentence begins like a part of one ("When it was built"), unlike the place."""
    first = next(iter(own.tokens), "")
    return first in _CLAUSE_WORDS and first not in source.tokens


def one_of_several(own: Words, source: Words) -> bool:
    """True if it says "is" of what the place says "are" of, where several things are named.

    "The owner is A" for "The owners are A and B"; "one owner" and "the other owner" may be said.
    """
    words, known = set(own.tokens), set(source.tokens)
    return (
        not known.isdisjoint(_PLURAL)
        and known.isdisjoint(_SINGULAR)
        and not words.isdisjoint(_SINGULAR)
        and words.isdisjoint(_PLURAL | _PART_WORDS)
        and "and" in known - words
        and any(f"{word}s" in known and word not in known for word in words)
    )


def other_head(text: str, place: str) -> bool:
    """True if a modal verb stands after another word than in the place, which it leaves out.

    "The house would fall" for "In such a house, a wall would fall".
    """
    own, source = _heads(text), _heads(place)
    stems = set(words_of(text).stems)
    known = set(words_of(place).stems)
    for modal, heads in own.items():
        others = source.get(modal, set())
        if others and heads.isdisjoint(others) and stems.isdisjoint(others) and heads & known:
            return True
    return False


@lru_cache(maxsize=256)
def _heads(text: str) -> dict[str, set[str]]:
    """The stems of the words right before each modal verb, with nothing but a space between."""
    found: dict[str, set[str]] = {}
    for word, modal in pairwise(text.split()):
        if modal.casefold() in _MODALS and word[-1].isalnum():
            found.setdefault(modal.casefold(), set()).update(facts.content_stems(word)[-1:])
    return found


def form_fault(text: str, place: str, names: frozenset[str], twice: Sequence[str] = ()) -> str:
    """What is wrong with the form of a sentence beside its place, in words; "" if nothing is.

    `names` are stems of names, `twice` words that may be said once more than in the place.
    """
    if _repeats(words_of(text), words_of(place), names, twice):
        return "it repeats itself"
    if text[-1:].isalnum() and _goes_on(text, place):
        return "it breaks off where its source goes on"
    return "it leaves out items of a list" if _skips_items(text, place) else ""


def _repeats(own: Words, source: Words, names: frozenset[str], twice: Sequence[str]) -> bool:
    """True if a content word, or two in a row, are said more often than the source says them.

    Of a name, all forms are counted ("Russian", "Russia"). The words of `twice` may be said once
    more ("the force between nucleons is the strong force").
    """
    pairs, known_pairs = Counter(pairwise(own.stems)), Counter(pairwise(source.stems))
    words = Counter(token for token in own.tokens if not facts.is_stop_word(token))
    named = Counter(stem for stem in own.stems if stem in names)
    known_words, known_names = Counter(source.tokens), Counter(source.stems)
    return (
        any(n > max(1, known_pairs[pair]) for pair, n in pairs.items())
        or any(n > max(1, known_words[word]) + (word in twice) for word, n in words.items())
        or any(n > max(1, known_names[name]) + (name in twice) for name, n in named.items())
    )


def _skips_items(text: str, place: str) -> bool:
    """True if the text has items of a list of the place, and not one that stands between them."""
    if _EXAMPLES.search(text):
        return False
    own = set(words_of(text).stems)
    items = [facts.content_stems(item) for item in _BETWEEN_ITEMS.split(place)]
    listed = [own.issuperset(item) for item in items if 0 < len(item) <= _MOST_ITEM_WORDS]
    if sum(listed) < _LEAST_ITEMS:
        return False
    last = len(listed) - listed[::-1].index(True)
    return not all(listed[listed.index(True) : last])


def _goes_on(text: str, place: str) -> bool:
    """True if the place has the last words of the text, and another word right after them."""
    last = " ".join(text.split()[-_LAST_WORDS:])
    whole = " ".join(place.split())
    at = whole.find(last)
    return at >= 0 and whole[at + len(last) :][:2].strip().isalnum()
