"""Two runs side by side: the arithmetic by hand and against scipy, what the tests call significant, and the reasons given."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rag.errors import RagError, Usage
from rag.eval import gate
from rag.eval.compare import LEVEL, compare_runs
from rag.eval.markdown_report import markdown_report
from rag.eval.metrics import holm, mcnemar, risk_coverage
from rag.eval.paired_tests import paired_shifts
from rag.eval.records import Run
from rag.eval.report import figure_rows, print_comparison, print_gates
from rag.eval.run import summarise
from rag.text.markdown import escape_markdown
from tests.support.json_records import case_record, run_record

# -- the arithmetic --


@pytest.mark.parametrize(
    ("worse", "better", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (0, 6, 2 / 64), (1, 9, 2 * 11 / 1024), (3, 3, 1.0)],
)
def test_mcnemar_by_hand(worse: int, better: int, p: float) -> None:
    assert mcnemar(worse, better) == pytest.approx(p)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test(worse: int, better: int) -> None:
    from scipy.stats import binomtest

    if worse + better:
        assert mcnemar(worse, better) == pytest.approx(binomtest(worse, worse + better, 0.5).pvalue)


def test_holm_by_hand() -> None:
    # Holm 1979: the smallest of four times 4, the next times 3, ... and never below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_risk_against_coverage_by_hand() -> None:
    answered = [(0.9, 1.0), (0.5, 0.0), (0.7, 0.5), (0.5, 1.0)]
    # surest first: 1; 1, 0.5; then both of 0.5 together
    assert risk_coverage(answered, 8) == [(1 / 8, 0.0), (2 / 8, 0.25), (4 / 8, 1.5 / 4)]
    assert risk_coverage([], 3) == []


def test_a_change_of_means_and_of_shares_by_hand() -> None:
    mean, share, missing = paired_shifts(
        [
            [(0.0, 1.0), (0.5, 0.5), (1.0, 0.5)],
            [([1, 2], [0, 1]), ([1, 1], None), (None, [3, 3])],
            [(None, 1.0)] * 3,
        ],
        [True] * 3,
    )
    assert mean and share and missing is None
    assert (mean.old, mean.new) == pytest.approx((0.5, 2 / 3))
    assert (mean.n, mean.test) == (3, "randomization")
    assert (share.old, share.new) == pytest.approx((2 / 3, 0.75)) and share.n == 3
    assert mean.low <= mean.change <= mean.high


def test_yes_and_no_have_mcnemars_test() -> None:
    figure: list[Any] = (
        [(1.0, 0.0)] * 9
        + [(0.0, 1.0)]
        + [(1.0, 1.0)] * 30
        + [([0, 1], [0, 1])] * 5
        + [([0, 0], [0, 0])] * 9
    )
    (found,) = paired_shifts([figure], [True] * len(figure))
    assert (
        found
        and found.test == "McNemar"
        and found.p == pytest.approx(2 * 11 / 1024)
        and found.n == 45
    )
    (half,) = paired_shifts([[*figure, (0.5, 0.5)]], [True] * (len(figure) + 1))
    assert half and half.test == "randomization"
    (absent,) = paired_shifts([[*figure, (None, 1.0)]], [True] * (len(figure) + 1))
    assert absent and absent.test == "randomization", "a case that one run lacks is no pair"


def test_the_interval_of_a_change_is_as_wide_as_theory_says() -> None:
    """For n paired differences of standard deviation s it is 1.96 s / sqrt(n) to either side (the normal interval)."""
    chance = random.Random(0)
    old = [chance.random() for _ in range(400)]
    new = [o + chance.gauss(0.05, 0.3) for o in old]
    (found,) = paired_shifts([list(zip(old, new, strict=True))], [n % 2 == 0 for n in range(400)])
    assert found
    wide = 1.96 * float(np.std([n - o for o, n in zip(old, new, strict=True)])) / 20
    assert found.low == pytest.approx(
        found.change - wide, abs=0.004
    ) and found.high == pytest.approx(found.change + wide, abs=0.004)


def test_where_nothing_differs_the_test_finds_something_one_time_in_twenty() -> None:
    chance, found = random.Random(1), 0
    for _ in range(200):
        pairs = [(chance.random(), chance.random()) for _ in range(60)]
        (shift,) = paired_shifts([pairs], [True] * 60, rounds=400)
        assert shift
        found += shift.p < 0.05
    assert 1 <= found <= 22, f"{found} of 200, 10 are expected"


# -- two runs --


def passage(source: str, number: int) -> dict[str, Any]:
    return {"source": source, "copies": [], "n": number}


def case(n: int, answerable: bool = True) -> dict[str, Any]:
    """A question well answered: found first, cited rightly, or rightly not answered."""
    gold = [{"source": f"{n}.txt", "quote": None}] if answerable else []
    claims = [
        {
            "verdict": "supported",
            "score": 0.9,
            "citations": [{"source": f"{n}.txt", "quote": "words", "n": 1}],
        }
    ]
    return {
        "id": f"q{n}", "question": f"What is {n}?", "type": "", "answerable": answerable,
        "gold": {"answers": [str(n)] if answerable else [], "evidence": gold},
        "answer": {"answer": f"It is {n}.", "short": str(n), "abstained": not answerable, "reason": None, "missing": "", "claims": claims if answerable else [], "chance": 1 - n / 100},
        "retrieved": [passage(f"{n}.txt", 1), passage("other.txt", 2), passage("more.txt", 3)],
        "scores": {
            "retrieval": {"recall@1": 1.0, "recall@5": 1.0, "recall@10": 1.0, "ndcg@10": 1.0, "mrr@10": 1.0} if answerable else {},
            "answer": {"em": 1.0, "f1": 1.0, "contains": 1.0} if answerable else {},
            "overall": {"em": 1.0, "f1": 1.0},
            "citation": {"valid": [1, 1], "quote_exact": [1, 1], "supported": [1, 1], "precision": [1, 1], "recall": [1, 1]} if answerable else {},
            "abstention": {"precision": [int(not answerable)] * 2, "recall": [int(not answerable)] * 2, "f1": [0, 0], "answered_wrongly": [0, int(not answerable)]},
            "seconds": {"retrieve": 0.1, "total": 1.0 + n / 10},
        },
    }  # fmt: skip


def run(cases: list[dict[str, Any]], **config: Any) -> Run:
    summary = summarise([case_record(each) for each in cases])
    return run_record({"schema": 1, "config": {"model": "reader", **config}, "weights": {}, "version": "0", "cases": cases, "summary": summary})  # fmt: skip


def whole(many: int = 30) -> list[dict[str, Any]]:
    return [case(n, n % 3 > 0) for n in range(many)]


def shifted(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The seeded regression: every citation is the next passage's."""
    made = copy.deepcopy(cases)
    for each in made:
        if each["answerable"]:
            each["answer"]["claims"][0]["citations"] = [
                {"source": "other.txt", "quote": "else", "n": 2}
            ]
            each["scores"]["citation"] |= {"precision": [0, 1], "recall": [0, 1]}
    return made


