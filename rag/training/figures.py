"""What the weights are measured by while they are trained: a few hundred examples of the documents kept for tuning."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rag.eval.checker import roc_auc
from rag.inference.crossencoder import Layout
from rag.training.batches import collate, encode
from rag.training.examples import Example
from rag.training.mixture import Sources
from rag.training.network import Network
from rag.training.train import half


def tuning_sample(sources: Sources, many: int = 300) -> list[Example]:
    """Questions and claims of tuning documents, the same in every run."""
    chance = random.Random(0)
    squad = [e for e in sources.questions["tune"] if e.origin == "squad"]
    out = chance.sample(squad, min(many, len(squad)))
    for name in sorted({e.origin for e in sources.claims["tune"]}):
        mine = [e for e in sources.claims["tune"] if e.origin == name]
        out += chance.sample(mine, min(many // 4, len(mine)))
    return out


def quick_figures(network: Network, layout: Layout, examples: list[Example]) -> dict[str, Any]:
    """Share of exact spans, AUC of answerable or not, mean balanced accuracy over the claim sets at their best shared threshold."""
    network.eval()
    rows = encode(examples, layout)
    device = next(network.parameters()).device
    exact: list[bool] = []
    answers: dict[bool, list[float]] = {True: [], False: []}
    sets: list[str] = []
    truth: list[bool] = []
    scores: list[float] = []
    with torch.no_grad(), half(str(device.type)):
        for at in range(0, len(rows), 16):
            part = rows[at : at + 16]
            pointed, said = network(collate(part).to(str(device)))
            for n, (row, example) in enumerate(zip(part, examples[at : at + 16], strict=True)):
                labels = dict(row.labels)
                if row.job == "support":
                    sets.append(example.origin)
                    truth.append(bool(labels["supported"]))
                    scores.append(float(said["support"][n, 0]))
                    continue
                answers[bool(labels["answers"])].append(float(said["read"][n, 0]))
                if row.gold:
                    best = tuple(int(pointed[n, :, side].argmax()) for side in (0, 1))
                    exact.append(best == row.gold)
    network.train()
    return {
        "exact": round(sum(exact) / len(exact), 3),
        "answerable_auc": round(
            float(roc_auc(*(np.array([answers[there]]) for there in (True, False)))[0]), 3
        ),
        "balanced": round(
            max(balanced([x >= at / 4 for x in scores], truth, sets) for at in range(-8, 9)), 3
        ),
    }


def balanced(calls: Sequence[bool], truth: Sequence[bool], sets: Sequence[str]) -> float:
    """Mean over the sets of balanced accuracy: the mean of the recalls of both classes (Brodersen et al. 2010)."""
    return (recall(calls, truth, sets, True) + recall(calls, truth, sets, False)) / 2


def recall(calls: Sequence[bool], truth: Sequence[bool], sets: Sequence[str], kind: bool) -> float:
    """Mean over the sets of the share of what is `kind` that was called so."""
    out = []
    for name in sorted(set(sets)):
        found = [
            c is kind
            for c, t, s in zip(map(bool, calls), truth, sets, strict=True)
            if s == name and t is kind
        ]
        out.append(sum(found) / max(1, len(found)))
    return sum(out) / len(out)
