"""Sentence + the passages it cites -> claim with a verdict and its reasons.

Two judges, both of which must be content:

* The exact one: every number, date, percentage and literal quotation of the sentence must be in what it cites, after
  normalising (`facts`), and no name may stand in another one's place. What is missing is named in the reasons. A number that
  the closest sentence gives differently, or a negation that only one side has, is a contradiction, not an omission.
* The trained one: the model's logits for "this passage supports the sentence", put together with how near the nearest sentence
  is (shared content words and cosine), how long the source is and what the exact judge found, by a logistic regression that was
  fitted on claims held out of training (`rag.training.fit`). `score` is its probability.

A name that the source lacks refuses where the source has a sentence like this one, which is then about somebody else. In other
words, "the minister" may be he: there it is said in the reasons and weighs in the regression, no more. That, and the source's
length, were chosen by leaving out one set of claims at a time: balanced accuracy on the set left out rose from 0.73 to 0.75
(n 1,094, six sets, documents kept for tuning).

A verbatim quotation is compared character by character and needs neither.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from rag.domain import Claim, Evidence, Passage, Sentence, Span, Support, Verdict
from rag.text import facts
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.foreign_marks import quote_foreign
from rag.text.sentences import line_number, split_sentences

#: cosines of one text with others, shape (n,)
Similar = Callable[[str, Sequence[str]], Sequence[float]]

_REFERENCE_LENGTH = 500  # characters of a source at which its length says nothing
_POINTER_BONUS = 0.2  # what the model's pointer to the evidence adds to a sentence's similarity
_SAME_SENTENCE_OVERLAP = (
    0.75  # share from which they are one sentence, and a number must be in that very sentence
)
_ONE_SENTENCE = 250  # words; a longer text is not held against the closest sentence word by word
_MIN_SHARED_WORDS = 3  # words beside a name, below which two sentences are not held to be one
_ALIGNED_OVERLAP = 0.6  # share of the sentence's words in the closest one, from which a difference is a contradiction
#: the whole sentences that need no source: they announce an answer and state nothing of what is asked. Compared whole, with
#: case, white space, emphasis and one closing mark folded; a sentence that is not here needs a source, however it ends
NEEDS_NONE = frozenset(
    (
        "in short|in summary|in brief|to summarise|to summarize|answer|the answer|summary|"
        "here is the answer|here is a summary|here is a short summary|here is a list|here is a short list|"
        "here is an overview|here are the answers|here are the details|here are the facts|here are the points|"
        "here is what the documents say|here is what the passages say|here is what the sources say|"
        "the following is a summary|the following is a list|the sources differ"
    ).split("|")
)
_CLOSING = (".", ":", ",", "\u2026")


@dataclass(frozen=True, slots=True)
class CheckFit:
    """Of the logistic regression: a weight for each of `SIGNALS`, the constant, and the scores that verdicts begin at."""

    weights: tuple[float, ...]
    constant: float
    supported_from: float
    partly_from: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> CheckFit:
        """From the numbers as the model's file holds them."""
        values = [float(n) for n in numbers]
        return cls(tuple(values[:-3]), *values[-3:])

    def score(self, signals: Sequence[float]) -> float:
        """Probability that the sentence is supported, 0..1."""
        return _sigmoid(
            self.constant + sum(w * s for w, s in zip(self.weights, signals, strict=True))
        )


#: what the regression sees: the model's logits, the nearest sentence's similarity, the share of words that the passages have, and
#: how much the exact judge found missing or contradicted (each counted up to 2), and the logarithm of the source's length
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


@dataclass(frozen=True, slots=True)
class Judge:
    """The machines of the check."""

    similar: Similar
    support: Callable[[str, Sequence[str]], Sequence[Support]]
    fit: CheckFit


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a sentence and what it cites before a verdict is given.

    `parts` scores each sentence of the source; `pointed` is where the model sees the evidence in each text it was given.
    """

    signals: tuple[float, ...]
    found: _ExactFindings
    parts: tuple[float, ...]
    pointed: tuple[Span | None, ...] = ()

    @property
    def refused(self) -> bool:
        """Is the exact judge not content, whatever the trained one says?"""
        return bool(self.found.missing or self.found.against)


@dataclass(frozen=True, slots=True)
class _ExactFindings:
    """The exact judge's findings; `unknown` are names that the source lacks."""

    good: list[str]
    missing: list[str]
    against: list[str]
    unknown: list[str]


