"""The built-in reader: answers with quotations and writes no words of its own.

The trained model reads each passage together with the question. It scores where the shortest answer
may be, and how likely the passage answers at all. The place is then chosen by three things: the
model's score, the question's words in the sentence of that place (words that few sentences of the
passage have count most), and whether the place is of the kind that is asked for, if the model is
not sure of another. The first sentence of the answer was then right for 5 more in 1,000 questions,
and for 1 more if all words weighed the same (n 984, documents kept for tuning).

The most likely passage gives the short answer and the sentence around it, which is quoted with its
footnote. Further sentences follow if other passages say the same (they corroborate it) or likely
answer in other words; the same text in two places counts once. If two sources give two different
numbers, dates or names for the same thing, both are quoted and the answer says that the sources
differ.

The reader abstains, with the reason, if no passage is likely enough to answer, or if a name or
number of the question is in none of them. It also abstains if the question or the passages are in
a language that it does not read (`known_languages`).

The model's logit was turned into a probability on documents kept out of training
(`rag.training.fit`). Words shared, the kind of the answer, the other passages' logits and how
sharply the model points were tried as further inputs: none improved it (AUC, one set of documents
left out at a time).

However, the logit rises with the words that question and passage share, and how many they share
depends on who asks: questions written next to a paragraph use its words, other people's do not, and
at one threshold their answers were withheld. Therefore `answer_logit` subtracts what the shared
words add, and adds some if a second passage answers as well. At thresholds where abstaining has an
F1 of 0.63 on SQuAD's near misses, 0.74 of the demo questions get a right answer instead of 0.54.
(The weights were chosen with a look at both; CLAPNQ's figures agree.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answer.field_words import asked_fields
from rag.answer.known_languages import (
    of_passages,
    of_question,
    unknown_language,
    unknown_languages,
)
from rag.answer.lookup import Lookup, look_up
from rag.answer.question_terms import QuestionTerms, facts_of, read_question
from rag.answer.readings import Reading, answer_logit, choose_readings
from rag.answer.scope import passages_in_scope, without_sources
from rag.answer.spans import (
    Part,
    has_structure,
    in_structure,
    parts_of,
    pick_span,
    quote_around,
    share_of,
)
from rag.domain import (
    Draft,
    Model,
    Passage,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    Span,
    Turn,
)
from rag.protocols import PairModel
from rag.text import facts, quantities
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.units import view_of

#: the sentence of an answer that says so
SOURCES_DIFFER = "The sources differ."
#: parts of a passage that are read one by one
_MAX_PARTS = 16
#: taken from the logit of a part that has none of the question's words
_MISSING_WORDS = 2.5
#: characters of a section that is read part by part
_MAX_SCOPED_CHARS = 2000
_CHARS_PER_TOKEN = 4  # about; for progress and the receipt


@dataclass(frozen=True, slots=True)
class ReaderFit:
    """Turns the model's logit into the probability that a passage answers."""

    weight: float
    constant: float
    least: float  #: the probability from which the reader answers

    def chance(self, logit: float) -> float:
        """Probability that the passage answers, 0..1."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.constant + self.weight * logit))))


class Reader:
    """A `Writer` that quotes passages."""

    def __init__(self, pairs: PairModel, model: Model, fit: ReaderFit) -> None:
        self._pairs, self.model, self._fit = pairs, model, fit

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece]:
        """Yield progress, a draft, then up to three quotations, most likely first.

        `history` is not used.
        """
        other = unknown_language(question, question=True)
        absent = [] if other else missing_names(question, passages)
        if absent:  # no passage needs to be read
            yield self._abstention(0, f"no passage names {', '.join(absent)}")
            return
        question = without_sources(question, passages)
        if found := look_up(question, passages):
            yield from self._write_lookups(found)
            return
        unread = {} if other else unknown_languages(passages)
        if other or (unread and len(unread) == len(passages)):
            missing = of_question(other) if other else of_passages(unread)
            yield self._abstention(0, missing, languages=[other] if other else unread.values())
            return
        yield from self._write_readings(question, passages, unread)

    def _write_readings(
        self, question: str, passages: Sequence[Passage], unread: Mapping[int, str]
    ) -> Iterator[Draft | Progress | Piece]:
        """Read the passages that are not in languages that the reader does not read."""
        nearest_is_unread = bool(unread) and passages[0].number in unread
        passages = [passage for passage in passages if passage.number not in unread]
        scoped = passages_in_scope(question, passages)
        whole = {passage.chunk.span for passage in passages}
        cut = {p.number for p in scoped if p.chunk.span not in whole}
        asked_passages, passages = passages, scoped
        readings: list[Reading] = []
        total = sum(len(p.chunk.text) for p in passages) // _CHARS_PER_TOKEN
        chars_read = 0
        for passage in passages:
            readings += self.read(question, passage, passage.number in cut)
            chars_read += len(passage.chunk.text)
            yield Progress(chars_read // _CHARS_PER_TOKEN, total)
        readings = [r for r in readings if not unknown_language(r.sentence)]
        readings.sort(key=lambda reading: -reading.chance)
        narrowed = len(scoped) < len(asked_passages)
        logit = answer_logit(question, readings, narrowed) if readings else -math.inf
        chance = self._fit.chance(logit) if readings else 0.0
        if chance < self._fit.least:
            missing = self._too_unlikely(chance)
            missing += f"; {of_passages(unread)}" if unread else ""
            languages = unread.values() if nearest_is_unread else ()
            yield self._abstention(total, missing, chance, languages)
            return
        chosen, differ = choose_readings(question, readings, self._fit.least)
        receipt = Receipt(context=total, passages=total)
        yield Draft(receipt, short=chosen[0].short, differ=differ, chance=chance)
        for index, reading in enumerate(chosen):
            if index:
                yield f" {SOURCES_DIFFER} " if differ and index == 1 else " "
            yield Quote(reading.sentence, reading.passage.number, reading.around)

    def _write_lookups(self, found: Sequence[Lookup]) -> Iterator[Draft | Piece]:
        """Yield the draft and the quotations of places that were looked up."""
        texts = [_text_of(place.passage, place.short) for place in found]
        chance = min(0.99, found[0].share)
        yield Draft(Receipt(), short="; ".join(dict.fromkeys(texts)), chance=chance)
        quoted = dict[Span, Lookup]()
        for place in found:
            quoted.setdefault(place.quote, place)
        for index, place in enumerate(quoted.values()):
            if index:
                yield " "
            passage = place.passage
            yield Quote(_text_of(passage, place.quote), passage.number, place.quote)

    def rewrite(self, question: str, history: Sequence[Turn], stop: Callable[[], bool]) -> str:
        """Always "": the reader leaves follow-up questions to the rules."""
        return ""

    def read(self, question: str, passage: Passage, scoped: bool = False) -> Iterator[Reading]:
        """The reading of one passage; none if it has no words.

        A `scoped` passage is one section that the question names.
        """
        chunk = passage.chunk
        structured = has_structure(passage)
        if structured or (scoped and len(chunk.text) < _MAX_SCOPED_CHARS):
            yield from self._read_parts(question, passage)
            if not structured:
                return
        view = view_of(chunk)
        (result,) = self._pairs.read(question, [view.text])
        spots = tuple(spot for spot in result.spots if view.span(spot.span))
        span = pick_span(question, view.text, replace(result, spots=spots))
        place = view.span(span) if span else None
        if place is None:
            return
        if structured and in_structure(passage, place):
            return
        around = quote_around(chunk, place)
        yield Reading(
            passage=passage,
            short=_text_of(passage, place),
            span=place,
            sentence=_text_of(passage, around),
            around=around,
            chance=self._fit.chance(result.answers),
            logit=result.answers,
        )

    def _read_parts(self, question: str, passage: Passage) -> Iterator[Reading]:
        """The reading of the part that most likely answers; each part is read in its context."""
        parts = nearest_parts(question, parts_of(question, passage))
        results = self._pairs.read(question, [part.view.text for part in parts])
        best: Reading | None = None
        asked = read_question(question)
        for part, result in zip(parts, results, strict=True):
            spots = tuple(spot for spot in result.spots if part.view.span(spot.span))
            span = pick_span(question, part.view.text, replace(result, spots=spots))
            place = part.view.span(span) if span else None
            if place is None:
                continue
            logit = result.answers - _MISSING_WORDS * (1 - share_in_context(asked, part))
            if best and logit <= best.logit:
                continue
            best = Reading(
                passage=passage,
                short=_text_of(passage, place),
                span=place,
                sentence=_text_of(passage, part.span),
                around=part.span,
                chance=self._fit.chance(logit),
                logit=logit,
                in_context=True,
            )
        if best:
            yield best

    def _too_unlikely(self, chance: float) -> str:
        calibrated = ", as calibrated" if self.model.calibrated else ""
        return (
            f"best passage: {100 * chance:.0f} % likely to answer, "
            f"threshold {100 * self._fit.least:.0f} %{calibrated}"
        )

    def _abstention(
        self,
        tokens: int,
        missing: str,
        chance: float | None = None,
        languages: Iterable[str] = (),
    ) -> Draft:
        """`languages` are those that the reader does not read, if that is the reason."""
        unread = tuple(dict.fromkeys(languages))
        return Draft(
            Receipt(context=tokens, passages=tokens),
            abstained=True,
            reason=Reason.OTHER_LANGUAGE if unread else Reason.NOT_ANSWERED,
            missing=missing,
            chance=chance,
            languages=unread,
        )


def share_in_context(asked: QuestionTerms, part: Part) -> float:
    """The share of the question's weight that a part and its path have, 0..1."""
    found = asked.found([part.view.text])
    stems = facts_of(part.view.text).stems
    for asking, names in asked_fields(asked.question):
        if stems & names:
            found |= {t for t in asked.terms if t[0] == "stem" and t[1] in asking}
    return asked.share(found) if asked.terms else 1.0


