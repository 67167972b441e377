"""Scores a case and its answer: decides which scores apply. The arithmetic is in `metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rag.domain import Answer, Document, Evidence, Passage
from rag.errors import Usage
from rag.eval import metrics
from rag.eval.cases import Case
from rag.eval.metrics import Hit
from rag.eval.records import CaseScores


def score_retrieval(case: Case, passages: Sequence[Passage]) -> dict[str, float]:
    """Score by document if gold documents are known, and by quote if gold quotes are known."""
    hits = [_hit(passage) for passage in passages]
    marks: dict[str, float] = {}
    if case.sources:
        marks |= {f"recall@{k}": metrics.recall(hits, case.sources, k) for k in (1, 5, 10)}
        marks |= {
            "ndcg@10": metrics.ndcg(hits, case.sources, 10),
            "mrr@10": metrics.mrr(hits, case.sources, 10),
        }
    if case.quotes:
        marks |= {f"quote_recall@{k}": metrics.quote_recall(hits, case.quotes, k) for k in (5, 10)}
    return marks


def score_answer(case: Case, answer: Answer, document: Callable[[str], Document]) -> CaseScores:
    """Return the scores of an answer by group. `document` gives the texts of the quotes."""
    against_gold, overall = _answers(case, answer)
    return {
        "answer": against_gold,
        "overall": overall,
        "citation": _citations(case, answer, document),
        "abstention": {
            name: list(pair) for name, pair in metrics.abstention(answer.abstained, case.answerable)
        },
        "seconds": _seconds(answer),
    }


def _answers(case: Case, answer: Answer) -> tuple[dict[str, float], dict[str, float]]:
    """Return `answer` and `overall`, both empty for an answerable question without gold answers."""
    if case.answerable and not case.answers:
        return {}, {}
    said = answer_words(answer)
    short = answer.short if answer.short is not None else said
    golds = case.answers
    marks = {"em": metrics.em(short, golds), "f1": metrics.f1(short, golds)}
    marks["contains"] = max(metrics.contains(said, golds), metrics.contains(short, golds))
    overall = {
        name: metrics.overall(marks[name], answer.abstained, case.answerable)
        for name in ("em", "f1")
    }
    if answer.abstained:
        marks = dict.fromkeys(marks, 0.0)
    return marks if case.answerable else {}, overall


def answer_words(answer: Answer) -> str:
    """Return the answer's text without the citation markers. Brackets of a document stay."""
    text = answer.text
    spans = [citation.span for claim in answer.claims for citation in claim.sentence.citations]
    for span in sorted(set(spans), reverse=True):
        text = f"{text[: span.start]} {text[span.end :]}"
    return text


def _citations(
    case: Case, answer: Answer, document: Callable[[str], Document]
) -> dict[str, list[float]]:
    """Return `valid` and `quote_exact`, and if the answer does not abstain the others."""
    numbered = {passage.number: _hit(passage) for passage in answer.passages}
    markers = [citation.number for claim in answer.claims for citation in claim.sentence.citations]
    evidence = [each for claim in answer.claims for each in claim.evidence]
    pairs = {
        "valid": metrics.valid(markers, numbered),
        "quote_exact": metrics.exact([*_matches(evidence, document)]),
    }
    if not answer.abstained:
        pairs["supported"] = metrics.supported([claim.verdict for claim in answer.claims])
        if case.answerable and case.sources:
            cited = [numbered[number] for number in markers if number in numbered]
            pairs["precision"] = metrics.precision(cited, case.sources)
            pairs["recall"] = metrics.coverage(cited, case.sources)
    return {name: list(pair) for name, pair in pairs.items()}


def _matches(evidence: Sequence[Evidence], document: Callable[[str], Document]) -> Iterator[bool]:
    """Yield for each quote whether it is in its document at its span.

    A document that is not in the library contains no quote.
    """
    texts: dict[str, str | None] = {}
    for each in evidence:
        if each.document not in texts:
            try:
                texts[each.document] = document(each.document).text
            except Usage:
                texts[each.document] = None
        text = texts[each.document]
        yield text is not None and each.span.of(text) == each.text


def _seconds(answer: Answer) -> dict[str, float]:
    """Return the times; `first` (the first words) only if the answer does not abstain."""
    seconds = {"retrieve": answer.seconds.retrieve, "total": answer.seconds.total}
    return seconds if answer.abstained else seconds | {"first": answer.seconds.first}


def _hit(passage: Passage) -> Hit:
    return Hit((passage.chunk.source, *(c.source for c in passage.copies)), passage.chunk.text)