def check_sentence(sentence: Sentence, passages: Sequence[Passage], by: Judge) -> Claim:
    """The claim of `sentence`. `passages` are those that were handed to the writer."""
    known = {p.number: p for p in passages}
    if not _needs_source(sentence):
        return Claim(
            sentence, (), Verdict.NEEDS_NONE, 1.0, ("announces an answer and states nothing",)
        )
    if not sentence.citations:
        return Claim(sentence, (), Verdict.UNCITED, 0.0, ("no source is given",))
    unknown = sorted({c.number for c in sentence.citations if c.number not in known})
    cited = [known[n] for n in dict.fromkeys(c.number for c in sentence.citations) if n in known]
    if sentence.quote is not None and cited and not unknown:
        return _verbatim(sentence, cited[0])
    claim = (
        _check_against_sources(sentence, cited, by)
        if cited
        else Claim(sentence, (), Verdict.UNSUPPORTED, 0.0)
    )
    if unknown:
        reason = f"[{'], ['.join(map(str, unknown))}]: no passage has this number"
        return Claim(sentence, claim.evidence, Verdict.DANGLING, 0.0, (reason, *claim.reasons))
    return claim


def check_claim(claim: str, passage: str, by: Judge) -> tuple[Verdict, float, tuple[str, ...]]:
    """The same verdict for a claim that somebody else wrote about a passage of text."""
    return _verdict(
        gather_signals(
            claim,
            [s.of(passage) for s in split_sentences(passage)] or [passage],
            [passage],
            passage,
            by,
        ),
        by.fit,
    )


def _needs_source(sentence: Sentence) -> bool:
    """True unless the whole sentence is one of `NEEDS_NONE`. A sentence with a citation is always checked."""
    if sentence.citations or sentence.quote:
        return True
    text = " ".join(sentence.text.split()).strip("*_")
    return (
        text.removesuffix(text[-1:] if text.endswith(_CLOSING) else "").strip("*_").casefold()
        not in NEEDS_NONE
    )


def _verbatim(sentence: Sentence, passage: Passage) -> Claim:
    assert sentence.quote is not None
    if (
        sentence.quote.within(passage.chunk.span)
        and _slice(passage, sentence.quote) == sentence.text
    ):
        return Claim(
            sentence,
            (_evidence(passage, sentence.quote),),
            Verdict.SUPPORTED,
            1.0,
            (f"verbatim in [{passage.number}]",),
        )
    return Claim(sentence, (), Verdict.UNSUPPORTED, 0.0, (f"not verbatim in [{passage.number}]",))


def _check_against_sources(sentence: Sentence, cited: Sequence[Passage], by: Judge) -> Claim:
    places = [
        (p, Span(p.chunk.span.start + s.start, p.chunk.span.start + s.end))
        for p in cited
        for s in split_sentences(p.chunk.text)
    ]
    parts = [_slice(p, span) for p, span in places]
    whole = "\n".join(f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.text}" for p in cited)
    texts = [p.chunk.text for p in cited]
    weighed = gather_signals(
        sentence.text, parts, texts if len(texts) == 1 else [*texts, "\n".join(texts)], whole, by
    )
    verdict, score, reasons = _verdict(weighed, by.fit)
    evidence = []
    for passage, pointed in zip(cited, weighed.pointed, strict=False):
        mine = [n for n, (p, _) in enumerate(places) if p.number == passage.number]
        if mine:
            best = max(
                mine,
                key=lambda n: (
                    weighed.parts[n] + _POINTER_BONUS * _points_into(places[n][1], passage, pointed)
                ),
            )
            evidence.append(_evidence(passage, places[best][1]))
    return Claim(sentence, tuple(evidence), verdict, score, reasons)


def _slice(passage: Passage, span: Span) -> str:
    at = passage.chunk.span.start
    return passage.chunk.text[span.start - at : span.end - at]


def _evidence(passage: Passage, span: Span) -> Evidence:
    chunk = passage.chunk
    line = chunk.line + line_number(chunk.text, span.start - chunk.span.start) - 1
    return Evidence(
        passage.number, chunk.document, chunk.source, span, _slice(passage, span), line, chunk.page
    )


