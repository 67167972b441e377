"""The reader's threshold fitted to a library: the arithmetic by hand, what is promised of new questions, and where it is kept."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from rag import Bot, Config
from rag.answer import calibration
from rag.answer.calibration import Calibration
from rag.domain import Answer
from rag.errors import LibraryBroken, RagError, Usage
from rag.eval.calibrate import MIN_QUESTIONS, Trial, best_threshold, fit_threshold, trial_results
from rag.eval.records import CaseRecord
from rag.inference.weights import READER_FILE
from rag.upkeep.doctor import run_checks
from tests.support.json_records import case_record
from tests.support.narrow import last_answer, numbers

QUESTION = "How many individual sanctions has Russia faced?"


def record(sure: float | None, f1: float, answerable: bool) -> CaseRecord:
    scores = {"answer": {"f1": f1} if answerable else {}}
    answer = {"abstained": sure is None, "chance": sure}
    return case_record({"answerable": answerable, "answer": answer, "scores": scores})


def drawn(many: int, at: float, seed: int) -> list[CaseRecord]:
    """Answerable questions are mostly surer than `at`, unanswerable ones mostly less."""
    chance = random.Random(seed)
    sure = (
        min(1.0, max(0.0, chance.gauss(at + (0.15 if n % 2 else -0.15), 0.1))) for n in range(many)
    )
    return [record(s, chance.choice([0.5, 1.0]), n % 2 == 1) for n, s in enumerate(sure)]


def test_what_a_run_says_of_a_question() -> None:
    records = [record(0.7, 0.5, True), record(None, 0.0, True), record(0.2, 0.0, False)]
    records.append(
        case_record(
            {
                "answerable": True,
                "answer": {"abstained": False, "chance": 0.9},
                "scores": {"answer": {}},
            }
        )
    )
    assert list(trial_results(records)) == [
        Trial(0.7, 0.5, True),
        Trial(-1.0, 0.0, True),
        Trial(0.2, 0.0, False),
    ]


def test_a_threshold_stands_where_the_kinds_part() -> None:
    apart = [Trial(0.1 + n / 1000, 0.0, False) for n in range(30)] + [
        Trial(0.6 + n / 1000, 1.0, True) for n in range(30)
    ]
    for aim in ("abstention", "overall"):
        assert 0.129 < best_threshold(apart, aim) < 0.6
    assert best_threshold([Trial(0.4, 1.0, True)] * 5 + [Trial(-1.0, 0.0, False)] * 5) <= 0.4, (
        "what can be answered is"
    )
    assert best_threshold([Trial(0.4, 0.0, False)] * 5 + [Trial(-1.0, 0.0, True)] * 5) > 0.4


def test_the_aims_differ_where_answers_are_poor() -> None:
    """Between 0.3 and 0.6 half can be answered, but badly: SQuAD's mark would rather abstain there, abstention's F1 not."""
    tried_ = [Trial(0.1, 0.0, False)] * 40 + [Trial(0.5, 0.1, True)] * 30 + [Trial(0.5, 0.0, False)] * 6 + [Trial(0.9, 1.0, True)] * 30  # fmt: skip
    assert best_threshold(tried_, "abstention") < 0.5 < best_threshold(tried_, "overall")


def test_what_is_expected_is_what_new_questions_show() -> None:
    known = fit_threshold(drawn(300, 0.55, 1), 0.1)
    new = list(trial_results(drawn(4000, 0.55, 2)))
    abstains = [t.sure < known.least for t in new]
    right = sum(a and not t.answerable for a, t in zip(abstains, new, strict=True))
    truth = 2 * right / (sum(abstains) + sum(not t.answerable for t in new))
    low, _, high = numbers(known.fitted["abstention.f1"])
    assert low <= truth <= high and high - low < 0.15
    assert (known.answerable, known.unanswerable, known.skipped) == (150, 150, 0)
    _, shipped, _ = numbers(known.shipped["abstention.f1"])
    assert shipped < 0.2 and known.change["abstention.f1"]["low"] > 0.5


def test_no_question_is_judged_by_a_threshold_it_had_a_part_in() -> None:
    """With nothing to learn, a threshold fitted on the same questions would look better than chance; this must not."""
    chance = random.Random(5)
    noise = [record(chance.random(), 1.0, n % 2 == 1) for n in range(120)]
    found = fit_threshold(noise, 0.0, "overall")
    _, value, _ = numbers(found.fitted["overall.f1"])
    assert value < 0.6


@pytest.mark.slow
def test_the_same_questions_give_the_same_threshold() -> None:
    records = drawn(100, 0.5, 3)
    assert fit_threshold(records, 0.2, seed=7) == fit_threshold(records, 0.2, seed=7)


@pytest.mark.parametrize(
    ("answerable", "unanswerable"), [(MIN_QUESTIONS - 1, 50), (50, MIN_QUESTIONS - 1), (0, 0)]
)
def test_too_few_of_either_kind_are_refused(answerable: int, unanswerable: int) -> None:
    records = [record(0.5, 1.0, True)] * answerable + [record(0.5, 0.0, False)] * unanswerable
    with pytest.raises(Usage, match=r"too few questions.*20 of each"):
        fit_threshold(records, 0.2)


# -- where it is kept --

KEPT = Calibration(0.99, 40, 30, READER_FILE.sha256, {"passages": 5, "depth": 50, "rerank": 0})


def of(home: Path) -> tuple[Config, Calibration]:
    config = Config(home=str(home))
    return config, replace(KEPT, settings=calibration.fitted_settings(config))


def asked(config: Config) -> Answer:
    with Bot.open(config) as bot:
        return last_answer(bot.ask(QUESTION, save=False))


def test_a_kept_threshold_is_the_one_the_reader_answers_by(home: Path) -> None:
    config, kept = of(home)
    before = asked(config)
    assert not before.abstained and before.model.calibrated == "" and before.chance is not None
    calibration.save_calibration(
        config.folder, replace(kept, least=min(1.0, before.chance + 0.001))
    )
    after = asked(config)
    assert after.abstained and "as calibrated" in after.missing and after.chance == before.chance
    assert "calibrated on 40 answerable and 30 unanswerable" in after.model.calibrated
    calibration.save_calibration(config.folder, replace(kept, least=before.chance - 0.001))
    assert asked(config).text == before.text
    assert calibration.reset_calibration(config.folder) and not calibration.reset_calibration(
        config.folder
    )
    assert asked(config).model.calibrated == ""


def test_it_holds_only_for_what_it_was_fitted_with(home: Path) -> None:
    config, kept = of(home)
    calibration.save_calibration(config.folder, kept)
    assert calibration.active_calibration(config) == kept
    other = replace(config, passages=9)
    assert calibration.active_calibration(other) is None and not asked(other).abstained
    assert kept.misfit(other) == "passages was 5, is 9"
    old = replace(kept, reader="0" * 64)
    assert "another" in old.misfit(config)
    assert Bot.open(config, threshold=0.0).machines.threshold == 0.0


def test_the_doctor_says_that_it_is_in_use_or_why_not(home: Path) -> None:
    config, kept = of(home)
    assert "threshold" not in [f.what for f in run_checks(config)]
    calibration.save_calibration(config.folder, kept)
    (found,) = [f for f in run_checks(config) if f.what == "threshold"]
    assert found.good and "99 %" in found.says
    (found,) = [f for f in run_checks(replace(config, candidates=9)) if f.what == "threshold"]
    assert not found.good and "candidates was 100, is 9" in found.says and "calibrate" in found.cure


_GOOD: dict[str, object] = {
    "least": 0.5,
    "answerable": 1,
    "unanswerable": 1,
    "reader": "x",
    "settings": {"candidates": 100},
    "expected": {},
}
_ODD: list[dict[str, object]] = [
    {"least": 2}, {"least": "0.5"}, {"least": True}, {"least": [0.5]}, {"least": None}, {"answerable": "many"}, {"reader": 3},
    {"settings": []}, {"settings": {"depth": [1]}}, {"expected": 3}, {"more": 1},
]  # fmt: skip
_BROKEN = [
    "",
    "{}",
    "[]",
    "null",
    '{"least": 7}',
    "no JSON",
    "[" * 100_000,
    "\ud800".encode("utf-8", "surrogatepass"),
]


@pytest.mark.parametrize("broken", [*_BROKEN, *(json.dumps(_GOOD | odd) for odd in _ODD)])
def test_a_damaged_file_is_told_with_its_cure(tmp_path: Path, broken: str | bytes) -> None:
    assert calibration.load_calibration(tmp_path) is None
    (tmp_path / "calibration.json").write_bytes(
        broken if isinstance(broken, bytes) else broken.encode()
    )
    with pytest.raises(LibraryBroken) as error:
        calibration.load_calibration(tmp_path)
    assert error.value.cure == "footnote calibrate --reset"
    assert (
        calibration.reset_calibration(tmp_path) and calibration.load_calibration(tmp_path) is None
    )


def test_a_calibration_with_earlier_names_of_settings_is_read_with_the_present_ones(
    tmp_path: Path,
) -> None:
    saved = _GOOD | {"settings": {"passages": 5, "depth": 100, "beside": 1}}
    (tmp_path / "calibration.json").write_text(json.dumps(saved))
    loaded = calibration.load_calibration(tmp_path)
    assert loaded is not None
    assert loaded.settings == {"passages": 5, "candidates": 100, "neighbour_sentences": 1}


def test_a_folder_in_the_place_of_the_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").mkdir()
    with pytest.raises(RagError) as error:
        calibration.load_calibration(tmp_path)
    assert error.value.cure
    with pytest.raises(Usage, match="is a folder"):
        calibration.reset_calibration(tmp_path)
