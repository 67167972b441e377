"""The scores of a case: arithmetic over words, names and numbers, without files and models.

A score that is pooled over cases is a `Pair` (numerator, denominator): the summary figure is the
ratio of the sums. A pair with denominator 0 adds nothing to it.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

Pair = tuple[float, float]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved or cited passage: its source, then the sources of its copies, and its text."""

    names: tuple[str, ...]
    text: str = ""


# -- answers --


def normalise(text: str) -> str:
    """Return `text` in lower case, without ASCII punctuation and articles, as SQuAD does.

    Rajpurkar et al. 2016.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def em(prediction: str, golds: Sequence[str]) -> float:
    """Return 1 if the prediction equals any gold answer after normalisation, else 0."""
    return float(normalise(prediction) in _golds(golds))


def f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the best F1 of the bags of words over the gold answers (Rajpurkar et al. 2016)."""
    return max(_overlap(normalise(prediction).split(), gold.split()) for gold in _golds(golds))


def _golds(golds: Sequence[str]) -> list[str]:
    """Return the gold answers that have words after normalisation, or [""], as SQuAD 2.0 does."""
    return [gold for gold in map(normalise, golds) if gold] or [""]


def _overlap(said: list[str], gold: list[str]) -> float:
    if not said or not gold:  # SQuAD 2.0: an empty answer agrees only with an empty one
        return float(said == gold)
    common = (Counter(said) & Counter(gold)).total()
    return 2 * common / (len(said) + len(gold))


def contains(text: str, golds: Sequence[str]) -> float:
    """Return 1 if the text has a gold answer as whole words, after normalisation, else 0."""
    padded = f" {normalise(text)} "
    return float(any(f" {gold} " in padded for gold in _golds(golds) if gold))


def overall(mark: float, abstained: bool, answerable: bool) -> float:
    """Return the answer's score, or for an unanswerable question 1 for abstaining.

    SQuAD 2.0's rule (Rajpurkar et al. 2018).
    """
    return (0.0 if abstained else mark) if answerable else float(abstained)


# -- retrieval --


def same(source: str, other: str) -> bool:
    """Whether two sources name one document: equal, or one is the end of the other's path."""
    return source == other or source.endswith(f"/{other}") or other.endswith(f"/{source}")


def fold(hits: Sequence[Hit]) -> list[tuple[str, ...]]:
    """Return the documents of ranked passages, each where it is named first."""
    seen: set[str] = set()
    ranked = []
    for hit in hits:
        fresh = tuple(dict.fromkeys(name for name in hit.names if name not in seen))
        seen.update(fresh)
        if fresh:
            ranked.append(fresh)
    return ranked


def gains(hits: Sequence[Hit], golds: Collection[str]) -> list[int]:
    """Return for each ranked document how many gold documents it is the first to contain."""
    missing = set(golds)
    found = []
    for names in fold(hits):
        met = {gold for gold in missing if any(same(name, gold) for name in names)}
        missing -= met
        found.append(len(met))
    return found


def recall(hits: Sequence[Hit], golds: Collection[str], k: int) -> float:
    """Return the share of the gold documents among the first k documents."""
    return sum(gains(hits, golds)[:k]) / len(set(golds))


def ndcg(hits: Sequence[Hit], golds: Collection[str], k: int = 10) -> float:
    """Return the normalised discounted cumulative gain at k, binary, discount 1 / log2(rank + 1).

    Järvelin and Kekäläinen 2002. Gold documents that are copies in one ranked document take one
    place in the ideal ranking too.
    """
    found = gains(hits, golds)
    places = [int(gain > 0) for gain in found]
    ideal = [1] * (sum(places) + len(set(golds)) - sum(found))
    return _dcg(places[:k]) / _dcg(ideal[:k])


def _dcg(relevant: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(relevant, 1))


def mrr(hits: Sequence[Hit], golds: Collection[str], k: int = 10) -> float:
    """Return the reciprocal rank of the first gold document, 0 beyond k; its mean is MRR@k.

    Voorhees 1999, TREC-8.
    """
    return next((1 / rank for rank, gain in enumerate(gains(hits, golds)[:k], 1) if gain), 0.0)


