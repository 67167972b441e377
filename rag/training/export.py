"""Writes trained weights as the GGUF file of the package, and reads them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rag.inference import weights
from rag.inference.gguf_arrays import read_arrays
from rag.inference.gguf_writer import gguf_name, read_tensors, write_gguf
from rag.training.network import Network, arrays

NAME = "footnote-reader"


def export_model(
    network: Network, target: Path, fits: dict[str, NDArray[np.float32]], kind: str = "q8_0"
) -> None:
    """Write `network` to `target`.

    `fits` are small float32 arrays (see `fit`) that are stored with the heads. `kind` is one of
    `gguf_writer.QUANTISATIONS`.
    """
    write_gguf(
        target,
        weights.embedder_folder(),
        NAME,
        _tensors(network),
        kind,
        pooled=False,
        arrays=arrays(network) | fits,
    )


def load_network(*paths: Path, shares: Sequence[float] = ()) -> Network:
    """The network of a checkpoint or of a file that `export_model` wrote, rounded by q8_0.

    Of several paths it has the mean of the weights, by `shares` that add up to 1, else equal ones.
    The networks must be trained from one another or from one start: then the loss has no barrier
    between them, and the mean keeps the abilities of all (WiSE-FT and model soups, Wortsman et al.
    2022).
    """
    network = Network()
    states = [_state(path, network) for path in paths]
    shares = shares or [1 / len(states)] * len(states)
    network.load_state_dict(
        {
            name: sum(
                share * state[name].float() for share, state in zip(shares, states, strict=True)
            )
            for name in states[0]
        }
    )
    return network.eval()


def _state(path: Path, network: Network) -> dict[str, torch.Tensor]:
    if path.suffix == ".gguf":
        return _exported(path, network)
    return dict(torch.load(path, map_location="cpu", weights_only=True)["network"])


def _exported(path: Path, network: Network) -> dict[str, torch.Tensor]:
    trunk, heads = read_tensors(path), read_arrays(str(path))
    state = {
        f"trunk.{name}": trunk[str(gguf_name(checkpoint_name))]
        for name, checkpoint_name in network.trunk.names().items()
    }
    for name in arrays(network):
        state[name if name.startswith("pointers") else f"heads.{name}"] = heads[name]
    return {name: torch.tensor(array) for name, array in state.items()}


def _tensors(network: Network) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(name in a BERT checkpoint, array) of the tensors of the trunk."""
    state = network.trunk.state_dict()
    names = sorted(network.trunk.names().items(), key=lambda pair: pair[1])
    for name, checkpoint_name in names:
        yield checkpoint_name, state[name].detach().float().cpu().numpy()