def gather_signals(
    text: str, parts: Sequence[str], texts: Sequence[str], whole: str, by: Judge
) -> Signals:
    """`text` against the sentences `parts` of what it cites, its passages `texts`, and all that stands there, titles too."""
    if not parts or not any(parts):
        return Signals(
            (-9.0, -9.0, -9.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            _ExactFindings([], ["the passage is empty"], [], []),
            tuple(0.0 for _ in parts),
        )
    cosines = by.similar(text, parts)
    words = set(facts.content_stems(text))  # once: a passage may have thousands of sentences
    overlaps = [_share(words, part) for part in parts]
    scores = [0.5 * max(0.0, float(c)) + 0.5 * o for c, o in zip(cosines, overlaps, strict=True)]
    best = max(range(len(parts)), key=scores.__getitem__)
    found = _compare_exactly(text, parts[best], whole, overlaps[best])
    judged = by.support(text, texts)
    model = max(judged, key=lambda s: s.supported)
    signals = (
        model.supported, model.partly, model.against, scores[best], word_overlap(text, whole),
        float(min(2, len(found.missing) + len(found.unknown))), float(min(2, len(found.against))), math.log(max(1, len(whole)) / _REFERENCE_LENGTH),
    )  # fmt: skip
    return Signals(signals, found, tuple(scores), tuple(j.evidence for j in judged))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _points_into(sentence: Span, passage: Passage, pointed: Span | None) -> bool:
    """Does the model's evidence lie in this sentence (a span of the document)?"""
    return (
        pointed is not None
        and sentence.start <= passage.chunk.span.start + pointed.start < sentence.end
    )


def _verdict(weighed: Signals, fit: CheckFit) -> tuple[Verdict, float, tuple[str, ...]]:
    """Verdict, score and the reasons of both judges. Either can refuse; neither alone can accept."""
    found, score = weighed.found, fit.score(weighed.signals)
    supported, partly, against = (_sigmoid(s) for s in weighed.signals[:3])
    said = f"model: supported {supported:.2f}, at least in part {partly:.2f}, contradicted {against:.2f}"
    reasons = (*found.against, *found.missing, *found.unknown, *found.good, said)
    if found.against:
        return Verdict.CONTRADICTED, min(score, 0.2), reasons
    if score >= fit.supported_from and not found.missing:
        return Verdict.SUPPORTED, score, reasons
    if against >= 0.5 and against > supported and weighed.signals[3] >= _ALIGNED_OVERLAP:
        return Verdict.CONTRADICTED, min(score, 0.3), reasons
    if found.missing:
        partial = score >= fit.supported_from and found.good
        return (
            (Verdict.PARTLY if partial else Verdict.UNSUPPORTED),
            min(score, 0.5 if partial else 0.3),
            reasons,
        )
    return (Verdict.PARTLY if score >= fit.partly_from else Verdict.UNSUPPORTED), score, reasons


def word_overlap(text: str, other: str) -> float:
    """Share of the content words of `text` that `other` has, 0..1."""
    return _share(set(facts.content_stems(text)), other)


def _share(words: set[str], other: str) -> float:
    return len(words.intersection(facts.content_stems(other))) / len(words) if words else 0.0


def _compare_exactly(text: str, closest: str, whole: str, aligned: float) -> _ExactFindings:
    found = _ExactFindings([], [], [], [])
    if not facts.content_stems(text):
        found.missing.append("the sentence holds no word that can be compared with a source")
    _figures(found, text, closest, whole, aligned)
    folded = facts.fold_text(whole)
    their_words = WordIndex({facts.stem(w) for w in facts.word_tokens(folded)})
    names = _Names(text, closest)
    for name in facts.find_names(text):
        lost = [
            w
            for w in facts.word_tokens(facts.fold_text(name))
            if not facts.is_stop_word(w) and not their_words.has(facts.stem(w))
        ]
        other = names.exchanged(name)
        if other:
            found.missing.append(f"{name}: the source says {other} there")
        elif lost:
            (found.missing if aligned >= _ALIGNED_OVERLAP else found.unknown).append(
                f"{name}: not in the source"
            )
        else:
            found.good.append(f"{name}: found")
    flat = facts.flatten_text(whole)
    for quote in facts.find_quotations(text):
        there = facts.flatten_text(quote) in flat
        (found.good if there else found.missing).append(
            f"“{quote_foreign(quote[:60])}”: {'found' if there else 'not in the source word for word'}"
        )
    if (
        aligned >= _ALIGNED_OVERLAP
        and facts.count_negations(text) % 2 != facts.count_negations(closest) % 2
        and _same_length(text, closest)
    ):
        found.against.append("one of the two says “not”, the other does not")
    return found


def _figures(found: _ExactFindings, text: str, closest: str, whole: str, aligned: float) -> None:
    """The dates and numbers of `text`: put each to what was found, is missing or contradicted.

    Where the closest sentence lacks one, those that it has and the text lacks stand in its place: one was put for the other. That
    the passage has it elsewhere does not help: "built in 1823, sold in 1901" does not support "built in 1901".
    """
    days, rest = facts.find_dates(text)
    their_days, their_rest = facts.find_dates(whole)
    near_days, near_rest = facts.find_dates(closest)
    known, near, mine = DateIndex(their_days), DateIndex(near_days), DateIndex(days)
    instead = (
        [d.shown for d in near_days if not mine.agree(d)]
        if aligned >= _SAME_SENTENCE_OVERLAP
        else []
    )
    shown = [d.shown for d in near_days]
    for day in days:
        other = [] if near.agree(day) else instead
        _record_finding(found, day.shown, known.agree(day) and not other, aligned, other or shown)
    numbers, close = facts.find_numbers(rest), facts.find_numbers(near_rest)
    theirs = NumberIndex(
        facts.find_numbers(their_rest) + [_year(d.year) for d in their_days if d.year]
    )
    beside, own = NumberIndex(close), NumberIndex(numbers)
    instead = (
        [n.shown for n in close if not (own.bear_out(n) or own.rest_on(n))]
        if aligned >= _SAME_SENTENCE_OVERLAP
        else []
    )
    shown = [n.shown for n in close]
    for number in numbers:
        other = [] if beside.bear_out(number) else instead
        _record_finding(
            found, number.shown, theirs.bear_out(number) and not other, aligned, other or shown
        )


class _Names:
    """A sentence beside the closest one of its source: which name was put for which."""

    def __init__(self, text: str, closest: str) -> None:
        self._mine, self._theirs = facts.word_tokens(text), facts.word_tokens(closest)
        self._stems, self._others = (
            [facts.stem(facts.fold_text(w)) for w in words] for words in (self._mine, self._theirs)
        )
        self._said = Counter(w for w in self._stems if not facts.is_stop_word(w))
        there = set(self._others)
        self._there, self._shared = (
            there,
            sum(times for w, times in self._said.items() if w in there),
        )

    def exchanged(self, name: str) -> str:
        """The name that the closest sentence has in the place of this one, between the same words; "" where there is none.

        The two must be one sentence but for the name. That the passage has the name elsewhere does not help. A pronoun or a
        description in its place may mean the same one: those are left to the model, and so are initials ("UN" for "United Nations").
        """
        words = {facts.stem(facts.fold_text(w)) for w in facts.word_tokens(name)}
        if words & self._there:
            return ""
        said = self._said.total() - sum(self._said[w] for w in words)
        if (
            said < _MIN_SHARED_WORDS or self._shared < _SAME_SENTENCE_OVERLAP * said
        ):  # none of `words` is shared
            return ""
        for low, high, start, end in self._replaced:
            if not words & set(self._stems[low:high]):
                continue
            there = [
                w for w in self._theirs[start:end] if not facts.is_stop_word(facts.fold_text(w))
            ]
            here = [w for w in self._mine[low:high] if not facts.is_stop_word(facts.fold_text(w))]
            if there and all(w[0].isupper() for w in there + here) and not _initials(here, there):
                return " ".join(self._theirs[start:end])
        return ""

    @cached_property
    def _replaced(self) -> list[tuple[int, int, int, int]]:
        """Ranges of words of the text (from, to) and of the closest sentence (from, to) that stand in each other's place."""
        if (
            max(len(self._stems), len(self._others)) > _ONE_SENTENCE
        ):  # aligning costs the product of the lengths and more
            return []
        found = SequenceMatcher(None, self._stems, self._others, autojunk=False).get_opcodes()
        return [
            (low, high, start, end) for kind, low, high, start, end in found if kind == "replace"
        ]


def _initials(one: Sequence[str], other: Sequence[str]) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) == 1 < len(long) and short[0].upper().startswith(
        "".join(w[0] for w in long).upper()[:2]
    )


def _year(year: int) -> facts.Number:
    return facts.Number(frozenset((float(year),)), False, str(year))


def _record_finding(
    found: _ExactFindings, shown: str, there: bool, aligned: float, near: Sequence[str]
) -> None:
    """Put a number or date to what was found, to what is missing, or, where the source gives another one, against."""
    if there:
        found.good.append(f"{shown}: found")
    elif near and aligned >= _ALIGNED_OVERLAP:
        found.against.append(f"{shown}: the source says {', '.join(near[:3])}")
    else:
        found.missing.append(f"{shown}: not in the source")


def _same_length(text: str, closest: str) -> bool:
    """Neither has a second half in which the "not" could stand."""
    mine, theirs = len(facts.content_stems(text)), len(facts.content_stems(closest))
    return theirs <= 1.6 * mine + 2 and mine <= 1.4 * theirs + 1
