"""Leaves out what is about something else: sections by their headings, sentences by an opposite.

"The budget is 35,000 euros" under the heading Birch does not answer what the budget of Cedar is. If
a term of the question stands in the heading, title or file name of some sections and not of others,
the others are left out, but for those that have the term in their text.

A sentence that has the noun of the question with the opposite word before it (the left door for the
right one), or that leaves out what is asked about ("without"), shares nearly all words with it and
does not answer (`is_set_against`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from rag.answer.question_terms import QuestionTerms, Term, facts_of, read_question
from rag.domain import Passage, Span, UnitKind
from rag.text import facts
from rag.text.word_tables import OPPOSITES

#: where a question says in which file to look
_IN_FILE = re.compile(
    r"\s*\b(?:in|of|from|according to)\s+(?:the\s+)?(?:file\s+|document\s+)?"
    r"(?P<name>[\w./-]+\.\w{1,5})\b",
    re.I,
)
_COLOURS = frozenset("red yellow green blue black white brown grey orange purple pink".split())
#: word -> the words that tell a thing of the same noun from it
_OTHERS = {colour: _COLOURS - {colour} for colour in _COLOURS}
for _one, _other in OPPOSITES:
    _OTHERS[_one] = _OTHERS.get(_one, frozenset()) | {_other}
#: words that leave out the noun behind them
_LEAVING_OUT = frozenset("without excluding except".split())
_DENYING = frozenset(("no",))  #: a noun behind it is neither asked about nor left out
#: words that may stand between such a word and its noun
_BETWEEN = frozenset("the a an its his her their our my your any for of".split())


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a passage under one heading, with the terms of the question that it has."""

    passage: Passage
    span: Span
    in_path: frozenset[Term]
    in_text: frozenset[Term]

    @property
    def found(self) -> frozenset[Term]:
        """The terms of the question in the headings or the text."""
        return self.in_path | self.in_text


def without_sources(question: str, passages: Sequence[Passage]) -> str:
    """Return the question without "in lease.txt", if only passages of that file are there."""
    for match in _IN_FILE.finditer(question):
        name = match["name"].lower()
        if all(passage.chunk.source.lower().endswith(name) for passage in passages):
            return (question[: match.start()] + question[match.end() :]).strip()
    return question


