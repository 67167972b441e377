"""The arithmetic of an evaluation, against examples that were worked out by hand, and its laws as properties."""

import math
import random
import re
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.eval import metrics
from rag.eval.checker import Labelled, balanced_accuracy, judge_claims, roc_auc, summarise_checker
from rag.eval.interval import bootstrap_interval, quantile
from rag.eval.metrics import Hit
from rag.eval.records import JudgedClaim, Row
from tests.support.narrow import numbers

#: a judged claim: whether it is supported, the verdict, the score
Judged = tuple[bool, str, float]

# -- answers --


def test_normalisation_is_squads() -> None:
    assert metrics.normalise("  The  Quick, brown-fox's\tan  A ") == "quick brownfoxs"
    assert (
        metrics.normalise("Athena a-n theatre") == "athena theatre"
    )  # punctuation goes before articles
    assert metrics.normalise("“Über”") == "“über”"  # only ASCII punctuation, as in the original


@pytest.mark.parametrize(
    ("prediction", "golds", "em", "f1"),
    [
        ("The 5,000!", ["over 5,000", "5,000"], 1, 1),
        ("over 5,000", ["5,000"], 0, 2 / 3),  # precision 1/2, recall 1
        (
            "cat cat dog",
            ["cat dog dog"],
            0,
            2 / 3,
        ),  # a bag: one cat and one dog in common, of 3 and 3
        ("cat cat dog", ["cat cat"], 0, 4 / 5),  # two cats in common, of 3 and 2
        ("cat", ["dog", "cat food", "black cat food"], 0, 2 / 3),  # the best gold counts
        ("dog", ["cat"], 0, 0),
        ("", ["cat"], 0, 0),
        ("the", ["cat"], 0, 0),  # nothing is left of it
        ("The", ["the"], 1, 1),  # nothing is left of either
        (
            "the",
            ["the", "cat"],
            0,
            0,
        ),  # a gold answer without words left is dropped where there are others
    ],
)
def test_em_and_f1_by_hand(prediction: str, golds: list[str], em: float, f1: float) -> None:
    assert metrics.em(prediction, golds) == em
    assert metrics.f1(prediction, golds) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("text", "golds", "held"),
    [
        ("It met over 5,000 individual sanctions.", ["5,000"], 1),
        ("It met 15,000 sanctions.", ["5,000"], 0),  # whole words
        ("It was on RT, on Friday", ["BBC", "the RT"], 1),
        ("start", ["art"], 0),
        ("words", ["the"], 0),  # nothing is left of the gold answer
        ("", ["x"], 0),
    ],
)
def test_contains_by_hand(text: str, golds: list[str], held: float) -> None:
    assert metrics.contains(text, golds) == held


@given(st.text(), st.lists(st.text(), min_size=1))
def test_answer_marks_are_shares_and_em_is_the_strictest(prediction: str, golds: list[str]) -> None:
    em, f1 = metrics.em(prediction, golds), metrics.f1(prediction, golds)
    assert 0 <= em <= f1 <= 1
    if metrics.normalise(prediction):
        assert em <= metrics.contains(prediction, golds) <= 1


@pytest.mark.parametrize(
    ("abstained", "answerable", "mark"),
    [(False, True, 0.4), (True, True, 0), (True, False, 1), (False, False, 0)],
)
def test_squad_2s_rule(abstained: bool, answerable: bool, mark: float) -> None:
    assert metrics.overall(0.4, abstained, answerable) == mark


# -- retrieval --


def hits(*names: str) -> list[Hit]:
    return [Hit(tuple(name.split("+"))) for name in names]


def test_sources_match_whole_or_as_the_end_of_a_path() -> None:
    assert metrics.same("seeds/a.txt", "seeds/a.txt")
    assert metrics.same("seeds/a.txt", "a.txt")
    assert metrics.same("a.txt", "seeds/a.txt")
    assert not metrics.same("seeds/aa.txt", "a.txt")
    assert not metrics.same("a.txt/b", "a.txt")


