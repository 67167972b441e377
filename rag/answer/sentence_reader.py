"""Reads passages, sentence by sentence: the readings that the judge of answering decides about.

Three trained models are asked. The reader's model takes each passage as a whole, and scores how
likely it answers and where the shortest answer may be. The part reader takes single parts, each
after its headings: the sentences, rows and items that share most words with the question, and in
prose those with the likeliest places of the whole. It was trained on questions in other words than
the text's. The embedder says how near the likeliest parts are to the question in meaning.

A place within a part is chosen by three things: the model's score, the question's words in the
sentence of that place (words that few sentences have count most), and whether the place is of the
kind that is asked for, if the model is not sure of another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rag.answer.corrections import value_that_holds
from rag.answer.evidence import text_at
from rag.answer.readings import Reading, short_answer
from rag.answer.spans import (
    Part,
    has_structure,
    part_around,
    parts_of,
    pick_span,
    pick_spans,
    place_score,
    share_of,
)
from rag.domain import Passage, Span
from rag.protocols import PairModel, PassageReading
from rag.text import facts
from rag.text.units import View, view_of

#: the cosine of a text with each of others
Similarity = Callable[[str, Sequence[str]], Sequence[float]]

#: rows, items and sentences of a passage that are read one by one; sentences of one of prose
_MAX_PARTS, _MAX_SENTENCES = 16, 8
#: passages of which the parts are always read; a later one is left out if its logit is so far below
#: the best. Of 395 questions with the right sentence first, it was in a later passage for four
_FIRST_PASSAGES, _FAR_BELOW = 3, 2.0
_MAX_PICKED = 3  # sentences of a passage of prose that are read for their places in the whole
_MAX_JUDGED = 4  # readings of a passage that are judged; the best one is kept


class SentenceReader:
    """The models that read: `pairs` whole passages, `parts` single sentences, rows and items."""

    def __init__(self, pairs: PairModel, parts: PairModel, similarity: Similarity) -> None:
        self._pairs, self._parts, self._similarity = pairs, parts, similarity

    def logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """The part reader's logit of each text that it answers."""
        return [result.answers for result in self._parts.read(question, texts)]

    def read_each(self, question: str, passages: Sequence[Passage]) -> Iterator[list[Reading]]:
        """The readings of each passage, in their order; none of a late one that is not likely."""
        best = -math.inf
        for place, passage in enumerate(passages):
            (whole,) = self._pairs.read(question, [view_of(passage.chunk).text])
            is_likely = place < _FIRST_PASSAGES or whole.answers > best - _FAR_BELOW
            yield self._read_passage(question, passage, whole) if is_likely else []
            best = max(best, whole.answers)

    def read_parts(self, question: str, parts: Sequence[tuple[Passage, Part]]) -> list[Reading]:
        """The readings of parts, each with its passage, that were not read as part of a whole."""
        texts = [part.reader_view.text for _, part in parts]
        results = self._parts.read(question, texts) if texts else []
        return [
            reading
            for (passage, part), result in zip(parts, results, strict=True)
            if (reading := _reading_of(question, passage, part, result))
        ]

    def _read_passage(
        self, question: str, passage: Passage, whole: PassageReading
    ) -> list[Reading]:
        """The likeliest readings of one passage, each of another part; none if it has no words."""
        view = view_of(passage.chunk)
        picked = [] if has_structure(passage) else _picked(question, view, whole)
        parts = parts_of(question, passage)
        most = _MAX_PARTS if has_structure(passage) else _MAX_SENTENCES
        chosen = {part.span: part for part in nearest_parts(question, parts, most)}
        chosen |= {part.span: part for part in (part_around(passage, at) for at in picked)}
        parts = sorted(chosen.values(), key=lambda part: part.span)
        results = self._parts.read(question, [part.reader_view.text for part in parts])
        found = [
            (reading, part)
            for part, result in zip(parts, results, strict=True)
            if (reading := _reading_of(question, passage, part, result, picked))
        ]
        found = sorted(found, key=lambda pair: -pair[0].alone)[:_MAX_JUDGED]
        near = self._similarity(question, [part.reader_view.text for _, part in found])
        return [
            replace(
                reading, logit=whole.answers, behind=_behind(view, whole, part.span), near=cosine
            )
            for (reading, part), cosine in zip(found, near, strict=True)
        ]


def _reading_of(
    question: str,
    passage: Passage,
    part: Part,
    result: PassageReading,
    picked: Sequence[Span] = (),
) -> Reading | None:
    """The reading of a part that was read alone; None if no place of it is chosen.

    A place that was `picked` from the whole passage is the short answer.
    """
    view = part.reader_view
    spots = tuple(spot for spot in result.spots if view.span(spot.span))
    span = pick_span(question, view.text, replace(result, spots=spots))
    place = view.span(span) if span else None
    if place is None or span is None:
        return None
    place = next((p for p in picked if p.within(part.span)), place)
    sentence = text_at(passage, part.span)
    place = value_that_holds(question, sentence, part.span.start, place)
    return Reading(
        passage=passage,
        short=short_answer(question, passage, place, part.span),
        span=place,
        sentence=sentence,
        around=part.span,
        logit=result.answers,
        alone=result.answers,
        sharp=place_score(spots, span),
    )


def _behind(view: View, whole: PassageReading, sentence: Span) -> float:
    """By how much the likeliest place of a passage is ahead of those in a sentence, 0 or less."""
    scores = [spot.score for spot in whole.spots]
    own = [
        spot.score
        for spot in whole.spots
        if (place := view.span(spot.span)) and place.within(sentence)
    ]
    return max(own, default=-math.inf) - max(scores, default=0.0)


def _picked(question: str, view: View, whole: PassageReading) -> list[Span]:
    """The likeliest places of a passage that was read as a whole, in the document."""
    spots = tuple(spot for spot in whole.spots if view.span(spot.span))
    spans = pick_spans(question, view.text, replace(whole, spots=spots), _MAX_PICKED)
    return [place for span in spans if (place := view.span(span))]


def nearest_parts(question: str, parts: Sequence[Part], most: int) -> list[Part]:
    """The `most` parts that have most of the question's words, in their order."""
    stems = set(facts.content_stems(question))
    shares = [share_of(stems, part.reader_view.text) for part in parts]
    order = sorted(range(len(parts)), key=lambda number: -shares[number])
    return [parts[number] for number in sorted(order[:most])]
