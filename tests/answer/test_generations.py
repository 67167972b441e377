"""Answers of models of random weights: no rule is broken, a stop takes effect, memory does not grow."""

from __future__ import annotations

import pytest

from tests.support import generations, stops


@pytest.mark.slow
def test_no_answer_breaks_a_rule() -> None:
    counts = generations.run(60)
    assert counts["answers"] == 60 and not generations.broken(counts), counts
    assert (
        counts["own sentences"] >= 5 and counts["quotations"] >= 30
    )  # there was something to look at


@pytest.mark.slow
def test_a_stop_takes_effect_at_any_moment() -> None:
    taken = sorted(stops.run(12))
    assert taken[len(taken) // 2] < 1, taken  # 0.3 on a free computer: make generations
