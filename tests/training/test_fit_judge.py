"""Fitting the judge of answering, and what near misses are made of."""

from __future__ import annotations

import random

import pytest

from rag.eval.fit_juror import has_answer
from rag.eval.metrics import calibration_error
from rag.training.fit_judge import fit_judge, read_lines
from rag.training.near_misses import Asked, variants, without_answer
from tests.support.fakes import passage


def _lines(count: int, ruled_out: str = "") -> list[dict[str, object]]:
    chance = random.Random(3)
    lines: list[dict[str, object]] = []
    for number in range(count):
        for variant, mean in (("as", 1.5), ("out", -1.5)):
            for place in range(2):
                right = variant == "as" and place == 0
                signal = chance.gauss(mean if right else -1.5, 1.0)
                lines.append(
                    {
                        "set": "made",
                        "group": f"document {number % 12}",
                        "id": str(number),
                        "variant": variant,
                        "passage": place + 1,
                        "answers": right,
                        "ruled_out": ruled_out if number % 3 == 0 else "",
                        "signals": {
                            "signal": signal,
                            "noise": chance.gauss(0, 1),
                        },
                    }
                )
    return lines


@pytest.mark.slow
def test_the_regression_finds_the_signal_and_its_probability_is_right() -> None:
    fitted = fit_judge(read_lines(_lines(120)))
    assert fitted.weights["signal"] > 5 * abs(fitted.weights["noise"])
    figures = fitted.figures
    assert figures["encyclopedias_auc"] > 0.9 and figures["calibration_error"] < 0.1
    assert figures["encyclopedias_contains"] <= figures["encyclopedias_contains_always"]
    assert (figures["encyclopedias_n_as"], figures["encyclopedias_n_out"]) == (120, 120)


@pytest.mark.slow
def test_what_a_rule_rules_out_is_no_answer_however_likely() -> None:
    usual, ruled = (fit_judge(read_lines(_lines(60, rule))).figures for rule in ("", "a title"))
    assert usual["encyclopedias_contains"] > 0.9
    assert ruled["encyclopedias_contains"] < 0.7, "a third of the questions has such lines alone"
    assert ruled["encyclopedias_refused_out"] >= usual["encyclopedias_refused_out"]


@pytest.mark.slow
def test_the_same_id_in_two_folders_is_two_questions() -> None:
    first, other = _lines(1)[0], {**_lines(1)[0], "group": "another folder"}
    assert list(read_lines([first, other, first]).question) == [0, 1, 0]


def test_everyday_questions_have_figures_of_their_own() -> None:
    lines = [{**line, "set": "everyday"} for line in _lines(30)]
    figures = fit_judge(read_lines([*lines, *_lines(30)])).figures
    assert figures["everyday_n_as"] == figures["encyclopedias_n_as"] == 30


def test_the_calibration_error_is_the_distance_of_probability_and_share() -> None:
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2, [1.0] * 10) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [False] * 10, [1.0] * 10) == pytest.approx(0.9)
    assert calibration_error([0.1, 0.9], [True, True], [0.0, 1.0]) == pytest.approx(0.1)
    assert calibration_error([], [], []) == 0.0


def test_the_variants_lack_what_answers() -> None:
    gold = passage(
        1,
        "The lock was built by Ann Reed. It is made of brick and stands beside the old mill today, as it did then.",
    )
    other = passage(2, "A second lock is near. It is made of wood.")
    asked = Asked("q", "Who built the lock?", ("Ann Reed",), gold.chunk.source, "set:document")
    made = dict(variants(asked, [gold, other]))
    assert made["as"] == [gold, other] and made["out"] == [other]
    cut, rest = made["cut"]
    assert rest == other and not has_answer(cut.chunk.text, asked.answers)
    assert cut.chunk.text.startswith("It is made of brick")
    assert without_answer(other, ("wood",)) is None, "too little is left"
    assert dict(variants(asked._replace(answers=()), [gold])) == {"natural": [gold]}
