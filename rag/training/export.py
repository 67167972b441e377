"""Trained weights -> the GGUF that ships, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from rag.inference import weights
from rag.inference.gguf_arrays import read_arrays
from rag.inference.gguf_writer import gguf_name, read_tensors, write_gguf
from rag.training.network import Network, arrays

NAME = "footnote-reader"


def export_model(network: Network, target: Path, fits: dict[str, Any], kind: str = "q8_0") -> None:
    """Write `network` to `target`; `fits` (small float32 arrays, see `fit`) travel with the heads."""
    write_gguf(
        target,
        weights.embedder_folder(),
        NAME,
        _tensors(network),
        kind,
        pooled=False,
        arrays=arrays(network) | fits,
    )


def load_network(*paths: Path) -> Network:
    """The network of a checkpoint, or of a file that `ship` wrote (less what q8_0 rounded off).

    Of several, the mean of their weights: they must be trained from one another, or from one start. Between two such nets
    the loss has no hill, and the mean keeps what both learned (WiSE-FT and model soups, Wortsman et al. 2022).
    """
    network = Network()
    states = [_state(path, network) for path in paths]
    network.load_state_dict(
        {name: torch.stack([s[name].float() for s in states]).mean(0) for name in states[0]}
    )
    return network.eval()


def _state(path: Path, network: Network) -> dict[str, torch.Tensor]:
    if path.suffix == ".gguf":
        return _shipped(path, network)
    return dict(torch.load(path, map_location="cpu", weights_only=True)["network"])


def _shipped(path: Path, network: Network) -> dict[str, torch.Tensor]:
    found, heads = read_tensors(path), read_arrays(str(path))
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
