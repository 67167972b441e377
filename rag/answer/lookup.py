"""Answers from tables, records, lists and FAQs by matching words, without a model.

Each unit is compared with the question (`rag.answer.unit_matching`). The places with the largest
share of the question's words answer; what lacks a word is read by a model (`likely_places`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from rag.answer.asked_rows import asked_rows, count_denials
from rag.answer.field_words import asked_fields
from rag.answer.mail_parts import author_of, is_quoted
from rag.answer.question_terms import read_question
from rag.answer.spans import part_around
from rag.answer.unit_matching import Lookup, UnitMatcher
from rag.domain import Passage, Span, UnitKind
from rag.protocols import AnswerLogits

#: share of the question's weight from which a place is taken
_MIN_SHARE = 0.72
#: places whose scores are this near to the best one count as equally good
_MIN_LEAD = 0.04
#: score that a place in quoted history has less than the same in the reply, unless its author is
#: named
_QUOTED_LESS = 0.06
#: places that are equally good: of a list that is asked for, and of a single answer
_MAX_LISTED, _MAX_EQUAL = 12, 2
#: share of the question's weight from which a place is not read; the least logit of one that is
_SURE_SHARE, _LEAST_LOGIT = 0.97, -2.0
_WHOLE = (UnitKind.LIST, UnitKind.ANSWER)  #: units that are more than one part


def look_up(question: str, passages: Sequence[Passage]) -> list[Lookup]:
    """Return the places that answer, best first; more than one if they are equally good.

    None are returned if the question denies something (other than a column of yes and no) or asks
    for yes or no, and if too many places, or two cells of one row, are equally good.
    """
    asked = read_question(question)
    denials = count_denials(question)
    if not asked.terms or asked.asks_yes_or_no or not 0 <= denials <= bool(asked_rows(question)):
        return []
    fields = asked_fields(question)
    places = list[Lookup]()
    seen = set[tuple[str, Span]]()
    for passage in passages:
        absent = asked.unnamed - asked.found([passage.chunk.text])
        sections = [unit for unit in passage.chunk.units if unit.kind is UnitKind.SECTION]
        starts = [section.span.start for section in sections]
        for unit in passage.chunk.units:
            above = bisect_right(starts, unit.span.start) - 1
            path = sections[above].context if above >= 0 else ""
            place = passage.chunk.document, unit.span
            if place in seen or not unit.span.within(passage.chunk.span):
                continue
            seen.add(place)
            matched = UnitMatcher(asked, passage, unit, path, fields, absent).places()
            repeats = is_quoted(path) and not asked.found([author_of(path)])
            less = _QUOTED_LESS if repeats else 0.0
            places += (replace(place, score=place.score - less) for place in matched)
    places = [p for p in places if p.share >= _MIN_SHARE and not (asked.counts and p.is_uncounted)]
    places.sort(key=lambda p: -p.score)
    best = [p for p in places if p.score >= places[0].score - _MIN_LEAD]
    if _is_undecided(best):
        return []
    answers = {(p.passage.chunk.document, p.short) for p in best}
    most = _MAX_LISTED if asked.asks_for_list else _MAX_EQUAL
    return best if len(answers) <= most else []


def likely_places(question: str, passages: Sequence[Passage], logits: AnswerLogits) -> list[Lookup]:
    """Return the places that `look_up` finds, without those that the part reader doubts.

    Asked for a racing bike, "Tube, town bike" lacks one word. What has every word is not read.
    """
    found = look_up(question, passages)
    doubted = [p for p in found if p.share < _SURE_SHARE and p.unit.kind not in _WHOLE]
    if not doubted:
        return found
    texts = [part_around(place.passage, place.short).reader_view.text for place in doubted]
    given = zip(doubted, logits(question, texts), strict=True)
    wrong = {id(place) for place, logit in given if logit < _LEAST_LOGIT}
    return [place for place in found if id(place) not in wrong]


def _is_undecided(best: Sequence[Lookup]) -> bool:
    """Are two cells of one row equally good, while a word of the question is in neither of them?

    Asked for "the senior fare", a row with "adult fare" and "child fare" does not answer.
    """
    cells = {place.short for place in best if place.unit is best[0].unit}
    return len(cells) > 1 and best[0].share < 1
