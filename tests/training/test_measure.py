"""The figures of the model: against scikit-learn, and planted errors with a fake judge."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from rag.domain import Span
from rag.protocols import AnswerSpan, PassageReading
from rag.training.examples import Example
from rag.training.measure import JudgedRow, planted, rates, reading, rounded
from tests.support.fakes import JUDGE, WordPairs
from tests.support.narrow import figure_of, figures_of, numbers, value_of

pytestmark = pytest.mark.slow
PASSAGE = (
    "The mill at Oakham was built in 1823 by Ann Reed. "
    "It has 14 rooms and was sold to Peter Kane in March 1901. "
    "The river was not deep enough for large ships before the harbour was opened by Lord Harrow."
)


def _records(count: int) -> list[JudgedRow]:
    chance = random.Random(5)
    out = list[JudgedRow]()
    for number in range(count):
        truth, score = chance.random() < 0.4, chance.random()
        verdict = (
            "supported"
            if score + 0.2 * truth > 0.6
            else chance.choice(["partly", "unsupported", "contradicted"])
        )
        out.append(
            {"set": f"set{number % 3}", "supported": truth, "verdict": verdict, "score": score}
        )
    return out


def test_rates_are_the_means_over_the_sets() -> None:
    records = _records(300)
    found = rates(records)
    sets = [[r for r in records if r["set"] == name] for name in ("set0", "set1", "set2")]
    balanced, areas = [], []
    for mine in sets:
        truth = [r["supported"] for r in mine]
        balanced.append(balanced_accuracy_score(truth, [r["verdict"] == "supported" for r in mine]))
        areas.append(roc_auc_score(truth, [r["score"] for r in mine]))
    assert value_of(found, "balanced_accuracy") == pytest.approx(sum(balanced) / 3)
    assert value_of(found, "auc") == pytest.approx(sum(areas) / 3)
    errors = (value_of(found, "misses") + value_of(found, "false_alarms")) / 2
    assert value_of(found, "balanced_accuracy") == pytest.approx(1 - errors)
    assert [value_of(found, f"sets.set{n}.balanced_accuracy") for n in range(3)] == pytest.approx(
        balanced
    )
    misses = figure_of(found, "misses")
    low, value, high = numbers(misses)
    assert misses["n"] == 300 and low <= value <= high


def test_an_error_that_no_word_betrays_is_not_caught_and_one_that_a_number_betrays_is() -> None:
    found = planted([PASSAGE], JUDGE, many=3)
    kinds = figures_of(found, "kinds")
    assert kinds.keys() <= {"number", "date", "name", "negation"}
    assert figure_of(found, "caught")["n"] >= 3
    assert value_of(found, "false_alarms") == 0.0, "sentences as they stand in the passage"
    assert all(kinds[kind]["value"] == 1.0 for kind in ("number", "date") if kind in kinds)


class _Reads(WordPairs):
    """Finds `span` in every passage, and is as sure of it as it was told to be."""

    def __init__(self, span: Span, sure: dict[str, float]) -> None:
        super().__init__()
        self.fits: dict[str, list[float]] = {"read": [1.0, 0.0, 0.5]}
        self._span, self._sure = span, sure

    def read(self, question: str, passages: object) -> list[PassageReading]:
        return [
            PassageReading(
                self._sure[question], (AnswerSpan(self._span, 0.0),), self._sure[question]
            )
        ]


def test_reading_is_measured_on_the_answered_and_answerable_or_not_on_all() -> None:
    at = PASSAGE.index("1823")
    model = _Reads(Span(at, at + 4), {"a": 2.0, "b": 1.0, "c": 1.5})
    examples = [
        Example("read", "s", "d", "a", PASSAGE, {"answers": 1.0}, answers=("1823",)),
        Example("read", "s", "d", "b", PASSAGE, {"answers": 1.0}, answers=("Ann Reed",)),
        Example("read", "s", "d", "c", PASSAGE, {"answers": 0.0}),
    ]
    found = reading(examples, model)  # type: ignore[arg-type]
    assert (found["exact"]["value"], found["exact"]["n"]) == (0.5, 2)
    assert found["first_sentence"]["value"] == 1.0, "both answers stand in the sentence of 1823"
    assert found["answerable_auc"]["value"] == 0.5


def test_rounding_keeps_the_shape() -> None:
    assert rounded({"a": {"value": 0.123456, "n": 3}, "b": None}) == {
        "a": {"value": 0.1235, "n": 3},
        "b": None,
    }