def test_passages_fold_to_documents_in_order() -> None:
    assert metrics.fold(hits("a", "b", "a", "c+b", "d+e", "e")) == [
        ("a",),
        ("b",),
        ("c",),
        ("d", "e"),
    ]
    assert metrics.fold([]) == []
    # another path is another document, although the end is the same
    assert metrics.fold(hits("x/a", "a")) == [("x/a",), ("a",)]


def test_recall_by_hand() -> None:
    ranked = hits("x", "x", "a", "y", "b")  # documents: x a y b
    assert metrics.recall(ranked, {"a", "b"}, 1) == 0
    assert metrics.recall(ranked, {"a", "b"}, 2) == 1 / 2
    assert metrics.recall(ranked, {"a", "b"}, 3) == 1 / 2
    assert metrics.recall(ranked, {"a", "b"}, 4) == 1
    assert (
        metrics.recall(ranked, ["a", "b", "c", "a"], 10) == 2 / 3
    )  # beyond the list; a gold document counts once
    assert metrics.recall([], {"a"}, 5) == 0


def test_ndcg_by_hand() -> None:
    ranked = hits("a", "x", "b", "b", "c")  # gold at places 1, 3, 4 of documents a x b c
    dcg = 1 + 1 / math.log2(4) + 1 / math.log2(5)
    assert metrics.ndcg(ranked, {"a", "b", "c"}) == pytest.approx(
        dcg / (1 + 1 / math.log2(3) + 1 / 2)
    )
    assert metrics.ndcg(ranked, {"a", "b", "c"}, 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert metrics.ndcg(hits("b", "a"), {"a", "b"}) == 1
    assert metrics.ndcg(hits("x", "a"), {"a"}) == pytest.approx(0.6309297535714575)
    assert metrics.ndcg([], {"a"}) == 0
    many = [f"g{n}" for n in range(12)]
    assert metrics.ndcg(hits(*many), set(many), 10) == 1  # the ideal ranking is cut at k too


def test_mrr_by_hand() -> None:
    assert metrics.mrr(hits("a"), {"a"}) == 1
    assert metrics.mrr(hits("x", "x", "y", "b", "a"), {"a", "b"}) == 1 / 3
    assert metrics.mrr(hits(*"0123456789a"), {"a"}) == 0  # place 11
    assert metrics.mrr(hits(*"012345678a"), {"a"}) == 1 / 10
    assert metrics.mrr([], {"a"}) == 0


def test_a_copy_counts_for_the_document_it_is_a_copy_of() -> None:
    assert metrics.recall(hits("x", "y+dir/a"), {"a"}, 2) == 1
    assert metrics.mrr(hits("x", "y+dir/a"), {"a"}) == 1 / 2
    both = hits("a+b", "x", "c")  # a and b share a place: the ideal ranking has two places
    assert metrics.recall(both, {"a", "b", "c"}, 1) == 2 / 3
    assert metrics.ndcg(both, {"a", "b", "c"}) == pytest.approx(
        (1 + 1 / 2) / (1 + 1 / math.log2(3))
    )
    assert metrics.ndcg(hits("a+b"), {"a", "b"}) == 1
    # a later passage of a known document that adds a copy takes a place of its own
    assert metrics.mrr(hits("x", "x+a"), {"a"}) == 1 / 2


def test_quote_recall_by_hand() -> None:
    found = [Hit(("x",), "one  two\nthree"), Hit(("y",), "four five")]
    assert metrics.quote_recall(found, ["two three", "four"], 1) == 1 / 2
    assert metrics.quote_recall(found, ["two\t three", "four"], 2) == 1
    assert metrics.quote_recall(found, ["three four"], 9) == 0  # not whole inside one passage
    assert metrics.quote_recall(found, ["Two"], 9) == 0
    assert metrics.quote_recall([], ["two"], 5) == 0


sources = st.sampled_from(["a", "b", "c", "d", "x/a", "y/a", "x/b"])
rankings = st.lists(
    st.lists(sources, min_size=1, max_size=3).map(lambda names: Hit(tuple(names))), max_size=15
)


@given(rankings, st.sets(sources, min_size=1), st.integers(1, 12))
def test_retrieval_marks_are_shares_and_deeper_never_recalls_less(
    ranked: list[Hit], golds: set[str], k: int
) -> None:
    at, deeper = metrics.recall(ranked, golds, k), metrics.recall(ranked, golds, k + 1)
    assert 0 <= at <= deeper <= 1
    assert 0 <= metrics.ndcg(ranked, golds, k) <= 1
    assert 0 <= metrics.mrr(ranked, golds, k) <= 1
    assert (at > 0) == (metrics.ndcg(ranked, golds, k) > 0) == (metrics.mrr(ranked, golds, k) > 0)


@given(rankings, st.sets(sources, min_size=1))
def test_an_irrelevant_passage_on_top_never_helps(ranked: list[Hit], golds: set[str]) -> None:
    worse = [Hit(("elsewhere",)), *ranked]
    assert metrics.ndcg(worse, golds) <= metrics.ndcg(ranked, golds)
    assert metrics.mrr(worse, golds) <= metrics.mrr(ranked, golds)
    assert metrics.recall(worse, golds, 5) <= metrics.recall(ranked, golds, 5)


# -- citations and abstention --


def test_citation_marks_by_hand() -> None:
    assert metrics.valid([1, 2, 2, 9], {1, 2, 3}) == (3, 4)
    assert metrics.valid([], {1}) == (0, 0)
    assert metrics.exact([True, False, True]) == (2, 3)
    cited = hits("dir/a", "x", "dir/a", "y+b")  # documents: dir/a x y+b
    assert metrics.precision(cited, {"a", "b", "c"}) == (2, 3)
    assert metrics.coverage(cited, {"a", "b", "c"}) == (2, 3)
    assert metrics.coverage(hits("x+a+b"), {"a", "b", "c", "d"}) == (2, 4)
    assert metrics.precision([], {"a"}) == (0, 0)
    assert metrics.coverage([], {"a"}) == (0, 1)
    assert metrics.supported(["supported", "needs_none", "partly", "supported", "dangling"]) == (
        2,
        4,
    )
    assert metrics.supported(["needs_none"]) == (0, 0)


def test_abstention_by_hand() -> None:
    # (abstained, answerable): 3 right, 1 false, 2 missed, 1 rightly answered
    seen = [(True, False)] * 3 + [(True, True)] + [(False, False)] * 2 + [(False, True)]
    sums = dict[str, Any]()
    for abstained, answerable in seen:
        for name, pair in metrics.abstention(abstained, answerable):
            sums[name] = sums.get(name, 0) + np.array(pair)
    ratios = {name: top / bottom for name, (top, bottom) in sums.items()}
    precision, recall = 3 / 4, 3 / 5
    assert ratios["precision"] == precision
    assert ratios["recall"] == recall
    assert ratios["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert ratios["answered_wrongly"] == 2 / 5


# -- intervals --

EMPTY = {"value": None, "low": None, "high": None, "n": 0}
shares = st.lists(st.floats(0, 1), min_size=1, max_size=40)
pairs = st.lists(
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=40,
)


def test_an_interval_of_nothing_says_so() -> None:
    assert bootstrap_interval([]) == EMPTY
    assert bootstrap_interval([1.0], []) == EMPTY


def test_a_mean_and_a_ratio_by_hand() -> None:
    assert bootstrap_interval([0, 1, 1, 0.5])["value"] == 0.625
    assert (
        bootstrap_interval([(1, 1), (0, 3)])["value"] == 0.25
    )  # the ratio of the sums, not the mean of the ratios
    assert bootstrap_interval([(1, 1), (0, 3)])["n"] == 2
    assert bootstrap_interval([(1, 1), (0, 3)])["low"] == 0
    assert bootstrap_interval([0.3] * 7) == {
        "value": pytest.approx(0.3),
        "low": pytest.approx(0.3),
        "high": pytest.approx(0.3),
        "n": 7,
    }


def test_the_interval_is_as_wide_as_theory_says() -> None:
    """For a share of 0.5 over 400 cases the normal interval is 0.5 ± 1.96 · 0.025."""
    low, _, high = numbers(bootstrap_interval([0, 1] * 200))
    assert low == pytest.approx(0.451, abs=0.008)
    assert high == pytest.approx(0.549, abs=0.008)


@pytest.mark.parametrize("seed", range(5))
def test_even_a_single_resample_does_not_leave_the_value_out(seed: int) -> None:
    low, value, high = numbers(bootstrap_interval([0, 0, 1], seed=seed, rounds=1))
    assert low <= value <= high


def test_quantiles_by_hand() -> None:
    assert bootstrap_interval([4, 1, 3, 2], statistic=quantile(0.5))["value"] == 2.5
    assert bootstrap_interval(list(range(101)), statistic=quantile(0.95))["value"] == 95
    assert bootstrap_interval([7.0], statistic=quantile(0.95)) == {
        "value": 7,
        "low": 7,
        "high": 7,
        "n": 1,
    }


def test_many_cases_are_drawn_in_blocks_to_the_same_effect() -> None:
    few, many = bootstrap_interval([0, 1] * 20), bootstrap_interval([0, 1] * 2_000)
    assert many["n"] == 4_000
    (low, _, high), (many_low, _, many_high) = numbers(few), numbers(many)
    assert many_high - many_low == pytest.approx((high - low) / 10, rel=0.25)


@given(st.one_of(shares, pairs), st.integers(0, 5))
def test_an_interval_holds_its_value_whatever_the_order(values: list[Row], seed: int) -> None:
    figure = bootstrap_interval(values, seed=seed, rounds=200)
    low, value, high = numbers(figure)
    assert 0 <= low <= value <= high <= 1
    assert figure["n"] == len(values)
    shuffled = random.Random(seed).sample(values, len(values))
    assert bootstrap_interval(shuffled, seed=seed, rounds=200) == figure


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_holds_its_value_within_the_data(values: list[float], share: float) -> None:
    figure = bootstrap_interval(values, statistic=quantile(share), rounds=100)
    slack = 1e-9 * max(values)
    low, value, high = numbers(figure)
    assert min(values) - slack <= low <= value <= high <= max(values) + slack


# -- the checker --


def judged(*rows: Judged) -> list[JudgedClaim]:
    return [
        {"supported": supported, "verdict": verdict, "score": score}
        for supported, verdict, score in rows
    ]


def test_the_checkers_rates_by_hand() -> None:
    records = judged(
        (True, "supported", 0.9), (True, "supported", 0.5), (True, "supported", 0.8), (True, "unsupported", 0.1),
        (False, "unsupported", 0.5), (False, "supported", 0.8), (False, "contradicted", 0.0), (False, "uncited", 0.2), (False, "partly", 0.3),
    )  # fmt: skip
    figures = summarise_checker(records)["checker"]
    # pairs won by 0.9: 5; 0.5: 3 and a tie; 0.8: 4 and a tie; 0.1: 1
    assert figures["auc"]["value"] == pytest.approx((5 + 3.5 + 4.5 + 1) / 20)
    assert figures["false_alarms"]["value"] == 1 / 4
    assert figures["misses"]["value"] == 1 / 5
    assert figures["balanced_accuracy"]["value"] == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert {name: figure["n"] for name, figure in figures.items()} == {
        "balanced_accuracy": 9, "auc": 9, "false_alarms": 4, "misses": 5,
    }  # fmt: skip


def test_auc_takes_scores_in_any_order() -> None:
    above, below = np.array([[0.5, 0.1], [0.3, 0.3]]), np.array([[0.7, 0.2, 0.5], [0.4, 0.1, 0.3]])
    assert roc_auc(above, below) == pytest.approx([1.5 / 6, 3 / 6])


def test_a_checker_without_one_of_the_classes_has_no_balanced_figures() -> None:
    figures = summarise_checker(judged((True, "supported", 1.0), (True, "partly", 0.5)))["checker"]
    assert figures["auc"] == figures["balanced_accuracy"] == figures["misses"] == EMPTY
    assert figures["false_alarms"]["value"] == 0.5
    assert all(figure == EMPTY for figure in summarise_checker([])["checker"].values())


def test_every_claim_is_put_to_the_checker() -> None:
    def check(claim: str, passage: str) -> tuple[str, float, tuple[str, ...]]:
        return ("supported" if claim in passage else "unsupported", len(claim) / 10, ("a reason",))

    records = list(
        judge_claims(
            [Labelled("bee", "a bee flies", True), Labelled("wasp", "a bee flies", True)], check
        )
    )
    assert records == judged((True, "supported", 0.3), (True, "unsupported", 0.4))


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["supported", "partly"]),
            st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        )
    )
)
def test_checker_figures_are_shares_whatever_the_order(rows: list[Judged]) -> None:
    figures = summarise_checker(judged(*rows))["checker"]
    for figure in figures.values():
        if figure["n"]:
            low, value, high = numbers(figure)
            assert 0 <= low <= value <= high <= 1
    assert summarise_checker(judged(*reversed(rows)))["checker"] == figures
    positives, negatives = (
        [s for label, _, s in rows if label is wanted] for wanted in (True, False)
    )
    if positives and negatives:  # AUC by its definition, pair by pair
        won = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
        assert figures["auc"]["value"] == pytest.approx(won / len(positives) / len(negatives))


