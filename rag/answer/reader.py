"""The built-in reader: answers with quotations and writes no words of its own.

`rag.answer.sentence_reader` reads the passages, and `rag.answer.judge` makes one probability of
what its models say of each sentence.

The likeliest part is quoted with its footnote; its place is the short answer. Further sentences
follow if other passages say the same (they corroborate it) or likely answer in other words; the
same text in two places counts once. If two sources give two different numbers, dates or names for
the same thing, both are quoted and the answer says that the sources differ.

The reader abstains, with what was found and what is missing, if no sentence is likely enough to
answer (`rag.answer.judge`), or if a name or number of the question is in no passage. It also
abstains if the question or the passages are in a language that it does not read
(`rag.answer.known_languages`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rag.answer.corrections import corrections_first, may_be_changed
from rag.answer.evidence import text_at
from rag.answer.judge import (
    Judged,
    JudgeFit,
    best_of_passages,
    explain_abstention,
    judge_each,
    judgement_of,
)
from rag.answer.known_languages import (
    KNOWN_LANGUAGES,
    of_passages,
    of_question,
    unknown_language,
    unknown_languages,
)
from rag.answer.list_sentences import further_sentences, where_it_may_go_on
from rag.answer.lookup import likely_places
from rag.answer.mentions import missing_names
from rag.answer.numbered_parts import numbered_part
from rag.answer.readings import Reading, choose_readings, quoted_span
from rag.answer.scope import passages_in_scope, without_sources
from rag.answer.sentence_reader import SentenceReader
from rag.answer.spans import (
    has_rows,
)
from rag.answer.tables.gaps import Gap, find_gap, outside
from rag.answer.unit_matching import Lookup
from rag.answer.word_matching import Matched, match_words
from rag.domain import (
    Answers,
    Draft,
    Judgement,
    Model,
    ModelFailure,
    Passage,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    Span,
    Turn,
)
from rag.text.language import ENGLISH, language_of

#: of a question and its judged sentences, best first: the same after a second opinion
Opinion = Callable[[str, Sequence[Judged]], Generator[Progress | ModelFailure, None, list[Judged]]]

#: the sentence of an answer that says so
SOURCES_DIFFER = "The sources differ."
#: why a place that was looked up answers
_LOOKED_UP = "looked up: it belongs to what the question names"
#: why a part in another language answers
_NUMBERED = "looked up: it is the part of that number"
_MATCHED = "found by the words of the question alone: no model here reads its language well"
_MAX_RELATED = 2  # sentences below the line
_CHARS_PER_TOKEN = 4  # about; for progress and the receipt


class Reader:
    """A `Writer` that quotes passages."""

    def __init__(self, sentences: SentenceReader, model: Model, fit: JudgeFit) -> None:
        """`sentences` reads; `fit` decides what is an answer."""
        self._sentences, self.model, self.fit = sentences, model, fit
        self._opinion: Opinion | None = None

    def with_opinion(self, opinion: Opinion) -> Reader:
        """A reader with the same models that hears a second opinion on sentences in doubt."""
        reader = copy.copy(self)
        reader._opinion = opinion
        return reader

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Draft | Progress | Piece | ModelFailure]:
        """Yield progress, a draft, then up to three quotations, most likely first.

        `history` is not used.
        """
        language = language_of(question, question=True)
        foreign = language not in (ENGLISH, "")
        other = language if foreign and language not in KNOWN_LANGUAGES else ""
        absent = [] if foreign else missing_names(question, passages)
        if absent:  # no passage needs to be read
            yield self._abstention(0, f"no passage names {', '.join(absent)}")
            return
        question = without_sources(question, passages)
        if numbered := numbered_part(question, passages):
            yield from _write_matched(numbered, _NUMBERED)
            return
        gap = find_gap(question, passages) if has_rows(passages) else None
        found = likely_places(question, passages, self._sentences.logits)
        found = outside(gap, found) if gap else found
        if found:
            changed = self._changed(question, passages, found[0])
            if changed:
                yield from self._write_answer(question, changed, passages, 0)
            else:
                yield from _write_lookups(found)
            return
        if foreign and (matched := match_words(question, passages)):
            yield from _write_matched(matched, _MATCHED)
            return
        unread = {} if other else unknown_languages(passages)
        if other or (unread and len(unread) == len(passages)):
            missing = of_question(other) if other else of_passages(unread)
            yield self._abstention(0, missing, languages=[other] if other else unread.values())
            return
        yield from self._write_readings(question, passages, unread, gap)

    def _changed(self, question: str, passages: Sequence[Passage], found: Lookup) -> list[Judged]:
        """The sentence that changes or corrects a place that was looked up, first; [] for none."""
        if not may_be_changed(question, passages):
            return []
        readings = [r for each in self.read_each(question, passages) for r in each]
        first, *others = judge_each(question, [_reading_of(found), *readings], self.fit)
        first = replace(first, chance=found.share)
        others = [one for one in others if one.reading.around != found.quote]
        left = corrections_first(question, [first, *others], self.fit.part)
        return [] if first in left else best_of_passages(left)

    def _write_readings(
        self,
        question: str,
        passages: Sequence[Passage],
        unread: Mapping[int, str],
        gap: Gap | None,
    ) -> Iterator[Draft | Progress | Piece | ModelFailure]:
        """Read the passages that are not in languages that the reader does not read.

        A row of a table that lacks the value that is asked for does not answer.
        """
        languages = unread.values() if unread and passages[0].number in unread else ()
        passages = [passage for passage in passages if passage.number not in unread]
        scoped = passages_in_scope(question, passages)
        readings: list[Reading] = []
        total = sum(len(p.chunk.text) for p in scoped) // _CHARS_PER_TOKEN
        chars_read = 0
        for passage, found in zip(scoped, self.read_each(question, scoped), strict=True):
            readings += found
            chars_read += len(passage.chunk.text)
            yield Progress(chars_read // _CHARS_PER_TOKEN, total)
        readings = [r for r in readings if not unknown_language(r.sentence)]
        if gap:
            readings = [r for r in readings if not gap.has(r.passage.chunk.document, r.around)]
        each = judge_each(question, readings, self.fit)
        judged = best_of_passages(corrections_first(question, each, self.fit.part))
        if self._opinion:
            judged = yield from self._opinion(question, judged)
        if not judged or judged[0].chance < self.fit.least:
            missing = (
                gap.reason
                if gap
                else explain_abstention(judged, self.fit, bool(self.model.calibrated))
            )
            lacking = f"; {of_passages(unread)}" if unread else ""
            yield self._unanswered(judged, total, missing + lacking, languages)
            return
        yield from self._write_answer(question, judged, scoped, total)

    def _write_answer(
        self, question: str, judged: Sequence[Judged], scoped: Sequence[Passage], total: int
    ) -> Iterator[Draft | Piece]:
        """Yield the draft and the quotations of the sentences that answer."""
        readings = [one.reading for one in judged]
        chosen, differ = choose_readings(question, readings, self.fit.least)
        more, rest = self._list_goes_on(question, chosen[0], scoped)
        if more:
            chosen, differ = [chosen[0], *(one.reading for one in more)], False
            judged, readings = [*judged, *more], [*readings, *chosen[1:]]
        judgements = [judgement_of(one, self.fit) for one in judged]
        related = [
            one
            for one, judgement in zip(judged, judgements, strict=True)
            if judgement.answers is Answers.PART and one.reading not in chosen
        ]
        yield Draft(
            Receipt(context=total, passages=total),
            short="; ".join(one.short for one in chosen) if more else chosen[0].short,
            differ=differ,
            chance=judged[0].chance,
            related=_related(related, self.fit),
        )
        for index, reading in enumerate(chosen):
            if index:
                yield f" {SOURCES_DIFFER} " if differ and index == 1 else " "
            judgement = next(j for r, j in zip(readings, judgements, strict=True) if r is reading)
            span = quoted_span(reading)
            number = _first_with(span, reading.passage, scoped)
            yield Quote(text_at(reading.passage, span), number, span, judgement)
        if rest:
            yield " "
            yield where_it_may_go_on([one.reading for one in rest])

    def _list_goes_on(
        self, question: str, best: Reading, passages: Sequence[Passage]
    ) -> tuple[list[Judged], list[Judged]]:
        """The sentences of the best one's document that go on with the list it begins, in order.

        The second list are those that are not surely part of it.
        """
        own = [p for p in passages if p.chunk.document == best.passage.chunk.document]
        found = list(further_sentences(question, best.sentence, best.around, own))
        readings = self._sentences.read_parts(question, found)
        judged = judge_each(question, readings, self.fit)
        judged.sort(key=lambda one: one.reading.around)
        listed = [one for one in judged if one.chance >= self.fit.part]
        return listed, [one for one in judged if one not in listed]

    def _unanswered(
        self, judged: Sequence[Judged], total: int, missing: str, languages: Iterable[str]
    ) -> Draft:
        """The abstention, with the nearest sentences and what each of them lacks."""
        chance = judged[0].chance if judged else 0.0
        near = [one for one in judged if one.chance >= self.fit.part]
        return self._abstention(total, missing, chance, languages, _related(near, self.fit))

    def read_each(self, question: str, passages: Sequence[Passage]) -> Iterator[list[Reading]]:
        """The readings of each passage, in their order; none of a late one that is not likely."""
        return self._sentences.read_each(question, passages)

    def _abstention(
        self,
        tokens: int,
        missing: str,
        chance: float | None = None,
        languages: Iterable[str] = (),
        related: tuple[Quote, ...] = (),
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
            related=related,
        )


def _first_with(span: Span, own: Passage, passages: Sequence[Passage]) -> int:
    """The number of the first passage that has a span of the document of `own`; they overlap."""
    same = (p for p in passages if p.chunk.document == own.chunk.document)
    return next((p.number for p in same if span.within(p.chunk.span)), own.number)


def _write_lookups(found: Sequence[Lookup]) -> Iterator[Draft | Piece]:
    """Yield the draft and the quotations of places that were looked up."""
    texts = [text_at(place.passage, place.short) for place in found]
    chance = min(0.99, found[0].share)
    yield Draft(Receipt(), short="; ".join(dict.fromkeys(texts)), chance=chance)
    quoted = dict[Span, Lookup]()
    for place in found:
        quoted.setdefault(place.quote, place)
    for index, place in enumerate(quoted.values()):
        if index:
            yield " "
        passage = place.passage
        judgement = Judgement(Answers.YES, chance, (_LOOKED_UP,))
        yield Quote(text_at(passage, place.quote), passage.number, place.quote, judgement)


def _write_matched(found: Matched, reason: str) -> Iterator[Draft | Piece]:
    """Yield the draft and the quotation of a part that was found without a model."""
    chance = min(0.99, found.share)
    yield Draft(Receipt(), short=text_at(found.passage, found.short), chance=chance)
    judgement = Judgement(Answers.YES, chance, (reason,))
    yield Quote(text_at(found.passage, found.quote), found.passage.number, found.quote, judgement)


def _related(judged: Sequence[Judged], fit: JudgeFit) -> tuple[Quote, ...]:
    """The sentences that are near the question and not surely an answer, likeliest first."""
    return tuple(
        Quote(
            one.reading.sentence,
            one.reading.passage.number,
            one.reading.around,
            judgement_of(one, fit),
        )
        for one in judged[:_MAX_RELATED]
    )


def _reading_of(found: Lookup) -> Reading:
    """A place that was looked up, as a reading that no model has read."""
    return Reading(
        passage=found.passage,
        short=text_at(found.passage, found.short),
        span=found.short,
        sentence=text_at(found.passage, found.quote),
        around=found.quote,
        logit=0.0,
    )
