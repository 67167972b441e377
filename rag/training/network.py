"""The network in torch: the BERT of all-MiniLM-L6-v2 with the heads of the reader.

The code does not use the transformers library: without dropout and with attention as two matrix
products it trains 1.4 to 1.6 times as fast on two cores in bfloat16 (4,700 against 3,300 tokens a
second at length 64). All tokens have type 0, as in llama.cpp. `rag.inference.crossencoder` computes
the same heads in numpy; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rag.inference.crossencoder import HIDDEN_SIZE, LABELS, POINTERS
from rag.training.batches import Batch

_ATTENTION_HEADS, _FEED_FORWARD, _WIDTH = 12, 1536, 384
_MASKED = -30000.0  # logit of a token that must not be attended to
#: the name of each part of a layer: its name in a BERT checkpoint
_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm2": "output.LayerNorm",
}


class Layer(nn.Module):
    """One transformer layer, post-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(_WIDTH, _WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(_WIDTH, _FEED_FORWARD), nn.Linear(_FEED_FORWARD, _WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(_WIDTH, eps=1e-12), nn.LayerNorm(_WIDTH, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        rows, length, _ = x.shape
        weight = torch.cat((self.query.weight, self.key.weight, self.value.weight))
        bias = torch.cat((self.query.bias, self.key.bias, self.value.bias))
        q, k, v = (
            nn.functional.linear(x, weight, bias)
            .view(rows, length, 3, _ATTENTION_HEADS, _WIDTH // _ATTENTION_HEADS)
            .permute(2, 0, 3, 1, 4)
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(_WIDTH // _ATTENTION_HEADS) + mask
        mixed = scores.softmax(-1) @ v
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(rows, length, _WIDTH)))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Trunk(nn.Module):
    """The encoder: token ids of shape (rows, length) to vectors of shape (rows, length, 384).

    `present` masks the tokens that are not padding.
    """

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, _WIDTH), nn.Embedding(512, _WIDTH)
        self.kinds = nn.Embedding(2, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))

    def forward(self, ids: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.words(ids) + self.places(places) + self.kinds.weight[0])
        mask = torch.zeros_like(present, dtype=x.dtype).masked_fill(~present, _MASKED)
        mask = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def start_from(self, folder: Path) -> None:
        """Load the weights of all-MiniLM-L6-v2 from `folder`."""
        from safetensors.torch import load_file

        tensors = load_file(str(folder / "model.safetensors"))
        names = self.names()
        self.load_state_dict({name: tensors[original] for name, original in names.items()})

    def names(self) -> dict[str, str]:
        """The name of each tensor here: its name in a BERT checkpoint."""
        kinds = ("weight", "bias")
        names = {f"norm.{kind}": f"embeddings.LayerNorm.{kind}" for kind in kinds}
        for name, original in (("words", "word"), ("places", "position"), ("kinds", "token_type")):
            names[f"{name}.weight"] = f"embeddings.{original}_embeddings.weight"
        for layer in range(len(self.layers)):
            for name, original in _NAMES.items():
                names |= {
                    f"layers.{layer}.{name}.{kind}": f"encoder.layer.{layer}.{original}.{kind}"
                    for kind in kinds
                }
        return names


class Head(nn.Module):
    """The logits of the labels of a pair.

    The input is the vector of [CLS], the mean of the first text, and the mean of the second text
    weighted by the pointers.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(3 * _WIDTH, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(torch.tanh(self.inner(x)))


class Network(nn.Module):
    """Trunk and heads. The pointers are start and end of the answer, helpful words, evidence."""

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        self.trunk = Trunk(layers)
        self.pointers = nn.Linear(_WIDTH, sum(POINTERS.values()))
        self.heads = nn.ModuleDict({job: Head(len(labels)) for job, labels in LABELS.items()})
        nn.init.normal_(self.pointers.weight, std=0.02)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        """(logits of the pointers, logits of the labels of each head).

        Their shapes are (rows, length, 4) and (rows, labels). A pointer's logit is -30000 outside
        the second text.
        """
        hidden = self.trunk(batch.ids, batch.present).float()
        pointers = self.pointers(hidden).masked_fill(~batch.second[:, :, None], _MASKED)
        first = batch.first.float()
        first_mean = (hidden * first[:, :, None]).sum(1) / first.sum(1, keepdim=True).clamp(min=1)
        labels, column = {}, 0
        for name, head in self.heads.items():
            weights = pointers[:, :, column : column + POINTERS[name]].softmax(1).mean(2)
            second_mean = torch.einsum("rl,rld->rd", weights, hidden)
            labels[name] = head(torch.cat((hidden[:, 0], first_mean, second_mean), dim=1))
            column += POINTERS[name]
        return pointers, labels


def arrays(network: Network) -> dict[str, NDArray[np.float32]]:
    """The heads as float32 numpy arrays, by the names in `rag.inference.crossencoder`."""
    tensors = {"pointers.weight": network.pointers.weight, "pointers.bias": network.pointers.bias}
    for job, head in network.heads.items():
        for part in ("inner", "outer"):
            layer = getattr(head, part)
            tensors |= {f"{job}.{part}.weight": layer.weight, f"{job}.{part}.bias": layer.bias}
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in tensors.items()}