# -- against others' implementations --


def ranking(rows: list[tuple[list[str], set[str]]]) -> dict[str, tuple[list[Hit], set[str]]]:
    """Rankings of plain documents, as (hits, gold), in trec_eval's terms a run and its judgements."""
    return {
        f"q{n}": ([Hit((name,)) for name in dict.fromkeys(names)], golds)
        for n, (names, golds) in enumerate(rows)
    }


documents = st.sampled_from([f"d{n}" for n in range(30)])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(documents, max_size=25), st.sets(documents, min_size=1)),
        min_size=1,
        max_size=5,
    )
)
def test_retrieval_marks_are_trec_evals(rows: list[tuple[list[str], set[str]]]) -> None:
    import ir_measures
    from ir_measures import RR, R, nDCG

    known = ranking(rows)
    qrels = [ir_measures.Qrel(q, gold, 1) for q, (_, golds) in known.items() for gold in golds]
    run = [
        ir_measures.ScoredDoc(q, hit.names[0], -place)
        for q, (hits, _) in known.items()
        for place, hit in enumerate(hits)
    ]
    ranked = {nDCG @ 10: metrics.ndcg, RR @ 10: metrics.mrr}
    recalled = {R @ 1: 1, R @ 5: 5, R @ 10: 10}
    for found in ir_measures.iter_calc([*ranked, *recalled], qrels, run):
        hits, golds = known[found.query_id]
        if found.measure in ranked:
            mine = ranked[found.measure](hits, golds, 10)
        else:
            mine = metrics.recall(hits, golds, recalled[found.measure])
        assert mine == pytest.approx(found.value, abs=1e-6), found


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1),
)
def test_auc_and_balanced_accuracy_are_scikit_learns(
    positives: list[float], negatives: list[float]
) -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    labels, scores = [1] * len(positives) + [0] * len(negatives), positives + negatives
    above, below = np.array([positives]), np.array([negatives])
    assert roc_auc(above, below)[0] == pytest.approx(roc_auc_score(labels, scores))
    calls = [float(s >= 0.5) for s in scores]
    mine = balanced_accuracy(
        np.array([calls[: len(positives)]]), np.array([calls[len(positives) :]])
    )[0]
    assert mine == pytest.approx(balanced_accuracy_score(labels, calls))


def words_left(text: str) -> list[str]:
    """Squad's normalisation said otherwise: word by word, from the definition in the paper's appendix."""
    letters = "".join(char for char in text.lower() if char not in string.punctuation)
    spaced = re.sub(r"(?<!\w)(?:a|an|the)(?!\w)", " ", letters)
    return spaced.split()


@settings(deadline=None)
@given(st.text(st.sampled_from("abthe n,.-'é\t")), st.text(st.sampled_from("abthe n,.-'é\t")))
def test_f1_is_the_harmonic_mean_of_what_is_shared(said: str, gold: str) -> None:
    left, wanted, shared = words_left(said), words_left(gold), 0
    rest = list(wanted)
    for word in left:
        if word in rest:
            rest.remove(word)
            shared += 1
    if not left or not wanted:
        expected = float(left == wanted)
    else:
        precision, recall = shared / len(left), shared / len(wanted)
        expected = 2 * precision * recall / (precision + recall) if shared else 0.0
    assert metrics.f1(said, [gold]) == pytest.approx(expected)
    assert metrics.em(said, [gold]) == float(left == wanted)