def quote_recall(hits: Sequence[Hit], quotes: Sequence[str], k: int) -> float:
    """Return the share of the gold quotes that one of the first k passages contains.

    White space is collapsed.
    """
    texts = [_collapsed(hit.text) for hit in hits[:k]]
    return sum(any(_collapsed(quote) in text for text in texts) for quote in quotes) / len(quotes)


def _collapsed(text: str) -> str:
    return " ".join(text.split())


# -- citations --


def valid(markers: Sequence[int], numbers: Collection[int]) -> Pair:
    """Return the markers with the number of a passage, of all markers."""
    return sum(marker in numbers for marker in markers), len(markers)


def exact(matches: Sequence[bool]) -> Pair:
    """Return the evidence quotes that are in the file at their span, of all."""
    return sum(matches), len(matches)


def precision(cited: Sequence[Hit], golds: Collection[str]) -> Pair:
    """Return the cited documents that are gold, of all cited documents."""
    documents = fold(cited)
    return sum(
        any(same(name, gold) for name in names for gold in golds) for names in documents
    ), len(documents)


def coverage(cited: Sequence[Hit], golds: Collection[str]) -> Pair:
    """Return the gold documents that are cited, of all: the recall of citations."""
    return sum(gains(cited, golds)), len(set(golds))


def supported(verdicts: Sequence[str]) -> Pair:
    """Return the sentences judged supported, of those that need support."""
    needing = [verdict for verdict in verdicts if verdict not in ("needs_none", "listed")]
    return needing.count("supported"), len(needing)


# -- abstention --


def abstention(abstained: bool, answerable: bool) -> Iterator[tuple[str, Pair]]:
    """Yield the figures of abstaining as a classifier of unanswerable questions.

    F1 is 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979).
    """
    right, false = int(abstained and not answerable), int(abstained and answerable)
    missed = int(not abstained and not answerable)
    yield "precision", (right, right + false)
    yield "recall", (right, right + missed)
    yield "f1", (2 * right, 2 * right + false + missed)
    yield "answered_wrongly", (missed, right + missed)


# -- two runs --


def mcnemar(worse: int, better: int) -> float:
    """Return the two-sided p-value of the exact test of McNemar (1947).

    Of the cases that changed, `worse` went one way and `better` the other. If neither run is
    better, both are as likely: a binomial test with 1/2 (Dietterich 1998, section 3.1; the exact
    conditional test of Fagerland, Lydersen and Laake 2013). It is 1 if nothing changed.
    """
    changed = worse + better
    tail = sum(math.comb(changed, k) for k in range(min(worse, better) + 1))
    return min(1.0, 2 * tail / 2**changed)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for the number of tests (Holm 1979, step-down).

    If those below 0.05 count as finds, the probability of any false find is at most 0.05.
    """
    adjusted, floor = [0.0] * len(p_values), 0.0
    for step, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        floor = max(floor, min(1.0, (len(p_values) - step) * p_values[at]))
        adjusted[at] = floor
    return adjusted


# -- answering or not --


def risk_coverage(answered: Sequence[tuple[float, float]], asked: int) -> list[tuple[float, float]]:
    """Return the points (coverage, risk), from the surest answer on.

    `answered` has the probability and the score (0..1) of each answer, `asked` is the number of
    questions. Risk is the mean of 1 - score over the answers of at least that probability, coverage
    their share of all questions (El-Yaniv and Wiener 2010). Answers of equal probability form one
    point. Pass only questions that can be scored.
    """
    points, lost = [], 0.0
    ranked = sorted(answered, key=lambda each: -each[0])
    for count, (chance, mark) in enumerate(ranked, 1):
        lost += 1 - mark
        if count == len(ranked) or ranked[count][0] < chance:
            points.append((count / asked, lost / count))
    return points


def calibration_error(
    chances: Sequence[float], truth: Sequence[bool], weights: Sequence[float], bins: int = 10
) -> float:
    """The expected calibration error: how far probabilities are from the shares that are true.

    The mean over bins of equal width of the distance between both, weighted by the bin's size.
    """
    sums = [[0.0, 0.0, 0.0] for _ in range(bins)]
    for chance, value, weight in zip(chances, truth, weights, strict=True):
        own = sums[min(bins - 1, int(chance * bins))]
        own[0] += weight * chance
        own[1] += weight * value
        own[2] += weight
    total = sum(own[2] for own in sums)
    return sum(abs(own[0] - own[1]) for own in sums) / total if total else 0.0
