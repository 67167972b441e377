"""Quick figures during training, on a few hundred examples of the tuning documents."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch

from rag.eval.checker import roc_auc
from rag.inference.crossencoder import Layout
from rag.training.batches import collate, encode
from rag.training.examples import Example
from rag.training.mixture import Sources
from rag.training.network import Network
from rag.training.train import half


def tuning_sample(sources: Sources, size: int = 300) -> list[Example]:
    """`size` questions, and a quarter as many claims of each set; the same in every run."""
    chance = random.Random(0)
    squad = [e for e in sources.questions["tune"] if e.origin == "squad"]
    sample = chance.sample(squad, min(size, len(squad)))
    for name in sorted({e.origin for e in sources.claims["tune"]}):
        claims = [e for e in sources.claims["tune"] if e.origin == name]
        sample += chance.sample(claims, min(size // 4, len(claims)))
    return sample


def quick_figures(network: Network, layout: Layout, examples: list[Example]) -> dict[str, float]:
    """Three figures of the network.

    "exact" is the share of exact spans, "answerable_auc" the AUC of answerable or not, "balanced"
    the mean balanced accuracy over the claim sets at their best common threshold.
    """
    network.eval()
    rows = encode(examples, layout)
    device = next(network.parameters()).device
    exact: list[bool] = []
    answers: dict[bool, list[float]] = {True: [], False: []}
    sets: list[str] = []
    truth: list[bool] = []
    scores: list[float] = []
    with torch.no_grad(), half(str(device.type)):
        for start in range(0, len(rows), 16):
            batch = rows[start : start + 16]
            pointers, logits = network(collate(batch).to(str(device)))
            for number, row in enumerate(batch):
                labels = dict(row.labels)
                if row.job == "support":
                    sets.append(examples[start + number].origin)
                    truth.append(bool(labels["supported"]))
                    scores.append(float(logits["support"][number, 0]))
                    continue
                answers[bool(labels["answers"])].append(float(logits["read"][number, 0]))
                if row.gold:
                    best = tuple(int(pointers[number, :, side].argmax()) for side in (0, 1))
                    exact.append(best == row.gold)
    network.train()
    auc = roc_auc(*(np.array([answers[answered]]) for answered in (True, False)))[0]
    thresholds = [quarter / 4 for quarter in range(-8, 9)]
    accuracies = [balanced([score >= at for score in scores], truth, sets) for at in thresholds]
    return {
        "exact": round(sum(exact) / len(exact), 3),
        "answerable_auc": round(float(auc), 3),
        "balanced": round(max(accuracies), 3),
    }


def balanced(calls: Sequence[bool], truth: Sequence[bool], sets: Sequence[str]) -> float:
    """Mean over the sets of balanced accuracy, the mean of both recalls (Brodersen et al. 2010)."""
    return (recall(calls, truth, sets, True) + recall(calls, truth, sets, False)) / 2


def recall(calls: Sequence[bool], truth: Sequence[bool], sets: Sequence[str], kind: bool) -> float:
    """Mean over the sets of the recall of the class `kind`."""
    recalls = []
    for name in sorted(set(sets)):
        correct = [
            call is kind
            for call, true, origin in zip(map(bool, calls), truth, sets, strict=True)
            if origin == name and true is kind
        ]
        recalls.append(sum(correct) / max(1, len(correct)))
    return sum(recalls) / len(recalls)
