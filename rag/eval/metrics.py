"""Each case's marks: pure arithmetic over words, names and numbers, with no file and no model in it.

A mark that is pooled over cases is a `Pair` (numerator, denominator): a summary figure is the ratio of the sums, and a
pair with denominator 0 says that the case has no part in it.
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
    """One retrieved or cited passage: the documents it stands in (its source, then its copies), and its text."""

    names: tuple[str, ...]
    text: str = ""


# -- answers --


def normalise(text: str) -> str:
    """SQuAD's own normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def em(prediction: str, golds: Sequence[str]) -> float:
    """Exact match after normalisation with any gold answer."""
    return float(normalise(prediction) in _golds(golds))


def f1(prediction: str, golds: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of the bag of words (Rajpurkar et al. 2016), best over the gold answers."""
    return max(_overlap(normalise(prediction).split(), gold.split()) for gold in _golds(golds))


def _golds(golds: Sequence[str]) -> list[str]:
    """Gold answers as SQuAD 2.0 takes them: those of which words are left, or the empty answer where there is none."""
    return [gold for gold in map(normalise, golds) if gold] or [""]


def _overlap(said: list[str], gold: list[str]) -> float:
    if not said or not gold:  # SQuAD 2.0: where one has no words left, only two empty ones agree
        return float(said == gold)
    common = (Counter(said) & Counter(gold)).total()
    return 2 * common / (len(said) + len(gold))


def contains(text: str, golds: Sequence[str]) -> float:
    """Whether a gold answer stands in the text, as whole words, after normalisation."""
    padded = f" {normalise(text)} "
    return float(any(f" {gold} " in padded for gold in _golds(golds) if gold))


def overall(mark: float, abstained: bool, answerable: bool) -> float:
    """SQuAD 2.0's rule (Rajpurkar et al. 2018): the answer's mark, or for an unanswerable question 1 for abstaining."""
    return (0.0 if abstained else mark) if answerable else float(abstained)


# -- retrieval --


def same(source: str, other: str) -> bool:
    """Whether two sources name one document: equal, or one is the end of the other's path."""
    return source == other or source.endswith(f"/{other}") or other.endswith(f"/{source}")


def fold(hits: Sequence[Hit]) -> list[tuple[str, ...]]:
    """Passages, best first, to documents, best first: what each passage names that no earlier one named."""
    seen: set[str] = set()
    ranked = []
    for hit in hits:
        fresh = tuple(dict.fromkeys(name for name in hit.names if name not in seen))
        seen.update(fresh)
        if fresh:
            ranked.append(fresh)
    return ranked


def gains(hits: Sequence[Hit], golds: Collection[str]) -> list[int]:
    """For each ranked document, how many gold documents are met there first (several where it has copies)."""
    missing = set(golds)
    found = []
    for names in fold(hits):
        met = {gold for gold in missing if any(same(name, gold) for name in names)}
        missing -= met
        found.append(len(met))
    return found


def recall(hits: Sequence[Hit], golds: Collection[str], k: int) -> float:
    """Share of the gold documents among the first k documents."""
    return sum(gains(hits, golds)[:k]) / len(set(golds))


def ndcg(hits: Sequence[Hit], golds: Collection[str], k: int = 10) -> float:
    """Normalised discounted cumulative gain at k (Järvelin and Kekäläinen 2002), binary, discount 1 / log2(rank + 1).

    Gold documents that one ranked document holds together (as copies) take one place in the ideal ranking too.
    """
    found = gains(hits, golds)
    places = [int(gain > 0) for gain in found]
    ideal = [1] * (sum(places) + len(set(golds)) - sum(found))
    return _dcg(places[:k]) / _dcg(ideal[:k])


def _dcg(relevant: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(relevant, 1))


def mrr(hits: Sequence[Hit], golds: Collection[str], k: int = 10) -> float:
    """Reciprocal rank of the first gold document, 0 beyond k (Voorhees 1999, TREC-8); its mean is MRR@k."""
    return next((1 / rank for rank, gain in enumerate(gains(hits, golds)[:k], 1) if gain), 0.0)


def quote_recall(hits: Sequence[Hit], quotes: Sequence[str], k: int) -> float:
    """Share of the gold quotes that lie whole inside one of the first k passages, white space collapsed."""
    texts = [_collapsed(hit.text) for hit in hits[:k]]
    return sum(any(_collapsed(quote) in text for text in texts) for quote in quotes) / len(quotes)


def _collapsed(text: str) -> str:
    return " ".join(text.split())


# -- citations --


def valid(markers: Sequence[int], numbers: Collection[int]) -> Pair:
    """Markers whose number is that of a passage, of all markers."""
    return sum(marker in numbers for marker in markers), len(markers)


def exact(matches: Sequence[bool]) -> Pair:
    """Evidence quotes that are in the file at their span, of all."""
    return sum(matches), len(matches)


def precision(cited: Sequence[Hit], golds: Collection[str]) -> Pair:
    """Cited documents that are gold, of all cited documents."""
    documents = fold(cited)
    return sum(
        any(same(name, gold) for name in names for gold in golds) for names in documents
    ), len(documents)


def coverage(cited: Sequence[Hit], golds: Collection[str]) -> Pair:
    """Gold documents that are cited, of all gold documents: the recall of citations."""
    return sum(gains(cited, golds)), len(set(golds))


def supported(verdicts: Sequence[str]) -> Pair:
    """Sentences found supported, of those that need support."""
    needing = [verdict for verdict in verdicts if verdict != "needs_none"]
    return needing.count("supported"), len(needing)


# -- abstention --


def abstention(abstained: bool, answerable: bool) -> Iterator[tuple[str, Pair]]:
    """Abstaining as a classifier of unanswerable questions; F1 is 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979)."""
    right, false = int(abstained and not answerable), int(abstained and answerable)
    missed = int(not abstained and not answerable)
    yield "precision", (right, right + false)
    yield "recall", (right, right + missed)
    yield "f1", (2 * right, 2 * right + false + missed)
    yield "answered_wrongly", (missed, right + missed)


# -- two runs --


def mcnemar(worse: int, better: int) -> float:
    """Two-sided p-value of the exact test of McNemar (1947): of the cases that changed, `worse` went one way, `better` the other.

    Where neither run is better, either way is as likely: a binomial test with 1/2 (Dietterich 1998, section 3.1; the exact
    conditional test of Fagerland, Lydersen and Laake 2013). 1 where nothing changed.
    """
    changed = worse + better
    tail = sum(math.comb(changed, k) for k in range(min(worse, better) + 1))
    return min(1.0, 2 * tail / 2**changed)


def holm(chances: Sequence[float]) -> list[float]:
    """p-values adjusted for being several (Holm 1979, step-down): below 0.05 the chance of even one false find is below 0.05."""
    adjusted, least = [0.0] * len(chances), 0.0
    for step, at in enumerate(sorted(range(len(chances)), key=lambda at: chances[at])):
        least = max(least, min(1.0, (len(chances) - step) * chances[at]))
        adjusted[at] = least
    return adjusted


# -- answering or not --


def risk_coverage(answered: Sequence[tuple[float, float]], asked: int) -> list[tuple[float, float]]:
    """(coverage, risk) from the surest answer on, of (chance, mark 0..1) of each answer and how many questions were asked.

    Risk is the mean of 1 - mark over what is answered from that chance on, coverage its share of all questions (El-Yaniv and
    Wiener 2010). Answers of one chance are answered together. Pass only questions that can be marked.
    """
    points, lost = [], 0.0
    ranked = sorted(answered, key=lambda each: -each[0])
    for count, (chance, mark) in enumerate(ranked, 1):
        lost += 1 - mark
        if count == len(ranked) or ranked[count][0] < chance:
            points.append((count / asked, lost / count))
    return points
