"""Chooses the span of a text that answers, and the sentence or row around it to quote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from rag.answer.short_answers import answer_kind, kind_of_short_answer
from rag.domain import Chunk, Span, UnitKind
from rag.protocols import AnswerSpan, PassageReading
from rag.text import facts
from rag.text.sentences import split_sentences

#: added to the score of a place if its sentence has all of the question's words, weighted by rarity
_QUESTION_WORDS_WEIGHT = 4.0
#: added to the score of a place if it is of the kind that is asked for
_KIND_WEIGHT = 0.4
#: never the name of a person
_PRONOUNS = frozenset("i we he she they you me us him her them it who".split())
#: by how much a place leads if no other sentence has one
_NO_OTHER_PLACE = 8.0
#: taken from the score of a place that has only words of the question, or is a pronoun
_ECHO_WEIGHT = 6.0


def pick_span(question: str, text: str, reading: PassageReading) -> Span | None:
    """The place in `text` that most likely answers, or None if `reading` has no places."""
    return next(iter(pick_spans(question, text, reading, 1)), None)


def pick_spans(question: str, text: str, reading: PassageReading, most: int) -> list[Span]:
    """The likeliest place of each sentence, of the `most` sentences with the likeliest ones.

    The score of a place is the model's, plus the weight of the question's words in its sentence,
    plus or minus a constant for the kind of what stands there.
    """
    weights, wanted = _word_weights(question, text), answer_kind(question)
    asked_stems = set(facts.content_stems(question))
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
            - _ECHO_WEIGHT * _is_echo(asked_stems, place.span.of(text))
            - _ECHO_WEIGHT * _is_pronoun(wanted, place.span.of(text))
        )
        if sentence not in best or score > best[sentence][0]:
            best[sentence] = score, place.span
    ranked = sorted(best.values(), key=lambda pair: -pair[0])
    return [span for _, span in ranked[:most]]


def _in_one_sentence(text: str, span: Span) -> bool:
    return sum(sentence.overlaps(span) for sentence in sentences_of(text)) < 2


@lru_cache(maxsize=64)
def sentences_of(text: str) -> tuple[Span, ...]:
    """The sentences of a text."""
    return tuple(split_sentences(text))


def place_scores(text: str, spots: Sequence[AnswerSpan], place: Span) -> tuple[float, float]:
    """The score of a place, and by how much it exceeds that of every place of other sentences."""
    own = max((spot.score for spot in spots if spot.span == place), default=0.0)
    around = sentence_around(text, place)
    others = [spot.score for spot in spots if not spot.span.overlaps(around)]
    return own, own - max(others, default=own - _NO_OTHER_PLACE)


def _is_pronoun(wanted: str, short: str) -> bool:
    """Is a person asked for, and the short answer a pronoun?"""
    return wanted == "name" and facts.fold_text(short).strip(" .,") in _PRONOUNS


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
    return Span(start + sentence.start, start + sentence.end)
