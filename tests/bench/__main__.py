"""Speeds as ratios, measured alone: ``make bench`` or ``make bench ARGS="--corpus corpus.jsonl --documents 200"``.

ask     a cold ``footnote ask`` over the seeds  /  a Python that imports chromadb, opens the same collection, queries it once
help    ``footnote --help``                     /  a Python that imports click and does nothing
ingest  chunks a second of ``add``              /  of bare SentenceTransformer.encode over the same chunks, same settings
embed   chunks a second with our settings       /  with the library's defaults (float32, batches in the order they come)
reader  five passages read, an answer checked   /  the same rows through torch in float32 on as many threads

Pairs are run in turn and the median ratio is printed with its range. Nothing here is a test: a machine that is busy with
something else gives ratios that mean nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.safe import protect
from tests.bench import reader

ROOT = Path(__file__).resolve().parent.parent.parent
FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
QUESTION = "How many individual sanctions has Russia faced?"
BARE_CHROMA = """
import sys, chromadb, numpy
from chromadb.config import Settings
client = chromadb.PersistentClient(path=sys.argv[1], settings=Settings(anonymized_telemetry=False))
collection = client.get_collection("chunks", embedding_function=None)
collection.query(query_embeddings=numpy.ones((1, 384), dtype="float32"), n_results=50)
"""


def seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
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


def processes(home: Path, count: int) -> None:
    """`ask` and `help`."""
    subprocess.run([FOOTNOTE, "--home", str(home), "-q", "add", str(ROOT / "seeds")], check=True)
    index = home / "libraries" / "default" / "vectors"
    generation = next(p for p in sorted(index.iterdir(), reverse=True) if p.is_dir())
    ask = [FOOTNOTE, "--home", str(home), "-q", "ask", QUESTION]
    pairs("ask", lambda: seconds(ask), lambda: seconds([sys.executable, "-c", BARE_CHROMA, str(generation)]), count)
    pairs("help", lambda: seconds([FOOTNOTE, "--help"]), lambda: seconds([sys.executable, "-c", "import click"]), count)


def ingest(home: Path, corpus: Sequence[str], documents: int) -> None:
    """`ingest` and `embed`, over the same chunks."""
    from rag import Bot, Config, embed

    class Noting(embed.Passages):
        """The embedder, which also notes the texts it was given, window by window."""

        windows: list[list[str]] = []  # noqa: RUF012

        def embed(self, texts: Sequence[str]):  # type: ignore[no-untyped-def]
            self.windows.append(list(texts))
            return super().embed(texts)

    embed.make_questions(str(home))
    machine = Noting()
    machine.embed(["warm up"] * 64)
    Noting.windows.clear()
    with Bot.open(Config(home=str(home), library="bench")) as bot:
        flow = bot._ingest  # the same flow, with an embedder that is open already and notes what it does
        bot._open_library(make=True)
        work = flow()
        work._embedder = lambda: machine
        started = time.perf_counter()
        with bot._writing():
            for _ in work.add(list(corpus)):
                pass
        added = time.perf_counter() - started
    chunks = [text for window in Noting.windows for text in window]
    started = time.perf_counter()
    for window in Noting.windows.copy():
        embed.Passages.embed(machine, window)
    bare = time.perf_counter() - started
    print(f"ingest   {bare / added:.2f}  of bare encode's throughput ({len(chunks)} chunks; {len(chunks) / added:.1f} a second, "
          f"bare {len(chunks) / bare:.1f})", flush=True)  # fmt: skip
    settings(machine, chunks, documents)


def settings(machine, chunks: Sequence[str], most: int) -> None:  # type: ignore[no-untyped-def]
    """Our settings against the library's defaults, on a sample in the order in which the chunks came."""
    from rag import embed, weights

    at = random.Random(0).randrange(max(1, len(chunks) - most))
    sample = list(chunks[at : at + most])
    default = embed._transformer(weights.minilm_folder())
    default.encode(sample[:32], show_progress_bar=False)
    started = time.perf_counter()
    for start in range(0, len(sample), 32):
        default.encode(sample[start : start + 32], batch_size=32, show_progress_bar=False)
    theirs = time.perf_counter() - started
    started = time.perf_counter()
    machine.embed(sample)
    ours = time.perf_counter() - started
    print(f"embed    {theirs / ours:.2f}  times the defaults ({len(sample)} chunks; {len(sample) / ours:.1f} a second, defaults "
          f"{len(sample) / theirs:.1f})", flush=True)  # fmt: skip


def small_corpus(folder: Path, documents: int) -> list[str]:
    """Documents of shuffled sentences of the seeds, for a machine that has no corpus at hand."""
    from rag.sentences import sentences

    texts = [p.read_text(encoding="utf-8") for p in sorted((ROOT / "seeds").glob("*.txt"))]
    known = [s.of(t) for t in texts for s in sentences(t)]
    draw = random.Random(0)
    for number in range(documents):
        said = draw.sample(known, draw.randrange(5, 60))
        (folder / f"{number:04}.txt").write_text("\n\n".join(said) + "\n", encoding="utf-8")
    return [str(folder)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corpus", action="append", help="folder, file or corpus.jsonl to ingest (else: made from the seeds)"
    )
    parser.add_argument("--documents", type=int, default=1024, help="most chunks for `embed`")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--only", choices=["processes", "ingest", "reader"])
    said = parser.parse_args()
    protect()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.2f}", flush=True)
        if said.only in (None, "processes"):
            processes(home, said.pairs)
        if said.only in (None, "reader"):
            pairs("reader", *reader.machines(), said.pairs)
            print(f"         its file opens in {min(reader.opening() for _ in range(5)):.3f} s", flush=True)
        if said.only in (None, "ingest"):
            folder = Path(scratch) / "corpus"
            folder.mkdir()
            ingest(home, said.corpus or small_corpus(folder, 60), said.documents)


if __name__ == "__main__":
    main()
