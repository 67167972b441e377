"""Finds the sentences after an answer that continue its list, as in a text without bullets.

"The board consists of Alma and Boris. Since May, Celia has been a member too." Asked who the
members are, the first sentence is not the whole answer. A further sentence has a noun of the
question that the best one has or that names what is listed, and a name that neither of them has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answer.evidence import evidence_at, text_at
from rag.answer.mentions import AUXILIARIES
from rag.answer.readings import Reading
from rag.answer.spans import Part, in_structure, parts_of
from rag.domain import Passage, Remark, Span
from rag.text import facts
from rag.text.foreign_marks import quote_foreign

#: no nouns, though they end with an s
_NO_NOUN = r"(?!(?:is|was|does|has|this|its|his|lets|happens|means|needs|costs|says)\b)"
_SEVERAL = re.compile(
    r"\W*(?:and )?(?:"
    r"(?:in |on |at |to |from |for |with )?(?:which|what) (?:other |different )?"
    rf"(?:[\w-]+ (?=[\w-]+ {AUXILIARIES}\b))?{_NO_NOUN}"
    r"(?P<which>[\w-]{2,30}[^\Ws]s|people|children|men|women)\b|"
    r"who (?:are|were|else) (?:all )?(?:the |our |my )?(?:[\w-]+ )?(?P<who>[\w-]{2,30}s)\b|"
    r"(?:please )?(?:list|name)(?: me)? (?:all )?(?:of )?(?:the |our |my )?(?:[\w-]+ )?"
    r"(?P<list>[\w-]{2,30}s)\b)"
)
#: sentences that are read besides the best one
_MAX_FURTHER = 8


def listed_noun(question: str) -> str:
    """The stem of the plural that a question wants listed; "" if it asks for one thing."""
    match = _SEVERAL.match(facts.fold_text(question))
    if match is None:
        return ""
    return facts.stem(next(noun for noun in match.groups() if noun))


def further_sentences(
    question: str, sentence: str, around: Span, passages: Sequence[Passage]
) -> Iterator[tuple[Passage, Part]]:
    """Yield the sentences that may go on with the list which `sentence`, at `around`, begins.

    `around` is a span of the document, whose passages are `passages`. There are at most eight.
    """
    noun = listed_noun(question)
    if not noun:
        return
    asked, best = set(facts.content_stems(question)), set(facts.content_stems(sentence))
    names = facts.find_names("x " + question.partition(" ")[2])
    keys = {noun} | (asked & best) - {stem for n in names for stem in facts.content_stems(n)}
    known = asked | best
    seen, found = {around}, 0
    for passage in passages:
        for part in parts_of(question, passage):
            if found == _MAX_FURTHER:
                return
            text = text_at(passage, part.span)
            stems = set(facts.content_stems(text))
            if part.span in seen or part.span.overlaps(around) or not stems & keys:
                continue
            if in_structure(passage, part.span):
                continue  # rows and items are no sentences: what lists them is looked up
            seen.add(part.span)
            if any(not set(facts.content_stems(n)) <= known for n in facts.find_names("x " + text)):
                found += 1
                yield passage, part


def where_it_may_go_on(readings: Sequence[Reading]) -> Remark:
    """Return the sentence that names the lines on which a list may go on."""
    places = [evidence_at(reading.passage, reading.around) for reading in readings]
    lines = " and ".join(dict.fromkeys(f"line {place.line}" for place in places))
    source = quote_foreign(places[0].source)
    reason = "a remark of Footnote: these lines list more of the same"
    return Remark(f"The list may go on in {source}, {lines}.", reason)
