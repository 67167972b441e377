"""Chooses the part of a passage that answers: parts to read, the span, the sentence to quote.

A passage with structure is split into rows, items and sentences, each read alone after its
headings. "Day: Sunday; Hours: 9 to 18" under the heading Opening hours is read as

    Pool › Opening hours
    Day: Sunday; Hours: 9 to 18

Read in one passage with its neighbours, the reader's model takes one row for another. Among the
spans that the model finds, the kind of answer that is asked for decides too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rag.domain import Chunk, Passage, Span, Unit, UnitKind
from rag.protocols import AnswerSpan, PassageReading
from rag.text import facts, quantities
from rag.text.sentences import split_sentences, wrap_width
from rag.text.units import UnitsInOrder, View, context_of, view_of

#: added to the score of a place if its sentence has all of the question's words, weighted by rarity
_QUESTION_WORDS_WEIGHT = 4.0
#: added to the score of a place if it is of the kind that is asked for
_KIND_WEIGHT = 0.4
#: added to the score of a place in the clause of the year asked about, or taken in another's
_YEAR_WEIGHT = 3.0
_FOUR_DIGITS = re.compile(r"(?<![\d.,])(?:1\d|20)\d\d(?!\d|[.,]\d)")
_CLAUSE_END = re.compile(r"[,;:]\s+(?:and\s+|but\s+)?|\s(?:and|but|while|whereas)\s")
#: between the values of a list
_BETWEEN = re.compile(r"[,;]\s+(?:and\s+)?|(?<!\s)\s+and\s+")
#: never the name of a person
_PRONOUNS = frozenset("i we he she they you me us him her them it who".split())
#: taken from the score of a place that has only words of the question, or is a pronoun
_ECHO_WEIGHT = 6.0
_YEAR = re.compile(
    r"(?:(?:in|since|about|around|by|until|from|after|before|c\.|early|late|the|year|of) ?)*"
    r"(?:1\d|20)\d\d",
    re.I,
)
_MAX_NAME_WORDS = 5  # words of a short answer that is a name
_ASKS_FOR_NUMBER = re.compile(
    r"\bhow many\b|\bwhat (?:is |was )?(?:the )?(?:total |exact )?"
    r"(?:percent|percentage|number|value|amount)\b"
)
_ASKS_FOR_CLOCK = re.compile(r"\b(?:what|which) time\b")
_ASKS_FOR_NAME = re.compile(
    r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich (?:country|city|person|company|state)\b"
)
#: characters of a part; a longer one is read as far
_MAX_PART_CHARS = 1200
_MAX_PATH_CHARS = 240
#: characters of the sentence before a sentence of prose
_MAX_BEFORE_CHARS = 160
_MAX_ITEM_SENTENCES = 2  #: of an item that is read as a whole
#: kinds that are read as a whole
_WHOLE = (
    UnitKind.ROW,
    UnitKind.ENTRY,
    UnitKind.ITEM,
    UnitKind.RECORD,
    UnitKind.ANSWER,
)


def pick_span(question: str, text: str, reading: PassageReading) -> Span | None:
    """The place in `text` that most likely answers, or None if `reading` has no places."""
    return next(iter(pick_spans(question, text, reading, 1)), None)


def pick_spans(question: str, text: str, reading: PassageReading, most: int) -> list[Span]:
    """The likeliest place in each sentence, for the `most` sentences with the likeliest places.

    Spans are of `text`. The score of a place is the model's, plus the weight of the question's
    words in its sentence, plus or minus constants for the kind of what stands there and for the
    year of its clause, less a constant for a pronoun or words that are all of the question.
    """
    weights, wanted = _word_weights(question, text), answer_kind(question)
    asked_stems, years = set(facts.content_stems(question)), set(_FOUR_DIGITS.findall(question))
    sentence_weights: dict[Span, float] = {}
    best: dict[Span, tuple[float, Span]] = {}
    within = [spot for spot in reading.spots if _in_one_sentence(text, spot.span)]
    for place in within or reading.spots:
        sentence = sentence_around(text, place.span)
        if sentence not in sentence_weights:
            shared = weights.keys() & facts.content_stems(sentence.of(text))
            sentence_weights[sentence] = sum(weights[word] for word in shared)
        score = (
            place.score
            + _QUESTION_WORDS_WEIGHT * sentence_weights[sentence]
            + _KIND_WEIGHT * _kind_match(wanted, place.span.of(text))
            + _YEAR_WEIGHT * _year_fits(years, text, sentence, place.span)
            - _ECHO_WEIGHT * _is_echo(asked_stems, place.span.of(text))
            - _ECHO_WEIGHT * _is_pronoun(wanted, place.span.of(text))
        )
        if sentence not in best or score > best[sentence][0]:
            best[sentence] = score, place.span
    ranked = sorted(best.values(), key=lambda pair: -pair[0])
    return [_one_of_several(asked_stems, text, span) for _, span in ranked[:most]]


def _year_fits(years: set[str], text: str, sentence: Span, place: Span) -> int:
    """1 if a place stands in the clause with the year asked about, -1 if in that of another year.

    0 if the sentence has no two years. "In 2011 there were 210, in 2019 only 85."
    """
    there = _FOUR_DIGITS.findall(sentence.of(text)) if years else []
    if len(set(there)) < 2 or years.isdisjoint(there):
        return 0
    around = sentence.of(text)
    bounds = [match.end() + sentence.start for match in _CLAUSE_END.finditer(around)]
    start = max((at for at in bounds if at <= place.start), default=sentence.start)
    end = min((at for at in bounds if at > place.start), default=sentence.end)
    found = set(_FOUR_DIGITS.findall(text, start, end))
    return 1 if found & years else -1 if found else 0


def _one_of_several(asked_stems: set[str], text: str, span: Span) -> Span:
    """Of a span that gives several values, the only one with words of the question; else the span.

    Asked how heavy the sand is: of "3 kg, the sand 2,000 g and the lime 0,75 kg", the second.
    """
    between = [match.span() for match in _BETWEEN.finditer(span.of(text))]
    starts = [span.start, *(span.start + end for _, end in between)]
    ends = [*(span.start + start for start, _ in between), span.end]
    parts = [Span(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
    if len(parts) < 2 or not all(any(c.isdigit() for c in part.of(text)) for part in parts):
        return span
    named = [part for part in parts if asked_stems.intersection(facts.content_stems(part.of(text)))]
    return named[0] if len(named) == 1 else span


def _in_one_sentence(text: str, span: Span) -> bool:
    return sum(sentence.overlaps(span) for sentence in sentences_of(text)) < 2


@lru_cache(maxsize=64)
def sentences_of(text: str) -> tuple[Span, ...]:
    """The sentences of a text."""
    return tuple(split_sentences(text))


def place_score(spots: Sequence[AnswerSpan], place: Span) -> float:
    """The score of a place, a log-probability up to a constant; 0 if it is not among `spots`."""
    return max((spot.score for spot in spots if spot.span == place), default=0.0)


def _is_pronoun(wanted: str, short: str) -> bool:
    """Is a person asked for, and the short answer a pronoun?"""
    return wanted == "name" and is_pronoun(short)


def is_pronoun(short: str) -> bool:
    """Is a short answer nothing but a pronoun?"""
    return facts.fold_text(short).strip(" .,").partition("'")[0] in _PRONOUNS


def _is_echo(asked_stems: set[str], short: str) -> bool:
    """Has a short answer only words of the question?"""
    stems = facts.content_stems(short)
    return bool(stems) and asked_stems.issuperset(stems)


def _word_weights(question: str, text: str) -> dict[str, float]:
    """The question's stems, weighted by inverse frequency in the sentences of `text`; the sum is 1.

    The fewer sentences have a word, the more it tells which sentence is about the question.
    """
    sentences = [set(facts.content_stems(span.of(text))) for span in split_sentences(text)]
    weights = {
        stem: math.log((len(sentences) + 1) / (sum(stem in stems for stems in sentences) + 0.5))
        for stem in dict.fromkeys(facts.content_stems(question))
    }
    total = sum(weights.values()) or 1.0
    return {stem: weight / total for stem, weight in weights.items()}


def share_of(stems: set[str], text: str) -> float:
    """The share of `stems` that are stems of content words of `text`, 0..1; 0 without stems."""
    return len(stems & set(facts.content_stems(text))) / max(1, len(stems))


def _kind_match(wanted: str, short: str) -> float:
    """1 if `short` is of the kind that is wanted, -1 if it is not, 0 if no kind is wanted."""
    if not wanted:
        return 0.0
    return 1.0 if kind_of_short_answer(short) == wanted else -1.0


def sentence_around(text: str, span: Span) -> Span:
    """The sentence of `text` around `span`; if there are several, from the first to the last."""
    sentences = [sentence for sentence in sentences_of(text) if sentence.overlaps(span)]
    if not sentences:
        return span
    return Span(min(sentences[0].start, span.start), max(sentences[-1].end, span.end))


def quote_around(chunk: Chunk, place: Span) -> Span:
    """The row of a table or the sentence around `place`, in characters of the document."""
    for unit in chunk.units:
        if unit.kind is UnitKind.ROW and place.within(unit.span):
            return unit.span
    start = chunk.span.start
    sentence = sentence_around(chunk.text, Span(place.start - start, place.end - start))
    first, last = start + sentence.start, start + sentence.end
    for unit in chunk.units:  # a table ends without a full stop
        if unit.kind is UnitKind.ROW and first < unit.span.end <= place.start:
            first = unit.span.end
        elif unit.kind is UnitKind.ROW and place.end <= unit.span.start < last:
            last = unit.span.start
    text = chunk.text[first - start : last - start]
    first += len(text) - len(text.lstrip())
    return Span(first, first + len(text.strip()))


def answer_kind(question: str) -> str:
    """The kind of answer that is asked for: "number", "date", "name", or "" if it is not clear."""
    folded = facts.fold_text(question)
    if _ASKS_FOR_NUMBER.search(folded):
        return "number"
    if facts.asks_when(folded) and not _ASKS_FOR_CLOCK.search(folded):
        return "date"
    return "name" if _ASKS_FOR_NAME.search(folded) else ""


def kind_of_short_answer(short: str) -> str:
    """ "date", "number" or "name"; "" for any other short answer."""
    dates, rest = facts.find_dates(short)
    if dates or _YEAR.fullmatch(short.strip()):
        return "date"
    if quantities.find_numbers(rest):
        return "number"
    is_name = facts.find_names("x " + short) and len(short.split()) <= _MAX_NAME_WORDS
    return "name" if is_name else ""


def same_answer(one: str, other: str) -> bool:
    """True if two short answers say the same.

    They do if they have the same date or number, or if all words of the shorter are in the longer.
    """
    dates, rest = facts.find_dates(one)
    other_dates, other_rest = facts.find_dates(other)
    if dates and other_dates:
        return any(a.agrees(b) for a in dates for b in other_dates)
    numbers, other_numbers = quantities.find_numbers(rest), quantities.find_numbers(other_rest)
    if numbers and other_numbers:
        return any(a.agrees(b) or b.agrees(a) for a in numbers for b in other_numbers)
    stems, other_stems = set(facts.content_stems(one)), set(facts.content_stems(other))
    return bool(stems and other_stems) and (stems <= other_stems or other_stems <= stems)


class Part(NamedTuple):
    """A part of a passage, with its view: the path in a line of its own, the text."""

    span: Span  #: of the document
    view: View
    before: str = ""  #: of prose, the end of the sentence before it, of the same paragraph

    @property
    def reader_view(self) -> View:
        """The view that the part reader reads: also with the sentence before."""
        if not self.before:
            return self.view
        start = self.view.parts[0].start
        own = View(
            self.view.text[start:],
            tuple(p._replace(start=p.start - start) for p in self.view.parts),
        )
        return own.after(f"{self.view.text[:start]}{self.before}\n")


def parts_of(question: str, passage: Passage) -> list[Part]:
    """Return the rows, entries, items, records, answers and, between them, the sentences.

    Left out are those that say nothing but words of the question, and those that ask themselves.
    """
    chunk, asked = passage.chunk, set(facts.content_stems(question))
    units = UnitsInOrder(chunk.units)
    return [
        _part(chunk, span, units.within(span), before)
        for span, before in _spans(chunk)
        if span.start < span.end and _says_something(chunk, span, asked)
    ]


def part_around(passage: Passage, place: Span) -> Part:
    """The sentence around a place as a part."""
    chunk, span = passage.chunk, quote_around(passage.chunk, place)
    around = (before for part, before in _spans(chunk) if part.start <= span.start < part.end)
    return _part(chunk, span, UnitsInOrder(chunk.units).within(span), next(around, ""))


def path_and_text(part: Part) -> tuple[str, str]:
    """What a part stands under, and its own words."""
    start = part.view.parts[0].start if part.view.parts else 0
    whole = part.view.text
    cut = whole.rfind("\n", 0, start) + 1 if start else 0
    return whole[:cut], whole[cut:]


def _says_something(chunk: Chunk, span: Span, asked: set[str]) -> bool:
    text = chunk.text[span.start - chunk.span.start : span.end - chunk.span.start]
    if text.rstrip("*_ ").endswith("?"):
        return False
    return any(stem not in asked for stem in facts.content_stems(text))


def has_rows(passages: Sequence[Passage]) -> bool:
    """Has any of the passages a row of a table?"""
    return any(unit.kind is UnitKind.ROW for p in passages for unit in p.chunk.units)


def has_structure(passage: Passage) -> bool:
    """Has the passage parts that are more than sentences? A single entry is one ("He: Yes.")."""
    kinds = [unit.kind for unit in passage.chunk.units if unit.kind in _WHOLE]
    return bool(kinds) and kinds != [UnitKind.ENTRY]


def in_structure(passage: Passage, place: Span) -> bool:
    """Does `place` overlap a part that is more than a sentence (a row, entry, item …)?"""
    return any(unit.kind in _WHOLE and unit.span.overlaps(place) for unit in passage.chunk.units)


def _spans(chunk: Chunk) -> Iterator[tuple[Span, str]]:
    """The spans of the document that are read alone, in order, with the sentence before each.

    It is "" for what is read as a whole, and for the first sentence of a paragraph. An item of more
    than two sentences is prose.
    """
    at, text = chunk.span.start, chunk.text
    width = wrap_width(text)
    for unit in chunk.units:
        if unit.kind in _WHOLE and at <= unit.span.start and unit.span.within(chunk.span):
            yield from _sentences(chunk, Span(at, unit.span.start), width)
            at = unit.span.end
            is_item = unit.kind is UnitKind.ITEM
            sentences = list(_sentences(chunk, unit.span, width)) if is_item else []
            whole = len(sentences) <= _MAX_ITEM_SENTENCES
            yield from [(unit.span, "")] if whole else sentences
    yield from _sentences(chunk, Span(at, chunk.span.start + len(text)), width)


def _sentences(chunk: Chunk, span: Span, width: int) -> Iterator[tuple[Span, str]]:
    shift, before, end = chunk.span.start, "", span.start - chunk.span.start
    for found in split_sentences(chunk.text, Span(end, span.end - shift), width):
        same_paragraph = chunk.text.find("\n\n", end, found.start) < 0
        yield Span(found.start + shift, found.end + shift), before if same_paragraph else ""
        before, end = _end_of(found.of(chunk.text)), found.end


def _part(chunk: Chunk, span: Span, units: tuple[Unit, ...], before: str) -> Part:
    """The part at `span`, with its path and at most `_MAX_PART_CHARS` of its text as the view.

    `units` are those that overlap it, `before` is the sentence before it.
    """
    begin = span.start - chunk.span.start
    end = min(span.end - chunk.span.start, begin + _MAX_PART_CHARS)
    text = chunk.text[begin:end]
    inner = Span(span.start, span.start + len(text))
    small = Chunk(chunk.id, chunk.document, "", "", None, "", inner, text, chunk.line, units=units)
    path = " › ".join(
        part for part in (chunk.title, *context_of(chunk, inner, units=units)) if part
    )
    path = path[-_MAX_PATH_CHARS:]
    view = view_of(small).after(path + "\n" if path else "")
    return Part(span, view, before if before not in path and view.parts else "")


def sentence_before(text: str) -> str:
    """The end of the last sentence of a text on one line, at most 160 characters; "" for none."""
    sentences = list(split_sentences(text))
    return _end_of(sentences[-1].of(text)) if sentences else ""


def _end_of(sentence: str) -> str:
    return " ".join(sentence.split()).strip("#*_ ")[-_MAX_BEFORE_CHARS:]
