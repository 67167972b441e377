"""Training: rows and batches, a loop that can be interrupted, fitted numbers, figures."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from rag.answer.check import SIGNAL_NAMES
from rag.answer.readings import ReaderFit
from rag.domain import Span
from rag.inference import minilm
from rag.inference.crossencoder import HEADS, LABELS, MAX_TOKENS, Layout
from rag.training import export, figures, fit
from rag.training.batches import Row, collate, encode, make_batches
from rag.training.examples import Example
from rag.training.mixture import Sources
from rag.training.network import Network, arrays
from rag.training.train import Recipe, loss, train_network
from tests.support.examples import examples

pytestmark = pytest.mark.slow
LAYOUT = Layout(minilm.Tokenizer().machine)
WORDS = st.lists(
    st.sampled_from(
        "ox horses unquestionably Ærøskøbing 9,000 don't 東京 naïve mill's B-52 (so) é".split()
    ),
    min_size=1,
)


@given(WORDS, WORDS, st.data(), st.sampled_from(sorted(HEADS)))
def test_gold_tokens_are_those_of_the_span(
    first: list[str], second: list[str], data: st.DataObject, job: str
) -> None:
    low = data.draw(st.integers(0, len(second) - 1))
    high = data.draw(st.integers(low, len(second) - 1))
    text = " ".join(second)
    start = len(" ".join([*second[:low], ""]))
    span = Span(start, start + len(" ".join(second[low : high + 1])))
    labels = {LABELS[job][0]: 1.0}
    (row,) = encode(
        [Example(job, "test", "none", " ".join(first), text, labels, span, weight=0.5)], LAYOUT
    )
    (pieces,) = LAYOUT.pieces([text])
    assert row.gold is not None and row.ids[row.second[0] : row.second[1]] == tuple(pieces.ids)
    assert pieces.offsets[row.gold[0] - row.second[0]][0] == span.start
    assert pieces.offsets[row.gold[1] - row.second[0]][1] == span.end
    assert (row.job, row.labels, row.weight) == (job, tuple(labels.items()), 0.5)
    asked = LAYOUT.pieces([" ".join(first)])[0].ids[: MAX_TOKENS // 3]  # a long one is cut
    assert row.ids[slice(*row.first)] == tuple(asked)


@given(st.integers(0, 600), st.integers(1, 300))
def test_a_span_beyond_the_cut_is_not_gold(before: int, asked: int) -> None:
    text = "it " * before + "sings"
    (row,) = encode(
        [
            Example(
                "read",
                "test",
                "none",
                "who " * asked,
                text,
                {"answers": 1.0},
                Span(3 * before, len(text)),
            )
        ],
        LAYOUT,
    )
    kept = row.second[1] - row.second[0]
    assert len(row.ids) <= MAX_TOKENS and kept == min(
        before + 1, MAX_TOKENS - min(asked, MAX_TOKENS // 3) - 4
    )
    assert row.gold == (None if kept <= before else (row.second[0] + before,) * 2)


def test_what_only_helps_teaches_no_pointer() -> None:
    helps = Example("read", "test", "none", "who", "it sings", {"helps": 1.0}, Span(3, 8))
    assert encode([helps], LAYOUT)[0].gold is None


def test_an_example_without_a_span_has_no_gold() -> None:
    assert (
        encode([Example("read", "test", "none", "who", "it sings", {"answers": 0.0})], LAYOUT)[
            0
        ].gold
        is None
    )


@st.composite
def _any_rows(draw: st.DrawFn) -> list[Row]:
    """Rows of any lengths, each with an id of its own in its first place."""
    rows = []
    for n, (one, two) in enumerate(
        draw(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 210)), min_size=1))
    ):
        low = one + 3
        ids = (n, *range(1, low + two + 1))
        rows.append(
            Row(ids, (2, low - 1), (low, low + two), "read", None, (("answers", 1.0),), 1.0)
        )
    return rows


@given(_any_rows())
def test_a_batch_is_padded_and_knows_what_is_where(rows: list[Row]) -> None:
    batch = collate(rows)
    length = batch.ids.shape[1]
    assert length % 16 == 0 and 0 <= length - max(len(r.ids) for r in rows) < 16
    assert (
        not (batch.first & batch.second).any()
        and not ((batch.first | batch.second) & ~batch.present).any()
    )
    for at, row in enumerate(rows):
        many = len(row.ids)
        assert batch.ids[at, :many].tolist() == list(row.ids) and not batch.ids[at, many:].any()
        assert batch.present[at].sum() == many and batch.present[at, :many].all()
        for mask, (low, high) in ((batch.first, row.first), (batch.second, row.second)):
            assert mask[at].sum() == high - low and mask[at, low:high].all()


@given(_any_rows(), st.integers(0, 99), st.integers(1, 40))
def test_an_epoch_holds_every_row_once_and_follows_from_its_seed(
    rows: list[Row], seed: int, times: int
) -> None:
    many = rows * times
    found = list(make_batches(many, seed))
    assert Counter(r for b in found for r in b.rows) == Counter(many)
    assert [b.rows for b in make_batches(many, seed)] == [b.rows for b in found]
    assert all(b.ids.numel() <= 4096 for b in found)
    assert all(torch.equal(b.ids, collate(b.rows).ids) for b in found)


def test_another_seed_is_another_order() -> None:
    rows = [Row((n, *range(1, 60)), (2, 5), (6, 59), "read", None, (), 1.0) for n in range(300)]
    orders = [[r.ids[0] for b in make_batches(rows, seed) for r in b.rows] for seed in (1, 2)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == list(range(300))
    assert list(make_batches([], 1)) == []


def test_what_is_not_known_weighs_nothing() -> None:
    known = (("supported", 0.0), ("against", 1.0), ("helps", 1.0))
    rows = [
        Row((1, 2, 3), (1, 2), (2, 3), "support", None, known, 2.5),
        Row((1,), (0, 0), (0, 0), "read", None, (), 1.0),
    ]
    wanted, weight = collate(rows).targets("support")
    assert wanted.tolist() == [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]] and weight.tolist() == [
        [2.5, 0.0, 2.5],
        [0.0, 0.0, 0.0],
    ]
    wanted, weight = collate(rows).targets("rank")
    assert wanted.tolist() == [[1.0], [0.0]] and weight.tolist() == [[2.5], [0.0]]


# the loop, with one layer in place of six

_MILL = "The mill was built in 1733 by Jan Visser. It stands upstream."
MEMORISED = [
    Example(
        "read",
        "test",
        "a",
        "Who built the mill?",
        _MILL,
        {"answers": 1.0, "helps": 1.0},
        Span(30, 40),
    ),
    Example("read", "test", "b", "Who sold the mill?", _MILL, {"answers": 0.0}),
    Example(
        "support",
        "test",
        "c",
        "It stands upstream.",
        _MILL,
        {"supported": 1.0, "against": 0.0},
        Span(42, 61),
    ),
]


def _network(seed: int) -> Network:
    torch.manual_seed(seed)
    return Network(layers=1)


def _long_rows(many: int) -> list[Row]:
    """Rows so long that twelve of them fill a batch."""
    chance = random.Random(many)
    words = "mill rye weir eel flood willow town stone wheel paddle".split()
    texts = [" ".join(chance.choices(words, k=310)) for _ in range(many)]
    return encode(
        [Example("read", "test", t, "Which mill?", t, {"helps": len(t) % 2}) for t in texts], LAYOUT
    )


def _nothing(network: Network) -> dict[str, Any]:
    return {}


def _same(one: Network, other: dict[str, torch.Tensor]) -> bool:
    mine = one.state_dict()
    return mine.keys() == other.keys() and all(
        torch.equal(mine[name], other[name]) for name in mine
    )


@pytest.mark.slow
def test_three_examples_are_learnt_by_heart(tmp_path: Path) -> None:
    network, rows = _network(0), encode(MEMORISED, LAYOUT)
    batch = collate(rows)
    with torch.no_grad():
        before = float(loss(network, batch, 1.0))
    train_network(
        network, Recipe(epochs=20, rate=1e-3, every=10), lambda _: rows, tmp_path, _nothing
    )
    with torch.no_grad():
        pointed, said = network(batch)
        assert float(loss(network, batch, 1.0)) < before / 10
    assert rows[0].gold == tuple(int(pointed[0, :, at].argmax()) for at in (0, 1))
    assert (
        said["read"][0, 0] > 0 > said["read"][1, 0]
        and said["support"][2, 0] > 0 > said["support"][2, 2]
    )
    told = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in told] == [10, 20] and told[0]["loss"] > told[1]["loss"]


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    recipe = Recipe(epochs=2.5, rate=1e-3, every=3)  # five steps, two an epoch
    whole, part, rest = (tmp_path / name for name in ("whole", "part", "rest"))
    for folder in (whole, part, rest):
        folder.mkdir()

    def epoch(number: int) -> list[Row]:
        return _long_rows(13 + number)

    def stopped(number: int) -> list[Row]:
        if number == 2:  # step 4 is done, step 3 was the last that was kept
            raise KeyboardInterrupt
        return epoch(number)

    straight = _network(0)
    train_network(straight, recipe, epoch, whole, _nothing)
    with pytest.raises(KeyboardInterrupt):
        train_network(_network(0), recipe, stopped, part, _nothing)
    assert torch.load(part / "checkpoint.pt", weights_only=True)["step"] == 3
    resumed = _network(1)  # whatever it was before
    train_network(resumed, recipe, epoch, part, _nothing)
    assert _same(resumed, straight.state_dict())
    again = _network(2)
    train_network(again, recipe, epoch, part, _nothing)  # nothing is left to do
    assert _same(again, straight.state_dict())
    with pytest.raises(SystemExit, match="another recipe"):
        train_network(
            _network(0), Recipe(epochs=2.5, rate=1e-3, every=3, seed=2), epoch, part, _nothing
        )


@pytest.mark.slow
def test_the_last_checkpoint_is_the_end_even_where_the_last_epoch_is_short(tmp_path: Path) -> None:
    network = _network(0)
    train_network(
        network, Recipe(epochs=2, rate=1e-3), lambda n: _long_rows((13, 2)[n]), tmp_path, _nothing
    )
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["step"] == 3 and _same(network, kept["network"])


@pytest.mark.slow
def test_a_checkpoint_is_opened_as_the_network_it_was(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = Network()
    torch.save({"network": network.state_dict(), "step": 1}, tmp_path / "checkpoint.pt")
    found = export.load_network(tmp_path / "checkpoint.pt")
    assert _same(found, network.state_dict()) and not found.training
    assert all((array == arrays(network)[name]).all() for name, array in arrays(found).items())
    assert all(array.dtype == np.float32 for array in arrays(found).values())


@pytest.mark.slow
def test_a_mean_lies_between_the_networks_by_their_shares(tmp_path: Path) -> None:
    paths, states = [tmp_path / "start.pt", tmp_path / "trained.pt"], []
    for path in paths:
        states.append(Network().state_dict())
        torch.save({"network": states[-1], "step": 1}, path)
    for shares in ((), (0.25, 0.75), (1.0, 0.0)):
        mixed = export.load_network(*paths, shares=shares).state_dict()
        first, second = shares or (0.5, 0.5)
        for name in ("pointers.weight", "trunk.layers.0.up.weight", "heads.read.outer.bias"):
            wanted = first * states[0][name] + second * states[1][name]
            assert torch.allclose(mixed[name], wanted, atol=1e-6), name


# the last few numbers, and figures


def _planted(many: int, seed: int) -> tuple[list[list[float]], list[bool]]:
    """Two signals; the first predicts the truth, with a weight of 3 and a constant of -1.5."""
    chance = np.random.default_rng(seed)
    signals = chance.normal(size=(many, 2))
    truth = chance.random(many) < 1 / (1 + np.exp(1.5 - 3 * signals[:, 0]))
    return signals.tolist(), truth.tolist()


def test_a_regression_finds_what_was_planted() -> None:
    signals, truth = _planted(3000, 0)
    weights, _ = fit.regression(signals, truth, ["one"] * 3000)
    assert weights[0] == pytest.approx(3.0, abs=0.4) and weights[1] == pytest.approx(0.0, abs=0.15)


def test_a_class_that_is_there_more_often_weighs_no_more() -> None:
    signals, truth = _planted(1500, 1)
    extra = [n for n, t in enumerate(truth) if t] * 4
    weights, constant = fit.regression(signals, truth, ["one"] * 1500)
    more, other = fit.regression(
        signals + [signals[n] for n in extra],
        truth + [True] * len(extra),
        ["one"] * (1500 + len(extra)),
    )
    assert more == pytest.approx(weights, abs=0.05) and other == pytest.approx(constant, abs=0.05)


def test_a_set_that_is_larger_weighs_no_more() -> None:
    (one, truth), (two, against) = _planted(300, 2), _planted(300, 3)
    against = [not t for t in against]  # in the second set the first signal lies
    names = ["one"] * 300 + ["two"] * 300
    weights, _ = fit.regression(one + two, truth + against, names)
    more, _ = fit.regression(one + two * 9, truth + against * 9, ["one"] * 300 + ["two"] * 2700)
    assert more == pytest.approx(weights, abs=0.05) and abs(weights[0]) < 0.5


@examples(30)
@given(st.floats(0.25, 0.75), st.integers(0, 99))
def test_a_threshold_is_found_in_the_gap(cut: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    scores = [*chance.uniform(cut + 0.01, 1, 40), *chance.uniform(0, cut - 0.01, 25)]
    at, accuracy = fit.threshold(scores, [True] * 40 + [False] * 25, ["one"] * 65)
    assert accuracy == 1.0 and min(scores[:40]) >= at > max(scores[40:])


def test_of_thresholds_about_as_good_the_one_that_errs_evenly_is_taken() -> None:
    true, false = [0.1] * 25 + [0.4] * 25 + [0.9] * 50, [0.1] * 149 + [0.4] * 51
    at, accuracy = fit.threshold(true + false, [True] * 100 + [False] * 200, ["one"] * 300)
    assert at <= 0.4, "from 0.41 on it is better by 0.0025, but half of the true ones are doubted"
    assert accuracy == pytest.approx(0.7475)


SCORED = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.5001, 0.9])), min_size=2, max_size=40
)


@given(SCORED)
def test_balanced_accuracy_is_scikit_learns(scored: list[tuple[bool, float]]) -> None:
    truth, values = [t for t, _ in scored], [v for _, v in scored]
    assume(len(set(truth)) == 2)
    expected = balanced_accuracy_score(truth, [v >= 0.5 for v in values])
    assert figures.balanced(
        [v >= 0.5 for v in values], truth, ["one"] * len(truth)
    ) == pytest.approx(expected)


def test_every_set_counts_the_same() -> None:
    calls, truth = [True, False] + [True] * 8, [True, False] + [True, False] * 4
    names = ["small"] * 2 + ["large"] * 8
    assert figures.balanced(calls, truth, names) == pytest.approx((1.0 + 0.5) / 2)


def test_fitted_numbers_are_what_the_file_holds() -> None:
    chance = np.random.default_rng(0)
    signals = chance.random((80, len(SIGNAL_NAMES))).tolist()
    truth = [row[0] > 0.5 for row in signals]
    found = fit.check_fit(signals, [False] * 80, truth, ["one"] * 80)["fit.check"]
    assert found.dtype == np.float32 and found.shape == (len(SIGNAL_NAMES) + 3,)
    assert found[0] == max(found[: len(SIGNAL_NAMES)]) and 0 < found[-1] < found[-2] < 1
    seen = [row[0] for row in signals]
    read = ReaderFit(*fit.read_fit(seen, truth, ["one"] * 80, 0.4)["fit.read"].tolist())
    assert read.weight > 0 and read.least == pytest.approx(0.4)
    assert (
        np.mean(
            [(read.chance(logit) > 0.5) == there for logit, there in zip(seen, truth, strict=True)]
        )
        > 0.8
    )


def _tuning() -> Sources:
    """Questions and claims of tuning documents, and of other sides that must not be used."""
    questions = [
        Example(
            "read",
            "squad",
            "a",
            f"Who built mill {n}?",
            _MILL,
            {"answers": float(n % 2)},
            Span(30, 40) if n % 2 else None,
        )
        for n in range(40)
    ]
    claims = [
        Example(
            "support",
            f"set {n % 2}",
            "b",
            f"Mill {n} stands.",
            _MILL,
            {"supported": float(n % 4 < 2)},
        )
        for n in range(60)
    ]
    other = [Example("read", "squad", "c", "Seen?", _MILL, {"answers": 1.0})]
    sides = {"train": other, "test": other}
    return Sources(sides | {"tune": questions}, sides | {"tune": claims}, [])


def test_what_is_watched_is_the_same_in_every_run_and_of_tuning_documents() -> None:
    sources = _tuning()
    found = figures.tuning_sample(sources, 20)
    assert found == figures.tuning_sample(sources, 20)
    assert Counter(e.origin for e in found) == {"squad": 20, "set 0": 5, "set 1": 5}
    assert {e.document for e in found} == {"a", "b"}


@pytest.mark.slow
def test_a_glance_gives_shares_and_leaves_the_network_in_training() -> None:
    network = _network(0)
    found = figures.quick_figures(network, LAYOUT, figures.tuning_sample(_tuning(), 12))
    assert found.keys() == {"exact", "answerable_auc", "balanced"} and all(
        0 <= v <= 1 for v in found.values()
    )
    assert network.training
