"""What the benches share: a command's seconds, pairs run in turn, percentiles, the texts there are where no corpus is given."""

from __future__ import annotations

import random
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BARE_CHROMA = """
import sys, chromadb, numpy
from chromadb.config import Settings
client = chromadb.PersistentClient(path=sys.argv[1], settings=Settings(anonymized_telemetry=False))
collection = client.get_collection("chunks", embedding_function=None)
collection.query(query_embeddings=numpy.ones((1, 384), dtype="float32"), n_results=100)
"""


def seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    return time.perf_counter() - started


def pairs(name: str, ours: Callable[[], float], theirs: Callable[[], float], count: int) -> None:
    """Run the two in turn after one warm-up each; print the median ratio ours / theirs."""
    ours(), theirs()
    found = [(ours(), theirs()) for _ in range(count)]
    ratios = sorted(a / b for a, b in found)
    print(
        f"{name:<8} {statistics.median(ratios):.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f}, {count} pairs; "
        f"medians {statistics.median(a for a, _ in found):.3f} s / {statistics.median(b for _, b in found):.3f} s)",
        flush=True,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def newest(home: Path, library: str = "default") -> Path:
    """The folder of the newest generation of the index."""
    index = home / "libraries" / library / "vectors"
    return max((p for p in index.glob("gen-*") if p.is_dir()), key=lambda p: int(p.name[4:]))


def small_corpus(
    folder: Path, documents: int, sentences_each: tuple[int, int] = (5, 60)
) -> list[str]:
    """Documents of shuffled sentences of the seeds, for a machine that has no corpus at hand."""
    from rag.text.sentences import split_sentences

    texts = [p.read_text(encoding="utf-8") for p in sorted((ROOT / "seeds").glob("*.txt"))]
    known = [s.of(t) for t in texts for s in split_sentences(t)]
    draw = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(documents):
        said = draw.sample(known, draw.randrange(*sentences_each))
        (folder / f"{number:05}.txt").write_text("\n\n".join(said) + "\n", encoding="utf-8")
    return [str(folder)]
