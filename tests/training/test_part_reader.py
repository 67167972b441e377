"""What the part reader's training writes: a mean of two networks."""

from __future__ import annotations

import pytest
import torch

from rag.training.network import Network
from rag.training.part_reader import mean_network

pytestmark = pytest.mark.slow


def test_the_mean_lies_between_the_network_before_and_after_training() -> None:
    start, trained = Network(layers=6), Network(layers=6)
    before, after = start.state_dict(), trained.state_dict()
    for share in (0.0, 0.25, 1.0):
        mixed = mean_network(start, trained, share).state_dict()
        for name in ("pointers.weight", "trunk.layers.0.up.weight", "heads.read.outer.bias"):
            wanted = (1 - share) * before[name] + share * after[name]
            assert torch.allclose(mixed[name], wanted, atol=1e-6), name
