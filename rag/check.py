"""Sentence + the passages it cites -> claim with a verdict and its reasons.

Two judges, both of which must be content:

* The exact one: every number, date, percentage, name and literal quotation of the sentence must be in what it cites, after
  normalising (`facts`). What is missing is named in the reasons. A number that the closest sentence gives differently, or a
  negation that only one side has, is a contradiction, not an omission.
* The close one: how near the sentence is to the nearest sentence it cites, by shared content words and by cosine. This is
  similarity, not entailment; `score` says how much of it there is.

A verbatim quotation is compared character by character and needs neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag import facts
from rag.domain import Claim, Evidence, Passage, Sentence, Span, Verdict
from rag.sentences import line_of, sentences

#: cosines of one text with others, shape (n,)
Similar = Callable[[str, Sequence[str]], Sequence[float]]

#: score from which a sentence whose facts are all there is supported; set by hand; 0.40 to 0.70 tried on 1,560 claims
SUPPORTED_FROM = 0.62
PARTLY_FROM = 0.45  #: score from which it is partly supported
_ALIGNED = 0.6  # share of the sentence's words in the closest one, from which a difference is a contradiction
_NEEDS_NONE = re.compile(
    r"(?:in (?:short|summary)|here (?:is|are) (?:the|an?|some) (?:\w+ )?(?:answers?|summary|list|overview|results?|points?|facts?|details)|"
    r"the following is a (?:summary|list|answer))[.:,]?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Found:
    """The exact judge's findings."""

    good: list[str]
    missing: list[str]
    against: list[str]


def check(sentence: Sentence, passages: Sequence[Passage], similar: Similar) -> Claim:
    """The claim of `sentence`. `passages` are those that were handed to the writer; `similar` gives cosines."""
    known = {p.number: p for p in passages}
    if not _needs_source(sentence):
        return Claim(sentence, (), Verdict.NEEDS_NONE, 1.0, ("says nothing that could be wrong",))
    if not sentence.citations:
        return Claim(sentence, (), Verdict.UNCITED, 0.0, ("no source is given",))
    unknown = sorted({c.number for c in sentence.citations if c.number not in known})
    cited = [known[n] for n in dict.fromkeys(c.number for c in sentence.citations) if n in known]
    if sentence.quote is not None and cited and not unknown:
        return _verbatim(sentence, cited[0])
    claim = _judged(sentence, cited, similar) if cited else Claim(sentence, (), Verdict.UNSUPPORTED, 0.0)
    if unknown:
        reason = f"[{'], ['.join(map(str, unknown))}]: no passage has this number"
        return Claim(sentence, claim.evidence, Verdict.DANGLING, 0.0, (reason, *claim.reasons))
    return claim


def judge(claim: str, passage: str, similar: Similar) -> tuple[Verdict, float, tuple[str, ...]]:
    """The same verdict for a claim that somebody else wrote about a passage of text."""
    parts = [s.of(passage) for s in sentences(passage)] or [passage]
    verdict, score, reasons, _ = _weigh(claim, parts, passage, similar)
    return verdict, score, reasons


def _needs_source(sentence: Sentence) -> bool:
    if sentence.citations or sentence.quote:
        return True
    text = sentence.text.strip()
    if not facts.words(text) or _NEEDS_NONE.fullmatch(text):
        return False
    days, rest = facts.dates(text)
    return not text.endswith(":") or bool(days or facts.numbers(rest) or facts.quotations(text))


def _verbatim(sentence: Sentence, passage: Passage) -> Claim:
    assert sentence.quote is not None
    if sentence.quote.within(passage.chunk.span) and _slice(passage, sentence.quote) == sentence.text:
        return Claim(
            sentence,
            (_evidence(passage, sentence.quote),),
            Verdict.SUPPORTED,
            1.0,
            (f"verbatim in [{passage.number}]",),
        )
    return Claim(sentence, (), Verdict.UNSUPPORTED, 0.0, (f"not verbatim in [{passage.number}]",))


def _judged(sentence: Sentence, cited: Sequence[Passage], similar: Similar) -> Claim:
    places = [
        (p, Span(p.chunk.span.start + s.start, p.chunk.span.start + s.end))
        for p in cited
        for s in sentences(p.chunk.text)
    ]
    parts = [_slice(p, span) for p, span in places]
    whole = "\n".join(f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.text}" for p in cited)
    verdict, score, reasons, scores = _weigh(sentence.text, parts, whole, similar)
    evidence = []
    for passage in cited:
        mine = [n for n, (p, _) in enumerate(places) if p.number == passage.number]
        if mine:
            best = max(mine, key=lambda n: scores[n])
            evidence.append(_evidence(passage, places[best][1]))
    return Claim(sentence, tuple(evidence), verdict, score, reasons)