def passages_in_scope(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages, or the parts of them, that may be about what is asked.

    If nothing would be left, all are returned.
    """
    asked = read_question(question)
    passages = _with_names(question, passages)
    sections = [section for passage in passages for section in _sections(asked, passage)]
    kept = _with_named_sections(_with_hard_terms(sections))
    if len(kept) == len(sections) or not kept:
        return passages
    return [part for passage in passages for part in _parts(passage, kept)]


def _with_names(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages that have every name of the question; all, if none has."""
    words = question.split(maxsplit=1)
    names = facts.find_names("x " + words[1]) if len(words) > 1 else []
    stems = {stem for name in names for stem in facts.content_stems(name)}
    having = [
        passage
        for passage in passages
        if stems
        <= facts_of(
            f"{passage.chunk.title}\n{passage.chunk.heading}\n"
            f"{passage.chunk.source.replace('/', ' ')}\n{passage.chunk.text}"
        ).stems
    ]
    return having or list(passages)


def _sections(asked: QuestionTerms, passage: Passage) -> list[_Section]:
    """The sections of a passage; the text before the first heading is one as well."""
    chunk = passage.chunk
    units = [unit for unit in chunk.units if unit.kind is UnitKind.SECTION]
    title = [chunk.source.replace("/", " ").replace("_", " ")]
    if not any(unit.context == chunk.title for unit in units):
        title.append(chunk.title)  # else it is the heading of one section, and not of the others
    spans = [
        (
            Span(max(unit.span.start, chunk.span.start), min(unit.span.end, chunk.span.end)),
            unit.context,
        )
        for unit in units
    ]
    if not spans or spans[0][0].start > chunk.span.start:
        end = spans[0][0].start if spans else chunk.span.end
        spans.insert(0, (Span(chunk.span.start, end), chunk.heading if not spans else ""))
    sections = []
    for span, path in spans:
        text = chunk.text[span.start - chunk.span.start : span.end - chunk.span.start]
        sections.append(_Section(passage, span, asked.found([*title, path]), asked.found([text])))
    return sections


def _with_hard_terms(sections: list[_Section]) -> list[_Section]:
    """Leave out sections without a number, date or code that other sections are named by."""
    for term in {t for section in sections for t in section.in_path if t[0] != "stem"}:
        having = [section for section in sections if term in section.found]
        sections = having or sections
    return sections


def _with_named_sections(sections: list[_Section]) -> list[_Section]:
    """Of each document, keep the sections whose headings have most of the question's terms."""
    by_document = dict[str, list[_Section]]()
    for section in sections:
        by_document.setdefault(section.passage.chunk.document, []).append(section)
    kept = list[_Section]()
    for group in by_document.values():
        everywhere = frozenset[Term].intersection(*(section.in_path for section in group))
        named = frozenset[Term]().union(*(section.in_path for section in group)) - everywhere
        most = max(len(section.found & named) for section in group)
        best_by_path = any(
            len(section.in_path & named) == most for section in group if section.found & named
        )
        if named and best_by_path:
            kept += [section for section in group if len(section.found & named) == most]
        else:
            kept += group
    return kept


def _parts(passage: Passage, kept: Sequence[_Section]) -> list[Passage]:
    """Return the kept parts of a passage; neighbours are one part."""
    spans = list[Span]()
    for section in kept:
        if section.passage is not passage:
            continue
        if spans and spans[-1].end == section.span.start:
            spans[-1] = Span(spans[-1].start, section.span.end)
        else:
            spans.append(section.span)
    chunk = passage.chunk
    parts = []
    for span in spans:
        start = span.start - chunk.span.start
        text = chunk.text[start : span.end - chunk.span.start]
        line = chunk.line + chunk.text.count("\n", 0, start)
        units = tuple(unit for unit in chunk.units if unit.span.overlaps(span))
        part = replace(chunk, span=span, text=text, line=line, units=units)
        parts.append(replace(passage, chunk=part))
    return parts


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
    """Has the sentence a noun of the question behind the opposite word, and not behind the same?"""
    there = dict[str, set[str]]()
    for before, noun in _pairs(sentence):
        there.setdefault(noun, set()).add(before)
    for word, noun in _pairs(question):
        found = there.get(noun, set())
        if word in _OTHERS and word not in found and not _OTHERS[word].isdisjoint(found):
            return True
    return False


def _is_left_out(asked: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """Does the sentence leave out a noun that the question does not, or the other way round?

    A noun that the sentence has both ways does not count.
    """
    if _LEAVING_OUT.isdisjoint(asked) and _LEAVING_OUT.isdisjoint(said):
        return False
    asked_out, said_out = _behind(asked, _LEAVING_OUT), _behind(said, _LEAVING_OUT)
    asked_in = _stems(asked) - asked_out - _behind(asked, _DENYING)
    said_in = _outside(said) - _behind(said, _DENYING)
    return bool((asked_in & said_out) - said_in or (asked_out & said_in) - said_out)


def _stems(words: Iterable[str]) -> set[str]:
    return {facts.stem(word) for word in words}


def _behind(words: tuple[str, ...], markers: frozenset[str]) -> set[str]:
    """The stem of the noun behind each of the `markers`."""
    return _stems(words[at] for at in _places_behind(words, markers))


def _outside(words: tuple[str, ...]) -> set[str]:
    """The stems of the words but for the nouns that are left out."""
    places = set(_places_behind(words, _LEAVING_OUT))
    return _stems(word for at, word in enumerate(words) if at not in places)


def _places_behind(words: tuple[str, ...], markers: frozenset[str]) -> list[int]:
    """The position of the noun behind each of the `markers` ("without the LID")."""
    places = list[int]()
    for at, word in enumerate(words):
        if word in markers:
            noun = at + 1
            while noun < len(words) and words[noun] in _BETWEEN:
                noun += 1
            if noun < len(words) and not facts.is_stop_word(words[noun]):
                places.append(noun)
    return places
