"""An answer as it is shown: a mark of the verdict after each sentence's citations, and where everything stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.domain import Answer, Claim, Span, Verdict
from rag.text.foreign_marks import shown_with_spans
from tui.render.excerpt import find_short_answer
from tui.render.glyphs import SHORT_ANSWER_STYLE, VERDICT_STYLES, Glyphs

_WRONG = (Verdict.UNSUPPORTED, Verdict.CONTRADICTED)
_END = " \n.!?。！？…\"'”’)"
_OPEN = re.compile(r"\[[^\[\]\n]{0,7}\Z")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """`text` with marks in it; styles, sentences and citations are spans of this text."""

    text: str
    styles: tuple[tuple[Span, str], ...]
    sentences: tuple[Span, ...]  #: one a claim, in the order of Answer.claims
    citations: tuple[tuple[Span, int], ...]

    def sentence_at(self, offset: int) -> int | None:
        """Which sentence holds the character at `offset`."""
        return next((n for n, s in enumerate(self.sentences) if s.start <= offset < s.end), None)

    def citation_at(self, offset: int) -> int | None:
        """Which source the marker at `offset` names."""
        return next(
            (number for span, number in self.citations if span.start <= offset < span.end), None
        )


def hide_partial_marker(text: str) -> str:
    """A text still being written, without a marker that has only begun, so that no half citation flashes."""
    return _OPEN.sub("", text)


def mark_answer(answer: Answer, glyphs: Glyphs) -> MarkedText:
    """Put the marks in, into the answer as it is shown (`as_shown`): what looks like a mark and is none is spelled there."""
    short = _short(answer)
    answer, into = shown_with_spans(answer)
    known = {passage.number for passage in answer.passages}
    inserts = sorted(
        (
            insert
            for claim in answer.claims
            for insert in _inserts(answer.text, claim, known, glyphs)
        ),
        key=lambda insert: insert[0],
    )

    def after(offset: int) -> int:
        return offset + sum(len(sign) for place, sign, _ in inserts if place <= offset)

    def span(old: Span) -> Span:
        inside = old.end - 1 if old.end > old.start else old.end
        return Span(after(old.start), after(inside) + old.end - inside)

    parts, at = [], 0
    styles: list[tuple[Span, str]] = []
    for number, (place, sign, style) in enumerate(inserts):
        parts += [answer.text[at:place], sign]
        start = place + sum(len(s) for _, s, _ in inserts[:number])
        styles.append((Span(start, start + len(sign)), style))
        at = place
    text = "".join(parts) + answer.text[at:]
    first = [(span(c.sentence.span), "underline") for c in answer.claims if c.verdict in _WRONG]
    if short is not None:
        first.append((span(into(short)), SHORT_ANSWER_STYLE))
    return MarkedText(
        text,
        (*first, *styles),
        tuple(
            Span(after(c.sentence.span.start), after(c.sentence.span.end)) for c in answer.claims
        ),
        tuple(
            (span(cited.span), cited.number)
            for c in answer.claims
            for cited in c.sentence.citations
        ),
    )


def _inserts(
    text: str, claim: Claim, known: set[int], glyphs: Glyphs
) -> list[tuple[int, str, str]]:
    """The marks of one sentence: where, what, in which style."""
    out: list[tuple[int, str, str]] = []
    good: list[int] = []
    for cited in claim.sentence.citations:
        if cited.number in known:
            good.append(cited.span.end)
        else:
            out.append((cited.span.end, glyphs.dangling, VERDICT_STYLES[Verdict.DANGLING]))
    if claim.verdict in (Verdict.NEEDS_NONE, Verdict.DANGLING):
        return out or _at_end(text, claim, glyphs)
    if claim.verdict is Verdict.UNCITED or not good:
        return out + _at_end(text, claim, glyphs)
    return [*out, (max(good), glyphs.of(claim.verdict), VERDICT_STYLES[claim.verdict])]


def _at_end(text: str, claim: Claim, glyphs: Glyphs) -> list[tuple[int, str, str]]:
    """A mark for a sentence without a citation of its own, before the full stop."""
    sign = glyphs.of(claim.verdict)
    if not sign:
        return []
    span = claim.sentence.span
    kept = len(span.of(text).rstrip(_END))
    place = span.start + kept if kept else span.end
    return [(place, f" [{sign}]", VERDICT_STYLES[claim.verdict])]


def _short(answer: Answer) -> Span | None:
    """Where the short answer stands in the text: in the first sentence."""
    if not answer.claims:
        return None
    first = answer.claims[0].sentence.span
    found = find_short_answer(answer.short or "", first.of(answer.text))
    return Span(first.start + found.start, first.start + found.end) if found else None