def _slice(passage: Passage, span: Span) -> str:
    at = passage.chunk.span.start
    return passage.chunk.text[span.start - at : span.end - at]


def _evidence(passage: Passage, span: Span) -> Evidence:
    chunk = passage.chunk
    line = chunk.line + line_of(chunk.text, span.start - chunk.span.start) - 1
    return Evidence(passage.number, chunk.document, chunk.source, span, _slice(passage, span), line, chunk.page)


def _weigh(
    text: str, parts: Sequence[str], whole: str, similar: Similar
) -> tuple[Verdict, float, tuple[str, ...], list[float]]:
    """Verdict, score and reasons for `text` against the sentences `parts` of what it cites, and the score of each part."""
    cosines = similar(text, parts)
    overlaps = [overlap(text, part) for part in parts]
    scores = [0.5 * max(0.0, float(c)) + 0.5 * o for c, o in zip(cosines, overlaps, strict=True)]
    best = max(range(len(parts)), key=scores.__getitem__) if parts else -1
    if best < 0:
        return Verdict.UNSUPPORTED, 0.0, ("the passage is empty",), []
    score = min(1.0, max(scores[best], 0.5 * float(cosines[best]) + 0.5 * overlap(text, whole)))
    found = _exact(text, parts[best], whole, overlaps[best])
    reasons = tuple(found.against + found.missing + found.good)
    near = f"nearest sentence {score:.2f}"
    if found.against:
        return Verdict.CONTRADICTED, min(score, 0.2), (*reasons, near), scores
    if found.missing:
        verdict = Verdict.PARTLY if score >= SUPPORTED_FROM and found.good else Verdict.UNSUPPORTED
        return verdict, min(score, 0.5 if verdict is Verdict.PARTLY else 0.3), (*reasons, near), scores
    if score >= SUPPORTED_FROM:
        return Verdict.SUPPORTED, score, (*reasons, near), scores
    verdict = Verdict.PARTLY if score >= PARTLY_FROM else Verdict.UNSUPPORTED
    return verdict, score, (*reasons, f"{near}, below {SUPPORTED_FROM}"), scores


def overlap(text: str, other: str) -> float:
    """Share of the content words of `text` that `other` has, 0..1."""
    mine, theirs = set(facts.words(text)), set(facts.words(other))
    return len(mine & theirs) / len(mine) if mine else 0.0


def _exact(text: str, closest: str, whole: str, aligned: float) -> _Found:
    found = _Found([], [], [])
    days, rest = facts.dates(text)
    their_days, their_rest = facts.dates(whole)
    near_days, near_rest = facts.dates(closest)
    for day in days:
        _file(found, day.shown, any(day.agrees(d) for d in their_days), aligned, [d.shown for d in near_days])
    theirs = facts.numbers(their_rest) + [_year(d.year) for d in their_days if d.year]
    near = [n.shown for n in facts.numbers(near_rest)]
    for number in facts.numbers(rest):
        _file(found, number.shown, any(number.agrees(n) for n in theirs), aligned, near)
    folded = facts.fold(whole)
    their_words = {facts.stem(w) for w in facts.tokens(folded)}
    for name in facts.names(text):
        lost = [
            w
            for w in facts.tokens(facts.fold(name))
            if not facts.is_stop(w) and not facts.has(facts.stem(w), their_words)
        ]
        (found.missing if lost else found.good).append(f"{name}: {'not in the source' if lost else 'found'}")
    flat = facts.flat(whole)
    for quote in facts.quotations(text):
        there = facts.flat(quote) in flat
        (found.good if there else found.missing).append(
            f"“{quote[:60]}”: {'found' if there else 'not in the source word for word'}"
        )
    if (
        aligned >= _ALIGNED
        and facts.negations(text) % 2 != facts.negations(closest) % 2
        and _same_length(text, closest)
    ):
        found.against.append("one of the two says “not”, the other does not")
    return found


def _year(year: int) -> facts.Number:
    return facts.Number(frozenset((float(year),)), False, str(year))


def _file(found: _Found, shown: str, there: bool, aligned: float, near: Sequence[str]) -> None:
    """Put a number or date to what was found, to what is missing, or, where the source gives another one, against."""
    if there:
        found.good.append(f"{shown}: found")
    elif near and aligned >= _ALIGNED:
        found.against.append(f"{shown}: the source says {', '.join(near[:3])}")
    else:
        found.missing.append(f"{shown}: not in the source")


def _same_length(text: str, closest: str) -> bool:
    mine, theirs = len(facts.words(text)), len(facts.words(closest))
    return theirs <= 1.6 * mine + 2
