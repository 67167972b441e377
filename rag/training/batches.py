"""Makes batches of token ids from examples, of about equal length, so that little is padding."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from rag.inference.crossencoder import LABELS, MAX_TOKENS, Layout
from rag.training.examples import Example

_BATCH_TOKENS = 4096
_POOL_ROWS = 1600  # rows that are sorted by length together
_LENGTH_STEP = 16  # lengths are rounded up to a multiple, because oneDNN compiles each new shape


@dataclass(frozen=True, slots=True)
class Row:
    """One pair as ids, with its targets.

    `first` and `second` are the half-open ranges of the two texts. `gold` is the inclusive range of
    tokens of the span, None if there is no span.
    """

    ids: tuple[int, ...]
    first: tuple[int, int]
    second: tuple[int, int]
    job: str
    gold: tuple[int, int] | None
    labels: tuple[tuple[str, float], ...]
    weight: float


@dataclass(slots=True)
class Batch:
    """The rows of a batch as tensors of shape (rows, length).

    `present`, `first` and `second` are masks: of all tokens, of the first text, of the second text.
    """

    ids: torch.Tensor
    present: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    rows: list[Row]

    def to(self, device: str) -> Batch:
        ids, present, first, second = (
            tensor.to(device) for tensor in (self.ids, self.present, self.first, self.second)
        )
        return Batch(ids, present, first, second, self.rows)

    def targets(self, job: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Target labels and their weights, both of shape (rows, labels of the job).

        The weight of an unknown label is 0.
        """
        targets = torch.zeros(len(self.rows), len(LABELS[job]))
        weights = torch.zeros_like(targets)
        for number, row in enumerate(self.rows):
            for label, value in row.labels:
                if label in LABELS[job]:
                    targets[number, LABELS[job].index(label)] = value
                    weights[number, LABELS[job].index(label)] = row.weight
        return targets.to(self.ids.device), weights.to(self.ids.device)


def encode(examples: Sequence[Example], layout: Layout) -> list[Row]:
    """The rows of the examples, in their order. A pair that is too long loses the passage's end."""
    firsts = layout.pieces([example.first for example in examples])
    seconds = layout.pieces([example.second for example in examples])
    rows = []
    for example, first, second in zip(examples, firsts, seconds, strict=True):
        ids, start, kept = layout.row(example.job, first.ids, second.ids, MAX_TOKENS)
        rows.append(
            Row(
                tuple(ids),
                (layout.first, start - 1),
                (start, start + kept),
                example.job,
                _gold(example, second.offsets[:kept], start),
                tuple(example.labels.items()),
                example.weight,
            )
        )
    return rows


def _gold(
    example: Example, offsets: Sequence[tuple[int, int]], start: int
) -> tuple[int, int] | None:
    """The inclusive range of tokens of the example's span; None if there is none or it was cut.

    `offsets` are those of the kept tokens of the passage; the first is token `start` of the row.
    """
    if example.span is None or not (example.job == "support" or example.labels.get("answers")):
        return None
    inside = [
        number
        for number, (low, high) in enumerate(offsets)
        if low < example.span.end and high > example.span.start
    ]
    if not inside or offsets[inside[-1]][1] < example.span.end - 1:
        return None
    return start + inside[0], start + inside[-1]


def make_batches(rows: Sequence[Row], seed: int) -> Iterator[Batch]:
    """Batches with every row once, in an order that depends on `seed`."""
    chance = random.Random(seed)
    order = list(range(len(rows)))
    chance.shuffle(order)
    pool: list[Row] = []
    for index in order:
        pool.append(rows[index])
        if len(pool) == _POOL_ROWS:
            yield from _pool_batches(pool, chance)
            pool = []
    yield from _pool_batches(pool, chance)


def _pool_batches(pool: list[Row], chance: random.Random) -> Iterator[Batch]:
    """Batches of rows of similar length, in random order."""
    pool.sort(key=lambda row: -len(row.ids))
    groups: list[list[Row]] = []
    start = 0
    while start < len(pool):
        size = max(1, _BATCH_TOKENS // _rounded_up(len(pool[start].ids), _LENGTH_STEP))
        groups.append(pool[start : start + size])
        start += size
    chance.shuffle(groups)
    yield from (collate(rows) for rows in groups)


def _rounded_up(length: int, step: int) -> int:
    return -(-length // step) * step


def collate(rows: list[Row], step: int = _LENGTH_STEP) -> Batch:
    """One batch of these rows, padded to the longest, rounded up to a multiple of `step`."""
    length = _rounded_up(max(len(row.ids) for row in rows), step)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    present, first, second = (torch.zeros(len(rows), length, dtype=torch.bool) for _ in range(3))
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        present[number, : len(row.ids)] = True
        first[number, row.first[0] : row.first[1]] = True
        second[number, row.second[0] : row.second[1]] = True
    return Batch(ids, present, first, second, rows)
