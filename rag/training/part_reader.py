"""Train the part reader: the model that reads single sentences, rows and items.

    python -m rag.training.part_reader DATA OUT --start rag/models/reader.gguf

DATA is the folder of the question sets. Each epoch has all everyday questions of training documents
and, drawn anew, half as many of the sets as `rag.training.part_examples` has and some readings of
questions over tables (`rag.training.reading_examples`). What is written is a
mean of the weights before and after, which keeps what either is better at. An interrupted training
continues from its last checkpoint. OUT gets `part_reader.gguf` and `part_reader.json` with the
checksums of all inputs, the recipe and the log.

A trained part reader learns new everyday documents by `--start` with its own file, `--new` with the
first letters of the names of their files, and `--others` with the share of everything else that
each epoch has beside them, so that nothing is forgotten.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch

from rag.disk import atomic_files
from rag.disk.strict_json import Json
from rag.inference import minilm, weights
from rag.inference.crossencoder import Layout
from rag.process import harden_process
from rag.training import datasets, everyday, export, part_examples, reading_examples
from rag.training.batches import Row, encode
from rag.training.network import Network
from rag.training.train import Recipe, train_network

_OF_SETS = 0.5  # share of the sets' questions in an epoch
_READINGS = 4000  # questions over tables in an epoch


def main() -> None:
    """Train and write the file with its record."""
    harden_process()
    parser = argparse.ArgumentParser(prog="python -m rag.training.part_reader", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the question sets")
    parser.add_argument("out", type=Path, help="where checkpoints, log and weights go")
    parser.add_argument("--start", type=Path, required=True, help="the reader to start from")
    parser.add_argument("--begin", type=Path, help="a checkpoint whose weights are trained on")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--share", type=float, default=0.85, help="of the trained in the mean")
    parser.add_argument("--new", default="", help="files of documents that every epoch has whole")
    parser.add_argument("--others", type=float, default=1.0, help="share of all others, 0 to 1")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(epochs=options.epochs, seed=options.seed, rate=options.rate)
    torch.manual_seed(recipe.seed)
    network = export.load_network(options.start)
    if options.begin:
        network = export.load_network(options.start, options.begin, shares=(0.0, 1.0))
    drawn = _Drawn(options.new, options.others)
    _train(network, recipe, options.data, options.out, drawn)
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
        | {"start": atomic_files.sha256(options.start), "share": options.share}
        | ({"new": drawn.new, "others": drawn.others} if drawn.new else {})
        | ({"begin": atomic_files.sha256(options.begin)} if options.begin else {}),
        "before": _before(options.start),
    }
    text = json.dumps(record, indent=1) + "\n"
    (options.out / "part_reader.json").write_text(text, encoding="utf-8")


class _Drawn(NamedTuple):
    """What an epoch has: files of documents that are whole, and a share of everything else."""

    new: str
    others: float

    def documents(
        self, documents: Sequence[tuple[str, everyday.Written]], seed: int
    ) -> list[tuple[str, everyday.Written]]:
        """The documents of an epoch."""
        chance = random.Random(seed)
        return [
            (name, written)
            for name, written in documents
            if chance.random() < self.others or (self.new and name.startswith(self.new))
        ]


def _train(network: Network, recipe: Recipe, data: Path, out: Path, drawn: _Drawn) -> None:
    layout, sets = Layout(minilm.Tokenizer().machine), part_examples.PartExamples(data)
    readings = reading_examples.ReadingExamples(part_examples.tables_file(data))
    documents = everyday.read_documents("train")

    def epoch(number: int) -> list[Row]:
        seed = recipe.seed * 1000 + number
        of_sets = sets.draw(seed, _OF_SETS * drawn.others)
        of_tables = readings.draw(seed, int(_READINGS * drawn.others))
        written = everyday.examples(drawn.documents(documents, seed), seed)
        return encode([*of_sets, *of_tables, *written], layout)

    train_network(network, recipe, epoch, out, lambda net: {})


def _before(start: Path) -> Json:
    """Recipe and log of the training that made the file to start from, if its record has them."""
    record = start.with_suffix(".json")
    if start.name != weights.PART_READER_FILE.file or not record.is_file():
        return None
    known = json.loads(record.read_text(encoding="utf-8"))
    return {name: known.get(name) for name in ("sha256", "recipe", "log", "before")}


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
