"""The loop: AdamW, linear warm-up and decay, bfloat16 where it is native, a checkpoint every few minutes.

`run` goes on from the last checkpoint of its folder, to the same weights: epochs, order and batches follow from the seed.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from rag.inference.crossencoder import LABELS, POINTERS
from rag.inference.minilm import native_bfloat16
from rag.training.batches import Batch, Row, make_batches
from rag.training.network import Network


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the weights depend on besides the inputs."""

    epochs: float = 2.0
    seed: int = 1
    rate: float = 1.5e-4  #: of the heads and the trunk, at its highest
    warm: float = 0.05  #: part of the steps over which the rate rises
    decay: float = 0.01
    pointing: float = 1.0  #: weight of the pointers' loss beside that of the labels
    every: int = 300  #: steps between two checkpoints


def loss(network: Network, batch: Batch, pointing: float) -> torch.Tensor:
    """Cross-entropy of the pointers where a span is known, and binary cross-entropy of the labels that are known."""
    pointed, said = network(batch)
    total = pointed.new_zeros(())
    at = 0
    for job, labels in LABELS.items():
        mine = [n for n, row in enumerate(batch.rows) if row.job == job and row.gold is not None]
        if mine:
            total = total + pointing * _pointing(
                job, pointed[mine, :, at : at + POINTERS[job]], [batch.rows[n] for n in mine]
            ) * len(mine)
        at += POINTERS[job]
        wanted, weight = batch.targets(job)
        known = functional.binary_cross_entropy_with_logits(
            said[job], wanted, weight, reduction="sum"
        )
        total = total + known / (len(labels) if job == "support" else 1)
    return total / len(batch.rows)


def _pointing(job: str, logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    """Start and end for an answer; for evidence, how much of the pointer's weight lies inside the span."""
    gold = [row.gold for row in rows if row.gold is not None]
    if POINTERS[job] == 2:
        ends = [torch.tensor([g[side] for g in gold], device=logits.device) for side in (0, 1)]
        return (
            functional.cross_entropy(logits[:, :, 0], ends[0])
            + functional.cross_entropy(logits[:, :, 1], ends[1])
        ) / 2
    inside = torch.zeros(logits.shape[:2], dtype=torch.bool, device=logits.device)
    for at, (low, high) in enumerate(gold):
        inside[at, low : high + 1] = True
    share = logits[:, :, 0].log_softmax(1).masked_fill(~inside, -30000.0)
    return -0.5 * share.logsumexp(1).mean()


def train_network(
    network: Network,
    recipe: Recipe,
    epoch: Callable[[int], list[Row]],
    folder: Path,
    measure: Callable[[Network], dict[str, Any]],
) -> None:
    """Train `network` in place. `epoch(n)` gives the rows of epoch n, `measure` what to write into the log at a checkpoint."""
    _keep_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(device).train()
    optimizer = _optimizer(network, recipe)
    first = list(make_batches(epoch(0), recipe.seed))
    steps = math.ceil(len(first) * recipe.epochs)
    done = _resume(folder, recipe, network, optimizer, device)
    seen, began, sums = 0, time.monotonic(), []
    for number in range(done // max(1, len(first)), math.ceil(recipe.epochs)):
        cut = first if number == 0 else list(make_batches(epoch(number), recipe.seed + number))
        cut = cut[: min(len(first), steps - number * len(first))]
        for at, batch in enumerate(cut):
            step = number * len(first) + at + 1
            if step <= done:
                continue
            _rate(optimizer, recipe, (step - 1) / steps)
            with half(device):
                value = loss(network, batch.to(device), recipe.pointing)
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seen += int(batch.there.sum())
            sums.append(float(value.detach()))
            last = number + 1 == math.ceil(recipe.epochs) and at + 1 == len(
                cut
            )  # a later epoch may have fewer batches
            if step % recipe.every == 0 or last:
                speed = round(seen / (time.monotonic() - began))
                line = {
                    "step": step,
                    "of": steps,
                    "loss": round(sum(sums) / len(sums), 4),
                    "tokens_per_second": speed,
                }
                _keep(folder, recipe, network, optimizer, step)
                _log(folder, line | measure(network))
                seen, began, sums = 0, time.monotonic(), []


def half(device: str) -> torch.autocast:
    """bfloat16 on a GPU and where the processor multiplies it natively; elsewhere it is emulated, at a thirtieth of float32's speed."""
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu" or native_bfloat16())


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    apart = [p for p in network.parameters() if p.ndim < 2]
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    groups = [
        {"params": matrices, "weight_decay": recipe.decay},
        {"params": apart, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _rate(optimizer: torch.optim.Optimizer, recipe: Recipe, part: float) -> None:
    """The learning rate when `part` of the steps is done."""
    rate = recipe.rate * min(1.0, part / recipe.warm, (1 - part) / (1 - recipe.warm) + 0.01)
    for group in optimizer.param_groups:
        group["lr"] = rate


def _keep_memory() -> None:
    """Ask glibc not to give every large block back to the system: with blocks of changing size that costs a tenth of the time."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def _log(folder: Path, line: dict[str, Any]) -> None:
    with open(folder / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def _keep(
    folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.Optimizer, step: int
) -> None:
    beside = folder / ".checkpoint.tmp"
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "recipe": asdict(recipe),
        },
        beside,
    )
    os.replace(beside, folder / "checkpoint.pt")


def _resume(
    folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.Optimizer, device: str
) -> int:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0
    kept = torch.load(path, map_location=device, weights_only=True)
    if kept["recipe"] != asdict(recipe):
        raise SystemExit(
            f"{path} was made by another recipe ({kept['recipe']}); give another folder, or remove it"
        )
    network.load_state_dict(kept["network"])
    optimizer.load_state_dict(kept["optimizer"])
    return int(kept["step"])
