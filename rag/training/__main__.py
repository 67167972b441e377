"""Train the reader from the sets below DATA and write a GGUF file to OUT.

    python -m rag.training DATA OUT

An interrupted training continues from its last checkpoint.
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
from rag.inference.crossencoder import CrossEncoder, Layout
from rag.process import harden_process
from rag.training import datasets, export, figures, measure, mixture
from rag.training.batches import Row, encode
from rag.training.network import Network
from rag.training.train import Recipe, train_network

#: probability from which the reader answers; chosen on articles kept out of training and on texts
#: of another kind, see `rag.answer.reader`
_THRESHOLD = 0.58


def main() -> None:
    """Train, measure on documents kept out of training, and write the file."""
    harden_process()
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sources = mixture.read(options.data)
    if options.finish:
        network = export.load_network(*(options.start or [options.out / "checkpoint.pt"]))
    else:
        network = _train(options, sources)
    finish(network, sources, options)


def _parser() -> argparse.ArgumentParser:
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
        help=".gguf to start from, in place of all-MiniLM-L6-v2; of several, their mean",
    )
    parser.add_argument("--limit", type=int, default=0, help="examples of an epoch, for a trial")
    parser.add_argument(
        "--least", type=float, default=_THRESHOLD, help="probability from which the reader answers"
    )
    parser.add_argument(
        "--planted",
        type=Path,
        help="a folder of documents to plant errors in, in addition to clapnq's",
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="train no further: fit and measure the last checkpoint, or the file of --start",
    )
    return parser


def _train(options: argparse.Namespace, sources: mixture.Sources) -> Network:
    """The trained network; inputs, recipe, log and checkpoint are written to the output folder."""
    recipe = Recipe(epochs=options.epochs, seed=options.seed, rate=options.rate)
    _write_records(options, recipe)
    layout = Layout(minilm.Tokenizer().machine)
    torch.manual_seed(recipe.seed)
    network = export.load_network(*options.start) if options.start else Network()
    if not options.start:
        network.trunk.start_from(weights.verified_embedder_folder())

    def epoch(number: int) -> list[Row]:
        examples = mixture.epoch(sources, recipe.seed * 1000 + number)
        if options.limit:
            examples = examples[:: max(1, len(examples) // options.limit)]
        return encode(examples, layout)

    sample = figures.tuning_sample(sources)
    train_network(
        network,
        recipe,
        epoch,
        options.out,
        lambda net: figures.quick_figures(net, layout, sample),
    )
    return network


def _write_records(options: argparse.Namespace, recipe: Recipe) -> None:
    """Write the checksums of the inputs and the recipe to the output folder."""
    checksums = {
        str(path.relative_to(options.data)): atomic_files.sha256(path)
        for path in datasets.input_files(options.data)
    }
    _write(options.out / "inputs.json", checksums)
    settings = {
        "limit": options.limit,
        "base": _base(options.start),
        "torch": torch.__version__,
    }
    _write(options.out / "recipe.json", asdict(recipe) | settings)


def _base(start: list[Path] | None) -> str | list[dict[str, Json]]:
    """The checksum of the initial weights; for files of this project also their recipes."""
    if not start:
        return weights.EMBEDDER_FILE.sha256
    return [
        {"sha256": atomic_files.sha256(path), "recipe": _record(path).get("recipe")}
        for path in start
    ]


def _record(file: Path) -> dict[str, Json]:
    """The record next to a file of this project; empty if there is none."""
    path = file.with_suffix(".json")
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def finish(network: Network, sources: mixture.Sources, options: argparse.Namespace) -> None:
    """Write the file, fit its last numbers, write it again, measure it and write the figures."""
    target = options.out / weights.READER_FILE.file
    export.export_model(network, target, {})
    tokenizer = minilm.Tokenizer().machine
    model = CrossEncoder(target, tokenizer)
    fits = measure.fits(sources, model, options.out, options.least)
    model.close()
    export.export_model(network, target, fits)
    model = CrossEncoder(target, tokenizer)
    results = measure.measure(options.data, sources, model, options.out, options.planted)
    model.close()
    record = {
        "file": target.name,
        "size": target.stat().st_size,
        "sha256": atomic_files.sha256(target),
        "figures": measure.rounded(results),
    }
    _write(options.out / "reader.json", record | _provenance(options))


def _provenance(options: argparse.Namespace) -> dict[str, Json]:
    """Log, inputs and recipe of the training.

    With --finish and --start these are those of the given file, because only its numbers were
    fitted again.
    """
    if options.finish and options.start:
        if len(options.start) > 1:
            parts: list[Json] = [
                {"sha256": atomic_files.sha256(path), **_recorded_provenance(path)}
                for path in options.start
            ]
            return {"recipe": {"mean of": parts}}
        return _recorded_provenance(options.start[0])
    log = (options.out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return {"log": [json.loads(line) for line in log]} | {
        name: json.loads((options.out / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("inputs", "recipe")
    }


def _recorded_provenance(file: Path) -> dict[str, Json]:
    record = _record(file)
    return {name: record[name] for name in ("log", "inputs", "recipe")}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
