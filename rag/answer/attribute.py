"""Finds the passage that supports a sentence of a chat model, and sets its footnote.

The sentence is checked against each passage by itself, those first that have most of its words. If
none supports it, it is checked against the two best laid end to end, and then against passages that
a search for the sentence finds. A passage that says something else (another number, another name, a
negation) weighs more than one that supports the sentence with fewer of its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answer.check import Judge, check_sentence, word_overlap
from rag.domain import Citation, Claim, Passage, Sentence, Span, Verdict
from rag.text.units import view_of

#: a text and how many passages -> the nearest passages
Search = Callable[[str, int], Sequence[Passage]]

_MAX_CHECKED = 5  # given passages that a sentence is checked against
_MAX_FOUND = 2  # passages that a search for a sentence adds
#: share of a sentence's words from which a passage may contradict it
_MIN_OVERLAP = 0.3
#: the signs and words of each currency
_CURRENCIES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\$|\busd\b|\bdollars?\b",
        r"€|\beur\b|\beuros?\b",
        r"£|\bgbp\b|\bpounds?\b|\bsterling\b",
        r"¥|\bjpy\b|\byen\b|\bcny\b|\byuan\b",
    )
)
#: verdicts from the best to the worst for the choice of a passage; others come last
_ORDER = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.PARTLY, Verdict.UNSUPPORTED)


class Attribution:
    """The passages that the sentences of one answer may cite; a search can add to them."""

    def __init__(self, passages: Sequence[Passage], judge: Judge, search: Search) -> None:
        self.passages = list(passages)
        self._judge, self._search = judge, search

    def claim(self, text: str) -> Claim:
        """The claim of a sentence with the footnotes that support it best.

        If its verdict is another than `SUPPORTED`, its evidence is what the nearest passage says.
        """
        claims = self._check_each(text, self.passages)
        best = self._best(text, claims)
        if best is None or best.verdict is Verdict.CONTRADICTED:
            return best or self._check(text, self.passages[:1])
        if best.verdict is Verdict.SUPPORTED:
            return best
        together = self._check_together(text, claims)
        if together and together.verdict is Verdict.SUPPORTED:
            return together
        return self._claim_found(text) or best

    def _check_each(self, text: str, passages: Sequence[Passage]) -> list[Claim]:
        """The claims of a sentence that cites one passage each, nearest first.

        It ends at the first passage that supports the sentence with nothing against it before.
        """
        overlaps = {p.number: word_overlap(text, p.chunk.text) for p in passages}
        nearest = sorted(passages, key=lambda p: -overlaps[p.number])[:_MAX_CHECKED]
        claims: list[Claim] = []
        for passage in nearest:
            claims.append(self._check(text, [passage]))
            if claims[-1].verdict is Verdict.SUPPORTED:
                break
        return claims

    def _best(self, text: str, claims: Sequence[Claim]) -> Claim | None:
        """The claim that counts: a contradiction only if no nearer evidence supports it."""
        if not claims:
            return None
        against = [
            _evidence_overlap(text, claim)
            for claim in claims
            if claim.verdict is Verdict.CONTRADICTED
        ]
        strongest = max([value for value in against if value >= _MIN_OVERLAP], default=0.0)
        for claim in claims:
            if claim.verdict is Verdict.SUPPORTED and _evidence_overlap(text, claim) >= strongest:
                return claim
        order = [v for v in _ORDER if v is not Verdict.SUPPORTED or not strongest]
        return min(
            claims,
            key=lambda c: (
                order.index(c.verdict) if c.verdict in order else len(order),
                -_evidence_overlap(text, c),
            ),
        )

    def _check_together(self, text: str, claims: Sequence[Claim]) -> Claim | None:
        """The claim of a sentence that cites the two passages that support it best."""
        usable = [claim for claim in claims if claim.verdict is not Verdict.CONTRADICTED]
        if len(usable) < len(claims) or len(usable) < 2:
            return None
        best = sorted(usable, key=lambda claim: -claim.score)[:2]
        numbers = sorted(claim.sentence.citations[0].number for claim in best)
        return self._check(text, [p for p in self.passages if p.number in numbers])

    def _claim_found(self, text: str) -> Claim | None:
        """The claim that cites a passage found by a search for the sentence; None if none does."""
        known = {(passage.chunk.document, passage.chunk.span) for passage in self.passages}
        last = max((passage.number for passage in self.passages), default=0)
        found: list[Passage] = []
        for passage in self._search(text, _MAX_CHECKED):
            chunk = passage.chunk
            if (chunk.document, chunk.span) not in known and len(found) < _MAX_FOUND:
                found.append(replace(passage, number=last + 1))
        for passage in found:
            claim = self._check(text, [passage])
            if claim.verdict is Verdict.SUPPORTED:
                self.passages.append(passage)
                return claim
        return None

    def _check(self, text: str, passages: Sequence[Passage]) -> Claim:
        """The claim of a sentence that cites all of `passages`.

        It is `UNSUPPORTED` if it names a currency that none of them names.
        """
        citations = tuple(Citation(passage.number, Span(0, 0)) for passage in passages)
        sentence = Sentence(text, Span(0, len(text)), citations)
        claim = check_sentence(sentence, passages, self._judge)
        if claim.verdict is Verdict.SUPPORTED and (unit := _unknown_currency(text, passages)):
            reason = f"{unit}: the source names no such currency"
            return replace(claim, verdict=Verdict.UNSUPPORTED, reasons=(reason, *claim.reasons))
        return claim


def _unknown_currency(text: str, passages: Sequence[Passage]) -> str:
    """A currency of the sentence that none of the passages names; "" if there is none.

    Models add one to an amount that stands alone in a table.
    """
    whole = "\n".join(
        f"{p.chunk.title}\n{p.chunk.heading}\n{view_of(p.chunk).text}\n"
        + "\n".join(unit.context for unit in p.chunk.units)
        for p in passages
    )
    for pattern in _CURRENCIES:
        found = pattern.search(text)
        if found and not pattern.search(whole):
            return found[0]
    return ""


def _evidence_overlap(text: str, claim: Claim) -> float:
    """Share of the sentence's content words that the claim's evidence has, 0..1."""
    return word_overlap(text, " ".join(evidence.text for evidence in claim.evidence))
