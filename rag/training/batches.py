"""Examples -> batches of token ids, of about equal length and about equal size, so that little is padding."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from rag.inference.crossencoder import LABELS, MAX_TOKENS, Layout
from rag.training.examples import Example

_TOKENS = 4096  # of a batch
_POOL = 1600  # rows among which lengths are sorted
_STEP = 16  # lengths are rounded up to this: every new shape costs oneDNN the making of its kernels


@dataclass(frozen=True, slots=True)
class Row:
    """One pair as ids, with its targets. `gold` are the token places of the span, inclusive; None where there is none."""

    ids: tuple[int, ...]
    first: tuple[int, int]
    second: tuple[int, int]
    job: str
    gold: tuple[int, int] | None
    labels: tuple[tuple[str, float], ...]
    weight: float


@dataclass(slots=True)
class Batch:
    """Tensors of rows: ids, masks of what is there, of the first and of the second text (rows, length); and their targets."""

    ids: torch.Tensor
    there: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    rows: list[Row]

    def to(self, device: str) -> Batch:
        ids, there, first, second = (
            t.to(device) for t in (self.ids, self.there, self.first, self.second)
        )
        return Batch(ids, there, first, second, self.rows)

    def targets(self, job: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Wanted labels and their weights (0 for what is not known), both (rows, labels of the job)."""
        wanted = torch.zeros(len(self.rows), len(LABELS[job]))
        weight = torch.zeros_like(wanted)
        for at, row in enumerate(self.rows):
            for label, value in row.labels:
                if label in LABELS[job]:
                    wanted[at, LABELS[job].index(label)] = value
                    weight[at, LABELS[job].index(label)] = row.weight
        return wanted.to(self.ids.device), weight.to(self.ids.device)


def encode(examples: Sequence[Example], layout: Layout) -> list[Row]:
    """Rows in the order of the examples. A pair that is too long loses the end of its passage."""
    firsts = layout.pieces([e.first for e in examples])
    seconds = layout.pieces([e.second for e in examples])
    out = []
    for example, first, second in zip(examples, firsts, seconds, strict=True):
        ids, low, kept = layout.row(example.job, first.ids, second.ids, MAX_TOKENS)
        gold = None
        if example.span is not None and (example.job == "support" or example.labels.get("answers")):
            inside = [
                n
                for n, (a, b) in enumerate(second.offsets[:kept])
                if a < example.span.end and b > example.span.start
            ]
            whole = inside and second.offsets[inside[-1]][1] >= example.span.end - 1
            gold = (low + inside[0], low + inside[-1]) if inside and whole else None
        begin = layout.first
        out.append(
            Row(
                tuple(ids),
                (begin, low - 1),
                (low, low + kept),
                example.job,
                gold,
                tuple(example.labels.items()),
                example.weight,
            )
        )
    return out


def make_batches(rows: Sequence[Row], seed: int) -> Iterator[Batch]:
    """All rows once, in an order that `seed` decides."""
    chance = random.Random(seed)
    order = list(range(len(rows)))
    chance.shuffle(order)
    pool: list[Row] = []
    for at in order:
        pool.append(rows[at])
        if len(pool) == _POOL:
            yield from _sorted(pool, chance)
            pool = []
    yield from _sorted(pool, chance)


def _sorted(pool: list[Row], chance: random.Random) -> Iterator[Batch]:
    pool.sort(key=lambda r: -len(r.ids))
    cut: list[list[Row]] = []
    at = 0
    while at < len(pool):
        many = max(1, _TOKENS // _rounded(len(pool[at].ids)))
        cut.append(pool[at : at + many])
        at += many
    chance.shuffle(cut)
    yield from (collate(rows) for rows in cut)


def _rounded(length: int) -> int:
    return -(-length // _STEP) * _STEP


def collate(rows: list[Row], step: int = _STEP) -> Batch:
    """One batch of these rows, padded to the longest, rounded up to a multiple of `step`."""
    length = -(-max(len(r.ids) for r in rows) // step) * step
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    there, first, second = (torch.zeros(len(rows), length, dtype=torch.bool) for _ in range(3))
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = torch.tensor(row.ids)
        there[at, : len(row.ids)] = True
        first[at, row.first[0] : row.first[1]] = True
        second[at, row.second[0] : row.second[1]] = True
    return Batch(ids, there, first, second, rows)
