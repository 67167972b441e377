"""Trained weights -> the GGUF that ships, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from rag import weights
from rag.convert import gguf_name, tensors, write
from rag.llama import arrays as metadata
from rag.training.trunk import Network, arrays

NAME = "footnote-reader"


def ship(network: Network, target: Path, fits: dict[str, Any], kind: str = "q8_0") -> None:
    """Write `network` to `target`; `fits` (small float32 arrays, see `fit`) travel with the heads."""
    write(target, weights.minilm_folder(), NAME, _tensors(network), kind, pooled=False, arrays=arrays(network) | fits)


def load(path: Path) -> Network:
    """The network of a checkpoint, or of a file that `ship` wrote (less what q8_0 rounded off)."""
    network = Network()
    if path.suffix == ".gguf":
        network.load_state_dict(_shipped(path, network))
    else:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["network"])
    return network.eval()


def _shipped(path: Path, network: Network) -> dict[str, torch.Tensor]:
    found, heads = tensors(path), metadata(str(path))
    out = {}
    for mine, theirs in network.trunk.names().items():
        out[f"trunk.{mine}"] = found[str(gguf_name(theirs))]
    for name in arrays(network):
        out[name if name.startswith("pointers") else f"heads.{name}"] = heads[name]
    return {name: torch.tensor(array) for name, array in out.items()}


def _tensors(network: Network) -> Iterator[tuple[str, Any]]:
    state = network.trunk.state_dict()
    for mine, theirs in sorted(network.trunk.names().items(), key=lambda pair: pair[1]):
        yield theirs, state[mine].detach().float().cpu().numpy()
