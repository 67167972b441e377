"""Gives a sentence and the passages it cites a verdict, a score and reasons.

Two checks must both pass:

* The exact check (`rag.answer.exact_check`): every number, date, percentage and literal quotation
  of the sentence must be in what it cites, after normalising, and no name may stand in the place of
  another. The reasons name what is missing. If the closest sentence gives a number differently, or
  only one side has a negation, the verdict is a contradiction, not an omission.
* The trained check: a logistic regression (`rag.training.fit`), fitted on claims kept out of
  training. It combines the model's logits for "this passage supports the sentence" with the
  similarity of the nearest sentence (shared content words and cosine), the length of the source and
  the findings of the exact check. Its probability is the `score`.

A name that the source lacks refuses the sentence if the source has a sentence like it, which is
then about somebody else. Otherwise "the minister" may be the same person: the name is mentioned in
the reasons and weighs in the regression only. This rule and the source's length were chosen by
leaving out one set of claims at a time: balanced accuracy on the set left out rose from 0.73 to
0.75 (n 1,094, six sets, documents kept for tuning).

A verbatim quotation is compared character by character and needs neither check. A computed sentence
is computed again from the rows that it cites (`rag.answer.check_computed`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answer.check_computed import check_computed
from rag.answer.evidence import evidence_at, text_at
from rag.answer.exact_check import ALIGNED_OVERLAP, ExactFindings, compare_exactly
from rag.domain import Citation, Claim, Passage, Quote, Sentence, Span, Verdict
from rag.protocols import Support
from rag.text import facts
from rag.text.sentences import split_sentences

#: cosines of one text with others, shape (n,)
Similar = Callable[[str, Sequence[str]], Sequence[float]]

_REFERENCE_LENGTH = 500  # characters of a source whose length adds nothing to the score
#: added to the similarity of the sentence in which the model sees the evidence
_POINTER_BONUS = 0.2
#: whole sentences that need no source: they announce an answer and state nothing. Compared whole,
#: with case, white space, emphasis and one closing mark folded. Any other sentence needs a source
NEEDS_NONE = frozenset(
    (
        "in short|in summary|in brief|to summarise|to summarize|answer|the answer|summary|"
        "here is the answer|here is a summary|here is a short summary|here is a list|"
        "here is a short list|here is an overview|here are the answers|here are the details|"
        "here are the facts|here are the points|here is what the documents say|"
        "here is what the passages say|here is what the sources say|"
        "the following is a summary|the following is a list"
    ).split("|")
)
_CLOSING_MARKS = (".", ":", ",", "\u2026")

#: the inputs of the regression, in order: three logits of the model (supported, supported in part,
#: contradicted), the nearest sentence's similarity, the share of words that the passages have, the
#: exact check's counts of missing values and unknown names, and of contradicted values (at most 2
#: each), and the natural logarithm of the source's length over `_REFERENCE_LENGTH`
SIGNAL_NAMES = (
    "supported",
    "partly",
    "against",
    "near",
    "words",
    "missing",
    "contradicted",
    "length",
)
_NO_SIGNALS = (-9.0, -9.0, -9.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # of an empty source


@dataclass(frozen=True, slots=True)
class CheckFit:
    """The logistic regression: a weight for each of `SIGNAL_NAMES`, the constant, the thresholds.

    `supported_from` and `partly_from` are the scores at which those verdicts begin.
    """

    weights: tuple[float, ...]
    constant: float
    supported_from: float
    partly_from: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> CheckFit:
        """Build it from the model file's numbers: the weights, then the other fields in order."""
        values = [float(number) for number in numbers]
        return cls(tuple(values[:-3]), *values[-3:])

    def score(self, signals: Sequence[float]) -> float:
        """Probability that the sentence is supported, 0..1.

        Raises `ValueError` if there are not as many signals as weights.
        """
        return _sigmoid(
            self.constant + sum(w * s for w, s in zip(self.weights, signals, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """The models of the check: sentence similarity, the reader's support model, its regression."""

    similar: Similar
    support: Callable[[str, Sequence[str]], Sequence[Support]]
    fit: CheckFit


@dataclass(frozen=True, slots=True)
class Signals:
    """Inputs of the verdict on one sentence.

    `signals` are the values of `SIGNAL_NAMES`. `sentence_scores` has the similarity of each
    sentence of the source. `evidence_spans` has the place in each text, in characters of that
    text, where the model sees the evidence.
    """

    signals: tuple[float, ...]
    findings: ExactFindings
    sentence_scores: tuple[float, ...]
    evidence_spans: tuple[Span | None, ...] = ()

    @property
    def refused(self) -> bool:
        """True if the exact check fails, whatever the trained one says."""
        return bool(self.findings.missing or self.findings.contradicted)


def check_sentence(sentence: Sentence, passages: Sequence[Passage], by: Judge) -> Claim:
    """The claim of `sentence`: its evidence, verdict, score and reasons.

    `passages` are those that the writer was given.
    """
    by_number = {p.number: p for p in passages}
    if sentence.remark is not None:
        verdict = Verdict.LISTED if sentence.remark.listed else Verdict.NEEDS_NONE
        return Claim(sentence, (), verdict, 1.0, (sentence.remark.reason,))
    if not _needs_source(sentence):
        reasons = ("announces an answer and states nothing",)
        return Claim(sentence, (), Verdict.NEEDS_NONE, 1.0, reasons)
    if not sentence.citations:
        return Claim(sentence, (), Verdict.UNCITED, 0.0, ("no source is given",))
    numbers = list(dict.fromkeys(citation.number for citation in sentence.citations))
    unknown = sorted(number for number in numbers if number not in by_number)
    cited = [by_number[number] for number in numbers if number in by_number]
    if sentence.computed is not None:
        return check_computed(sentence, sentence.computed, by_number)
    if sentence.quote is not None and cited and not unknown:
        return _check_quotation(sentence, sentence.quote, cited[0])
    claim = (
        _check_against_sources(sentence, cited, by)
        if cited
        else Claim(sentence, (), Verdict.UNSUPPORTED, 0.0)
    )
    if unknown:
        reason = f"[{'], ['.join(map(str, unknown))}]: no passage has this number"
        return Claim(sentence, claim.evidence, Verdict.DANGLING, 0.0, (reason, *claim.reasons))
    return claim


def check_quote(quote: Quote, passage: Passage) -> Claim:
    """The claim of a quotation that stands in no answer: its spans in the answer are empty."""
    citation = Citation(quote.number, Span(0, 0))
    sentence = Sentence(quote.text, Span(0, 0), (citation,), quote.span)
    return _check_quotation(sentence, quote.span, passage)


def check_claim(claim: str, passage: str, by: Judge) -> tuple[Verdict, float, tuple[str, ...]]:
    """Verdict, score and reasons for a claim and a passage given as plain texts."""
    sentences = [span.of(passage) for span in split_sentences(passage)] or [passage]
    return _verdict(gather_signals(claim, sentences, [passage], passage, by), by.fit)


def _needs_source(sentence: Sentence) -> bool:
    """True unless the whole sentence is one of `NEEDS_NONE` and cites nothing."""
    if sentence.citations or sentence.quote:
        return True
    text = " ".join(sentence.text.split()).strip("*_")
    if text.endswith(_CLOSING_MARKS):
        text = text[:-1]
    return text.strip("*_").casefold() not in NEEDS_NONE


def _check_quotation(sentence: Sentence, quote: Span, passage: Passage) -> Claim:
    """The claim of a sentence that is a quotation of the span `quote` of the document."""
    if quote.within(passage.chunk.span) and text_at(passage, quote) == sentence.text:
        evidence = (evidence_at(passage, quote),)
        reason = f"verbatim in [{passage.number}]"
        return Claim(sentence, evidence, Verdict.SUPPORTED, 1.0, (reason,))
    return Claim(sentence, (), Verdict.UNSUPPORTED, 0.0, (f"not verbatim in [{passage.number}]",))


def _check_against_sources(sentence: Sentence, cited: Sequence[Passage], by: Judge) -> Claim:
    """The claim of a sentence in the writer's own words, with the best evidence of each passage."""
    places = [
        (p, Span(p.chunk.span.start + s.start, p.chunk.span.start + s.end))
        for p in cited
        for s in split_sentences(p.chunk.text)
    ]
    sentences = [text_at(passage, span) for passage, span in places]
    whole = "\n".join(f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.text}" for p in cited)
    texts = [p.chunk.text for p in cited]
    if len(texts) > 1:
        texts.append("\n".join(texts))
    signals = gather_signals(sentence.text, sentences, texts, whole, by)
    verdict, score, reasons = _verdict(signals, by.fit)
    evidence = []
    for passage, evidence_span in zip(cited, signals.evidence_spans, strict=False):
        own = [
            (span, score + _POINTER_BONUS * _points_into(span, passage, evidence_span))
            for (p, span), score in zip(places, signals.sentence_scores, strict=True)
            if p.number == passage.number
        ]
        if own:
            best_span, _ = max(own, key=lambda span_and_score: span_and_score[1])
            evidence.append(evidence_at(passage, best_span))
    return Claim(sentence, tuple(evidence), verdict, score, reasons)


def gather_signals(
    text: str, sentences: Sequence[str], texts: Sequence[str], whole: str, by: Judge
) -> Signals:
    """The inputs of the verdict on `text`.

    `sentences` are those of the source, `texts` its passages, and `whole` is all of it with titles
    and headings.
    """
    if not any(sentences):
        findings = ExactFindings(missing=["the passage is empty"])
        return Signals(_NO_SIGNALS, findings, tuple(0.0 for _ in sentences))
    cosines = by.similar(text, sentences)
    stems = set(facts.content_stems(text))  # once: a passage may have thousands of sentences
    overlaps = [_share(stems, sentence) for sentence in sentences]
    scores = [0.5 * max(0.0, float(c)) + 0.5 * o for c, o in zip(cosines, overlaps, strict=True)]
    best = max(range(len(sentences)), key=scores.__getitem__)
    findings = compare_exactly(text, sentences[best], whole, overlaps[best])
    judgements = by.support(text, texts)
    model = max(judgements, key=lambda judgement: judgement.supported)
    signals = (
        model.supported,
        model.partly,
        model.against,
        scores[best],
        word_overlap(text, whole),
        float(min(2, len(findings.missing) + len(findings.unknown_names))),
        float(min(2, len(findings.contradicted))),
        math.log(max(1, len(whole)) / _REFERENCE_LENGTH),
    )
    evidence_spans = tuple(judgement.evidence for judgement in judgements)
    return Signals(signals, findings, tuple(scores), evidence_spans)


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _points_into(sentence: Span, passage: Passage, evidence: Span | None) -> bool:
    """True if `evidence`, a span of the passage, begins in `sentence`, a span of the document."""
    return (
        evidence is not None
        and sentence.start <= passage.chunk.span.start + evidence.start < sentence.end
    )


def _verdict(signals: Signals, fit: CheckFit) -> tuple[Verdict, float, tuple[str, ...]]:
    """Verdict, score and the reasons of both checks. A failed check refuses the sentence."""
    findings, score = signals.findings, fit.score(signals.signals)
    supported, partly, against = (_sigmoid(logit) for logit in signals.signals[:3])
    reasons = (
        *findings.contradicted,
        *findings.missing,
        *findings.unknown_names,
        *findings.confirmed,
        f"model: supported {100 * supported:.0f} %, at least in part {100 * partly:.0f} %, "
        f"contradicted {100 * against:.0f} %",
    )
    similarity = signals.signals[SIGNAL_NAMES.index("near")]
    if findings.contradicted:
        return Verdict.CONTRADICTED, min(score, 0.2), reasons
    if score >= fit.supported_from and not findings.missing:
        return Verdict.SUPPORTED, score, reasons
    if against >= 0.5 and against > supported and similarity >= ALIGNED_OVERLAP:
        return Verdict.CONTRADICTED, min(score, 0.3), reasons
    if findings.missing:
        if score >= fit.supported_from and findings.confirmed:
            return Verdict.PARTLY, min(score, 0.5), reasons
        return Verdict.UNSUPPORTED, min(score, 0.3), reasons
    return (Verdict.PARTLY if score >= fit.partly_from else Verdict.UNSUPPORTED), score, reasons


def word_overlap(text: str, other: str) -> float:
    """Share of the content words of `text` that `other` has, 0..1."""
    return _share(set(facts.content_stems(text)), other)


def _share(stems: set[str], other: str) -> float:
    return len(stems.intersection(facts.content_stems(other))) / len(stems) if stems else 0.0
