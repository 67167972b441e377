"""A scripted model writes answers over the seeds with one false sentence each: what of them is shown.

`python -m tests.support.planted CORPUS.jsonl.gz` measures the same over other texts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Config
from rag.machines import Machines
from rag.training.measure import passages_of
from tests.conftest import SEEDS
from tests.support.planted import plant

pytestmark = pytest.mark.slow


def test_false_sentences_are_withheld_and_true_ones_shown(seeded: Path) -> None:
    machines = Machines(Config(home=str(seeded)))
    found = plant(passages_of(SEEDS), machines.judge(), many=40)
    machines.close()
    assert len(found.false) == 40 and len(found.true) == 80
    assert found.shown_false <= 0.15, found.missed
    assert found.lost_true <= 0.05, found.lost
