"""An answer with marks: the verdict after the citations of each sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from rag.domain import Answer, Claim, Span, Verdict
from rag.text.foreign_marks import shown_with_spans
from tui.render.excerpt import find_short_answer
from tui.render.glyphs import SHORT_ANSWER_STYLE, VERDICT_STYLES, Glyphs

#: Verdicts whose sentences are underlined.
_WRONG = (Verdict.UNSUPPORTED, Verdict.CONTRADICTED)
#: Characters that end a sentence; a sign stands before them.
_END = " \n.!?。！？…\"'”’)"
#: A marker at the end of a text that is not complete.
_OPEN = re.compile(r"\[[^\[\]\n]{0,7}\Z")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with marks. Styles, sentences and citations are spans of this text."""

    text: str
    styles: tuple[tuple[Span, str], ...]
    sentences: tuple[Span, ...]  #: one a claim, in the order of Answer.claims
    citations: tuple[tuple[Span, int], ...]

    def sentence_at(self, offset: int) -> int | None:
        """Return the number of the sentence that contains `offset`, from 0."""
        return next((n for n, s in enumerate(self.sentences) if s.start <= offset < s.end), None)

    def citation_at(self, offset: int) -> int | None:
        """Return the number of the source that the marker at `offset` names."""
        return next(
            (number for span, number in self.citations if span.start <= offset < span.end), None
        )

    def sentence_span(self, at: int | None) -> Span | None:
        """Return the span of sentence `at`; None without such a sentence."""
        return None if at is None or at >= len(self.sentences) else self.sentences[at]

    def styles_at(self, at: int | None, number: int | None) -> list[tuple[Span, str]]:
        """Return the styles, with the citations of source `number` in sentence `at` reversed."""
        sentence = self.sentence_span(at)
        chosen = [
            span
            for span, cited in self.citations
            if sentence is not None and cited == number and span.within(sentence)
        ]
        return [*self.styles, *((span, "reverse") for span in chosen)]


def hide_partial_marker(text: str) -> str:
    """Return an unfinished text without a marker at its end that is not complete."""
    return _OPEN.sub("", text)


class _Insert(NamedTuple):
    """A sign that goes into the text at `offset`."""

    offset: int
    sign: str
    style: str


def mark_answer(answer: Answer, glyphs: Glyphs) -> MarkedText:
    """Insert the marks into the answer as it is shown.

    The answer passes `shown_with_spans` first, which spells out foreign text that looks like marks.
    """
    short_answer = _short_answer_span(answer)
    answer, shown_span = shown_with_spans(answer)
    known = {passage.number for passage in answer.passages}
    inserts = sorted(
        (
            insert
            for claim in answer.claims
            for insert in _inserts(answer.text, claim, known, glyphs)
        ),
        key=lambda insert: insert.offset,
    )

    def shift(offset: int) -> int:
        return offset + sum(len(i.sign) for i in inserts if i.offset <= offset)

    def shift_inside(span: Span) -> Span:
        """Shift a span that does not grow by a sign at its end."""
        last = span.end - 1 if span.end > span.start else span.end
        return Span(shift(span.start), shift(last) + span.end - last)

    text, signs = _insert(answer.text, inserts)
    sentences = [claim.sentence for claim in answer.claims]
    styles = [
        (shift_inside(claim.sentence.span), "underline")
        for claim in answer.claims
        if claim.verdict in _WRONG
    ]
    if short_answer is not None:
        styles.append((shift_inside(shown_span(short_answer)), SHORT_ANSWER_STYLE))
    return MarkedText(
        text,
        (*styles, *signs),
        tuple(Span(shift(s.span.start), shift(s.span.end)) for s in sentences),
        tuple((shift_inside(c.span), c.number) for s in sentences for c in s.citations),
    )


def _insert(text: str, inserts: list[_Insert]) -> tuple[str, list[tuple[Span, str]]]:
    """Return `text` with the signs of `inserts`, which are in order, and the span of each sign."""
    parts = list[str]()
    signs = list[tuple[Span, str]]()
    end = inserted = 0
    for offset, sign, style in inserts:
        parts += [text[end:offset], sign]
        start = offset + inserted
        signs.append((Span(start, start + len(sign)), style))
        end, inserted = offset, inserted + len(sign)
    return "".join(parts) + text[end:], signs


def _inserts(text: str, claim: Claim, known: set[int], glyphs: Glyphs) -> list[_Insert]:
    """Return the signs of one sentence. `known` are the numbers of the passages."""
    inserts = list[_Insert]()
    ends = list[int]()
    for citation in claim.sentence.citations:
        if citation.number in known:
            ends.append(citation.span.end)
        else:
            style = VERDICT_STYLES[Verdict.DANGLING]
            inserts.append(_Insert(citation.span.end, glyphs.dangling, style))
    if claim.verdict in (Verdict.NEEDS_NONE, Verdict.DANGLING):
        return inserts or _at_end(text, claim, glyphs)
    if claim.verdict is Verdict.UNCITED or not ends:
        return inserts + _at_end(text, claim, glyphs)
    style = VERDICT_STYLES[claim.verdict]
    return [*inserts, _Insert(max(ends), glyphs.of(claim.verdict), style)]


def _at_end(text: str, claim: Claim, glyphs: Glyphs) -> list[_Insert]:
    """Return the sign of a sentence without a citation; its place is before the full stop."""
    sign = glyphs.of(claim.verdict)
    if not sign:
        return []
    span = claim.sentence.span
    length = len(span.of(text).rstrip(_END))
    offset = span.start + length if length else span.end
    return [_Insert(offset, f" [{sign}]", VERDICT_STYLES[claim.verdict])]


def _short_answer_span(answer: Answer) -> Span | None:
    """Return the place of the short answer in the first sentence; None if it is not there."""
    if not answer.claims:
        return None
    sentence = answer.claims[0].sentence.span
    span = find_short_answer(answer.short or "", sentence.of(answer.text))
    return Span(sentence.start + span.start, sentence.start + span.end) if span else None
