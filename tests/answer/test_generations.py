"""Answers of models of random weights: no invalid number, no false quotation, no template token, no prompt over the context."""

from __future__ import annotations

import pytest

from tests.support import generations


@pytest.mark.slow
def test_no_answer_breaks_a_rule() -> None:
    counts = generations.run(60)
    assert counts["answers"] == 60 and not generations.broken(counts), counts
    assert (
        counts["own sentences"] >= 5 and counts["quotations"] >= 30
    )  # there was something to look at