def test_a_run_with_itself_shows_no_difference() -> None:
    found = compare_runs(run(whole()), run(copy.deepcopy(whole())))
    assert found["worse"] == found["better"] == found["otherwise"] == [] and found["settings"] == {}
    assert found["shared"] == 30 and len(found["figures"]) >= 15
    for shift in found["figures"].values():
        assert (
            shift["change"] == shift["low"] == shift["high"] == 0
            and shift["p"] == 1
            and shift["verdict"] == ""
        )


def spoil_together(case: dict[str, Any], chance: random.Random) -> None:
    """Give some cases a worse answer: five figures fall together."""
    if chance.random() < 0.15:
        case["scores"]["answer"] = {name: chance.random() / 2 for name in case["scores"]["answer"]}
        case["scores"]["overall"] = {"em": 0.0, "f1": 0.5}


def spoil_apart(case: dict[str, Any], chance: random.Random) -> None:
    """Change each figure of a case by itself, the hardest case for an adjustment for many tests."""
    for group in ("retrieval", "answer", "overall", "citation"):
        for name, mark in case["scores"][group].items():
            if chance.random() < 0.15:
                of = chance.choice([2, 3, 4])
                is_pair = isinstance(mark, list)
                case["scores"][group][name] = (
                    [chance.randint(0, of), of] if is_pair else chance.random()
                )


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [spoil_together, spoil_apart])
def test_two_runs_that_differ_by_chance_alone_show_no_significant_difference(
    spoil: Callable[[dict[str, Any], random.Random], None],
) -> None:
    """Holm's adjustment bounds the share of comparisons with any false find, not their number.

    A comparison that has one false find may have several, because figures depend on each other.
    """
    seeds, with_false_finds = 120, 0
    for seed in range(seeds):
        chance = random.Random(seed)
        old, new = whole(60), whole(60)
        for each in (*old, *new):
            spoil(each, chance)
        figures = compare_runs(run(old), run(new))["figures"]
        with_false_finds += any(shift["verdict"] for shift in figures.values())
    assert with_false_finds <= LEVEL * seeds


