"""Train the part reader: the model that reads single sentences, rows and items.

    python -m rag.training.part_reader DATA OUT --start rag/models/reader.gguf

DATA is the folder of the question sets. Each epoch has all everyday questions of training documents
and, drawn anew, half as many of the sets as `rag.training.part_examples` has. What is written is a
mean of the weights before and after, which keeps what either is better at. An interrupted training
continues from its last checkpoint. OUT gets `part_reader.gguf` and `part_reader.json` with the
checksums of all inputs, the recipe and the log.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch

from rag.disk import atomic_files
from rag.disk.strict_json import Json
from rag.inference import minilm, weights
from rag.inference.crossencoder import Layout
from rag.process import harden_process
from rag.training import datasets, everyday, export, part_examples
from rag.training.batches import Row, encode
from rag.training.network import Network
from rag.training.train import Recipe, train_network

_OF_SETS = 0.5  # share of the sets' questions in an epoch


def main() -> None:
    """Train and write the file with its record."""
    harden_process()
    parser = argparse.ArgumentParser(prog="python -m rag.training.part_reader", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the question sets")
    parser.add_argument("out", type=Path, help="where checkpoints, log and weights go")
    parser.add_argument("--start", type=Path, required=True, help="the reader to start from")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--share", type=float, default=0.85, help="of the trained in the mean")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(epochs=options.epochs, seed=options.seed, rate=options.rate)
    torch.manual_seed(recipe.seed)
    network = export.load_network(options.start)
    _train(network, recipe, options.data, options.out)
    trained, shares = options.out / "checkpoint.pt", (1 - options.share, options.share)
    network = export.load_network(options.start, trained, shares=shares)
    target = options.out / weights.PART_READER_FILE.file
    export.export_model(network, target, {})
    record = {
        "file": target.name,
        "size": target.stat().st_size,
        "sha256": atomic_files.sha256(target),
        "log": [json.loads(line) for line in _lines(options.out / "log.jsonl")],
        "inputs": _inputs(options.data),
        "recipe": asdict(recipe)
        | {"start": atomic_files.sha256(options.start), "share": options.share},
    }
    text = json.dumps(record, indent=1) + "\n"
    (options.out / "part_reader.json").write_text(text, encoding="utf-8")


def _train(network: Network, recipe: Recipe, data: Path, out: Path) -> None:
    layout, sets = Layout(minilm.Tokenizer().machine), part_examples.PartExamples(data)
    documents = everyday.read_documents("train")

    def epoch(number: int) -> list[Row]:
        seed = recipe.seed * 1000 + number
        examples = [*sets.draw(seed, _OF_SETS), *everyday.examples(documents, seed)]
        return encode(examples, layout)

    train_network(network, recipe, epoch, out, lambda net: {})


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _inputs(data: Path) -> dict[str, Json]:
    """The checksum of every file that training read."""
    files = {str(path.relative_to(data)): path for path in part_examples.input_files(data)}
    files |= {str(path.relative_to(data)): path for path in datasets.input_files(data)}
    files |= {f"everyday/{path.name}": path for path in sorted(everyday.FOLDER.glob("*.jsonl"))}
    return {name: atomic_files.sha256(path) for name, path in files.items()}


if __name__ == "__main__":
    main()
