"""The training loop: AdamW, linear warm-up and decay, native bfloat16, regular checkpoints.

`train_network` continues from the last checkpoint in its folder and reaches the same weights,
because epochs, order and batches depend only on the seed.
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

import torch
from torch.nn import functional

from rag.inference.crossencoder import LABELS, POINTERS
from rag.inference.llama import native_bfloat16
from rag.training.batches import Batch, Row, make_batches
from rag.training.network import Network


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings on which the weights depend, besides the inputs."""

    epochs: float = 2.0
    seed: int = 1
    rate: float = 1.5e-4  #: highest learning rate, of the heads and the trunk
    warm: float = 0.05  #: share of the steps during which the rate rises
    decay: float = 0.01  #: weight decay of the matrices
    pointing: float = 1.0  #: weight of the loss of the pointers; that of the labels weighs 1
    every: int = 300  #: steps between two checkpoints


def loss(network: Network, batch: Batch, pointing: float) -> torch.Tensor:
    """The loss of a batch, a mean over its rows.

    It is the cross-entropy of the pointers for known spans, times `pointing`, plus the binary
    cross-entropy of known labels.
    """
    pointers, logits = network(batch)
    total = pointers.new_zeros(())
    column = 0
    for job, labels in LABELS.items():
        with_span = [
            number
            for number, row in enumerate(batch.rows)
            if row.job == job and row.gold is not None
        ]
        if with_span:
            columns = pointers[with_span, :, column : column + POINTERS[job]]
            span_loss = _pointer_loss(job, columns, [batch.rows[number] for number in with_span])
            total = total + pointing * span_loss * len(with_span)
        column += POINTERS[job]
        targets, weights = batch.targets(job)
        label_loss = functional.binary_cross_entropy_with_logits(
            logits[job], targets, weights, reduction="sum"
        )
        total = total + label_loss / (len(labels) if job == "support" else 1)
    return total / len(batch.rows)


def _pointer_loss(job: str, logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    """The loss of the pointers of a job, for rows with a span.

    For an answer it is the cross-entropy of start and end; for evidence it depends on the pointer's
    weight inside the span.
    """
    gold = [row.gold for row in rows if row.gold is not None]
    if POINTERS[job] == 2:
        starts, ends = (
            torch.tensor([span[side] for span in gold], device=logits.device) for side in (0, 1)
        )
        start_loss = functional.cross_entropy(logits[:, :, 0], starts)
        return (start_loss + functional.cross_entropy(logits[:, :, 1], ends)) / 2
    inside = torch.zeros(logits.shape[:2], dtype=torch.bool, device=logits.device)
    for number, (low, high) in enumerate(gold):
        inside[number, low : high + 1] = True
    share = logits[:, :, 0].log_softmax(1).masked_fill(~inside, -30000.0)
    return -0.5 * share.logsumexp(1).mean()


def train_network(
    network: Network,
    recipe: Recipe,
    epoch: Callable[[int], list[Row]],
    folder: Path,
    measure: Callable[[Network], dict[str, float]],
) -> None:
    """Train `network` in place.

    `epoch(n)` gives the rows of epoch n. `measure` gives figures for the log at a checkpoint. Log
    and checkpoint are written to `folder`.
    """
    _retain_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(device).train()
    optimizer = _optimizer(network, recipe)
    first = list(make_batches(epoch(0), recipe.seed))
    steps = math.ceil(len(first) * recipe.epochs)
    done = _resume(folder, recipe, network, optimizer, device)
    tokens, started, losses = 0, time.monotonic(), []
    for number in range(done // max(1, len(first)), math.ceil(recipe.epochs)):
        batches = first if number == 0 else list(make_batches(epoch(number), recipe.seed + number))
        batches = batches[: min(len(first), steps - number * len(first))]
        for index, batch in enumerate(batches):
            step = number * len(first) + index + 1
            if step <= done:
                continue
            _set_rate(optimizer, recipe, (step - 1) / steps)
            losses.append(_step(network, optimizer, batch.to(device), recipe))
            tokens += int(batch.present.sum())
            # a later epoch may have fewer batches, so the last step may be less than `steps`
            last = number + 1 == math.ceil(recipe.epochs) and index + 1 == len(batches)
            if step % recipe.every == 0 or last:
                line: dict[str, float] = {
                    "step": step,
                    "of": steps,
                    "loss": round(sum(losses) / len(losses), 4),
                    "tokens_per_second": round(tokens / (time.monotonic() - started)),
                }
                _save(folder, recipe, network, optimizer, step)
                _log(folder, line | measure(network))
                tokens, started, losses = 0, time.monotonic(), []


def _step(
    network: Network, optimizer: torch.optim.Optimizer, batch: Batch, recipe: Recipe
) -> float:
    """Change the weights once and return the loss."""
    with half(str(batch.ids.device.type)):
        value = loss(network, batch, recipe.pointing)
    value.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(value.detach())


def half(device: str) -> torch.autocast:
    """A context with bfloat16 on a GPU and on processors that multiply it natively.

    Other processors emulate bfloat16 at a thirtieth of the speed of float32, so they use float32.
    """
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu" or native_bfloat16())


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    vectors = [weights for weights in network.parameters() if weights.ndim < 2]
    matrices = [weights for weights in network.parameters() if weights.ndim >= 2]
    groups = [
        {"params": matrices, "weight_decay": recipe.decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)


def _set_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    """Set the learning rate after the share `done` of the steps."""
    rate = recipe.rate * min(1.0, done / recipe.warm, (1 - done) / (1 - recipe.warm) + 0.01)
    for group in optimizer.param_groups:
        group["lr"] = rate


def _retain_freed_memory() -> None:
    """Make glibc keep large freed blocks.

    Returning blocks of changing size to the system takes a tenth of the time.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def _log(folder: Path, line: dict[str, float]) -> None:
    with open(folder / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def _save(
    folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.Optimizer, step: int
) -> None:
    temporary = folder / ".checkpoint.tmp"
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "recipe": asdict(recipe),
        },
        temporary,
    )
    os.replace(temporary, folder / "checkpoint.pt")


def _resume(
    folder: Path, recipe: Recipe, network: Network, optimizer: torch.optim.Optimizer, device: str
) -> int:
    """Load the checkpoint, if there is one, and return its step. Exits if the recipe differs."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0
    checkpoint = torch.load(path, map_location=device, weights_only=True)
    if checkpoint["recipe"] != asdict(recipe):
        raise SystemExit(
            f"{path} was made by another recipe ({checkpoint['recipe']}); "
            "give another folder, or remove it"
        )
    network.load_state_dict(checkpoint["network"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return int(checkpoint["step"])
