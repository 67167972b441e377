"""python -m rag.training DATA OUT: everything from the sets below DATA to a GGUF in OUT. Goes on where it was interrupted."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rag.disk import atomic_files
from rag.inference import minilm as embed
from rag.inference import weights
from rag.inference.crossencoder import CrossEncoder, Layout
from rag.training import datasets, export, figures, measure, mixture
from rag.training.batches import Row, encode
from rag.training.network import Network
from rag.training.train import Recipe, train_network

_LEAST = 0.58  #: probability from which the reader answers: set on articles kept out and on texts of another kind, see `read`


def main() -> None:
    """Train, measure on held-out documents, write the file."""
    parser = argparse.ArgumentParser(prog="python -m rag.training", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the question and claim sets")
    parser.add_argument("out", type=Path, help="where checkpoints, log, figures and weights go")
    parser.add_argument("--epochs", type=float, default=Recipe().epochs)
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    parser.add_argument("--rate", type=float, default=Recipe().rate)
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        help=".gguf to go on from, in place of all-MiniLM-L6-v2; of several, their mean",
    )
    parser.add_argument("--limit", type=int, default=0, help="examples of an epoch, for a trial")
    parser.add_argument(
        "--least", type=float, default=_LEAST, help="probability from which the reader answers"
    )
    parser.add_argument(
        "--planted", type=Path, help="a folder of documents to plant errors in, beside clapnq's"
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="train no further: fit and measure the last checkpoint, or the file of --start",
    )
    typed = parser.parse_args()
    if typed.finish:
        typed.out.mkdir(parents=True, exist_ok=True)
        finish(
            export.load_network(*(typed.start or [typed.out / "checkpoint.pt"])),
            mixture.read(typed.data),
            typed,
        )
        return
    recipe = Recipe(epochs=typed.epochs, seed=typed.seed, rate=typed.rate)
    typed.out.mkdir(parents=True, exist_ok=True)
    _write(
        typed.out / "inputs.json",
        {
            str(p.relative_to(typed.data)): atomic_files.sha256(p)
            for p in datasets.input_files(typed.data)
        },
    )
    _write(
        typed.out / "recipe.json",
        asdict(recipe)
        | {"limit": typed.limit, "base": _base(typed.start), "torch": torch.__version__},
    )
    sources = mixture.read(typed.data)
    layout = Layout(embed.Tokenizer().machine)
    torch.manual_seed(recipe.seed)
    network = export.load_network(*typed.start) if typed.start else Network()
    if not typed.start:
        network.trunk.start_from(weights.verified_embedder_folder())

    def epoch(number: int) -> list[Row]:
        found = mixture.epoch(sources, recipe.seed * 1000 + number)
        return encode(found[:: max(1, len(found) // typed.limit)] if typed.limit else found, layout)

    watched = figures.tuning_sample(sources)
    train_network(
        network, recipe, epoch, typed.out, lambda net: figures.quick_figures(net, layout, watched)
    )
    finish(network, sources, typed)


def _base(start: list[Path] | None) -> str | list[dict[str, Any]]:
    """What the weights began as: a checksum, and for files of this project how those were made."""
    return (
        [{"sha256": atomic_files.sha256(p), "recipe": _known(p).get("recipe")} for p in start]
        if start
        else weights.EMBEDDER_FILE.sha256
    )


def _known(file: Path) -> dict[str, Any]:
    """What stands beside a file of this project."""
    beside = file.with_suffix(".json")
    return dict(json.loads(beside.read_text(encoding="utf-8"))) if beside.exists() else {}


def finish(network: Network, sources: mixture.Sources, typed: argparse.Namespace) -> None:
    """Weights -> file -> fitted numbers -> file -> figures, written beside each other."""
    target = typed.out / weights.READER_FILE.file
    export.export_model(network, target, {})
    machine = embed.Tokenizer().machine
    model = CrossEncoder(target, machine)
    fitted = measure.fits(sources, model, typed.out, typed.least)
    model.close()
    export.export_model(network, target, fitted)
    model = CrossEncoder(target, machine)
    found = measure.measure(typed.data, sources, model, typed.out, typed.planted)
    model.close()
    about = {
        "file": target.name,
        "size": target.stat().st_size,
        "sha256": atomic_files.sha256(target),
        "figures": measure.rounded(found),
    }
    _write(typed.out / "reader.json", about | _made_from(typed))


def _made_from(typed: argparse.Namespace) -> dict[str, Any]:
    """Log, inputs and recipe of the training: this one's, or where only the numbers were fitted again, that of the file."""
    if typed.finish and typed.start:
        if len(typed.start) > 1:
            return {
                "recipe": {
                    "mean of": [{"sha256": atomic_files.sha256(p)} | _made(p) for p in typed.start]
                }
            }
        return _made(typed.start[0])
    log = (typed.out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return {"log": [json.loads(line) for line in log]} | {
        name: json.loads((typed.out / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("inputs", "recipe")
    }


def _made(file: Path) -> dict[str, Any]:
    return {name: _known(file)[name] for name in ("log", "inputs", "recipe")}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