def test_shifted_citations_are_significantly_worse_and_say_where_they_went() -> None:
    found = compare_runs(run(whole()), run(shifted(whole())))
    verdicts = {
        name: shift["verdict"] for name, shift in found["figures"].items() if shift["verdict"]
    }
    assert verdicts == {"citation.precision": "worse", "citation.recall": "worse"}
    assert len(found["worse"]) == 20 and found["better"] == []
    assert found["worse"][0]["mark"] == "citation.precision" and found["worse"][0]["change"] == -1
    assert found["worse"][0]["why"] == ["cites elsewhere: 1.txt -> other.txt"]
    back = compare_runs(run(shifted(whole())), run(whole()))
    assert {shift["verdict"] for shift in back["figures"].values()} == {"", "better"} and len(
        back["better"]
    ) == 20


def test_less_is_better_where_it_is() -> None:
    new = whole()
    for each in new:
        if not each["answerable"]:
            each["answer"]["abstained"] = False
            each["scores"]["overall"] = {"em": 0.0, "f1": 0.0}
            each["scores"]["abstention"] |= {
                "answered_wrongly": [1, 1],
                "recall": [0, 1],
                "precision": [0, 0],
            }
    found = compare_runs(run(whole()), run(new))
    assert found["figures"]["abstention.answered_wrongly"]["change"] == 1
    assert found["figures"]["abstention.answered_wrongly"]["verdict"] == "worse"
    assert found["worse"][0]["why"] == ["answers now (it cannot be answered): '0'"]


def test_only_shared_questions_are_compared_and_it_says_so() -> None:
    old, new = whole(12), whole(14)[2:]
    new[0]["question"] = "Something else?"
    new[1]["gold"]["answers"] = ["another"]
    found = compare_runs(run(old, passages=5), run(new, passages=8))
    assert found["shared"] == 8 and found["altered"] == ["q2", "q3"]
    assert (found["only_old"], found["only_new"]) == (["q0", "q1"], ["q12", "q13"])
    assert found["settings"] == {"config.passages": [5, 8]}
    out = StringIO()
    print_comparison(found, Console(file=out, width=200))
    said = out.getvalue()
    assert (
        "over the 8 questions that both runs asked" in said
        and "left out: 2 only in the old run (q0, q1)" in said
    )
    assert "config.passages: 5 -> 8" in said


def test_runs_that_share_nothing_and_files_that_are_no_runs_are_refused() -> None:
    with pytest.raises(Usage, match="share no question"):
        compare_runs(run(whole(3)), run(whole(6)[3:]))
    altered = whole(3)
    for each in altered:
        each["gold"] = [{"source": "other.txt", "quote": "x"}]
    with pytest.raises(Usage, match="the same questions with other answers or evidence"):
        compare_runs(run(whole(3)), run(altered))
    with pytest.raises(Usage, match="the old run is no run file"):
        compare_runs(run_record({"cases": [{"id": 1}]}), run(whole(3)))


def changed(**more: Any) -> list[str]:
    new = case(1)
    for key, value in more.items():
        (new["answer"] if key in new["answer"] else new)[key] = value
    if "overall" in more:
        new["scores"]["overall"] = more["overall"]
    found = compare_runs(run([case(1)]), run([new]))
    return [
        why
        for kind in ("worse", "better", "otherwise")
        for change in found[kind]
        for why in change["why"]
    ]


def test_the_reasons() -> None:
    lower = [passage("other.txt", 1), passage("dir/1.txt", 2)]
    assert changed(retrieved=lower) == ["1.txt is retrieved lower: passage 1 -> passage 2"]
    assert changed(retrieved=[]) == ["1.txt is retrieved lower: passage 1 -> not found"]
    assert changed(abstained=True, missing="no passage names X") == [
        "abstained: no passage names X"
    ]
    assert changed(short="one") == ["answers otherwise: '1' -> 'one'"]
    quoted = [
        {
            "verdict": "supported",
            "score": 0.9,
            "citations": [{"source": "1.txt", "quote": "other", "n": 1}],
        }
    ]
    assert changed(claims=quoted) == ["cites other words of the same documents"]
    doubted = copy.deepcopy(case(1)["answer"]["claims"])
    doubted[0]["verdict"] = "partly"
    assert changed(claims=doubted) == ["verdicts: supported -> partly"]


