"""Formats an answer for the line mode: the text, then each footnote with its verdict in words.

No signs, no colours, no columns. Foreign text is on one line, quoted, with its marks spelled out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rag.cli.source_places import evidence_place, file_phrase, passage_place
from rag.domain import Answer, Claim, Passage, Verdict
from rag.phrases import (
    HINT,
    LINE_LEFT_OUT,
    RELATED,
    SOURCES_DIFFER,
    VERDICT_PHRASES,
    WITHHELD,
    abstention_phrase,
    failure_phrase,
    file_notes,
    is_related,
    judgement_phrase,
    looked_in,
    withheld_reason,
)
from rag.text.foreign_marks import answer_as_shown, indented_rows, quote_foreign, spell_marks
from rag.text.sanitize import sanitize, sanitize_line

#: passages that an abstention names, and characters of each
MAX_NEAREST, NEAREST_CHARS = 3, 100


def answer_lines(answer: Answer, is_streamed: bool) -> Iterator[str]:
    """Yield the lines of an answer; without its text if that was streamed."""
    shown = answer_as_shown(answer)
    if shown.within:
        yield quote_foreign(looked_in(shown.within))
    if shown.asked:
        yield f"looked up: {quote_foreign(shown.asked)}"
    if shown.text and not is_streamed:
        yield from indented_rows(shown.text)
    if shown.stopped:
        yield "Stopped by you; what was written is checked."
    if shown.abstained:
        yield from _abstention(shown)
    yield from _notes(shown)
    for claim in (*shown.claims, *shown.related):
        yield from _footnotes(claim)
    yield _counts(shown)


def source_lines(answer: Answer, number: int) -> Iterator[str]:
    """Yield a source of an answer: its place, its text, and the words that the answer rests on."""
    passage = next((p for p in answer.passages if p.number == number), None)
    if passage is None:
        yield f"There is no source {number}; there are {len(answer.passages)}."
        return
    heading = f", under {quote_foreign(passage.chunk.heading)}" if passage.chunk.heading else ""
    yield f"[{number}] {passage_place(passage)}{heading}{file_phrase(passage.file)}"
    for row in sanitize(spell_marks(passage.chunk.text)).replace("\t", " ").split("\n"):
        yield f"  {row}"
    for evidence in (e for claim in answer.claims for e in claim.evidence):
        if evidence.number == number:
            yield f'The answer rests on: "{quote_foreign(evidence.text)}"'


def list_sources(answer: Answer) -> Iterator[str]:
    """Yield a line for each source of an answer."""
    for passage in answer.passages:
        yield f"[{passage.number}] {passage_place(passage)}{file_phrase(passage.file)}"
    if not answer.passages:
        yield "There are no sources."


def reason_lines(answer: Answer) -> Iterator[str]:
    """Yield each sentence with its verdict, its score, and all reasons."""
    claims = (*answer.claims, *answer.related, *answer.withheld)
    for number, claim in enumerate(claims, 1):
        verdict = f"Sentence {number} of {len(claims)}, {_verdict(claim)}, score {claim.score:.2f}"
        yield f'{verdict}: "{quote_foreign(claim.sentence.text)}"'
        for evidence in claim.evidence:
            quote = quote_foreign(evidence.text)
            yield f'  [{evidence.number}] {evidence_place(evidence)}: "{quote}"'
        if claim.judgement:
            yield f"  {sanitize_line(judgement_phrase(claim.judgement))}"
        yield from (f"  {sanitize_line(reason)}" for reason in claim.reasons)
    if answer.abstained:
        yield f"Not answered: {abstention_phrase(answer.reason, answer.within)}"
    elif not claims:
        yield "No sentence was checked."


def _abstention(answer: Answer) -> Iterator[str]:
    yield f"Not answered: {abstention_phrase(answer.reason, answer.within)}"
    if answer.missing:
        yield f"Missing: {quote_foreign(answer.missing)}."
    if not answer.related:
        yield from map(_nearest, answer.passages[:MAX_NEAREST])


def _nearest(passage: Passage) -> str:
    words = quote_foreign(passage.chunk.text)[:NEAREST_CHARS]
    return f'Near: [{passage.number}] {passage_place(passage)}: "{words}"'


def _notes(answer: Answer) -> Iterator[str]:
    """Yield what is to be known about the whole answer."""
    if answer.differ:
        yield f"Note: {SOURCES_DIFFER}."
    for evidence in answer.left_out:
        place = evidence_place(evidence)
        yield f'Note: {LINE_LEFT_OUT}: "{quote_foreign(evidence.text)}" {place}'
    for source, phrase in file_notes(answer):
        yield f"Note: {phrase}: {quote_foreign(source)}"
    for dropped in answer.receipt.dropped:
        yield f"Note: left out for lack of room: {quote_foreign(dropped)}"
    if failure := answer.model_failed:
        cure = f" {HINT.capitalize()} {quote_foreign(failure.cure)}" if failure.cure else ""
        yield f"Note: {quote_foreign(failure_phrase(failure))}.{cure}"
    for claim in answer.withheld:
        sentence = quote_foreign(claim.sentence.text)
        yield f'{WITHHELD.capitalize()}: "{sentence}" {quote_foreign(withheld_reason(claim))}'


def _verdict(claim: Claim) -> str:
    if claim.verdict is Verdict.SUPPORTED and is_related(claim.judgement):
        return RELATED
    return VERDICT_PHRASES[claim.verdict]


def _footnotes(claim: Claim) -> Iterator[str]:
    """Yield a line for each place that a sentence rests on; one line if there is none."""
    verdict, sentence = _verdict(claim), quote_foreign(claim.sentence.text)
    if claim.verdict is Verdict.NEEDS_NONE:
        return
    for evidence in claim.evidence:
        quote = quote_foreign(evidence.text)
        words = "" if quote == sentence else f': "{quote}"'
        place = evidence_place(evidence) + file_phrase(evidence.file)
        yield f"[{evidence.number}] {verdict}: {place}{words}"
    if not claim.evidence:
        yield f'{verdict}: "{sentence}"'


def _counts(answer: Answer) -> str:
    """Return how many sentences have which verdict, the model and the seconds."""
    counts = Counter(_verdict(c) for c in answer.claims if c.verdict is not Verdict.NEEDS_NONE)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    model = quote_foreign(answer.model.name)
    return f"Checked: {words or 'nothing'}. By {model}, {answer.seconds.total:.1f} seconds."