def nearest_parts(question: str, parts: Sequence[Part]) -> list[Part]:
    """The parts that have most of the question's words, in their order."""
    stems = set(facts.content_stems(question))
    shares = [share_of(stems, part.view.text) for part in parts]
    order = sorted(range(len(parts)), key=lambda number: -shares[number])
    return [parts[number] for number in sorted(order[:_MAX_PARTS])]


def _text_of(passage: Passage, span: Span) -> str:
    start = passage.chunk.span.start
    return passage.chunk.text[span.start - start : span.end - start]


def missing_names(question: str, passages: Sequence[Passage]) -> list[str]:
    """The dates, numbers and names of the question that no passage or title has.

    The question's first word is not taken for a name: its capital means nothing.
    """
    whole = "\n".join(
        f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.date or ''}\n{p.chunk.text}"
        for p in passages
    )
    known_stems = WordIndex({facts.stem(w) for w in facts.word_tokens(facts.fold_text(whole))})
    known_dates = DateIndex(facts.find_dates(whole)[0])
    known_numbers = NumberIndex(quantities.find_numbers(whole))
    dates, rest = facts.find_dates(question)
    missing = [date.shown for date in dates if not known_dates.agree(date)]
    missing += [
        number.shown
        for number in quantities.find_numbers(rest)
        if number.shown[:1].isdigit() and not known_numbers.bear_out(number)
    ]
    after_first_word = question.split(maxsplit=1)[1] if len(question.split()) > 1 else ""
    missing += [
        name
        for name in facts.find_names("x " + after_first_word)
        if any(
            not facts.is_stop_word(word) and not known_stems.has(facts.stem(word))
            for word in facts.word_tokens(facts.fold_text(name))
        )
    ]
    return missing
