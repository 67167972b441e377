"""The network in torch: BERT as all-MiniLM-L6-v2 has it, and the heads.

Written out rather than taken from transformers: without dropout and with attention as two plain products it trains 1.4 to 1.6
times as fast on two cores in bfloat16 (4,700 against 3,300 tokens a second at length 64). Token type 0 throughout, as
llama.cpp runs it. What the heads compute is written once more, in numpy, in `rag.inference.crossencoder`; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rag.inference.crossencoder import HIDDEN_SIZE, LABELS, POINTERS
from rag.training.batches import Batch

_HEADS, _FEED, _WIDE = 12, 1536, 384
_NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "out": "attention.output.dense", "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense", "norm2": "output.LayerNorm",
}  # fmt: skip


class Layer(nn.Module):
    """One block, post-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(_WIDE, _WIDE) for _ in range(4))
        self.up, self.down = nn.Linear(_WIDE, _FEED), nn.Linear(_FEED, _WIDE)
        self.norm1, self.norm2 = nn.LayerNorm(_WIDE, eps=1e-12), nn.LayerNorm(_WIDE, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        rows, length, _ = x.shape
        weight = torch.cat((self.query.weight, self.key.weight, self.value.weight))
        bias = torch.cat((self.query.bias, self.key.bias, self.value.bias))
        q, k, v = (
            nn.functional.linear(x, weight, bias)
            .view(rows, length, 3, _HEADS, _WIDE // _HEADS)
            .permute(2, 0, 3, 1, 4)
        )
        seen = (q @ k.transpose(-1, -2) / math.sqrt(_WIDE // _HEADS) + mask).softmax(-1) @ v
        x = self.norm1(x + self.out(seen.transpose(1, 2).reshape(rows, length, _WIDE)))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Trunk(nn.Module):
    """Token ids, shape (rows, length), and which of them are there -> token vectors, shape (rows, length, 384)."""

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, _WIDE), nn.Embedding(512, _WIDE)
        self.kinds = nn.Embedding(2, _WIDE)
        self.norm = nn.LayerNorm(_WIDE, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))

    def forward(self, ids: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.words(ids) + self.places(places) + self.kinds.weight[0])
        mask = torch.zeros_like(there, dtype=x.dtype).masked_fill(~there, -30000.0)[
            :, None, None, :
        ]
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def start_from(self, folder: Path) -> None:
        """The weights of all-MiniLM-L6-v2."""
        from safetensors.torch import load_file

        theirs = load_file(str(folder / "model.safetensors"))
        self.load_state_dict({mine: theirs[name] for mine, name in self.names().items()})

    def names(self) -> dict[str, str]:
        """Our name of each tensor -> its name in a BERT checkpoint."""
        out = {f"norm.{k}": f"embeddings.LayerNorm.{k}" for k in ("weight", "bias")}
        for mine, theirs in (("words", "word"), ("places", "position"), ("kinds", "token_type")):
            out[f"{mine}.weight"] = f"embeddings.{theirs}_embeddings.weight"
        for at in range(len(self.layers)):
            for mine, theirs in _NAMES.items():
                out |= {
                    f"layers.{at}.{mine}.{k}": f"encoder.layer.{at}.{theirs}.{k}"
                    for k in ("weight", "bias")
                }
        return out


class Head(nn.Module):
    """What is said of a pair: [CLS], the mean of the first text and the pointed-at mean of the second -> a few logits."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(3 * _WIDE, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(torch.tanh(self.inner(x)))


class Network(nn.Module):
    """Trunk and heads. `pointers` are two per job: start and end of the answer, evidence, what helps."""

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        self.trunk = Trunk(layers)
        self.pointers = nn.Linear(_WIDE, sum(POINTERS.values()))
        self.heads = nn.ModuleDict({job: Head(len(labels)) for job, labels in LABELS.items()})
        nn.init.normal_(self.pointers.weight, std=0.02)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        """Pointer logits (rows, length, 4), -30000 outside the second text, and the logits of each job's labels (rows, labels)."""
        hidden = self.trunk(batch.ids, batch.there).float()
        pointed = self.pointers(hidden).masked_fill(~batch.second[:, :, None], -30000.0)
        first = batch.first.float()
        mean = (hidden * first[:, :, None]).sum(1) / first.sum(1, keepdim=True).clamp(min=1)
        said, at = {}, 0
        for job, head in self.heads.items():
            share = pointed[:, :, at : at + POINTERS[job]].softmax(1).mean(2)
            looked = torch.einsum("rl,rld->rd", share, hidden)
            said[job] = head(torch.cat((hidden[:, 0], mean, looked), dim=1))
            at += POINTERS[job]
        return pointed, said


def arrays(network: Network) -> dict[str, Any]:
    """The heads as float32 numpy arrays, under the names that `rag.inference.crossencoder` reads."""
    out = {"pointers.weight": network.pointers.weight, "pointers.bias": network.pointers.bias}
    for job, head in network.heads.items():
        for part in ("inner", "outer"):
            layer = getattr(head, part)
            out |= {f"{job}.{part}.weight": layer.weight, f"{job}.{part}.bias": layer.bias}
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in out.items()}
