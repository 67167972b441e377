"""A case and what came of it -> its scores: which marks apply, and on what. The arithmetic is in `score`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rag.domain import Answer, Document, Evidence, Passage
from rag.errors import Usage
from rag.eval import metrics
from rag.eval.cases import Case
from rag.eval.metrics import Hit

Scores = dict[str, Any]


def score_retrieval(case: Case, passages: Sequence[Passage]) -> Scores:
    """By document where gold documents are known, by quote where gold quotes are; no marks where there is no gold."""
    hits = [_hit(passage) for passage in passages]
    marks: Scores = {}
    if case.sources:
        marks |= {f"recall@{k}": metrics.recall(hits, case.sources, k) for k in (1, 5, 10)}
        marks |= {
            "ndcg@10": metrics.ndcg(hits, case.sources, 10),
            "mrr@10": metrics.mrr(hits, case.sources, 10),
        }
    if case.quotes:
        marks |= {f"quote_recall@{k}": metrics.quote_recall(hits, case.quotes, k) for k in (5, 10)}
    return marks


def score_answer(case: Case, answer: Answer, document: Callable[[str], Document]) -> Scores:
    """All marks of an answer, by group. `document` gives the text that quotes are held against."""
    return {
        **_answers(case, answer),
        "citation": _citations(case, answer, document),
        "abstention": {
            name: list(pair) for name, pair in metrics.abstention(answer.abstained, case.answerable)
        },
        "seconds": _seconds(answer),
    }


def _answers(case: Case, answer: Answer) -> Scores:
    """`answer` and `overall`. An answerable question without gold answers cannot be marked and is in neither."""
    if case.answerable and not case.answers:
        return {"answer": {}, "overall": {}}
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
    return {"answer": marks if case.answerable else {}, "overall": overall}


def answer_words(answer: Answer) -> str:
    """The answer's words: its text without the citation markers. Brackets that a document wrote itself stay."""
    text = answer.text
    spans = [citation.span for claim in answer.claims for citation in claim.sentence.citations]
    for span in sorted(set(spans), reverse=True):
        text = f"{text[: span.start]} {text[span.end :]}"
    return text


def _citations(case: Case, answer: Answer, document: Callable[[str], Document]) -> Scores:
    """`valid` and `quote_exact` of all that was written, abstentions too; the others of what was answered."""
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
    """Whether each quote is in its document at its span; a document that is not there holds none."""
    texts: dict[str, str | None] = {}
    for each in evidence:
        if each.document not in texts:
            try:
                texts[each.document] = document(each.document).text
            except Usage:
                texts[each.document] = None
        text = texts[each.document]
        yield text is not None and each.span.of(text) == each.text


def _seconds(answer: Answer) -> Scores:
    """`first` only where there were words to wait for."""
    seconds = {"retrieve": answer.seconds.retrieve, "total": answer.seconds.total}
    return seconds if answer.abstained else seconds | {"first": answer.seconds.first}


def _hit(passage: Passage) -> Hit:
    return Hit((passage.chunk.source, *(c.source for c in passage.copies)), passage.chunk.text)