def test_a_run_of_retrieval_only_is_compared_by_what_both_have() -> None:
    bare = copy.deepcopy(whole())
    for each in bare:
        each["answer"], each["scores"] = (
            None,
            {"retrieval": each["scores"]["retrieval"], "seconds": {"retrieve": 0.2}},
        )
    found = compare_runs(run(whole()), run(bare))
    assert {name.split(".")[0] for name in found["figures"]} == {"retrieval"} and found[
        "worse"
    ] == []
    assert set(found["seconds"]) == {"seconds.retrieve.p50", "seconds.retrieve.p95"}


# -- gates --

KNOWN = [name for name, _ in figure_rows(summarise([]))]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("citation.precision>=1", True), ("citation.precision > 1", False), ("answer.em<=.5", False), ("answer.em<2", True),
        ("seconds.total.p95<1e3", True), ("retrieval.recall@5>=1.0", True), ("citation.precision<1", False),
    ],
)  # fmt: skip
def test_a_bound_holds_or_not(text: str, holds: bool) -> None:
    (found,) = gate.check_bounds(
        gate.parse_bounds([text], KNOWN), dict(figure_rows(run(whole())["summary"]))
    )
    assert found.holds is holds


def test_a_seeded_regression_trips_the_gate() -> None:
    bounds = gate.parse_bounds(["citation.precision>=0.9", "answer.f1>=0.9"], KNOWN)
    good = gate.check_bounds(bounds, dict(figure_rows(run(whole())["summary"])))
    bad = gate.check_bounds(bounds, dict(figure_rows(run(shifted(whole()))["summary"])))
    assert [each.holds for each in good] == [True, True] and [each.holds for each in bad] == [
        False,
        True,
    ]
    assert bad[0].says == "citation.precision is 0.0000, asked for is >=0.9"


def test_a_figure_that_nothing_applies_to_keeps_no_bound() -> None:
    (found,) = gate.check_bounds(
        gate.parse_bounds(["answer.em>=0"], KNOWN), dict(figure_rows(summarise([])))
    )
    assert not found.holds and "not measured" in found.says
    out = StringIO()
    print_gates([found], Console(file=out, width=200))
    assert out.getvalue().startswith("✗ answer.em is not measured")


@pytest.mark.parametrize("text", ["", "answer.em", "answer.em=1", "answer.em>=high", "answer.em=>1", "em>=1", "answer>=1", "answer.em>=1 ;"])  # fmt: skip
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(Usage) as error:
        gate.parse_bounds([text], KNOWN)
    assert "citation.precision" in error.value.cure and isinstance(error.value, RagError)


# -- the page --


def test_the_page_has_figures_plots_and_what_went_wrong() -> None:
    cases = shifted(whole())
    cases[1]["scores"]["answer"]["f1"] = 0.0
    cases[2]["changed"] = "a.txt has changed since the question was made; its words are gone"
    made = run(cases)
    text = markdown_report(
        made,
        compare_runs(run(whole()), made),
        gate.check_bounds(
            gate.parse_bounds(["answer.em>=2"], KNOWN), dict(figure_rows(made["summary"]))
        ),
    )
    for head in (
        "## Figures",
        "## Recall by depth",
        "## Risk against coverage",
        "## Seconds",
        "## Against the earlier run",
        "## Gates",
    ):
        assert head in text
    assert (
        text.count("```text") == 3 == text.count("\n```\n")
        and "\x1b" not in text
        and "\u2800" not in text
    )
    assert "**does not hold**: answer.em is 1.0000" in text and "- q1: What is 1?" in text
    assert "its words are gone" in text
    assert markdown_report(made) == markdown_report(json.loads(json.dumps(made))), (
        "the same run gives the same page"
    )


def test_the_page_of_a_run_without_answers_has_no_empty_plots() -> None:
    bare = [
        each
        | {
            "answer": None,
            "scores": {
                "retrieval": each["scores"]["retrieval"],
                "seconds": {"retrieve": 0.0},
                "overall": {},
            },
        }
        for each in whole()
    ]
    text = markdown_report(run(bare))
    assert "## Recall by depth" in text and "Risk" not in text and "## Seconds" in text
    assert "## Figures" in markdown_report(run([]))


@settings(deadline=None)
@given(st.text())
def test_strangers_words_are_no_markdown(text: str) -> None:
    made = escape_markdown(text)
    assert "\n" not in made and "\x1b" not in made
    bare = made.replace("\\\\", "")
    for char in "`*_[]<>#|&":
        assert bare.count(char) == bare.count("\\" + char)


def test_the_level_is_what_the_legend_says() -> None:
    assert LEVEL == 0.05
